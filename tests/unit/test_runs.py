"""Published runs: which one is meant, whether it is unchanged, and what a reading connection can reach."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

from riskstrat.errors import MisuseError, NothingPublishedError, RiskstratError
from riskstrat.runs import Run, feature_types, file_hash, find_run, latest, list_runs, open_run, verify_run


def publish(output: Path, run: str, *, second: int = 0, point: bool = True) -> Run:
    """A small published run with one feature table of two people."""
    folder = output / "runs" / run
    (folder / "cohorts").mkdir(parents=True)
    features = folder / "features.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * FROM (VALUES ('a1', 70), ('b2', 80)) AS people (person_id, age)) "
            f"TO '{str(features).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)"
        )
    (folder / "cohorts" / "old.parquet").write_bytes(b"members")
    files = {path.relative_to(folder).as_posix(): file_hash(path) for path in folder.rglob("*.parquet")}
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"run": run, "files": files}), encoding="utf-8")
    os.utime(manifest, (1_700_000_000 + second, 1_700_000_000 + second))
    if point:
        (output / "latest").unlink(missing_ok=True)
        (output / "latest").symlink_to(Path("runs") / run)
    return Run(run, folder)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def test_runs_are_ordered_by_date_and_then_by_when_they_were_published(output: Path) -> None:
    publish(output, "20260402-bbbb", second=1)
    publish(output, "20260401-ffff", second=2)
    publish(output, "20260401-aaaa", second=3)
    assert [run.id for run in list_runs(output)] == ["20260401-ffff", "20260401-aaaa", "20260402-bbbb"]


def test_the_latest_stands_last_among_the_runs_of_its_date(output: Path) -> None:
    publish(output, "20260401-aaaa", second=1)
    publish(output, "20260401-bbbb", second=9, point=False)
    assert [run.id for run in list_runs(output)] == ["20260401-bbbb", "20260401-aaaa"]


def test_unfinished_and_foreign_folders_are_no_runs(output: Path) -> None:
    publish(output, "20260401-aaaa")
    for name in (".20260402-bbbb.partial", "20260403-cccc", "notes"):
        (output / "runs" / name).mkdir()
    (output / "runs" / ".20260402-bbbb.partial" / "manifest.json").write_text("{}", encoding="utf-8")
    assert [run.id for run in list_runs(output)] == ["20260401-aaaa"]


def test_latest_is_where_the_pointer_points_even_when_a_newer_date_was_published(output: Path) -> None:
    publish(output, "20260402-bbbb")
    publish(output, "20260401-aaaa")
    assert latest(output).id == "20260401-aaaa"
    assert find_run(output).as_of == date(2026, 4, 1)


def test_nothing_published_names_the_command_that_publishes(output: Path) -> None:
    for find in (lambda: latest(output), lambda: find_run(output, "20260401-aaaa")):
        with pytest.raises(
            NothingPublishedError, match=r"nothing has been published yet.*riskstrat run --as-of"
        ):
            find()


def test_pointer_to_a_removed_run_is_said_and_other_runs_stay_readable(output: Path) -> None:
    publish(output, "20260401-aaaa")
    (output / "latest").unlink()
    (output / "latest").symlink_to("runs/20260402-gone")
    with pytest.raises(NothingPublishedError, match="20260402-gone, is not there"):
        latest(output)
    assert find_run(output, "20260401-aaaa").id == "20260401-aaaa"


def test_run_of_a_date_is_the_newest_of_that_date(output: Path) -> None:
    publish(output, "20260401-aaaa", second=2)
    publish(output, "20260401-bbbb", second=1)
    publish(output, "20260402-cccc", second=3)
    assert find_run(output, as_of=date(2026, 4, 1)).id == "20260401-aaaa"
    with pytest.raises(NothingPublishedError, match="no run was published as of 2026-04-03"):
        find_run(output, as_of=date(2026, 4, 3))


@pytest.mark.parametrize("name", ["../../etc", "/etc", "", ".", "20260401-AAAA", "20260401-aaa"])
def test_only_the_id_of_a_published_run_names_one(output: Path, name: str) -> None:
    publish(output, "20260401-aaaa")
    with pytest.raises(NothingPublishedError, match="use one of 20260401-aaaa"):
        find_run(output, name)


def test_a_run_is_named_in_one_way(output: Path) -> None:
    with pytest.raises(MisuseError, match="give one of them"):
        find_run(output, "20260401-aaaa", date(2026, 4, 1))


def test_unchanged_run_verifies(output: Path) -> None:
    assert verify_run(publish(output, "20260401-aaaa")) == []


def test_every_kind_of_change_is_found(output: Path) -> None:
    run = publish(output, "20260401-aaaa")
    (run.folder / "features.parquet").write_bytes(b"other")
    (run.folder / "cohorts" / "old.parquet").unlink()
    (run.folder / "cohorts" / "new.parquet").write_bytes(b"new")
    assert verify_run(run) == [
        "cohorts/old.parquet: is missing.",
        "cohorts/new.parquet: is not in the manifest.",
        "features.parquet: is not what was published.",
    ]


def test_a_link_in_place_of_a_file_is_found(output: Path, tmp_path: Path) -> None:
    run = publish(output, "20260401-aaaa")
    moved = (run.folder / "features.parquet").rename(tmp_path / "moved.parquet")
    (run.folder / "features.parquet").symlink_to(moved)
    assert verify_run(run) == ["features.parquet: is a link, not a file."]


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"'])
def test_unreadable_manifest_is_damage(output: Path, content: str) -> None:
    run = publish(output, "20260401-aaaa")
    (run.folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(RiskstratError, match="the published run is damaged"):
        _ = Run(run.id, run.folder).manifest


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and nothing more"])
def test_unreadable_features_are_damage(output: Path, content: bytes | None) -> None:
    run = publish(output, "20260401-aaaa")
    (run.folder / "features.parquet").unlink()
    if content is not None:
        (run.folder / "features.parquet").write_bytes(content)
    with pytest.raises(RiskstratError, match="the published run is damaged"):
        open_run(run)


def test_reading_connection_sees_the_features(output: Path) -> None:
    with open_run(publish(output, "20260401-aaaa")) as connection:
        assert connection.execute("SELECT person_id, age FROM features ORDER BY age").fetchall() == [
            ("a1", 70),
            ("b2", 80),
        ]
        assert feature_types(connection) == {"person_id": "VARCHAR", "age": "INTEGER"}


def test_folders_with_unusual_names_are_read(tmp_path: Path) -> None:
    output = tmp_path / "it's [1] 100% *ok*" / "output"
    output.mkdir(parents=True)
    with open_run(publish(output, "20260401-aaaa")) as connection:
        assert connection.execute("SELECT count(*) FROM features").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT content FROM read_text('{folder}/../../../secret.txt')",
        "SELECT content FROM read_text('{outside}/secret.txt')",
        "SELECT content FROM read_csv('{outside}/secret.txt')",
        "SELECT * FROM '{outside}/secret.txt'",
        "SELECT * FROM glob('{outside}/*')",
        "SELECT * FROM read_csv('https://127.0.0.1/x.csv')",
        "COPY features TO '{outside}/stolen.csv'",
        "COPY features TO '{folder}/../stolen.csv'",
        "EXPORT DATABASE '{outside}/stolen'",
        "ATTACH '{outside}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET lock_configuration = false",
        "RESET lock_configuration",
        "SET threads = 1",
        "PRAGMA enable_profiling",
    ],
)
def test_reading_connection_reaches_nothing_but_the_run(output: Path, tmp_path: Path, statement: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    run = publish(output, "20260401-aaaa")
    with open_run(run) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement.format(folder=run.folder, outside=tmp_path)).fetchall()
    assert not list(tmp_path.glob("**/stolen*"))


def test_a_second_connection_of_the_process_is_not_unlocked_by_the_first(output: Path) -> None:
    run = publish(output, "20260401-aaaa")
    with open_run(run), open_run(run) as second, pytest.raises(duckdb.Error):
        second.execute("SET enable_external_access = true")
