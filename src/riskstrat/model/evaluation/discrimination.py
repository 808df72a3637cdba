"""Whether people with the outcome stand above people without it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from riskstrat.model.evaluation.ranking import Flags, Floats, rank


class Interval(NamedTuple):
    """A figure with the ends of its interval, in the figure's own unit."""

    value: float
    low: float
    high: float


def area_under(sizes_without: Floats, sizes_with: Floats) -> float:
    """AUROC from people without and with the outcome down to each tie; NaN where one kind is missing."""
    without, having = sizes_without[-1], sizes_with[-1]
    if not without or not having:
        return float("nan")
    return float(np.trapezoid(sizes_with, sizes_without) / (without * having))


def auroc(outcome: Flags, score: Floats, weight: Floats | None = None) -> float:
    """The chance that a person with the outcome has a higher score than one without; a tie counts half.

    ``outcome``, ``score`` and ``weight`` are (n,). An unknown score is lower than any known one. NaN where
    everybody has the outcome, or nobody.
    """
    ranking = rank(score)
    weights = np.ones(len(score)) if weight is None else weight
    having = ranking.cumulated(weights * outcome)
    return area_under(ranking.cumulated(weights) - having, having)


def auroc_interval(outcome: Flags, score: Floats, confidence: float) -> Interval:
    """AUROC with the interval of DeLong (Biometrics 1988; 44: 837), by midranks (Sun and Xu 2014), cut at 0 and 1.

    Each person may be there once; for several rows a person the bootstrap stands in.
    """
    known = np.where(np.isnan(score), -np.inf, score)
    having, without = known[outcome], known[~outcome]
    m, n = len(having), len(without)
    if m < 2 or n < 2:
        nothing = float("nan")
        return Interval(auroc(outcome, score), nothing, nothing)
    together = rankdata(np.concatenate([having, without]))
    below = (together[:m] - rankdata(having)) / n
    above = 1.0 - (together[m:] - rankdata(without)) / m
    area = float(below.mean())
    error = float(np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n))
    reach = float(norm.ppf(0.5 + confidence / 2)) * error
    return Interval(area, max(0.0, area - reach), min(1.0, area + reach))
