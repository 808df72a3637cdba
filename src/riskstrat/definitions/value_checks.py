"""Checks of single values that contracts may name; each distinct value of a column is asked about once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from riskstrat.definitions.snomed import has_wrong_check_digit, is_rounded

_TEN_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){9}(?![0-9])")
_WEIGHTS = range(10, 1, -1)


def holds_nhs_number(text: str) -> bool:
    """Whether ten digits stand somewhere in ``text`` that could be an NHS number: their modulus 11 digit is right.

    >>> holds_nhs_number("see 999 000 0018"), holds_nhs_number("RC901"), holds_nhs_number("tel 0123456780")
    (True, False, False)
    """
    for found in _TEN_DIGITS.finditer(text):
        digits = [int(character) for character in found[0] if character.isdigit()]
        rest = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=False)) % 11
        if (11 - rest) % 11 == digits[9]:
            return True
    return False


def is_nhs_number(text: str) -> bool:
    """Ten digits, not all equal, of which the last is the modulus 11 check of the others.

    >>> is_nhs_number("9990000018"), is_nhs_number("9990000019"), is_nhs_number("9999999999")
    (True, False, False)
    """
    if not re.fullmatch(r"[0-9]{10}", text) or len(set(text)) == 1:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return (11 - total % 11) % 11 == int(text[9])


# The names by which a contract calls a check of a value; each is True for a value that fails.
VALUE_CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "snomed_identifier_rounded": is_rounded,
        "snomed_identifier_check_digit": has_wrong_check_digit,
        "holds_nhs_number": holds_nhs_number,
    }
)
# Checks whose failing values nobody may see: they are blanked, whether the row is kept or set aside.
BLANKED = frozenset({"holds_nhs_number"})
