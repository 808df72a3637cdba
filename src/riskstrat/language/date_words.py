"""The words for days that depend on the run: ``as_of`` and what lies a fixed time before it.

They are replaced by DATE constants in the syntax tree, so that what runs names a day and asks no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn

from riskstrat.dates import days_before, months_before
from riskstrat.language.parsing import byte_place
from riskstrat.language.problems import Source
from riskstrat.language.rewriting import become

AS_OF = "as_of"
Node = dict[str, Any]


def calendar_year_start(day: date, years: int) -> date:
    """1 January of the year ``years`` years before the one that ``day`` lies in.

    >>> calendar_year_start(date(2026, 4, 1), 1)
    datetime.date(2025, 1, 1)
    """
    return date(day.year - years, 1, 1)


# name: what it computes from as_of and N, the greatest N, an example
DATE_FUNCTIONS: Mapping[str, tuple[Callable[[date, int], date], int, str]] = {
    "months_before": (months_before, 1_200, "months_before(12)"),
    "days_before": (days_before, 40_000, "days_before(90)"),
    "calendar_year_start": (calendar_year_start, 100, "calendar_year_start(0)"),
}
DATE_WORDS = (AS_OF, *DATE_FUNCTIONS)


def replace_as_of(source: Source, node: Node, as_of: date | None) -> None:
    """Make the node that says ``as_of`` the constant of that day."""
    become(node, f"DATE '{_known(source, node, AS_OF, as_of)}'")


def replace_date_function(source: Source, node: Node, as_of: date | None) -> None:
    """Make a call such as ``months_before(12)`` the constant of the day it names. Raises ExpressionError."""
    name = str(node["function_name"]).lower()
    compute, most, example = DATE_FUNCTIONS[name]
    number = _whole_number([argument["expression"] for argument in node["arguments"]])
    if number is None or number > most:
        _refuse(
            source,
            node,
            f"{name} takes one whole number from 0 to {most:,}.",
            f"write for example: {example}",
        )
    day = _known(source, node, name, as_of)
    try:
        become(node, f"DATE '{compute(day, number)}'")
    except (ValueError, OverflowError):
        _refuse(source, node, f"this day lies before the year 1, counted from {day}.", "take fewer.")


def _whole_number(arguments: list[Node]) -> int | None:
    if len(arguments) != 1 or arguments[0]["class"] != "CONSTANT":
        return None
    literal = arguments[0]["literal"]
    if literal["kind"] != "INTEGER" or not str(literal["text"]).isdecimal():
        return None
    return int(literal["text"])


def _known(source: Source, node: Node, word: str, as_of: date | None) -> date:
    if as_of is None:
        _refuse(
            source,
            node,
            f"{word} needs a run's date, and none is given here.",
            "name a day instead, such as DATE '2026-04-01', or ask with the run or date that is meant.",
        )
    return as_of


def _refuse(source: Source, node: Node, reason: str, remedy: str) -> NoReturn:
    source.refuse(reason, byte_place(source.text, node), remedy=remedy)
