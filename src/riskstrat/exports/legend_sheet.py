"""The last sheet of a list's workbook: everything that a reader must know about the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskstrat.exports.list_legend import ListLegend
from riskstrat.exports.text_sizes import height_of, lines_needed
from riskstrat.exports.wording import heading
from riskstrat.sqltext import harmless

LEGEND = "Legend"
WIDTHS = (32, 140)
TOP = 3  # the first line below the title
TITLE_HEIGHT = 20


def write_legend_sheet(page: Any, legend: ListLegend, formats: Mapping[str, Any]) -> None:
    """Write the legend to an empty sheet."""
    for place, width in enumerate(WIDTHS):
        page.set_column(place, place, width)
    page.set_row(0, TITLE_HEIGHT)
    page.write_string(0, 0, harmless(legend.title), formats["title"])
    page.write_string(1, 0, harmless(legend.heading), formats["plain"])
    for line, (name, text, is_heading) in enumerate(legend_lines(legend), start=TOP):
        page.set_row(
            line,
            height_of(
                max(
                    lines_needed(name, WIDTHS[0], is_bold=True),
                    lines_needed(text, WIDTHS[1], is_bold=is_heading),
                )
            ),
        )
        page.write_string(line, 0, harmless(name), formats["heading" if is_heading else "name"])
        page.write_string(line, 1, harmless(text), formats["heading" if is_heading else "meaning"])


def legend_lines(legend: ListLegend) -> list[tuple[str, str, bool]]:
    """The lines of the legend below its title: name, text, and whether it heads a part."""
    parts: list[tuple[tuple[str, str], Sequence[tuple[str, str]]]] = [
        (("About this list", ""), legend.facts),
        (("Section", "People in this file"), legend.sections),
        (("Change", "Compared with the list before"), legend.changes),
    ]
    parts += [
        ((heading(column), "What may be written in this column"), list(words.items()))
        for column, words in legend.choices.items()
    ]
    parts.append((("Column", "Meaning"), legend.columns))
    lines: list[tuple[str, str, bool]] = []
    for (name, text), entries in parts:
        lines += [("", "", False)] if lines else []
        lines += [(name, text, True), *((first, second, False) for first, second in entries)]
    return lines


def choice_ranges(legend: ListLegend) -> dict[str, str]:
    """Column to the cells of the legend that hold the words which may be written in it."""
    lines = legend_lines(legend)
    found = {}
    for column, words in legend.choices.items():
        first = next(
            line for line, (name, _, is_heading) in enumerate(lines) if is_heading and name == heading(column)
        )
        top = TOP + first + 2  # counted from 1, and below the heading
        found[column] = f"={LEGEND}!$A${top}:$A${top + len(words) - 1}"
    return found
