"""docs/profile.md and its chart, from a profile's result file.

python -m benchmarks.profile_page benchmarks/results/profile-100000.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair
import pandas as pd

from benchmarks.running import ROOT, busy
from riskstrat.charts import INK, standalone, svg

PAGE, CHART = "profile.md", "benchmarks/profile.svg"
PYTHON, OTHERS = "Python and the rest", "other SQL"
LEAST_SHARE, SHOWN = 0.015, 25
WIDTH, HEIGHT = 640, 900
# Stages take these by turns, so that neighbours differ; the time that is not SQL is grey.
COLOURS, GREY = ("#b9d3e6", "#f0d3ae", "#bddcc8", "#d9c8e3"), "#e4e7ea"
SPLIT = 0.3


def write_page(result: Mapping[str, Any], docs: Path) -> None:
    """The page and the chart beside it."""
    (docs / CHART).parent.mkdir(parents=True, exist_ok=True)
    (docs / CHART).write_text(standalone(chart(result)), encoding="utf-8")
    (docs / PAGE).write_text(page(result), encoding="utf-8")


def parts_of(result: Mapping[str, Any], stage: str) -> dict[str, float]:
    """Seconds of a stage by what its statements make, the longest first, and what is not SQL."""
    sql = result["parts"].get(stage, {})
    rest = max(0.0, result["stages"][stage] - sum(sql.values()))
    return dict(sorted([*sql.items(), (PYTHON, rest)], key=lambda part: -part[1]))


def bands(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Boxes of the chart: a stage on the left, its parts beside it, the small ones in one."""
    total, start, found = sum(result["stages"].values()), 0.0, []
    for place, (stage, seconds) in enumerate(result["stages"].items()):
        colour = COLOURS[place % len(COLOURS)]
        found.append(_band(stage, start, seconds, colour, 0.0, SPLIT, total))
        shown = {part: took for part, took in parts_of(result, stage).items() if took >= LEAST_SHARE * total}
        at = start
        for part, took in shown.items():
            found.append(_band(part, at, took, GREY if part == PYTHON else colour, SPLIT, 1.0, total))
            at += took
        small = start + seconds - at
        if small > 0:
            found.append(_band(OTHERS, at, small, colour, SPLIT, 1.0, total))
        start += seconds
    return found


def _band(
    name: str, start: float, seconds: float, colour: str, left: float, right: float, total: float
) -> dict[str, Any]:
    return {
        "label": f"{name}  {seconds:.2f} s, {seconds / total:.0%}",
        "start": start,
        "end": start + seconds,
        "colour": colour,
        "left": left,
        "right": right,
        "is_labelled": seconds >= LEAST_SHARE * total,
    }


def chart(result: Mapping[str, Any]) -> str:
    """Time from top to bottom: stages, and what each spends it on."""
    boxes = bands(result)
    frame = pd.DataFrame(boxes)
    frame["middle"], frame["text_from"] = (frame["start"] + frame["end"]) / 2, frame["left"] + 0.008
    seconds = altair.Scale(domain=[float(frame["end"].max()), 0], nice=False)
    up = altair.Y("start:Q", title="seconds since the run began", scale=seconds)
    across = altair.Scale(domain=[0, 1])
    drawn = (
        altair.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=altair.X("left:Q", axis=None, scale=across),
            x2="right:Q",
            y=up,
            y2="end:Q",
            color=altair.Color("colour:N", scale=None),
        )
    )
    labels = (
        altair.Chart(frame[frame["is_labelled"]])
        .mark_text(align="left", baseline="middle", fontSize=11, color=INK)
        .encode(x=altair.X("text_from:Q", axis=None, scale=across), y="middle:Q", text="label:N")
    )
    said = "; ".join(box["label"] for box in boxes if box["left"] == 0)
    title = f"Where the time of one night of {result['people']:,} people goes"
    return svg("profile", title, drawn + labels, WIDTH, HEIGHT, f"{said}.")


def page(result: Mapping[str, Any]) -> str:
    """The chart, and the parts of all stages that take most."""
    total = sum(result["stages"].values())
    ranked = sorted(
        ((took, stage, part) for stage in result["stages"] for part, took in parts_of(result, stage).items()),
        reverse=True,
    )
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    lines = [
        "# Where the time of a night goes",
        "",
        "Written by `python -m benchmarks.profile`: one run of the [benchmarks'](benchmarks.md) town with an engine",
        "that notes what each statement takes, by the table or the file that it makes. Most tables are a file of",
        "`pipelines/` of that name. One run: shares mean more than seconds.",
        "",
        f"{result['people']:,} people, {result['format']} deliveries, {result['threads']} threads, DuckDB's memory",
        f"limit {result['memory_limit']}: {total:.1f} s, {result['cpu_seconds']:.1f} CPU seconds, at most",
        f"{result['peak_gb']:.2f} GB; {versions}; load at the end {result['machine']['load']}.",
        *busy(result["machine"]),
        "",
        f"![Stages of a night from top to bottom, and what each spends its time on]({CHART})",
        "",
        "| stage | table or file | seconds | share |",
        "|---|---|---:|---:|",
        *(f"| {stage} | {part} | {took:.2f} | {took / total:.1%} |" for took, stage, part in ranked[:SHOWN]),
    ]
    rest = sum(took for took, _, _ in ranked[SHOWN:])
    lines += [f"| | {len(ranked[SHOWN:])} others | {rest:.2f} | {rest / total:.1%} |", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    write_page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), ROOT / "docs")
