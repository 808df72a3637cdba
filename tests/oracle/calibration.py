"""The calibration slope by statsmodels: a logistic regression of the outcome on the predicted log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.api as statsmodels


def calibration_slope(risk: Any, outcome: Any) -> float:
    """1 where predictions are as spread as outcomes, below 1 where they are too extreme."""
    log_odds = np.log(risk / (1 - risk))
    model = statsmodels.GLM(
        outcome, statsmodels.add_constant(log_odds), family=statsmodels.families.Binomial()
    )
    return float(model.fit().params[1])
