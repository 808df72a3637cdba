"""Rules about landmark frames as tables: rows of a delivery in, labels and features of an index date out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.keys import person_id
from tests.landmarks import deliver, frame_rows, frames_of, write_frame_site
from tests.spec.tables import Cells, Town, parse_table, shown

INDEX_DATE, COMPLETE_TO = date(2025, 4, 1), date(2026, 4, 1)


class LookedBackTown(Town):
    """A town that is delivered the day before ``as_of`` and looked at from ``index_date``; keywords: outcome.yaml.

    Its rules expect a table of columns of the frame.
    """

    def __init__(
        self,
        index_date: date = INDEX_DATE,
        as_of: date = COMPLETE_TO,
        *,
        complete_to: date | None = None,
        **outcome: Any,
    ) -> None:
        super().__init__(as_of)
        self.index_date = index_date
        self.complete_to = complete_to
        self.outcome = outcome
        self._rows: Mapping[str, Mapping[str, Any]] | None = None

    def label_rule(self, *, labels: str, **extracts: str) -> Callable[[], None]:
        expected = parse_table(labels)
        numbers = self.settle({name: parse_table(text) for name, text in extracts.items()}, expected)

        def test() -> None:
            rows = self.rows()
            for cells in expected:
                assert shown_row(rows.get(numbers[cells["person"]]), cells) == cells

        return test

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """NHS number to the row of the frame; built once for all rules of the town."""
        if self._rows is None:
            with tempfile.TemporaryDirectory() as name:
                site = write_frame_site(Path(name) / "site", **self.outcome)
                deliver(site, self.as_of - timedelta(days=1), self.extracts)
                found = frame_rows(frames_of(site, [self.index_date], self.complete_to))
                key = (site / "keys" / "site.key").read_bytes()
            numbers = {row["nhs_number"] for row in self.extracts["gp_patients"]}
            by_key = {person_id(key, number): number for number in numbers}
            self._rows = {by_key[person]: row for (person, _), row in found.items() if person in by_key}
        return self._rows


def shown_row(row: Mapping[str, Any] | None, expected: Cells) -> Cells:
    return shown(None if row is None else dict(row), expected)
