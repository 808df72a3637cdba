"""Throughput and coverage: what each number counts, held against an oracle in plain Python."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import DefinitionError
from riskstrat.measures.columns import DELIVERED
from riskstrat.measures.counting import COLUMNS, EXTRACTS, LISTED, RETURNS, Counting
from riskstrat.measures.intervals import median_interval, wilson
from riskstrat.returns.store import CONTENT, schema
from riskstrat.stages.measures import MEMORY, compiled_measures
from tests.oracle import measures as oracle

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 4, 1)
NEAR, FAR = "NB01", "NB02"
READ = (
    *("person_id", "neighbourhood_code", "practice_code", "five_questions_last_asked_date", "case_manager"),
    *("care_plan_last_reviewed_date", "has_care_plan", "medication_reviewed_12m", "community_contacts_12m"),
)
SQL_TYPES = {"VARCHAR": pa.string(), "DATE": pa.date32(), "BOOLEAN": pa.bool_(), "DOUBLE": pa.float64()}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(ROOT)


def day(back: int) -> date:
    return AS_OF - timedelta(days=back)


def person(key: str, area: str = NEAR, **features: object) -> Row:
    return {
        **dict.fromkeys(READ),
        "person_id": key,
        "neighbourhood_code": area,
        "practice_code": f"P{area}",
        **features,
    }


def answer(key: str, area: str = NEAR, back: int = 5, **more: object) -> Row:
    blank = {**dict.fromkeys(CONTENT), "list": "daily_huddle", "area_code": area, "person_id": key}
    return blank | {"outcome": "seen", "list_as_of": day(back), "outcome_date": day(back), **more}


def listed(key: str, area: str = NEAR, first: int = 10, last: int = 2, name: str = "daily_huddle") -> Row:
    days = {"first_listed": day(first), "last_listed": day(last)}
    return {"list": name, "area_code": area, "person_id": key, **days}


def world(
    people: Sequence[Row],
    cohorts: Mapping[str, Sequence[str]] | None = None,
    memory: Sequence[Row] = (),
    answers: Sequence[Row] = (),
    delivered: Sequence[str] = ("assessments", "community_caseload"),
) -> oracle.World:
    return oracle.World(
        AS_OF,
        {one["person_id"]: one for one in people},
        cohorts or {"everybody": [one["person_id"] for one in people]},
        {"daily_huddle": "neighbourhood", "monthly_practice": "practice"},
        memory,
        answers,
        frozenset(delivered),
    )


def counted(made: oracle.World, definitions: Definitions, folder: Path) -> dict[tuple[Any, ...], Row]:
    """What the engine counts: kind, cohort or list, kind of area, area, measure to the row."""
    vocabulary, compiled = compiled_measures(definitions, AS_OF)
    engine = DuckDBEngine(folder / "measures.duckdb", threads=2, memory_limit="1GB")
    try:
        fields = [("person_id", pa.string())] + [
            (name, SQL_TYPES.get(column.sql_type, pa.int64())) for name, column in vocabulary.features.items()
        ]
        features = [{name: one.get(name) for name, _ in fields} for one in made.people.values()]
        tables = {
            "features": pa.Table.from_pylist(features, pa.schema(fields)),
            RETURNS: pa.Table.from_pylist([dict(one) for one in made.answers], schema()),
        }
        for name, table in tables.items():
            engine.connection.register("given", table)
            engine.create(name, "SELECT * FROM given")
            engine.connection.unregister("given")
        members = [(name, one) for name, several in made.cohorts.items() for one in several]
        engine.load("cohort_members", (("cohort", "VARCHAR"), ("person_id", "VARCHAR")), members)
        engine.load(LISTED, MEMORY, [tuple(one[name] for name, _ in MEMORY) for one in made.memory])
        flags = [f"{name in made.delivered} AS {name}{DELIVERED}" for name in vocabulary.extracts]
        engine.create(EXTRACTS, f"SELECT {', '.join(flags)}")
        counting = Counting(engine, vocabulary, AS_OF, 0.95, ("neighbourhood", "practice"), made.lists)
        names = [name for name, _ in COLUMNS]
        rows = [
            dict(zip(names, row, strict=True))
            for kind, chosen in compiled.items()
            for row in counting.rows(kind, chosen)
        ]
    finally:
        engine.close()
    found = {
        (row["kind"], row["cohort_or_list"], row["area_kind"], row["area_code"], row["measure"]): row
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def check_against_the_oracle(made: oracle.World, definitions: Definitions, folder: Path) -> int:
    expected, found = oracle.table(made), counted(made, definitions, folder)
    assert found.keys() == expected.keys()
    for key, count in expected.items():
        row = found[key]
        told = (row["numerator"], row["denominator"], row["undecided"], row["returns_from"])
        assert told == (count.true, count.decided, count.undecided, count.since), key
        if oracle.MEASURES[key[4]][4] is None:
            assert (row["share"], row["median_days"]) == (None, oracle.middle(count.days)), key
            continue
        assert row["median_days"] is None
        if count.decided == 0:
            assert (row["share"], row["low"], row["high"]) == (None, None, None), key
        else:
            assert row["share"] == count.true / count.decided
            assert (row["low"], row["high"]) == pytest.approx(
                oracle.wilson(count.true, count.decided), abs=1e-9
            )
    return len(expected)


def of(
    found: Mapping[tuple[Any, ...], Row], kind: str, measure: str, area: str | None = None
) -> tuple[int, int, int]:
    name = "everybody" if kind == "cohort" else "daily_huddle"
    row = found[kind, name, "all" if area is None else "neighbourhood", area, measure]
    return row["numerator"], row["denominator"], row["undecided"]


def test_shipped_measures_are_those_that_the_oracle_knows(definitions: Definitions) -> None:
    shipped = {
        name: ("cohort" in one.kinds, "list" in one.kinds, one.window_months is not None, one.when is None)
        for name, one in definitions.measures.by_name.items()
    }
    known = {name: (*one[:3], one[4] is None) for name, one in oracle.MEASURES.items()}
    assert shipped == known


def test_nobody_is_taken_for_not_seen_where_lists_do_not_come_back(
    definitions: Definitions, tmp_path: Path
) -> None:
    people = [person("a"), person("b"), person("c", FAR)]
    made = world(people, memory=[listed("a"), listed("b"), listed("c", FAR)], answers=[answer("a")])
    found = counted(made, definitions, tmp_path)
    assert of(found, "cohort", "seen_or_reviewed") == (1, 2, 1)
    assert of(found, "list", "reached") == (1, 2, 1)
    assert of(found, "list", "reached", FAR) == (0, 0, 1)
    assert found["list", "daily_huddle", "neighbourhood", FAR, "reached"]["share"] is None


def test_answer_before_the_window_or_on_another_list_counts_for_no_list(
    definitions: Definitions, tmp_path: Path
) -> None:
    made = world(
        [person("a"), person("b"), person("c")],
        memory=[listed("a", first=400), listed("b"), listed("c")],
        answers=[
            answer("a", back=366),
            answer("b", list="monthly_practice"),
            answer("c", outcome="declined"),
        ],
    )
    found = counted(made, definitions, tmp_path)
    assert of(found, "list", "answered") == (1, 3, 0)
    assert of(found, "list", "reached") == (0, 3, 0)
    assert of(found, "list", "declined") == (1, 3, 0)
    assert of(found, "cohort", "seen_or_reviewed") == (1, 3, 0)  # of a cohort any list counts


def test_first_day_of_the_window_counts_and_as_of_does_not_open_it(
    definitions: Definitions, tmp_path: Path
) -> None:
    made = world(
        [person(key) for key in "abc"],
        memory=[
            listed("a", first=365, last=365),
            listed("b", first=366, last=366),
            listed("c", first=0, last=0),
        ],
        answers=[answer("a", back=365)],
    )
    found = counted(made, definitions, tmp_path)
    row = found["list", "daily_huddle", "all", None, "answered"]
    assert (row["window_from"], row["window_to"], row["as_of"]) == (date(2025, 4, 1), AS_OF, AS_OF)
    assert (row["numerator"], row["denominator"], row["undecided"]) == (
        1,
        1,
        0,
    )  # b is too old, c is of tonight
    assert of(found, "list", "has_care_plan") == (0, 0, 1)  # of tonight's list
    plan = found["list", "daily_huddle", "all", None, "has_care_plan"]
    assert (plan["window_from"], plan["window_to"]) == (None, None)


def test_somebody_who_died_after_being_seen_stays_in_the_throughput(
    definitions: Definitions, tmp_path: Path
) -> None:
    made = world(
        [person("a")],
        memory=[listed("a"), listed("died")],
        answers=[answer("died"), answer("a", outcome="declined")],
    )
    found = counted(made, definitions, tmp_path)
    assert of(found, "list", "reached") == (1, 2, 0)
    assert of(found, "list", "asked_five_questions") == (0, 1, 1)  # features of the dead are not known


def test_median_is_over_those_with_an_outcome_and_says_how_many_wait(
    definitions: Definitions, tmp_path: Path
) -> None:
    keys = "abcdefgh"
    made = world(
        [person(key) for key in keys],
        memory=[listed(key, first=30, last=2) for key in keys],
        answers=[
            answer(key, back=30 - wait) for key, wait in zip(keys[:7], (1, 2, 3, 4, 5, 6, 20), strict=True)
        ],
    )
    row = counted(made, definitions, tmp_path)["list", "daily_huddle", "all", None, "days_to_first_outcome"]
    assert (row["numerator"], row["denominator"], row["undecided"]) == (7, 8, 0)
    assert (row["median_days"], row["low"], row["high"], row["share"]) == (4.0, 1.0, 20.0, None)


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_the_oracle(definitions: Definitions, tmp_path: Path, seed: int) -> None:
    made = generated(random.Random(seed))
    assert check_against_the_oracle(made, definitions, tmp_path) > 200


def generated(rng: random.Random) -> oracle.World:
    """A random world with people who left, areas that never answer, lists of the past, and feeds that did not come."""

    def maybe(value: object, share: float = 0.5) -> object:
        return value if rng.random() < share else None

    areas = ("NB01", "NB02", "NB03")
    people = [
        {
            **person(f"p{number:03}", rng.choice(areas)),
            "practice_code": rng.choice(("P1", "P2", "P3", "P4")),
            "five_questions_last_asked_date": maybe(day(rng.randint(1, 700))),
            "care_plan_last_reviewed_date": maybe(day(rng.randint(1, 700))),
            "case_manager": maybe("CM01", 0.3),
            "has_care_plan": rng.choice((True, False, None)),
            "medication_reviewed_12m": rng.choice((True, False, None)),
            "community_contacts_12m": rng.choice((None, 0, 1, 5)),
        }
        for number in range(rng.randint(1, 60))
    ]
    keys = [one["person_id"] for one in people] + [f"gone{number}" for number in range(5)]
    answering = rng.sample([*areas, "P1", "P2", "P3", "P4"], rng.randint(0, 6))
    memory = []
    for key in keys:
        for name, codes in (("daily_huddle", areas), ("monthly_practice", ("P1", "P2", "P3", "P4"))):
            for area in rng.sample(codes, rng.choice((0, 1, 1, 2))):
                last = rng.choice((0, 0, rng.randint(0, 420)))
                memory.append(listed(key, area, last + rng.randint(0, 40), last, name))
    answers = [
        answer(
            rng.choice(keys),
            rng.choice(answering),
            (back := rng.randint(1, 500)),
            list=rng.choice(("daily_huddle", "monthly_practice")),
            list_as_of=day(back + rng.randint(0, 9)),
            outcome=rng.choice(("seen", "declined", "referred", "not_reached", "no_action")),
            referred_to=maybe(
                rng.choice(("falls_service", "medication_review", "therapy", "social_care")), 0.3
            ),
            case_manager=maybe("Sister Vane", 0.2),
            q2_falls=maybe(rng.random() < 0.5, 0.3),
        )
        for _ in range(rng.randint(0, 80) if answering else 0)
    ]
    names = [one["person_id"] for one in people]
    cohorts = {"everybody": names, "some": rng.sample(names, rng.randint(0, len(names)))}
    delivered = [name for name in ("assessments", "community_caseload") if rng.random() < 0.5]
    return world(people, {name: some for name, some in cohorts.items() if some}, memory, answers, delivered)


# Intervals


def test_wilson_is_that_of_statsmodels() -> None:
    from statsmodels.stats.proportion import proportion_confint

    for whole in (1, 2, 7, 25, 160, 3_000):
        for part in {0, 1, whole // 3, whole - 1, whole}:
            expected = proportion_confint(part, whole, alpha=0.05, method="wilson")
            assert wilson(part, whole, 0.95) == pytest.approx(expected, abs=1e-9)


def test_interval_of_a_median_covers_it_at_least_so_often() -> None:
    from scipy.stats import binom

    for size in range(1, 400):
        values = list(range(1, size + 1))
        interval = median_interval(values, 0.95)
        if interval is None:
            assert 1 - 2 * 0.5**size < 0.95
            continue
        low, high = interval
        assert low + high == size + 1
        assert 1 - 2 * binom.cdf(low - 1, size, 0.5) >= 0.95
        assert 1 - 2 * binom.cdf(low, size, 0.5) < 0.95  # and with the next place inwards it would not


# The file of measures

MISTAKES = {
    "a misspelt column": ("when: is_reached\n", "when: is_reachd\n", "is_reached"),
    "an unknown outcome": ("when: outcome_declined", "when: outcome_refused", "outcome_re"),
    "a median of a flag": ("median_of: days_to_first_outcome", "median_of: is_reached", "no whole number"),
    "a window that is missing": (
        "window_months: 12\n    when: outcome_declined",
        "window_months: null\n    when: outcome_declined",
        "window_months is null",
    ),
    "both": ("median_of: days", "when: is_reached\n    median_of: days", "both when and median_of"),
    "neither": ("    when: has_care_plan\n", "", "neither when nor median_of"),
    "an unknown kind": (
        "of: [lists]\n    window_months: 12\n    when: is_reached",
        "of: [teams]\n    window_months: 12\n    when: is_reached",
        "is none of the words for of",
    ),
    "no confidence": ("confidence: 0.95", "confidence: 95", "share of 0.5 or more"),
    "a column that only lists have": (
        "when: has_care_plan",
        "when: first_listed IS NOT NULL",
        "first_listed",
    ),
    "an unknown area": (
        "area_kinds: [neighbourhood",
        "area_kinds: [ward",
        "is none of the words for area_kinds",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_in_a_measure_is_refused_by_name(
    definitions: Definitions, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    from dataclasses import replace

    from riskstrat.definitions.measures import load_measures

    text = (ROOT / "config" / "measures.yaml").read_text(encoding="utf-8")
    assert text.count(right) == 1
    path = tmp_path / "measures.yaml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        compiled_measures(replace(definitions, measures=load_measures(path)), AS_OF)
    assert said in str(refused.value)
    assert refused.value.file == str(path)
