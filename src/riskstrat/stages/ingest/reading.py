"""SQL that reads delivered files as text, row by row, and keeps what could not be read at all.

Every column is read as text and cast later, so that a value that is no date is one named failure of one row, not a
failure of the file. Columns are read by the header's names: DuckDB's ``columns`` argument goes by position.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.sources import LayoutExtract
from riskstrat.engines.duckdb import DuckDBEngine, is_disk_full
from riskstrat.errors import ContractBrokenError, DefinitionError
from riskstrat.sqltext import literal, path_literal, quoted
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.headers import check_header, read_header, truncated_gzip

MAX_LINE_BYTES = 2_000_000
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Scan:
    """A SELECT over one feed and the canonical columns that it gives.

    ``rejects`` names the tables of unreadable lines that DuckDB keeps, the feed's own first (none for Parquet);
    ``unknown_columns`` are those of the header that the contract does not know.
    """

    select: str
    columns: tuple[str, ...]
    rejects: tuple[str, ...]
    unknown_columns: tuple[str, ...] = ()


def scan_feed(feed: Feed, contract: Contract, number: int) -> Scan:
    """The scan of a feed, with canonical column names and ``source_row`` (1 is the first row after the header)."""
    if feed.mapping is not None:
        return _layout_scan(feed, feed.mapping, contract, number)
    (path,) = feed.paths
    header = read_header(path)
    unknown = check_header(path, header, contract)
    columns = tuple(column.name for column in contract.columns if column.name in header)
    listed = ", ".join(quoted(name) for name in columns)
    select = f"SELECT {listed}, row_number() OVER () AS source_row FROM {file_scan((path,), number)}"
    return Scan(select, columns, _rejects((path,), number), tuple(unknown))


def file_scan(paths: tuple[Path, ...], number: int | str) -> str:
    """A table function that reads files of one header; unreadable lines go to the table ``rejects_NUMBER``."""
    header = read_header(paths[0])
    listed = ", ".join(path_literal(path) for path in paths)
    if paths[0].suffix == ".parquet":
        return f"read_parquet([{listed}])"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv([{listed}], auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"columns = {{{columns}}}, strict_mode = true, max_line_size = {MAX_LINE_BYTES}, store_rejects = true, "
        f"rejects_table = 'rejects_{number}', rejects_scan = 'rejects_scan_{number}')"
    )


def _rejects(paths: tuple[Path, ...], number: int | str) -> tuple[str, ...]:
    return () if paths[0].suffix == ".parquet" else (f"rejects_{number}",)


def _layout_scan(feed: Feed, mapping: LayoutExtract, contract: Contract, number: int) -> Scan:
    numbers = {name: f"{number}_{place}" for place, name in enumerate(feed.used)}
    parts = ", ".join(
        f"{quoted(name)} AS MATERIALIZED (SELECT *, row_number() OVER () AS source_row "
        f"FROM {file_scan(feed.files[name], numbers[name])})"
        for name in feed.used
    )
    listed = ", ".join(f"({expression}) AS {quoted(name)}" for name, expression in mapping.columns.items())
    where = f" WHERE {mapping.where}" if mapping.where else ""
    rows = f"{quoted(feed.used[0])}.source_row"
    select = f"WITH {parts} SELECT {listed}, {rows} AS source_row FROM {mapping.from_clause}{where}"
    columns = tuple(column.name for column in contract.columns if column.name in mapping.columns)
    return Scan(select, columns, sum((_rejects(feed.files[name], numbers[name]) for name in feed.used), ()))


def run_scan(engine: DuckDBEngine, statement: str, feed: Feed) -> None:
    """Run a statement that reads a feed; a file that cannot be read at all is named, with its remedy."""
    try:
        engine.execute(statement)
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.IOException, duckdb.InvalidInputException) as problem:
        if is_disk_full(problem):
            raise
        path = _named_path(str(problem), feed)
        if path.suffix == ".gz":
            raise truncated_gzip(path) from None
        line = re.search(r"Line: ([0-9]+)", str(problem))
        raise ContractBrokenError(
            "the file cannot be read to its end: its lines end in different ways, or the last one is cut short.",
            file=path,
            row=int(line[1]) if line else None,
            remedy="ask the supplier to send it again.",
        ) from None
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as problem:
        layout = feed.layout
        if layout is None:
            raise
        raise DefinitionError(
            f"the mapping of {feed.extract} does not run: {str(problem).splitlines()[0]}",
            file=f"config/sources/{layout.name}.yaml",
            remedy="correct the expression.",
        ) from None


def _named_path(message: str, feed: Feed) -> Path:
    return next((path for path in feed.paths if str(path) in message), feed.paths[0])


def rejected_lines(engine: DuckDBEngine, scan: Scan) -> list[tuple[int, str | None, str]]:
    """Lines that are no row at all: (line, column, kind of error), one a line; the text of the line is left behind.

    Of a layout's files only the first counts: its lines are the rows.
    """
    if not scan.rejects:
        return []
    rows = engine.rows(
        f"SELECT line, min(column_name), min(CAST(error_type AS VARCHAR)) FROM {scan.rejects[0]} "
        "GROUP BY file_id, line ORDER BY file_id, line"
    )
    return [(int(line), column, str(kind)) for line, column, kind in rows]


def refuse_swallowed_rows(engine: DuckDBEngine, scan: Scan, feed: Feed, rows: int, unread: int) -> None:
    """Raise ContractBrokenError where a quote that nothing closes has swallowed lines: they would vanish uncounted.

    ``rows`` and ``unread`` are what was read of the feed; header, rows and unread lines must be all its lines.
    """
    if not scan.rejects:
        return
    line, column = engine.rows(
        f"SELECT min(line), arg_min(column_name, line) FROM {scan.rejects[0]} "
        "WHERE CAST(error_type AS VARCHAR) = 'UNQUOTED VALUE' OR contains(trim(csv_line, chr(10) || chr(13)), chr(10))"
    )[0]
    if line is None or (feed.mapping is None and count_lines(feed.main_path) == 1 + rows + unread):
        return
    raise ContractBrokenError(
        "a double quote opens here and is not closed, so what follows cannot be told apart.",
        file=feed.main_path,
        row=int(line),
        column=column,
        remedy="ask the supplier to close the quote, or to double it where it is part of the text.",
    )


def count_lines(path: Path) -> int:
    """Lines of a text file, gzipped or not; a last one without a line break counts."""
    lines, last = 0, b"\n"
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def drop_rejects(engine: DuckDBEngine, rejects: tuple[str, ...]) -> None:
    """Forget rejected lines: DuckDB keeps their text, which holds patients' values."""
    for name in rejects:
        engine.execute(f"DROP TABLE IF EXISTS {name}")
        engine.execute(f"DROP TABLE IF EXISTS {name.replace('rejects_', 'rejects_scan_')}")
