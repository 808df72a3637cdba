"""What a reader sees in place of a value of a list: words for short values, and unknown printed as unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskstrat.definitions.list_layout import WORD, Line, ListLayout
from riskstrat.reading.published_lists import PublishedList

UNKNOWN = "unknown"
CAPITALS = {"nhs": "NHS"}
YES, NO = "yes", "no"
Person = Mapping[str, Any]
Piece = tuple[str | None, str]


@dataclass(frozen=True)
class Wording:
    """The words of one layout for one run.

    ``empty`` is what an empty cell of a column says; of a column that is not there it says ``unknown``. ``as_day`` says
    how a date is written.
    """

    layout: ListLayout
    empty: Mapping[str, str]
    as_day: Callable[[date], str] = date.isoformat

    def is_nothing(self, person: Person, column: str) -> bool:
        """Whether the column says no or 0, or is empty without being unknown."""
        value = person.get(column)
        if value is None:
            return self.empty.get(column, UNKNOWN) != UNKNOWN
        return value is False or value == 0

    def told(self, person: Person, column: str) -> str:
        """The value as text: yes and no, days, ``unknown``, or what the layout has for nothing."""
        value = person.get(column)
        if value is None:
            return self.empty.get(column, UNKNOWN)
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, float):
            return f"{value:.4f}".rstrip("0").rstrip(".")
        if isinstance(value, date):
            return self.as_day(value)
        text = str(value)
        return self.layout.words.get(column, {}).get(text, text)

    def value(self, person: Person, column: str) -> Any:
        """For a spreadsheet: numbers and dates as they are, everything else as it is told."""
        value = person.get(column)
        is_kept = isinstance(value, int | float | date) and not isinstance(value, bool)
        return value if is_kept else self.told(person, column)

    def pieces(self, line: Line, person: Person, columns: Iterable[str]) -> list[Piece]:
        """The line as its fixed texts (None) and its values (their columns); nothing where it is left out."""
        if not self._stands(line, person, set(columns)):
            return []
        parts = WORD.split(line.text)
        found: list[Piece] = [
            (part, self.told(person, part)) if place % 2 else (None, part) for place, part in enumerate(parts)
        ]
        return [piece for piece in found if piece[1]]

    def text(self, line: Line, person: Person, columns: Iterable[str]) -> str:
        """The line as plain text; empty where it is left out."""
        return "".join(text for _, text in self.pieces(line, person, columns))

    def _stands(self, line: Line, person: Person, columns: set[str]) -> bool:
        if not set(line.columns) <= columns:
            return False
        return line.needs is None or not self.is_nothing(person, line.needs)


def wording_of(published: PublishedList, layout: ListLayout) -> Wording:
    """The words for a list: what its empty cells mean is what its run says."""
    empty = {
        column: UNKNOWN if means == UNKNOWN else layout.nothing.get(column, "")
        for column, means in published.definition["empty_cells"].items()
    }
    return Wording(layout, empty)


def heading(column: str) -> str:
    """The heading of a column for people, from which the column can be told again.

    >>> heading("nhs_number"), heading("unplanned_admissions_12m"), heading("q1_visits")
    ('NHS number', 'Unplanned admissions 12m', 'Q1 visits')
    """
    first, *others = [CAPITALS.get(word, word) for word in column.split("_")]
    return " ".join([first[:1].upper() + first[1:], *others])


def day_in_words(day: date) -> str:
    """A date as people write it.

    >>> day_in_words(date(2026, 4, 1))
    '1 Apr 2026'
    """
    return f"{day.day} {day:%b %Y}"
