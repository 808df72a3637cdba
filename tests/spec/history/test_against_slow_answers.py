"""Snapshots against answers that are slow and obvious, and against runs on the earlier day."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstrat.dates import months_before
from riskstrat.definitions.everything import load_definitions
from riskstrat.demo import write_town
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site
from tests import factories
from tests.factories import AS_OF, Row
from tests.spec.history.computing import (
    DEFICITS,
    MILD,
    MODERATE,
    MONTHS,
    PATIENT,
    SEVERE,
    SHARED,
    SUPPLIED,
    computed,
    computed_from,
    issues,
    registered,
    same_as_today,
)

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
    make(engine, "run", "as_of DATE,start_12m DATE", [(day, months_before(day, 12)) for day in as_of])
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
    run_file(engine, "medicine_products")
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
