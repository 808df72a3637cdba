"""Published runs: finding one, checking that nothing in it changed, and reading it and nothing else.

Only the standard library is imported here, and DuckDB when a run is opened: every reading command starts with
this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.errors import MisuseError, NothingPublishedError, RiskstratError
from riskstrat.sqltext import literal

if TYPE_CHECKING:
    import duckdb

MANIFEST = "manifest.json"
LATEST = "latest"
RUN_ID = re.compile(r"(?P<as_of>\d{8})-?[0-9a-z]{4,64}")
RUN_REMEDY = "publish one with: riskstrat run --as-of DATE"


@dataclass(frozen=True)
class Run:
    """One folder ``output/runs/RUN``. It is never changed after it was published."""

    id: str
    folder: Path

    @property
    def as_of(self) -> date:
        """The run's date, exclusive: the first eight digits of its id."""
        return date.fromisoformat(self.id[:8])

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The run's ``manifest.json``. Raises RiskstratError when it cannot be read."""
        path = self.folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict):
            raise _damaged(self, path)
        return content

    def cohorts(self) -> list[str]:
        """The names of the cohorts that the run selected."""
        return sorted(path.stem for path in (self.folder / "cohorts").glob("*.parquet"))


def list_runs(output: Path) -> list[Run]:
    """Every published run, newest last: by ``as_of``, then by when it was published.

    The run that ``output/latest`` names stands last among those of its date.
    """
    newest = _latest_id(output)
    found = []
    for folder in (output / "runs").glob("*"):
        match = RUN_ID.fullmatch(folder.name)
        manifest = folder / MANIFEST
        if match and manifest.is_file():
            order = (match["as_of"], folder.name == newest, manifest.stat().st_mtime_ns, folder.name)
            found.append((order, Run(folder.name, folder)))
    return [run for _, run in sorted(found, key=lambda pair: pair[0])]


def latest(output: Path) -> Run:
    """The run that ``output/latest`` names. Raises NothingPublishedError when there is none."""
    name = _latest_id(output)
    if name is None:
        raise NothingPublishedError("nothing has been published yet.", remedy=RUN_REMEDY)
    folder = output / "runs" / name
    if not RUN_ID.fullmatch(name) or not (folder / MANIFEST).is_file():
        raise NothingPublishedError(
            f"the latest run, {name}, is not there.",
            file=output / LATEST,
            remedy="name another with --run (riskstrat runs list), or publish: riskstrat run --as-of DATE",
        )
    return Run(name, folder)


def find_run(output: Path, run: str | None = None, as_of: date | None = None) -> Run:
    """The named run, else the newest of a date, else the latest.

    Raises NothingPublishedError, or MisuseError where both are given.
    """
    if run is not None and as_of is not None:
        raise MisuseError("--run and --as-of name a run in two ways.", remedy="give one of them.")
    if run is None and as_of is None:
        return latest(output)
    known = list_runs(output)
    if not known:
        raise NothingPublishedError("nothing has been published yet.", remedy=RUN_REMEDY)
    wanted = [one for one in known if one.id == run or (run is None and one.as_of == as_of)]
    if wanted:
        return wanted[-1]
    import difflib

    what = f"there is no run '{run}'." if as_of is None else f"no run was published as of {as_of}."
    wanted_id = run if run is not None else f"{as_of:%Y%m%d}"
    near = difflib.get_close_matches(wanted_id, [one.id for one in known], n=3, cutoff=0.5)
    raise NothingPublishedError(
        what, remedy=f"use one of {', '.join(near or [known[-1].id])} (riskstrat runs list)."
    )


def run_before(output: Path, run: Run) -> Run:
    """The newest run of an earlier date than ``run``. Raises NothingPublishedError when there is none."""
    earlier = [one for one in list_runs(output) if one.as_of < run.as_of]
    if not earlier:
        raise NothingPublishedError(
            f"no run of an earlier date than {run.as_of} was published.",
            remedy="name the run to compare with: --from RUN (riskstrat runs list).",
        )
    return earlier[-1]


def verify_run(run: Run) -> list[str]:
    """What is wrong with the run's files: missing, changed, or not in its manifest."""
    expected: dict[str, str] = run.manifest.get("files", {})
    present = {
        path.relative_to(run.folder).as_posix(): path
        for path in sorted(run.folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }
    present.pop(MANIFEST, None)
    problems = [f"{name}: is missing." for name in sorted(expected.keys() - present.keys())]
    problems += [f"{name}: is not in the manifest." for name in sorted(present.keys() - expected.keys())]
    for name in sorted(expected.keys() & present.keys()):
        if present[name].is_symlink():
            problems.append(f"{name}: is a link, not a file.")
        elif file_hash(present[name]) != expected[name]:
            problems.append(f"{name}: is not what was published.")
    return problems


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal text."""
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_run(run: Run, threads: int = 2, *, earlier: Run | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory database with the view ``features`` that can read the run's folder and nothing else.

    With ``earlier`` also that run's folder, and the view ``earlier_features``. Raises RiskstratError when a feature
    table cannot be read.
    """
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    opened = {"features": run} if earlier is None else {"features": run, "earlier_features": earlier}
    for view, one in opened.items():
        path = one.folder.resolve() / "features.parquet"
        try:
            connection.execute(f"CREATE VIEW {view} AS FROM read_parquet({literal(str(path))})")
        except duckdb.Error:
            connection.close()
            raise _damaged(one, path) from None
    folders = ", ".join(literal(str(one.folder.resolve())) for one in opened.values())
    # in this order: the list of folders cannot be set once external access is off
    connection.execute(f"SET allowed_directories = [{folders}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def feature_types(connection: duckdb.DuckDBPyConnection, view: str = "features") -> dict[str, str]:
    """Name to DuckDB type of the columns of ``features``, in order."""
    return {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE {view}").fetchall()}


def damage(run: Run, paths: Sequence[str]) -> RiskstratError:
    """The error for a run whose files are not what was published (exit 1)."""
    listing = "\n  ".join(paths)
    return RiskstratError(
        f"{len(paths)} of the files are not what was published:\n  {listing}\n",
        file=run.folder,
        remedy="restore the folder from its backup, or remove it and publish again.",
    )


def _latest_id(output: Path) -> str | None:
    pointer = output / LATEST
    return pointer.readlink().name if pointer.is_symlink() else None


def _damaged(run: Run, path: Path) -> RiskstratError:
    return RiskstratError(
        "cannot be read; the published run is damaged.",
        file=path,
        remedy=f"see: riskstrat runs verify {run.id}",
    )
