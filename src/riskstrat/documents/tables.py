"""Figures ready to be read: a count that may be hidden, a share of what is shown, tables for Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HIDDEN = "*"
NONE = "-"


@dataclass(frozen=True)
class Table:
    """A table as text: ``numeric`` says which columns hold numbers, ``note`` what a reader must know of them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if not self.numeric:
            object.__setattr__(self, "numeric", (False, *(True,) * (len(self.columns) - 1)))


def counted(count: int | None) -> str:
    """A count with thousands separated; a hidden one is marked."""
    return HIDDEN if count is None else f"{count:,}"


def share(part: int | None, whole: int | None) -> str:
    """Per cent to one place, of numbers as they are shown; marked where one of them is hidden."""
    if part is None or whole is None:
        return HIDDEN
    return f"{100 * part / whole:.1f}%" if whole else NONE


def change(before: int | None, now: int | None) -> str:
    """The difference of two shown counts, with its sign; marked where one of them is hidden."""
    if before is None or now is None:
        return HIDDEN
    return f"{now - before:+,}" if now != before else "0"


def markdown(table: Table) -> list[str]:
    """The lines of a Markdown table, its title above and its note below."""
    rule = ["---:" if numeric else "---" for numeric in table.numeric]
    lines = [f"**{_plain(table.title)}**", "", _row(table.columns), _row(rule)]
    lines += [_row(row) for row in table.rows]
    return [*lines, "", *([table.note, ""] if table.note else [])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that stays in its cell and is no mark-up."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
