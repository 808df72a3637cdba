"""A full disk, too little memory, two runs at once: a clear message, and what was published stays as it was."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.engines.duckdb import DuckDBEngine
from tests import small_town
from tests.end_to_end.command import Answer, riskstrat

AS_OF = small_town.AS_OF.isoformat()
# As DuckDB says it on a disk that is full; a commit and a write fail in errors of different kinds.
NO_ROOM = 'Could not write file "run.duckdb": No space left on device'
COMMIT = duckdb.TransactionException(f"TransactionContext Error: Failed to commit: {NO_ROOM}")
WRITE = duckdb.IOException(f"IO Error: {NO_ROOM}")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town.write_site_of_last_night(tmp_path_factory.mktemp("room") / "site")


@pytest.fixture
def tonight(published: Path, tmp_path: Path) -> Path:
    site = tmp_path / "site"
    shutil.copytree(published, site, symlinks=True)
    return site


def tonights_run(site: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    return riskstrat(capsys, site, "run", "--as-of", AS_OF)


def expect_untouched(site: Path, before: Path) -> None:
    output = site / "output"
    assert (output / "latest").readlink() == before
    assert [path.name for path in (output / "runs").iterdir()] == [before.name]
    assert not (site / "state" / "scratch").exists()


def expect_clean_run(site: Path, before: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tonights_run(site, capsys).code == 0
    assert (site / "output" / "latest").readlink() != before
    assert riskstrat(capsys, site, "runs", "verify", "latest").code == 0


def failing_at(beginning: str, problem: Exception) -> Callable[..., Any]:
    def execute(
        engine: DuckDBEngine, statement: str, parameters: dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        if statement.startswith(beginning):
            raise problem
        return EXECUTE(engine, statement, parameters)

    return execute


EXECUTE = DuckDBEngine.execute


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("INSERT INTO", COMMIT),  # reading the first file
        ('CREATE TABLE "in_scope_practices"', COMMIT),  # a file of pipelines/
        ('CREATE TABLE "in_scope_practices"', WRITE),
        ("COPY", WRITE),  # the first published file
    ],
)
def test_full_disk_is_named_and_nothing_else_is_blamed(
    tonight: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    problem: Exception,
):
    before = (tonight / "output" / "latest").readlink()
    with monkeypatch.context() as patched:
        patched.setattr(DuckDBEngine, "execute", failing_at(statement, problem))
        answer = tonights_run(tonight, capsys)
    assert answer.code == 1, answer.err
    last = answer.err.splitlines()[-1]
    assert "the disk is full" in last
    assert "free some space and run again; the last published run is untouched" in last
    assert "SQL" not in last
    assert "damaged" not in last
    expect_untouched(tonight, before)
    if statement == "COPY":
        expect_clean_run(tonight, before, capsys)


def test_disk_that_is_full_when_a_page_is_written_is_named(
    tonight: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    before = (tonight / "output" / "latest").readlink()
    write_text = Path.write_text

    def full(path: Path, *arguments: Any, **options: Any) -> int:
        if path.name == "manifest.json":
            raise OSError(28, os.strerror(28), str(path))
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    answer = tonights_run(tonight, capsys)
    assert answer.code == 1
    assert "No space left on device" in answer.err.splitlines()[-1]
    assert "the last published run is untouched" in answer.err.splitlines()[-1]
    expect_untouched(tonight, before)


def test_memory_limit_that_is_too_small_names_the_setting_to_raise(
    tonight: Path, capsys: pytest.CaptureFixture[str]
):
    before = (tonight / "output" / "latest").readlink()
    settings = tonight / "config" / "site.yaml"
    settings.write_text(f"{settings.read_text()}\nmemory_limit: 8MB\n")
    answer = tonights_run(tonight, capsys)
    assert answer.code == 1
    last = answer.err.splitlines()[-1]
    assert "site.yaml" in last
    assert "memory_limit" in last
    assert "needs more memory than its limit (8MB)" in last
    assert "raise the limit" in last
    expect_untouched(tonight, before)


def test_second_run_at_once_is_refused_and_leaves_the_first_its_tables(
    tonight: Path, capsys: pytest.CaptureFixture[str]
):
    before = (tonight / "output" / "latest").readlink()
    tables = tonight / "state" / "scratch" / "20260401-first" / "run.duckdb"
    building = tonight / "output" / "runs" / ".20260401-first.partial" / "features.parquet"
    for file in (tables, building):
        file.parent.mkdir(parents=True)
        file.touch()
    with (tonight / "state" / "run.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        answer = tonights_run(tonight, capsys)
    assert answer.code == 7
    assert "another run of this site is going on" in answer.err
    assert "wait until it has ended" in answer.err
    assert tables.exists()
    assert building.exists()
    assert (tonight / "output" / "latest").readlink() == before
