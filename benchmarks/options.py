"""What every benchmark may be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.running import RESULTS


def parser_of(
    about: str | None, *, people: int, gigabytes: int, measured: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Options for the size of a benchmark and for where its data and results go.

    ``gigabytes`` is what the data of a million people take. ``measured`` are the turns that the benchmark starts in
    processes of their own: the options that say which one are for itself.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0] if about else None)
    parser.add_argument("--people", type=int, default=people, help="how many people the town has")
    parser.add_argument(
        "--work",
        type=Path,
        default=None,
        help=f"where the data go while it runs ({gigabytes} GB for a million people)",
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    if measured:
        parser.add_argument("--measure", choices=tuple(measured), help=argparse.SUPPRESS)
        parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser
