"""Rows of one extract as columns of text, and the fast ways to make such columns from numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskstrat.demo.calibration import Booleans, Integers

EPOCH = date(1970, 1, 1)
# Later than any day of the town: "has not happened".
NEVER = 10**6
_FIRST_DAY = (date(1900, 1, 1) - EPOCH).days
_DAYS = (date(2061, 1, 1) - date(1900, 1, 1)).days


@dataclass(frozen=True)
class Rows:
    """Some rows of one extract: text columns by name, and whose each is (a place in the chunk)."""

    extract: str
    columns: dict[str, pa.Array]
    person: Integers

    def __len__(self) -> int:
        return len(self.person)


def day_number(day: date) -> int:
    """Days since 1 January 1970, the unit of all dates inside the generator."""
    return (day - EPOCH).days


@cache
def _day_texts() -> pa.Array:
    return pa.array([(date(1900, 1, 1) + timedelta(days=offset)).isoformat() for offset in range(_DAYS)])


@cache
def _minute_texts() -> pa.Array:
    return pa.array([f" {minute // 60:02d}:{minute % 60:02d}:00" for minute in range(1440)])


def days(numbers: Integers, missing: Booleans | None = None) -> pa.Array:
    """Dates as YYYY-MM-DD; empty where ``missing``."""
    places = np.clip(numbers - _FIRST_DAY, 0, _DAYS - 1)
    return _day_texts().take(pa.array(places, mask=missing))


def moments(minutes: Integers, missing: Booleans | None = None) -> pa.Array:
    """Minutes since 1970 as YYYY-MM-DD HH:MM:SS; empty where ``missing``."""
    clock = _minute_texts().take(pa.array(minutes % 1440, mask=missing))
    return pc.binary_join_element_wise(days(minutes // 1440, missing), clock, "")


def labels(choices: list[str] | pa.Array, places: Integers, missing: Booleans | None = None) -> pa.Array:
    """``choices[place]`` for every place; empty where ``missing`` or where the choice is empty text."""
    options = (
        choices
        if isinstance(choices, pa.Array)
        else pa.array([choice or None for choice in choices], pa.string())
    )
    return options.take(pa.array(places, mask=missing))


def numbered(prefix: str, first: int, count: int) -> pa.Array:
    """``count`` identifiers: the prefix and consecutive numbers."""
    return identifiers(prefix, np.arange(first, first + count))


def identifiers(prefix: str, values: Integers) -> pa.Array:
    """Identifiers: the prefix and a number each."""
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(values), pa.string()), "")


def numbers(values: NDArray[np.generic], missing: Booleans | None = None) -> pa.Array:
    """Numbers as text; empty where ``missing``."""
    return pc.cast(pa.array(values, mask=missing), pa.string())


def constant_text(text: str, count: int) -> pa.Array:
    """The same text in every row."""
    return pa.repeat(pa.scalar(text, pa.string()), count)
