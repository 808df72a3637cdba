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
NEW_IDS = "new_ids"
IDENTIFIER = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# What decides a run's id; see the pipeline.
IDENTITY = ("as_of", "code_version", "key", "inputs", "definitions")
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

    def find_all(self, runs: Iterable[Run]) -> int:
        """Find a new identifier for everybody in the runs of whom nothing is known; how many there are."""
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

    def files_of_people(self, run: Run) -> list[Path]:
        """The Parquet files of a run that have a row or more a person."""
        import pyarrow.parquet as pq

        return [
            path for path in sorted(run.folder.rglob("*.parquet")) if PERSON_ID in pq.read_schema(path).names
        ]

    def touches(self, run: Run) -> bool:
        """Whether a file of the run names somebody who gets another identifier, or none."""
        return any(self._rows_of(path, f"FROM {NEW_IDS}") for path in self.files_of_people(run))

    def rewrite(self, run: Run, folder: Path, key: str, because: str) -> Replacement:
        """Write the run's replacement below ``folder``; files that name nobody are linked and not copied."""
        manifest: dict[str, Any] = {
            **run.manifest,
            "key": key,
            "replaces": {"run": run.id, "because": because},
        }
        name = _run_id(manifest)
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
            elif target != made.folder / MANIFEST and self._rewrite_text(path, target, run.id, name):
                made.changed.append(target.relative_to(made.folder).as_posix())
        self._write_manifest(manifest, made)
        return made

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
        order = "new_ids.place, file_row_number" if self._is_by_person(path) else "file_row_number"
        self.engine.export(
            f"SELECT source.* EXCLUDE (file_row_number) REPLACE (COALESCE({NEW_IDS}.new, source.{PERSON_ID}) "
            f"AS {PERSON_ID}) FROM {source} AS source LEFT JOIN {NEW_IDS} ON {NEW_IDS}.old = source.{PERSON_ID} "
            f"WHERE {NEW_IDS}.old IS NULL OR {NEW_IDS}.new IS NOT NULL ORDER BY {order}",
            target,
            rows_a_group=_rows_a_group(path),
        )
        return self._rows_of(path, f"FROM {NEW_IDS} WHERE new IS NULL")

    def _is_by_person(self, path: Path) -> bool:
        """Whether the rows of a file are to stand in the order of new identifiers.

        A short list of ranked people can be in the order of their identifiers by chance; it stays as it is ranked.
        """
        import pyarrow.parquet as pq

        if not self.reorders or RANK in pq.read_schema(path).names:
            return False
        return not self.engine.rows(
            f"SELECT 1 FROM (SELECT {PERSON_ID} < lag({PERSON_ID}) OVER () AS is_less "
            f"FROM read_parquet({literal(str(path))})) WHERE is_less LIMIT 1"
        )

    def _rows_of(self, path: Path, people: str) -> int:
        ((rows,),) = self.engine.rows(
            f"SELECT count(*) FROM read_parquet({literal(str(path))}) "
            f"WHERE {PERSON_ID} IN (SELECT old {people})"
        )
        return int(rows)

    def _rewrite_text(self, path: Path, target: Path, old_run: str, new_run: str) -> bool:
        """Write a text file with new identifiers; whether it differs. Lines of a CSV about the erased go."""
        content = path.read_bytes()
        new = self._new_of(content)
        if path.suffix == ".csv":
            content = b"".join(
                record
                for record in _records(content)
                if not any(new.get(found, b"") is None for found in IDENTIFIER.findall(record))
            )
        content = self._with_new_ids(content, new).replace(old_run.encode(), new_run.encode())
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
