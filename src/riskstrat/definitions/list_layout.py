"""``config/exports/lists.yaml``: how a published list looks as a workbook, on paper and in the terminal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, flag_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

FILE = Path("exports") / "lists.yaml"
KEYS = (
    *("marking", "nothing", "words", "one_a_line", "left"),
    *("workbook", "page", "terminal"),
)
WORKBOOK_KEYS = ("in_sight", "printed", "widths")
CELL_KEYS = ("heading", "width", "lines")
LINE_KEYS = ("text", "needs", "strong")
TERMINAL_KEYS = ("row", "below")
MARKING = re.compile(r"[A-Za-z0-9 :,.()-]{1,60}")
WORD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Line:
    """A text with {column} words; ``needs`` is a column that must not say no or nothing."""

    text: str
    needs: str | None = None
    is_strong: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        found = WORD.findall(self.text)
        return tuple(dict.fromkeys([*found, *([self.needs] if self.needs else [])]))


@dataclass(frozen=True)
class Cell:
    """A column of the printed page: its heading, its width in percent and its lines."""

    heading: str
    width: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class WorkbookLayout:
    """Which columns stay in sight, which others are printed, and those whose width is set, in characters."""

    in_sight: tuple[str, ...]
    printed: tuple[str, ...]
    widths: Mapping[str, int]


@dataclass(frozen=True)
class ListLayout:
    """The whole file.

    ``nothing`` is what is said of a column where there is nothing to say. ``left`` are the columns of people who left
    the list. ``row`` and ``below`` are the terminal's: columns with their headings, and lines under them.
    """

    marking: str
    nothing: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    one_a_line: tuple[str, ...]
    left: tuple[str, ...]
    workbook: WorkbookLayout
    page: tuple[Cell, ...]
    row: Mapping[str, str]
    below: tuple[Line, ...]


def load_list_layout(config: Path) -> ListLayout:
    """Parse the layout strictly. Raises DefinitionError."""
    path = config / FILE
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    terminal, cells = mapping_at(document, "terminal", path), document["page"]
    check_keys(terminal, allowed=TERMINAL_KEYS, required=TERMINAL_KEYS, file=path, where="terminal")
    if not isinstance(cells, list) or not cells:
        raise DefinitionError("page must be a list of cells.", file=path, column="page")
    return ListLayout(
        marking=_marking(document, path),
        nothing=_texts(document["nothing"], "nothing", path),
        words={
            str(column): _texts(words, "words", path)
            for column, words in mapping_at(document, "words", path).items()
        },
        one_a_line=names_at(document, "one_a_line", path),
        left=names_at(document, "left", path),
        workbook=_workbook(mapping_at(document, "workbook", path), path),
        page=tuple(_cell(entry, path) for entry in cells),
        row=_texts(terminal["row"], "terminal", path),
        below=_lines(terminal["below"], path, "terminal"),
    )


def _marking(document: Mapping[str, Any], path: Path) -> str:
    """A text that may stand in a page's header without any escape."""
    text = text_at(document, "marking", path)
    if not MARKING.fullmatch(text):
        raise DefinitionError(
            "marking holds other signs than letters, digits, spaces and : , . ( ) -",
            file=path,
            column="marking",
            remedy="leave them out.",
        )
    return text


def _workbook(entry: Mapping[str, Any], path: Path) -> WorkbookLayout:
    check_keys(entry, allowed=WORKBOOK_KEYS, required=WORKBOOK_KEYS, file=path, where="workbook")
    widths = mapping_at(entry, "widths", path)
    return WorkbookLayout(
        in_sight=names_at(entry, "in_sight", path, where="workbook"),
        printed=names_at(entry, "printed", path, where="workbook"),
        widths={str(column): count_at(widths, column, path, "widths") or 1 for column in widths},
    )


def _cell(entry: Any, path: Path) -> Cell:
    check_keys(entry, allowed=CELL_KEYS, required=CELL_KEYS, file=path, where="page")
    return Cell(
        heading=text_at(entry, "heading", path, "page"),
        width=count_at(entry, "width", path, "page") or 1,
        lines=_lines(entry["lines"], path, "page"),
    )


def _lines(entries: Any, path: Path, where: str) -> tuple[Line, ...]:
    if not isinstance(entries, list) or not entries:
        raise DefinitionError(
            f"the lines of {where} must be a list.",
            file=path,
            column=where,
            remedy="one line after each '- '.",
        )
    return tuple(_line(entry, path, where) for entry in entries)


def _line(entry: Any, path: Path, where: str) -> Line:
    if isinstance(entry, str):
        entry = {"text": entry}
    check_keys(entry, allowed=LINE_KEYS, required=("text",), file=path, where=where)
    text = text_at(entry, "text", path, where)
    if "{" in WORD.sub("", text) or "}" in WORD.sub("", text):
        raise DefinitionError(
            f"'{text}' has a brace that belongs to no column.",
            file=path,
            column=where,
            remedy="write a column's name in braces, such as {event_date}.",
        )
    needs = text_at(entry, "needs", path, where) if "needs" in entry else None
    return Line(text, needs, flag_at(entry, "strong", path, default=False))


def _texts(entries: Any, key: str, path: Path) -> dict[str, str]:
    if not isinstance(entries, Mapping) or not all(isinstance(text, str) for text in entries.values()):
        raise DefinitionError(
            f"{key} must give a text for each column.", file=path, column=key, remedy="put it in quotes."
        )
    return {str(column): text for column, text in entries.items()}


def check_list_layout(layout: ListLayout, columns: Iterable[str], file: Path) -> None:
    """Raise DefinitionError for a name that is no column of a list."""
    known = set(columns)
    for name in _named(layout):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise DefinitionError(
                f"'{name}' is no column of a list.",
                file=file,
                column=name,
                remedy=f"did you mean '{near[0]}'?"
                if near
                else "correct the name (data_contracts/lists.yaml).",
            )


def _named(layout: ListLayout) -> Iterator[str]:
    lines = [*layout.below, *(line for cell in layout.page for line in cell.lines)]
    yield from (column for line in lines for column in line.columns)
    for named in (layout.nothing, layout.words, layout.row):
        yield from named
    yield from (*layout.one_a_line, *layout.left)
    yield from (*layout.workbook.in_sight, *layout.workbook.printed, *layout.workbook.widths)
