"""The charts of the results: where a night's time goes, figures against targets, growth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair
import pandas as pd

from benchmarks.targets import FITTED_FROM, Results, Row
from riskstrat.charts import INK, svg

WIDTH, BAR_HEIGHT = 640, 26
SHOWN_STAGES, OTHERS = 7, "others"
COLOURS = ("#2f6f9f", "#8fb8d6", "#d98c3f", "#f0c78f", "#4f8f6b", "#a9cdb8", "#8a5a99", "#c9ccd1")
FORMATS = {"csv": ("#2f6f9f", "CSV"), "parquet": ("#d98c3f", "Parquet")}
NIGHTS = {"night": "whole night", "delta": "1% new rows"}
GOOD, BAD = "#4f8f6b", "#b3403a"


def stage_times(results: Results) -> str:
    """Stacked bars of stages, a panel for each number of people; empty where no night was measured."""
    seconds: Counter[tuple[int, str, str]] = Counter()
    for form, of_format in results.nights.items():
        for people, result in of_format.items():
            for name, called in NIGHTS.items():
                for stage, used in result["stages"][name].items():
                    seconds[people, f"{FORMATS[form][1]}, {called}", stage] += used["seconds"]
    if not seconds:
        return ""
    by_stage: Counter[str] = Counter()
    for (_, _, stage), used in seconds.items():
        by_stage[stage] += used
    largest = [stage for stage, _ in by_stage.most_common(SHOWN_STAGES)]
    order = [*(stage for stage in by_stage if stage in largest), OTHERS]
    bars: Counter[tuple[int, str, str]] = Counter()
    totals: Counter[tuple[int, str]] = Counter()
    for (people, night, stage), used in seconds.items():
        bars[people, night, stage if stage in largest else OTHERS] += used
        totals[people, night] += used
    rows = [
        {"people": people, "night": night, "stage": stage, "place": order.index(stage), "seconds": used}
        for (people, night, stage), used in bars.items()
    ]
    sizes = sorted({people for people, _ in totals})
    nights = sorted({night for _, night in totals}, key=lambda night: ("Parquet" in night, "1%" in night))
    panels = [
        altair.Chart(pd.DataFrame([row for row in rows if row["people"] == people]))
        .mark_bar()
        .encode(
            x=altair.X(
                "seconds:Q",
                title="seconds" if people == sizes[-1] else None,
                axis=altair.Axis(grid=False),
            ),
            y=altair.Y("night:N", title=None, sort=nights, axis=altair.Axis(labelLimit=200)),
            color=altair.Color(
                "stage:N",
                sort=order,
                scale=altair.Scale(domain=order, range=list(COLOURS)),
                legend=altair.Legend(title=None, orient="bottom", columns=4),
            ),
            order="place:Q",
        )
        .properties(
            width=WIDTH,
            height=altair.Step(BAR_HEIGHT),
            title=altair.TitleParams(f"{people:,} people", anchor="start", fontSize=13, color=INK),
        )
        for people in sizes
    ]
    said = "; ".join(f"{people:,} people, {night}: {used:.0f} s" for (people, night), used in totals.items())
    return svg(
        "stages", "Seconds of each stage of a night", altair.vconcat(*panels), description=f"Totals: {said}."
    )


def against_targets(rows: Sequence[Row]) -> str:
    """Each figure as a part of its limit; empty where nothing was measured."""
    measured = [
        {
            "target": row.target.name.replace("`", ""),
            "share": row.share,
            "beside": max(row.share or 0.0, 1.0),  # no label is crossed by the line of the limit
            "colour": GOOD if row.is_met else BAD,
            "label": f"{row.figure:.2f} {row.target.unit}, {row.said}".replace(" ,", ","),
        }
        for row in rows
        if row.figure is not None
    ]
    if not measured:
        return ""
    frame = pd.DataFrame(measured)
    end = max(2.0, float(frame["share"].max()) * 1.9)
    across = altair.X(
        "share:Q",
        title="part of the limit (1 is the limit)",
        scale=altair.Scale(domain=[0, end]),
        axis=altair.Axis(grid=False),
    )
    up = altair.Y("target:N", title=None, sort=list(frame["target"]), axis=altair.Axis(labelLimit=340))
    bars = altair.Chart(frame).mark_bar().encode(x=across, y=up, color=altair.Color("colour:N", scale=None))
    labels = (
        altair.Chart(frame)
        .mark_text(align="left", dx=4, fontSize=12, color=INK)
        .encode(x="beside:Q", y=up, text="label:N")
    )
    limit = (
        altair.Chart(pd.DataFrame({"share": [1]})).mark_rule(color=INK, strokeDash=[5, 3]).encode(x="share:Q")
    )
    said = "; ".join(f"{row['target']}: {row['label']}" for row in measured)
    return svg(
        "targets",
        "Figures as parts of their limits",
        bars + limit + labels,
        380,
        BAR_HEIGHT * len(measured),
        f"{said}.",
    )


def growth(results: Results) -> str:
    """Seconds and peak memory of the whole night against people, on logarithmic axes, with the fitted laws."""
    if not any(results.nights.values()):
        return ""
    panels = [
        _growth_of(results, key, title)
        for key, title in (("seconds", "Seconds of a whole night"), ("peak_gb", "Peak memory, GB"))
    ]
    return svg(
        "growth",
        "Time and memory against people",
        altair.hconcat(*panels).resolve_scale(color="shared"),
        description="; ".join(exponents(results) or ["nothing is fitted"]) + ".",
    )


def exponents(results: Results) -> list[str]:
    """What the fits say, in words."""
    return [
        f"{FORMATS[form][1]}, {what}: exponent {power.exponent:.2f}"
        for form in results.nights
        for key, what in (("seconds", "time"), ("peak_gb", "memory"))
        if (power := results.growth(key, form)) is not None
    ]


def _growth_of(results: Results, key: str, title: str) -> Any:
    points, line = [], []
    for form, nights in results.nights.items():
        measured: Mapping[int, float] = {
            people: result["median"]["night"][key] for people, result in nights.items()
        }
        label = FORMATS[form][1]
        points += [{"people": people, "value": value, "format": label} for people, value in measured.items()]
        if (power := results.growth(key, form)) is not None:
            ends = (FITTED_FROM, max(measured))
            line += [{"people": people, "value": power.at(people), "format": label} for people in ends]
    axis = altair.Axis(format="~s", tickCount=4, grid=False)
    across = altair.X(
        "people:Q",
        title="people (log scale)",
        scale=altair.Scale(type="log", nice=False, padding=12),
        axis=axis,
    )
    up = altair.Y(
        "value:Q",
        title=f"{title} (log scale)",
        scale=altair.Scale(type="log", nice=False, padding=24),
        axis=altair.Axis(grid=False, tickCount=5),
    )
    colour = altair.Color(
        "format:N",
        scale=altair.Scale(
            domain=[name for _, name in FORMATS.values()], range=[one for one, _ in FORMATS.values()]
        ),
        legend=altair.Legend(title=None, orient="bottom"),
    )
    dots = (
        altair.Chart(pd.DataFrame(points))
        .mark_point(filled=True, size=70)
        .encode(x=across, y=up, color=colour)
    )
    if not line:
        return dots.properties(width=WIDTH // 2 - 40, height=260)
    lines = altair.Chart(pd.DataFrame(line)).mark_line(strokeWidth=1.5).encode(x=across, y=up, color=colour)
    return (lines + dots).properties(width=WIDTH // 2 - 40, height=260)
