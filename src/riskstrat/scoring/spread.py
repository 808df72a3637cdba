"""How values are spread over people, and whether they are spread as they were: the population stability index (PSI)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.scoring.splines import Floats

BINS = 10
LEAST_SHARE = 1e-4


def shape_of(table: pa.Table, predictors: Sequence[str]) -> dict[str, Any]:
    """How each predictor is spread over the rows, in shares of them.

    ``unknown``, ``differing`` from the most usual value, and those of its levels, or between ``edges`` (the lower end
    included) where it is a number.
    """
    return {name: _shape(table[name]) for name in predictors if name in table.column_names and table.num_rows}


def shape_of_risks(risks: Floats) -> dict[str, Any]:
    """How the probabilities of all rows are spread, likewise."""
    return {"unknown": 0.0, **_binned(np.sort(risks), len(risks))}


def _shape(column: pa.ChunkedArray) -> dict[str, Any]:
    rows, known = len(column), column.drop_null()
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(known).to_pylist()}
    usual = max(counts.values(), default=0)
    shape: dict[str, Any] = {"unknown": column.null_count / rows, "differing": (len(known) - usual) / rows}
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return shape | _binned(np.sort(known.to_numpy().astype(np.float64)), rows)
    levels = {str(value).lower() if isinstance(value, bool) else str(value): n for value, n in counts.items()}
    return shape | {"levels": {name: levels[name] / rows for name in sorted(levels)}}


def _binned(values: Floats, rows: int) -> dict[str, list[float]]:
    """Edges at the tenths of sorted values, and the shares of the rows between them.

    Where many rows share a value, as with counts, what lies above the last tenth has a bin of its own.
    """
    places = np.linspace(0, max(len(values) - 1, 0), BINS + 1)[1:-1].astype(int)
    edges = np.unique(values[places]) if len(values) else np.array([])
    above = values[values > edges[-1]] if len(edges) else edges
    if len(edges) < BINS - 1 and len(above):
        edges = np.append(edges, above[0])
    inside = np.diff([0, *np.searchsorted(values, edges), len(values)])
    return {"edges": edges.tolist(), "shares": (inside / rows).tolist()}


def stability_index(before: Sequence[float], now: Sequence[float], least: float = LEAST_SHARE) -> float:
    """Sum over bins of (now - before) x ln(now / before), shares of people; a share below ``least`` counts as that.

    >>> stability_index([0.5, 0.5], [0.5, 0.5])
    0.0
    >>> round(stability_index([0.5, 0.5], [0.6, 0.4]), 6) == round(stability_index([0.6, 0.4], [0.5, 0.5]), 6)
    True
    """
    then, tonight = (np.maximum(np.asarray(shares, dtype=np.float64), least) for shares in (before, now))
    return float(np.sum((tonight - then) * np.log(tonight / then)))


def index_by_chance(bins: int, before: int, now: int, tail: float) -> float:
    """What an index between ``before`` and ``now`` people of one population exceeds with probability ``tail``.

    (1/n + 1/m) times the quantile of chi-squared with one degree of freedom fewer than there are bins (Yurdakul 2018).
    """
    from scipy.special import gammaincinv

    if bins < 2 or not before or not now:
        return 0.0
    return float((1 / before + 1 / now) * 2 * gammaincinv((bins - 1) / 2, 1 - tail))
