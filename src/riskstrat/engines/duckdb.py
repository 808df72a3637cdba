"""DuckDB, embedded: one database file for a run's tables, one in memory for the NHS numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from riskstrat.errors import DefinitionError
from riskstrat.sqltext import literal, quoted

# Only these messages speak of the statement alone; others can quote a value of the data.
STATEMENT_ERRORS = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.SyntaxException,
)


def is_disk_full(problem: BaseException) -> bool:
    """Whether DuckDB failed because there was no room left to write."""
    text = str(problem)
    return "No space left" in text or "Disk quota exceeded" in text


class DuckDBEngine:
    """The run's DuckDB connection, with pinned threads and bounded memory.

    It begins without a place to spill to, so that nothing it holds in memory can reach the disk by itself;
    ``allow_spilling`` opens the database again with one.
    """

    def __init__(self, database: Path, *, threads: int, memory_limit: str) -> None:
        self.database = database
        self.threads = threads
        self.memory_limit = memory_limit
        self.connection = self._connect("")

    def _connect(self, spill: str) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.database))
        connection.execute(f"SET temp_directory = {literal(spill)}")
        connection.execute(f"SET threads = {int(self.threads)}")
        connection.execute(f"SET memory_limit = {literal(self.memory_limit)}")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'UTC'")
        # The database lives for one run: what these save in space costs more in time.
        connection.execute("SET disabled_compression_methods = 'fsst,dict_fsst,zstd,dictionary'")
        return connection

    def allow_spilling(self) -> None:
        """Open the database again, with a folder beside it for what does not fit into memory."""
        self.connection.close()
        self.connection = self._connect(str(self.database.parent / "spill"))

    @property
    def embedded(self) -> DuckDBEngine:
        """The same open database, in which DuckDB itself runs every statement."""
        return self

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement to its end and return its rows; undrained results can lose errors."""
        cursor = (
            self.connection.execute(statement, parameters)
            if parameters
            else self.connection.execute(statement)
        )
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def interrupted_after(self, seconds: float) -> Iterator[None]:
        """End a statement that takes longer; duckdb.InterruptException comes out of it."""
        timer = threading.Timer(seconds, self.connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""
        return self.execute(select)

    def arrays(self, select: str) -> dict[str, Any]:
        """One SELECT's columns as NumPy arrays, by name."""
        found: dict[str, Any] = self.connection.execute(select).fetchnumpy()
        return found

    def add_function(self, name: str, given: str, gives: str, function: Callable[[Any], Any]) -> None:
        """Add a scalar SQL function of one argument; ``function`` takes and gives Arrow arrays of equal length."""
        self.connection.create_function(
            name,
            function,
            [given],
            gives,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )

    def remove_function(self, name: str) -> None:
        """Forget a function that was added, and all that it holds."""
        self.connection.remove_function(name)

    def load(self, table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
        """Make ``table`` with (name, SQL type) columns and fill it."""
        self.execute(
            f"CREATE TABLE {quoted(table)} ({', '.join(f'{quoted(name)} {kind}' for name, kind in columns)})"
        )
        values = [list(row) for row in rows]
        if not values:
            return
        import pyarrow as pa

        batch = pa.table(
            {name: [row[place] for row in values] for place, (name, _) in enumerate(columns)},
        )
        self.connection.register("incoming_rows", batch)
        casts = ", ".join(f"CAST({quoted(name)} AS {kind})" for name, kind in columns)
        self.execute(f"INSERT INTO {quoted(table)} SELECT {casts} FROM incoming_rows")
        self.connection.unregister("incoming_rows")

    def create(self, table: str, select: str) -> None:
        """Make ``table`` from one SELECT."""
        self.execute(f"CREATE TABLE {quoted(table)} AS {select}")

    def run_statement(self, name: str, statement: str, file: Path, *, as_view: bool) -> None:
        """Make what a file of ``pipelines/`` defines: a table, or a view. Raises DefinitionError."""
        try:
            if as_view:
                self.define(name, statement)
            else:
                self.create(name, statement)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as problem:
            if is_disk_full(problem):  # the statement is as good as it was with more room
                raise
            raise _sql_error(file, problem) from None

    def define(self, view: str, select: str) -> None:
        """Make or replace ``view``, one SELECT: it is worked out whenever it is read, and nothing is stored."""
        self.execute(f"CREATE OR REPLACE VIEW {quoted(view)} AS {select}")

    def export(self, select: str, path: Path, *, rows_a_group: int = 122_880) -> None:
        """Write one SELECT to a Parquet file, in the SELECT's order."""
        self.execute(
            f"COPY ({select}) TO {literal(str(path))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {int(rows_a_group)})"
        )

    def count(self, table: str) -> int:
        """Number of rows of ``table``."""
        return int(self.execute(f"SELECT count(*) FROM {quoted(table)}")[0][0])

    def tables_of(self, select: str) -> set[str]:
        """Names of the tables and views that a SELECT reads.

        Asked of an empty database: a view that is there already would be told as the tables behind it.
        """
        return {str(name).strip('"') for name in self._nothing.get_table_names(select)}

    @cached_property
    def _nothing(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect()

    def close(self) -> None:
        """Close the connection."""
        self._nothing.close()
        self.connection.close()


def run_sql_folder(
    engine: DuckDBEngine, folder: Path, *, only: str | None = None, views: Collection[str] = ()
) -> list[str]:
    """Make a table of every ``NAME.sql`` in ``folder``, in the order in which they need each other.

    With ``only``, of that one and of what it needs. Those that ``views`` names become views.
    Returns the table names in that order. Raises DefinitionError on a file that does not parse or bind,
    and on files that need each other in a circle.
    """
    statements = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    needs = {}
    for name, statement in statements.items():
        try:
            needs[name] = engine.tables_of(statement) & statements.keys()
        except duckdb.Error as problem:
            raise _sql_error(folder / f"{name}.sql", problem) from None
    if only is not None:
        wanted = _needed(only, needs)
        statements = {name: statement for name, statement in statements.items() if name in wanted}
    done: list[str] = []
    while len(done) < len(statements):
        ready = [name for name in statements if name not in done and needs[name] <= set(done)]
        if not ready:
            waiting = ", ".join(sorted(set(statements) - set(done)))
            raise DefinitionError(
                f"these files need each other in a circle: {waiting}.",
                file=folder,
                remedy="break the circle.",
            )
        for name in ready:
            engine.run_statement(name, statements[name], folder / f"{name}.sql", as_view=name in views)
            done.append(name)
    return done


def _needed(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = {name}
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting |= needs[one] - found
    return found


def _sql_error(path: Path, problem: duckdb.Error) -> DefinitionError:
    detail = str(problem).splitlines()[0] if isinstance(problem, STATEMENT_ERRORS) else type(problem).__name__
    return DefinitionError(f"this SQL does not run: {detail}", file=path, remedy="correct the statement.")
