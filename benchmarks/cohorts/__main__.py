"""How long asking who is on a list takes: riskstrat, DuckDB alone, and other tools that select cohorts.

    python -m benchmarks.cohorts --people 1000000 --turns 11

Makes people with dated events, a published run, the peers' inputs of them in two editions, cut down to what the
question needs and with the whole records, and an environment for each peer. Then every command takes turns, each a
whole process. Writes a JSON document and a Markdown table beside it; ends with 1 where riskstrat's answer is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cohorts.page import page, result
from benchmarks.cohorts.peers import LIMIT_GB, ask_peers
from benchmarks.cohorts.question import COHORT, ROWS, WHERE
from benchmarks.cohorts.turns import Asked, ask_in_turns, nothing, only_number, rows_after_heading
from benchmarks.options import parser_of
from benchmarks.running import say, write_result


def main() -> int:
    """Prepare, take turns, and write what was measured."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        say(
            f"making {options.people:,} people, their published run and the peers' inputs; {_expected(options)}"
        )
        prepare = [sys.executable, "-m", "benchmarks.cohorts.prepare", str(folder)]
        prepare += ["--people", str(options.people), "--seed", str(options.seed)]
        subprocess.run([*prepare, *([] if options.no_whole else ["--whole"])], check=True)
        about: dict[str, Any] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        commands = own_commands(folder / "site", about["answers"]["completed years"])
        environments = (options.environments or folder / "environments").resolve()
        environments.mkdir(parents=True, exist_ok=True)
        peers, not_run = ([], {}) if options.no_peers else ask_peers(folder, environments, about["answers"])
        found = ask_in_turns([*commands, *peers], options.turns)
    measured = result(found, not_run, about)
    write_result(options.out, "cohorts", measured, page(measured))
    return int(any(one.problem for one in found if one.asked.peer is None))


def _expected(options: argparse.Namespace) -> str:
    """What it takes, judged by 100,000 people; two cores that nothing else uses."""
    millions = options.people / 1_000_000
    if options.no_whole or options.no_peers:
        return f"expect {2 + 5 * millions:.0f} minutes and {1 + 3 * millions:.0f} GB of memory"
    return (
        f"expect {4 + 10 * millions:.0f} minutes, {1 + 6 * millions:.0f} GB of memory, {4 * millions:.1f} GB of disk, "
        f"a peer over whole records up to {LIMIT_GB} GB; environments that are not kept take 5 minutes and 1.8 GB more"
    )


def own_commands(site: Path, people: int) -> list[Asked]:
    """DuckDB alone and riskstrat's commands, as a person would type them in the site's folder."""
    python, riskstrat = sys.executable, str(Path(sys.executable).parent / "riskstrat")
    features = "output/latest/features.parquet"
    bare = (
        "import duckdb\n"
        f'print(duckdb.sql("""SELECT count(*) FROM \'{features}\' WHERE {WHERE}""").fetchall()[0][0])'
    )
    cohort = (riskstrat, "cohort")
    query = ("--limit", str(ROWS), "--format", "csv")
    rows = min(ROWS, people)

    def asked(name: str, label: str, command: tuple[str, ...], read: Any, right: int | None) -> Asked:
        return Asked(name, label, command, read, right, site)

    return [
        asked("import", '`python -c "import duckdb"`', (python, "-c", "import duckdb"), nothing, None),
        asked("bare", "the same and the bare query", (python, "-c", bare), only_number, people),
        asked(
            "count_where", "`cohort count --where`", (*cohort, "count", "--where", WHERE), only_number, people
        ),
        asked("count_name", "`cohort count NAME`", (*cohort, "count", COHORT), only_number, people),
        asked("attrition", "`cohort attrition NAME`", (*cohort, "attrition", COHORT), nothing, None),
        asked(
            "query_where",
            f"`cohort query --where`, {ROWS} rows",
            (*cohort, "query", "--where", WHERE, *query),
            rows_after_heading,
            rows,
        ),
        asked(
            "query_name",
            f"`cohort query NAME`, {ROWS} rows",
            (*cohort, "query", COHORT, *query),
            rows_after_heading,
            rows,
        ),
    ]


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, people=1_000_000, gigabytes=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--no-peers", action="store_true", help="riskstrat and DuckDB only")
    parser.add_argument("--no-whole", action="store_true", help="the peers on cut-down tables only")
    parser.add_argument(
        "--environments", type=Path, default=None, help="where the peers' environments are kept (1.8 GB)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
