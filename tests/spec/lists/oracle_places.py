"""How areas share places, one place after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction


def shared(
    places: int, weights: Mapping[str, Fraction], people: Mapping[str, Fraction], takers: Mapping[str, int]
) -> dict[str, int]:
    """Places by area, taking one full area after the other out of the sharing."""
    given: dict[str, int] = {}
    while True:
        waiting = [code for code in sorted(weights) if code not in given]
        left = places - sum(given.values())
        if not waiting:
            extra = _hamilton(left, list(weights), weights, people)
            return {code: given[code] + extra[code] for code in weights}
        now = _hamilton(left, waiting, weights, people)
        full = [code for code in waiting if now[code] >= takers[code]]
        if not full:
            return given | now
        given |= {code: takers[code] for code in full}


def _hamilton(
    places: int, codes: Sequence[str], weights: Mapping[str, Fraction], people: Mapping[str, Fraction]
) -> dict[str, int]:
    """Largest remainder, a place at a time."""
    wanted = {code: weights[code] for code in codes}
    if sum(wanted.values()) == 0:
        wanted = {code: people[code] for code in codes}
    if sum(wanted.values()) == 0:
        wanted = dict.fromkeys(codes, Fraction(1))
    total = sum(wanted.values())
    given = {code: (places * wanted[code]) // total for code in codes}
    rest = {code: places * wanted[code] / total - given[code] for code in codes}
    for _ in range(places - sum(given.values())):
        code = min(codes, key=lambda one: (-rest[one], one))
        given[code] += 1
        rest[code] = Fraction(-1)
    return {code: int(number) for code, number in given.items()}
