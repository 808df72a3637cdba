"""The challenger: gradient boosted trees whose risk only rises, or only falls, where the predictors' signs say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from riskstrat.scoring.effects import NO, YES, level_places, numbers
from riskstrat.scoring.logistic import probability
from riskstrat.scoring.splines import Floats


@dataclass(frozen=True)
class Input:
    """One column that the trees read; ``levels`` are those of a category, none for a number or a flag.

    The places of levels are read as numbers: there are few, and trees may cut anywhere between them.
    """

    predictor: str
    levels: tuple[str, ...] = ()

    def values(self, column: pa.ChunkedArray) -> Floats:
        """Numbers, 0 and 1, or the places of levels; NaN where unknown or a level that was never seen."""
        if pa.types.is_boolean(column.type) or self.levels:
            levels = self.levels or (NO, YES)
            places, table = level_places(column, levels)
            place = table[places]
            return np.where(place < len(levels), place, np.nan)
        found, known = numbers(column)
        return np.where(known, found, np.nan)


@dataclass(frozen=True)
class BoostingModel:
    """``estimator`` gives a raw score; its probability is that of ``intercept + slope * score``."""

    kind: ClassVar[str] = "boosting"

    horizon: str
    inputs: tuple[Input, ...]
    intercept: float
    slope: float
    about: Mapping[str, Any]
    estimator: Any

    @property
    def predictors(self) -> tuple[str, ...]:
        """The features that it reads, in order."""
        return tuple(one.predictor for one in self.inputs)

    def predict(self, table: pa.Table) -> Floats:
        """The probability of each row, in the order of the table."""
        score = self.estimator.decision_function(input_matrix(table, self.inputs))
        return probability(self.intercept + self.slope * score)

    def save(self, folder: Path) -> list[Path]:
        """Write the model, which was just fitted, into a folder, and say which files it is made of."""
        from riskstrat.scoring.persistence import save_model

        return save_model(self, folder)

    def document(self) -> dict[str, Any]:
        """As JSON keeps it; the trees are in the estimator's own file."""
        return {
            "kind": self.kind,
            "horizon": self.horizon,
            "inputs": {one.predictor: list(one.levels) for one in self.inputs},
            "intercept": self.intercept,
            "slope": self.slope,
            "about": dict(self.about),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], estimator: Any = None) -> BoostingModel:
        """The model that ``document()`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        inputs = tuple(Input(str(name), tuple(levels)) for name, levels in document["inputs"].items())
        line = float(document["intercept"]), float(document["slope"])
        return cls(str(document["horizon"]), inputs, *line, document["about"], estimator)


def input_matrix(table: pa.Table, inputs: Sequence[Input]) -> Floats:
    """The inputs' values, rows by inputs."""
    matrix = np.empty((table.num_rows, len(inputs)))
    for place, one in enumerate(inputs):
        matrix[:, place] = one.values(table[one.predictor])
    return matrix
