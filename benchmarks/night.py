"""One night of a demo town from the delivered files to the published lists, beside the least that reading them takes.

    python -m benchmarks.night --people 1000000 --format csv --repeats 3

A site with two deliveries is made once. Then the floors, the whole night, the night after it with one row in a hundred
new, and a question to the published run take turns, each in a process of its own. Writes
``benchmarks/results/night-PEOPLE-FORMAT.json``; ``python -m benchmarks.page`` makes the page of all results.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cohorts.question import WHERE
from benchmarks.data import FIRST_NIGHT, FORMATS, SECOND_NIGHT
from benchmarks.floors import parse, scan
from benchmarks.options import parser_of
from benchmarks.running import (
    MEASURES,
    Turn,
    machine,
    measure_command,
    measure_in_process,
    measure_work,
    medians,
    say,
    take_turns,
    versions,
    write_result,
)

FLOORS = {"parse": parse, "scan": scan}
NIGHTS = {"night": FIRST_NIGHT, "delta": SECOND_NIGHT}
QUESTIONS = ("import", "bare", "count")
MEASURED = (*FLOORS, *NIGHTS, *QUESTIONS)
# A question takes a fifth of a second, so each turn asks it often and keeps the middle.
ASKED_A_TURN = 5
MODULE = "benchmarks.night"
# Files, tables of a run, what it remembers and what it publishes, and some to spare.
GIGABYTES_A_MILLION = {"csv": 15, "parquet": 10}


def main() -> None:
    """Make the site, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        print(json.dumps(measure_work(FLOORS[options.measure](options.folder))))
        return
    refuse_too_small_a_disk(options.work, options.people, options.format)
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        say(f"making {options.people:,} people and their deliveries as {options.format}")
        about = made(folder, options.people, options.format)
        found = take_turns(MEASURED, options.repeats, partial(measured, folder))
    result = about | result_of(found)
    write_result(options.out, f"night-{options.people}-{options.format}", result)
    print(summary(result))


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, people=100_000, gigabytes=GIGABYTES_A_MILLION["csv"], measured=tuple(FLOORS))
    parser.set_defaults(work=Path(tempfile.gettempdir()))
    parser.add_argument("--format", choices=FORMATS, default="csv", help="what the deliveries are")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def refuse_too_small_a_disk(work: Path, people: int, file_format: str) -> None:
    """End, before hours of work, where the data would not fit."""
    needed = people / 1e6 * GIGABYTES_A_MILLION[file_format]
    free = shutil.disk_usage(work).free / 1e9
    if free < needed:
        sys.exit(
            f"{work} has {free:.0f} GB free; {people:,} people need about {needed:.0f}. "
            "Name another folder with --work."
        )


def made(folder: Path, people: int, file_format: str) -> dict[str, Any]:
    """The site in a process of its own, and what ``benchmarks.data`` says of it."""
    command = [sys.executable, "-m", "benchmarks.data", str(folder)]
    ended = measure_command([*command, "--people", str(people), "--format", file_format]).succeeded()
    about: dict[str, Any] = json.loads(ended.printed.splitlines()[-1])
    return about


def measured(folder: Path, name: str) -> Turn:
    """One measurement. The night starts from nothing; the delta night and the questions need what it leaves."""
    if name in FLOORS:
        return measure_in_process(MODULE, name, folder)
    if name in NIGHTS:
        return _night(folder / "site", NIGHTS[name], is_first=name == "night")
    asked = [measure_command(question(name), folder=folder / "site").succeeded() for _ in range(ASKED_A_TURN)]
    middle = medians({name: [ended.measures for ended in asked]})[name]
    return {**middle, "answer": asked[0].printed.strip()}


def question(name: str) -> list[str]:
    """A command line, as a person would type it in the site's folder."""
    if name == "count":
        return [riskstrat(), "cohort", "count", "--where", WHERE]
    python = "import duckdb"
    if name == "bare":
        features = "output/latest/features.parquet"
        python += (
            f'\nprint(duckdb.sql("""SELECT count(*) FROM \'{features}\' WHERE {WHERE}""").fetchall()[0][0])'
        )
    return [sys.executable, "-c", python]


def riskstrat() -> str:
    """The command that was installed beside this Python."""
    return str(Path(sys.executable).parent / "riskstrat")


def _night(site: Path, as_of: date, *, is_first: bool) -> Turn:
    if is_first:
        forget_runs(site)
    ended = measure_command(
        [riskstrat(), "--site", str(site), "run", "--as-of", as_of.isoformat()], by_stage=True
    ).succeeded()
    manifest = json.loads((site / "output" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    return {
        **ended.measures,
        "stages": ended.stages,
        "run": manifest["run"],
        "rows": sum(counts["read"] for counts in manifest["conservation"].values()),
        "files": manifest["files"],
    }


def forget_runs(site: Path) -> None:
    """The site as it was before its first run."""
    output = site / "output"
    for folder in (path for path in output.rglob("*") if path.is_dir()):
        folder.chmod(0o750)
    for place in (output, site / "state"):
        if place.exists():
            shutil.rmtree(place)


def result_of(found: dict[str, list[Turn]]) -> dict[str, Any]:
    """Medians, stages, every turn, and whether turns agree: the same run has the same bytes, a question one answer.

    ``same_bytes`` is None where the code or a definition changed between turns, which makes it another run.
    """
    same: dict[str, bool | None] = {}
    for name in NIGHTS:
        runs, published = [turn["run"] for turn in found[name]], [turn.pop("files") for turn in found[name]]
        is_one_run = all(run == runs[0] for run in runs)
        same[name] = all(files == published[0] for files in published) if is_one_run else None
    return {
        "machine": machine(),
        "versions": versions(),
        "same_bytes": same,
        "same_answer": len({turn["answer"] for name in ("bare", "count") for turn in found[name]}) == 1,
        "median": medians(found),
        "stages": {name: _stages([turn["stages"] for turn in found[name]]) for name in NIGHTS},
        "turns": found,
    }


def _stages(turns: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The middle of each stage's measures, in the order of a run."""
    return {
        stage: {key: statistics.median(turn[stage][key] for turn in turns) for key in MEASURES}
        for stage in turns[0]
    }


def summary(result: Mapping[str, Any]) -> str:
    """A line a measurement."""
    lines = [f"{result['people']:,} people, {result['format']}:", ""]
    lines += [
        f"{name:<8} {row['seconds']:9.2f} s {row['cpu_seconds']:9.2f} CPU s {row['peak_gb']:7.3f} GB"
        for name, row in result["median"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
