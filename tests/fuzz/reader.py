"""What a delivered file holds, read without the engine: RFC 4180 on bytes, gzip member by member, Parquet by Arrow."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOM = b"\xef\xbb\xbf"
FIELD = re.compile(rb'"((?:[^"]|"")*)"(?=[,\r\n]|\Z)|([^",\r\n]*)(?=[,\r\n]|\Z)')
GZIP_MEMBER = 31  # zlib's window bits of a gzip member


@dataclass(frozen=True)
class Record:
    """One row: the line it begins on (1 is the header) and its cells, bytes that are no UTF-8 as surrogates.

    ``is_text`` says that every cell is UTF-8.
    """

    line: int
    cells: tuple[Any, ...]
    is_text: bool = True
    has_nul: bool = False


@dataclass
class Reading:
    """A file's header and rows.

    ``trouble`` says why readers may differ about it, ``ruin`` why nobody can read it all. ``least`` and ``most`` bound
    the rows where there is trouble; ``blanks`` are lines without a character. ``unreadable`` are the columns of a
    ruined Parquet file that cannot be read, where the others can.
    """

    path: Path
    header: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)
    blanks: int = 0
    longest_line: int = 0
    first_is_blank: bool = False
    header_is_text: bool = True
    trouble: str = ""
    ruin: str = ""
    unreadable: tuple[str, ...] = ()
    least: int = 0
    most: int | None = 0


def read_file(path: Path) -> Reading:
    """Read a file by its suffix, as the extract's name says it is written."""
    reading = Reading(path)
    if path.name.endswith(".parquet"):
        _read_parquet(reading)
        return reading
    data = path.read_bytes()
    garbage = b""
    if path.name.endswith(".gz"):
        data, garbage, reading.ruin = unpacked(data)
        if reading.ruin:
            return reading
    _read_csv(reading, data)
    if garbage:
        reading.trouble = reading.trouble or "garbage follows the gzip member"
    return reading


def unpacked(data: bytes) -> tuple[bytes, bytes, str]:
    """The text of every gzip member, what follows the last, and why it cannot be had ('' where it can)."""
    if not data:
        return b"", b"", "no gzip member"
    text = b""
    while data.lstrip(b"\0"):
        member = zlib.decompressobj(GZIP_MEMBER)
        try:
            part = member.decompress(data)
        except zlib.error as problem:
            if text and data[:2] != b"\x1f\x8b":
                return text, data, ""
            return text, b"", f"gzip: {problem}"
        if not member.eof:
            return text + part, b"", "the gzip member is cut"
        text += part
        data = member.unused_data
    return text, data, ""


def _read_csv(reading: Reading, data: bytes) -> None:
    data = data.removeprefix(BOM)
    ends: set[bytes] = set()
    place, line = 0, 1
    while place < len(data):
        cells, stop, lines = _record(data, place, ends)
        reading.longest_line = max(reading.longest_line, stop - place)
        if cells is None:
            reading.trouble = f"a quote on line {line} cannot be told apart"
            break
        if cells == [b""]:
            reading.blanks += 1
            reading.first_is_blank |= line == 1
        else:
            _keep(reading, line, cells)
        place, line = stop, line + lines
    rows = len(reading.records)
    reading.least = reading.most = rows
    if reading.trouble:
        reading.most = None
        reading.least = max(0, rows - _bare_returns(data[:place]))
    elif len(ends) > 1 or b"\r" in ends:
        reading.trouble = "lines end in different ways, or with a lone CR"
        reading.least = 0 if b"\n" not in ends and b"\r\n" not in ends else max(0, rows - _bare_returns(data))
    if not reading.header and not reading.trouble:
        reading.ruin = "no header"


def _bare_returns(data: bytes) -> int:
    return data.count(b"\r") - data.count(b"\r\n")


def _keep(reading: Reading, line: int, cells: list[bytes]) -> None:
    row = b"\n".join(cells)
    try:
        text, is_text = row.decode(), True
    except UnicodeDecodeError:
        text, is_text = row.decode("utf-8", "surrogateescape"), False
    parts = text.split("\n") if len(cells) == 1 + row.count(b"\n") else _decoded(cells)
    record = Record(line, tuple(parts), is_text, "\0" in text)
    if not reading.header:
        reading.header = tuple(name.strip() for name in record.cells)
        reading.header_is_text = is_text and not record.has_nul
        return
    reading.records.append(record)


def _decoded(cells: list[bytes]) -> list[str]:
    return [cell.decode("utf-8", "surrogateescape") for cell in cells]


def _record(data: bytes, place: int, ends: set[bytes]) -> tuple[list[bytes] | None, int, int]:
    """The cells of the record at ``place``, where the next begins, and its lines; no cells where a quote is stray."""
    stop = data.find(b"\n", place)
    stop = len(data) if stop < 0 else stop + 1
    line = data[place:stop]
    if b'"' not in line and b"\r" not in line.removesuffix(b"\r\n"):
        if line.endswith(b"\n"):
            ends.add(b"\r\n" if line.endswith(b"\r\n") else b"\n")
        return line.removesuffix(b"\n").removesuffix(b"\r").split(b","), stop, 1
    cells, lines = [], 1
    while True:
        found = FIELD.match(data, place)
        if found is None:
            return None, stop, 1
        quoted, bare = found.groups()
        cells.append(bare if quoted is None else quoted.replace(b'""', b'"'))
        lines += 0 if quoted is None else quoted.count(b"\n")
        place = found.end()
        if data[place : place + 1] != b",":
            break
        place += 1
    for end in (b"\r\n", b"\n", b"\r"):
        if data.startswith(end, place):
            ends.add(end)
            return cells, place + len(end), lines
    return cells, place, lines


def _read_parquet(reading: Reading) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = reading.path.read_bytes()
    try:
        table = pq.read_table(io.BytesIO(data))
        names, count = table.column_names, table.num_rows
        columns = [[as_text(value) for value in column.to_pylist()] for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as problem:
        reading.ruin = f"Parquet: {type(problem).__name__}"
        names, count, columns = _sound_columns(reading, data)
    if reading.ruin and not names:
        return
    reading.header = tuple(names)
    rows = zip(*columns, strict=True) if columns else ((),) * count
    reading.records = [Record(number, cells) for number, cells in enumerate(rows, start=2)]
    reading.least = reading.most = len(reading.records)
    reading.trouble = "Parquet, which may be damaged where no check sum tells"


def _sound_columns(reading: Reading, data: bytes) -> tuple[list[str], int, list[list[Any]]]:
    """Names, rows and columns of a damaged Parquet file, ``unreadable`` ones empty; no names without a footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    faults = (pa.ArrowException, OSError, ValueError, OverflowError)
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        names, count = list(file.schema_arrow.names), file.metadata.num_rows
    except faults:
        return [], 0, []
    columns, unreadable = [], []
    for name in names:
        try:
            column = pq.read_table(io.BytesIO(data), columns=[name]).column(0)
            columns.append([as_text(value) for value in column.to_pylist()])
        except faults:
            unreadable.append(name)
            columns.append([""] * count)
    reading.unreadable = tuple(unreadable)
    return names, count, columns


def as_text(value: Any) -> Any:
    """A Parquet value as a CSV file would have it; None is an empty cell, and what has no plain text stays."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | str):
        return str(value)
    return str(value) if hasattr(value, "isoformat") else value
