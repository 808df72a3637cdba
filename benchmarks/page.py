"""docs/benchmarks.md and its charts, from the result files alone: nothing is measured here.

python -m benchmarks.page
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.charts import against_targets, exponents, growth, stage_times
from benchmarks.data import LATE_SHARE, ROWS_A_PERSON
from benchmarks.running import RESULTS, ROOT, busy
from benchmarks.targets import FITTED_FROM, NOT_MEASURED, Result, Results, judged, table
from riskstrat.charts import standalone

PAGE, CHARTS = "benchmarks.md", "benchmarks"
LABELS = {
    "parse": "DuckDB decodes every value of the files with its type (floor)",
    "scan": "DuckDB decodes the columns that the features need, from Parquet (floor)",
    "night": "the whole night: `riskstrat run` from files to lists",
    "delta": "the next night, 1% of rows new",
    "import": '`python -c "import duckdb"` (floor)',
    "bare": "the same and a bare query of the published features (floor)",
    "count": "`cohort count --where`, the same question",
}
BASES = {"night": "parse", "delta": "night", "bare": "import", "count": "bare"}
PARQUET_BASES = BASES | {"night": "scan"}
FORMATS = {"csv": "CSV", "parquet": "Parquet"}


def main() -> None:
    """Write the page and the charts, and print the table of targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    results = Results.read(options.results)
    write_page(results, options.out)
    print(table(judged(results)), end="")
    for people, result in results.nights.get("csv", {}).items():
        print(
            f"{people:,} people: load of the machine at the end {result['machine']['load']}", file=sys.stderr
        )


def write_page(results: Results, folder: Path) -> None:
    """``benchmarks.md`` in a folder, and the charts that there are in one beside it."""
    drawn = {
        "targets": against_targets(judged(results)),
        "stages": stage_times(results),
        "growth": growth(results),
    }
    (folder / CHARTS).mkdir(parents=True, exist_ok=True)
    for name, chart in drawn.items():
        place = folder / CHARTS / f"{name}.svg"
        place.unlink(missing_ok=True)
        if chart:
            place.write_text(standalone(chart), encoding="utf-8")
    shown = {name for name, chart in drawn.items() if chart}
    (folder / PAGE).write_text(page(results, shown), encoding="utf-8")


def page(results: Results, charts: set[str]) -> str:
    """The page as Markdown; ``charts`` are the names of those that there are."""

    def chart(name: str, words: str) -> list[str]:
        return [f"![{words}]({CHARTS}/{name}.svg)", ""] if name in charts else []

    nights = [
        (people, file_format, result)
        for file_format, each in results.nights.items()
        for people, result in each.items()
    ]
    warned = [warning for _, _, result in nights if (warning := busy(result["machine"]))]
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks.page` from the files in `benchmarks/results/`; `make bench-quick`,",
        "`make bench` and `make bench-large` measure and write it anew. [Measurements](measurements.md) has what was",
        "found by hand, [the profile](profile.md) where the time of a night goes.",
        "",
        "## Targets",
        "",
        "A figure at another number of people than its target's decides nothing and is named; what nobody measured",
        "says so.",
        "That Spark gives equal tables, row for row, is no figure: `tests/end_to_end/test_spark.py` compares them.",
        "",
        table(judged(results)),
        *([*warned[0], ""] if warned else []),
        *chart("targets", "Figures as parts of their limits"),
        *_data(nights),
        "## A night",
        "",
    ]
    if not nights:
        lines += [f"No night was {NOT_MEASURED.removeprefix('not ')}.", ""]
    lines += chart("stages", "Seconds of each stage of a night")
    for people, file_format, result in sorted(nights, key=lambda night: (night[0], night[1])):
        lines += _night(people, file_format, result)
    lines += ["## Growth", "", *_growth(results), *chart("growth", "Time and memory against people")]
    return "\n".join(lines).rstrip() + "\n"


def _data(nights: list[tuple[int, str, Result]]) -> list[str]:
    longer = ", ".join(f"{name} to {rows}" for name, rows in ROWS_A_PERSON.items())
    lines = [
        "## Data",
        "",
        f"The [demo town](demo-town.md) with every extract. Rows a person are raised ({longer})",
        "by telling the town's own years again earlier, under new keys: more years of the same people, nothing before",
        "a birth, nothing unfinished. Of all features only those that ask how someone was a year ago, or ever, differ",
        f"from those of the plain town, for 5% of people. {LATE_SHARE:.0%} of the rows of every feed that adds up,",
        "drawn by a hash, waits for the second delivery; the register comes again in full. Both formats hold the same",
        "rows, and their runs the same features.",
        "",
    ]
    if nights:
        lines += [
            "| people | format | delivery | rows | rows of the second | making the town | and the deliveries |",
            "|---:|---|---:|---:|---:|---|---|",
        ]
    for people, file_format, result in sorted(nights, key=lambda night: (night[0], night[1])):
        cost = [
            f"{used['seconds']:.0f} s, {used['peak_gb']:.1f} GB"
            for used in (result["making"]["town"], result["making"]["deliveries"])
        ]
        lines.append(
            f"| {people:,} | {FORMATS[file_format]} | {result['bytes']['first'] / 1e9:.2f} GB "
            f"| {sum(result['rows'].values()):,} | {sum(result['late_rows'].values()):,} | {cost[0]} | {cost[1]} |"
        )
    return [*lines, ""] if nights else lines


def _night(people: int, file_format: str, result: Result) -> list[str]:
    machine, versions = result["machine"], result["versions"]
    turns = len(result["turns"]["night"])
    lines = [
        f"### {people:,} people, {FORMATS[file_format]}",
        "",
        f"{'One turn' if turns == 1 else f'Medians of {turns} interleaved turns'}, each measurement a process",
        f"of its own; {result['threads']} threads, DuckDB's memory limit {result['memory_limit']};",
        f"{machine['cpus']} CPUs ({machine['processor']}), {machine['memory_gb']} GB,",
        f"load at the end {machine['load']};",
        ", ".join(f"{name} {number}" for name, number in versions.items()) + ".",
        *busy(machine),
        "",
        "| | seconds | CPU seconds | peak GB | times | CPU times | of |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    bases = BASES if file_format == "csv" else PARQUET_BASES
    for name, label in LABELS.items():
        row, base = result["median"][name], bases.get(name)
        times = _times(result, name, base) if base else " | | "
        digits = 2 if row["seconds"] < 10 else 1
        lines.append(
            f"| {label} | {row['seconds']:.{digits}f} | {row['cpu_seconds']:.{digits}f} | {row['peak_gb']:.2f} "
            f"| {times} |"
        )
    lines += ["", *_stages(result["stages"]), "", *_agreement(result)]
    return lines


def _times(result: Result, name: str, base: str) -> str:
    above, below = result["median"][name], result["median"][base]
    times = (f"{above[key] / below[key]:.2f}" for key in ("seconds", "cpu_seconds"))
    called = {"parse": "decoding", "scan": "decoding what is needed", "night": "the whole night"}
    return f"{' | '.join(times)} | {called.get(base, base)}"


def _stages(stages: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    lines = [
        "| stage | seconds | CPU seconds | peak GB | the next night, seconds | CPU seconds | peak GB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, used in stages["night"].items():
        later: Mapping[str, float] | None = stages["delta"].get(name)
        lines.append(f"| {name} | {_used(used)} | {_used(later)} |")
    return [*lines, "", "The first stage's part holds the start of the process."]


def _used(used: Mapping[str, float] | None) -> str:
    if used is None:
        return " | | "
    return f"{used['seconds']:.2f} | {used['cpu_seconds']:.2f} | {used['peak_gb']:.2f}"


def _agreement(result: Mapping[str, Any]) -> list[str]:
    """What turns say of each other; nothing where there was one turn only and the answers agree."""
    said = []
    if len(result["turns"]["night"]) > 1:
        told = {
            True: "published the same bytes in every turn",
            False: "PUBLISHED DIFFERENT BYTES in different turns",
            None: "cannot be compared: code or definitions changed between turns",
        }
        said = [
            f"The {'whole' if name == 'night' else 'next'} night {told[is_same]}."
            for name, is_same in result["same_bytes"].items()
        ]
    if not result["same_answer"]:
        said.append("`cohort count` and the bare query GAVE DIFFERENT ANSWERS.")
    return [" ".join(said), ""] if said else []


def _growth(results: Results) -> list[str]:
    found = exponents(results)
    if not found:
        return [f"An exponent needs nights of two sizes of at least {FITTED_FROM:,} people.", ""]
    every = {people for nights in results.nights.values() for people in nights}
    sizes = sorted(people for people in every if people >= FITTED_FROM)
    return [
        f"Least squares on logarithms over {', '.join(f'{size:,}' for size in sizes)} people; 1 grows in proportion.",
        "A night has a start that does not grow with people, so smaller towns are left out.",
        "",
        *(f"- {one}" for one in found),
        "",
    ]


if __name__ == "__main__":
    main()
