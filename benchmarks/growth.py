"""How time and memory grow with people: the exponent of a power law."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Power:
    """``factor * people ** exponent``: 1 is in proportion, 2 four times as much for twice the people."""

    exponent: float
    factor: float

    def at(self, people: float) -> float:
        """What the law gives for so many people."""
        return float(self.factor * people**self.exponent)


def fitted(measured: Mapping[int, float]) -> Power | None:
    """The law nearest to what was measured by number of people, by least squares on logarithms; None for one size."""
    if len(measured) < 2:
        return None
    sizes = [math.log(people) for people in measured]
    values = [math.log(value) for value in measured.values()]
    middle, level = sum(sizes) / len(sizes), sum(values) / len(values)
    slope = sum((size - middle) * (value - level) for size, value in zip(sizes, values, strict=True))
    slope /= sum((size - middle) ** 2 for size in sizes)
    return Power(slope, math.exp(level - slope * middle))
