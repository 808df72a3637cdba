"""What tells a SNOMED CT identifier from damage: its check digit, and what a spreadsheet makes of a long number.

Source: SNOMED CT Release File Specification 5.5 (Verhoeff's dihedral check). Identifiers of dm+d have the same form.
"""

from __future__ import annotations

import re

SHORTEST, LONGEST = 6, 18
# A spreadsheet keeps 15 digits of a number and writes zeros after them.
KEPT_DIGITS = 15
_AS_DECIMAL = re.compile(r"[0-9]{6,18}[.,]0+|[0-9](?:[.,][0-9]+)?[eE][+]?[0-9]{1,2}")

# Row d, column e: the product of d and e in the dihedral group of order 10.
_PRODUCT = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
# Row i, column e: what Verhoeff's permutation makes of digit e at place i, counted from the right.
_PERMUTATION = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def is_snomed_id(text: str) -> bool:
    """Whether ``text`` is 6 to 18 digits, no leading zero, of which the last checks the others.

    >>> is_snomed_id("73211009")
    True
    >>> is_snomed_id("73211008")
    False
    >>> is_snomed_id("1022791000000101"), is_snomed_id("1022791000000100")
    (True, False)
    """
    if not (text.isascii() and text.isdigit() and SHORTEST <= len(text) <= LONGEST) or text[0] == "0":
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        check = int(_PRODUCT[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0


def is_rounded(text: str) -> bool:
    """Whether ``text`` is what a spreadsheet makes of an identifier: rounded, or written as a decimal number.

    A long identifier that truly ends in zeros passes, because its check digit is right.

    >>> [is_rounded(text) for text in ("1.02279E+15", "73211009.0", "1022791000000100", "999022791000000000")]
    [True, True, True, True]
    >>> [is_rounded(text) for text in ("73211009", "73211008", "1022791000000101", "unknown")]
    [False, False, False, False]
    """
    if _AS_DECIMAL.fullmatch(text):
        return True
    kept, rest = text[:KEPT_DIGITS], text[KEPT_DIGITS:]
    return (
        text.isascii()
        and text.isdigit()
        and len(text) <= LONGEST
        and len(kept) < len(text)
        and not rest.strip("0")
        and not is_snomed_id(text)
    )


def has_wrong_check_digit(text: str) -> bool:
    """Whether ``text`` is no SNOMED CT identifier for another reason than a spreadsheet's rounding.

    >>> [has_wrong_check_digit(text) for text in ("73211008", "12345", "EMISNQHO12", "73211009", "7.32E+7")]
    [True, True, True, False, False]
    """
    return not is_snomed_id(text) and not is_rounded(text)
