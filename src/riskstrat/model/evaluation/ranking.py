"""People in the order of a score, ties together: the one structure behind discrimination and capacity.

Ties are broken at random in the mind only: every figure is its average over all ways of breaking them, which is exact
and the same every time. People whose score is unknown (NaN) are one tie and come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Ranking:
    """``order``: rows from the highest score to the lowest, (n,). ``starts``: where each tie begins in it, (ties,)."""

    order: Integers
    starts: Integers

    def __len__(self) -> int:
        return len(self.order)

    def cumulated(self, values: Floats | Integers | Flags) -> Floats:
        """Sums of ``values`` (n,) over the people down to the end of each tie, a 0 before the first; (ties + 1,)."""
        return self.cumulated_in_order(values[self.order])

    def cumulated_in_order(self, values: Floats | Integers | Flags) -> Floats:
        """The same for values that stand in the order of the ranking already."""
        result = np.zeros(len(self.starts) + 1)
        if len(self.starts) == len(self.order):
            np.cumsum(values, out=result[1:])
        else:
            np.cumsum(np.add.reduceat(values, self.starts, dtype=np.float64), out=result[1:])
        return result


def rank(score: Floats) -> Ranking:
    """The ranking of a score (n,), higher first, unknown last.

    >>> ranking = rank(np.array([0.1, np.nan, 0.7, 0.1]))
    >>> ranking.order.tolist(), ranking.starts.tolist()
    ([2, 0, 3, 1], [0, 1, 3])
    """
    lowest_last = np.where(np.isnan(score), np.inf, -score)
    order = np.argsort(lowest_last, kind="stable")
    ordered = lowest_last[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return Ranking(order, starts if len(order) else starts[:0])


def within(places: Floats | float, sizes: Floats, sums: Floats) -> Any:
    """Expected sum over the first ``places`` people: inside a tie everybody is as likely to be chosen.

    ``sizes`` and ``sums`` come from ``Ranking.cumulated``: of ones (or weights) and of what is to be added up.
    """
    return np.interp(places, sizes, sums)
