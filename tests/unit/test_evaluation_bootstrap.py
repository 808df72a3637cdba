"""Resampling people: the fast pass equals drawing rows and ranking them anew, and intervals mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from riskstrat.model.evaluation.bootstrap import (
    Entrant,
    Sample,
    draws_of_people,
    interval_of,
    resample,
)
from riskstrat.model.evaluation.capacity import at_capacity, places
from riskstrat.model.evaluation.ranking import rank

SHARES = np.array([0.05, 0.2, 1.0])


def sample(rows: int = 300, people: int = 200) -> tuple[Sample, dict[str, np.ndarray]]:
    generator = np.random.default_rng(5)
    risk = generator.beta(1, 4, rows)
    outcome = generator.random(rows) < risk
    person = np.concatenate([np.arange(people), generator.integers(0, people, rows - people)])
    scores = {"risk": risk, "rule": (risk > 0.3).astype(float), "coarse": np.round(risk, 1)}
    scores["coarse"][::9] = np.nan
    return Sample(outcome, person, SHARES), scores


def test_every_resample_equals_ranking_the_drawn_rows_anew() -> None:
    drawn, scores = sample()
    entrants = {name: Entrant(rank(score), {"risk": scores["risk"]}) for name, score in scores.items()}
    found = resample(drawn, entrants, 20, seed=3)
    for number, counts in enumerate(draws_of_people(200, 20, seed=3)):
        rows = np.repeat(np.arange(300), counts[drawn.person])
        assert found.people[number] == len(rows)
        assert found.admitted[number] == drawn.outcome[rows].sum()
        for name, score in scores.items():
            ranking = rank(score[rows])
            for place, share in enumerate(SHARES):
                slow = at_capacity(drawn.outcome[rows], ranking, float(share))
                assert found.places[number, place] == slow.places == places(len(rows), float(share))
                assert found.scores[name].found[number, place] == pytest.approx(slow.found)
                assert found.ppv(name)[number, place] == pytest.approx(slow.ppv)
                assert found.sensitivity(name)[number, place] == pytest.approx(slow.sensitivity)
            known = np.where(np.isnan(score[rows]), -1, score[rows])
            assert found.scores[name].auroc[number] == pytest.approx(
                roc_auc_score(drawn.outcome[rows], known)
            )
            whole = scores["risk"][rows].sum()
            assert found.scores[name].measured["risk"][number, 2] == pytest.approx(whole)


def test_all_rows_of_a_person_are_drawn_together() -> None:
    for counts in draws_of_people(50, 5, seed=1):
        assert counts.sum() == 50
        assert counts.max() > 1
    everybody = Sample(np.array([True, True, False, False]), np.array([0, 0, 1, 1]), np.array([1.0]))
    found = resample(everybody, {"one": Entrant(rank(np.arange(4.0)), {})}, 40, seed=2)
    assert set(found.admitted.tolist()) == {0.0, 2.0, 4.0}


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    drawn, scores = sample()
    entrants = {"risk": Entrant(rank(scores["risk"]), {})}
    first, again, other = (resample(drawn, entrants, 30, seed).scores["risk"].auroc for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_interval_is_made_of_percentiles_and_leaves_out_what_could_not_be_worked_out() -> None:
    draws = np.append(np.linspace(0, 1, 101), [np.nan] * 20)
    assert interval_of(0.4, draws, 0.9) == pytest.approx((0.4, 0.05, 0.95))
    assert np.isnan(interval_of(0.4, np.array([np.nan]), 0.9).low)
    assert np.isnan(interval_of(float("nan"), draws, 0.9).high)


def test_intervals_of_the_ppv_hold_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(11)
    share, held, rounds = 0.1, 0, 120
    grid = np.quantile(generator.beta(1, 6, 400_000), [1 - share, 1])
    many = generator.beta(1, 6, 2_000_000)
    truth = many[many >= grid[0]].mean()
    for seed in range(rounds):
        risk = generator.beta(1, 6, 1500)
        outcome = generator.random(1500) < risk
        found = resample(
            Sample(outcome, np.arange(1500), np.array([share])), {"risk": Entrant(rank(risk), {})}, 200, seed
        )
        interval = interval_of(at_capacity(outcome, rank(risk), share).ppv, found.ppv("risk")[:, 0], 0.9)
        held += interval.low <= truth <= interval.high
    assert 0.82 <= held / rounds <= 0.97
