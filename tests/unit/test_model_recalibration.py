"""The update of the level: observed over expected becomes 1, and nothing else of a model moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import brentq

from riskstrat.definitions.model_drift import FILE, load_drift_policy
from riskstrat.definitions.model_outcome import Horizon
from riskstrat.errors import ContractBrokenError, MisuseError, NotPermittedError
from riskstrat.model.evaluation.regression import fit_logistic, log_odds
from riskstrat.model.fitting import KINDS, fit
from riskstrat.model.frame_files import Frames
from riskstrat.model.recalibration import _doubts, _moved, _refuse_immature, _risks_moved
from riskstrat.scoring.spread import shape_of_risks
from riskstrat.scoring.watching import outcome_of
from tests.fake_models import ROOT, definition, fake_frame

POLICY = load_drift_policy(ROOT / "config" / FILE)
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return definition(tmp_path_factory.mktemp("definition"))


@pytest.fixture(scope="module")
def models(known):
    learnt = fake_frame(6_000, seed=1)[0]
    return {kind: fit(learnt, known, horizon="12m", kind=kind) for kind in KINDS}


@pytest.fixture(scope="module")
def since():
    """Other people, of whom one in three of those who would have been admitted was not."""
    frame = fake_frame(6_000, seed=2)[0]
    spared = np.random.default_rng(3).random(frame.num_rows) < 1 / 3
    label = frame["label_12m"].to_numpy() & ~spared
    unknown = np.arange(frame.num_rows) % 10 == 0
    return frame.set_column(
        frame.schema.get_field_index("label_12m"), "label_12m", pa.array(label, mask=unknown)
    )


def moved(model, table, policy=POLICY, treated=None):
    return _moved(model, table, np.zeros(table.num_rows, bool) if treated is None else treated, policy)


@each_kind
def test_observed_over_expected_becomes_one(models, since, kind):
    model, told = moved(models[kind], since)
    known_rows = since.filter(since["label_12m"].is_valid())
    label = known_rows["label_12m"].to_numpy()
    assert model.predict(known_rows).sum() == pytest.approx(label.sum(), rel=1e-9)
    assert told["before"][0] == pytest.approx(label.sum() / models[kind].predict(known_rows).sum())
    assert told["before"][0] < 0.8
    assert told["after"][0] == pytest.approx(1.0, rel=1e-9)
    assert told["after"][1] < 1 < told["after"][2]
    assert (told["rows"], told["observed"]) == (known_rows.num_rows, label.sum())


@each_kind
def test_the_shift_is_the_one_at_which_a_search_arrives(models, since, kind):
    _, told = moved(models[kind], since)
    known_rows = since.filter(since["label_12m"].is_valid())
    odds, label = log_odds(models[kind].predict(known_rows)), known_rows["label_12m"].to_numpy()
    searched = brentq(
        lambda shift: np.sum(1 / (1 + np.exp(-(odds + shift)))) - label.sum(), -3, 3, xtol=1e-12
    )
    assert told["shift"] == pytest.approx(searched, abs=1e-8)


@each_kind
def test_ranks_slope_and_every_distance_of_log_odds_stay(models, since, kind):
    model, told = moved(models[kind], since)
    before, after = models[kind].predict(since), model.predict(since)
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    assert log_odds(after) - log_odds(before) == pytest.approx(np.full(len(before), told["shift"]), abs=1e-9)
    known_rows = since["label_12m"].is_valid().to_numpy()
    label = since["label_12m"].drop_null().to_numpy()
    slopes = [
        fit_logistic(np.column_stack([np.ones(len(label)), log_odds(risk[known_rows])]), label)[1]
        for risk in (before, after)
    ]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-7)


def test_contributions_are_the_same_and_still_sum_to_the_log_odds(models, since):
    model, _ = moved(models["logistic"], since)
    names, added = model.contributions(since)
    was_named, was_added = models["logistic"].contributions(since)
    assert names == was_named
    assert added.tobytes() == was_added.tobytes()
    assert model.effects == models["logistic"].effects
    assert log_odds(model.predict(since)) == pytest.approx(added.sum(axis=1) + model.intercept, abs=1e-9)


def test_people_who_were_treated_are_told_apart(models, since):
    treated = np.arange(since.num_rows) % 2 == 0
    _, told = moved(models["logistic"], since, treated=treated)
    spared = since.filter(pa.array(~treated)).filter(since.filter(pa.array(~treated))["label_12m"].is_valid())
    expected = models["logistic"].predict(spared).sum()
    assert told["before_without_treated"][0] == pytest.approx(spared["label_12m"].to_numpy().sum() / expected)


def test_whoever_signs_is_told_what_speaks_against_it():
    sure, unsure = {"before": [0.8, 0.7, 0.9]}, {"before": [0.95, 0.8, 1.1]}
    assert _doubts({"12m": sure}, {}) == []
    (holds_one,) = _doubts({"12m": sure, "90d": unsure}, {"treated": {"2025-04-01": {"rows": 0}}})
    assert holds_one.startswith("the interval of the 90d score's observed over expected holds 1")
    (treated,) = _doubts({"12m": sure}, {"treated": {"2024-04-01": {"rows": 2}, "2025-04-01": {"rows": 3}}})
    assert treated.startswith("5 of the rows are of people who were offered something")


def test_too_few_admitted_people_move_nothing(models, since):
    few = replace(POLICY, recalibration=replace(POLICY.recalibration, fewest_admitted=100_000))
    with pytest.raises(ContractBrokenError, match="100000 are needed to move a level"):
        moved(models["logistic"], since, few)
    nobody = since.filter(since["label_12m"].is_null())
    with pytest.raises(ContractBrokenError, match="0 people had the outcome"):
        moved(models["logistic"], nobody)


@pytest.mark.parametrize("factor", [0.2, 4.0])
def test_a_level_that_lies_too_far_off_is_another_fault(models, since, factor):
    near = replace(POLICY, recalibration=replace(POLICY.recalibration, furthest_shift=0.2))
    with pytest.raises(NotPermittedError, match=r"a drift of the level explains 0\.2 at most") as problem:
        moved(models["logistic"], since, near)
    assert "train again" in str(problem.value)
    other = replace(models["logistic"], intercept=models["logistic"].intercept - np.log(factor))
    with pytest.raises(NotPermittedError):
        moved(other, since)


def test_how_scores_were_spread_moves_with_them(models, since):
    model, _ = moved(models["logistic"], since)
    shapes = {"logistic_12m": shape_of_risks(models["logistic"].predict(since))}
    found = _risks_moved(shapes, {("logistic", "12m"): model})["logistic_12m"]
    again = shape_of_risks(model.predict(since))
    assert found["shares"] == again["shares"]
    assert found["edges"] == pytest.approx(again["edges"], rel=1e-9)


def test_an_index_date_whose_main_horizon_is_not_over_is_refused(tmp_path):
    horizons = [{"name": "12m", "months": 12, "days": None}]
    rules = {"title": "An admission", "death": "no_event", "leaving": "exclude", "gap_days": 30}
    rules |= {"short_history": "refuse", "minimum_people": 1, "survivors_from": None, "sha256": "0"}
    outcome = outcome_of(
        {"outcome": {"file": "x", "horizons": horizons, "extracts": ["gp_patients"], **rules}}
    )
    assert outcome.main == Horizon("12m", 12, None)
    frames = Frames("one", tmp_path, (date(2025, 4, 1), date(2025, 4, 2)), date(2026, 4, 1), {})
    with pytest.raises(MisuseError, match="from 2025-04-02 on is not known yet") as problem:
        _refuse_immature(outcome, frames)
    assert "no index date after 2025-04-01" in str(problem.value)
    _refuse_immature(outcome, replace(frames, index_dates=(date(2025, 4, 1),)))
