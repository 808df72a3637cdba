"""What a predictor adds: smooth between knots, straight beyond, its own effect where unknown, alike in any company."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.interpolate import CubicSpline

from riskstrat.scoring.effects import Curve, Levels, effect_of
from riskstrat.scoring.logistic import probability
from riskstrat.scoring.splines import spline, spline_basis

KNOTS = np.array([0.0, 2.0, 5.0, 18.0, 60.0, 90.0])
VALUES = np.array([1.1, 0.3, -0.2, -0.4, 0.1, 0.5])
AGE = Curve("age", "identity", tuple(KNOTS), tuple(VALUES), -0.25)
STAYS = Curve("stays", "log1p", (0.0, 1.0, 8.0), (-0.2, 0.6, 2.5), 0.1)
SEX = Levels("sex", {"1": 0.1, "2": -0.1}, 0.05, 0.3)
FLAG = Levels("is_housebound", {"false": -0.01, "true": 0.4}, 0.0, 0.2)


def test_spline_is_the_natural_cubic_one_between_its_knots():
    at = np.linspace(0, 90, 500)
    expected = CubicSpline(KNOTS, VALUES, bc_type="natural")(at)
    np.testing.assert_allclose(spline(at, KNOTS, VALUES), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("end", [-30.0, 90.0])
def test_spline_is_straight_beyond_its_outer_knots_and_bends_nowhere_on_the_way(end):
    at = np.linspace(end, end + 30, 100)
    found = spline(at, KNOTS, VALUES)
    np.testing.assert_allclose(np.diff(found, 2), 0, atol=1e-12)
    edge = KNOTS[0] if end < 0 else KNOTS[-1]
    inside, outside = spline(np.array([edge - 1e-7, edge + 1e-7]), KNOTS, VALUES)
    assert abs(inside - outside) < 1e-6


def test_two_knots_are_a_straight_line():
    at = np.array([-1.0, 0.0, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(spline(at, np.array([0.0, 1.0]), np.array([1.0, 3.0])), 1 + 2 * at)


def test_columns_of_a_basis_sum_to_one_and_give_every_spline():
    at = np.linspace(-20, 120, 300)
    basis = spline_basis(at, KNOTS)
    np.testing.assert_allclose(basis.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(basis @ VALUES, spline(at, KNOTS, VALUES), atol=1e-12)


def test_curve_adds_what_it_says_at_its_knots_and_its_own_value_where_unknown():
    added = AGE.added(pa.chunked_array([[0, 2, None], [90, 18]], pa.int32()))
    np.testing.assert_allclose(added, [1.1, 0.3, -0.25, 0.5, -0.4], atol=1e-12)


def test_what_is_no_number_is_unknown():
    assert STAYS.added(pa.array([float("nan"), 0.0])).tolist() == [0.1, -0.2]


def test_log1p_curve_runs_on_the_logarithm_between_its_points():
    straight = Curve("beds", "log1p", (0.0, 1.0), (0.0, 0.5), 0.0)
    counts = np.array([0, 1, 3, 7])
    np.testing.assert_allclose(straight.added(pa.array(counts)), 0.5 * np.log2(1 + counts), atol=1e-12)


def test_whole_numbers_add_the_same_bytes_as_the_same_numbers_with_decimals():
    ages = np.random.default_rng(1).integers(0, 110, 5_000)
    whole, decimal = pa.array(ages, pa.int32()), pa.array(ages.astype(float))
    assert AGE.added(whole).tobytes() == AGE.added(decimal).tobytes()
    assert STAYS.added(whole).tobytes() == STAYS.added(decimal).tobytes()


@pytest.mark.parametrize("effect", [AGE, STAYS], ids=lambda effect: effect.predictor)
def test_what_is_added_depends_on_no_other_row(effect):
    rng = np.random.default_rng(2)
    values = np.where(rng.random(3_001) < 0.1, np.nan, rng.gamma(2, 15, 3_001))
    column = pa.array(values, mask=np.isnan(values))
    whole = effect.added(column)
    order = rng.permutation(len(values))
    assert effect.added(column.take(pa.array(order))).tobytes() == whole[order].tobytes()
    alone = np.array([effect.added(column.slice(row, 1))[0] for row in range(50)])
    assert alone.tobytes() == whole[:50].tobytes()


def test_levels_tell_unknown_from_what_was_too_rare_to_learn():
    np.testing.assert_array_equal(SEX.added(pa.array(["2", "9", None, "1"])), [-0.1, 0.05, 0.3, 0.1])
    np.testing.assert_array_equal(FLAG.added(pa.chunked_array([[True, None], [False]])), [0.4, 0.2, -0.01])


def test_nothing_is_added_for_nobody():
    assert len(AGE.added(pa.array([], pa.int32()))) == 0
    assert len(SEX.added(pa.array([], pa.string()))) == 0


@pytest.mark.parametrize("effect", [AGE, STAYS, SEX, FLAG], ids=lambda effect: effect.predictor)
def test_json_keeps_an_effect_to_the_last_digit(effect):
    kept = json.loads(json.dumps(effect.document()))
    assert effect_of(effect.predictor, kept) == effect


def test_probability_stands_at_both_ends_without_overflow():
    with np.errstate(all="raise", under="ignore"):
        found = probability(np.array([-800.0, -1.0, 0.0, 1.0, 800.0]))
    np.testing.assert_allclose(found, [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1], atol=1e-15)
