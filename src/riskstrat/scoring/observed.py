"""Observed over expected: admitted people over the sum of their risks, with an interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """A ratio with the ends of its interval; NaN where nothing is expected."""

    value: float
    low: float
    high: float


def observed_over_expected(observed: float, expected: float, confidence: float) -> Ratio:
    """The exact Poisson interval (Garwood 1936) of the count over what was expected.

    It is a little wide, because a person is admitted at most once here.
    """
    from scipy.special import gammaincinv

    if expected <= 0:
        nothing = float("nan")
        return Ratio(nothing, nothing, nothing)
    tail = (1.0 - confidence) / 2
    low = float(gammaincinv(observed, tail)) if observed > 0 else 0.0
    high = float(gammaincinv(observed + 1, 1 - tail))
    return Ratio(observed / expected, low / expected, high / expected)
