"""Intervals for what is counted: Wilson's for a share, and that of the order statistics for a median.

Source: Wilson, Journal of the American Statistical Association 1927, 22:209; Brown, Cai and DasGupta, Statistical
Science 2001, 16:101. Hahn and Meeker, Statistical Intervals, 1991, section 5.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

Interval = tuple[float, float]


def wilson(part: int, whole: int, confidence: float) -> Interval | None:
    """The score interval of a share; None of nothing. It never leaves 0 to 1, and 0 of n has an upper end above 0.

    >>> low, high = wilson(0, 10, 0.95)
    >>> low, round(high, 4)
    (0.0, 0.2775)
    >>> wilson(0, 0, 0.95) is None
    True
    """
    if whole == 0:
        return None
    z = _quantile(confidence)
    share, square = part / whole, z * z / whole
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / whole + square / whole / 4) / (1 + square)
    low = 0.0 if part == 0 else max(0.0, middle - half)
    return low, 1.0 if part == whole else min(1.0, middle + half)


@cache
def _quantile(confidence: float) -> float:
    """How many standard deviations to either side hold so much of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def median(values: Sequence[float]) -> float | None:
    """The middle of sorted values, or the mean of the two middle ones; None of none.

    >>> median([1, 2, 3]), median([1, 2, 3, 10]), median([])
    (2.0, 2.5, None)
    """
    if not values:
        return None
    place = len(values) // 2
    return float(values[place]) if len(values) % 2 else (values[place - 1] + values[place]) / 2


def median_interval(values: Sequence[float], confidence: float) -> Interval | None:
    """From the l-th smallest of sorted values to the l-th largest, with the largest l that covers the median so surely.

    None of values too few for that: below 6 with a confidence of 0.95.

    >>> median_interval([1, 2, 3, 4, 5, 6], 0.95), median_interval([1, 2, 3, 4, 5], 0.95)
    ((1.0, 6.0), None)
    """
    tail, place, below = (1 - confidence) / 2, 0, 0.0
    while place < len(values):
        below += _chance_of_half(place, len(values))
        if below > tail:
            break
        place += 1
    return (float(values[place - 1]), float(values[-place])) if place else None


def _chance_of_half(successes: int, trials: int) -> float:
    """The probability of so many successes where each has probability one half."""
    log = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(log - trials * math.log(2))
