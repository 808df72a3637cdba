"""What has to hold before a model may be approved, and whether a challenger may take the default's place.

The approval reads ``evaluation.json`` and asks ``failed_gates``; nothing is judged again there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riskstrat.definitions.model_evaluation import EvaluationPlan
from riskstrat.model.evaluation.judging import CHALLENGER, MODEL
from riskstrat.model.evaluation.splits import TEMPORAL

APPROVAL, PROMOTION = "approval", "promotion"
# Gates whose figure is a PPV, or the difference of two.
OF_PPV = ("enough_people", "better_than_rule", "better_than_default")


@dataclass(frozen=True)
class Gate:
    """One condition. ``found`` is the figure with its interval, null where it could not be shown, and then it fails;
    a condition that rests on no figure has an empty one.
    """

    name: str
    title: str
    decides: str
    passed: bool
    found: Sequence[float | None] | None
    wanted: str


NO_FIGURE: Sequence[float | None] = ()


def judged_gates(horizon: Mapping[str, Any], plan: EvaluationPlan) -> list[dict[str, Any]]:
    """Every gate of a horizon's figures: those of the approval, and with a challenger those of its promotion."""
    gates = [
        Gate(
            "by_time",
            "Judged on a later date than it learnt from",
            APPROVAL,
            horizon["split"]["kind"] == TEMPORAL,
            NO_FIGURE,
            "a split by time",
        ),
        _not_suspicious(horizon["scores"][MODEL], plan),
        _enough(_team_row(horizon, MODEL), plan),
        _inside_list(_team_row(horizon, MODEL), APPROVAL, plan),
        _slope(horizon["calibration"][MODEL], plan),
        _better(horizon, MODEL, plan.rule, APPROVAL),
    ]
    if CHALLENGER in horizon["scores"]:
        gates += [
            _better(horizon, CHALLENGER, MODEL, PROMOTION),
            _inside_list(_team_row(horizon, CHALLENGER), PROMOTION, plan),
        ]
    return [asdict(gate) for gate in gates]


def failed_gates(gates: Iterable[Mapping[str, Any]], decides: str = APPROVAL) -> list[str]:
    """What stands against approving the model, or promoting the challenger, in words; nothing where all holds.

    A challenger may take the default's place where its PPV at the team's capacity is higher with an interval above 0,
    and observed over expected among the people on its list is within the limits.
    """
    return [
        f"{gate['title']}: {_words(gate)}wanted {gate['wanted']}"
        for gate in gates
        if gate["decides"] == decides and not gate["passed"]
    ]


def _words(gate: Mapping[str, Any]) -> str:
    found: Sequence[float | None] | None = gate["found"]
    if found is not None and not found:
        return ""
    figures = [part for part in found or () if part is not None]
    if len(figures) < 3:
        return "not shown, "
    form = "{:.1%} ({:.1%} to {:.1%}), " if gate["name"] in OF_PPV else "{:.3f} ({:.3f} to {:.3f}), "
    return form.format(*figures)


def _team_row(horizon: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    row: Mapping[str, Any] = next(row for row in horizon["scores"][name]["capacities"] if row["is_team"])
    return row


def _not_suspicious(score: Mapping[str, Any], plan: EvaluationPlan) -> Gate:
    low = score["auroc"][1]
    return Gate(
        "not_suspicious",
        "AUROC is not too good to be true",
        APPROVAL,
        low is not None and low <= plan.gates.highest_auroc,
        score["auroc"],
        f"an interval that reaches down to {plan.gates.highest_auroc:g}",
    )


def _enough(row: Mapping[str, Any], plan: EvaluationPlan) -> Gate:
    return Gate(
        "enough_people",
        "Enough admitted people on the list to judge it",
        APPROVAL,
        row.get("ppv") is not None and row["note"] is None,
        row.get("ppv"),
        f"{plan.gates.fewest_admitted_on_list} admitted people and an interval of the PPV no wider than "
        f"{100 * plan.gates.widest_ppv_interval:g} percentage points",
    )


def _inside_list(row: Mapping[str, Any], decides: str, plan: EvaluationPlan) -> Gate:
    low, high = plan.gates.inside_list
    found = row.get("observed_to_expected")
    whose = "the list" if decides == APPROVAL else "the challenger's list"
    return Gate(
        "inside_list",
        f"Observed over expected on {whose}",
        decides,
        found is not None and low <= found[0] <= high,
        found,
        f"{low:g} to {high:g}",
    )


def _slope(calibration: Mapping[str, Any], plan: EvaluationPlan) -> Gate:
    low, high = plan.gates.calibration_slope
    found = calibration["slope"]
    return Gate(
        "slope",
        "Calibration slope",
        APPROVAL,
        found[0] is not None and low <= found[0] <= high,
        found,
        f"{low:g} to {high:g}",
    )


def _better(horizon: Mapping[str, Any], name: str, other: str, decides: str) -> Gate:
    row = next(row for row in horizon["differences"] if (row["of"], row["less"]) == (name, other))
    titles = [horizon["scores"][one]["title"] for one in (name, other)]
    low = row["ppv"][1] if row["ppv"] else None
    return Gate(
        f"better_than_{'rule' if decides == APPROVAL else 'default'}",
        f"PPV at the team's capacity, {titles[0]} less {titles[1]}",
        decides,
        low is not None and low > 0,
        row["ppv"],
        "an interval above 0",
    )
