"""The chart of observed over expected by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair
import pandas as pd

from riskstrat.charts import INK, SOFT, svg
from riskstrat.model.evaluation.drawing import LINES, WIDTH, named

ROW = 21
MANY = 10


def is_long(group: Mapping[str, Any]) -> bool:
    """Whether a group has so many parts that it stands by itself."""
    return len(group["levels"]) > MANY


def fairness(groups: Sequence[Mapping[str, Any]], name: str = "") -> str:
    """Observed over expected of every part of a group, with intervals; 1 is as predicted."""
    rows = [
        {
            "group": group["title"],
            "level": level["name"],
            "key": f"{group['name']}|{level['name']}",
            **named(level["observed_to_expected"]),
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
