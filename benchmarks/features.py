"""How long computing every feature takes, as a multiple of merely scanning the columns that its SQL reads.

    python -m benchmarks.features --people 1000000 --repeats 3 --profile

A demo town is ingested once and its staged tables are written to Parquet. Then the scan (the floor), all features, the
Hospital Frailty Risk Score alone and pycomorb's take turns, every measurement in a process of its own with 2 threads.
Writes a JSON document and a Markdown table beside it; ``--profile`` also names the slowest SQL files.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.staged import THREADS, prepare

AS_OF = date(2026, 4, 1)
MEASURED = ("scan", "features", "features_and_history", "hfrs", "pycomorb")
LABELS = {
    "scan": "DuckDB scans the columns that the SQL reads (floor)",
    "features": "riskstrat computes all features",
    "features_and_history": "and publishes a year of monthly snapshots",
    "hfrs": "riskstrat: episodes to spells to HFRS",
    "pycomorb": "pycomorb: reads and unpivots the episodes, HFRS",
}
# What each is divided by. The lesser work of pycomorb: no spells, no windows, no tidying of codes.
BASES = {
    "scan": "scan",
    "features": "scan",
    "features_and_history": "scan",
    "hfrs": "pycomorb",
    "pycomorb": "pycomorb",
}
SLOWEST = 12

# Does the work that is timed; returns seconds of its parts.
Work = Callable[[], dict[str, float]]


def main() -> None:
    """Stage the town, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        print(json.dumps(_measured(options.measure, options.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        rows = prepare(folder, AS_OF, people=options.people)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in MEASURED}
        for turn in range(options.repeats):
            for name in MEASURED:
                found[name].append(_in_a_process(name, folder))
                said = {key: value for key, value in found[name][-1].items() if key != "parts"}
                print(f"turn {turn + 1}: {name} {said}", file=sys.stderr)
        result = _result(found, rows, options.people)
    options.out.mkdir(parents=True, exist_ok=True)
    page = _page(result) + (_profile(result) if options.profile else "")
    (options.out / "features.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / "features.md").write_text(page, encoding="utf-8")
    print(page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--people", type=int, default=100_000, help="how many people the town has")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="name the slowest SQL files")
    parser.add_argument(
        "--work", type=Path, default=None, help="where the data go while it runs (10 GB for a million people)"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(name: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.features", "--measure", name, "--folder", str(folder)]
    environment = os.environ | {"POLARS_MAX_THREADS": str(THREADS)}
    started = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"process_seconds": round(time.perf_counter() - started, 2)}


def _measured(name: str, folder: Path) -> dict[str, Any]:
    ready = {
        "scan": _scan,
        "features": _features,
        "features_and_history": partial(_features, with_history=True),
        "hfrs": _hfrs,
        "pycomorb": _pycomorb,
    }[name]
    place = folder / "turn"
    place.mkdir()
    try:
        work = ready(folder, place)
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        parts = work()
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    finally:
        shutil.rmtree(place)
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_gb": round(_peak_kilobytes() / 1e6, 2),
        "parts": {part: round(took, 3) for part, took in parts.items()},
    }


def _peak_kilobytes() -> int:
    """The most memory that this process ever held; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def _scan(folder: Path, place: Path) -> Work:
    from benchmarks.staged import read_staged

    staged = read_staged(folder, place, AS_OF)

    def work() -> dict[str, float]:
        for extract, columns in staged.columns.items():
            # Hashed, because a largest value or a count would be answered from the files' statistics.
            staged.engine.rows(f"SELECT bit_xor(hash({', '.join(columns)})) FROM {extract}")
        return {}

    return work


def _features(folder: Path, place: Path, *, with_history: bool = False) -> Work:
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


def _hfrs(folder: Path, place: Path) -> Work:
    """People and the extracts' calendar are there beforehand: they are no part of the score."""
    from benchmarks.staged import read_staged
    from riskstrat.engines.duckdb import run_sql_folder
    from riskstrat.stages.features import FEATURE_FOLDERS
    from riskstrat.stages.link import LINK_FOLDER

    staged = read_staged(folder, place, AS_OF)
    core, scores = (staged.pipelines / name for name in FEATURE_FOLDERS[:2])
    run_sql_folder(staged.engine, staged.pipelines / LINK_FOLDER)
    run_sql_folder(staged.engine, core, only="extract_coverage")
    staged.engine.seconds.clear()

    def work() -> dict[str, float]:
        run_sql_folder(staged.engine, core, only="hfrs_components")
        run_sql_folder(staged.engine, scores, only="hfrs")
        return staged.engine.seconds

    return work


def _pycomorb(folder: Path, _place: Path) -> Work:
    import polars
    from pycomorb import comorbidity

    path = folder / "staged" / "acute_episodes.parquet"
    positions = [f"diagnosis_{number:02d}" for number in range(1, 21)]

    def work() -> dict[str, float]:
        started = time.perf_counter()
        codes = (
            polars.read_parquet(path, columns=["person", *positions])
            .unpivot(on=positions, index="person", value_name="code")
            .drop_nulls()
        )
        unpivoted = time.perf_counter()
        comorbidity("hfrs", codes, id_col="person", code_col="code")
        return {"read and unpivot": unpivoted - started, "comorbidity": time.perf_counter() - unpivoted}

    return work


def _result(found: dict[str, list[dict[str, Any]]], rows: dict[str, int], people: int) -> dict[str, Any]:
    import duckdb

    from riskstrat import __version__

    measures = ("seconds", "cpu_seconds", "peak_gb", "process_seconds")
    middle = {
        name: {key: statistics.median(turn[key] for turn in turns) for key in measures}
        for name, turns in found.items()
    }
    return {
        "people": people,
        "rows": rows,
        "machine": {
            "cpus": os.cpu_count(),
            "threads": THREADS,
            "processor": platform.processor() or platform.machine(),
        },
        "versions": {
            "riskstrat": __version__,
            "duckdb": duckdb.__version__,
            "pycomorb": version("pycomorb"),
            "python": platform.python_version(),
        },
        "turns": found,
        "median": middle,
        "median_of_parts": {
            name: {
                part: statistics.median(turn["parts"][part] for turn in turns) for part in turns[0]["parts"]
            }
            for name, turns in found.items()
        },
        "ratio": {
            name: {key: round(middle[name][key] / middle[base][key], 2) for key in ("seconds", "cpu_seconds")}
            for name, base in BASES.items()
        },
    }


def _page(result: dict[str, Any]) -> str:
    rows = result["rows"]
    lines = [
        f"Features of {result['people']:,} people ({rows['gp_events']:,} GP entries, {rows['gp_medications']:,} "
        f"medicines, {rows['acute_episodes']:,} episodes; {result['machine']['threads']} threads, DuckDB "
        f"{result['versions']['duckdb']}, pycomorb {result['versions']['pycomorb']}); medians of "
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
    return "\n".join([*lines, "", _hfrs_parts(result["median_of_parts"]), ""])


def _hfrs_parts(parts: dict[str, dict[str, float]]) -> str:
    """What the two HFRS spend on the score itself, once codes stand one below the other."""
    ours = parts["hfrs"]["hfrs_components"] + parts["hfrs"]["hfrs"]
    theirs = parts["pycomorb"]["comorbidity"]
    return (
        f"The score alone, from codes one below the other: riskstrat {ours:.2f} s, pycomorb {theirs:.2f} s, "
        f"{ours / theirs:.2f} times."
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
