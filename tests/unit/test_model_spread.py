"""The population stability index against sums by hand, its identities, and what chance alone gives."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from riskstrat.definitions.model_drift import SpreadBands, UnknownBands
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.scoring.spread import index_by_chance, shape_of, shape_of_risks, stability_index
from riskstrat.stages.drift.rows import FEATURE, Row
from riskstrat.stages.drift.spread import spread_row, unknown_rows
from tests.fake_people import fake_features

BANDS = SpreadBands(watch=0.1, act=0.25, least_share=1e-4, chance=0.001)
PREDICTORS = ("age", "sex", "efi_deficits", "hfrs", "medicines_12m", "unplanned_admissions_12m", "has_copd")
PEOPLE = 6_000
SHARES = st.lists(st.integers(1, 1_000), min_size=2, max_size=12)


@pytest.fixture
def engine(tmp_path) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine(tmp_path / "run.duckdb", threads=1, memory_limit="1GB")
    yield made
    made.close()


def held_against(engine: DuckDBEngine, tonight: pa.Table, shapes, people: int) -> dict[str, Row]:
    engine.connection.register("given", tonight)
    engine.execute("CREATE OR REPLACE TABLE features AS SELECT * FROM given")
    return {
        name: spread_row(engine, ("features", name), shape, people, BANDS, (FEATURE, name))
        for name, shape in shapes.items()
    }


def with_values(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_index_is_the_sum_by_hand():
    by_hand = (0.5 - 0.2) * math.log(0.5 / 0.2) + (0.3 - 0.3) * 0 + (0.2 - 0.5) * math.log(0.2 / 0.5)
    assert stability_index([0.2, 0.3, 0.5], [0.5, 0.3, 0.2]) == pytest.approx(by_hand, rel=1e-12)
    empty = (0.0001 - 0.5) * math.log(0.0001 / 0.5) + (0.5 - 0.0001) * math.log(0.5 / 0.0001)
    assert stability_index([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]) == pytest.approx(empty, rel=1e-12)


@given(SHARES, SHARES)
def test_index_is_zero_for_the_same_symmetric_and_never_negative(first, second):
    size = min(len(first), len(second))
    before, now = (np.array(one[:size]) / sum(one[:size]) for one in (first, second))
    assert stability_index(before, before) == 0.0
    assert stability_index(before, now) == pytest.approx(stability_index(now, before), rel=1e-12)
    assert stability_index(before, now) >= 0.0


@given(SHARES, SHARES, st.permutations(range(2)))
def test_the_order_of_bins_does_not_matter(first, second, order):
    before, now = (np.array(one[:2]) / sum(one[:2]) for one in (first, second))
    places = list(order)
    assert stability_index(before[places], now[places]) == pytest.approx(stability_index(before, now))


def test_chance_gives_as_much_as_the_quantile_of_chi_squared_says():
    assert index_by_chance(10, 1_000, 4_000, 0.05) == pytest.approx(
        (1 / 1_000 + 1 / 4_000) * chi2.ppf(0.95, 9), rel=1e-12
    )
    assert index_by_chance(1, 1_000, 4_000, 0.05) == 0.0
    rng, shares, above = np.random.default_rng(4), np.full(10, 0.1), 0
    for _ in range(2_000):
        before, now = rng.multinomial(1_000, shares) / 1_000, rng.multinomial(4_000, shares) / 4_000
        above += stability_index(before, now) > index_by_chance(10, 1_000, 4_000, 0.05)
    assert 0.03 < above / 2_000 < 0.07


def test_bins_hold_everybody_and_what_few_have_is_told_apart():
    rng = np.random.default_rng(1)
    shape = shape_of_risks(rng.random(5_000))
    assert len(shape["edges"]) == 9
    assert shape["shares"] == pytest.approx([0.1] * 10, abs=0.01)
    counts = pa.table({"admissions": pa.array([0] * 950 + [1] * 40 + [2] * 10, pa.int32())})
    rare = shape_of(counts, ["admissions"])["admissions"]
    assert rare["edges"] == [0.0, 1.0]
    assert rare["shares"] == pytest.approx([0.0, 0.95, 0.05])


def test_tonights_bins_in_sql_are_those_of_training(engine):
    """The same people: every index is 0 to the last digit, whatever the type of the feature."""
    people = fake_features(PEOPLE, seed=1)
    found = held_against(engine, people, shape_of(people, PREDICTORS), PEOPLE)
    assert len(found) == len(PREDICTORS)
    assert {name: row.value for name, row in found.items()} == pytest.approx(
        dict.fromkeys(found, 0.0), abs=1e-12
    )


def test_other_people_of_the_same_population_are_not_taken_for_a_change(engine):
    shapes = shape_of(fake_features(PEOPLE, seed=1), PREDICTORS)
    for seed in range(2, 12):
        found = held_against(engine, fake_features(PEOPLE, seed=seed), shapes, PEOPLE)
        assert {row.band for row in found.values()} == {"steady"}
        assert max(row.value for row in found.values()) < 0.02


def test_a_shifted_population_is_noticed_in_what_shifted_and_in_nothing_else(engine):
    people, tonight = fake_features(PEOPLE, seed=1), fake_features(PEOPLE, seed=2)
    older = pa.array(np.minimum(tonight["age"].to_numpy() + 15, 110).astype(np.int32))
    silent = pa.array([None] * 1_200 + tonight["medicines_12m"].to_pylist()[1_200:], pa.int32())
    busy = pa.array([3] * 1_500 + tonight["unplanned_admissions_12m"].to_pylist()[1_500:], pa.int32())
    for name, values in (("age", older), ("medicines_12m", silent), ("unplanned_admissions_12m", busy)):
        tonight = with_values(tonight, name, values)
    found = held_against(engine, tonight, shape_of(people, PREDICTORS), PEOPLE)
    moved = {name for name, row in found.items() if row.band != "steady"}
    assert moved == {"age", "medicines_12m", "unplanned_admissions_12m"}
    assert found["medicines_12m"].band == "act"


def test_a_level_that_nobody_had_in_training_counts(engine):
    people = fake_features(PEOPLE, seed=1)
    strange = with_values(people, "sex", pa.array(["new code"] * 2_000 + people["sex"].to_pylist()[2_000:]))
    row = held_against(engine, strange, shape_of(people, ["sex"]), PEOPLE)["sex"]
    assert row.band == "act"
    assert row.people == PEOPLE


def test_a_few_people_move_an_index_by_chance_and_are_not_believed(engine):
    people = fake_features(40, seed=3)
    row = held_against(engine, people, shape_of(fake_features(PEOPLE, seed=1), ["age"]), PEOPLE)["age"]
    assert row.value > BANDS.watch
    assert row.value < row.reference
    assert row.band == "steady"


def test_practices_where_more_is_unknown_than_elsewhere_stand_out(engine):
    bands = UnknownBands(watch=0.1, act=0.25, fewest_people=100)
    rows = [("A", 1)] * 180 + [("A", None)] * 20 + [("B", 1)] * 100 + [("B", None)] * 100
    rows += [("C", 1)] * 380 + [("C", None)] * 20 + [("D", None)] * 50
    engine.load("features", (("practice_code", "VARCHAR"), ("hfrs", "INTEGER")), rows)
    found = {row.part: row for row in unknown_rows(engine, "features", ["hfrs"], bands)}
    assert found["B"].value == pytest.approx(0.5)
    assert found["B"].reference == pytest.approx((20 + 20 + 50) / 650)
    assert {name: row.band for name, row in found.items()} == {
        "A": "steady",
        "B": "act",
        "C": "steady",
        "D": "not_judged",
    }


def test_one_practice_alone_is_held_against_itself(engine):
    engine.load("features", (("practice_code", "VARCHAR"), ("hfrs", "INTEGER")), [("A", None)] * 200)
    (row,) = unknown_rows(engine, "features", ["hfrs"], UnknownBands(0.1, 0.25, 100))
    assert (row.value, row.reference, row.band) == (1.0, 1.0, "steady")
