"""Every table there is: what the solver says is held against counting, for tables small enough to count."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations, product

import numpy as np

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import shown
from riskstrat.disclosure.release import Release, cross_table, flat

HIGHEST = 22  # of a cell of a table without margins


def small_table(counts: Mapping[tuple[str, ...], int]) -> Release:
    """A table with its margins; the parts are named in ``counts``."""
    from datetime import date

    axes = [flat(sorted(set(parts))) for parts in zip(*counts, strict=True)]
    cells, relations = cross_table("t", counts, axes)
    return Release("t", date(2026, 4, 1), cells, relations)


@cache
def every_table(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Each cell and margin to its count in every table whose inner cells hold up to HIGHEST people."""
    places = list(product(*(range(size) for size in shape)))
    grid = np.indices((HIGHEST + 1,) * len(places)).reshape(len(places), -1)
    names = [[f"{letter}{part}" for part in range(size)] for letter, size in zip("ab", shape, strict=False)]
    inner = {
        tuple(names[axis][part] for axis, part in enumerate(place)): grid[row]
        for row, place in enumerate(places)
    }
    result = {}
    for asked in product(*([*axis, "all"] for axis in names)):
        fitting = [
            values
            for place, values in inner.items()
            if all(wanted in ("all", part) for wanted, part in zip(asked, place, strict=True))
        ]
        result[" | ".join(("t", *asked))] = np.sum(fitting, axis=0)
    return result


def possible(
    tables: Mapping[str, np.ndarray], release: Release, hidden: frozenset[str], policy: Policy
) -> np.ndarray:
    """Which of every table agree with what is left when those are hidden: small ones are said to be small."""
    fits = np.ones(len(next(iter(tables.values()))), bool)
    under = under_small(release, policy)
    for cell in release.cells:
        values = tables[cell.name]
        if cell.name in under:
            continue
        if 0 < cell.count < policy.smallest_shown:
            fits &= (values >= 1) & (values < policy.smallest_shown)
        elif cell.name not in hidden:
            rounded = (values + policy.rounded_to // 2) // policy.rounded_to * policy.rounded_to
            is_small = (values > 0) & (values < policy.smallest_shown)
            fits &= (rounded == shown(cell.count, policy)) & ~is_small
    return fits


def under_small(release: Release, policy: Policy) -> frozenset[str]:
    """The cells below a small total."""
    small = {cell.name for cell in release.cells if 0 < cell.count < policy.smallest_shown}
    found: set[str] = set()
    for _ in release.cells:
        found |= {part for one in release.relations if one.total in small | found for part in one.parts}
    return frozenset(found)


def is_safe(release: Release, hidden: frozenset[str], policy: Policy) -> bool:
    """Whether every small count could be anything from 1 up, and every other hidden one has as wide a range."""
    shape = tuple(len({cell.name.split(" | ")[axis] for cell in release.cells} - {"all"}) for axis in (1, 2))
    tables = every_table(shape)
    fits = possible(tables, release, hidden, policy)
    for cell in release.cells:
        values = tables[cell.name][fits]
        if 0 < cell.count < policy.smallest_shown:
            if not set(range(1, policy.smallest_shown)) <= set(np.unique(values).tolist()):
                return False
        elif cell.name in hidden and np.ptp(values) < policy.smallest_shown - 2:
            return False
    return True


def cheapest_cost(release: Release, policy: Policy) -> float | None:
    """The least cost of hiding further counts so that the table is safe, by trying every choice."""
    under = under_small(release, policy)
    costs = {
        cell.name: cell.weight * float(np.log2(2.0 + cell.count))
        for cell in release.cells
        if cell.count >= policy.smallest_shown and cell.name not in under
    }
    choices = [
        frozenset(some) for size in range(len(costs) + 1) for some in combinations(sorted(costs), size)
    ]
    for choice in sorted(choices, key=lambda some: sum(costs[name] for name in some)):
        if is_safe(release, choice, policy):
            return sum(costs[name] for name in choice)
    return None
