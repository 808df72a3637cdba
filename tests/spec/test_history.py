"""The monthly history: what a run on an earlier day would have said of today's people (rules: Time, Frailty, Acute)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstrat import pipeline
from riskstrat.dates import months_before
from riskstrat.definitions.everything import load_definitions
from riskstrat.demo import write_town
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import DefinitionError
from riskstrat.progress import Progress
from riskstrat.site import default_site
from riskstrat.stages.context import Context
from riskstrat.stages.features import features as features_stage
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
    """What the features stage leaves: rows of both files as they are published, and the manifest."""

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
        for stage in (ingest, link, features_stage):
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
        numbers = self._settle({name: parse_table(text) for name, text in extracts.items()}, expected)

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


# --- deficits --------------------------------------------------------------------------------------------------------

town = HistoryTown()

test_deficit_counts_from_the_first_snapshot_after_it_was_dated = town.history_rule(
    gp_events="""
        person     | code      | event_date
        day_before | 38341003  | 2025-09-30
        same_day   | 38341003  | 2025-10-01
        long_ago   | 38341003  | 1999-01-01
        yesterday  | 38341003  | 2026-03-31
        today      | 38341003  | 2026-04-01
    """,
    history="""
        person     | months_before | snapshot_date | efi_deficits
        day_before | 7             | 2025-09-01    | 0
        day_before | 6             | 2025-10-01    | 1
        day_before | 0             | 2026-04-01    | 1
        same_day   | 6             | 2025-10-01    | 0
        same_day   | 5             | 2025-11-01    | 1
        long_ago   | 12            | 2025-04-01    | 1
        long_ago   | 0             | 2026-04-01    | 1
        yesterday  | 1             | 2026-03-01    | 0
        yesterday  | 0             | 2026-04-01    | 1
        today      | 0             | 2026-04-01    | 0
    """,
)

test_deficit_recorded_late_counts_from_the_snapshot_after_it_was_recorded = town.history_rule(
    gp_events="""
        person        | code      | event_date | recorded_date
        day_before    | 38341003  | 2010-01-01 | 2025-09-30
        same_day      | 38341003  | 2010-01-01 | 2025-10-01
        before_event  | 38341003  | 2025-10-01 | 2025-01-01
        not_yet       | 38341003  | 2010-01-01 | 2026-04-01
    """,
    history="""
        person        | months_before | efi_deficits
        day_before    | 12 to 7       | 0
        day_before    | 6 to 0        | 1
        same_day      | 12 to 6       | 0
        same_day      | 5 to 0        | 1
        before_event  | 12 to 6       | 0
        before_event  | 5 to 0        | 1
        not_yet       | 12 to 0       | 0
    """,
)

test_record_that_was_known_first_decides_not_the_one_that_is_dated_first = town.history_rule(
    gp_events="""
        person | code     | event_date | recorded_date
        ann    | 38341003 | 2010-01-01 | 2026-01-15
        ann    | 38341003 | 2025-06-10 |
    """,
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 10      | 0
        ann    | 9 to 0        | 1
    """,
)

test_deficit_by_value_counts_from_the_first_abnormal_value = town.history_rule(
    gp_events="""
        person | code             | event_date | value
        ann    | 1011481000000105 | 2025-04-10 | 95
        ann    | 1011481000000105 | 2025-12-10 | 40
        ann    | 1011481000000105 | 2026-02-10 | 95
    """,
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 4       | 0
        ann    | 3 to 0        | 1
    """,
)

test_deficits_add_up_month_by_month = town.history_rule(
    gp_events="""
        person | code      | event_date
        ann    | 38341003  | 2015-01-01
        ann    | 44054006  | 2025-05-10
        ann    | 49436004  | 2025-05-20
        ann    | 84114007  | 2025-08-10
        ann    | 13645005  | 2026-03-10
    """,
    history="""
        person | months_before | efi_deficits | efi_category | frailty_category | frailty_source
        ann    | 12 to 11      | 1            | fit          | fit              | computed
        ann    | 10 to 8       | 3            | fit          | fit              | computed
        ann    | 7 to 1        | 4            | fit          | fit              | computed
        ann    | 0             | 5            | mild         | mild             | computed
    """,
)

# --- medicines -------------------------------------------------------------------------------------------------------

test_medicine_counts_for_the_snapshots_in_whose_12_months_it_was_issued = town.history_rule(
    gp_medications=medicines(
        repeats("first_day", p1005="2025-01-01"),
        repeats("day_before", p1005="2024-12-31"),
        repeats("on_the_day", p1005="2025-06-01"),
        repeats("yesterday", p1005="2026-03-31"),
        repeats("today", p1005="2026-04-01"),
    ),
    history="""
        person     | months_before | efi_deficits
        first_day  | 12 to 3       | 1
        first_day  | 2 to 0        | 0
        day_before | 12 to 4       | 1
        day_before | 3 to 0        | 0
        on_the_day | 12 to 10      | 0
        on_the_day | 9 to 0        | 1
        yesterday  | 12 to 1       | 0
        yesterday  | 0             | 1
        today      | 12 to 0       | 0
    """,
)

test_product_that_was_dropped_and_taken_again_leaves_a_gap = town.history_rule(
    gp_medications=medicines(
        repeats("gap", p1005="2024-05-10 2026-01-10"),
        repeats("no_gap", p1005="2024-05-10 2024-11-10 2025-02-10 2025-10-10"),
        repeats("two_in_turn", p1005="2024-05-10", p1006="2025-05-20"),
    ),
    history="""
        person      | months_before | efi_deficits
        gap         | 12 to 11      | 1
        gap         | 10 to 3       | 0
        gap         | 2 to 0        | 1
        no_gap      | 12 to 0       | 1
        two_in_turn | 12 to 11      | 1
        two_in_turn | 10 to 0       | 1
    """,
)

test_same_product_again_is_no_other_medicine = town.history_rule(
    gp_medications=repeats("ann", p1001="2025-01-02 2025-06-02 2025-12-02", p1002="2025-07-03"),
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 0       | 0
    """,
)

# --- frailty of other sources, bands ---------------------------------------------------------------------------------

test_features_of_a_year_ago_are_those_of_the_snapshot_and_bands_rise_and_fall = town.rule(
    gp_events="""
        person | code      | event_date
        risen  | 38341003  | 2015-01-01
        risen  | 44054006  | 2015-01-01
        risen  | 49436004  | 2025-03-31
        risen  | 84114007  | 2025-04-01
        risen  | 13645005  | 2025-07-01
        fallen | 38341003  | 2015-01-01
        fallen | 44054006  | 2015-01-01
        fallen | 49436004  | 2015-01-01
        fallen | 84114007  | 2015-01-01
    """,
    gp_medications=repeats("fallen", p1005="2024-08-10"),
    acute_episodes="""
        person | admitted   | discharged
        risen  | 2024-04-01 | 2024-04-02
        risen  | 2025-03-31 | 2025-04-02
        risen  | 2025-04-01 | 2025-04-01
        fallen | 2024-03-31 | 2024-04-02
    """,
    features="""
        person | efi_deficits_12m_ago | frailty_category_12m_ago | frailty_bands_risen_12m | unplanned_admissions_12m_a_year_ago | efi_deficits | unplanned_admissions_12m
        risen  | 3                    | fit                      | 1                       | 2                                   | 5            | 1
        fallen | 5                    | mild                     | -1                      | 0                                   | 4            | 0
        same   | 0                    | fit                      | 0                       | 0                                   | 0            | 0
    """,  # noqa: E501 - a table is read a row a line
)


@pytest.fixture(scope="module")
def coded_site(made_up_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose clinicians' diagnoses speak first, then the supplied score."""
    site = tmp_path_factory.mktemp("coded") / "site"
    shutil.copytree(made_up_site, site)
    path = site / "config" / "reference" / "frailty_precedence.csv"
    text = path.read_text(encoding="utf-8")
    for source, place in (("computed,1", "computed,3"), ("coded,2", "coded,1"), ("supplied,3", "supplied,2")):
        assert source in text
        text = text.replace(source, place)
    path.write_text(text, encoding="utf-8")
    return site


SEVERE, MODERATE, MILD, SUPPLIED = (
    "925861000000102",
    "925831000000107",
    "925791000000100",
    "1084961000000105",
)


def test_latest_diagnosis_that_was_known_speaks_at_each_snapshot(coded_site: Path) -> None:
    events = [
        factories.event(PATIENT, code=SUPPLIED, value=0.3, event_date=date(2025, 4, 1)),
        factories.event(PATIENT, code=SEVERE, event_date=date(2025, 6, 10)),
        factories.event(PATIENT, code=MILD, event_date=date(2025, 9, 10)),
        # dated before the mild one and heard of later: it never speaks
        factories.event(PATIENT, code=MODERATE, event_date=date(2025, 8, 1), recorded_date=date(2026, 1, 10)),
        # dated after it and heard of late: it speaks from then on; on its day the more severe counts
        factories.event(
            PATIENT, code=MODERATE, event_date=date(2025, 10, 5), recorded_date=date(2026, 2, 28)
        ),
        factories.event(PATIENT, code=MILD, event_date=date(2025, 10, 5), recorded_date=date(2026, 2, 28)),
    ]
    history = computed(coded_site, {"gp_patients": registered(), "gp_events": events}, AS_OF).of(PATIENT)
    said = {month: (row["frailty_source"], row["frailty_category"]) for month, row in history.items()}
    assert said == {
        12: ("computed", "fit"),
        **dict.fromkeys((11, 10), ("supplied", "moderate")),
        **dict.fromkeys((9, 8, 7), ("coded", "severe")),
        **dict.fromkeys((6, 5, 4, 3, 2), ("coded", "mild")),
        **dict.fromkeys((1, 0), ("coded", "moderate")),
    }


# --- admissions ------------------------------------------------------------------------------------------------------

test_admissions_are_counted_in_the_snapshots_own_12_months = town.history_rule(
    acute_episodes="""
        person     | admitted   | discharged
        first_day  | 2025-01-01 | 2025-01-05
        day_before | 2024-12-31 | 2025-01-05
        on_the_day | 2025-06-01 | 2025-06-02
        in_it      | 2025-05-31 | 2025-06-02
        twice      | 2025-04-10 | 2025-04-12
        twice      | 2025-08-10 |
    """,
    history="""
        person     | months_before | unplanned_admissions_12m
        first_day  | 12 to 3       | 1
        first_day  | 2 to 0        | 0
        day_before | 12 to 4       | 1
        day_before | 3 to 0        | 0
        on_the_day | 12 to 10      | 0
        on_the_day | 9 to 0        | 1
        in_it      | 12 to 11      | 0
        in_it      | 10 to 0       | 1
        twice      | 12            | 0
        twice      | 11 to 8       | 1
        twice      | 7 to 0        | 2
    """,
)

test_admission_recorded_late_counts_from_the_snapshot_after_it_was_recorded = town.history_rule(
    acute_episodes="""
        person     | admitted   | discharged | recorded_date
        day_before | 2025-04-10 | 2025-04-12 | 2025-09-30
        same_day   | 2025-04-10 | 2025-04-12 | 2025-10-01
        too_late   | 2025-01-10 | 2025-01-12 | 2026-02-10
    """,
    history="""
        person     | months_before | unplanned_admissions_12m
        day_before | 12 to 7       | 0
        day_before | 6 to 0        | 1
        same_day   | 12 to 6       | 0
        same_day   | 5 to 0        | 1
        too_late   | 12 to 0       | 0
    """,
)

test_spell_is_known_when_the_first_of_its_episodes_is = town.history_rule(
    acute_episodes="""
        person | spell | episode | admitted   | episode_start | discharged | recorded_date
        late   | S1    | 1       | 2025-04-10 | 2025-04-10    | 2025-07-01 | 2026-01-10
        late   | S1    | 2       | 2025-04-10 | 2025-06-20    | 2025-07-01 | 2025-09-10
    """,
    history="""
        person | months_before | unplanned_admissions_12m
        late   | 12 to 7       | 0
        late   | 6 to 0        | 1
    """,
)

test_transfer_and_planned_admission_are_no_admissions_in_any_snapshot = town.history_rule(
    acute_episodes="""
        person  | provider | admitted   | discharged | method | source | to
        moved   | RX1      | 2025-05-10 | 2025-06-10 | 21     | 19     | 51
        moved   | RX2      | 2025-06-11 | 2025-08-10 | 21     | 51     | 19
        planned | RX1      | 2025-05-10 | 2025-05-12 | 11     | 19     | 19
    """,
    history="""
        person  | months_before | unplanned_admissions_12m
        moved   | 12 to 11      | 0
        moved   | 10 to 0       | 1
        planned | 12 to 0       | 0
    """,
)

# --- days at the end of a month --------------------------------------------------------------------------------------

leap_day = HistoryTown(date(2024, 2, 29))

test_leap_day_looks_at_the_last_day_of_shorter_months = leap_day.history_rule(
    gp_events="""
        person   | code     | event_date
        february | 38341003 | 2023-02-27
        last_day | 38341003 | 2023-02-28
    """,
    gp_medications=medicines(
        repeats("year_old", p1005="2023-02-28"),
        repeats("older", p1005="2023-02-27"),
        repeats("oldest", p1005="2022-02-28"),
        repeats("too_old", p1005="2022-02-27"),
    ),
    history="""
        person   | months_before | snapshot_date | efi_deficits
        february | 12            | 2023-02-28    | 1
        last_day | 12            | 2023-02-28    | 0
        last_day | 11            | 2023-03-29    | 1
        year_old | 12            | 2023-02-28    | 0
        year_old | 0             | 2024-02-29    | 1
        older    | 12            | 2023-02-28    | 1
        older    | 1             | 2024-01-29    | 1
        older    | 0             | 2024-02-29    | 0
        oldest   | 12            | 2023-02-28    | 1
        oldest   | 11            | 2023-03-29    | 0
        too_old  | 12            | 2023-02-28    | 0
    """,
)

month_end = HistoryTown(date(2025, 3, 31))

test_window_begins_12_months_before_its_snapshot_and_not_13_before_as_of = month_end.history_rule(
    gp_medications=medicines(repeats("in_it", p1005="2024-02-28"), repeats("before_it", p1005="2024-02-27")),
    gp_events="""
        person | code     | event_date
        ann    | 38341003 | 2025-02-27
        bob    | 38341003 | 2025-02-28
    """,
    history="""
        person    | months_before | snapshot_date | efi_deficits
        in_it     | 2             | 2025-01-31    | 1
        in_it     | 1             | 2025-02-28    | 1
        in_it     | 0             | 2025-03-31    | 0
        before_it | 2             | 2025-01-31    | 1
        before_it | 1             | 2025-02-28    | 0
        ann       | 1             | 2025-02-28    | 1
        bob       | 1             | 2025-02-28    | 0
        bob       | 0             | 2025-03-31    | 1
    """,
)


def test_snapshots_are_calendar_months_before_every_as_of(engine: DuckDBEngine) -> None:
    days = [date(2023, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1)]
    expected = [
        (months, months_before(as_of, months), months_before(months_before(as_of, months), 12))
        for as_of in days
        for months in MONTHS
    ]
    assert sorted(snapshots_of(engine, days, 12)) == sorted(expected)


@pytest.mark.parametrize(("asked", "found"), [(3, 12), (12, 12), (18, 18), (62, 62)])
def test_how_far_back_is_a_parameter_and_12_months_at_least(
    engine: DuckDBEngine, asked: int, found: int
) -> None:
    assert [months for months, *_ in snapshots_of(engine, [AS_OF], asked)] == list(range(found + 1))


def test_more_months_than_a_set_holds_are_refused(tmp_path: Path, made_up_site: Path) -> None:
    site = with_history_of(made_up_site, tmp_path / "site", 63)
    with pytest.raises(DefinitionError, match=r"snapshots\.sql"):
        computed(site, {"gp_patients": registered()}, AS_OF)


def test_longer_history_says_the_same_of_the_months_that_both_have(
    tmp_path: Path, made_up_site: Path
) -> None:
    extracts = {
        "gp_patients": registered(),
        "gp_events": [factories.event(PATIENT, code="38341003", event_date=date(2024, 12, 10))],
        "gp_medications": issues(24, months=36),
    }
    usual = computed(made_up_site, extracts, AS_OF)
    longer = computed(with_history_of(made_up_site, tmp_path / "site", 18), extracts, AS_OF)
    assert usual.features == longer.features
    assert usual.history == [row for row in longer.history if row["months_before"] <= 12]
    assert {month: row["efi_deficits"] for month, row in longer.of(PATIENT).items()} == {
        **dict.fromkeys(range(16), 1),
        **dict.fromkeys(range(16, 19), 0),
    }


def with_history_of(site: Path, copy: Path, months: int) -> Path:
    shutil.copytree(site, copy)
    path = copy / "config" / "reference" / "parameters.csv"
    text = path.read_text(encoding="utf-8")
    assert "history_months,12," in text
    path.write_text(text.replace("history_months,12,", f"history_months,{months},"), encoding="utf-8")
    return copy


# --- unknown is not zero ---------------------------------------------------------------------------------------------


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
KNOWN, UNKNOWN = (
    range(8),
    range(8, 13),
)  # the 12 months before the snapshot of 8 months ago begin in August 2024


def test_silent_month_of_medicines_is_unknown_in_the_snapshots_that_look_at_it(made_up_site: Path) -> None:
    diagnosis = factories.event(PATIENT, code=MODERATE, event_date=date(2020, 1, 1))
    extracts = {
        "gp_patients": registered(),
        "gp_medications": issues(24, SILENT),
        "gp_events": [diagnosis],
    }
    made = computed(made_up_site, extracts, AS_OF)
    history = made.of(PATIENT)
    for month in KNOWN:
        assert (history[month]["efi_deficits"], history[month]["frailty_source"]) == (0, "computed")
    for month in UNKNOWN:
        assert [history[month][name] for name in SHARED] == [None, None, "moderate", "coded", 0]
    assert [row["efi_deficits"] for row in made.of(NEIGHBOUR).values()] == [0] * 13
    today = made.today(PATIENT)
    assert (today["efi_deficits"], today["efi_deficits_12m_ago"]) == (0, None)
    assert (today["frailty_category_12m_ago"], today["frailty_bands_risen_12m"]) == ("moderate", -2)
    assert made.manifest["unknown_features"]["efi_deficits_12m_ago"] == (
        f"gp_medications: provider {factories.PRACTICES[1]} sent nothing for August 2024 (1 of 2 people)"
    )
    assert "efi_deficits" not in made.manifest["unknown_features"]


def test_bands_risen_are_unknown_where_frailty_was_or_is(made_up_site: Path) -> None:
    for silent in (SILENT, date(2025, 8, 1)):
        made = computed(
            made_up_site, {"gp_patients": registered(), "gp_medications": issues(24, silent)}, AS_OF
        )
        assert made.today(PATIENT)["frailty_bands_risen_12m"] is None
        assert made.today(NEIGHBOUR)["frailty_bands_risen_12m"] == 0
        assert f"{silent:%B %Y}" in made.manifest["unknown_features"]["frailty_bands_risen_12m"]


def test_silent_hospital_is_unknown_for_everyone_in_the_snapshots_that_look_at_it(made_up_site: Path) -> None:
    extracts = {"gp_patients": registered(), "acute_episodes": planned_stays(24, SILENT)}
    made = computed(made_up_site, extracts, AS_OF)
    for number in (PATIENT, NEIGHBOUR):
        history = made.of(number)
        assert [history[month]["unplanned_admissions_12m"] for month in KNOWN] == [0] * len(KNOWN)
        assert [history[month]["unplanned_admissions_12m"] for month in UNKNOWN] == [None] * len(UNKNOWN)
        assert [history[month]["efi_deficits"] for month in MONTHS] == [0] * 13
        assert made.today(number)["unplanned_admissions_12m"] == 0
        assert made.today(number)["unplanned_admissions_12m_a_year_ago"] is None


def test_month_before_the_windows_of_every_snapshot_touches_none(made_up_site: Path) -> None:
    extracts = {"gp_patients": registered(), "gp_medications": issues(24, date(2024, 3, 1), months=30)}
    made = computed(made_up_site, extracts, AS_OF)
    assert [row["efi_deficits"] for row in made.of(PATIENT).values()] == [0] * 13


def test_window_of_today_is_covered_exactly_where_the_snapshot_of_today_is(made_up_site: Path) -> None:
    for silent in (date(2025, 3, 1), date(2025, 4, 1)):
        made = computed(
            made_up_site, {"gp_patients": registered(), "gp_medications": issues(24, silent)}, AS_OF
        )
        same_as_today(made)
        assert (made.today(PATIENT)["medicines_12m"] is None) is (silent >= date(2025, 4, 1))


# --- against slow and obvious answers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    """An engine with nothing in it, to run single files on tables made by hand."""
    made = DuckDBEngine(tmp_path_factory.mktemp("engine") / "x.duckdb", threads=1, memory_limit="1GB")
    yield made
    made.close()


def make(engine: DuckDBEngine, table: str, columns: str, rows: Sequence[Sequence[Any]] = ()) -> None:
    engine.execute(f"DROP TABLE IF EXISTS {table}")
    engine.load(table, [(name, kind) for name, kind in (part.split() for part in columns.split(","))], rows)


def run_file(engine: DuckDBEngine, name: str) -> None:
    engine.execute(f"DROP TABLE IF EXISTS {name}")
    engine.create(
        name, (default_site() / "pipelines" / "30_core" / f"{name}.sql").read_text(encoding="utf-8")
    )


def snapshots_of(engine: DuckDBEngine, as_of: Sequence[date], history_months: int) -> list[tuple[Any, ...]]:
    make(engine, "run", "as_of DATE", [(day,) for day in as_of])
    make(
        engine,
        "parameters",
        "history_months INTEGER,polypharmacy_medicines INTEGER",
        [(history_months, 5)],
    )
    run_file(engine, "snapshots")
    return engine.rows("SELECT months_before, snapshot_date, start_12m FROM snapshots ORDER BY months_before")


Issue = tuple[int, str, date]
AS_OF_DATES = (date(2026, 4, 1), date(2024, 2, 29), date(2025, 3, 31), date(2025, 5, 30), date(2024, 3, 31))


@st.composite
def issue_lists(draw: st.DrawFn) -> tuple[date, list[Issue]]:
    as_of = draw(st.sampled_from(AS_OF_DATES))
    edges = [months_before(as_of, months) for months in range(25)]
    edges += [months_before(edge, 12) for edge in edges[:13]]
    days = st.one_of(
        st.builds(
            lambda edge, shift: edge + timedelta(days=shift), st.sampled_from(edges), st.integers(-1, 1)
        ),
        st.dates(months_before(as_of, 27), as_of + timedelta(days=5)),
    )
    issue = st.tuples(st.integers(1, 3), st.sampled_from("ABCDEFG"), days)
    return as_of, draw(st.lists(issue, max_size=60))


def polypharmacy_by_hand(as_of: date, issued: list[Issue]) -> dict[tuple[int, int], int]:
    """(person, months_before) -> different products, where they are five or more."""
    found = {}
    for person in (1, 2, 3):
        for months in MONTHS:
            day = months_before(as_of, months)
            products = {
                product
                for who, product, issue_date in issued
                if who == person and months_before(day, 12) <= issue_date < day
            }
            if len(products) >= 5:
                found[person, months] = len(products)
    return found


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(case=issue_lists())
def test_medicines_of_every_snapshot_are_those_counted_by_hand(
    engine: DuckDBEngine, case: tuple[date, list[Issue]]
) -> None:
    as_of, issued = case
    everybody = [(person, factories.BORN) for person in (1, 2, 3)]
    found = {
        (person, months): medicines
        for person, months, medicines in medicines_of(engine, as_of, everybody, issued)
    }
    assert found == polypharmacy_by_hand(as_of, issued)


def test_issue_before_birth_is_no_medicine(engine: DuckDBEngine) -> None:
    born = date(2025, 6, 1)
    issued = [(1, product, born - timedelta(days=1)) for product in "ABCDE"]
    assert medicines_of(engine, AS_OF, [(1, born)], issued) == []
    assert medicines_of(engine, AS_OF, [(1, born - timedelta(days=1))], issued) != []


def medicines_of(
    engine: DuckDBEngine, as_of: date, people: Sequence[tuple[int, date]], issued: Sequence[Issue]
) -> list[tuple[Any, ...]]:
    snapshots_of(engine, [as_of], 12)
    make(engine, "people", "person BIGINT,date_of_birth DATE", people)
    make(engine, "gp_medications", "person BIGINT,dmd_code VARCHAR,issue_date DATE", issued)
    run_file(engine, "history_medicines")
    return engine.rows("SELECT person, months_before, medicines_12m FROM history_medicines")


def generated_town(seed: int, as_of: date, people: int = 80) -> dict[str, list[Row]]:
    """People each with a practice alone, whose records lie on and about the days of the snapshots."""
    dice = Random(seed)
    days = [
        months_before(as_of, months) + timedelta(days=shift) for months in range(26) for shift in (-1, 0, 1)
    ]

    def recorded(day: date) -> date | None:
        return max(day, dice.choice(days)) if dice.random() < 0.3 else None

    extracts: dict[str, list[Row]] = {
        name: [] for name in ("gp_patients", "gp_events", "gp_medications", "acute_episodes")
    }
    for index in range(1, people + 1):
        number = factories.nhs_number(index)
        practice = factories.PRACTICES[index]
        extracts["gp_patients"].append(factories.patient(number, practice_code=practice))
        for _ in range(dice.choice((0, 3, 12, 30))):
            day = dice.choice(days)
            code, value = dice.choice(
                [
                    *((code, None) for code in DEFICITS),
                    ("1011481000000105", dice.choice((40, 95))),
                    (SUPPLIED, dice.choice((0.05, 0.2, 0.3, 0.5))),
                    *((code, None) for code in (MILD, MODERATE, SEVERE)),
                ]
            )
            extracts["gp_events"].append(
                factories.event(number, code=code, value=value, event_date=day, recorded_date=recorded(day))
            )
        for _ in range(dice.choice((0, 5, 12, 20))):
            product = factories.snomed_id(3972031100000100 + dice.randint(0, 6))
            extracts["gp_medications"].append(
                factories.medication(number, dmd_code=product, issue_date=dice.choice(days))
            )
        for _ in range(dice.choice((0, 0, 1, 4))):
            day = dice.choice(days)
            extracts["acute_episodes"].append(
                factories.episode(
                    number,
                    admission_date=day,
                    discharge_date=day + timedelta(days=dice.randint(0, 9)),
                    admission_method=dice.choice(("21", "28", "11")),
                    spell_id=factories.next_key("S"),
                    recorded_date=recorded(day),
                )
            )
    return extracts


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


@pytest.mark.parametrize(
    ("site_name", "as_of", "months"),
    [
        ("made_up_site", date(2026, 4, 1), 12),
        ("coded_site", date(2024, 2, 29), 1),
        ("coded_site", date(2025, 3, 31), 5),
    ],
)
def test_history_is_what_a_run_on_that_day_says_and_today_is_the_feature_table(
    request: pytest.FixtureRequest, site_name: str, as_of: date, months: int
) -> None:
    site = request.getfixturevalue(site_name)
    extracts = generated_town(seed=as_of.toordinal(), as_of=as_of)
    made = computed(site, extracts, as_of)
    same_as_today(made)
    then = {
        row["person_id"]: [row[name] for name in SHARED]
        for row in computed(site, extracts, months_before(as_of, months)).features
    }
    snapshot = [row for row in made.history if row["months_before"] == months]
    assert then == {row["person_id"]: [row[name] for name in SHARED] for row in snapshot}
    assert len({tuple(values) for values in then.values()}) > 20


def test_demo_town_has_a_history_that_ends_in_its_feature_table(tmp_path: Path) -> None:
    site = default_site()
    write_town(
        tmp_path / "landing",
        site / "config" / "codelists",
        site / "config" / "geography",
        site / "data_contracts",
        people=2_000,
        seed=5,
        as_of=AS_OF,
        faults=True,
    )
    made = computed_from(tmp_path / "landing", site, AS_OF, tmp_path)
    same_as_today(made)
    assert not made.manifest["unknown_features"]
    assert any(row["frailty_bands_risen_12m"] > 0 for row in made.features)
    places = [(row["person_id"], row["months_before"]) for row in made.history]
    assert places == sorted(set(places))


def test_published_history_has_the_columns_of_its_contract(made_up_site: Path) -> None:
    contract = load_definitions(made_up_site).contracts["history"]
    row = computed(made_up_site, {"gp_patients": registered()}, AS_OF).history[0]
    assert list(row) == [column.name for column in contract.columns]
    assert contract.key == ("person_id", "months_before")


def test_history_that_is_not_as_its_contract_says_stops_the_run(made_up_site: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(made_up_site, site)
    path = site / "pipelines" / "40_features" / "history.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("AS efi_category", "AS category_of_efi"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="category_of_efi") as refused:
        computed(site, {"gp_patients": registered()}, AS_OF)
    assert refused.value.file == str(path)
