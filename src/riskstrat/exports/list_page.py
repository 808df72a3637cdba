"""A list as one page to print: self-contained, sections one after another, the legend at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from riskstrat.definitions.list_layout import Cell
from riskstrat.exports.list_cells import ListFile
from riskstrat.exports.list_legend import NOTE, ListLegend
from riskstrat.exports.list_rows import NHS_NUMBER, SectionRows
from riskstrat.exports.wording import Piece, Wording, day_in_words, heading

TEMPLATE = "list.html.j2"
NUMBER_PARTS = (0, 3, 6, 10)


@dataclass(frozen=True)
class PageLine:
    """A line of a cell: its pieces, each a column or None with a text; ``is_item`` of a list of texts."""

    pieces: Sequence[Piece]
    is_strong: bool = False
    is_item: bool = False


@dataclass(frozen=True)
class PageRow:
    """A person: place, change, and the lines of every cell."""

    rank: str
    change: str
    cells: Sequence[Sequence[PageLine]]


@dataclass(frozen=True)
class PageSection:
    """A table with its headings (text and width in percent). ``has_left``: beside these nobody writes anything."""

    title: str
    count: int
    has_left: bool
    headings: Sequence[tuple[str, int]]
    rows: Sequence[PageRow]


def as_list_page(file: ListFile, legend: ListLegend) -> bytes:
    """The page as UTF-8; every value is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("riskstrat.exports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(TEMPLATE).render(
        legend=legend,
        note=NOTE,
        marking=file.layout.marking,
        sections=[_section(file, section) for section in file.table.sections if section.people],
        outcomes=list(legend.choices.get("outcome", {})),
        nhs_number=NHS_NUMBER,
        number_parts=list(pairwise(NUMBER_PARTS)),
        heading=heading,
    )
    return (page.rstrip("\n") + "\n").encode("utf-8")


def _section(file: ListFile, section: SectionRows) -> PageSection:
    wording, columns = replace(file.wording, as_day=day_in_words), file.table.columns
    if section.has_left:
        shown = file.columns_of_left()
        rows = [
            PageRow(
                "",
                "",
                [[PageLine([(column, wording.told(person, column))])] for column in shown],
            )
            for person in section.people
        ]
        return PageSection(section.title, len(rows), True, [(heading(column), 0) for column in shown], rows)
    cells = [cell for cell in file.layout.page if _stands(cell, columns)]
    rows = [
        PageRow(
            wording.told(person, "rank"),
            wording.told(person, "change"),
            [_lines(file, wording, cell, person) for cell in cells],
        )
        for person in section.people
    ]
    return PageSection(section.title, len(rows), False, [(cell.heading, cell.width) for cell in cells], rows)


def _stands(cell: Cell, columns: Sequence[str]) -> bool:
    """Whether the reader may have anything of the cell."""
    return any(set(line.columns) <= set(columns) for line in cell.lines)


def _lines(file: ListFile, wording: Wording, cell: Cell, person: Mapping[str, Any]) -> list[PageLine]:
    found = []
    for line in cell.lines:
        pieces = wording.pieces(line, person, file.table.columns)
        several = [column for column, _ in pieces if column in file.layout.one_a_line and person.get(column)]
        if not several:
            found += [PageLine(pieces, line.is_strong)] if pieces else []
            continue
        for column, text in pieces:  # each reason stands on its own line
            if column in several:
                found += [PageLine([(column, item)], is_item=True) for item in text.split("; ")]
            else:
                found.append(PageLine([(column, text)], line.is_strong))
    return found
