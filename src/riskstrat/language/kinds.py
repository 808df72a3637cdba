"""What a part of an expression is: a number, text, a date, true or false; and how large a number can become.

Whole numbers carry the greatest absolute value that they can have, decimal numbers their digits before and
after the point. What would not fit an exact type is computed in DOUBLE, so that no sum fails on somebody's data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NUMBER, TEXT, DAY, TRUTH, NOTHING = "number", "text", "date", "boolean", "null"
FAMILY_WORDS: Mapping[str, str] = {
    NUMBER: "a number",
    TEXT: "text",
    DAY: "a date",
    TRUTH: "true or false",
    NOTHING: "unknown for everybody",
}
INTEGER_MOST = 2**31
BIGINT_MOST = 2**63
DIGITS_BEFORE = 22  # with both at their most, a comparison still fits the 38 digits of every engine
DIGITS_AFTER = 15
LITERAL_DIGITS = 15  # what DOUBLE holds exactly
LITERAL = re.compile(r"-?(?P<before>[0-9]*)(?:\.(?P<after>[0-9]*))?(?P<exponent>[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Kind:
    """One of the families; a number is whole (``most``), decimal (``before``, ``after``) or else DOUBLE."""

    family: str
    most: int | None = None
    before: int = 0
    after: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the number has no part after the point."""
        return self.most is not None

    @property
    def is_double(self) -> bool:
        """Whether the number is a DOUBLE."""
        return self.family == NUMBER and self.most is None and not self.before

    @property
    def is_integer(self) -> bool:
        """Whether its type is INTEGER: every larger whole number is a BIGINT."""
        return self.most is not None and self.most <= INTEGER_MOST

    @property
    def words(self) -> str:
        """The kind in plain English."""
        return FAMILY_WORDS[self.family]


def whole(most: int) -> Kind:
    """A whole number of at most this absolute value."""
    return Kind(NUMBER, most=most)


def bigint(kind: Kind) -> Kind:
    """The same whole number as a BIGINT."""
    return whole(max(kind.most or 0, INTEGER_MOST + 1))


DOUBLE = Kind(NUMBER)
COUNT = whole(INTEGER_MOST * 2)  # what length, year and date_diff give: a BIGINT here, an INT elsewhere
COLUMN_KINDS: Mapping[str, Kind] = {
    "INTEGER": whole(INTEGER_MOST),
    "BIGINT": whole(BIGINT_MOST),
    "DOUBLE": DOUBLE,
    "VARCHAR": Kind(TEXT),
    "DATE": Kind(DAY),
    "BOOLEAN": Kind(TRUTH),
}


def number_of(text: str) -> Kind | None:
    """The kind of a number as written, or None where engines would not read the same number.

    >>> number_of("0.24"), number_of("1_000")
    (Kind(family='number', most=None, before=1, after=2), None)
    """
    found = LITERAL.fullmatch(text)
    if not found:
        return None
    before, after = found["before"] or "0", found["after"] or ""
    if (
        len(before) > LITERAL_DIGITS
        or len(before) + len(after) > LITERAL_DIGITS + 1
        or abs(float(text)) >= 1e15
    ):
        return None
    if found["exponent"]:
        return DOUBLE
    return Kind(NUMBER, before=len(before), after=len(after)) if "." in text else whole(int(before))


def common(kinds: Iterable[Kind]) -> Kind:
    """The kind that holds all of these, which are of one family or unknown."""
    known = [kind for kind in kinds if kind.family != NOTHING]
    if not known:
        return Kind(NOTHING)
    if known[0].family != NUMBER or any(kind.is_double for kind in known):
        return DOUBLE if known[0].family == NUMBER else known[0]
    if all(kind.is_whole for kind in known):
        return whole(max(kind.most or 0 for kind in known))
    sizes = [_digits(kind) for kind in known]
    return Kind(NUMBER, before=max(before for before, _ in sizes), after=max(after for _, after in sizes))


def computed(operator: str, kinds: list[Kind]) -> Kind | None:
    """What ``+``, ``-`` and ``*`` give in an exact type, or None where only DOUBLE holds every result."""
    if any(kind.is_double for kind in kinds):
        return None
    if all(kind.is_whole for kind in kinds):
        sizes = [kind.most or 0 for kind in kinds]
        most = sizes[0] * sizes[-1] if operator == "*" else sum(sizes)
        return whole(most) if most < BIGINT_MOST else None
    first, last = _digits(kinds[0]), _digits(kinds[-1])
    if operator == "*":
        before, after = first[0] + last[0], first[1] + last[1]
    else:
        before, after = max(first[0], last[0]) + 1, max(first[1], last[1])
    fits = before <= DIGITS_BEFORE and after <= DIGITS_AFTER
    return Kind(NUMBER, before=before, after=after) if fits else None


def _digits(kind: Kind) -> tuple[int, int]:
    """Digits before and after the point of the decimal type that engines give a number."""
    if not kind.is_whole:
        return kind.before, kind.after
    return (10 if kind.is_integer else 20), 0
