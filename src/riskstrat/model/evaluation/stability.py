"""Whether a score or feature is spread as it was: the population stability index."""

from __future__ import annotations

import numpy as np

from riskstrat.model.evaluation.ranking import Floats
from riskstrat.scoring.spread import BINS, stability_index


def population_stability_index(before: Floats, now: Floats, bins: int = BINS) -> float:
    """Sum over bins of (now - before) x ln(now / before), shares of people; 0 is no change.

    ``before`` and ``now`` are (n,) and (m,); unknown (NaN) is a bin of its own. Bins are the quantiles of ``before``; a
    value that many share makes fewer of them. Often used: below 0.1 little change, above 0.25 much (Siddiqi, Credit
    Risk Scorecards). NaN where one of the two is empty.
    """
    if not len(before) or not len(now):
        return float("nan")
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    return stability_index(*(_shares(values, edges).tolist() for values in (before, now)))


def _shares(values: Floats, edges: Floats) -> Floats:
    """Share of people in each bin (lower edge exclusive, upper inclusive), unknown last."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    counts = np.append(counts, len(values) - len(known))
    shares: Floats = counts / len(values)
    return shares
