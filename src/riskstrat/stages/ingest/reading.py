"""SQL that reads delivered files as text, row by row, and keeps what could not be read at all.

Every column is read as text and cast later, so that a value that is no date is one named failure of one row, not a
failure of the file. Columns are read by the header's names: DuckDB's ``columns`` argument goes by position.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.definitions.layouts import Layout, LayoutExtract, LayoutFile
from riskstrat.engines.duckdb import DuckDBEngine, is_disk_full
from riskstrat.errors import ContractBrokenError, DefinitionError
from riskstrat.sqltext import literal, path_literal, quoted
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.headers import (
    check_header,
    delimiter_of,
    layout_header,
    read_header,
    truncated_gzip,
)
from riskstrat.stages.ingest.identity import IDENTITY
from riskstrat.stages.ingest.pipes import Pipe, flowing, pipe_for

TEXT, UTF_8 = "VARCHAR", "utf-8"
# Types that DuckDB reads from text exactly as a cast does; it would round 1.5 to a whole number.
TYPED_WHILE_READING = ("date", "number")
CAST_ERROR = "CAST"
MAX_LINE_BYTES = 2_000_000
MOST_REJECTS, REREAD_BATCH = 500_000, 50_000
REREAD = "reread_lines"
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Scan:
    """A SELECT over one feed and what it gives.

    ``types`` are the SQL types of its canonical columns. A select that is not ``is_numbered`` gives every readable
    line in file order, so that the place of a row in the table tells its line; a numbered one has ``source_row`` (1
    is the first row after the header) and, if ``is_ordered``, ``source_order``. ``rejects`` names the tables of
    unreadable lines that DuckDB keeps, the feed's own first (none for Parquet); ``pipes`` are what must flow while it
    runs. ``unknown_columns`` are those of the header that the contract does not know.
    """

    select: str
    types: Mapping[str, str]
    rejects: tuple[str, ...] = ()
    pipes: tuple[Pipe, ...] = ()
    header: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    is_numbered: bool = False
    is_ordered: bool = False


def scan_feed(feed: Feed, contract: Contract, number: int, *, as_text: bool = False) -> Scan:
    """The scan of a feed under canonical column names; dates and numbers typed unless ``as_text``."""
    if feed.mapping is not None:
        return _layout_scan(feed, feed.mapping, contract, number)
    header = read_header(feed.path)
    unknown = tuple(check_header(feed.path, header, contract))
    columns = [column for column in contract.columns if column.name in header]
    listed = ", ".join(quoted(column.name) for column in columns)
    if feed.path.suffix == ".parquet":
        select = f"SELECT {listed}, file_row_number + 1 AS source_row FROM {_parquet_scan(feed.path)}"
        types = _parquet_types(feed.path, columns)
        return Scan(select, types, header=tuple(header), unknown_columns=unknown, is_numbered=True)
    types = {
        column.name: column.sql_type
        if column.type in TYPED_WHILE_READING and not as_text and not column.identifier
        else TEXT
        for column in columns
    }
    source = _csv_scan(feed.path, {name: types.get(name, TEXT) for name in header}, f"rejects_{number}")
    return Scan(
        f"SELECT {listed} FROM {source}",
        types,
        (f"rejects_{number}",),
        header=tuple(header),
        unknown_columns=unknown,
    )


def _parquet_scan(path: Path) -> str:
    return f"read_parquet([{path_literal(path)}], file_row_number = true)"


def _parquet_types(path: Path, columns: Sequence[Column]) -> dict[str, str]:
    """A column that Parquet types as the contract does is taken as it is; any other goes through its text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    fitting = {"date": pa.types.is_date32, "number": pa.types.is_float64}
    return {
        column.name: column.sql_type
        if column.type in fitting and fitting[column.type](schema.field(column.name).type)
        else "ANY"
        for column in columns
    }


def _csv_scan(path: Path, types: Mapping[str, str], rejects: str, *, delimiter: str = ",") -> str:
    """A table function that reads a file; unreadable lines go to the table ``rejects``."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    return (
        f"read_csv([{path_literal(path)}], auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}, strict_mode = true, "
        f"max_line_size = {MAX_LINE_BYTES}, store_rejects = true, rejects_limit = {MOST_REJECTS}, "
        f"rejects_table = '{rejects}', rejects_scan = '{rejects.replace('rejects_', 'rejects_scan_')}')"
    )


@dataclass(frozen=True)
class SupplierFile:
    """A SELECT of files of one name in a layout, and what it needs and leaves: see Scan."""

    select: str
    rejects: tuple[str, ...] = ()
    pipes: tuple[Pipe, ...] = ()


def supplier_file(layout: Layout, file: LayoutFile, paths: Sequence[Path], rejects: str) -> SupplierFile:
    """Every column of the layout as text, NULL where a file lacks it; no row when there is no file."""
    selects, tables, pipes = [], [], []
    for place, path in enumerate(paths):
        header = layout_header(path, layout.encoding)
        if path.suffix == ".parquet":
            source = _parquet_scan(path)
        else:
            tables.append(rejects if len(paths) == 1 else f"{rejects}_{place}")
            readable = path
            if layout.encoding != UTF_8:
                pipes.append(pipe_for(path, layout.encoding))
                readable = pipes[-1].path
            types = dict.fromkeys(header, TEXT)
            source = _csv_scan(readable, types, tables[-1], delimiter=delimiter_of(path))
        given = {name.lower(): f"CAST({quoted(name)} AS VARCHAR)" for name in header}
        columns = ", ".join(
            f"{given.get(name.lower(), 'CAST(NULL AS VARCHAR)')} AS {quoted(name)}"
            for name in file.every_column
        )
        selects.append(f"SELECT {columns} FROM {source}")
    if not selects:
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {quoted(name)}" for name in file.every_column)
        selects.append(f"SELECT {nothing} WHERE FALSE")
    return SupplierFile(" UNION ALL ".join(selects), tuple(tables), tuple(pipes))


def _layout_scan(feed: Feed, mapping: LayoutExtract, contract: Contract, number: int) -> Scan:
    layout, beside = feed.layout, feed.beside or {}
    if layout is None:
        raise TypeError("a mapping belongs to a layout")
    main = layout.files[mapping.main]
    source = supplier_file(layout, main, (feed.path,), f"rejects_{number}")
    rejects, pipes = source.rejects, source.pipes
    order = f", CAST(({main.order}) AS BIGINT) AS source_order" if main.order else ""
    # a pipe can be read once
    mentions = len(re.findall(rf"\b{re.escape(main.name)}\b(?!\s*\.)", mapping.from_clause))
    kept = "MATERIALIZED " if pipes and mentions > 1 else ""
    parts = [
        f"{quoted(main.name)} AS {kept}(SELECT *, row_number() OVER () AS source_row{order} FROM ({source.select}))"
    ]
    for place, name in enumerate(mapping.files[1:]):
        file = layout.files[name]
        if file.key:
            parts.append(f"{quoted(name)} AS (SELECT * FROM {lookup_table(layout, file)})")
            continue
        joined = supplier_file(layout, file, beside.get(name, ()), f"rejects_{number}_{place}")
        parts.append(f"{quoted(name)} AS MATERIALIZED ({joined.select})")
        rejects, pipes = rejects + joined.rejects, pipes + joined.pipes
    listed = ", ".join(f"({expression}) AS {quoted(name)}" for name, expression in mapping.columns.items())
    where = f" WHERE {mapping.where}" if mapping.where else ""
    sequence = f", {quoted(main.name)}.source_order AS source_order" if main.order else ""
    select = (
        f"WITH {', '.join(parts)} SELECT {listed}, {quoted(main.name)}.source_row AS source_row{sequence} "
        f"FROM {mapping.from_clause}{where}"
    )
    types = {column.name: "ANY" for column in contract.columns if column.name in mapping.columns}
    header = tuple(layout_header(feed.path, layout.encoding))
    return Scan(select, types, rejects, pipes, header, is_numbered=True, is_ordered=bool(main.order))


def lookup_table(layout: Layout, file: LayoutFile) -> str:
    """The table of the newest version of every key of a layout's file; it may hold NHS numbers."""
    return f"{IDENTITY}.{quoted(f'lookup_{layout.name}_{file.name}')}"


def run_scan(engine: DuckDBEngine, statement: str, feed: Feed, pipes: Sequence[Pipe] = ()) -> None:
    """Run a statement that reads a feed; a file that cannot be read at all is named, with its remedy."""
    try:
        with flowing(pipes):
            engine.execute(statement)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated_gzip(feed.path) from None
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


@dataclass(frozen=True)
class Reject:
    """A line that DuckDB did not read: its number (1 is the header), the column and kind of its first error."""

    line: int
    column: str | None
    kind: str

    @property
    def is_unread(self) -> bool:
        """Whether the line is no row at all; otherwise one of its values is not of its column's type."""
        return self.kind != CAST_ERROR


def rejected_lines(engine: DuckDBEngine, scan: Scan) -> list[Reject]:
    """The lines that the scan could not read, in file order, one entry a line; their text is left behind.

    Of a layout's files only the first counts: its lines are the rows. A structural error outweighs a value's.
    """
    if not scan.rejects:
        return []
    rows = engine.rows(
        f"SELECT line, arg_min(column_name, (kind = '{CAST_ERROR}', column_name)), "
        f"arg_min(kind, (kind = '{CAST_ERROR}', kind)) "
        f"FROM (SELECT *, CAST(error_type AS VARCHAR) AS kind FROM {scan.rejects[0]}) "
        "GROUP BY file_id, line ORDER BY file_id, line"
    )
    return [Reject(int(line), column, str(kind)) for line, column, kind in rows]


def has_too_many_rejects(engine: DuckDBEngine, scan: Scan) -> bool:
    """Whether DuckDB stopped keeping rejected lines, so that some went uncounted."""
    return any(
        int(engine.rows(f"SELECT count(*) FROM {name}")[0][0]) >= MOST_REJECTS for name in scan.rejects
    )


def reread(engine: DuckDBEngine, scan: Scan, rejects: Sequence[Reject]) -> Iterator[Scan]:
    """Scans of the lines that were not read for a value's type alone: every column as text, in batches.

    A scan's rows are registered as REREAD while the caller uses it.
    """
    import pyarrow as pa

    before = {reject.line: reject.line - 1 - place for place, reject in enumerate(rejects, start=1)}
    wanted = [reject.line for reject in rejects if not reject.is_unread]
    for first in range(0, len(wanted), REREAD_BATCH):
        batch = wanted[first : first + REREAD_BATCH]
        found = engine.rows(
            f"SELECT DISTINCT line, csv_line FROM {scan.rejects[0]} "
            f"WHERE line BETWEEN {batch[0]} AND {batch[-1]} ORDER BY line"
        )
        kept = set(batch)
        fields = [
            (line, next(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""))))
            for line, text in found
            if line in kept
        ]
        columns = {
            name: pa.array([values[place] or None for _, values in fields], pa.string())
            for place, name in enumerate(scan.header)
        }
        columns["source_row"] = pa.array([before[line] for line, _ in fields], pa.int64())
        columns["source_line"] = pa.array([line for line, _ in fields], pa.int64())
        engine.connection.register(REREAD, pa.table(columns))
        listed = ", ".join(quoted(name) for name in scan.types)
        yield replace(scan, select=f"SELECT {listed} FROM {REREAD}", types=dict.fromkeys(scan.types, TEXT))
        engine.connection.unregister(REREAD)


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
    if line is None or (feed.mapping is None and count_lines(feed.path) == 1 + rows + unread):
        return
    raise ContractBrokenError(
        "a double quote opens here and is not closed, so what follows cannot be told apart.",
        file=feed.path,
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
