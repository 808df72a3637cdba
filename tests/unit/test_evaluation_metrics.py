"""Every figure of an evaluation against a slow, obvious way of working it out, and against other packages."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from statsmodels.genmod.families import Binomial

from riskstrat.model.evaluation.calibration import (
    distance,
    observed_to_expected,
    recalibrate,
    risk_bands,
    smooth,
    spline,
)
from riskstrat.model.evaluation.capacity import (
    AtCapacity,
    at_capacity,
    decision_points,
    listed,
    net_benefit,
    places,
    threshold_at,
)
from riskstrat.model.evaluation.discrimination import auroc, auroc_interval
from riskstrat.model.evaluation.ranking import rank
from riskstrat.model.evaluation.regression import fit_logistic, log_odds, robust_covariance
from riskstrat.model.evaluation.stability import population_stability_index

people = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, float("nan")])),
    min_size=2,
    max_size=40,
)


def pairwise_auroc(outcome: np.ndarray, score: np.ndarray) -> float:
    """Every pair of a person with and one without; unknown is lower than anything known."""
    known = np.where(np.isnan(score), -1.0, score)
    pairs = [(a, b) for a in known[outcome] for b in known[~outcome]]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def simulated(rows: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """True risks and what happened, (rows,) each."""
    generator = np.random.default_rng(seed)
    risk = generator.beta(0.6, 5.0, rows)
    return generator.random(rows) < risk, risk


@given(people)
def test_auroc_counts_pairs_and_half_of_the_ties(rows: list[tuple[bool, float]]) -> None:
    outcome, score = np.array([one for one, _ in rows]), np.array([two for _, two in rows])
    if outcome.all() or not outcome.any():
        assert np.isnan(auroc(outcome, score))
    else:
        assert auroc(outcome, score) == pytest.approx(pairwise_auroc(outcome, score))


def test_auroc_equals_scikit_learn_with_and_without_weights() -> None:
    outcome, risk = simulated(5000)
    coarse = np.round(risk, 1)
    weight = np.random.default_rng(1).integers(0, 4, 5000).astype(float)
    assert auroc(outcome, risk) == pytest.approx(roc_auc_score(outcome, risk))
    assert auroc(outcome, coarse) == pytest.approx(roc_auc_score(outcome, coarse))
    assert auroc(outcome, coarse, weight) == pytest.approx(
        roc_auc_score(outcome, coarse, sample_weight=weight)
    )


def test_auroc_interval_is_delongs() -> None:
    outcome, risk = simulated(300)
    score = np.round(risk, 2)
    wins = (score[outcome][:, None] > score[~outcome]) + 0.5 * (score[outcome][:, None] == score[~outcome])
    variance = (
        wins.mean(axis=1).var(ddof=1) / outcome.sum() + wins.mean(axis=0).var(ddof=1) / (~outcome).sum()
    )
    found = auroc_interval(outcome, score, 0.95)
    assert found.value == pytest.approx(wins.mean())
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


def test_auroc_interval_of_one_person_with_the_outcome_is_unknown() -> None:
    found = auroc_interval(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]), 0.95)
    assert found.value == 1.0
    assert np.isnan(found.low)


@given(people, st.floats(0.01, 0.99))
def test_capacity_is_the_average_over_every_way_of_breaking_ties(
    rows: list[tuple[bool, float]], share: float
) -> None:
    rows = rows[:6]
    outcome, score = np.array([one for one, _ in rows]), np.array([two for _, two in rows])
    known = np.where(np.isnan(score), -1.0, score)
    count = places(len(rows), share)
    orders = [order for order in permutations(range(len(rows))) if (np.diff(known[list(order)]) <= 0).all()]
    average = np.mean([outcome[list(order)][:count].sum() for order in orders])
    found = at_capacity(outcome, rank(score), share)
    assert (found.people, found.places, found.admitted) == (len(rows), count, outcome.sum())
    assert found.found == pytest.approx(average)


def test_a_rule_of_yes_and_no_has_the_ppv_of_its_yes_until_that_is_used_up() -> None:
    rule = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    outcome = np.array([True, True, True, False, True, False, False, False, False, False])
    assert at_capacity(outcome, rank(rule), 0.2).ppv == pytest.approx(3 / 4)
    assert at_capacity(outcome, rank(rule), 0.4).ppv == pytest.approx(3 / 4)
    assert at_capacity(outcome, rank(rule), 0.7).found == pytest.approx(3 + 3 * 1 / 6)


def test_figures_at_a_capacity_by_hand() -> None:
    found = AtCapacity(people=1000, admitted=80, places=20, found=8)
    assert found.ppv == pytest.approx(0.4)
    assert found.sensitivity == pytest.approx(0.1)
    assert found.number_needed_to_contact == pytest.approx(2.5)
    assert found.net_benefit(0.2) == pytest.approx(8 / 1000 - 12 / 1000 * 0.25)
    assert AtCapacity(1000, 80, 20, 0).number_needed_to_contact == float("inf")
    assert np.isnan(AtCapacity(1000, 0, 20, 0).sensitivity)


def test_net_benefit_of_contacting_all_at_the_prevalence_is_nothing() -> None:
    assert net_benefit(80, 920, 1000, 0.08) == pytest.approx(0.0)


def test_threshold_of_a_capacity_is_the_risk_of_the_last_on_the_list() -> None:
    risk = np.array([0.1, 0.9, 0.5, 0.3])
    assert threshold_at(risk, rank(risk), 0.5) == 0.5


def test_list_breaks_ties_by_the_key_and_fills_every_place() -> None:
    risk, key = np.array([0.5, 0.5, 0.5, 0.9]), np.array([3.0, 1.0, 2.0, 9.0])
    assert np.flatnonzero(listed(risk, key, 0.5)).tolist() == [1, 3]


def test_decision_points_count_people_at_or_above_the_threshold() -> None:
    outcome, risk = simulated(2000)
    thresholds = np.array([0.0, 0.05, 0.2, 0.5, 0.99])
    for point in decision_points(outcome, risk, thresholds):
        assert point.contacted == (risk >= point.threshold).sum()
        assert point.found == outcome[risk >= point.threshold].sum()


def test_observed_to_expected_has_the_exact_poisson_interval() -> None:
    found = observed_to_expected(10, 8.0, 0.95)
    # Exact limits of a count of 10: 4.795 and 18.390 (Ulm 1990, table).
    assert found.value == pytest.approx(1.25)
    assert found.low * 8 == pytest.approx(4.795, abs=5e-4)
    assert found.high * 8 == pytest.approx(18.390, abs=5e-4)
    assert observed_to_expected(0, 8.0, 0.95).low == 0.0
    assert observed_to_expected(0, 8.0, 0.95).high * 8 == pytest.approx(3.689, abs=5e-4)
    assert np.isnan(observed_to_expected(0, 0.0, 0.95).value)


def test_recalibration_equals_statsmodels_with_clustered_errors() -> None:
    outcome, risk = simulated(4000)
    person = np.arange(4000) // 2
    stretched = 1 / (1 + np.exp(-(0.3 + 1.4 * log_odds(risk))))
    found = recalibrate(outcome, stretched, 0.95, person)
    odds = log_odds(stretched)
    line = sm.GLM(outcome.astype(float), sm.add_constant(odds), family=Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": person}
    )
    shift = sm.GLM(outcome.astype(float), np.ones(4000), family=Binomial(), offset=odds).fit(
        cov_type="cluster", cov_kwds={"groups": person}
    )
    assert found.slope == pytest.approx([line.params[1], *line.conf_int()[1]], rel=1e-6)
    assert found.intercept == pytest.approx([shift.params[0], *shift.conf_int()[0]], rel=1e-6)


def test_recalibration_finds_the_stretch_and_the_shift_that_were_put_in() -> None:
    outcome, risk = simulated(200_000)
    right = recalibrate(outcome, risk, 0.95)
    assert right.slope.low < 1 < right.slope.high
    assert right.intercept.low < 0 < right.intercept.high
    twice = recalibrate(outcome, 1 / (1 + np.exp(-2 * log_odds(risk))), 0.95)
    assert twice.slope.value == pytest.approx(0.5, abs=0.01)
    lower = recalibrate(outcome, 1 / (1 + np.exp(-(log_odds(risk) - 0.5))), 0.95)
    assert lower.intercept.value == pytest.approx(0.5, abs=0.03)


def test_logistic_fit_equals_statsmodels_with_weights_and_offset() -> None:
    outcome, risk = simulated(1500)
    generator = np.random.default_rng(4)
    columns = np.column_stack([np.ones(1500), generator.normal(size=1500), risk])
    weight, offset = generator.integers(1, 4, 1500).astype(float), generator.normal(size=1500)
    theirs = sm.GLM(
        outcome.astype(float), columns, family=Binomial(), freq_weights=weight, offset=offset
    ).fit()
    assert fit_logistic(columns, outcome, weight=weight, offset=offset) == pytest.approx(
        theirs.params, rel=1e-7
    )


def test_robust_covariance_of_single_rows_is_that_of_clusters_of_one() -> None:
    outcome, risk = simulated(500)
    columns = np.column_stack([np.ones(500), log_odds(risk)])
    alone = robust_covariance(columns, outcome, risk)
    assert robust_covariance(columns, outcome, risk, np.arange(500)) == pytest.approx(alone)


def test_logistic_fit_of_separated_data_ends() -> None:
    columns = np.column_stack([np.ones(6), np.arange(6.0)])
    beta = fit_logistic(columns, np.arange(6) > 2)
    assert np.isfinite(beta).all()


def test_spline_is_straight_outside_its_outer_knots_and_bends_between() -> None:
    knots = np.array([-2.0, 0.0, 1.0, 2.0])
    columns = spline(np.array([-5.0, -4.0, -3.0, 3.0, 4.0, 5.0, -1.0, 0.5, 1.5]), knots)
    assert columns.shape == (9, 4)
    for place in (1, 2, 3):
        assert np.diff(columns[:3, place], 2) == pytest.approx([0.0], abs=1e-9)
        assert np.diff(columns[3:6, place], 2) == pytest.approx([0.0], abs=1e-9)
    assert columns[6, 2] > 0
    assert spline(np.array([0.1, 0.2]), np.array([0.0, 1.0])).shape == (2, 2)


def test_smooth_curve_follows_the_truth_and_measures_how_far_predictions_are_from_it() -> None:
    outcome, risk = simulated(200_000)
    curve = smooth(outcome, risk)
    at = np.array([0.02, 0.1, 0.3, 0.5])
    assert curve.at(at) == pytest.approx(at, abs=0.02)
    low, high = curve.band(at, 0.95)
    assert ((low < curve.at(at)) & (curve.at(at) < high)).all()
    assert distance(risk, curve.at(risk)).ici < 0.003
    halved = smooth(outcome, risk / 2)
    apart = distance(risk / 2, halved.at(risk / 2))
    assert apart.ici == pytest.approx(np.abs(risk - risk / 2).mean(), rel=0.05)
    assert apart.e50 < apart.e90


def test_smooth_curve_of_one_single_risk_is_its_observed_share() -> None:
    outcome = np.array([True] * 3 + [False] * 7)
    assert smooth(outcome, np.full(10, 0.2)).at(np.array([0.2])) == pytest.approx([0.3])


def test_distance_by_hand() -> None:
    found = distance(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0.1, 0.3, 0.3, 0.6, 0.1]))
    assert found.ici == pytest.approx(0.7 / 5)
    assert found.e50 == pytest.approx(0.1)
    assert found.e90 == pytest.approx(0.2 + 0.6 * 0.2)


def test_risk_bands_hold_everybody_and_are_joined_until_they_are_large() -> None:
    outcome, risk = simulated(3000)
    edges = [round(0.05 * place, 2) for place in range(21)]
    bands = risk_bands(outcome, risk, edges, fewest=6)
    assert sum(band.people for band in bands) == 3000
    assert sum(band.admitted for band in bands) == outcome.sum()
    assert sum(band.expected for band in bands) == pytest.approx(risk.sum())
    assert [band.low for band in bands[1:]] == [band.high for band in bands[:-1]]
    assert (bands[0].low, bands[-1].high) == (0.0, 1.0)
    assert len(bands) > 5
    for band in bands:
        for count in (band.admitted, band.people - band.admitted):
            assert count == 0 or count >= 6


def test_risk_bands_put_an_edge_into_the_band_above_it_and_one_into_the_last() -> None:
    bands = risk_bands(np.array([True, False, True]), np.array([0.0, 0.5, 1.0]), [0.0, 0.5, 1.0], fewest=1)
    assert [(band.people, band.admitted) for band in bands] == [(1, 1), (2, 1)]


def test_stability_index_is_zero_for_the_same_people_and_equals_the_sum_by_hand() -> None:
    before = np.arange(100.0)
    assert population_stability_index(before, before) == pytest.approx(0.0)
    now = np.concatenate([np.arange(50.0), np.arange(50.0)])
    # Five bins of ten become twenty each, five become empty and count as the least share.
    by_hand = 5 * (0.2 - 0.1) * np.log(2) + 5 * (1e-4 - 0.1) * np.log(1e-3)
    assert population_stability_index(before, now) == pytest.approx(by_hand, rel=1e-6)


def test_stability_index_sees_that_values_went_missing() -> None:
    before = np.arange(1000.0) % 7
    now = before.copy()
    now[:300] = np.nan
    assert population_stability_index(before, now) > 0.25
    assert np.isnan(population_stability_index(before, np.empty(0)))
    assert population_stability_index(np.full(5, np.nan), np.full(9, np.nan)) == pytest.approx(0.0)
