"""Examples inside a cohort's file: made-up people, and what the rules must say of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.dates import days_before, months_before
from riskstrat.definitions.cohort_values import choice_at, names_at, text_at
from riskstrat.definitions.documents import check_keys
from riskstrat.definitions.rules import WRITTEN_AS, Column
from riskstrat.errors import DefinitionError

EXAMPLE_KEYS = ("name", "person", "expect", "gaps")
REQUIRED_KEYS = ("name", "person", "expect")
MEMBER, LEFT_OUT, UNDECIDED = "member", "left_out", "undecided"
EXPECTATIONS = (MEMBER, LEFT_OUT, UNDECIDED)
# A day that moves with the run: a word for it and, where wanted, days more or less.
MOVING_DAY = re.compile(
    r"(?:as_of|(?P<unit>months_before|days_before)\((?P<number>[0-9]{1,4})\)|calendar_year_start\((?P<years>[0-9]{1,2})\))"
    r"(?:\s*(?P<sign>[+-])\s*(?P<days>[0-9]{1,5}))?"
)
GREATEST = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1}
Value = bool | int | float | str | date | None


@dataclass(frozen=True)
class Example:
    """A made-up person (features that ``person`` does not name are unknown) and what is expected of the cohort.

    A day in ``person`` is a date, or text such as ``months_before(12) - 1`` that ``day_of`` counts from as_of.
    ``gaps`` are the names of the person's gaps, None where the example says nothing of them.
    """

    name: str
    person: Mapping[str, Value]
    expect: str
    gaps: tuple[str, ...] | None = None


def read_examples(document: Mapping[str, Any], path: Path) -> tuple[Example, ...]:
    """The examples of a cohort's file. Raises DefinitionError."""
    entries = document.get("examples")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise DefinitionError(
            "examples must be a list.",
            file=path,
            column="examples",
            remedy="write '- {name: ..., person: {age: 80}, expect: member}'.",
        )
    examples = tuple(_example(entry, path) for entry in entries)
    names = [example.name for example in examples]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(
                f"two examples are called '{name}'.", file=path, column="examples", remedy="rename one."
            )
    return examples


def _example(entry: Any, path: Path) -> Example:
    check_keys(entry, allowed=EXAMPLE_KEYS, required=REQUIRED_KEYS, file=path, where="examples")
    name = text_at(entry, "name", path, "examples")
    person = entry["person"]
    if not isinstance(person, Mapping) or not all(isinstance(feature, str) for feature in person):
        raise DefinitionError(
            f"the person of '{name}' must hold features and values.",
            file=path,
            column="examples",
            remedy="write e.g. person: {age: 80}, or {} for somebody of whom nothing is known.",
        )
    return Example(
        name=name,
        person=dict(person),
        expect=choice_at(entry, "expect", EXPECTATIONS, path, "examples"),
        gaps=names_at(entry, "gaps", path, where="examples") if "gaps" in entry else None,
    )


def check_example(example: Example, columns: Mapping[str, Column], path: Path) -> None:
    """Raise DefinitionError for a value that its feature cannot have; the features are known to be some."""
    for feature, value in example.person.items():
        column = columns[feature]
        if value is not None and not _fits(value, column):
            raise DefinitionError(
                f"{feature} of the example '{example.name}' is not {_written_as(column)}.",
                file=path,
                column="examples",
                remedy="correct the value, or leave the feature out where it is unknown.",
            )


def _fits(value: Value, column: Column) -> bool:
    if column.type == "date":
        return type(value) is date or (isinstance(value, str) and MOVING_DAY.fullmatch(value) is not None)
    if column.type == "text":
        return isinstance(value, str) and (not column.allowed or value in column.allowed)
    if column.type == "boolean":
        return isinstance(value, bool)
    if column.type == "integer":
        return type(value) is int and abs(value) <= GREATEST[column.sql_type]
    return type(value) in (int, float)


def _written_as(column: Column) -> str:
    if column.type == "text":
        return f"one of {', '.join(column.allowed)}, in quotes" if column.allowed else "text, in quotes"
    if column.type == "date":
        return "a date (YYYY-MM-DD) or a day such as months_before(12) - 1"
    return WRITTEN_AS[column.type]


def day_of(value: date | str, as_of: date) -> date:
    """The day that an example names, for a run as of ``as_of``.

    >>> day_of("months_before(12) - 1", date(2026, 4, 1)), day_of("as_of", date(2026, 4, 1))
    (datetime.date(2025, 3, 31), datetime.date(2026, 4, 1))
    """
    if isinstance(value, date):
        return value
    match = MOVING_DAY.fullmatch(value)
    if match is None:
        raise ValueError(value)
    number = int(match["number"] or 0)
    if match["years"]:
        day = date(as_of.year - int(match["years"]), 1, 1)
    elif match["unit"] == "months_before":
        day = months_before(as_of, number)
    else:  # as_of itself is no day before it
        day = days_before(as_of, number)
    days = timedelta(days=int(match["days"] or 0))
    return day - days if match["sign"] == "-" else day + days
