"""Rows as text for people: aligned columns that fit a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

USUAL_WIDTH = 100
HEADER_WIDTH = 13
SHORT_KEY = 12
GAP = "  "
UNKNOWN = "-"
KEY_COLUMN = "person_id"
LONG_COLUMNS = ("gaps", "reasons", "why")
LABEL_WIDTH = 14
FEWEST_COLUMNS = 3


def terminal_width() -> int:
    """Columns of the terminal; 100 where there is none."""
    return shutil.get_terminal_size((USUAL_WIDTH, 24)).columns


def as_text(value: Any) -> str:
    """A value for people: unknown is '-', truth is yes or no, numbers have up to four decimals.

    >>> [as_text(value) for value in (None, True, 0.25, 3, date(2026, 4, 1))]
    ['-', 'yes', '0.25', '3', '2026-04-01']
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, date):
        return value.isoformat()
    return "".join(mark if mark.isprintable() else " " for mark in str(value))


def aligned(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a table: headers broken at underscores, a rule, then a line a row; numbers stand to the right.

    >>> print("\\n".join(aligned(["area", "people"], [["N1", 5], ["N2", None]])))
    area  people
    ----  ------
    N1         5
    N2         -
    """
    values = [list(row) for row in rows]
    texts = [[as_text(value) for value in row] for row in values]
    heads = [_broken(header) for header in headers]
    places = range(len(headers))
    widths = [max(map(len, [*heads[place], *(row[place] for row in texts)])) for place in places]
    is_number = [_all_numbers(row[place] for row in values) for place in places]
    height = max(map(len, heads))
    tall = [[""] * (height - len(head)) + head for head in heads]
    lines = [_line([head[level] for head in tall], widths, is_number) for level in range(height)]
    lines.append(GAP.join("-" * width for width in widths))
    return lines + [_line(row, widths, is_number) for row in texts]


def people_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], width: int | None = None
) -> list[str]:
    """Lines of a table of people; reasons, gaps and the like stand under their person.

    Where it would be wider than the terminal, ``person_id`` shows its first 12 digits only, and then the last columns
    stand under their person too.
    """
    room = width or terminal_width()
    listed = [dict(zip(columns, row, strict=True)) for row in rows]
    shown = [name for name in columns if name not in LONG_COLUMNS] or list(columns)
    lines = aligned(shown, [[row[name] for name in shown] for row in listed])
    table = listed
    if KEY_COLUMN in shown and max(map(len, lines)) > room:
        table = [{**row, KEY_COLUMN: str(row[KEY_COLUMN])[:SHORT_KEY]} for row in listed]
        lines = aligned(shown, [[row[name] for name in shown] for row in table])
    moved: list[str] = []
    while max(map(len, lines)) > room and len(shown) > FEWEST_COLUMNS:
        moved.insert(0, shown.pop())
        lines = aligned(shown, [[row[name] for name in shown] for row in table])
    long = [name for name in columns if name not in (*shown, *moved)]
    first = len(lines) - len(listed)
    out = lines[:first]
    for line, row in zip(lines[first:], listed, strict=True):
        out += [line, *_below(row, moved, long, max(room, 40))]
    return out


def _below(row: Mapping[str, Any], moved: Sequence[str], long: Sequence[str], width: int) -> list[str]:
    """What stands under a person: the columns that had no room in one paragraph, each long text in its own."""
    texts = [", ".join(f"{name} {as_text(row[name])}" for name in moved)] if moved else []
    lead = len(long) > 1
    texts += [
        f"{name}: {as_text(row[name])}" if lead else as_text(row[name])
        for name in long
        if row[name] is not None
    ]
    indent = " " * 6
    return [
        line
        for text in texts
        for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    ]


def facts(entries: Mapping[str, str | Sequence[str]], width: int | None = None) -> list[str]:
    """Lines of labels and texts; several texts stand under each other, and a label without any is left out."""
    indent = " " * LABEL_WIDTH
    lines = []
    for label, entry in entries.items():
        for place, text in enumerate([entry] if isinstance(entry, str) else entry):
            lead = f"{label:<{LABEL_WIDTH}}" if place == 0 else indent
            if text:
                lines += textwrap.wrap(
                    text, width or terminal_width(), initial_indent=lead, subsequent_indent=indent
                )
    return lines


def _broken(header: str) -> list[str]:
    """A header in lines of at most 13 characters, broken after underscores."""
    lines = [""]
    for part in header.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > HEADER_WIDTH:
            lines.append("")
        lines[-1] += part
    return lines


def _all_numbers(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in known
    )


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, is_number, strict=True)
    ]
    return GAP.join(padded).rstrip()
