"""The header of a delivered file: which columns it has, in which order, and whether they are the contract's."""

from __future__ import annotations

import csv
import difflib
import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import ContractBrokenError

LONGEST_HEADER_BYTES = 1 << 20
COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z_ ]{1,40}[0-9]{0,2}")
DELIMITERS = (",", "|", "\t", ";")
OTHER_DELIMITERS = {";": "semicolons", "|": "pipes", "\t": "tabs"}


def read_header(path: Path) -> list[str]:
    """The column names of a CSV, gzipped CSV or Parquet file. Raises ContractBrokenError on an unreadable one."""
    return _parquet_header(path) if path.suffix == ".parquet" else _csv_header(path, "utf-8", ",")


def layout_header(path: Path, encoding: str) -> list[str]:
    """The column names of a supplier's file, whichever of DELIMITERS separates them; empty when it has no header."""
    if path.suffix == ".parquet":
        return _parquet_header(path)
    try:
        return _csv_header(path, encoding, delimiter_of(path))
    except ContractBrokenError:
        return []


def delimiter_of(path: Path) -> str:
    """The one of DELIMITERS that separates most fields of the file's first line."""
    try:
        with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as stream:
            line = stream.readline(LONGEST_HEADER_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated_gzip(path) from None
    return max(DELIMITERS, key=lambda delimiter: line.count(delimiter.encode()))


def distinct_names(header: Sequence[str]) -> list[str]:
    """A name for every field of a header: one without a name, or with one that stood before, is numbered.

    >>> distinct_names(["a", "", "a"])
    ['a', 'unnamed_2', 'a_3']
    """
    names: dict[str, str] = {}
    for place, given in enumerate(header, start=1):
        name = given or f"unnamed_{place}"
        while name.lower() in names:
            name = f"{name}_{place}"
        names[name.lower()] = name
    return list(names.values())


def _csv_header(path: Path, encoding: str, delimiter: str) -> list[str]:
    # every encoding here writes a header's letters alike, and only UTF-8 has a byte order mark
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as stream:
            line = stream.readline(LONGEST_HEADER_BYTES).decode(codec)
        first = next(csv.reader([line.rstrip("\r\n")], strict=True, delimiter=delimiter), [])
    except UnicodeDecodeError:
        raise ContractBrokenError(
            "the header is not UTF-8 text.", file=path, row=1, remedy="ask for the file again as UTF-8."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated_gzip(path) from None
    except csv.Error:
        raise ContractBrokenError(
            "the header is not a line of CSV; lines may end in lone carriage returns.",
            file=path,
            row=1,
            remedy="ask for the file again, with line feeds.",
        ) from None
    names = [name.strip() for name in first]
    if not any(names):
        raise ContractBrokenError(
            "the file is empty, or its first line is: it has no header.",
            file=path,
            row=1,
            remedy="ask the supplier to send it again.",
        )
    return names


def _parquet_header(path: Path) -> list[str]:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        return list(pq.read_schema(path).names)
    except (ArrowException, OSError):
        raise ContractBrokenError(
            "is not a readable Parquet file.", file=path, remedy="ask the supplier to send it again."
        ) from None


def truncated_gzip(path: Path) -> ContractBrokenError:
    """The refusal of a gzip file that ends early or is damaged."""
    return ContractBrokenError(
        "the gzip file is cut short or damaged.",
        file=path,
        remedy="ask the supplier to send it again, and compare sizes.",
    )


def check_header(path: Path, header: list[str], contract: Contract) -> list[str]:
    """Refuse a header that repeats a column or lacks a required one; return the columns that no contract knows."""
    if len(header) == 1 and contract.columns[0].name != header[0]:
        for delimiter, called in OTHER_DELIMITERS.items():
            if delimiter in header[0]:
                raise ContractBrokenError(
                    f"the fields are separated by {called}.", file=path, row=1, remedy="ask for commas."
                )
    known = [column.name for column in contract.columns]
    if not set(header) & set(known) and {name.lower() for name in header} & set(known):
        raise ContractBrokenError(
            "the column names are written in capitals.",
            file=path,
            row=1,
            remedy=f"write them as the contract does: {', '.join(known)}.",
        )
    if not set(header) & set(known):
        raise ContractBrokenError(
            "no column of the contract stands in the first row; the header may be missing.",
            file=path,
            row=1,
            remedy=f"the header must have: {', '.join(known)}.",
        )
    for place, name in enumerate(header):
        before = header[:place]
        if name in before or (name.lower() in known and name.lower() in map(str.lower, before)):
            raise ContractBrokenError(
                "this column stands twice in the header.",
                file=path,
                row=1,
                column=_shown(name, place),
                remedy="keep one of them.",
            )
    unknown = [_shown(name, place) for place, name in enumerate(header) if name not in known]
    for column in contract.columns:
        if column.required and column.name not in header:
            near = difflib.get_close_matches(column.name, unknown, n=1, cutoff=0.6)
            raise ContractBrokenError(
                "this required column is missing from the header.",
                file=path,
                row=1,
                column=column.name,
                remedy=f"rename the column '{near[0]}'."
                if near
                else f"the header must have: {', '.join(known)}.",
            )
    return unknown


def _shown(name: str, place: int) -> str:
    """A header's name as it may be shown: one that does not look like a name could be a patient's value."""
    return name if COLUMN_NAME.fullmatch(name) else f"number {place + 1}"
