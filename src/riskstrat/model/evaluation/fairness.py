"""Whether a score serves some people worse than others. Reported, not enforced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskstrat.model.evaluation.ranking import Flags, Floats


@dataclass(frozen=True)
class Level:
    """One part of a group: ``people``, how many were ``admitted``, the sum of their risks, who is ``listed``, who of
    those was admitted (``found``).
    """

    name: str
    people: int
    admitted: int
    expected: float
    listed: int
    found: int

    @property
    def selection_rate(self) -> float:
        """Share of the people who are on the list."""
        return self.listed / self.people

    @property
    def need_rate(self) -> float:
        """Expected admitted people, as a share of the people: what the selection rate is held against."""
        return self.expected / self.people

    @property
    def true_positive_rate(self) -> float:
        """Of the admitted people, the share on the list; NaN where nobody was admitted."""
        return self.found / self.admitted if self.admitted else float("nan")

    @property
    def false_negative_rate(self) -> float:
        """Of the admitted people, the share that the list missed."""
        return 1.0 - self.true_positive_rate

    @property
    def places_per_100_expected(self) -> float:
        """Places on the list for 100 expected admitted people; alike in all parts when places follow need."""
        return 100 * self.listed / self.expected if self.expected else float("nan")


def by_level(
    labels: Sequence[str], order: Sequence[str], outcome: Flags, risk: Floats, on_list: Flags
) -> list[Level]:
    """The parts of a group in ``order``; ``labels``, ``outcome``, ``risk`` and ``on_list`` are (n,)."""
    places = {name: place for place, name in enumerate(order)}
    codes = np.array([places[label] for label in labels], dtype=np.int64)

    def summed(values: Flags | Floats) -> list[float]:
        totals: list[float] = np.bincount(codes, weights=values, minlength=len(order)).tolist()
        return totals

    columns = (np.ones(len(codes)), outcome, risk, on_list, outcome & on_list)
    sums = zip(*(summed(values) for values in columns), strict=True)
    return [
        Level(name, round(people), round(admitted), expected, round(on), round(found))
        for name, (people, admitted, expected, on, found) in zip(order, sums, strict=True)
    ]
