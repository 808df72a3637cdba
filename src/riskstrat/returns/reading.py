"""A returned file as rows of text: CSV as any spreadsheet writes it, or a workbook with a sheet a section.

Nothing is judged here but the form: whether it is a table at all, and whether its columns are those of a list.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskstrat.errors import MisuseError

ENCODINGS = ("utf-8-sig", "cp1252")
SEPARATORS = (",", ";")
ZIP_START = b"PK\x03\x04"
MOST_BYTES, MOST_UNPACKED_BYTES = 20_000_000, 200_000_000
MOST_HEADING_ROWS = 15  # the rows of a sheet in which its header may stand
COLUMN_LIKE = re.compile(r"(?!.*[0-9]{3})[a-z][a-z0-9_]{0,39}")  # no number of a person, no sentence
LEAST_LIKE = 0.6


@dataclass(frozen=True)
class Line:
    """One row with something in it. ``sheet`` counts a workbook's sheets from 1, ``row`` the rows as a reader does.

    ``cells`` holds the text of the columns of a return, '' where a cell is empty; None where the row has another number
    of fields than the header.
    """

    sheet: int | None
    row: int
    cells: Mapping[str, str] | None


@dataclass(frozen=True)
class Returned:
    """A file that came back, and its rows in order."""

    path: Path
    sha256: str
    lines: tuple[Line, ...]


class UnreadableReturnError(Exception):
    """The whole file is set aside. ``column`` is named where one is to blame; nothing here tells a patient's value."""

    def __init__(
        self, what: str, remedy: str, *, column: str | None = None, sheet: int | None = None, row: int = 1
    ) -> None:
        super().__init__(what)
        self.what, self.remedy, self.column, self.sheet, self.row = what, remedy, column, sheet, row


def read_content(path: Path) -> bytes:
    """The bytes of a returned file. Raises MisuseError for a file that cannot be read or is far too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MisuseError(
                f"is larger than {MOST_BYTES // 1_000_000} MB, which no list is.",
                file=path,
                remedy="name the list that the team sent back.",
            )
        return path.read_bytes()
    except OSError as problem:
        raise MisuseError(
            f"cannot be read ({problem.strerror}).", file=path, remedy="name the file that came back."
        ) from None


def read_lines(
    path: Path, content: bytes, wanted: Sequence[str], also_known: Iterable[str], legends: Iterable[str]
) -> Returned:
    """The rows of a returned file.

    ``wanted`` are the columns that must be there, ``also_known`` those that may be and are passed over, ``legends`` the
    names in lower case of sheets without people. Raises UnreadableReturnError.
    """
    form = _Form(tuple(wanted), frozenset(also_known))
    if content.startswith(ZIP_START):
        lines = tuple(_workbook_lines(content, form, frozenset(legends)))
    else:
        lines = tuple(_text_lines(content, form))
    return Returned(path, hashlib.sha256(content).hexdigest(), lines)


@dataclass(frozen=True)
class _Form:
    """The columns that a file must have, and those that it may have besides."""

    wanted: tuple[str, ...]
    also_known: frozenset[str]

    def is_header(self, cells: Sequence[str]) -> bool:
        return len({_name(cell) for cell in cells} & set(self.wanted)) > 1

    def places(self, header: Sequence[str], sheet: int | None, row: int) -> dict[str, int]:
        """Where the wanted columns stand. Raises UnreadableReturnError for a column too many, too few or twice."""
        names = [_name(cell) for cell in header]
        missing = [name for name in self.wanted if name not in names]
        if len(missing) * 2 > len(self.wanted):  # not a header, and its texts may be somebody's
            raise UnreadableReturnError(
                f"has no header of a list: {len(missing)} of its {len(self.wanted)} columns are missing here.",
                "send the list back with the header that it had.",
                column=missing[0],
                sheet=sheet,
                row=row,
            )
        for place, name in enumerate(names, start=1):
            if name and name not in self.wanted and name not in self.also_known:
                raise self._unknown(name, place, missing, sheet, row)
            if name and names.count(name) > 1:
                raise UnreadableReturnError(
                    "stands twice in the header.", "keep one of them.", column=name, sheet=sheet, row=row
                )
        if missing:
            raise UnreadableReturnError(
                "is missing from the header.",
                "send the list back with every column that it had; cells may be empty.",
                column=missing[0],
                sheet=sheet,
                row=row,
            )
        return {name: names.index(name) for name in self.wanted}

    def _unknown(
        self, name: str, place: int, missing: Sequence[str], sheet: int | None, row: int
    ) -> UnreadableReturnError:
        shown = name if COLUMN_LIKE.fullmatch(name) else f"number {place}"
        near = difflib.get_close_matches(name, missing or self.wanted, n=1, cutoff=LEAST_LIKE)
        proposal = f"did you mean '{near[0]}'?" if near else "take it away, or give it back its name."
        return UnreadableReturnError("is no column of a list.", proposal, column=shown, sheet=sheet, row=row)


def _name(cell: str) -> str:
    """A heading as a column's name: capitals and spaces do not count.

    >>> _name(" NHS number ")
    'nhs_number'
    """
    return re.sub(r"[\s_]+", "_", cell.strip().casefold()).strip("_")


def _text_lines(content: bytes, form: _Form) -> Iterator[Line]:
    text = _decoded(content)
    separator = _separator(text, form)
    header: list[str] | None = None
    places: dict[str, int] = {}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = iter(reader)
    while True:
        row = reader.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            raise UnreadableReturnError(
                "has quotation marks that do not match, so its rows cannot be told apart.",
                "save the list again as CSV from the spreadsheet.",
                row=row,
            ) from None
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header, places = cells, form.places(cells, None, row)
            continue
        yield Line(None, row, _cells(cells, places) if len(cells) == len(header) else None)
    if header is None:
        raise UnreadableReturnError("holds no table.", "send the list back as it was, with its header.")


def _decoded(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableReturnError(
        "is neither CSV text nor an XLSX workbook.", "save the list as CSV (UTF-8) or as XLSX and send that."
    )


def _separator(text: str, form: _Form) -> str:
    """The separator that gives the first line with something in it more columns of a list."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    known = {*form.wanted, *form.also_known}

    def found(separator: str) -> int:
        try:
            cells = next(csv.reader([first], delimiter=separator), [])
        except csv.Error:
            return 0
        return sum(_name(cell) in known for cell in cells)

    return max(SEPARATORS, key=found)


def _workbook_lines(content: bytes, form: _Form, legends: frozenset[str]) -> Iterator[Line]:
    found = False
    for number, (title, rows) in enumerate(_sheets(content), start=1):
        if not rows or title.casefold() in legends:
            continue
        found = True
        above = [
            place for place, row in enumerate(rows) if row[0] <= MOST_HEADING_ROWS and form.is_header(row[1])
        ]
        header = above[0] if above else 0
        places = form.places(rows[header][1], number, rows[header][0])
        last = max(places.values())
        for row, cells in rows[header + 1 :]:
            yield Line(number, row, _cells([*cells, *[""] * (last + 1 - len(cells))], places))
    if not found:
        raise UnreadableReturnError("holds no table.", "send the list back as it was, with its header.")


def _sheets(content: bytes) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    """Title and rows of every sheet, each with its number; rows without anything in them are left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED_BYTES:
                raise UnreadableReturnError("is far larger than any list.", "send the list back as it was.")
        import openpyxl

        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return [(sheet.title, _filled(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except UnreadableReturnError:
        raise
    except Exception:  # a damaged workbook fails in openpyxl in any way, and its message can hold a cell
        raise UnreadableReturnError(
            "is no XLSX workbook that can be read.",
            "save the list again as XLSX without a password, or as CSV.",
        ) from None


def _filled(rows: Iterable[Sequence[Any]]) -> list[tuple[int, list[str]]]:
    return [
        (number, [_cell_text(value) for value in row])
        for number, row in enumerate(rows, start=1)
        if any(value is not None for value in row)
    ]


def _cell_text(value: Any) -> str:
    """A cell as text: a day as YYYY-MM-DD, truth as yes or no, a whole number without a point.

    >>> [_cell_text(value) for value in (None, True, 9990000018.0, datetime(2026, 4, 1), " seen ")]
    ['', 'yes', '9990000018', '2026-04-01', 'seen']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _cells(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[place].strip() for name, place in places.items()}
