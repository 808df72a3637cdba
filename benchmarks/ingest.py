"""How long reading and checking a delivery takes, as a multiple of what DuckDB needs merely to parse the same files.

    python -m benchmarks.ingest --scale 1 --repeats 3

Every measurement is a process of its own with 2 threads; floors and riskstrat take turns. Writes a JSON document and
a Markdown table beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

AS_OF = "2026-04-01"
THREADS, MEMORY_LIMIT = 2, "3GB"
MEASURED = ("parse", "parquet", "check")
LABELS = {
    "parse": "DuckDB parses the files with types (floor)",
    "parquet": "DuckDB parses them and writes plain Parquet",
    "check": "riskstrat reads, links, judges and settles them",
}


def main() -> None:
    """Make the data, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        print(json.dumps(_measured(options.measure, options.site)))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as folder:
        site = _site(Path(folder), options.scale)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
        for turn in range(options.repeats):
            for name in MEASURED:
                found[name].append(_in_a_process(name, site))
                print(f"turn {turn + 1}: {name} {found[name][-1]}", file=sys.stderr)
        result = _result(found, site, options.scale)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "ingest.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / "ingest.md").write_text(_page(result), encoding="utf-8")
    print(_page(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 30 million GP rows")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--work", type=Path, default=None, help="where the data go while it runs (9 GB at scale 1)"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--site", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _site(folder: Path, scale: float) -> Path:
    from benchmarks.data import write_deliveries
    from riskstrat.site import load_site, write_default_site

    root = folder / "site"
    write_default_site(root)
    settings = root / "config" / "site.yaml"
    lines = [line for line in settings.read_text(encoding="utf-8").splitlines() if "memory_limit" not in line]
    settings.write_text("\n".join([*lines, f"memory_limit: {MEMORY_LIMIT}", ""]), encoding="utf-8")
    write_deliveries(load_site(root), AS_OF, scale=scale)
    return root


def _in_a_process(name: str, site: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", "--measure", name, "--site", str(site)]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found | {"process_seconds": round(time.perf_counter() - started, 2)}


def _measured(name: str, site: Path) -> dict[str, float]:
    work = {"parse": _parse, "parquet": _parquet, "check": _check}[name]
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work(site)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_gb": round(_peak_kilobytes() / 1e6, 2),
    }


def _peak_kilobytes() -> int:
    """The most memory that this process ever held; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def _typed_files(site: Path) -> list[tuple[str, list[str]]]:
    """A typed read_csv and its column names for each file, the types being those of the contract."""
    from riskstrat.definitions.contracts import load_contracts
    from riskstrat.stages.ingest.headers import read_header

    contracts, found = load_contracts(site / "data_contracts"), []
    for path in sorted((site / "landing").glob("*/*.csv")):
        if path.parent.name == "truth":
            continue
        types = {column.name: column.sql_type for column in contracts[path.stem].columns}
        header = read_header(path)
        columns = ", ".join(f"'{name}': '{types[name]}'" for name in header)
        found.append(
            (f"read_csv('{path}', header = true, auto_detect = false, columns = {{{columns}}})", header)
        )
    return found


def _connect() -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY_LIMIT}'")
    return connection


def _parse(site: Path) -> None:
    with _connect() as connection:
        for source, header in _typed_files(site):
            largest = ", ".join(f"max({name})" for name in header)
            connection.execute(f"SELECT {largest} FROM {source}").fetchall()


def _parquet(site: Path) -> None:
    with _connect() as connection, tempfile.TemporaryDirectory(dir=site) as folder:
        for number, (source, _) in enumerate(_typed_files(site)):
            path = f"{folder}/{number}.parquet"
            connection.execute(
                f"COPY (SELECT * FROM {source}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )


def _check(site: Path) -> None:
    from riskstrat.checking import check
    from riskstrat.definitions.everything import load_definitions
    from riskstrat.progress import Progress
    from riskstrat.site import load_site

    checked = check(
        load_site(site),
        load_definitions(site),
        as_of=date.fromisoformat(AS_OF),
        progress=Progress(quiet=True),
    )
    if checked.stopped_by is not None:
        raise checked.stopped_by


def _result(found: dict[str, list[dict[str, float]]], site: Path, scale: float) -> dict[str, Any]:
    import duckdb

    from riskstrat import __version__

    middle = {
        name: {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
        for name, turns in found.items()
    }
    size = sum(path.stat().st_size for path in (site / "landing").glob("20*/*.csv"))
    return {
        "scale": scale,
        "bytes": size,
        "machine": {
            "cpus": os.cpu_count(),
            "threads": THREADS,
            "processor": platform.processor() or platform.machine(),
        },
        "versions": {
            "riskstrat": __version__,
            "duckdb": duckdb.__version__,
            "python": platform.python_version(),
        },
        "turns": found,
        "median": middle,
        "ratio_to_parse": {
            name: {key: round(values[key] / middle["parse"][key], 2) for key in ("seconds", "cpu_seconds")}
            for name, values in middle.items()
        },
    }


def _page(result: dict[str, Any]) -> str:
    lines = [
        f"Reading and checking at scale {result['scale']:g} ({result['bytes'] / 1e9:.1f} GB of CSV, "
        f"{result['machine']['threads']} threads, DuckDB {result['versions']['duckdb']}); medians of "
        f"{len(result['turns']['parse'])} interleaved turns.",
        "",
        "| | seconds | CPU seconds | peak GB | times the floor | CPU times the floor |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in MEASURED:
        row, ratio = result["median"][name], result["ratio_to_parse"][name]
        lines.append(
            f"| {LABELS[name]} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {row['peak_gb']:.2f} "
            f"| {ratio['seconds']:.2f} | {ratio['cpu_seconds']:.2f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
