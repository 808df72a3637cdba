"""A list as a workbook: a sheet a section, each ready to read, to print and to fill in, and a legend."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time
from typing import Any

from riskstrat.exports.legend_sheet import LEGEND, choice_ranges, write_legend_sheet
from riskstrat.exports.list_cells import SECTION, ListFile
from riskstrat.exports.list_legend import NOTE, ListLegend
from riskstrat.exports.list_sheet import FONT, Sheet, sheet_formats, sheet_widths

A4 = 9
SHEET_NAME, NO_SHEET_NAME = 31, re.compile(r"[\[\]:*?/\\']")
RESERVED = ("history", LEGEND.casefold())
MARGINS = {"left": 0.25, "right": 0.25, "top": 0.7, "bottom": 0.6}


def as_list_workbook(file: ListFile, legend: ListLegend, as_of: date) -> bytes:
    """The workbook, made in memory; no text in it is ever a formula."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "default_format_properties": FONT,
    }
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": legend.title, "created": datetime.combine(as_of, time())})
        formats, widths, ranges = sheet_formats(book), sheet_widths(file), choice_ranges(legend)
        names: list[str] = []
        for section in file.table.sections:
            if section.people:
                names.append(_name(section.title, names))
                page = book.add_worksheet(names[-1])
                Sheet(page, file, section, formats, widths).write(ranges)
                _set_page(page, file, legend, section.title)
        page = book.add_worksheet(LEGEND)
        write_legend_sheet(page, legend, formats)
        _set_page(page, file, legend, LEGEND)
    return stream.getvalue()


def _set_page(page: Any, file: ListFile, legend: ListLegend, title: str) -> None:
    """A4 on its side, one page wide, with what and whose it is on every page."""
    page.set_paper(A4)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_margins(**MARGINS)
    what = _plain(f"{legend.title}: {title}")
    page.set_header(f'&L&"Arial,Bold"&12{what}&R&"Arial,Regular"&10{_plain(legend.heading)}')
    page.set_footer(
        f'&L&"Arial,Bold"&8{_plain(file.layout.marking)}&C&"Arial,Regular"&8{NOTE}&R&8Page &P of &N'
    )


def _name(title: str, taken: list[str]) -> str:
    """A name of at most 31 letters that no other sheet has.

    >>> _name("Known to the team, review overdue", []), _name("New/back", ["New back"])
    ('Known to the team, review overd', 'New back 2')
    """
    plain = NO_SHEET_NAME.sub(" ", title).strip() or SECTION
    name, number = plain[:SHEET_NAME].strip(), 1
    others = [*RESERVED, *(one.casefold() for one in taken)]
    while name.casefold() in others:
        number += 1
        name = f"{plain[: SHEET_NAME - 3].strip()} {number}"
    return name


def _plain(text: str) -> str:
    """Text for a page's header, in which & is a command."""
    return text.replace("&", "&&")
