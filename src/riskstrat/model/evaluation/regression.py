"""Logistic regression of a few columns by Newton's method, for recalibration only; models are fitted elsewhere."""

from __future__ import annotations

import numpy as np

from riskstrat.model.evaluation.ranking import Flags, Floats, Integers

ROUNDS = 50
CLOSE = 1e-10
FURTHEST = 1e-9
"""Risks nearer than this to 0 or 1 are taken as that: their log-odds would be infinite."""


def log_odds(risk: Floats) -> Floats:
    """ln(p / (1 - p))."""
    safe = np.clip(risk, FURTHEST, 1.0 - FURTHEST)
    result: Floats = np.log(safe) - np.log1p(-safe)
    return result


def inverse_log_odds(value: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    result: Floats = 1.0 / (1.0 + np.exp(-value))
    return result


def fit_logistic(
    columns: Floats,
    outcome: Flags,
    *,
    weight: Floats | None = None,
    offset: Floats | None = None,
    start: Floats | None = None,
) -> Floats:
    """Coefficients (k,) of greatest likelihood for ``columns`` (n, k), without any penalty or added constant.

    ``weight`` and ``offset`` are (n,); ``start`` (k,) saves steps where it is near. Where no greatest likelihood exists
    (separated data) the last of 50 steps is returned.
    """
    beta = np.zeros(columns.shape[1]) if start is None else start.copy()
    weights = np.ones(len(outcome)) if weight is None else weight
    base = np.zeros(len(outcome)) if offset is None else offset
    for _ in range(ROUNDS):
        fitted = inverse_log_odds(np.clip(columns @ beta + base, -500, 500))
        gradient = columns.T @ (weights * (outcome - fitted))
        step = np.linalg.lstsq(_information(columns, fitted, weights), gradient, rcond=None)[0]
        step *= min(1.0, 5.0 / max(np.abs(step).max(), FURTHEST))
        beta += step
        if np.abs(step).max() < CLOSE:
            break
    return beta


def robust_covariance(
    columns: Floats, outcome: Flags, fitted: Floats, cluster: Integers | None = None
) -> Floats:
    """Sandwich covariance (k, k) of the coefficients, with rows of one ``cluster`` (n,) taken as one observation.

    The small-sample factor is that of Stata and statsmodels: g / (g - 1) x (n - 1) / (n - k).
    """
    rows, width = columns.shape
    groups = np.arange(rows) if cluster is None else cluster
    count = int(groups.max()) + 1
    residual = outcome - fitted
    scores = np.column_stack(
        [np.bincount(groups, weights=columns[:, place] * residual, minlength=count) for place in range(width)]
    )
    bread = np.linalg.pinv(_information(columns, fitted, np.ones(rows)))
    present = len(np.unique(groups))
    factor = present / max(present - 1, 1) * (rows - 1) / max(rows - width, 1)
    covariance: Floats = bread @ (scores.T @ scores) @ bread * factor
    return covariance


def _information(columns: Floats, fitted: Floats, weights: Floats) -> Floats:
    spread = weights * fitted * (1.0 - fitted)
    information: Floats = columns.T @ (columns * spread[:, None])
    return information
