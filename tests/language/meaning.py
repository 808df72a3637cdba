"""SQL's operators and functions over one person's values, in slow and obvious Python; None is unknown."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Value = Any
COMPARED: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def alike(values: Sequence[Value]) -> list[Value]:
    """Numbers of one type: all floating where one of them is."""
    if any(isinstance(value, float) for value in values):
        return [None if value is None else float(value) for value in values]
    return list(values)


def compare(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    first, last = alike([left, right])
    return COMPARED[sign](first, last)


def both(values: Sequence[bool | None]) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def either(values: Sequence[bool | None]) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


def member(value: Value, listed: Sequence[Value]) -> bool | None:
    return either([compare("=", value, other) for other in listed])


def between(value: Value, lower: Value, upper: Value) -> bool | None:
    return both([compare(">=", value, lower), compare("<=", value, upper)])


def distinct(left: Value, right: Value) -> bool:
    if left is None or right is None:
        return not (left is None and right is None)
    return not compare("=", left, right)


def like(text: str | None, pattern: str, *, any_case: bool = False) -> bool | None:
    if text is None:
        return None
    if any_case:
        text, pattern = lower(text), lower(pattern)
    translated = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(translated, text, re.DOTALL) is not None


def lower(text: str) -> str:
    """Letter by letter, each to one letter."""
    return "".join("i" if letter == "\u0130" else letter.lower() for letter in text)


def calculate(sign: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    first, last = alike([left, right])
    if sign == "/":
        return None if float(last) == 0 else float(first) / float(last)
    if sign in ("//", "%"):
        if last == 0:
            return None
        whole = abs(first) // abs(last) * (1 if (first < 0) == (last < 0) else -1)
        return whole if sign == "//" else first - whole * last
    return {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](first, last)


def rounded(value: Value, digits: int) -> Value:
    """Half away from zero, as computed in floating point: scale, round, scale back."""
    if value is None:
        return None
    scaled = Decimal(float(value) * 10**digits).quantize(Decimal(1), ROUND_HALF_UP)
    return float(scaled) / 10**digits if digits else float(scaled)


def extreme(values: Sequence[Value], *, greatest: bool) -> Value:
    known = [value for value in alike(values) if value is not None]
    return (max(known) if greatest else min(known)) if known else None


def null_if(value: Value, other: Value) -> Value:
    return None if compare("=", value, other) else value


def first_known(values: Sequence[Value]) -> Value:
    return next((value for value in values if value is not None), None)


def number_in(text: str | None) -> int | None:
    """What TRY_CAST to INTEGER reads."""
    return int(text) if text is not None and re.fullmatch(r"[+-]?[0-9]{1,9}", text) else None


def day_in(text: str | None) -> date | None:
    """What TRY_CAST to DATE reads."""
    if text is None or not re.fullmatch(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def moved(day: date | None, days: int) -> date | None:
    return None if day is None else day + timedelta(days=days)


def days_between(earlier: date | None, later: date | None) -> int | None:
    return None if earlier is None or later is None else (later - earlier).days


def written(value: Value) -> str | None:
    """What a cast to text gives."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
