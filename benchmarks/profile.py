"""Where the time of one night goes: every SQL statement of a run, by stage and by the table or file that it makes.

    python -m benchmarks.profile --people 100000

Writes ``benchmarks/results/profile-PEOPLE.json``, and from it ``docs/profile.md`` with its chart. One run, in a process
of its own, with an engine that notes what each statement takes; what is not SQL is Python.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import FIRST_NIGHT, FORMATS
from benchmarks.night import GIGABYTES_A_MILLION, made
from benchmarks.options import parser_of
from benchmarks.profile_page import write_page
from benchmarks.running import (
    ROOT,
    machine,
    measure_in_process,
    measure_work,
    versions,
    write_result,
)
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.progress import Progress
from riskstrat.site import load_site

# What a statement makes or changes; other statements ask.
MAKES = re.compile(
    r"\s*(?:CREATE (?:OR REPLACE )?(?:TEMP )?(?:TABLE|VIEW)|INSERT INTO|UPDATE|DELETE FROM)"
    r'\s+(?:[\w"]+\.)?"?(\w+)',
    re.IGNORECASE,
)
WRITES = re.compile(r"\s*COPY\b.*\bTO\s+'([^']+)'", re.IGNORECASE | re.DOTALL)
ASKS = re.compile(r'\bFROM\s+(?:\w+\.)?"?(\w+)', re.IGNORECASE)
OTHERS, START = "settings", "start"


class Notes(Progress):
    """Knows the stage that goes on, and keeps the seconds of its parts."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.running = START
        self.parts: dict[str, dict[str, float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage, and note to it what its statements take."""
        self.running = name
        with super().stage(name):
            yield
        self.running = START

    def note(self, part: str, seconds: float) -> None:
        """Add to a part of the stage that goes on."""
        parts = self.parts.setdefault(self.running, {})
        parts[part] = parts.get(part, 0.0) + seconds


NOTES = Notes()


class ProfiledEngine(DuckDBEngine):
    """An engine that notes to NOTES how long each statement took."""

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement to its end, and note the seconds."""
        started = time.perf_counter()
        found = super().execute(statement, parameters)
        NOTES.note(part_of(statement), time.perf_counter() - started)
        return found


def part_of(statement: str) -> str:
    """What a statement makes: a table, or a file by the last of its name; or the table that it asks.

    >>> part_of('CREATE TABLE "spells" AS SELECT 1'), part_of("COPY (SELECT 1) TO '/a/b.csv'"), part_of("FROM spells")
    ('spells', 'b.csv', 'asks spells')
    """
    if made_table := MAKES.match(statement):
        return made_table[1]
    if written := WRITES.match(statement):
        return Path(written[1]).name
    asked = ASKS.search(statement)
    return f"asks {asked[1]}" if asked else OTHERS


def main() -> None:
    """Make a site, profile one night of it, and write the page."""
    options = _options()
    if options.measure:
        print(json.dumps(measure_work(lambda: _night(options.folder))))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        about = made(folder, options.people, options.format)
        found = measure_in_process("benchmarks.profile", "night", folder)
    kept = {key: about[key] for key in ("people", "format", "threads", "memory_limit")}
    result = {**kept, "machine": machine(), "versions": versions(), **found}
    write_result(options.out, f"profile-{options.people}", result)
    write_page(result, options.docs)


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, people=100_000, gigabytes=GIGABYTES_A_MILLION["csv"], measured=("night",))
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    return parser.parse_args()


def _night(folder: Path) -> dict[str, Any]:
    """Run the first night; the seconds of every stage and of the statements in it."""
    from riskstrat import pipeline

    vars(pipeline)["DuckDBEngine"] = ProfiledEngine  # a run takes its engine from there
    pipeline.run(load_site(folder / "site"), FIRST_NIGHT, progress=NOTES)
    return {"stages": NOTES.timings, "parts": NOTES.parts}


if __name__ == "__main__":
    main()
