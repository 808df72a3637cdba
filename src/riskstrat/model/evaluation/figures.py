"""The charts of an evaluation as SVG, drawn from ``evaluation.json`` alone: what is hidden has no number to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair
import pandas as pd

from riskstrat.charts import GRID, INK, SOFT, svg
from riskstrat.model.evaluation.judging import AGED, FRESH, MODEL

WIDTH = 760
LINES = (
    ("#0a3564", (1, 0)),
    ("#3b7cb3", (7, 3)),
    ("#b35c00", (1, 0)),
    ("#6b4e9b", (6, 3)),
    ("#3d7d4f", (2, 2)),
    ("#8a8f94", (8, 2, 2, 2)),
)
"""Colour and dashes of each line in order: told apart without colour vision too."""
HEED = "#8a4b00"
BAND = 0.14
ROW = 21
MANY = 10


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


def is_long(group: Mapping[str, Any]) -> bool:
    """Whether a group has so many parts that it stands by itself."""
    return len(group["levels"]) > MANY


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
                    axis=altair.Axis(format="~s", tickCount=4, gridColor=GRID),
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


def ppv_by_capacity(horizon: Mapping[str, Any], team_share: float) -> str:
    """PPV of every score at every capacity, with bands."""
    scores = horizon["scores"]
    rows = [
        {"who": score["title"], "share": point["share"], **_named(point["ppv"])}
        for score in scores.values()
        for point in score["curve"]
    ]
    if not rows:
        return ""
    frame = pd.DataFrame(rows)
    titles = [score["title"] for score in scores.values()]
    axis = altair.Axis(values=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2], format=".1~%", grid=False)
    across = altair.X(
        "share:Q",
        title="People on the list, of all people scored (log scale)",
        scale=altair.Scale(type="log", nice=False, domain=[frame["share"].min(), frame["share"].max()]),
        axis=axis,
    )
    top = float(min(1.0, frame["high"].max() * 1.03))
    scale = altair.Scale(domain=[0, top], nice=False)
    colour, dash = _told_apart(titles)
    base = altair.Chart(frame).encode(x=across)
    bands = base.mark_area(opacity=BAND).encode(y=altair.Y("low:Q", scale=scale), y2="high:Q", color=colour)
    lines = base.mark_line(strokeWidth=2.2).encode(
        y=altair.Y(
            "value:Q",
            title="Admitted, of the people on the list (PPV)",
            scale=scale,
            axis=altair.Axis(format="%"),
        ),
        color=colour,
        strokeDash=dash,
    )
    team = (
        altair.Chart(pd.DataFrame({"share": [team_share]}))
        .mark_rule(color=HEED, strokeDash=[5, 3], strokeWidth=1.4)
        .encode(x=across)
    )
    said = "; ".join(_said_at(score, team_share) for score in scores.values())
    description = (
        f"PPV against the share of people on the list. At the team's capacity of {team_share:.1%}: {said}."
    )
    return svg("ppv", "PPV against capacity", bands + team + lines, WIDTH, 340, description)


def _said_at(score: Mapping[str, Any], share: float) -> str:
    row = next(row for row in score["capacities"] if row["share"] == share)
    return f"{score['title']} {row['ppv'][0]:.1%}" if row.get("ppv") else f"{score['title']} hidden"


def decision_curve(horizon: Mapping[str, Any]) -> str:
    """Net benefit by threshold of the model, the rule, everybody and nobody."""
    figures = horizon["decision"]
    team = figures["team_threshold"]
    points = [point for point in figures["points"] if point["threshold"] >= team / 4]
    if not points:
        return ""
    title = horizon["scores"][MODEL]["title"]
    names = {"model": title, "rule": _rule_title(horizon), "all": "contact everybody"}
    rows = [
        {"who": names[key], "threshold": point["threshold"], "benefit": point[key]}
        for point in points
        for key in names
        if key in point
    ]
    rows += [{"who": "contact nobody", "threshold": point["threshold"], "benefit": 0.0} for point in points]
    frame = pd.DataFrame(rows)
    best = float(frame["benefit"].max())
    useful = [point["threshold"] for point in points if point["model"] > best * 0.004]
    last = max([*useful, team]) * 1.08
    titles = [*dict.fromkeys(frame["who"])]
    colour, dash = _told_apart(titles, [0, 2, 5, 4] if len(titles) == 4 else [0, 5, 4])
    across = altair.X(
        "threshold:Q",
        title="Threshold: the risk from which a contact is thought worth it",
        scale=altair.Scale(domain=[points[0]["threshold"], last], nice=False),
        axis=altair.Axis(format="%", grid=False),
    )
    lines = (
        altair.Chart(frame)
        .mark_line(strokeWidth=2.2, clip=True)
        .encode(
            x=across,
            y=altair.Y(
                "benefit:Q",
                title="Net benefit per person scored",
                scale=altair.Scale(domain=[-best * 0.12, best * 1.04], nice=False),
                axis=altair.Axis(format=".3f", tickCount=6),
            ),
            color=colour,
            strokeDash=dash,
        )
    )
    mark = (
        altair.Chart(pd.DataFrame({"threshold": [team]}))
        .mark_rule(color=HEED, strokeDash=[5, 3], strokeWidth=1.4)
        .encode(x=across)
    )
    description = (
        "Net benefit by threshold of risk: the model, contacting everybody, contacting nobody and, where it can be "
        f"shown, the rule. The team's capacity amounts to a threshold of {team:.0%}."
    )
    return svg("decision", "Decision curve", mark + lines, WIDTH, 300, description)


def _rule_title(horizon: Mapping[str, Any]) -> str:
    rule = next(row["less"] for row in horizon["differences"] if row["of"] == MODEL)
    return str(horizon["scores"][rule]["title"])


def decay(horizon: Mapping[str, Any]) -> str:
    """AUROC and PPV of scores of several ages, beside fresh scores of the same people."""
    names = {AGED: "score of that age", FRESH: "fresh score, same people"}
    found = [
        {"months": row["months"], "who": names[name], "what": what, **_named(row[name][what])}
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


def fairness(groups: Sequence[Mapping[str, Any]], name: str = "") -> str:
    """Observed over expected of every part of a group, with intervals; 1 is as predicted."""
    rows = [
        {
            "group": group["title"],
            "level": level["name"],
            "key": f"{group['name']}|{level['name']}",
            **_named(level["observed_to_expected"]),
        }
        for group in groups
        for level in group["levels"]
    ]
    frame = pd.DataFrame(rows, columns=["group", "level", "key", "value", "low", "high"])
    known = frame.dropna(subset=["value"])
    if not len(known):
        return ""
    frame["text"] = frame["value"].map(lambda value: "hidden" if pd.isna(value) else f"{value:.2f}")
    ends = [
        min(0.8, float(known["low"].clip(lower=0.25).min())),
        max(1.25, float(known["high"].clip(upper=4).max())),
    ]
    scale = altair.Scale(type="log", domain=ends, nice=False)
    ticks = [
        tick for tick in (0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4) if ends[0] <= tick <= ends[1]
    ]
    panels = []
    titles = list(dict.fromkeys(frame["group"]))
    for place, title in enumerate(titles):
        part = frame[frame["group"] == title]
        is_last = place == len(titles) - 1
        axis = altair.Axis(values=ticks, format=".3~g", labels=is_last, ticks=is_last, domain=is_last)
        across = altair.X(
            "value:Q", title="Observed over expected (log scale)" if is_last else None, scale=scale, axis=axis
        )
        up = altair.Y(
            "level:N",
            sort=list(part["level"]),
            title=title,
            axis=altair.Axis(
                labelLimit=210,
                labelPadding=8,
                ticks=False,
                domain=False,
                titleAngle=0,
                titleAlign="left",
                titleAnchor="start",
                titleBaseline="bottom",
                titleX=-230,
                titleY=-5,
                titleFontWeight="bold",
                titleFontSize=12.5,
                minExtent=230,
            ),
        )
        base = altair.Chart(part).encode(y=up)
        one = (
            altair.Chart(pd.DataFrame({"value": [1.0]}))
            .mark_rule(color=SOFT, strokeDash=[4, 4])
            .encode(x=across)
        )
        ranges = base.mark_rule(color=LINES[0][0], strokeWidth=2, clip=True).encode(
            x=altair.X("low:Q", scale=scale, title=None, axis=axis), x2="high:Q"
        )
        dots = base.mark_circle(color=LINES[0][0], size=64, opacity=1, clip=True).encode(x=across)
        texts = base.mark_text(align="left", dx=6, fontSize=12, color=INK).encode(
            x=altair.value(WIDTH - 240), text="text:N"
        )
        panels.append((one + ranges + dots + texts).properties(width=WIDTH - 240, height=ROW * len(part)))
    worst = known.iloc[int((known["value"] - 1).abs().to_numpy().argmax())]
    description = (
        f"Observed over expected admissions by {', '.join(titles).lower()}, with intervals. Furthest from 1: "
        f"{worst['group']} {worst['level']} with {worst['value']:.2f} ({worst['low']:.2f} to {worst['high']:.2f})."
    )
    label = f"fairness_{name}" if name else "fairness"
    chart = altair.vconcat(*panels, spacing=24)
    return svg(label, "Observed over expected by group", chart, description=description)


def _named(found: Sequence[float | None] | None) -> dict[str, float | None]:
    value, low, high = found or (None, None, None)
    return {"value": value, "low": low, "high": high}


def _told_apart(titles: Sequence[str], places: Sequence[int] | None = None) -> tuple[Any, Any]:
    """Colour and dashes of lines, with one legend."""
    chosen = [LINES[place % len(LINES)] for place in (places or range(len(titles)))]
    legend = altair.Legend(
        title=None,
        orient="top",
        symbolType="stroke",
        symbolSize=420,
        symbolOpacity=1,
        symbolStrokeWidth=2.4,
        labelLimit=260,
        columns=3,
    )
    domain = list(titles)
    colour = altair.Color(
        "who:N",
        sort=domain,
        scale=altair.Scale(domain=domain, range=[one for one, _ in chosen]),
        legend=legend,
    )
    dash = altair.StrokeDash(
        "who:N",
        sort=domain,
        scale=altair.Scale(domain=domain, range=[list(dashes) for _, dashes in chosen]),
        legend=legend,
    )
    return colour, dash
