"""A reader who keeps every release and wants to know the hidden numbers. Written apart from what hides them.

Knows: the policy and its rounding, that zero means zero, every relation, every percentage, which counts did not change
from one release to the next, and which marks stand for a small count of their own. Works with linear programming, then
with whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

ENOUGH = 100_000.0
Place = tuple[int, str]


@dataclass(frozen=True)
class Seen:
    """One release as its readers have it. ``relations``: a total and its parts; None in ``counts`` is a mark."""

    counts: Mapping[str, int | None]
    relations: Sequence[tuple[str, Sequence[str]]]
    told_small: frozenset[str]
    smallest_shown: int
    rounded_to: int
    percentages: Sequence[tuple[str, str, float]] = ()


@dataclass(frozen=True)
class Range:
    """The least and the greatest whole number that a hidden count can be."""

    least: int
    greatest: int


def attack(
    releases: Sequence[Seen], unchanged: Sequence[tuple[Place, Place]], targets: Sequence[Place]
) -> dict[Place, Range]:
    """What can be known of each target."""
    number = _numbered(releases, unchanged)
    size = max(number.values()) + 1
    lower, upper = np.zeros(size), np.full(size, ENOUGH)
    for night, seen in enumerate(releases):
        for name in {*seen.counts, *(cell for total, parts in seen.relations for cell in (total, *parts))}:
            low, high = _limits(seen, name)
            place = number[night, name]
            lower[place], upper[place] = max(lower[place], low), min(upper[place], high)
    equations, ceilings = _equations(releases, number, size)
    lower, upper = _tightened(equations, lower, upper)
    wanted = sorted({number[target] for target in targets})
    least = _extremes(equations, ceilings, lower, upper, wanted, 1.0)
    greatest = _extremes(equations, ceilings, lower, upper, wanted, -1.0)
    return {target: Range(least[number[target]], greatest[number[target]]) for target in targets}


def _numbered(releases: Sequence[Seen], unchanged: Sequence[tuple[Place, Place]]) -> dict[Place, int]:
    """Each count of each release to an unknown; counts that are known to be the same share one."""
    leader: dict[Place, Place] = {}

    def lead(place: Place) -> Place:
        while leader.setdefault(place, place) != place:
            place = leader[place]
        return place

    places = [
        (night, name)
        for night, seen in enumerate(releases)
        for name in sorted(
            {*seen.counts, *(cell for total, parts in seen.relations for cell in (total, *parts))}
        )
    ]
    for one, other in unchanged:
        leader[lead(other)] = lead(one)
    leaders = {place: index for index, place in enumerate(dict.fromkeys(lead(place) for place in places))}
    return {place: leaders[lead(place)] for place in places}


def _limits(seen: Seen, name: str) -> tuple[float, float]:
    value = seen.counts.get(name)
    if value is None:
        return (1.0, seen.smallest_shown - 1.0) if name in seen.told_small else (0.0, ENOUGH)
    if value == 0:
        return 0.0, 0.0
    fitting = [
        count
        for count in range(max(0, value - seen.rounded_to), value + seen.rounded_to + 1)
        if count >= seen.smallest_shown
        and (count + seen.rounded_to // 2) // seen.rounded_to * seen.rounded_to == value
    ]
    return float(min(fitting)), float(max(fitting))


def _equations(
    releases: Sequence[Seen], number: Mapping[Place, int], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are zero (totals), and rows that are at most zero (what a percentage says of a hidden count)."""
    rows, ceilings = [], []
    for night, seen in enumerate(releases):
        for total, parts in seen.relations:
            row = np.zeros(size)
            row[number[night, total]] += 1
            for part in parts:
                row[number[night, part]] -= 1
            rows.append(row)
        for part, whole, percentage in seen.percentages:
            if seen.counts[part] is not None and seen.counts[whole] is not None:
                continue  # it was worked out from these two
            for sign in (1.0, -1.0):
                row = np.zeros(size)
                row[number[night, part]] += sign
                row[number[night, whole]] -= sign * (percentage + sign * 0.05) / 100
                ceilings.append(row)
    unique = np.unique(np.array(rows).reshape(-1, size), axis=0)
    return unique, np.array(ceilings).reshape(-1, size)


def _tightened(rows: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subtraction by hand: each relation limits each of its counts by the others."""
    for _ in range(5):
        for row in rows:
            for place in np.flatnonzero(row):
                scale = -row / row[place]
                scale[place] = 0.0
                low = np.where(scale > 0, scale * lower, scale * upper).sum()
                high = np.where(scale > 0, scale * upper, scale * lower).sum()
                lower[place], upper[place] = max(lower[place], low), min(upper[place], high)
    return lower, upper


def _extremes(
    rows: np.ndarray,
    ceilings: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    wanted: Sequence[int],
    sign: float,
) -> dict[int, int]:
    """The least (sign 1) or greatest (-1) whole value of each unknown that is wanted."""
    fixed = lower == upper
    found = {place: int(lower[place]) for place in wanted if fixed[place]}
    free, aims = np.flatnonzero(~fixed), [place for place in wanted if not fixed[place]]
    if not aims:
        return found
    known = np.where(fixed, lower, 0.0)
    equal = rows[:, free]
    keep = equal.any(axis=1)
    equal, right = equal[keep], -(rows @ known)[keep]
    below, limit = ceilings[:, free], -(ceilings @ known)
    objective = np.zeros((len(aims), len(free)))
    objective[np.arange(len(aims)), np.searchsorted(free, aims)] = sign
    limits = lower[free], upper[free]
    fractional = _fractions(objective, equal, right, below, limit, *limits)
    for place, aim, values in zip(aims, objective, fractional, strict=True):
        is_whole = np.abs(values - np.rint(values)).max() < 1e-6
        best = values if is_whole else _whole(aim, equal, right, below, limit, *limits)
        found[place] = int(np.rint(sign * (aim @ best)))
    return found


def _fractions(
    objective: np.ndarray,
    equal: np.ndarray,
    right: np.ndarray,
    below: np.ndarray,
    limit: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """The best point for each row of the objective, all in one program of separate blocks."""
    copies, count = sparse.identity(len(objective)), len(objective)
    answer = linprog(
        objective.ravel(),
        A_eq=sparse.kron(copies, equal) if len(equal) else None,
        b_eq=np.tile(right, count) if len(equal) else None,
        A_ub=sparse.kron(copies, below) if len(below) else None,
        b_ub=np.tile(limit, count) if len(below) else None,
        bounds=np.column_stack([np.tile(lower, count), np.tile(upper, count)]),
    )
    if answer.status != 0:
        raise AssertionError(f"the published figures contradict each other: {answer.message}")
    return answer.x.reshape(count, -1)


def _whole(
    aim: np.ndarray,
    equal: np.ndarray,
    right: np.ndarray,
    below: np.ndarray,
    limit: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    constraints = [LinearConstraint(equal, right, right)]
    if len(below):
        constraints.append(LinearConstraint(below, -np.inf, limit))
    answer = milp(aim, integrality=np.ones(len(aim)), bounds=Bounds(lower, upper), constraints=constraints)
    if answer.status != 0:
        raise AssertionError(f"no whole numbers fit the published figures: {answer.message}")
    return np.rint(answer.x)
