"""Why a person's score is high: the few reasons that add most to it, and that may be said of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.definitions.model import ModelDefinition, ModelReason
from riskstrat.definitions.reasons import ACTIONABLE, FIXED
from riskstrat.scoring.logistic import LogisticModel
from riskstrat.scoring.splines import Floats

SEPARATOR = "; "
Places = np.ndarray[tuple[int, int], np.dtype[np.intp]]
Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def reason_contributions(model: LogisticModel, definition: ModelDefinition, people: pa.Table) -> Floats:
    """What each reason adds to a person's log-odds, people by reasons: the sum over the predictors that it speaks of.

    Zero is somebody average. Predictors that are never named add to the score and to no reason.
    """
    names, added = model.contributions(people)
    of = {predictor.name: predictor.reason for predictor in definition.predictors}
    places = {reason.name: place for place, reason in enumerate(definition.reasons)}
    total = np.zeros((people.num_rows, len(places)))
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
    order = np.argsort(-weight, axis=1, kind="stable")[:, :most]
    is_used = np.take_along_axis(weight, order, axis=1) > -np.inf
    is_fixed = np.array([reason.kind == FIXED for reason in reasons])[order]
    return {
        kind: _joined(order, is_used & (is_fixed == (kind == FIXED)), texts) for kind in (FIXED, ACTIONABLE)
    }


def _joined(order: Places, is_said: Flags, texts: Sequence[pa.Array]) -> pa.Array:
    """The texts of one kind of each person with a separator between, in the order in which they count."""
    rows = np.arange(len(order))
    everything = pa.concat_arrays(texts)
    joined = pa.nulls(len(order), pa.string())
    for place in range(order.shape[1]):
        part = everything.take(pa.array(order[:, place] * len(order) + rows, mask=~is_said[:, place]))
        joined = pc.coalesce(pc.binary_join_element_wise(joined, part, SEPARATOR), joined, part)
    return joined
