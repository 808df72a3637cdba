"""Rules of the events of a list, written as small tables: messages, attendances and episodes in, events out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.spec.lists.nights import Night, Place
from tests.spec.tables import Cells, Rules, parse_table

SHORT_NAMES = {
    "provider": "provider_code",
    "type": "event_type",
    "at": "event_at",
    "arrived": "arrival_at",
    "departed": "departure_at",
    "category": "attendance_category",
    "department": "department_type",
    "admitted": "admission_date",
    "discharged": "discharge_date",
    "class": "patient_classification",
}
MAKERS = {
    "acute_adt": lambda number, **columns: (
        {"message_id": factories.next_key("Z"), "nhs_number": number, "provider_code": "RT1"} | columns
    ),
    "acute_attendances": factories.attendance,
    "acute_episodes": factories.episode,
    "gp_patients": factories.patient,
}


class Evening(Rules):
    """Rules whose people are looked at on one night, all of them on a list of everybody."""

    short_names = SHORT_NAMES
    makers = MAKERS

    def __init__(self, as_of: date = factories.AS_OF) -> None:
        super().__init__(as_of)
        self._night: Night | None = None

    def rule(self, *, events: str, **extracts: str) -> Callable[..., None]:
        """Add a rule; its test makes the night once and compares event and date of this rule's people."""
        expected = parse_table(events)
        tables = {extract: parse_table(text) for extract, text in extracts.items()}
        numbers = self.settle(tables, expected)

        def test(list_site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
            night = self.night(list_site, tmp_path_factory)
            found = [shown(night.of("everybody", numbers[cells["person"]]), cells) for cells in expected]
            assert found == expected

        return test

    def night(self, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
        if self._night is None:
            self._night = Place(site, tmp_path_factory.mktemp("evening")).night(self.as_of, self.extracts)
        return self._night


def shown(row: dict[str, Any] | None, cells: Cells) -> Cells:
    """The row's values of the columns that a rule speaks of, as text; '' is none."""
    assert row is not None, cells
    found = {"event": row["event"] or "", "since": row["event_date"].isoformat() if row["event_date"] else ""}
    return {"person": cells["person"], **{name: found[name] for name in cells if name != "person"}}
