"""The demo town on both engines: every table of the run, row for row, and every file that is published."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.demo.town import write_town
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.engines.spark import SparkEngine, SparkSettings, transpiled
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.keys import init_site_key
from riskstrat.pipeline import Outcome, run
from riskstrat.progress import Progress
from riskstrat.runs import list_runs
from riskstrat.site import Site, load_site, write_default_site
from riskstrat.sqltext import literal, quoted
from tests import small_town

AS_OF = date(2026, 4, 1)
PEOPLE = 700
# A JVM that lives for a minute gains nothing from code that is compiled twice, or from several threads of rubbish.
GENERATED = """
spark:
  conf:
    spark.sql.shuffle.partitions: "1"
    spark.driver.extraJavaOptions: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""
# Spark makes Java of every expression and compiles it, which takes longer than to interpret it for a small town.
QUICK = f"""{GENERATED}
    spark.sql.adaptive.enabled: false
    spark.sql.codegen.wholeStage: false
    spark.sql.codegen.factoryMode: NO_CODEGEN
    spark.buffer.pageSize: 1m
"""

needs_java = pytest.mark.skipif(
    shutil.which("java") is None, reason="Spark needs a JVM, and there is no java"
)
pytest.importorskip("pyspark")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("both-engines")
    write_default_site(root)
    init_site_key(root / "keys")
    folders = (root / "config" / name for name in ("codelists", "geography"))
    write_town(root / "landing", *folders, root / "data_contracts", people=PEOPLE, seed=5, faults=True)
    return load_site(root)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(QUICK, id="interpreted"),
        pytest.param(GENERATED, id="generated", marks=pytest.mark.slow),
    ],
)
def both(
    town: Site, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, Path, Outcome, Outcome]:
    """Every table of both runs as Parquet, and what they published."""
    (town.config / "site.yaml").write_text(request.param, encoding="utf-8")
    town = load_site(town.root)
    kept = {name: tmp_path_factory.mktemp(name) for name in ("duckdb", "spark")}
    close = DuckDBEngine.close
    outcomes = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in kept.items():

            def keep_tables(engine: DuckDBEngine, folder: Path = folder) -> None:
                for table, statement in _tables(engine):
                    engine.execute(f"COPY ({statement}) TO {literal(str(folder / table))} (FORMAT parquet)")
                close(engine)

            patch.setattr(DuckDBEngine, "close", keep_tables)
            # force: what the first run remembers of the files would leave the second fewer columns to compare
            outcomes[name] = run(town, AS_OF, engine=name, force=True, progress=Progress(quiet=True))
    return kept["duckdb"], kept["spark"], outcomes["duckdb"], outcomes["spark"]


def _tables(engine: DuckDBEngine) -> Iterator[tuple[str, str]]:
    """Tables and views by name; a view of a published file goes when the file is renamed, and the file is compared."""
    for (name,) in engine.rows("SELECT table_name FROM information_schema.tables ORDER BY table_name"):
        if name != "features":
            yield name, f"SELECT * FROM {quoted(name)}"


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two Parquet files: columns, types, or rows that one has and the other has not."""
    with duckdb.connect() as connection:
        described = [
            [row[:2] for row in connection.execute(f"DESCRIBE FROM {_file(path)}").fetchall()]
            for path in (one, other)
        ]
        if described[0] != described[1]:
            return [f"{one.name}: columns {set(described[0]) ^ set(described[1])}"]
        found = []
        for here, there in ((one, other), (other, one)):
            rows = connection.execute(
                f"SELECT count(*) FROM (FROM {_file(here)} EXCEPT ALL FROM {_file(there)})"
            ).fetchone()
            if rows != (0,):
                found.append(f"{one.name}: {rows} rows of {here.parent.name} alone")
        return found


def _file(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


@needs_java
def test_every_table_is_the_same_on_spark_row_for_row(both: tuple[Path, Path, Outcome, Outcome]) -> None:
    duck, spark, *_ = both
    names = sorted(path.name for path in duck.iterdir())
    assert names == sorted(path.name for path in spark.iterdir())
    files = {path.stem for folder in sorted(_pipelines().iterdir()) for path in folder.glob("*.sql")}
    run_by_stages = {path.stem for name in _run_folders() for path in (_pipelines() / name).glob("*.sql")}
    assert run_by_stages <= files
    assert run_by_stages - {"features"} <= set(names), "a file of pipelines/ made no table"
    assert [line for name in names for line in differences(duck / name, spark / name)] == []


def _pipelines() -> Path:
    return Path(__file__).parents[2] / "pipelines"


def _run_folders() -> tuple[str, ...]:
    """The folders that a run computes; outcomes belong to the training of models."""
    return tuple(path.name for path in _pipelines().iterdir() if not path.name.startswith("70_"))


@needs_java
def test_what_is_published_is_the_same_on_spark(both: tuple[Path, Path, Outcome, Outcome]) -> None:
    *_, duck, spark = both
    assert duck.folder != spark.folder, "a run on Spark has an id of its own"
    published = sorted(path.relative_to(duck.folder) for path in duck.folder.rglob("*") if path.is_file())
    assert published == sorted(
        path.relative_to(spark.folder) for path in spark.folder.rglob("*") if path.is_file()
    )
    differ: list[str] = []
    for path in published:
        if path.suffix == ".parquet":
            differ += differences(duck.folder / path, spark.folder / path)
        elif path.suffix in (".csv", ".json") and path.name != "manifest.json":
            same = (duck.folder / path).read_bytes() == (spark.folder / path).read_bytes()
            differ += [] if same else [str(path)]
    assert differ == []
    assert _comparable(duck.manifest) == _comparable(spark.manifest)
    assert (duck.manifest["engine"], spark.manifest["engine"]) == ("duckdb", "spark")


def _comparable(manifest: Any) -> dict[str, Any]:
    return {key: manifest[key] for key in manifest if key not in ("engine", "run", "files", "timings")}


@pytest.mark.slow
@needs_java
def test_computing_it_again_on_spark_gives_the_same_bytes_and_leaves_nothing_behind(
    town: Site, both: tuple[Path, Path, Outcome, Outcome]
) -> None:
    again = run(town, AS_OF, engine="spark", force=True, progress=Progress(quiet=True))
    assert again.folder == both[3].folder
    assert not (town.state / "scratch").exists()


@needs_java
def test_a_killed_driver_ends_in_a_clear_message_and_leaves_nothing_behind(tmp_path: Path) -> None:
    root = small_town.write_site(tmp_path / "site")
    small_town.write_landing(root)
    (root / "config" / "site.yaml").write_text(QUICK, encoding="utf-8")
    town = load_site(root)
    run(town, AS_OF, progress=Progress(quiet=True))
    before = [one.id for one in list_runs(town.output)]
    assert before
    command = [
        sys.executable,
        "-m",
        "riskstrat",
        "--site",
        str(town.root),
        "run",
        "--as-of",
        AS_OF.isoformat(),
    ]
    process = subprocess.Popen(
        [*command, "--engine", "spark", "--force"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.kill(_java_at_work(process.pid, town.state / "scratch"), signal.SIGKILL)
    _, told = process.communicate(timeout=120)
    last = told.splitlines()[-1]
    assert process.returncode == 1, told
    assert "Spark ended while it made this table" in last
    assert "the last published run is untouched" in last
    assert "Traceback" not in told
    assert [one.id for one in list_runs(town.output)] == before
    assert not (town.state / "scratch").exists()


def _java_at_work(parent: int, scratch: Path) -> int:
    """The process of the JVM that a run has started, once Spark has made a few tables."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if len(list(scratch.glob("*/riskstrat-spark-*/made/*"))) > 3:
            parents = dict(_processes())
            for process, (name, _) in parents.items():
                if name == "java" and parent in _ancestors(process, parents):
                    return process
        time.sleep(0.1)
    raise AssertionError("Spark did not start to work")


def _processes() -> Iterator[tuple[int, tuple[str, int]]]:
    """Every process with its name and parent."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name, _, rest = (folder / "stat").read_text().partition(" (")[2].rpartition(") ")
            except OSError:
                continue
            yield int(folder.name), (name, int(rest.split()[1]))


def _ancestors(process: int, parents: dict[int, tuple[str, int]]) -> set[int]:
    found: set[int] = set()
    while process in parents and parents[process][1]:
        process = parents[process][1]
        found.add(process)
    return found


def spark_engine(folder: Path) -> SparkEngine:
    work = folder / "work"
    work.mkdir()
    return SparkEngine(work / "run.duckdb", threads=1, memory_limit="1GB")


@needs_java
def test_sql_that_spark_does_not_know_is_named_with_its_file(tmp_path: Path) -> None:
    engine = spark_engine(tmp_path)
    (tmp_path / "odd.sql").write_text("SELECT yearweek(DATE '2026-01-01') AS a")
    try:
        with pytest.raises(DefinitionError, match="does not run on Spark") as problem:
            run_sql_folder(engine, tmp_path)
        assert "odd.sql" in str(problem.value)
    finally:
        engine.close()


def test_settings_are_read_strictly() -> None:
    file = Path("site.yaml")
    given = {"master": "spark://one:7077", "tables": "/mnt/shared", "conf": {"spark.a": True, "spark.b": 2}}
    assert SparkSettings.of(given, file) == SparkSettings(
        "spark://one:7077", Path("/mnt/shared"), {"spark.a": "true", "spark.b": "2"}
    )
    for wrong in ({"mister": "x"}, {"conf": ["a"]}, {"conf": {"spark.sql.ansi.enabled": False}}):
        with pytest.raises(DefinitionError):
            SparkSettings.of(wrong, file)


def test_tables_are_told_from_names_of_the_statement() -> None:
    select, tables = transpiled(
        "WITH a AS (SELECT x FROM b) SELECT a.x FROM a JOIN c ON c.x = a.x ORDER BY a.x"
    )
    assert tables == {"b", "c"}
    assert "NULLS LAST" in select, "Spark would put them first"


def test_without_pyspark_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    engine = spark_engine(tmp_path)
    with pytest.raises(MisuseError, match=r"riskstrat\[spark\]"):
        _ = engine.session
    engine.close()


def test_an_unknown_engine_is_refused(town: Site) -> None:
    with pytest.raises(MisuseError, match="no engine 'polars'"):
        run(town, AS_OF, engine="polars", progress=Progress(quiet=True))
