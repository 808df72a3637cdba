"""How the areas share the places of a list: in proportion to their weights, and never more than an area can fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Area:
    """An area that shares in the places: its weight, its people, and how many people could take a place."""

    weight: Fraction
    people: int
    takers: int


def share(places: int, areas: Mapping[str, Area]) -> dict[str, int]:
    """Places by area: largest remainder, ties by area code; all of them, whoever can fill them.

    What an area cannot fill goes to the others in the same proportion. Where only areas without any weight are left,
    their people are the weight. Places that nobody can take stay with the areas as these would have shared them.

    >>> two_to_one = {"A": Area(Fraction(2), 100, 9), "B": Area(Fraction(1), 100, 9), "C": Area(Fraction(1), 100, 1)}
    >>> share(10, two_to_one)
    {'A': 6, 'B': 3, 'C': 1}
    """
    filled: dict[str, int] = {}
    while open_areas := {code: area for code, area in sorted(areas.items()) if code not in filled}:
        shares = _largest_remainder(places - sum(filled.values()), _weights(open_areas))
        full = {code: area.takers for code, area in open_areas.items() if shares[code] >= area.takers}
        if not full:
            return dict(sorted((filled | shares).items()))
        filled |= full
    spare = _largest_remainder(places - sum(filled.values()), _weights(areas)) if areas else {}
    return {code: filled[code] + spare[code] for code in sorted(areas)}


def _weights(areas: Mapping[str, Area]) -> dict[str, Fraction]:
    weights = {code: area.weight for code, area in areas.items()}
    if any(weights.values()):
        return weights
    people = {code: Fraction(area.people) for code, area in areas.items()}
    return people if any(people.values()) else dict.fromkeys(areas, Fraction(1))


def _largest_remainder(places: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    total = sum(weights.values())
    exact = {code: places * weight / total for code, weight in weights.items()}
    whole = {code: int(value) for code, value in exact.items()}
    left = places - sum(whole.values())
    first = sorted(weights, key=lambda code: (whole[code] - exact[code], code))[:left]
    return {code: whole[code] + (code in first) for code in weights}
