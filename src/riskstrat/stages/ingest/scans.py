"""SQL that reads delivered files as text, row by row, and keeps what could not be read at all.

Every column is read as text and cast later, so that a value that is no date is one named failure of one row, not a
failure of the file. Columns are read by the header's names: DuckDB's ``columns`` argument goes by position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.definitions.layouts import Layout, LayoutExtract, LayoutFile
from riskstrat.sqltext import literal, path_literal, quoted
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.headers import (
    check_header,
    delimiter_of,
    distinct_names,
    layout_header,
    read_header,
)
from riskstrat.stages.ingest.identity import IDENTITY
from riskstrat.stages.ingest.pipes import Pipe, pipe_for

TEXT, UTF_8 = "VARCHAR", "utf-8"
MAX_LINE_BYTES, BUFFER_BYTES = 131_072, 32_000_000
HIDDEN_IN_PARQUET = ("file_row_number", "source_row")
MOST_REJECTS = 500_000


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
    unknown_columns: tuple[str, ...] = ()
    is_numbered: bool = False
    is_ordered: bool = False


def scan_feed(feed: Feed, contract: Contract, number: int) -> Scan:
    """The scan of a feed under canonical column names.

    Every column of a CSV file is read as text and cast later: DuckDB's own reading of dates takes the beginning of a
    text for the whole, and a value that cannot be read is one named failure of one row, not of its line.
    """
    if feed.mapping is not None:
        return _layout_scan(feed, feed.mapping, contract, number)
    header = read_header(feed.path)
    unknown = tuple(check_header(feed.path, header, contract))
    columns = [column for column in contract.columns if column.name in header]
    listed = ", ".join(quoted(column.name) for column in columns)
    if feed.path.suffix == ".parquet":
        select = f"SELECT {listed}, source_row FROM {_parquet_scan(feed.path)}"
        types = _parquet_types(feed.path, columns)
        return Scan(select, types, unknown_columns=unknown, is_numbered=True)
    source, pipes = _csv_scan(feed.path, header, f"rejects_{number}")
    types = {column.name: TEXT for column in columns}
    return Scan(f"SELECT {listed} FROM {source}", types, (f"rejects_{number}",), pipes, unknown)


def _parquet_scan(path: Path) -> str:
    """A Parquet file with ``source_row``, its place in the file; a column of the file of that name is hidden."""
    own = [name for name in read_header(path) if name.lower() not in HIDDEN_IN_PARQUET]
    zones = _zones(path)
    listed = ", ".join(
        f"timezone({literal(zones[name])}, {quoted(name)}) AS {quoted(name)}"
        if name in zones
        else quoted(name)
        for name in own
    )
    place = "row_number() OVER ()" if len(own) < len(read_header(path)) else "file_row_number + 1"
    numbered = "" if place.startswith("row_number") else ", file_row_number = true"
    return f"(SELECT {listed}, {place} AS source_row FROM read_parquet([{path_literal(path)}]{numbered}))"


def _zones(path: Path) -> dict[str, str]:
    """Time stamps that name a zone: their day is the day there, not in UTC."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return {
        field.name: field.type.tz
        for field in pq.read_schema(path)
        if pa.types.is_timestamp(field.type) and field.type.tz
    }


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


def _csv_scan(
    path: Path, header: Sequence[str], rejects: str, *, delimiter: str = ",", encoding: str = UTF_8
) -> tuple[str, tuple[Pipe, ...]]:
    """A table function that reads a file as text, and the pipe it needs; unreadable lines go to ``rejects``."""
    pipes: tuple[Pipe, ...] = ()
    if encoding != UTF_8 or path.suffix == ".gz":
        pipes = (pipe_for(path, encoding),)
    readable = pipes[0].path if pipes else path
    columns = ", ".join(f"{literal(name)}: '{TEXT}'" for name in distinct_names(header))
    return (
        f"read_csv([{path_literal(readable)}], auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}, strict_mode = true, "
        f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {BUFFER_BYTES}, "
        f"store_rejects = true, rejects_limit = {MOST_REJECTS}, "
        f"rejects_table = '{rejects}', rejects_scan = '{rejects.replace('rejects_', 'rejects_scan_')}')",
        pipes,
    )


@dataclass(frozen=True)
class SupplierFile:
    """A SELECT of files of one name in a layout, and what it needs and leaves: see Scan."""

    select: str
    rejects: tuple[str, ...] = ()
    pipes: tuple[Pipe, ...] = ()


def supplier_file(layout: Layout, file: LayoutFile, paths: Sequence[Path], rejects: str) -> SupplierFile:
    """Every column of the layout as text, NULL where a file lacks it; no row when there is no file."""
    selects: list[str] = []
    tables: list[str] = []
    pipes: list[Pipe] = []
    for place, path in enumerate(paths):
        header = layout_header(path, layout.encoding)
        if path.suffix == ".parquet":
            source = _parquet_scan(path)
        else:
            tables.append(rejects if len(paths) == 1 else f"{rejects}_{place}")
            source, needed = _csv_scan(
                path, header, tables[-1], delimiter=delimiter_of(path), encoding=layout.encoding
            )
            pipes += needed
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
    return Scan(select, types, rejects, pipes, is_numbered=True, is_ordered=bool(main.order))


def lookup_table(layout: Layout, file: LayoutFile) -> str:
    """The table of the newest version of every key of a layout's file; it may hold NHS numbers."""
    return f"{IDENTITY}.{quoted(f'lookup_{layout.name}_{file.name}')}"
