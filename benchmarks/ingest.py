"""How long reading and checking a delivery takes, as a multiple of what DuckDB needs merely to parse the same files.

    python -m benchmarks.ingest --people 1000000 --repeats 3

Every measurement is a process of its own with 2 threads; floors and riskstrat take turns. Writes a JSON document and
a Markdown table beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import FIRST_NIGHT
from benchmarks.floors import parse, parse_and_write
from benchmarks.night import made
from benchmarks.options import parser_of
from benchmarks.running import (
    Turn,
    Work,
    machine,
    measure_in_process,
    measure_work,
    medians,
    ratio,
    take_turns,
    versions,
    write_result,
)

LABELS = {
    "parse": "DuckDB parses the files with types (floor)",
    "parquet": "DuckDB parses them and writes plain Parquet",
    "check": "riskstrat reads, links, judges and settles them",
}


def main() -> None:
    """Make the data, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        prepared = {"parse": parse, "parquet": parse_and_write, "check": _check}[options.measure]
        print(json.dumps(measure_work(prepared(options.folder))))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        about = made(folder, options.people, "csv")
        found = take_turns(
            tuple(LABELS),
            options.repeats,
            lambda name: measure_in_process("benchmarks.ingest", name, folder),
        )
    result = _result(found, about)
    write_result(options.out, f"ingest-{options.people}", result, _page(result))


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, people=1_000_000, gigabytes=15, measured=tuple(LABELS))
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _check(folder: Path) -> Work:
    from riskstrat.definitions.everything import load_definitions
    from riskstrat.progress import Progress
    from riskstrat.site import load_site

    site = load_site(folder / "site")
    return partial(_checked, site, load_definitions(site.root), Progress(quiet=True))


def _checked(site: Any, definitions: Any, progress: Any) -> dict[str, Any]:
    from riskstrat.checking import check

    checked = check(site, definitions, as_of=FIRST_NIGHT, progress=progress)
    if checked.stopped_by is not None:
        raise checked.stopped_by
    return {}


def _result(found: dict[str, list[Turn]], about: dict[str, Any]) -> dict[str, Any]:
    middle = medians(found)
    return about | {
        "machine": machine(),
        "versions": versions(),
        "turns": found,
        "median": middle,
        "ratio_to_parse": {name: ratio(values, middle["parse"]) for name, values in middle.items()},
    }


def _page(result: dict[str, Any]) -> str:
    lines = [
        f"Reading and checking the files of {result['people']:,} people ({result['bytes']['first'] / 1e9:.1f} GB of "
        f"CSV, {result['threads']} threads, DuckDB {result['versions']['duckdb']}); medians of "
        f"{len(result['turns']['parse'])} interleaved turns.",
        "",
        "| | seconds | CPU seconds | peak GB | times the floor | CPU times the floor |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, label in LABELS.items():
        row, times = result["median"][name], result["ratio_to_parse"][name]
        lines.append(
            f"| {label} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {row['peak_gb']:.2f} "
            f"| {times['seconds']:.2f} | {times['cpu_seconds']:.2f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
