"""Which means may be shown: none of a hidden count, and none from which the mean of one could be worked out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskstrat.disclosure.release import Release

DIGITS = 1
NEARLY = 1e-9


def shown_means(release: Release, counts: Mapping[str, int | None]) -> dict[tuple[str, str], float | None]:
    """Measure and cell to its mean, with one decimal; None is hidden, or has nobody.

    The sums behind means add up as counts do, so a hidden one must not follow from those that are shown. This is
    judged as if every count were known exactly, rounded and hidden ones too.
    """
    result: dict[tuple[str, str], float | None] = {}
    for measure in sorted({mean.measure for mean in release.means}):
        values = {mean.cell: mean.value for mean in release.means if mean.measure == measure}
        open_cells = _open_cells(release, counts, set(values))
        for cell, value in values.items():
            is_shown = cell in open_cells and value is not None
            result[measure, cell] = round(value, DIGITS) if is_shown and value is not None else None
    return result


def _open_cells(release: Release, counts: Mapping[str, int | None], asked: set[str]) -> set[str]:
    """The cells whose means are shown: those whose counts are, less the smallest that would give others away."""
    true = {cell.name: cell.count for cell in release.cells}
    places = {name: place for place, name in enumerate(true)}
    rows = np.zeros((len(release.relations), len(places)))
    for row, relation in zip(rows, release.relations, strict=True):
        row[places[relation.total]] += 1
        for part in relation.parts:
            row[places[part]] -= 1
    is_open = {name for name in asked if counts.get(name) is not None and true[name] > 0}
    secret = [name for name in true if counts.get(name) is None and true[name] > 0]
    while True:
        unknown = [name for name in true if true[name] > 0 and name not in is_open]
        given = _given_away(rows[:, [places[name] for name in unknown]], unknown, set(secret))
        if not given:
            return is_open
        beside = [
            name for name in is_open if _hang_together(rows, places[name], [places[one] for one in given])
        ]
        if not beside:
            return set()
        is_open.discard(min(beside, key=lambda name: (true[name], name)))


def _given_away(rows: np.ndarray, unknown: list[str], secret: set[str]) -> list[str]:
    """The secret sums that are determined: no solution of the homogeneous equations moves them."""
    if not rows.size:
        return []
    _, sizes, directions = np.linalg.svd(rows)
    free = directions[(sizes > NEARLY * max(1.0, sizes.max(initial=0.0))).sum() :]
    return [
        name
        for place, name in enumerate(unknown)
        if name in secret and np.abs(free[:, place]).max(initial=0.0) < 1e-7
    ]


def _hang_together(rows: np.ndarray, place: int, others: list[int]) -> bool:
    """Whether a relation holds both."""
    return bool((rows[rows[:, place] != 0][:, others] != 0).any())
