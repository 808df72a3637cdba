"""How long computing every feature takes, as a multiple of merely scanning the columns that its SQL reads.

    python -m benchmarks.features --people 1000000 --repeats 3 --profile

A demo town is ingested once and its staged tables are written to Parquet. Then the scan (the floor), all features, the
same features in polars and in pandas, and scores of codes by riskstrat and by packages take turns, every measurement in
a process of its own with 2 threads. The feature tables are compared column by column, the scores person by person.
Writes a JSON document and a Markdown table beside it; ``--profile`` also names the slowest SQL files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.baselines.equality import differences, not_compared
from benchmarks.options import parser_of
from benchmarks.running import (
    Turn,
    machine,
    measure_in_process,
    measure_work,
    medians,
    ratio,
    take_turns,
    versions,
    write_result,
)
from benchmarks.scores import (
    disagreements,
    measure_score,
    prepare_admissions,
    ready_packages,
    score_names,
    score_versions,
    scores_page,
)
from benchmarks.staged import THREADS, prepare

AS_OF = date(2026, 4, 1)
BASELINES = ("polars", "pandas")
MEASURED = ("scan", "features", "features_and_history", *BASELINES)
LABELS = {
    "scan": "DuckDB scans the columns that the SQL reads (floor)",
    "features": "riskstrat computes all features",
    "features_and_history": "and publishes a year of monthly snapshots",
    "polars": "polars computes the same table",
    "pandas": "pandas computes the same table",
}
# What each is divided by.
BASES = {
    "scan": "scan",
    "features": "scan",
    "features_and_history": "scan",
    "polars": "features",
    "pandas": "features",
}
SLOWEST = 12

# Does the work that is timed; returns seconds of its parts.
Parts = Callable[[], dict[str, float]]


def main() -> None:
    """Stage the town, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        print(json.dumps(_measured(options.measure, options.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        rows = prepare(folder, AS_OF, people=options.people)
        admissions = prepare_admissions(folder)
        packages, not_run = ready_packages((options.environments or folder / "environments").resolve())
        variables, names = {"POLARS_MAX_THREADS": str(THREADS)}, score_names(packages)

        def measure(name: str) -> Turn:
            if name in MEASURED:
                return measure_in_process("benchmarks.features", name, folder, variables)
            return measure_score(name, admissions, packages)

        found = take_turns([*MEASURED, *names], options.repeats, measure)
        scored = {name: found[name] for name in names}
        result = _result({name: found[name] for name in MEASURED}, rows, options.people) | {
            "baselines": {name: _compared(folder, name) for name in BASELINES},
            "scores": {
                "versions": score_versions(),
                "not_run": not_run,
                "turns": scored,
                "median": medians(scored),
                "disagreements": disagreements(admissions, packages),
            },
        }
    page = _page(result) + (_profile(result) if options.profile else "")
    write_result(options.out, f"features-{options.people}", result, page)


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, people=100_000, gigabytes=10, measured=MEASURED)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="name the slowest SQL files")
    parser.add_argument(
        "--environments", type=Path, default=None, help="where comorbidipy's is kept (0.2 GB)"
    )
    return parser.parse_args()


def _measured(name: str, folder: Path) -> Turn:
    ways: dict[str, Callable[[Path, Path], Parts]] = {
        "scan": _scan,
        "features": _features,
        "features_and_history": partial(_features, with_history=True),
        "polars": partial(_baseline, "polars"),
        "pandas": partial(_baseline, "pandas"),
    }
    ready = ways[name]
    place = folder / "turn"
    place.mkdir()
    try:
        work = ready(folder, place)
        turn = measure_work(lambda: {"parts": {part: round(took, 3) for part, took in work().items()}})
        if name in ("features", *BASELINES):
            (place / "features.parquet").replace(folder / f"{name}.parquet")
        return turn
    finally:
        shutil.rmtree(place)


def _scan(folder: Path, place: Path) -> Parts:
    from benchmarks.staged import read_staged

    staged = read_staged(folder, place, AS_OF)

    def work() -> dict[str, float]:
        for extract, columns in staged.columns.items():
            # Hashed, because a largest value or a count would be answered from the files' statistics.
            staged.engine.rows(f"SELECT bit_xor(hash({', '.join(columns)})) FROM {extract}")
        return {}

    return work


def _features(folder: Path, place: Path, *, with_history: bool = False) -> Parts:
    from benchmarks.staged import read_staged
    from riskstrat.engines.duckdb import run_sql_folder
    from riskstrat.stages.features import features
    from riskstrat.stages.history import history
    from riskstrat.stages.link import LINK_FOLDER

    staged = read_staged(folder, place, AS_OF)

    def work() -> dict[str, float]:
        run_sql_folder(staged.engine, staged.pipelines / LINK_FOLDER)
        features(staged.context)
        if with_history:
            history(staged.context)
        return staged.engine.seconds

    return work


def _baseline(library: str, folder: Path, place: Path) -> Parts:
    import importlib

    import pyarrow

    from benchmarks.baselines.knowledge import read_knowledge

    # polars is told by a variable, which it must find when it is first imported
    pyarrow.set_cpu_count(THREADS)
    pyarrow.set_io_thread_count(THREADS)
    module = importlib.import_module(f"benchmarks.baselines.{library}_features")
    knowledge = read_knowledge(folder / "site", AS_OF)

    def work() -> dict[str, float]:
        module.write_features(folder / "staged", knowledge, place / "features.parquet")
        return {}

    return work


def _compared(folder: Path, name: str) -> dict[str, Any]:
    """For how many people a baseline's table says something else, by column, and which columns it lacks."""
    ours, theirs = folder / "features.parquet", folder / f"{name}.parquet"
    return {"differences": differences(ours, theirs), "not_compared": not_compared(ours, theirs)}


def _result(found: dict[str, list[Turn]], rows: dict[str, int], people: int) -> dict[str, Any]:
    middle = medians(found)
    return {
        "people": people,
        "rows": rows,
        "machine": machine() | {"threads": THREADS},
        "versions": versions("polars", "pandas"),
        "turns": found,
        "median": middle,
        "median_of_parts": {
            name: {
                part: statistics.median(turn["parts"][part] for turn in turns) for part in turns[0]["parts"]
            }
            for name, turns in found.items()
        },
        "ratio": {name: ratio(middle[name], middle[base]) for name, base in BASES.items()},
    }


def _page(result: dict[str, Any]) -> str:
    rows = result["rows"]
    lines = [
        f"Features of {result['people']:,} people ({rows['gp_events']:,} GP entries, {rows['gp_medications']:,} "
        f"medicines, {rows['acute_episodes']:,} episodes; {result['machine']['threads']} threads, DuckDB "
        f"{result['versions']['duckdb']}, polars {result['versions']['polars']}, pandas "
        f"{result['versions']['pandas']}); medians of "
        f"{len(result['turns']['scan'])} interleaved turns.",
        "",
        "| | seconds | CPU seconds | peak GB | divided by | times | CPU times |",
        "|---|---:|---:|---:|---|---:|---:|",
    ]
    for name in MEASURED:
        row, ratio = result["median"][name], result["ratio"][name]
        lines.append(
            f"| {LABELS[name]} | {row['seconds']:.2f} | {row['cpu_seconds']:.2f} | {row['peak_gb']:.2f} "
            f"| {BASES[name]} | {ratio['seconds']:.2f} | {ratio['cpu_seconds']:.2f} |"
        )
    compared = [_comparison(name, found) for name, found in result["baselines"].items()]
    return "\n".join([*lines, "", *compared, "", *scores_page(result["scores"]), ""])


def _comparison(name: str, found: dict[str, Any]) -> str:
    counts, left_out = found["differences"], found["not_compared"]
    apart = {column: people for column, people in counts.items() if people}
    said = f"differences: {apart}" if apart else "no difference"
    less = f"; it leaves out {', '.join(left_out)}, which is less work" if left_out else ""
    return (
        f"- {name}: {len(counts)} columns compared for everybody, {said}{less}. It keeps neither the components of "
        "scores nor the months before, which riskstrat stores for explanations and histories."
    )


def _profile(result: dict[str, Any]) -> str:
    parts = result["median_of_parts"]["features"]
    total = result["median"]["features"]["seconds"]
    lines = ["", "| SQL file | seconds | share of all features |", "|---|---:|---:|"]
    slowest = sorted(parts, key=lambda part: -parts[part])[:SLOWEST]
    lines += [f"| {part} | {parts[part]:.2f} | {parts[part] / total:.0%} |" for part in slowest]
    others = [part for part in parts if part not in slowest]
    rest = sum(parts[part] for part in others)
    lines.append(f"| {len(others)} other files | {rest:.2f} | {rest / total:.0%} |")
    after = total - sum(parts.values())
    lines.append(f"| the feature file, checks | {after:.2f} | {after / total:.0%} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
