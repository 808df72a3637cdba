"""What DuckDB needs for nothing but reading: the least that a run could take on the same files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.columns import needed_columns
from benchmarks.data import FIRST_NIGHT, TYPED, delivery_of
from benchmarks.running import Work
from riskstrat.definitions.contracts import load_contracts
from riskstrat.definitions.everything import load_definitions
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.features import FEATURE_FOLDERS
from riskstrat.stages.ingest.headers import read_header
from riskstrat.stages.link import LINK_FOLDER

THREADS, MEMORY_LIMIT = 2, "3GB"
PERSON, NUMBER = "person", "nhs_number"


def parse(folder: Path) -> Work:
    """Decode every value of the first delivery with its type."""
    connection = _connect()
    statements = []
    for source, header in _typed_files(folder):
        largest = ", ".join(f"max({quoted(name)})" for name in header)
        statements.append(f"SELECT {largest} FROM {source}")
    return partial(_run, connection, statements)


def parse_and_write(folder: Path) -> Work:
    """Decode the first delivery and write it as plain Parquet, into the folder ``written``."""
    connection, place = _connect(), folder / "written"
    place.mkdir(exist_ok=True)
    statements = [
        f"COPY (SELECT * FROM {source}) TO {literal(f'{place}/{number}.parquet')} (FORMAT parquet, COMPRESSION zstd)"
        for number, (source, _) in enumerate(_typed_files(folder))
    ]
    return partial(_run, connection, statements)


def scan(folder: Path) -> Work:
    """Decode, from typed Parquet of the first delivery, the columns that link and features read."""
    definitions = load_definitions(folder / "site")
    rooms = [definitions.pipelines / name for name in (LINK_FOLDER, *FEATURE_FOLDERS)]
    typed = folder / TYPED / delivery_of(folder / "site", FIRST_NIGHT).name
    connection = _connect()
    statements = []
    for extract, columns in needed_columns(rooms, definitions.extract_names).items():
        header = read_header(typed / f"{extract}.parquet")
        # A person is a number inside a run and an NHS number in a delivery; what a supplier left out is not there.
        named = dict.fromkeys(NUMBER if column == PERSON else column for column in columns)
        read = ", ".join(quoted(column) for column in named if column in header)
        source = f"read_parquet({literal(str(typed / f'{extract}.parquet'))})"
        # Hashed, because a largest value or a count would be answered from the files' statistics.
        statements.append(f"SELECT bit_xor(hash({read})) FROM {source}")
    return partial(_run, connection, statements)


def _run(connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> dict[str, Any]:
    for statement in statements:
        connection.execute(statement).fetchall()
    return {}


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY_LIMIT}'")
    return connection


def _typed_files(folder: Path) -> list[tuple[str, list[str]]]:
    """A typed reading of each delivered file and its column names, the types being those of the contract."""
    contracts, found = load_contracts(folder / "site" / "data_contracts"), []
    for path in sorted(delivery_of(folder / "site", FIRST_NIGHT).iterdir()):
        header, name = read_header(path), literal(str(path))
        if path.suffix == ".parquet":
            found.append((f"read_parquet({name})", header))
            continue
        types = {column.name: column.sql_type for column in contracts[path.stem].columns}
        columns = ", ".join(f"'{column}': '{types[column]}'" for column in header)
        source = f"read_csv({name}, header = true, auto_detect = false, columns = {{{columns}}})"
        found.append((source, header))
    return found
