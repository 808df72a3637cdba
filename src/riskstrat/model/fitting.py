"""Fitting one model to a landmark frame, or saying why that would not be safe."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from riskstrat.definitions.model import ModelDefinition
from riskstrat.errors import ContractBrokenError, MisuseError
from riskstrat.model.boosting import fit_boosting
from riskstrat.model.design import Design, People, make_design
from riskstrat.model.logistic import against_sign, fit_logistic
from riskstrat.scoring.boosting import BoostingModel
from riskstrat.scoring.logistic import LogisticModel
from riskstrat.scoring.persistence import FittedModel, load_model

__all__ = ["FittedModel", "fit", "load_model"]

KINDS = (LogisticModel.kind, BoostingModel.kind)
PERSON, INDEX_DATE = "person_id", "index_date"
# Sums in another order differ in the last digit, so the number of threads is part of a model.
THREADS = 1
POLICY_REMEDY = "give more index dates or people, or fewer predictors and knots (config/model/)."


def fit(
    frame: pa.Table, definition: ModelDefinition, *, horizon: str, kind: str, seed: int = 0
) -> FittedModel:
    """Fit a model of one kind to the rows of a frame whose label is known.

    ``frame`` has person_id, the features and ``label_HORIZON``; more columns do not matter, nor does the order of its
    rows. Raises ContractBrokenError where too few people had the outcome, all or none had it, or a predictor that is
    required does not vary; MisuseError where the frame has no such label.
    """
    rows = _rows(frame, definition, horizon)
    label = rows[f"label_{horizon}"].to_numpy().astype(np.float64)
    people = People(rows[PERSON])
    with threadpool_limits(THREADS):
        design = make_design(rows, definition.predictors, people, definition.training.least_people)
        _check(design, label, people, definition)
        about = _about(rows, label, people, design, seed)
        if kind == LogisticModel.kind:
            intercept, effects, estimator = fit_logistic(rows, label, design, definition.training)
            predictors = {predictor.name: predictor for predictor in definition.predictors}
            about["coefficients"] = design.width
            about["against_sign"] = list(against_sign(effects, predictors))
            return LogisticModel(horizon, intercept, effects, about, estimator)
        if kind != BoostingModel.kind:
            raise MisuseError(f"'{kind}' is no kind of model.", remedy=f"use one of {', '.join(KINDS)}.")
        used = [term.predictor for term in design.terms]
        inputs, intercept, slope, estimator = fit_boosting(rows, label, used, definition.boosting, seed)
        about |= {"trees": int(estimator.n_iter_), "settings": asdict(definition.boosting)}
        return BoostingModel(horizon, inputs, intercept, slope, about, estimator)


def _rows(frame: pa.Table, definition: ModelDefinition, horizon: str) -> pa.Table:
    """The rows with a label, in one order, with the columns that matter."""
    label = f"label_{horizon}"
    if label not in frame.column_names or PERSON not in frame.column_names:
        raise MisuseError(
            f"the frame has no {label if label not in frame.column_names else PERSON}.",
            remedy="build it with: riskstrat model train --as-of DATE",
        )
    dates = [INDEX_DATE] if INDEX_DATE in frame.column_names else []
    wanted = [name for name in definition.names if name in frame.column_names]
    known = frame.select([PERSON, *dates, *wanted, label]).filter(pc.is_valid(frame[label]))
    return known.sort_by([(name, "ascending") for name in (PERSON, *dates)])


def _check(design: Design, label: np.ndarray[Any, Any], people: People, definition: ModelDefinition) -> None:
    if not len(label):
        raise ContractBrokenError(
            "nobody's outcome is known over the whole horizon.",
            remedy="take an earlier index date, so that the horizon ends before the newest delivery.",
        )
    policy = definition.training
    had = people.among(label == 1)
    if had in (0, people.count) or not (label == 0).any():
        raise ContractBrokenError(
            f"{'nobody' if had == 0 else 'everybody'} had the outcome, so there is nothing to learn.",
            remedy="look at the extracts that the outcome is made of.",
        )
    for predictor in definition.predictors:
        if predictor.required and predictor.name in design.left_out:
            raise ContractBrokenError(
                f"{predictor.name} is required and {design.left_out[predictor.name]}.",
                file=definition.folder / "predictors.yaml",
                column=predictor.name,
                remedy="find out what happened to it.",
            )
    needed = max(policy.least_events, policy.events_per_coefficient * design.width)
    if had < needed:
        raise ContractBrokenError(
            f"{had} people had the outcome and {needed} are needed ({policy.events_per_coefficient} for each of "
            f"{design.width} coefficients, and at least {policy.least_events}).",
            remedy=POLICY_REMEDY,
        )


def _about(
    rows: pa.Table,
    label: np.ndarray[Any, Any],
    people: People,
    design: Design,
    seed: int,
) -> dict[str, Any]:
    """What a model was fitted on, for its file and its card."""
    dates = (
        sorted({str(day) for day in rows[INDEX_DATE].unique().to_pylist()})
        if INDEX_DATE in rows.column_names
        else []
    )
    return {
        "rows": rows.num_rows,
        "people": people.count,
        "rows_with_outcome": int(label.sum()),
        "people_with_outcome": people.among(label == 1),
        "index_dates": dates,
        "seed": seed,
        "threads": THREADS,
        "left_out": dict(design.left_out),
    }
