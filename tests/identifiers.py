"""Finding people's identifiers in bytes, whatever wrote them: the scanner behind the byte scan.

What is looked for, at every offset of a file:

- an NHS number as ten digits, alone or in the 3-3-4 form with spaces or hyphens, in ASCII, UTF-8, UTF-16 and UTF-32 of
  either byte order (up to three spaces, hyphens or zero bytes between two digits), and as a 64-bit integer of either
  byte order, as DuckDB, Arrow and Parquet store numbers that they do not pack;
- a family name of the town, in ASCII, UTF-16 and UTF-32: the town's family names are made up and are no words, so one
  of them alone is a find, and no pair of given and family name can hide from it;
- a postcode of the town with or without its space, in the same encodings.

What is packed (Parquet's pages, columns that DuckDB compressed) is scanned a second time as its decoded values.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

BETWEEN = rb"[ \-\x00]{0,3}"
# One byte is consumed and the rest looked at, so that no match hides another that begins inside it.
NUMBER = re.compile(rb"9(?=(" + BETWEEN + rb"9" + BETWEEN + rb"9(?:" + BETWEEN + rb"[0-9]){7}))")
POSTCODE = re.compile(rb"Z(?=(\x00{0,3}Z\x00{0,3}[0-9]" + BETWEEN + rb"[0-9](?:\x00{0,3}[A-Z]){2}))")
ROOM = tempfile.gettempdir()  # as it is now: a test may move the folder for temporary files
BLOCK_BYTES, OVERLAP_BYTES = 1 << 24, 256


@dataclass
class Identifiers:
    """NHS numbers, family names and postcodes of the people of a landing folder."""

    numbers: set[bytes] = field(default_factory=set)
    names: set[bytes] = field(default_factory=set)
    postcodes: set[bytes] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of_landing(cls, landing: Path) -> Identifiers:
        """Everything that identifies somebody in the CSV files of a landing folder, whatever extract it stands in."""
        found = cls()
        for path in sorted(landing.glob("*/*.csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    found._add(row)
        return found

    def _add(self, row: dict[str, str]) -> None:
        number = re.sub(r"[\s-]", "", row.get("nhs_number") or "")
        if re.fullmatch(r"999[0-9]{7}", number) and len(set(number)) > 1:
            self.numbers.add(number.encode())
        if row.get("family_name"):
            self.names.add(row["family_name"].encode())
            self.pairs.add((row["given_name"], row["family_name"]))
        if row.get("postcode"):
            self.postcodes.add(row["postcode"].replace(" ", "").encode())

    def __post_init__(self) -> None:
        self._name_pattern: re.Pattern[bytes] | None = None
        self._sorted: npt.NDArray[np.int64] | None = None

    def found_in(self, content: bytes) -> Iterator[str]:
        """What kind of identifier stands in ``content``, and in which form; never which one."""
        stripped = content.translate(None, b"\x00") if b"\x00" in content else content
        for match in NUMBER.finditer(content):
            if b"9" + match[1].translate(None, b" -\x00") in self.numbers:
                yield f"an NHS number as text of {len(match[1]) + 1} bytes"
        for order in "<>":
            if self._has_integer(content, order):
                yield f"an NHS number as an integer ({order}i8)"
        for match in POSTCODE.finditer(content):
            if b"Z" + match[1].translate(None, b" \x00") in self.postcodes:
                yield "a postcode"
        if match := self._names().search(stripped):
            yield f"a family name ({len(match[0])} bytes)"

    def _integers(self) -> npt.NDArray[np.int64]:
        if self._sorted is None:
            self._sorted = np.array(sorted(int(number) for number in self.numbers), dtype=np.int64)
        return self._sorted

    def _names(self) -> re.Pattern[bytes]:
        if self._name_pattern is None:
            longest_first = sorted(self.names, key=len, reverse=True) or [b"(?!)"]
            self._name_pattern = re.compile(b"|".join(map(re.escape, longest_first)))
        return self._name_pattern

    def _has_integer(self, content: bytes, order: str) -> bool:
        wanted = self._integers()
        for offset in range(8):
            whole = (len(content) - offset) // 8
            if whole <= 0:
                return False
            values = np.frombuffer(content, dtype=f"{order}i8", count=whole, offset=offset)
            likely = values[(values >= wanted[0]) & (values <= wanted[-1])]
            if likely.size and np.isin(likely.astype(np.int64), wanted).any():
                return True
        return False

    def found_in_file(self, path: Path) -> list[str]:
        """The same for every byte of a file, and of a Parquet file also for its decoded values."""
        found = self._found_in_bytes_of(path)
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                found |= {
                    f"{one}, decoded" for one in self._found_in_rows(connection, f"read_parquet('{path}')")
                }
        return [f"{path}: {one}" for one in sorted(found)]

    def found_in_tables(self, connection: duckdb.DuckDBPyConnection, seen: set[str]) -> list[str]:
        """The same for the values of the database's tables, decoded; the tables in ``seen`` are passed over."""
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
        fresh = sorted({table for (table,) in tables} - seen)
        seen.update(fresh)
        return [
            f"table {table}: {one}"
            for table in fresh
            for one in self._found_in_rows(connection, f'"{table}"')
        ]

    def _found_in_bytes_of(self, path: Path) -> set[str]:
        found, tail = set(), b""
        with path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                found |= set(self.found_in(tail + block))
                tail = block[-OVERLAP_BYTES:]
        return found

    def _found_in_rows(self, connection: duckdb.DuckDBPyConnection, source: str) -> set[str]:
        """The rows written out as text, which is how a packed number becomes digits again."""
        with tempfile.TemporaryDirectory(dir=ROOM) as folder:
            path = Path(folder) / "rows.csv"
            connection.execute(f"COPY (SELECT * FROM {source}) TO '{path}' (FORMAT csv, HEADER false)")
            return self._found_in_bytes_of(path)
