"""Natural cubic splines by their values at the knots: smooth between them, straight lines beyond the outer ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def spline_basis(at: Floats, knots: Floats) -> Floats:
    """A column a knot: the spline that is 1 at that knot and 0 at every other. Each row sums to 1.

    >>> spline_basis(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-2.0, 3.0]]
    """
    return np.column_stack([spline(at, knots, column) for column in np.eye(len(knots))])


def spline(at: Floats, knots: Floats, values: Floats) -> Floats:
    """The spline through ``values`` at ``knots`` (ascending, two or more); every place is worked out by itself."""
    bends = _bends(knots, values)
    widths = np.diff(knots)
    piece = np.searchsorted(knots[1:-1], at, side="right")
    width = widths[piece]
    inside = np.clip(at, knots[0], knots[-1])
    left = (knots[1:][piece] - inside) / width
    right = 1.0 - left
    found = left * values[:-1][piece] + right * values[1:][piece]
    if len(knots) > 2:
        curved = (left**3 - left) * bends[:-1][piece] + (right**3 - right) * bends[1:][piece]
        found += curved * width**2 / 6.0
    first = (values[1] - values[0]) / widths[0] - widths[0] * bends[1] / 6.0
    last = (values[-1] - values[-2]) / widths[-1] + widths[-1] * bends[-2] / 6.0
    found += np.where(at < knots[0], (at - knots[0]) * first, 0.0)
    found += np.where(at > knots[-1], (at - knots[-1]) * last, 0.0)
    return np.asarray(found, dtype=np.float64)


def _bends(knots: Floats, values: Floats) -> Floats:
    """Second derivatives at the knots; none at the outer ones, which makes the spline natural."""
    bends = np.zeros(len(knots))
    if len(knots) > 2:
        widths = np.diff(knots)
        slopes = np.diff(values) / widths
        system = np.diag((widths[:-1] + widths[1:]) / 3.0)
        system += np.diag(widths[1:-1] / 6.0, 1) + np.diag(widths[1:-1] / 6.0, -1)
        bends[1:-1] = np.linalg.solve(system, np.diff(slopes))
    return bends
