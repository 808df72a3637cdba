"""Fitting the default model: ridge logistic regression on the columns of a design, by Newton's method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from riskstrat.definitions.model import Predictor
from riskstrat.definitions.model_policy import Training
from riskstrat.errors import RiskstratError
from riskstrat.model.design import Design
from riskstrat.scoring.effects import NO, YES, Curve, Effect
from riskstrat.scoring.splines import Floats

MOST_ITERATIONS = 100


def fit_logistic(
    frame: pa.Table, label: Floats, design: Design, training: Training
) -> tuple[float, tuple[Effect, ...], Any]:
    """Intercept, effects and scikit-learn's estimator, fitted by Newton's method to the very end.

    Raises RiskstratError where that does not converge.
    """
    from sklearn.linear_model import LogisticRegression

    matrix = np.empty((frame.num_rows, design.width))
    place = 0
    for term in design.terms:
        matrix[:, place : place + term.width] = term.columns(frame[term.predictor.name])
        place += term.width
    centres, spreads = _standardise(matrix)
    estimator = LogisticRegression(
        C=1.0 / training.ridge, solver="newton-cholesky", tol=1e-8, max_iter=MOST_ITERATIONS
    )
    estimator.fit(matrix, label)
    if int(estimator.n_iter_.max()) >= MOST_ITERATIONS:
        raise RiskstratError(
            "the logistic regression did not converge.",
            remedy="leave out predictors that say the same, or raise ridge in config/model/policy.yaml.",
        )
    effects, place = [], 0
    for term in design.terms:
        here = slice(place, place + term.width)
        effects.append(term.effect(estimator.coef_[0, here] / spreads[here], centres[here]))
        place += term.width
    return float(estimator.intercept_[0]), tuple(effects), estimator


def _standardise(matrix: Floats) -> tuple[Floats, Floats]:
    """Centre and scale each column in place, NaN becoming its mean; the means and spreads that were taken off."""
    centres, spreads = np.empty(matrix.shape[1]), np.empty(matrix.shape[1])
    for place in range(matrix.shape[1]):
        column = matrix[:, place].copy()
        known = ~np.isnan(column)
        centres[place] = column[known].mean()
        column = np.where(known, column - centres[place], 0.0)
        spreads[place] = np.sqrt(np.mean(column**2))
        matrix[:, place] = column / spreads[place]
    return centres, spreads


def against_sign(effects: tuple[Effect, ...], predictors: Mapping[str, Predictor]) -> tuple[str, ...]:
    """The predictors that add less at their upper end than at their lower one, or more, against their sign."""
    found = []
    for effect in effects:
        rise = _rise(effect)
        sign = predictors[effect.predictor].sign
        if (sign == "increasing" and rise < 0) or (sign == "decreasing" and rise > 0):
            found.append(effect.predictor)
    return tuple(found)


def _rise(effect: Effect) -> float:
    if isinstance(effect, Curve):
        return effect.at_knots[-1] - effect.at_knots[0]
    return effect.levels.get(YES, 0.0) - effect.levels.get(NO, 0.0)
