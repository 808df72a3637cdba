"""What one predictor adds to a person's log-odds, as a model keeps it: a curve through points, or a level each.

Every value is worked out by itself, so a person's score depends on no other row, on no order and on no batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.scoring.splines import Floats, spline

Scale = Literal["identity", "log1p"]
YES, NO = "true", "false"
LARGEST_TABLE = 4096  # whole numbers of so small a range are worked out once each


@dataclass(frozen=True)
class Curve:
    """A natural cubic spline: ``at_knots`` is what is added at each of ``knots``, which are in the feature's unit.

    Between and beyond them the spline runs on the scale. ``unknown`` is added where the feature is unknown.
    """

    predictor: str
    scale: Scale
    knots: tuple[float, ...]
    at_knots: tuple[float, ...]
    unknown: float

    def added(self, column: pa.ChunkedArray | pa.Array) -> Floats:
        """What is added for each value of the feature."""
        values, known = numbers(column)
        if pa.types.is_integer(column.type) and len(values):
            lowest, highest = int(values.min()), int(values.max())
            if highest - lowest < LARGEST_TABLE:
                table = self._at(np.arange(lowest, highest + 1, dtype=np.float64))
                return np.where(known, table[values.astype(np.int64) - lowest], self.unknown)
        return np.where(known, self._at(values), self.unknown)

    def _at(self, values: Floats) -> Floats:
        return spline(
            scaled(values, self.scale), scaled(np.array(self.knots), self.scale), np.array(self.at_knots)
        )

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        points = [[knot, added] for knot, added in zip(self.knots, self.at_knots, strict=True)]
        return {"scale": self.scale, "points": points, "unknown": self.unknown}


@dataclass(frozen=True)
class Levels:
    """A value added for each level of a category, or for yes and no; ``other`` for one that was too rare to learn."""

    predictor: str
    levels: Mapping[str, float]
    other: float
    unknown: float

    def added(self, column: pa.ChunkedArray | pa.Array) -> Floats:
        """What is added for each value of the feature."""
        place, table = level_places(column, tuple(self.levels))
        effects = np.array([*self.levels.values(), self.other, self.unknown])
        return np.asarray(effects[table[place]], dtype=np.float64)

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"levels": dict(self.levels), "other": self.other, "unknown": self.unknown}


Effect = Curve | Levels


def effect_of(predictor: str, document: Mapping[str, Any]) -> Effect:
    """The effect that ``document()`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    unknown = float(document["unknown"])
    if "levels" in document:
        levels = {str(name): float(added) for name, added in document["levels"].items()}
        return Levels(predictor, levels, float(document["other"]), unknown)
    scale: Scale = "log1p" if document["scale"] == "log1p" else "identity"
    knots, at_knots = zip(*((float(knot), float(added)) for knot, added in document["points"]), strict=True)
    return Curve(predictor, scale, knots, at_knots, unknown)


def numbers(column: pa.ChunkedArray | pa.Array) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """A numeric feature as (values, known); an unknown value stands as 0 and is not to be used."""
    known = (
        column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else np.ones(len(column), bool)
    )
    filled = column.fill_null(0) if column.null_count else column
    values = filled.to_numpy(zero_copy_only=False) if isinstance(filled, pa.Array) else filled.to_numpy()
    values = np.asarray(values, dtype=np.float64)
    return np.nan_to_num(values), np.asarray(known, dtype=bool) & ~np.isnan(values)


def scaled(values: Floats, scale: Scale) -> Floats:
    """Values on the scale of a curve; no count is negative, so nothing below 0 is taken the logarithm of."""
    return np.log1p(np.maximum(values, 0.0)) if scale == "log1p" else values


def level_places(
    column: pa.ChunkedArray | pa.Array, levels: tuple[str, ...]
) -> tuple[np.ndarray[Any, np.dtype[np.intp]], np.ndarray[Any, np.dtype[np.intp]]]:
    """For each row its place in the column's own dictionary, and that dictionary's places among ``levels``.

    What is no level has the place ``len(levels)``, unknown the one after that.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, YES, NO)
    encoded = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    words = encoded.dictionary.to_pylist()
    table = [levels.index(word) if word in levels else len(levels) for word in words]
    places = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return places.astype(np.intp), np.array([*table, len(levels) + 1], dtype=np.intp)
