"""Whether a predicted risk of 30% means that 30 in 100 are admitted: overall, along the scale, and on the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from riskstrat.model.evaluation.discrimination import Interval
from riskstrat.model.evaluation.ranking import Flags, Floats, Integers
from riskstrat.model.evaluation.regression import (
    fit_logistic,
    inverse_log_odds,
    log_odds,
    robust_covariance,
)
from riskstrat.scoring.observed import observed_over_expected

KNOTS = (0.05, 0.35, 0.65, 0.9, 0.99)
"""Where the smooth curve may bend, as quantiles of the risk: more of them at the top, where the list is."""


def observed_to_expected(observed: float, expected: float, confidence: float) -> Interval:
    """Admitted people over the sum of their risks, as every night works it out. NaN where nothing is expected."""
    ratio = observed_over_expected(observed, expected, confidence)
    return Interval(ratio.value, ratio.low, ratio.high)


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration: ``intercept`` with the slope held at 1 (0 is right), and ``slope`` (1 is right)."""

    intercept: Interval
    slope: Interval


def recalibrate(
    outcome: Flags, risk: Floats, confidence: float, person: Integers | None = None
) -> Recalibration:
    """Cox's recalibration (Biometrika 1958; 45: 562) with intervals that allow for several rows a ``person`` (n,)."""
    odds = log_odds(risk)
    constant = np.ones((len(odds), 1))
    both = np.column_stack([constant[:, 0], odds])
    shift = fit_logistic(constant, outcome, offset=odds)
    line = fit_logistic(both, outcome)
    reach = float(norm.ppf(0.5 + confidence / 2))
    error = [
        float(np.sqrt(robust_covariance(constant, outcome, inverse_log_odds(odds + shift[0]), person)[0, 0])),
        float(np.sqrt(robust_covariance(both, outcome, inverse_log_odds(both @ line), person)[1, 1])),
    ]
    values = (float(shift[0]), float(line[1]))
    return Recalibration(
        *(
            Interval(value, value - reach * one, value + reach * one)
            for value, one in zip(values, error, strict=True)
        )
    )


@dataclass(frozen=True)
class Curve:
    """Observed risk as a smooth function of predicted risk.

    A restricted cubic spline of the log-odds (Harrell) in a logistic regression, one of the two smoothers of Austin and
    Steyerberg 2019; ``knots`` are log-odds.
    """

    knots: Floats
    coefficients: Floats
    covariance: Floats

    def at(self, risk: Floats) -> Floats:
        """Observed risk (n,) where so much is predicted."""
        return inverse_log_odds(spline(log_odds(risk), self.knots) @ self.coefficients)

    def band(self, risk: Floats, confidence: float) -> tuple[Floats, Floats]:
        """Lower and upper ends (n,) of the pointwise interval."""
        columns = spline(log_odds(risk), self.knots)
        middle = columns @ self.coefficients
        error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", columns, self.covariance, columns), 0.0))
        reach = float(norm.ppf(0.5 + confidence / 2)) * error
        return inverse_log_odds(middle - reach), inverse_log_odds(middle + reach)


def smooth(outcome: Flags, risk: Floats, person: Integers | None = None) -> Curve:
    """The smooth curve of ``outcome`` (n,) on ``risk`` (n,); a straight line of log-odds where risks hardly differ."""
    odds = log_odds(risk)
    knots = np.unique(np.quantile(odds, KNOTS))
    columns = spline(odds, knots)
    beta = fit_logistic(columns, outcome)
    return Curve(knots, beta, robust_covariance(columns, outcome, inverse_log_odds(columns @ beta), person))


def spline(value: Floats, knots: Floats) -> Floats:
    """Columns of a restricted cubic spline, (n, knots): constant, value, and knots - 2 that are straight at both ends.

    Harrell, Regression Modeling Strategies, 2.4.5. Fewer than three knots give a straight line.
    """
    columns = [np.ones(len(value)), value]
    if len(knots) > 2:
        last, before = knots[-1], knots[-2]
        for knot in knots[:-2]:
            term = _cubed(value - knot) - _cubed(value - before) * (last - knot) / (last - before)
            term += _cubed(value - last) * (before - knot) / (last - before)
            columns.append(term / (last - knots[0]) ** 2)
    return np.column_stack(columns)


def _cubed(value: Floats) -> Floats:
    cubed: Floats = np.maximum(value, 0.0) ** 3
    return cubed


@dataclass(frozen=True)
class Distance:
    """How far observed risk is from predicted risk over the people: mean (ICI), median (E50) and 90th percentile (E90).

    Austin and Steyerberg 2019, 10.1002/sim.8281; in units of risk, 0 is perfect. None has an interval: chance alone
    moves a distance up, so its resamples lie above it.
    """

    ici: float
    e50: float
    e90: float


def distance(risk: Floats, observed: Floats) -> Distance:
    """The distances between predicted and smoothed observed risk, (n,) each."""
    apart = np.abs(observed - risk)
    return Distance(float(apart.mean()), *(float(np.quantile(apart, share)) for share in (0.5, 0.9)))


@dataclass(frozen=True)
class RiskBand:
    """People whose risk lies in [``low``, ``high``), how many were admitted, and the sum of their risks."""

    low: float
    high: float
    people: int
    admitted: int
    expected: float


def risk_bands(outcome: Flags, risk: Floats, edges: Sequence[float], fewest: int) -> list[RiskBand]:
    """People by predicted risk; neighbours are joined until each has ``fewest`` people with and without the outcome.

    ``edges`` ascend from 0 to 1; the last band holds its upper end. A band without anybody stays as it is.
    """
    place = np.clip(np.searchsorted(edges, risk, side="right") - 1, 0, len(edges) - 2)
    count = len(edges) - 1
    people = np.bincount(place, minlength=count)
    admitted = np.bincount(place, weights=outcome, minlength=count).astype(np.int64)
    expected = np.bincount(place, weights=risk, minlength=count)
    bands: list[RiskBand] = []
    for one in range(count):
        band = RiskBand(
            edges[one], edges[one + 1], int(people[one]), int(admitted[one]), float(expected[one])
        )
        while bands and not (_is_safe(band, fewest) and _is_safe(bands[-1], fewest)):
            band = _joined(bands.pop(), band)
        bands.append(band)
    return bands


def _is_safe(band: RiskBand, fewest: int) -> bool:
    return all(count == 0 or count >= fewest for count in (band.admitted, band.people - band.admitted))


def _joined(lower: RiskBand, upper: RiskBand) -> RiskBand:
    return RiskBand(
        lower.low,
        upper.high,
        lower.people + upper.people,
        lower.admitted + upper.admitted,
        lower.expected + upper.expected,
    )
