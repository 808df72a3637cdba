"""One horizon's judgement as it may be shown: plain dictionaries of figures for ``evaluation.json``, and nothing else.

A figure with an interval is ``[value, low, high]``; null is hidden or could not be worked out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import EvaluationPlan, Gates
from riskstrat.disclosure.counts import shown
from riskstrat.measures.intervals import wilson
from riskstrat.model.evaluation.bootstrap import interval_of
from riskstrat.model.evaluation.calibration import observed_to_expected
from riskstrat.model.evaluation.capacity import AtCapacity, at_capacity, places, threshold_at
from riskstrat.model.evaluation.discrimination import Interval, auroc, auroc_interval
from riskstrat.model.evaluation.judging import (
    AGED,
    CHALLENGER,
    FRESH,
    MODEL,
    NO_PRIOR,
    RISK,
    Contender,
    Decay,
    Judgement,
)
from riskstrat.model.evaluation.leaving import Division, ShownLevel, Told, rounded, shown_steps
from riskstrat.model.evaluation.ranking import Flags, Floats, rank, within
from riskstrat.model.evaluation.splits import LeftOut

DIGITS = 6
HIDDEN_NOTE = "hidden: few people with or without an admission"

Figures = dict[str, Any]


def figure(value: float | None) -> float | None:
    """A number as it is stored: six decimals, null where there is none."""
    return None if value is None or not math.isfinite(value) else round(float(value), DIGITS)


def interval(found: Interval) -> list[float | None]:
    """A figure with its interval."""
    return [figure(part) for part in found]


def score_figures(one: Contender, judged: Judgement, plan: EvaluationPlan, policy: Policy) -> Figures:
    """AUROC, the lists of every capacity, and the curve of PPV against capacity."""
    draws = judged.resampled.scores[one.name]
    area = auroc(judged.outcome, one.score)
    lists = _Lists(one, judged, policy, [judged.shares.index(share) for share in plan.shares])
    unknown = int(np.isnan(one.score).sum())
    return {
        "title": one.title,
        "auroc": interval(interval_of(area, draws.auroc, plan.confidence)),
        "unknown_share": figure(round(unknown / len(one.score), 2)),
        "capacities": [_capacity(lists, judged.shares.index(share), share, plan) for share in plan.shares],
        "curve": [
            {"share": share, "ppv": interval(lists.ppv(place, plan.confidence))}
            for place, share in enumerate(judged.shares[:-1])
            if lists.is_shown[place]
        ],
    }


class _Lists:
    """The nested lists of one score with their resamples; ``is_shown`` (k,) says which may be shown."""

    def __init__(self, one: Contender, judged: Judgement, policy: Policy, first: Sequence[int]) -> None:
        self.judged, self.one, self.policy = judged, one, policy
        people, admitted = len(judged.outcome), float(judged.outcome.sum())
        sizes = one.ranking.cumulated(np.ones(people))
        self.places = np.array([places(people, share) for share in judged.shares], dtype=np.float64)
        self.sums = {
            "found": within(self.places, sizes, one.ranking.cumulated(judged.outcome)),
            NO_PRIOR: within(self.places, sizes, one.ranking.cumulated(judged.no_prior)),
        }
        if one.is_risk:
            self.sums[RISK] = within(self.places, sizes, one.ranking.cumulated(one.score))
        self.is_shown = self._steps("found", admitted, first)
        self.shows_prior = self.is_shown & self._steps(NO_PRIOR, float(judged.no_prior.sum()), first)

    def _steps(self, measure: str, total: float, first: Sequence[int]) -> Flags:
        sums = self.sums[measure][:-1]
        table = np.column_stack([sums, self.places[:-1] - sums])
        totals = np.array([total, len(self.judged.outcome) - total])
        return np.append(shown_steps(table, totals, first, self.policy), False)

    def at(self, place: int) -> AtCapacity:
        """The list of a capacity, as the policy rounds it."""
        people, admitted = len(self.judged.outcome), float(self.judged.outcome.sum())
        found = rounded(float(self.sums["found"][place]), self.policy)
        return AtCapacity(people, rounded(admitted, self.policy), int(self.places[place]), found)

    def ppv(self, place: int, confidence: float) -> Interval:
        """PPV with its interval."""
        return interval_of(self.at(place).ppv, self.judged.resampled.ppv(self.one.name)[:, place], confidence)

    def draws(self, place: int) -> tuple[Floats, Floats]:
        """Found people and places on the list, resample by resample."""
        return self.judged.resampled.scores[self.one.name].found[:, place], self.judged.resampled.places[
            :, place
        ]

    def share_of(self, measure: str, place: int, confidence: float) -> Interval:
        """The share of the list that a measure adds up to."""
        value = rounded(float(self.sums[measure][place]), self.policy) / self.places[place]
        drawn = self.judged.resampled.scores[self.one.name].measured[measure][:, place]
        return interval_of(float(value), drawn / self.judged.resampled.places[:, place], confidence)


def _capacity(lists: _Lists, place: int, share: float, plan: EvaluationPlan) -> Figures:
    """Everything about the list of one capacity."""
    judged, name = lists.judged, lists.one.name
    row: Figures = {"share": share, "places": int(lists.places[place]), "is_team": share == plan.team_share}
    if not lists.is_shown[place]:
        return row | {"note": HIDDEN_NOTE}
    at, confidence = lists.at(place), plan.confidence
    found, drawn_places = lists.draws(place)
    ppv = lists.ppv(place, confidence)
    threshold = threshold_at(judged.risk, judged.contenders[MODEL].ranking, share)
    odds = threshold / (1 - threshold)
    benefit = (found - (drawn_places - found) * odds) / judged.resampled.people
    needed = Interval(
        at.number_needed_to_contact, *(1 / end if end else math.inf for end in (ppv.high, ppv.low))
    )
    sensitivity = interval_of(at.sensitivity, judged.resampled.sensitivity(name)[:, place], confidence)
    prior = lists.share_of(NO_PRIOR, place, confidence) if lists.shows_prior[place] else None
    row |= {
        "ppv": interval(ppv),
        "sensitivity": interval(sensitivity),
        "number_needed_to_contact": interval(needed),
        "threshold": figure(threshold),
        "net_benefit": interval(interval_of(at.net_benefit(threshold), benefit, confidence)),
        "no_prior_share": interval(prior) if prior else None,
        "note": few(at.found, ppv, plan.gates),
    }
    if lists.one.is_risk:
        expected = float(lists.sums[RISK][place])
        drawn = found / judged.resampled.scores[name].measured[RISK][:, place]
        row["observed_to_expected"] = interval(interval_of(at.found / expected, drawn, confidence))
    return row


def few(found: float, ppv: Interval, gates: Gates) -> str | None:
    """Why a list says too little, where it does."""
    if found < gates.fewest_admitted_on_list:
        return f"fewer than {gates.fewest_admitted_on_list} admitted people on the list: too few to judge it"
    if ppv.high - ppv.low > gates.widest_ppv_interval:
        return "the interval is too wide to judge the list"
    return None


def differences(judged: Judgement, plan: EvaluationPlan, policy: Policy) -> list[Figures]:
    """PPV at the team's capacity, model less each comparator and challenger less model, on the same resamples."""
    place = judged.shares.index(plan.team_share)
    pairs = [(MODEL, one.name) for one in plan.comparators]
    if CHALLENGER in judged.contenders:
        pairs.append((CHALLENGER, MODEL))
    rows = []
    for better, other in pairs:
        lists = [_Lists(judged.contenders[name], judged, policy, [place]) for name in (better, other)]
        row: Figures = {"of": better, "less": other, "share": plan.team_share, "ppv": None}
        if all(one.is_shown[place] for one in lists):
            drawn = judged.resampled.ppv(better)[:, place] - judged.resampled.ppv(other)[:, place]
            value = lists[0].at(place).ppv - lists[1].at(place).ppv
            row["ppv"] = interval(interval_of(value, drawn, plan.confidence))
        rows.append(row)
    return rows


def level_figures(level: ShownLevel, area: Interval, plan: EvaluationPlan) -> Figures:
    """One part of a group, all of it from the counts that are shown."""
    row: Figures = {
        "name": level.name,
        "people": level.people,
        "admitted": level.admitted,
        "listed": level.listed,
        "found": level.found,
    }
    rates: dict[str, Any] = dict.fromkeys(
        ("observed_to_expected", "need_rate", "auroc", "selection_rate", "places_per_100_expected")
    )
    rates |= dict.fromkeys(("true_positive_rate", "false_negative_rate"))
    expected = level.expected
    if level.people and expected:
        rates["need_rate"] = figure(expected / level.people)
        if level.admitted is not None:
            rates["observed_to_expected"] = interval(
                observed_to_expected(level.admitted, expected, plan.confidence)
            )
            if plan.gates.fewest_admitted_on_list <= level.admitted < level.people:
                rates["auroc"] = interval(area)
        if level.listed is not None:
            rates["selection_rate"] = figure(level.listed / level.people)
            rates["places_per_100_expected"] = figure(100 * level.listed / expected)
    if level.admitted and level.found is not None:
        rates["true_positive_rate"] = figure(level.found / level.admitted)
        rates["false_negative_rate"] = figure(1 - level.found / level.admitted)
    return row | rates


def group_figures(divisions: Sequence[Division], told: Told, plan: EvaluationPlan) -> list[Figures]:
    """Every group with its parts, and everybody for comparison."""
    return [
        {
            "name": division.group.name,
            "title": division.group.title,
            "levels": [
                level_figures(level, area, plan)
                for level, area in zip(told.groups[division.group.name], division.aurocs, strict=True)
            ],
        }
        for division in divisions
    ]


def place_figures(judged: Judgement, told: Told, plan: EvaluationPlan, policy: Policy) -> list[Figures]:
    """Each place judged by a model that never saw it."""
    group = plan.group(plan.left_out)
    levels = {level.name: level for level in told.groups[group.name]}
    return [
        _place(one, levels[group.values.get(one.place, one.place)], judged.outcome[one.chosen], plan, policy)
        for one in judged.places
    ]


def _place(one: LeftOut, level: ShownLevel, outcome: Flags, plan: EvaluationPlan, policy: Policy) -> Figures:
    row: Figures = {"name": level.name, "people": level.people, "admitted": level.admitted}
    row |= dict.fromkeys(("auroc", "observed_to_expected", "ppv"))
    if level.admitted is None or level.admitted < plan.gates.fewest_admitted_on_list:
        return row
    row["auroc"] = interval(auroc_interval(outcome, one.risk, plan.confidence))
    row["observed_to_expected"] = interval(
        observed_to_expected(level.admitted, float(one.risk.sum()), plan.confidence)
    )
    ppv = _ppv_at(outcome, one.risk, plan.team_share, policy)
    if ppv is None:
        return row
    listed = places(len(outcome), plan.team_share)
    ends = wilson(round(ppv * listed), listed, plan.confidence)
    return row | {"ppv": interval(Interval(ppv, *ends)) if ends else None}


def _ppv_at(outcome: Flags, score: Floats, share: float, policy: Policy) -> float | None:
    """PPV of a list that stands alone, None where it rests on few people."""
    at = at_capacity(outcome, rank(score), share)
    table = np.array([[at.found, at.places - at.found]])
    totals = np.array([at.admitted, at.people - at.admitted])
    return rounded(at.found, policy) / at.places if shown_steps(table, totals, [0], policy)[0] else None


def decay_figures(
    decay: Sequence[Decay], judged: Judgement, plan: EvaluationPlan, policy: Policy
) -> list[Figures]:
    """Old scores beside the fresh score of the same people."""
    rows = []
    for one in decay:
        outcome = one.aged.people.outcome(judged.split.label)
        row: Figures = {
            "months": one.aged.months,
            "followed_share": figure(math.floor(100 * len(outcome) / len(judged.outcome)) / 100),
        }
        for name, score in ((AGED, one.aged.aged), (FRESH, one.aged.fresh)):
            drawn = one.resampled.scores[name]
            row[name] = {
                "auroc": interval(interval_of(auroc(outcome, score), drawn.auroc, plan.confidence)),
                "ppv": None,
            }
            ppv = _ppv_at(outcome, score, plan.team_share, policy)
            if ppv is not None:
                row[name]["ppv"] = interval(interval_of(ppv, one.resampled.ppv(name)[:, 0], plan.confidence))
        rows.append(row)
    return rows


def people_figures(judged: Judgement, policy: Policy) -> Figures:
    """How many people the test and the training hold; None is hidden."""
    table = judged.test.table
    row: Figures = {
        "scored": shown(len(judged.outcome), policy),
        "admitted": shown(int(judged.outcome.sum()), policy),
        "training_rows": shown(judged.training_rows, policy),
    }
    for column in ("died_12m", "left_12m"):
        if column in table.column_names:
            count = int(np.nansum(judged.test.number(column)))
            row[column.removesuffix("_12m")] = shown(count, policy)
    return row
