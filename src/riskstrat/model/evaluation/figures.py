"""The charts of an evaluation as SVG, drawn from ``evaluation.json`` alone: what is hidden has no number to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair
import pandas as pd

from riskstrat.charts import GRID, SOFT, svg
from riskstrat.model.evaluation.drawing import BAND, HEED, LINES, WIDTH, named
from riskstrat.model.evaluation.figures_curves import decision_curve, ppv_by_capacity
from riskstrat.model.evaluation.figures_groups import fairness, is_long
from riskstrat.model.evaluation.judging import AGED, FRESH, MODEL


def all_figures(horizon: Mapping[str, Any], team_share: float) -> dict[str, str]:
    """Every chart of a horizon by its name; those without anything to show are left out."""
    found = {
        "calibration": calibration(horizon),
        "ppv": ppv_by_capacity(horizon, team_share),
        "decision": decision_curve(horizon),
        "decay": decay(horizon),
        "fairness": fairness([group for group in horizon.get("groups", ()) if not is_long(group)]),
    }
    found |= {
        f"fairness_{group['name']}": fairness([group], group["name"])
        for group in horizon.get("groups", ())
        if is_long(group)
    }
    return {name: chart for name, chart in found.items() if chart}


def calibration(horizon: Mapping[str, Any]) -> str:
    """Observed against predicted risk with its band, and below it how many people have such a risk."""
    figures = horizon["calibration"][MODEL]
    threshold = horizon["decision"]["team_threshold"]
    curve = pd.DataFrame(figures["curve"], columns=["predicted", "observed", "low", "high"])
    bands = pd.DataFrame([band for band in figures["bands"] if band["people"]])
    top = float(max(curve["predicted"].max(), curve["observed"].max(), threshold)) * 1.04
    scale = altair.Scale(domain=[0, top], nice=False)
    across = altair.X(
        "predicted:Q", title=None, scale=scale, axis=altair.Axis(format="%", grid=False, tickCount=8)
    )
    up = altair.Y("observed:Q", title="Admitted", scale=scale, axis=altair.Axis(format="%", tickCount=6))
    base = altair.Chart(curve).encode(x=across)
    layers = [
        altair.Chart(pd.DataFrame({"predicted": [0, top], "observed": [0, top]}))
        .mark_line(color=SOFT, strokeDash=[4, 4], strokeWidth=1.2)
        .encode(x=across, y=up),
        base.mark_area(color=LINES[0][0], opacity=BAND, clip=True).encode(
            y=altair.Y("low:Q", scale=scale), y2="high:Q"
        ),
        base.mark_line(color=LINES[0][0], strokeWidth=2.4, clip=True).encode(y=up),
        _mark_threshold(threshold, scale, "the list begins"),
    ]
    if len(bands):
        bands["predicted"] = bands["expected"] / bands["people"]
        bands["observed"] = bands["admitted"] / bands["people"]
        seen = bands[(bands["predicted"] <= top) & (bands["observed"] <= top)]
        layers.append(
            altair.Chart(seen)
            .mark_point(color=LINES[0][0], fill="#ffffff", opacity=1, size=46, strokeWidth=1.6)
            .encode(x=across, y=up)
        )
    upper = altair.layer(*layers).properties(width=WIDTH, height=330)
    rows = [upper]
    if len(bands):
        bands["end"] = bands["high"].clip(upper=top)
        bands["least"] = 1
        rows.append(
            altair.Chart(bands[bands["low"] < top])
            .mark_bar(color="#9cc3e0", stroke="#ffffff", strokeWidth=0.6)
            .encode(
                x=altair.X(
                    "low:Q",
                    title="Predicted risk",
                    scale=scale,
                    axis=altair.Axis(format="%", grid=False, tickCount=8),
                ),
                x2="end:Q",
                y=altair.Y(
                    "people:Q",
                    title="People (log scale)",
                    scale=altair.Scale(type="log", domainMin=1),
                    axis=altair.Axis(format="~s", values=[10**power for power in range(7)], gridColor=GRID),
                ),
                y2="least:Q",
            )
            .properties(width=WIDTH, height=92)
        )
    value = figures["observed_to_expected"]
    description = (
        f"Observed risk as a smooth function of predicted risk, with a band, against the diagonal of perfect "
        f"calibration. Overall observed over expected is {value[0]:.2f}; the calibration slope is "
        f"{figures['slope'][0]:.2f}. The list begins at a predicted risk of {threshold:.0%}. Below: people by "
        "predicted risk."
    )
    chart = altair.vconcat(*rows, spacing=6)
    return svg("calibration", "Calibration of the model", chart, description=description)


def _mark_threshold(threshold: float, scale: altair.Scale, words: str) -> Any:
    at = pd.DataFrame({"predicted": [threshold], "words": [words]})
    rule = (
        altair.Chart(at)
        .mark_rule(color=HEED, strokeDash=[5, 3], strokeWidth=1.4)
        .encode(x=altair.X("predicted:Q", scale=scale))
    )
    text = (
        altair.Chart(at)
        .mark_text(color=HEED, align="left", dx=5, dy=4, baseline="top", fontSize=12)
        .encode(x="predicted:Q", y=altair.value(0), text="words:N")
    )
    return rule + text


def decay(horizon: Mapping[str, Any]) -> str:
    """AUROC and PPV of scores of several ages, beside fresh scores of the same people."""
    names = {AGED: "score of that age", FRESH: "fresh score, same people"}
    found = [
        {"months": row["months"], "who": names[name], "what": what, **named(row[name][what])}
        for row in horizon.get("decay", ())
        for name in names
        for what in ("auroc", "ppv")
        if row[name][what] and row[name][what][0] is not None
    ]
    if not found:
        return ""
    frame = pd.DataFrame(found)
    frame["at"] = frame["months"] + frame["who"].map({names[AGED]: 0.0, names[FRESH]: 0.55})
    colour = altair.Color(
        "who:N",
        sort=list(names.values()),
        scale=altair.Scale(domain=list(names.values()), range=[LINES[0][0], "#8fb3d1"]),
        legend=altair.Legend(title=None, orient="top", symbolSize=110, symbolType="circle"),
    )
    panels = []
    for what, title, form in (("auroc", "AUROC", ".3f"), ("ppv", "PPV at the team's capacity", "%")):
        part = frame[frame["what"] == what]
        if not len(part):
            continue
        base = altair.Chart(part).encode(
            x=altair.X(
                "at:Q",
                title="Age of the score, months",
                axis=altair.Axis(values=sorted(set(part["months"])), grid=False, format="d"),
                scale=altair.Scale(domain=[0, float(part["months"].max()) + 2], nice=False),
            ),
            color=colour,
        )
        up = altair.Scale(zero=False, padding=8)
        axis = altair.Axis(format=form, tickCount=5)
        ranges = base.mark_rule(strokeWidth=2).encode(
            y=altair.Y("low:Q", title=title, scale=up, axis=axis), y2="high:Q"
        )
        dots = base.mark_circle(size=70, opacity=1).encode(
            y=altair.Y("value:Q", scale=up, title=title, axis=axis)
        )
        panels.append((ranges + dots).properties(width=WIDTH // 2 - 32, height=230))
    said = "; ".join(
        f"{row['months']} months {row[AGED]['auroc'][0]:.3f} against {row[FRESH]['auroc'][0]:.3f}"
        for row in horizon["decay"]
    )
    description = f"AUROC of scores by age, against fresh scores of the same people: {said}."
    return svg(
        "decay", "How long a score holds", altair.hconcat(*panels, spacing=22), description=description
    )
