"""The check digit of a SNOMED CT identifier: Verhoeff's dihedral check (Release File Specification, 5.5)."""

from __future__ import annotations

SHORTEST, LONGEST = 6, 18

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
