"""A judgement turned into the figures of one horizon, every count of a group through the one gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import EvaluationPlan
from riskstrat.disclosure.counts import shown
from riskstrat.disclosure.gate import PublishedRelease
from riskstrat.disclosure.release import Release
from riskstrat.errors import NotPermittedError
from riskstrat.model.evaluation.discrimination import Interval
from riskstrat.model.evaluation.gates import judged_gates
from riskstrat.model.evaluation.judging import MODEL, Judgement
from riskstrat.model.evaluation.leaving import release_of, told
from riskstrat.model.evaluation.scales import calibration_figures, decision_figures
from riskstrat.model.evaluation.shown import (
    Figures,
    decay_figures,
    differences,
    figure,
    group_figures,
    level_figures,
    people_figures,
    place_figures,
    score_figures,
)

Publish = Callable[[Release], PublishedRelease]


def horizon_figures(
    judged: Judgement, plan: EvaluationPlan, policy: Policy, publish: Publish
) -> dict[str, Any]:
    """Everything about one horizon that may leave. Raises NotPermittedError where even the totals may not."""
    _check(judged, policy)
    figures: dict[str, Any] = {
        "horizon": judged.horizon.name,
        "split": {
            "kind": judged.split.kind,
            "training_dates": [day.isoformat() for day in judged.split.training_dates],
            "test_dates": [day.isoformat() for day in judged.split.test_dates],
            "label": judged.split.label,
        },
        "people": people_figures(judged, policy),
        "scores": {name: score_figures(one, judged, plan, policy) for name, one in judged.contenders.items()},
        "differences": differences(judged, plan, policy),
        "calibration": {
            name: calibration_figures(judged, name, plan, policy)
            for name, one in judged.contenders.items()
            if one.is_risk
        },
        "decision": decision_figures(judged, plan, policy),
        "stability": {"score": figure(judged.stability)},
    }
    if judged.divisions:
        area = Interval(*figures["scores"][MODEL]["auroc"])
        figures |= _groups(judged, plan, policy, publish, area)
    figures["gates"] = judged_gates(figures, plan)
    return figures


def _groups(
    judged: Judgement, plan: EvaluationPlan, policy: Policy, publish: Publish, area: Interval
) -> Figures:
    release = release_of(judged.divisions, max(judged.split.test_dates))
    after = told(judged.divisions, judged.whole, publish(release))
    return {
        "everybody": level_figures(after.whole, area, plan),
        "groups": group_figures(judged.divisions, after, plan),
        "places": place_figures(judged, after, plan, policy),
        "decay": decay_figures(judged.decay, judged, plan, policy),
        "disclosure": {"method": after.method, "hidden": after.hidden},
    }


def _check(judged: Judgement, policy: Policy) -> None:
    admitted = int(judged.outcome.sum())
    if None in (shown(admitted, policy), shown(len(judged.outcome) - admitted, policy)):
        raise NotPermittedError(
            f"so few people of the test had the outcome, or did not, that nothing of it may leave ({policy.title}).",
            remedy="judge the model on more people.",
        )
