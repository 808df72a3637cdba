"""Fitting the challenger: gradient boosted trees that keep to the predictors' signs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from riskstrat.definitions.model import Predictor
from riskstrat.definitions.model_policy import Boosting
from riskstrat.scoring.boosting import Input, input_matrix
from riskstrat.scoring.splines import Floats

SIGNS = {"increasing": 1, "decreasing": -1, "any": 0}


def fit_boosting(
    frame: pa.Table, label: Floats, predictors: Sequence[Predictor], boosting: Boosting, seed: int
) -> tuple[tuple[Input, ...], float, float, Any]:
    """Inputs, the logistic line, and scikit-learn's estimator.

    Of more than ``most_rows`` rows those of a part of the people are used. People who are held out, with all their
    dates, decide when the trees stop and where the line lies.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs = tuple(_input(predictor, frame[predictor.name]) for predictor in predictors)
    if frame.num_rows > boosting.most_rows:
        some = drawn_people(frame["person_id"], boosting.most_rows / frame.num_rows, f"rows {seed}")
        frame, label = frame.filter(pa.array(some)), label[some]
    matrix = input_matrix(frame, inputs)
    held_out = drawn_people(frame["person_id"], boosting.held_out_share, f"held out {seed}")
    estimator = HistGradientBoostingClassifier(
        learning_rate=boosting.learning_rate,
        max_iter=boosting.most_trees,
        max_leaf_nodes=boosting.leaves_a_tree,
        min_samples_leaf=boosting.least_rows_a_leaf,
        l2_regularization=boosting.ridge,
        monotonic_cst=[SIGNS[predictor.sign] for predictor in predictors],
        early_stopping=True,
        n_iter_no_change=boosting.patience,
        random_state=seed,
    )
    estimator.fit(matrix[~held_out], label[~held_out], X_val=matrix[held_out], y_val=label[held_out])
    score = estimator.decision_function(matrix[held_out])
    intercept, slope = _line(score, label[held_out])
    return inputs, intercept, slope, estimator


def drawn_people(person_ids: pa.ChunkedArray, share: float, salt: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each row belongs to a share of the people, who are drawn by a hash of who they are."""
    encoded = person_ids.combine_chunks().dictionary_encode()
    drawn = [
        zlib.crc32(f"{salt} {person}".encode()) / 2**32 < share for person in encoded.dictionary.to_pylist()
    ]
    rows: np.ndarray[Any, np.dtype[np.bool_]] = np.array(drawn, dtype=bool)[
        encoded.indices.to_numpy(zero_copy_only=False)
    ]
    return rows


def _input(predictor: Predictor, column: pa.ChunkedArray) -> Input:
    if predictor.transform != "category":
        return Input(predictor.name)
    return Input(
        predictor.name, tuple(sorted(word for word in column.unique().to_pylist() if word is not None))
    )


def _line(score: Floats, label: Floats) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8).fit(score[:, None], label)
    return float(line.intercept_[0]), float(line.coef_[0, 0])
