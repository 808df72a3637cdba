"""After link no NHS number, name or postcode is in any byte that a run writes, for however short a time.

A town's run is made to spill. While it runs, every file that appears in its work folder, among its outputs and in its
folder for temporary files is kept (a hard link, so that what is deleted is still there to be read), its database is
read at the end of every stage, and what it prints is kept too. ``tests/identifiers.py`` says what is looked for, in
which encodings.
"""

from __future__ import annotations

import gzip
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from riskstrat import pipeline
from riskstrat.site import write_default_site
from riskstrat.stages.context import Context
from tests.end_to_end.command import Answer, riskstrat
from tests.identifiers import Identifiers

AS_OF = "2026-04-01"
KEY = bytes(
    range(100, 132)
)  # the same in every run of the test: random identifiers could hold a number by chance
LEAST_MEMORY, USUAL_MEMORY = "40MB", "2GB"
WATCH_SECONDS = 0.003
Change = Callable[[Context], None]


@dataclass
class Watched:
    """What a run left and what it only held for a while."""

    site: Path
    answer: Answer
    identifiers: Identifiers
    kept: list[Path] = field(default_factory=list)
    spilled_bytes: int = 0
    in_tables: list[str] = field(default_factory=list)

    def found(self) -> list[str]:
        """Every identifier in any of it."""
        left = [
            path
            for folder in (self.site / "output", self.site / "state")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and path.parent != self.site / "state" / "vault"
        ]
        found = list(self.in_tables)
        for path in {path.stat().st_ino: path for path in [*left, *self.kept]}.values():
            found += self.identifiers.found_in_file(path)
        for name, text in (("stdout", self.answer.out), ("stderr", self.answer.err)):
            found += [f"{name}: {one}" for one in self.identifiers.found_in(text.encode())]
        return found


def watched_run(
    folder: Path, capsys: pytest.CaptureFixture[str], people: int, after_link: Change | None = None
) -> Watched:
    """Make a town and run it once under watch; ``after_link`` may do something to the run that is found."""
    site, temporary = folder / "site", folder / "temporary"
    temporary.mkdir(parents=True)
    write_default_site(site)
    assert riskstrat(capsys, site, "keys", "init").code == 0
    (site / "keys" / "site.key").write_bytes(KEY)
    arguments = ("--people", str(people), "--seed", "5", "--faults", "--as-of", AS_OF)
    assert riskstrat(capsys, site, "demo", *arguments).code == 0
    identifiers = Identifiers.of_landing(site / "landing")
    for path in (site / "landing").glob("*/acute_episodes.csv"):  # one that comes through a pipe
        path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
        path.unlink()
    watched = Watched(site, Answer(0, "", ""), identifiers)
    before = pipeline.STAGES, pipeline.ingest, tempfile.tempdir
    pipeline.STAGES = tuple(_looked_at(stage, watched, after_link) for stage in pipeline.STAGES)
    pipeline.ingest = pipeline.STAGES[0]  # what follows this stage follows it here too
    tempfile.tempdir = str(temporary)
    try:
        with _kept(
            watched, (site / "state" / "scratch", site / "output" / "runs", temporary), folder / "kept"
        ):
            watched.answer = riskstrat(capsys, site, "run", "--as-of", AS_OF)
    finally:
        pipeline.STAGES, pipeline.ingest, tempfile.tempdir = before
    return watched


def _looked_at(stage: Change, watched: Watched, after_link: Change | None) -> Change:
    """The stage; at its end the tables are read, and once no identifier may be there, memory is made scarce."""
    seen: set[str] = set()

    def then_looked_at(context: Context) -> None:
        stage(context)
        if stage.__name__ == "link" and after_link:
            after_link(context)
        connection = context.engine.connection
        watched.in_tables += [
            f"after {stage.__name__}, {one}" for one in watched.identifiers.found_in_tables(connection, seen)
        ]
        if stage.__name__ not in ("ingest", "publish"):
            _force_spilling(connection)
        spill = context.engine.database.parent / "spill"
        watched.spilled_bytes += sum(path.stat().st_size for path in spill.glob("*") if path.is_file())

    then_looked_at.__name__ = stage.__name__
    return then_looked_at


def _force_spilling(connection: duckdb.DuckDBPyConnection) -> None:
    """Sort more rows of the register than memory holds, so that DuckDB writes out whatever it can do without."""
    connection.execute(f"SET memory_limit = '{LEAST_MEMORY}'")
    with suppress(duckdb.OutOfMemoryException):
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE much AS SELECT gp_patients.*, copies.copy FROM gp_patients, "
            "range(60) AS copies(copy) ORDER BY md5(CAST(person AS VARCHAR) || CAST(copy AS VARCHAR))"
        )
    connection.execute("DROP TABLE IF EXISTS much")
    connection.execute(f"SET memory_limit = '{USUAL_MEMORY}'")


@contextmanager
def _kept(watched: Watched, folders: tuple[Path, ...], room: Path) -> Iterator[None]:
    """Link every file that appears in the folders into ``room``, at once and again when the name is a new file's."""
    room.mkdir()
    over, seen = threading.Event(), set()

    def look() -> None:
        for folder in folders:
            for parent, _, names in os.walk(folder):
                for name in names:
                    path = Path(parent) / name
                    with suppress(OSError):  # it is gone again
                        status = path.lstat()
                        if stat.S_ISREG(status.st_mode) and status.st_ino not in seen:
                            kept = room / f"{len(seen)}_{name}"
                            os.link(path, kept)
                            seen.add(status.st_ino)
                            watched.kept.append(kept)

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def test_no_identifier_is_in_any_byte_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    watched = watched_run(tmp_path, capsys, people=3000)
    assert watched.answer.code == 0, watched.answer.err
    # what was looked for, and where: a scan of nothing would find nothing
    assert len(watched.identifiers.numbers) > 3000
    assert len(watched.identifiers.pairs) > 500
    assert len(watched.identifiers.postcodes) > 100
    names = " ".join(path.name for path in watched.kept)
    for kind in ("run.duckdb", "run.duckdb.wal", "duckdb_temp", "features.parquet", "index.html", ".csv"):
        assert kind in names, kind
    assert list((watched.site / "state" / "read").glob("*/rows.parquet")), "what is remembered is scanned too"
    assert watched.spilled_bytes > 1_000_000
    assert watched.found() == []
    landing = next((watched.site / "landing").glob("*/gp_patients.csv"))
    kinds = {one.split(": ")[-1] for one in watched.identifiers.found_in_file(landing)}
    assert {"an NHS number as text of 10 bytes", "a postcode"} <= kinds, "the scanner finds what is there"


def test_scan_finds_one_number_in_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    planted: list[str] = []

    def plant(context: Context) -> None:
        (number,) = sorted(identifiers_of(tmp_path).numbers)[:1]
        planted.append(number.decode())
        context.engine.execute(f"CREATE TABLE planted AS SELECT {number.decode()} AS reference")
        context.engine.execute("CHECKPOINT")

    watched = watched_run(tmp_path, capsys, people=200, after_link=plant)
    assert watched.answer.code == 0, watched.answer.err
    assert planted
    assert any("table planted" in one for one in watched.found())


def identifiers_of(folder: Path) -> Identifiers:
    return Identifiers.of_landing(folder / "site" / "landing")
