"""The default model: logistic regression, kept as what every predictor adds to the log-odds.

Nothing but those sums is needed to score people, so that scoring imports no estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from riskstrat.scoring.effects import Effect, effect_of
from riskstrat.scoring.splines import Floats


@dataclass(frozen=True)
class LogisticModel:
    """``intercept`` is the log-odds of somebody average in everything; ``effects`` what each predictor adds to it.

    ``about`` says what the model was fitted on; ``estimator`` is scikit-learn's, where the model was just fitted or is
    wanted back.
    """

    kind: ClassVar[str] = "logistic"

    horizon: str
    intercept: float
    effects: tuple[Effect, ...]
    about: Mapping[str, Any]
    estimator: Any = None

    @property
    def predictors(self) -> tuple[str, ...]:
        """The features that it reads, in order."""
        return tuple(effect.predictor for effect in self.effects)

    def contributions(self, table: pa.Table) -> tuple[tuple[str, ...], Floats]:
        """The predictors' names, and what each adds to a row's log-odds, rows by predictors."""
        matrix = np.empty((table.num_rows, len(self.effects)), order="F")
        for place, effect in enumerate(self.effects):
            matrix[:, place] = effect.added(table[effect.predictor])
        return self.predictors, matrix

    def summed(self, added: Floats) -> Floats:
        """The probability of each row of contributions, added up predictor by predictor."""
        total = np.full(len(added), self.intercept)
        for place in range(added.shape[1]):
            total += added[:, place]
        return probability(total)

    def predict(self, table: pa.Table) -> Floats:
        """The probability of each row, in the order of the table."""
        return self.summed(self.contributions(table)[1])

    def save(self, folder: Path) -> list[Path]:
        """Write the model, which was just fitted, into a folder, and say which files it is made of."""
        from riskstrat.scoring.persistence import save_model

        return save_model(self, folder)

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        effects = {effect.predictor: effect.document() for effect in self.effects}
        return {
            "kind": self.kind,
            "horizon": self.horizon,
            "intercept": self.intercept,
            "effects": effects,
            "about": dict(self.about),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], estimator: Any = None) -> LogisticModel:
        """The model that ``document()`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        effects = tuple(effect_of(str(name), entry) for name, entry in document["effects"].items())
        return cls(
            str(document["horizon"]), float(document["intercept"]), effects, document["about"], estimator
        )


def probability(log_odds: Floats) -> Floats:
    """The probability of log-odds, without overflow at either end."""
    small = np.exp(-np.abs(log_odds))
    return np.asarray(np.where(log_odds >= 0, 1.0, small) / (1.0 + small), dtype=np.float64)
