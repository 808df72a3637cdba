"""Spark runs the SQL of ``pipelines/``; DuckDB reads the deliveries before it, and publishes what comes out.

Both read and write Parquet files of one folder: what DuckDB has staged goes there, and so does every table that Spark
makes of a file of ``pipelines/``. No NHS number is in any of them: link has replaced it before the first file runs.
docs/adr/0017-spark-runs-the-same-sql.md has the reasons.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import DefinitionError, MisuseError, RiskstratError
from riskstrat.sqltext import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "spark"
FOLDER = "riskstrat-spark-"
GIVEN, MADE = "given", "made"
UNTOUCHED = "the last published run is untouched; run again, or use --engine duckdb."
# What makes Spark's answers those of DuckDB. A site cannot set these.
MEANING = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
}
QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "OFF"}
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class SparkSettings:
    """Where Spark runs: its master, the folder that driver and executors share (None: the run's own), its settings."""

    master: str = ""
    tables: Path | None = None
    conf: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], file: Path) -> SparkSettings:
        """Parse ``spark`` of ``config/site.yaml`` strictly. Raises DefinitionError."""
        for key in given:
            if key not in ("master", "tables", "conf"):
                raise DefinitionError(
                    f"unknown setting '{key}' under spark.",
                    file=file,
                    column="spark",
                    remedy="use master, tables or conf.",
                )
        conf = given.get("conf") or {}
        if not isinstance(conf, Mapping):
            raise DefinitionError("conf must hold keys and values.", file=file, column="spark")
        fixed = sorted(set(conf) & set(MEANING))
        if fixed:
            raise DefinitionError(
                f"{fixed[0]} decides what the SQL means and cannot be set.",
                file=file,
                column="spark",
                remedy="remove it.",
            )
        tables = given.get("tables")
        return cls(
            str(given.get("master") or ""),
            Path(str(tables)) if tables else None,
            {
                str(key): str(value).lower() if isinstance(value, bool) else str(value)
                for key, value in conf.items()
            },
        )


class SparkEngine(DuckDBEngine):
    """A run's database whose tables of ``pipelines/`` are made by Spark.

    For DuckDB each of them is a view of the Parquet files that Spark wrote. The session starts with the first table.
    """

    def __init__(
        self, database: Path, *, threads: int, memory_limit: str, settings: SparkSettings | None = None
    ) -> None:
        super().__init__(database, threads=threads, memory_limit=memory_limit)
        self.settings = settings or SparkSettings()
        shared = self.settings.tables or database.parent
        for leftover in shared.glob(f"{FOLDER}*"):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        self.folder = shared / f"{FOLDER}{database.parent.name}"
        self._session: SparkSession | None = None
        self._known: set[str] = set()

    @property
    def session(self) -> SparkSession:
        """The Spark session, started when it is first asked for. Raises MisuseError where PySpark is not installed."""
        if self._session is None:
            self._session = _started(self.settings, self.folder, self.threads, self.memory_limit)
        return self._session

    @property
    def embedded(self) -> DuckDBEngine:
        """The same open database, in which DuckDB itself runs every statement: for tables that few people are in."""
        plain = DuckDBEngine.__new__(DuckDBEngine)
        plain.database, plain.threads, plain.memory_limit = self.database, self.threads, self.memory_limit
        plain.connection = self.connection
        return plain

    def run_statement(self, name: str, statement: str, file: Path, *, as_view: bool) -> None:  # noqa: ARG002 - DuckDB's engine needs it
        """Let Spark make the table ``name`` of a file's SELECT; where DuckDB would keep a view, a table is made too.

        Raises DefinitionError where Spark does not understand the SELECT, RiskstratError where it fails.
        """
        select, tables = transpiled(statement)
        session = self.session
        for table in sorted(tables - self._known):
            self._give(table)
        target = self.folder / MADE / name
        with _told(file):
            session.sql(select).write.parquet(str(target))
            session.read.parquet(str(target)).createOrReplaceTempView(name)
        self._known.add(name)
        self.define(name, f"SELECT * FROM read_parquet({literal(str(target / '*.parquet'))})")

    def _give(self, table: str) -> None:
        """Put a table that DuckDB has into the folder, for Spark to read."""
        target = self.folder / GIVEN / f"{table}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        self.execute(f"COPY (SELECT * FROM {quoted(table)}) TO {literal(str(target))} (FORMAT parquet)")
        self.session.read.parquet(str(target)).createOrReplaceTempView(table)
        self._known.add(table)

    def export(self, select: str, path: Path, *, rows_a_group: int = 122_880) -> None:
        """Write one SELECT to a Parquet file, in the SELECT's order.

        By way of a table: how many files Spark wrote would else decide which columns the file calls never empty.
        """
        self.execute(f"CREATE OR REPLACE TEMP TABLE exported AS {select}")
        super().export("SELECT * FROM exported", path, rows_a_group=rows_a_group)
        self.execute("DROP TABLE exported")

    def close(self) -> None:
        """End the session, close the database, and remove the folder."""
        if self._session is not None:
            with _ended_already():
                self._session.stop()
            self._session = None
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


def transpiled(statement: str) -> tuple[str, set[str]]:
    """A SELECT of ``pipelines/`` as Spark's SQL, and the names of the tables that it reads.

    >>> transpiled("WITH seen AS (SELECT 1 AS a FROM people) SELECT CAST(a AS VARCHAR) AS a FROM seen")
    ('WITH seen AS (SELECT 1 AS a FROM people) SELECT CAST(a AS STRING) AS a FROM seen', {'people'})
    """
    from sqlglot import exp, parse_one

    tree = parse_one(statement, read="duckdb")
    inside = {common.alias for common in tree.find_all(exp.CTE)}
    tables = {table.name for table in tree.find_all(exp.Table)} - inside
    return tree.sql("spark", comments=False), tables


def _started(settings: SparkSettings, folder: Path, threads: int, memory_limit: str) -> SparkSession:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MisuseError(
            "PySpark is not installed.", remedy="install it with: pip install 'riskstrat[spark]'"
        ) from None
    master = settings.master or f"local[{threads}]"
    (folder / MADE).mkdir(parents=True, exist_ok=True)
    choices = {
        **QUIET,
        "spark.sql.shuffle.partitions": str(2 * threads),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
        choices |= {
            "spark.driver.bindAddress": LOOPBACK,
            "spark.driver.host": LOOPBACK,
            "spark.driver.memory": _java_memory(memory_limit),
            "spark.local.dir": str(folder / "local"),
        }
    builder = SparkSession.builder.appName("riskstrat").master(master)
    for key, value in {**choices, **settings.conf, **MEANING}.items():
        builder = builder.config(key, value)
    # A message of Spark can quote a value of the data; what a reader must know is said by the errors here.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)
    try:
        with _silent_start():
            return builder.getOrCreate()
    except Exception as problem:
        raise RiskstratError(
            f"Spark does not start on '{master}' ({type(problem).__name__}).",
            remedy="check that java 17 or later is installed (JAVA_HOME) and that the master can be reached; "
            + UNTOUCHED,
        ) from None


def _java_memory(limit: str) -> str:
    """DuckDB's form of an amount of memory as Java's.

    >>> _java_memory("4GB"), _java_memory("1.5 GiB"), _java_memory("800MB")
    ('4096m', '1536m', '800m')
    """
    number = float(limit.rstrip("KMGTiB "))
    unit = next(letter for letter in limit if letter in "KMGT")
    return f"{max(512, round(number * {'K': 1 / 1024, 'M': 1, 'G': 1024, 'T': 1024**2}[unit]))}m"


@contextmanager
def _silent_start() -> Iterator[None]:
    """The JVM keeps the standard error that it starts with; nothing of what it writes there is for the user."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Say what went wrong in Spark without its message, which can quote a value."""
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        yield
    except (AnalysisException, ParseException) as problem:
        raise DefinitionError(
            f"this SQL does not run on Spark: {problem.getCondition() or type(problem).__name__}.",
            file=file,
            remedy="correct the statement, with what DuckDB and Spark both know.",
        ) from None
    except (Py4JNetworkError, ConnectionError):
        raise RiskstratError("Spark ended while it made this table.", file=file, remedy=UNTOUCHED) from None
    except (PySparkException, Py4JError) as problem:
        if "No space left on device" in str(problem):
            raise RiskstratError(
                "the disk is full.", file=file, remedy=f"free some space; {UNTOUCHED}"
            ) from None
        if "OutOfMemoryError" in str(problem):
            raise RiskstratError(
                "Spark needs more memory than it has.",
                file=file,
                remedy="raise memory_limit, or spark.executor.memory under spark in config/site.yaml; "
                + UNTOUCHED,
            ) from None
        raise RiskstratError(
            f"Spark could not make this table ({_condition(problem)}).", file=file, remedy=UNTOUCHED
        ) from None


def _condition(problem: BaseException) -> str:
    """The name of Spark's error, which says nothing of the data."""
    named = getattr(problem, "getCondition", lambda: None)()
    return str(named or type(problem).__name__)


@contextmanager
def _ended_already() -> Iterator[None]:
    """A session whose driver is gone cannot be stopped, and need not be."""
    from py4j.protocol import Py4JError

    try:
        yield
    except (Py4JError, ConnectionError, OSError):
        return
