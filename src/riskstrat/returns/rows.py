"""The words of a returned row as values: a day as a date, yes as true, an outcome as its name.

What cannot be read is a fault of its column; a fault never repeats what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.definitions.returns import ReturnRules
from riskstrat.returns.reading import Line

GIVEN = ("list", "list_run", "area_code", "nhs_number")  # filled in when the list is written
WORDS = ("outcome", "referred_to")
SHOWN = (
    "case_manager",
    "next_review_date",
)  # a list may show what is known, so these can be full and no answer
EARLIEST = date(1850, 1, 1)


@dataclass(frozen=True)
class Fault:
    """Why a row is set aside; ``column`` is None where it is the whole row."""

    column: str | None
    reason: str


@dataclass
class Row:
    """One row while it is judged. ``number`` counts the rows of the file from 1, ``values`` are typed or None.

    ``person_id`` and ``list_as_of`` are filled in when the person was found on the list.
    """

    number: int
    line: Line
    texts: Mapping[str, str]
    values: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)
    person_id: str | None = None
    list_as_of: date | None = None

    def blame(self, column: str | None, reason: str) -> None:
        """Set the row aside for one more reason."""
        self.faults.append(Fault(column, reason))

    def has_fault_at(self, *columns: str) -> bool:
        """Whether one of these columns is to blame already."""
        return any(fault.column in columns for fault in self.faults)


def typed_row(number: int, line: Line, contract: Contract, rules: ReturnRules) -> Row:
    """A row with typed values; what cannot be read is None and a fault."""
    if line.cells is None:
        row = Row(number, line, {}, {column.name: None for column in contract.columns})
        row.blame(None, "The row has another number of fields than the header.")
        return row
    texts = {
        column.name: _text(line.cells[column.name], column.name, rules.empty_words)
        for column in contract.columns
    }
    row = Row(number, line, texts, {})
    for column in contract.columns:
        row.values[column.name] = _value(row, column, texts[column.name], rules)
    return row


def _text(cell: str, name: str, empty_words: tuple[str, ...]) -> str:
    tidy = " ".join(cell.split())
    return "" if name not in GIVEN and tidy.casefold() in empty_words else tidy


def _value(row: Row, column: Column, text: str, rules: ReturnRules) -> Any:
    if not text:
        return None
    if column.identifier:
        return re.sub(r"[\s-]", "", text)
    if column.name in WORDS:
        return re.sub(r"[\s_-]+", "_", text.casefold())
    if column.type == "date":
        day = _day(text, rules.dates)
        if day is None:
            row.blame(column.name, f"{column.name} is not a date written {_written(rules.dates)}.")
        return day
    if column.type == "boolean":
        answer = rules.answers.get(text.casefold())
        if answer is None:
            row.blame(column.name, f"{column.name} is neither {' nor '.join(_usual(rules))} nor empty.")
        return answer
    return text


def _day(text: str, forms: tuple[str, ...]) -> date | None:
    for form in forms:
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        return day if day >= EARLIEST else None
    return None


def _written(forms: tuple[str, ...]) -> str:
    """The forms of a date for people.

    >>> _written(("%Y-%m-%d", "%d/%m/%Y"))
    'YYYY-MM-DD or DD/MM/YYYY'
    """
    letters = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%y": "YY"}
    return " or ".join(
        re.sub(r"%[a-zA-Z]", lambda part: letters.get(part[0], part[0]), form) for form in forms
    )


def _usual(rules: ReturnRules) -> list[str]:
    """The first word for each answer."""
    return [
        next(word for word, answer in rules.answers.items() if answer is wanted) for wanted in (True, False)
    ]
