"""The catalogue of damage, each kind a named function, and the file it works on."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

CANARY = "Zyxcanary"


class DoesNotFitError(Exception):
    """This kind of damage cannot be done to this file."""


@dataclass(frozen=True)
class Sheet:
    """Names and rows of cells, to be changed in place."""

    names: list[str]
    rows: list[list[str]]

    def some(self, rng: Random, most: int = 12) -> list[list[str]]:
        """A few rows, or now and then nearly all."""
        if not self.rows:
            raise DoesNotFitError
        count = len(self.rows) if rng.random() < 0.1 else rng.randint(1, most)
        return rng.sample(self.rows, min(count, len(self.rows)))

    def all_or_some(self, rng: Random, most: int = 12) -> list[list[str]]:
        """Every row half the time, else a few."""
        return self.rows if rng.random() < 0.5 else self.some(rng, most)

    def column(self, rng: Random, *fitting: str) -> int:
        """The place of a column whose name has one of ``fitting`` in it; of any without."""
        places = [
            place
            for place, name in enumerate(self.names)
            if not fitting or any(part in name for part in fitting)
        ]
        if not places:
            raise DoesNotFitError
        return rng.choice(places)


@dataclass(frozen=True)
class Target:
    """One extract's file in one delivery folder."""

    folder: Path
    extract: str

    @property
    def path(self) -> Path:
        found = sorted(path for path in self.folder.glob(f"{self.extract}*") if path.is_file())
        if not found:
            raise DoesNotFitError
        return found[0]

    @property
    def is_parquet(self) -> bool:
        return self.path.name.endswith(".parquet")

    def stored(self) -> bytes:
        """The file's bytes as they lie on the disk."""
        return self.path.read_bytes()

    def store(self, data: bytes) -> None:
        self.store_as(self.path.name, data)

    def store_as(self, name: str, data: bytes) -> None:
        """Put bytes under another name in the place of the file."""
        self.path.unlink()
        (self.folder / name).write_bytes(data)

    def text(self) -> bytes:
        """The file's text, unpacked."""
        if self.is_parquet:
            raise DoesNotFitError
        if not self.path.name.endswith(".gz"):
            return self.stored()
        try:
            return gzip.decompress(self.stored())
        except (OSError, EOFError, zlib.error):
            raise DoesNotFitError from None

    def write(self, text: bytes) -> None:
        self.store(packed(text, 1) if self.path.name.endswith(".gz") else text)

    def sheet(self) -> Sheet:
        """The file's cells, as the csv module reads them."""
        if self.is_parquet:
            return self._parquet_sheet()
        text = self.text().decode("utf-8-sig", "surrogateescape")
        try:
            rows = list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error:
            raise DoesNotFitError from None
        if not rows or not rows[0]:
            raise DoesNotFitError
        return Sheet(rows[0], [row for row in rows[1:] if len(row) == len(rows[0])])

    def _parquet_sheet(self) -> Sheet:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(io.BytesIO(self.stored()))
        except (pa.ArrowException, OSError):
            raise DoesNotFitError from None
        columns = [
            ["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns
        ]
        return Sheet(list(table.column_names), [list(row) for row in zip(*columns, strict=True)])

    def write_sheet(self, sheet: Sheet, *, quote: bool = False, end: str = "\n") -> None:
        if self.is_parquet:
            self.store(parquet_of(arrow_table(sheet)))
            return
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL)
        writer.writerow(sheet.names)
        writer.writerows(sheet.rows)
        self.write(out.getvalue().encode("utf-8", "surrogateescape"))


def packed(text: bytes, level: int = 9) -> bytes:
    """One gzip member, the same bytes whenever it is made."""
    return gzip.compress(text, level, mtime=0)


def arrow_table(sheet: Sheet) -> Any:
    """A sheet as an Arrow table of texts; an empty cell is null."""
    import pyarrow as pa

    columns = [
        pa.array([_encodable(row[place]) or None for row in sheet.rows], pa.string())
        for place in range(len(sheet.names))
    ]
    return pa.table(columns, names=[_encodable(name) for name in sheet.names])


def parquet_of(table: Any, **options: Any) -> bytes:
    """A table as a Parquet file."""
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def _encodable(cell: str) -> str:
    return cell.encode("utf-8", "replace").decode()


Change = Callable[[Random, Target], None]
KINDS: dict[str, Change] = {}
RARE: set[str] = set()  # kinds that cost seconds


def kind(change: Change, name: str = "") -> Change:
    """Enter a change into the catalogue, under its function's name unless another is given."""
    KINDS[name or change.__name__] = change
    return change


def rare(change: Change) -> Change:
    """Enter a change that is drawn seldom, because it takes seconds."""
    RARE.add(change.__name__)
    return kind(change)


def on_text(change: Callable[[Random, bytes], bytes]) -> Change:
    """Enter a change of the unpacked text."""

    def apply(rng: Random, target: Target) -> None:
        target.write(change(rng, target.text()))

    return kind(apply, change.__name__)


def on_sheet(change: Callable[[Random, Sheet], Sheet | None]) -> Change:
    """Enter a change of cells; one that gives None has changed the sheet in place."""

    def apply(rng: Random, target: Target) -> None:
        sheet = target.sheet()
        target.write_sheet(change(rng, sheet) or sheet, quote=rng.random() < 0.15)

    return kind(apply, change.__name__)


def lines_of(text: bytes) -> list[bytes]:
    """Lines with their ends. Raises DoesNotFitError where there are none after the header."""
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        raise DoesNotFitError
    return lines


def parted(text: bytes, rng: Random) -> tuple[bytes, list[bytes]]:
    """What stands before some line after the header, and the lines from there on."""
    lines = lines_of(text)
    place = rng.randrange(1, len(lines))
    return b"".join(lines[:place]), lines[place:]


def change_a_cell(
    lines: list[bytes], rng: Random, change: Callable[[bytes], bytes], *, first: int = 1
) -> None:
    """Change what stands between two commas of some line from ``first`` on; 0 is the header."""
    place = rng.randrange(first, len(lines))
    cells = lines[place].split(b",")
    column = rng.randrange(len(cells))
    cells[column] = change(cells[column])
    lines[place] = b",".join(cells)


def put_in(text: bytes, rng: Random, parts: Sequence[bytes], most: int = 3) -> bytes:
    """The text with one of ``parts`` at one to ``most`` places, anywhere."""
    for _ in range(rng.randint(1, most)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(parts) + text[place:]
    return text


def load_kinds() -> dict[str, Change]:
    """The whole catalogue."""
    from tests.fuzz import kinds_of_bytes, kinds_of_columns, kinds_of_files, kinds_of_lines, kinds_of_values

    del kinds_of_bytes, kinds_of_columns, kinds_of_files, kinds_of_lines, kinds_of_values
    return KINDS
