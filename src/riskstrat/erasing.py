"""Delivered files without the rows of some people: what else stands in them stays byte for byte.

A row is somebody's when the file's column of NHS numbers says so. A number that stands anywhere else in a row, in a
note about somebody else for instance, is crossed out and the row stays.
"""

from __future__ import annotations

import csv
import fnmatch
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from riskstrat.definitions.layouts import Layout
from riskstrat.stages.ingest.deliveries import extract_of

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = ",\t|;"
BLOCK_BYTES, LONGEST_NUMBER_BYTES = 1 << 22, 32
LONGEST_RECORD_LINES = 1000  # of a quoted value; beyond it a quote was never closed
CROSSED_OUT = b"x"
# Ten digits as people write an NHS number, wherever they begin.
NUMBER = re.compile(rb"(?<![0-9])(?=((?:[0-9][ -]?){9}[0-9])(?![0-9]))")
TEN_DIGITS = "[0-9]([ -]?[0-9]){9}"
SEPARATORS = r"[\s-]"
OTHER_IDENTIFIERS = "its rows name people by another identifier of the supplier's"
UNKNOWN_FILE = "it is no extract and fits no layout, so nothing says whose its rows are"
Numbers = frozenset[str]


class UnreadableFileError(Exception):
    """A delivered file of which nobody can say what stands in it."""


@dataclass(frozen=True)
class Left:
    """What a file lacks now: rows about the people, and numbers crossed out in rows about others."""

    rows: int
    crossed_out: int


def why_not(path: Path, extracts: tuple[str, ...], layouts: Mapping[str, Layout]) -> str | None:
    """Why a file cannot be rewritten; None where every row of it says by NHS number whose it is.

    In files of a layout with keys most rows name people by an identifier of the supplier's: without the row that says
    whose that is they would be rows of nobody, and be set aside with all that they tell.
    """
    if extract_of(path.name, extracts) is not None:
        return None
    name = path.name.lower()
    fitting = [
        layout
        for layout in layouts.values()
        if any(fnmatch.fnmatch(name, file.pattern.lower()) for file in layout.files.values())
    ]
    if not fitting:
        return UNKNOWN_FILE
    has_keys = any(file.key for layout in fitting for file in layout.files.values())
    return OTHER_IDENTIFIERS if has_keys else None


def holds(path: Path, numbers: Numbers) -> bool:
    """Whether one of the numbers stands in a file. Raises UnreadableFileError."""
    with _readable():
        if path.suffix == ".parquet":
            return any(_found(batch, numbers).any() for batch in _batches(path))
        with _opened(path) as stream:
            before = b""
            while block := stream.read(BLOCK_BYTES):
                if b"\0" in block:
                    raise UnreadableFileError("it is no text")
                if _numbers_in(before + block, numbers):
                    return True
                before = block[-LONGEST_NUMBER_BYTES:]
        return False


def write_without(path: Path, target: Path, numbers: Numbers) -> Left:
    """Write the file without the rows of these people to ``target``. Raises UnreadableFileError."""
    with _readable():
        if path.suffix == ".parquet":
            return _write_parquet(path, target, numbers)
        with _opened(path) as source, target.open("wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    return _write_text(source, packed, numbers)
            return _write_text(source, raw, numbers)


def _write_text(source: IO[bytes], target: Any, numbers: Numbers) -> Left:
    rows = crossed = 0
    place: int | None = None
    delimiter = ","
    for line, record in enumerate(_records(source)):
        found = _numbers_in(record, numbers)
        if line == 0:
            delimiter = max(DELIMITERS, key=lambda mark: record.count(mark.encode()))
            place = _place_of_number(_fields(record, delimiter))
        elif found and _is_about(_fields(record, delimiter), place, numbers):
            rows += 1
            continue
        crossed += len(found)
        target.write(_crossed_out(record, found) if found else record)
    return Left(rows, crossed)


def _records(source: IO[bytes]) -> Iterator[bytes]:
    """The records of a file with their line breaks; a quoted value may hold line breaks."""
    lines: list[bytes] = []
    quotes = 0
    for line in source:
        lines.append(line)
        quotes += line.count(b'"')
        if quotes % 2 and len(lines) < LONGEST_RECORD_LINES:
            continue
        yield from [b"".join(lines)] if quotes % 2 == 0 else lines
        lines, quotes = [], 0
    yield from lines


def _fields(record: bytes, delimiter: str) -> list[str]:
    text = io.StringIO(record.decode("latin-1"), newline="")
    return next(csv.reader(text, delimiter=delimiter), [])


def _place_of_number(header: list[str]) -> int | None:
    """The first column that is called after NHS numbers."""
    return next((place for place, name in enumerate(header) if "nhs" in name.lower()), None)


def _is_about(fields: list[str], place: int | None, numbers: Numbers) -> bool:
    return place is not None and place < len(fields) and re.sub(SEPARATORS, "", fields[place]) in numbers


def _numbers_in(content: bytes, numbers: Numbers) -> list[re.Match[bytes]]:
    return [
        found
        for found in NUMBER.finditer(content)
        if re.sub(SEPARATORS, "", found[1].decode("ascii")) in numbers
    ]


def _crossed_out(content: bytes, found: list[re.Match[bytes]]) -> bytes:
    written = bytearray(content)
    for match in found:
        written[match.start(1) : match.end(1)] = CROSSED_OUT * len(match[1])
    return bytes(written)


def _write_parquet(path: Path, target: Path, numbers: Numbers) -> Left:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = crossed = 0
    schema = pq.read_schema(path)
    place = _place_of_number(schema.names)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for read in _batches(path):
            is_theirs = _is_number(None if place is None else read.column(place), read.num_rows, numbers)
            rows += int(is_theirs.sum())
            batch = read.filter(pa.array(~is_theirs))
            found = _found(batch, numbers)
            crossed += int(found.sum())
            columns = [
                _without(column, found[:, at], numbers) if found[:, at].any() else column
                for at, column in enumerate(batch.columns)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return Left(rows, crossed)


def _without(column: pa.Array, is_found: Any, numbers: Numbers) -> pa.Array:
    """A column with the numbers crossed out; a value that is no text goes."""
    import pyarrow as pa

    values = column.to_pylist()
    for place in is_found.nonzero()[0]:
        value = values[place]
        content = value.encode() if isinstance(value, str) else b""
        values[place] = _crossed_out(content, _numbers_in(content, numbers)).decode() or None
    return pa.array(values, column.type)


def _found(batch: pa.RecordBatch, numbers: Numbers) -> Any:
    """Row by row and column by column whether a number stands in the value."""
    import numpy as np
    import pyarrow.compute as pc

    found = np.zeros((batch.num_rows, batch.num_columns), bool)
    for at, column in enumerate(batch.columns):
        text = _as_text(column)
        if text is not None:
            likely = pc.fill_null(pc.match_substring_regex(text, TEN_DIGITS), False)
            for place in likely.to_numpy(zero_copy_only=False).nonzero()[0]:
                found[place, at] = bool(_numbers_in(text[int(place)].as_py().encode(), numbers))
    return found


def _is_number(column: pa.Array | None, rows: int, numbers: Numbers) -> Any:
    """Value by value of a column of NHS numbers whether it is one of these; in a file without one no row is theirs."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    text = None if column is None else _as_text(column)
    if text is None:
        return np.zeros(rows, bool)
    plain = pc.replace_substring_regex(text, SEPARATORS, "")
    return pc.is_in(plain, value_set=pa.array(sorted(numbers))).to_numpy(zero_copy_only=False)


def _as_text(column: pa.Array) -> pa.Array | None:
    """A column of texts or of whole numbers as texts; None for one that can hold no NHS number."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        return None
    return column.cast(kind).cast(pa.string())


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield from file.iter_batches()


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


@contextmanager
def _readable() -> Iterator[None]:
    """What is damaged is unreadable, whichever library says so."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, gzip.BadGzipFile, EOFError, zlib.error, csv.Error):
        raise UnreadableFileError("it is damaged") from None
