"""A published run written again with other person identifiers, or without some people, file by file.

Nothing else changes: rows that stood in the order of the identifiers stand in the order of the new ones, every other
order (a rank) stays, and counts that were published stay as they were.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.runs import MANIFEST, Run, file_hash
from riskstrat.sqltext import literal

PERSON_ID, RANK = "person_id", "rank"
RANKS = (RANK, "place")
UNDER_HEADINGS = (
    "area_code",
    "section",
    RANK,
)  # of lists: people without a rank stand in the order of identifiers
NEW_IDS = "new_ids"
IDENTIFIER = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# What decides a run's id; see the pipeline.
IDENTITY = ("as_of", "code_version", "key", "inputs", "definitions", "model", "earlier", "returns", "erased")
USUAL_ROWS_A_GROUP = 122_880
ERASED = "erased"


@dataclass
class Replacement:
    """One run's replacement as it is being built: its id, and how many rows of people who are erased it lacks."""

    old: Run
    run: str
    folder: Path
    rows_removed: int = 0
    changed: list[str] = field(default_factory=list)


class Rewriter:
    """Old and new identifiers in a database of their own, and the files that are written through them.

    ``find_new`` gives the new identifier of an old one that nothing is known of; None leaves it as it is.
    """

    def __init__(self, engine: DuckDBEngine, find_new: Callable[[str], str] | None = None) -> None:
        self.engine = engine
        self.find_new = find_new
        self.reorders = find_new is not None
        self.new_runs: dict[str, str] = {}

    def know(self, ids: Iterable[tuple[str, str | None]]) -> None:
        """Take old identifiers with their new ones; None is somebody who is erased."""
        import pyarrow as pa

        pairs = list(ids)
        table = pa.table(
            {
                "old": pa.array([old for old, _ in pairs], pa.string()),
                "new": pa.array([new for _, new in pairs], pa.string()),
            }
        )
        self.engine.connection.register("given_ids", table)
        self.engine.execute(f"CREATE OR REPLACE TABLE {NEW_IDS} AS SELECT old, new FROM given_ids")
        self.engine.connection.unregister("given_ids")

    def find_all(self, runs: Iterable[Run], beside: Iterable[str] = ()) -> int:
        """Find a new identifier for everybody in the runs, or ``beside`` them, of whom nothing is known; how many."""
        if self.find_new is None:
            return 0
        files = [path for run in runs for path in self.files_of_people(run)]
        listed = ", ".join(literal(str(path)) for path in files)
        strangers: list[str] = []
        if files:
            strangers = [
                str(old)
                for (old,) in self.engine.rows(
                    f"SELECT DISTINCT {PERSON_ID} FROM read_parquet([{listed}], union_by_name = true) "
                    f"WHERE {PERSON_ID} IS NOT NULL AND {PERSON_ID} NOT IN (SELECT old FROM {NEW_IDS})"
                )
            ]
        others = set(beside).difference(strangers)
        strangers += sorted(others - self.new_ids(others).keys())
        self.engine.load(
            "strangers",
            (("old", "VARCHAR"), ("new", "VARCHAR")),
            [(old, self.find_new(old)) for old in strangers],
        )
        self.engine.execute(
            f"CREATE OR REPLACE TABLE {NEW_IDS} AS SELECT old, new, row_number() OVER (ORDER BY new) AS place "
            f"FROM (FROM {NEW_IDS} UNION ALL FROM strangers)"
        )
        self.engine.execute("DROP TABLE strangers")
        return len(strangers)

    def new_ids(self, people: Iterable[str]) -> dict[str, str | None]:
        """The new identifiers of these people, None for those who are erased; who keeps the old one is not in it."""
        self.engine.load("asked", (("old", "VARCHAR"),), [(one,) for one in sorted(set(people))])
        rows = self.engine.rows(f"SELECT old, new FROM {NEW_IDS} SEMI JOIN asked USING (old)")
        self.engine.execute("DROP TABLE asked")
        return {str(old): None if new is None else str(new) for old, new in rows}

    def files_of_people(self, run: Run) -> list[Path]:
        """The Parquet files of a run that have a row or more a person."""
        import pyarrow.parquet as pq

        return [
            path for path in sorted(run.folder.rglob("*.parquet")) if PERSON_ID in pq.read_schema(path).names
        ]

    def touches(self, run: Run) -> bool:
        """Whether a run is to be rewritten: it names somebody who is erased, or a run that was rewritten before it.

        With new identifiers every run is: its manifest says of which key it is.
        """
        return (
            self.reorders
            or any(old in json.dumps(run.manifest) for old in self.new_runs)
            or any(self._rows_of(path, f"FROM {NEW_IDS}") for path in self.files_of_people(run))
        )

    def rewrite(self, run: Run, folder: Path, key: str, because: str) -> Replacement:
        """Write the run's replacement below ``folder``; files that name nobody are linked and not copied.

        Runs that lists were compared with, or whose scores were held against what happened, are named as they are
        called now, so they are to be rewritten before.
        """
        manifest: dict[str, Any] = {
            **run.manifest,
            "key": key,
            "replaces": {"run": run.id, "because": because, "before": _former_ids(run)},
        }
        self._rename_earlier(manifest)
        name = _run_id(manifest)
        self.new_runs[run.id] = name
        made = Replacement(run, name, folder / name)
        made.folder.mkdir(parents=True)
        people = set(self.files_of_people(run))
        for path in sorted(run.folder.rglob("*")):
            target = made.folder / path.relative_to(run.folder)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                target.chmod(0o750)
            elif path in people:
                made.rows_removed += self._rewrite_parquet(path, target)
                made.changed.append(target.relative_to(made.folder).as_posix())
            elif path.suffix == ".parquet":
                _link(path, target)
            elif target != made.folder / MANIFEST and self._rewrite_text(path, target):
                made.changed.append(target.relative_to(made.folder).as_posix())
        self._write_manifest(manifest, made)
        return made

    def _rename_earlier(self, manifest: dict[str, Any]) -> None:
        if "earlier" in manifest:
            manifest["earlier"] = sorted(self.new_runs.get(run, run) for run in manifest["earlier"])
        if "model" in manifest:
            manifest["model"] = {
                name: self.new_runs.get(told, told) for name, told in manifest["model"].items()
            }
        if "lists" in manifest:
            manifest["lists"] = {
                name: {
                    **told,
                    "compared_with": self.new_runs.get(told["compared_with"], told["compared_with"]),
                }
                for name, told in manifest["lists"].items()
            }

    def _write_manifest(self, manifest: dict[str, Any], made: Replacement) -> None:
        manifest["run"] = made.run
        manifest["files"] = {
            path.relative_to(made.folder).as_posix(): file_hash(path)
            for path in sorted(made.folder.rglob("*"))
            if path.is_file()
        }
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        path = made.folder / MANIFEST
        path.write_bytes(self._with_new_ids(text.encode()))
        published = made.old.folder / MANIFEST
        os.utime(path, ns=(published.stat().st_atime_ns, published.stat().st_mtime_ns))

    def _rewrite_parquet(self, path: Path, target: Path) -> int:
        source = f"read_parquet({literal(str(path))}, file_row_number = true)"
        order = self._order_of(path)
        self.engine.export(
            f"SELECT source.* EXCLUDE (file_row_number) REPLACE (COALESCE({NEW_IDS}.new, source.{PERSON_ID}) "
            f"AS {PERSON_ID}) FROM {source} AS source LEFT JOIN {NEW_IDS} ON {NEW_IDS}.old = source.{PERSON_ID} "
            f"WHERE {NEW_IDS}.old IS NULL OR {NEW_IDS}.new IS NOT NULL ORDER BY {order}",
            target,
            rows_a_group=_rows_a_group(path),
        )
        return self._rows_of(path, f"FROM {NEW_IDS} WHERE new IS NULL")

    def _order_of(self, path: Path) -> str:
        """The order of a file's rows under new identifiers, as SQL.

        A short list of ranked people can be in the order of their identifiers by chance; it stays as it is ranked.
        """
        import pyarrow.parquet as pq

        names = pq.read_schema(path).names
        if self.reorders and set(UNDER_HEADINGS) <= set(names):
            area, section, rank = (f"source.{name}" for name in UNDER_HEADINGS)
            heading = f"min(file_row_number) OVER (PARTITION BY {area}, {section})"
            return f"{heading}, {rank} NULLS LAST, {NEW_IDS}.place, file_row_number"
        if not self.reorders or set(RANKS) & set(names):
            return "file_row_number"
        is_by_person = not self.engine.rows(
            f"SELECT 1 FROM (SELECT {PERSON_ID} < lag({PERSON_ID}) OVER () AS is_less "
            f"FROM read_parquet({literal(str(path))})) WHERE is_less LIMIT 1"
        )
        return f"{NEW_IDS}.place, file_row_number" if is_by_person else "file_row_number"

    def _rows_of(self, path: Path, people: str) -> int:
        ((rows,),) = self.engine.rows(
            f"SELECT count(*) FROM read_parquet({literal(str(path))}) "
            f"WHERE {PERSON_ID} IN (SELECT old {people})"
        )
        return int(rows)

    def _rewrite_text(self, path: Path, target: Path) -> bool:
        """Write a text file with new identifiers and runs; whether it differs. Lines of a CSV about the erased go."""
        content = path.read_bytes()
        new = self._new_of(content)
        if path.suffix == ".csv":
            content = b"".join(
                record
                for record in _records(content)
                if not any(new.get(found, b"") is None for found in IDENTIFIER.findall(record))
            )
        content = self._with_new_ids(content, new)
        for old_run, new_run in self.new_runs.items():
            content = content.replace(old_run.encode(), new_run.encode())
        if content == path.read_bytes():
            _link(path, target)
            return False
        target.write_bytes(content)
        return True

    def _with_new_ids(self, content: bytes, new: Mapping[bytes, bytes | None] | None = None) -> bytes:
        known = self._new_of(content) if new is None else new
        return IDENTIFIER.sub(
            lambda found: known[found[0]] or ERASED.encode() if found[0] in known else found[0], content
        )

    def _new_of(self, content: bytes) -> dict[bytes, bytes | None]:
        """The new identifiers of those that stand in a text."""
        wanted = sorted({found.decode() for found in IDENTIFIER.findall(content)})
        if not wanted:
            return {}
        listed = ", ".join(literal(one) for one in wanted)
        rows = self.engine.rows(f"SELECT old, new FROM {NEW_IDS} WHERE old IN ({listed})")
        return {str(old).encode(): str(new).encode() if new is not None else None for old, new in rows}


def _former_ids(run: Run) -> list[str]:
    """What a run was called before, the oldest first: teams send back lists that bear these."""
    former: Mapping[str, Any] = run.manifest.get("replaces") or {}
    return [*former.get("before", ()), *([former["run"]] if former else ())]


def _run_id(manifest: Mapping[str, Any]) -> str:
    identity = {name: manifest.get(name) for name in (*IDENTITY, "replaces")}
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return f"{str(manifest['as_of']).replace('-', '')}-{digest[:10]}"


def _records(content: bytes) -> Iterable[bytes]:
    """The records of a CSV file, each with its line break; a quoted value may hold line breaks."""
    record = b""
    for line in content.splitlines(keepends=True):
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record


def _rows_a_group(path: Path) -> int:
    """Rows of the largest group of a file that has several: readers rely on small ones."""
    import pyarrow.parquet as pq

    about = pq.ParquetFile(path).metadata
    if about.num_row_groups < 2:
        return USUAL_ROWS_A_GROUP
    return max(int(about.row_group(place).num_rows) for place in range(about.num_row_groups))


def _link(path: Path, target: Path) -> None:
    """The same bytes under another name: a published file never changes."""
    try:
        os.link(path, target)
    except OSError:  # a file system without links
        shutil.copyfile(path, target)
