"""The report's charts as SVG text to put into a page: no script, no web address, the same bytes every time.

Every chart has a title and a sentence that says what it shows; browsers and screen readers find both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair
import pandas as pd

from riskstrat.charts import BAR, INK, svg
from riskstrat.report.people import UNKNOWN, Counts, Neighbourhood

RISING = (("#dbe8f3", INK), ("#9cc3e0", INK), ("#3b7cb3", "#ffffff"), ("#0a3564", "#ffffff"))
HOLLOW = ("#ffffff", INK)
"""Fill and text colour of a category by its place: one hue from light to dark, so that neither
colour vision nor a colour printer is needed; unknown is hollow."""
ROW_HEIGHT = 30
LABELLED_SHARE = 0.045
"""Segments narrower than this share of the bar carry no label; the table below has every number."""


def count_bars(name: str, alt: str, counts: Counts, width: int = 300) -> str:
    """Horizontal bars, one a row of ``counts`` in the order given; numbers at the bars replace the axis."""
    rows = pd.DataFrame(
        [{"label": label, "people": people, "text": f"{people:,}"} for label, people in counts],
        columns=["label", "people", "text"],
    )
    room_for_numbers = altair.Scale(domain=[0, max([people for _, people in counts] + [1]) * 1.15])
    base = altair.Chart(rows).encode(
        y=altair.Y("label:N", sort=None, title=None, axis=_label_axis()),
        x=altair.X("people:Q", axis=None, scale=room_for_numbers),
    )
    bars = base.mark_bar(color=BAR, height={"band": 0.68})
    numbers = base.mark_text(align="left", dx=5, fontSize=13, color=INK).encode(text="text:N")
    return _svg(name, alt, bars + numbers, width, len(rows))


def frailty_bars(name: str, alt: str, neighbourhoods: Sequence[Neighbourhood], width: int = 610) -> str:
    """One bar a neighbourhood, split into the shares of the frailty categories; n stands at its end."""
    order = list(neighbourhoods[0].frailty) if neighbourhoods else [UNKNOWN]
    segments = pd.DataFrame([row for home in neighbourhoods for row in _segments(home)], columns=_SEGMENT)
    totals = pd.DataFrame(
        [{"label": home.name, "end": 1.0, "text": f"n = {home.older:,}"} for home in neighbourhoods]
    )
    y = altair.Y("label:N", sort=[home.name for home in neighbourhoods], title=None, axis=_label_axis())
    axis = altair.Axis(format="%", tickCount=5, grid=False, domain=False, orient="bottom")
    scale = altair.Scale(domain=[0, 1])
    colour = altair.Color(
        "category:N",
        sort=order,
        scale=altair.Scale(
            domain=order, range=[_colours(place, category)[0] for place, category in enumerate(order)]
        ),
        legend=altair.Legend(
            title=None, orient="top", symbolType="square", symbolStrokeColor="#5b6b7a", symbolSize=170
        ),
    )
    base = altair.Chart(segments).encode(y=y)
    bars = base.mark_bar(height={"band": 0.74}, stroke="#5b6b7a", strokeWidth=0.7).encode(
        x=altair.X("start:Q", title=None, axis=axis, scale=scale), x2="end:Q", color=colour
    )
    numbers = base.mark_text(fontSize=12.5).encode(
        x=altair.X("middle:Q"), text="text:N", color=altair.Color("ink:N", scale=None)
    )
    ends = (
        altair.Chart(totals)
        .mark_text(align="left", dx=8, fontSize=13, color=INK)
        .encode(y=y, x="end:Q", text="text:N")
    )
    return _svg(name, alt, bars + numbers + ends, width, len(neighbourhoods))


_SEGMENT = ["label", "category", "start", "end", "middle", "text", "ink"]


def _segments(home: Neighbourhood) -> list[dict[str, Any]]:
    """Where each category's part of the bar begins and ends, as shares of the people counted."""
    rows, start = [], 0.0
    for place, category in enumerate(home.frailty):
        share = home.frailty[category] / home.older if home.older else 0.0
        text = f"{share:.0%}" if share >= LABELLED_SHARE else ""
        ink = _colours(place, category)[1]
        row = (home.name, category, start, start + share, start + share / 2, text, ink)
        rows.append(dict(zip(_SEGMENT, row, strict=True)))
        start += share
    return rows


def _colours(place: int, category: str) -> tuple[str, str]:
    return HOLLOW if category == UNKNOWN else RISING[min(place, len(RISING) - 1)]


def _label_axis() -> altair.Axis:
    return altair.Axis(labelLimit=230, labelPadding=8, ticks=False, domain=False, labelFontSize=13)


def _svg(name: str, alt: str, chart: Any, width: int, rows: int) -> str:
    return svg(name, alt, chart, width, max(rows, 1) * ROW_HEIGHT)
