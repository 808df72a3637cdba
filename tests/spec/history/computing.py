"""From delivered rows to both published tables, and tables of snapshots that a test expects."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from riskstrat import pipeline
from riskstrat.dates import months_before
from riskstrat.definitions.everything import load_definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.progress import Progress
from riskstrat.stages.context import Context
from riskstrat.stages.features import features as features_stage
from riskstrat.stages.history import history as history_stage
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import find_deliveries
from riskstrat.stages.link import link
from tests import factories
from tests.engine import BYSTANDER, Extracts, person_id
from tests.factories import AS_OF, Row
from tests.small_town import FRAIL_CODES, write_rows
from tests.spec.tables import Cells, Town, parse_table, shown

MONTHS = range(13)
SHARED = (
    "efi_deficits",
    "efi_category",
    "frailty_category",
    "frailty_source",
    "unplanned_admissions_12m",
)
DEFICITS = FRAIL_CODES[:11]
PATIENT, NEIGHBOUR = factories.nhs_number(1), factories.nhs_number(2)


# --- from rows to history --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Computed:
    """What the features and history stages leave: rows of both files as they are published, and the manifest."""

    features: list[Row]
    history: list[Row]
    manifest: dict[str, Any]

    def of(self, number: str) -> dict[int, Row]:
        """One person's snapshots by months_before."""
        wanted = person_id(number)
        return {row["months_before"]: row for row in self.history if row["person_id"] == wanted}

    def today(self, number: str) -> Row:
        return next(row for row in self.features if row["person_id"] == person_id(number))


def computed(site: Path, extracts: Extracts, as_of: date) -> Computed:
    with tempfile.TemporaryDirectory() as name:
        landing = Path(name) / "landing"
        for extract in dict.fromkeys((*factories.REQUIRED_EXTRACTS, *extracts)):
            rows = list(extracts.get(extract, ())) or [factories.MAKERS[extract](BYSTANDER)]
            write_rows(landing / (as_of - timedelta(days=1)).isoformat() / f"{extract}.csv", rows)
        return computed_from(landing, site, as_of, Path(name))


def computed_from(landing: Path, site: Path, as_of: date, work: Path) -> Computed:
    building = work / "run"
    building.mkdir()
    engine = DuckDBEngine(work / "run.duckdb", threads=2, memory_limit="2GB")
    try:
        definitions = load_definitions(site)
        context = Context(
            as_of,
            definitions,
            engine,
            find_deliveries(landing, as_of, definitions),
            landing,
            building,
            pipeline.TEST_KEY,
            Progress(quiet=True),
            judged=False,
        )
        for stage in (ingest, link, features_stage, history_stage):
            stage(context)
        tables = [pq.read_table(building / f"{name}.parquet").to_pylist() for name in ("features", "history")]
        return Computed(tables[0], tables[1], context.manifest)
    finally:
        engine.close()


class HistoryTown(Town):
    """A town whose rules may also expect a table of snapshots: person, months_before and values."""

    def __init__(self, as_of: date = AS_OF) -> None:
        super().__init__(as_of)
        self._made: Computed | None = None

    def made(self, site: Path) -> Computed:
        if self._made is None:
            self._made = computed(site, self.extracts, self.as_of)
        return self._made

    def features(self, site: Path) -> dict[str, dict[str, Any]]:
        return {row["person_id"]: row for row in self.made(site).features}

    def history_rule(self, *, history: str, **extracts: str) -> Callable[[Path], None]:
        expected = parse_table(history)
        numbers = self.settle({name: parse_table(text) for name, text in extracts.items()}, expected)

        def test(made_up_site: Path) -> None:
            for cells in expected:
                for month in months_of(cells):
                    row = self.made(made_up_site).of(numbers[cells["person"]])[month]
                    wanted = cells | {"months_before": str(month)}
                    assert shown(row, wanted) == wanted

        return test


def months_of(cells: Cells) -> Sequence[int]:
    """``12`` or, of several snapshots, ``12 to 3``."""
    first, _, last = cells["months_before"].partition(" to ")
    return range(int(last or first), int(first) + 1)


def repeats(person: str, **products: str) -> str:
    """Issues of named products on the given days, besides four other medicines that the person takes all the time."""
    lines = ["person | dmd_code | issue_date"]
    for month in range(48):
        day = months_before(date(2026, 3, 15), month)
        lines += [f"{person} | {product} | {day}" for product in ("1001", "1002", "1003", "1004")]
    for product, days in products.items():
        lines += [f"{person} | {product.removeprefix('p')} | {day}" for day in days.split()]
    return "\n".join(lines)


def medicines(*tables: str) -> str:
    """Several tables of issues as one."""
    header, *lines = [line for table in tables for line in table.splitlines()]
    return "\n".join([header, *(line for line in lines if line != header)])


SEVERE, MODERATE, MILD, SUPPLIED = (
    "925861000000102",
    "925831000000107",
    "925791000000100",
    "1084961000000105",
)


def registered() -> list[Row]:
    return [
        factories.patient(PATIENT, practice_code=factories.PRACTICES[1]),
        factories.patient(NEIGHBOUR, practice_code=factories.PRACTICES[2]),
    ]


def days_of_feed(a_month: int, months: int, silent: Sequence[date]) -> Iterator[date]:
    """``a_month`` days in each of the complete months before AS_OF but the silent ones, the oldest first."""
    for number in range(months, 0, -1):
        month = months_before(AS_OF, number)
        if month not in silent:
            yield from (month.replace(day=day + 1) for day in range(a_month))


def issues(a_month: int, *silent: date, months: int = 24) -> list[Row]:
    return [factories.medication(PATIENT, issue_date=day) for day in days_of_feed(a_month, months, silent)]


def planned_stays(a_month: int, *silent: date) -> list[Row]:
    return [
        factories.episode(PATIENT, admission_date=day, discharge_date=day, admission_method="11")
        for day in days_of_feed(a_month, 24, silent)
    ]


SILENT = date(2024, 8, 1)


def same_as_today(made: Computed) -> None:
    today = {row["person_id"]: [row[name] for name in SHARED] for row in made.features}
    assert today == {
        row["person_id"]: [row[name] for name in SHARED] for row in made.history if row["months_before"] == 0
    }
    year_ago = {
        row["person_id"]: [row[name] for name in SHARED] for row in made.history if row["months_before"] == 12
    }
    for row in made.features:
        deficits, _, category, _, admissions = year_ago[row["person_id"]]
        assert (row["efi_deficits_12m_ago"], row["frailty_category_12m_ago"]) == (deficits, category)
        assert row["unplanned_admissions_12m_a_year_ago"] == admissions
    assert len(made.history) == len(made.features) * 13
