"""Charts that compare ways of choosing people: PPV against capacity, and the decision curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair
import pandas as pd

from riskstrat.charts import svg
from riskstrat.model.evaluation.drawing import BAND, HEED, LINES, WIDTH, named
from riskstrat.model.evaluation.judging import MODEL

# Net benefit is told of so many people scored.
PEOPLE = 1000


def ppv_by_capacity(horizon: Mapping[str, Any], team_share: float) -> str:
    """PPV of every score at every capacity, with bands."""
    scores = horizon["scores"]
    rows = [
        {"who": score["title"], "share": point["share"], **named(point["ppv"])}
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
        {"who": names[key], "threshold": point["threshold"], "benefit": PEOPLE * point[key]}
        for point in points
        for key in names
        if key in point
    ]
    rows += [{"who": "contact nobody", "threshold": point["threshold"], "benefit": 0.0} for point in points]
    frame = pd.DataFrame(rows)
    best = float(frame["benefit"].max())
    useful = [point["threshold"] for point in points if PEOPLE * point["model"] > best * 0.004]
    last = max([*useful, team]) * 1.08
    titles = [*dict.fromkeys(frame["who"])]
    colour, dash = _told_apart(titles, [0, 2, 5, 4] if len(titles) == 4 else [0, 5, 4])
    across = altair.X(
        "threshold:Q",
        title="Threshold: the risk from which a contact is thought worth it",
        scale=altair.Scale(domain=[points[0]["threshold"], last], nice=False),
        axis=altair.Axis(format="%", grid=False, values=[tenth / 20 for tenth in range(21)]),
    )
    lines = (
        altair.Chart(frame)
        .mark_line(strokeWidth=2.2, clip=True)
        .encode(
            x=across,
            y=altair.Y(
                "benefit:Q",
                title=f"Net benefit per {PEOPLE:,} people scored",
                scale=altair.Scale(domain=[-best * 0.12, best * 1.04], nice=False),
                axis=altair.Axis(tickCount=6),
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
