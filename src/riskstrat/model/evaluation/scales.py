"""Calibration and decision curve of a judgement, as they may be shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import EvaluationPlan
from riskstrat.model.evaluation.bootstrap import interval_of
from riskstrat.model.evaluation.calibration import distance, recalibrate, risk_bands, smooth
from riskstrat.model.evaluation.capacity import decision_points, net_benefit, threshold_at
from riskstrat.model.evaluation.judging import MODEL, RISK, Judgement
from riskstrat.model.evaluation.leaving import rounded, shown_steps
from riskstrat.model.evaluation.shown import Figures, figure, interval

EDGES = (
    *(0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7),
    *(0.8, 0.9, 1.0),
)
ENDS = (0.001, 0.999)
"""The smooth curve is drawn between these quantiles of the risk: beyond them it rests on next to nobody."""
POINTS = 60
THRESHOLDS = tuple(place / 100 for place in range(1, 71))
SMOOTHER = "restricted cubic spline of the log-odds in a logistic regression, five knots"


def calibration_figures(judged: Judgement, name: str, plan: EvaluationPlan, policy: Policy) -> Figures:
    """Observed over expected, intercept, slope, distances, the smooth curve and people by predicted risk."""
    risk, person = judged.contenders[name].score, judged.test.person
    everybody = judged.resampled.scores[name]
    drawn = everybody.found[:, -1] / everybody.measured[RISK][:, -1]
    line = recalibrate(judged.outcome, risk, plan.confidence, person)
    curve = smooth(judged.outcome, risk, person)
    apart = distance(risk, curve.at(risk))
    ends = np.quantile(risk, ENDS)
    at = np.linspace(ends[0], ends[1], POINTS)
    low, high = curve.band(at, plan.confidence)
    return {
        "observed_to_expected": interval(
            interval_of(float(judged.outcome.sum() / risk.sum()), drawn, plan.confidence)
        ),
        "intercept": interval(line.intercept),
        "slope": interval(line.slope),
        "ici": figure(apart.ici),
        "e50": figure(apart.e50),
        "e90": figure(apart.e90),
        "smoother": SMOOTHER,
        "curve": [
            [figure(value) for value in point] for point in zip(at, curve.at(at), low, high, strict=True)
        ],
        "bands": _bands(judged, name, policy),
    }


def _bands(judged: Judgement, name: str, policy: Policy) -> list[Figures]:
    """People by predicted risk; none at all where even the whole is too small."""
    bands = risk_bands(judged.outcome, judged.contenders[name].score, EDGES, policy.smallest_shown)
    hidden = {count for band in bands for count in (band.admitted, band.people - band.admitted)}
    if any(0 < count < policy.smallest_shown for count in hidden):
        return []
    return [
        {
            "low": band.low,
            "high": band.high,
            "people": rounded(band.people, policy),
            "admitted": rounded(band.admitted, policy),
            "expected": figure(band.expected),
        }
        for band in bands
    ]


def decision_figures(judged: Judgement, plan: EvaluationPlan, policy: Policy) -> Figures:
    """Net benefit by threshold of the model, of contacting everybody, and of the rule; contacting nobody is 0."""
    people, admitted = len(judged.outcome), float(judged.outcome.sum())
    points = decision_points(judged.outcome, judged.risk, np.array(THRESHOLDS))[::-1]
    found = np.array([float(point.found) for point in points])
    in_vain = np.array([float(point.contacted - point.found) for point in points])
    totals = np.array([admitted, people - admitted])
    is_shown = shown_steps(np.column_stack([found, in_vain]), totals, [], policy)
    rule = _rule(judged, plan, policy, totals)
    rows: list[dict[str, Any]] = []
    for place in np.flatnonzero(is_shown)[::-1].tolist():
        threshold = points[place].threshold
        counts = rounded(found[place], policy), rounded(in_vain[place], policy)
        row = {
            "threshold": threshold,
            "model": figure(net_benefit(*counts, people, threshold)),
            "all": figure(net_benefit(admitted, people - admitted, people, threshold)),
        }
        if rule:
            row["rule"] = figure(net_benefit(*rule, people, threshold))
        rows.append(row)
    ranking = judged.contenders[MODEL].ranking
    return {
        "points": rows,
        "team_threshold": figure(threshold_at(judged.risk, ranking, plan.team_share)),
        "rule_share": figure(sum(rule) / people) if rule else None,
    }


def _rule(
    judged: Judgement, plan: EvaluationPlan, policy: Policy, totals: np.ndarray[Any, Any]
) -> tuple[float, float] | None:
    """Found and contacted in vain by everybody whom the rule names; None where it ranks, or where that is hidden."""
    comparator = next(one for one in plan.comparators if one.name == plan.rule)
    named = judged.contenders[plan.rule].score == 1
    counts = np.array([[(named & judged.outcome).sum(), (named & ~judged.outcome).sum()]], dtype=np.float64)
    if comparator.at_least is None or not shown_steps(counts, totals, [], policy)[0]:
        return None
    return rounded(counts[0, 0], policy), rounded(counts[0, 1], policy)
