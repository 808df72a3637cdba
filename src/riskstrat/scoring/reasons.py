"""Why a person's score is high: the few reasons that add most to it, and that may be said of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.definitions.model import ModelDefinition, ModelReason
from riskstrat.definitions.reasons import ACTIONABLE, FIXED
from riskstrat.scoring.splines import Floats

SEPARATOR = "; "
Places = np.ndarray[tuple[int, int], np.dtype[np.intp]]
Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def by_reason(names: Sequence[str], added: Floats, definition: ModelDefinition) -> Floats:
    """What each reason adds to a person's log-odds, people by reasons: the sum over the predictors that it speaks of.

    ``names`` and ``added`` are the contributions of a model. Zero is somebody average. Predictors that are never named
    add to the score and to no reason.
    """
    of = {predictor.name: predictor.reason for predictor in definition.predictors}
    places = {reason.name: place for place, reason in enumerate(definition.reasons)}
    total = np.zeros((len(added), len(places)), order="F")
    for column, name in enumerate(names):
        reason = of[name]
        if reason is not None:
            total[:, places[reason]] += added[:, column]
    return total


def said(
    contributions: Floats,
    texts: Sequence[pa.Array],
    reasons: Sequence[ModelReason],
    *,
    most: int,
    least: float,
) -> Mapping[str, pa.Array]:
    """Kind of reason to the texts that are said of each person, those that add most first; NULL where there is none.

    ``texts`` are those of each reason by person, NULL where it cannot be said. At most ``most`` reasons of both kinds
    together, none that adds less than ``least``; of two that add the same the first stands first.
    """
    sayable = np.column_stack([text.is_valid().to_numpy(zero_copy_only=False) for text in texts])
    weight = np.where(sayable & (contributions >= least), contributions, -np.inf)
    some = np.flatnonzero((weight > -np.inf).any(axis=1))  # most people have nothing to be said
    order = np.argsort(-weight[some], axis=1, kind="stable")[:, :most]
    is_used = np.take_along_axis(weight[some], order, axis=1) > -np.inf
    is_fixed = np.array([reason.kind == FIXED for reason in reasons])[order]
    place_of = np.full(len(weight), -1)
    place_of[some] = np.arange(len(some))
    wanted = pa.array(place_of, mask=place_of < 0)
    everything = pa.concat_arrays(texts)
    places = order * len(weight) + some[:, None]
    return {
        kind: _joined(everything, places, is_used & (is_fixed == (kind == FIXED))).take(wanted)
        for kind in (FIXED, ACTIONABLE)
    }


def _joined(texts: pa.Array, places: Places, is_said: Flags) -> pa.Array:
    """The texts at ``places`` that are said, a row each with a separator between."""
    joined = pa.nulls(len(places), pa.string())
    for column in range(places.shape[1]):
        part = texts.take(pa.array(places[:, column], mask=~is_said[:, column]))
        joined = pc.coalesce(pc.binary_join_element_wise(joined, part, SEPARATOR), joined, part)
    return joined
