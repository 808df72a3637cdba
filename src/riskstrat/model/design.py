"""From features to the columns of a linear model, and from its coefficients back to what each predictor adds.

Columns are centred, so that an unknown number counts as the average of those that are known, unless enough people have
it unknown to give that an effect of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from riskstrat.definitions.model import Predictor
from riskstrat.scoring.effects import NO, YES, Curve, Effect, Levels, Scale, level_places, numbers, scaled
from riskstrat.scoring.splines import Floats, spline_basis


@dataclass(frozen=True)
class Term:
    """The columns of one predictor: for a curve one a knot but the first, for levels one a level but the first.

    ``has_unknown`` adds a column for those whose value is unknown.
    """

    predictor: Predictor
    knots: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    has_unknown: bool = False

    @property
    def scale(self) -> Scale:
        """The scale that the curve runs on."""
        return "log1p" if self.predictor.transform == "log1p" else "identity"

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.knots or self.levels) - 1 + self.has_unknown

    def columns(self, column: pa.ChunkedArray) -> Floats:
        """The columns, rows by width, not centred; NaN where an unknown value is to count as the average."""
        if self.levels:
            places, table = level_places(column, self.levels)
            place = table[places]
            known, basis = place <= len(self.levels), place[:, None] == np.arange(1, len(self.levels))
            found = basis.astype(np.float64)
            found[place == len(self.levels)] = np.nan  # too rare to learn: the average
        else:
            values, known = numbers(column)
            knots = scaled(np.array(self.knots), self.scale)
            found = spline_basis(scaled(values, self.scale), knots)[:, 1:]
        found[~known] = np.nan
        return np.column_stack([found, ~known]) if self.has_unknown else found

    def effect(self, coefficients: Floats, centres: Floats) -> Effect:
        """What the predictor adds, given the coefficients of its columns and the means that were taken off."""
        own = len(self.knots or self.levels) - 1
        base = -float(coefficients @ centres)
        average = base + float(coefficients[:own] @ centres[:own])
        unknown = average + (float(coefficients[own]) if self.has_unknown else 0.0)
        values = [base, *(base + float(one) for one in coefficients[:own])]
        if self.levels:
            levels = dict(zip(self.levels, values, strict=True))
            return Levels(self.predictor.name, levels, average, unknown)
        return Curve(self.predictor.name, self.scale, self.knots, tuple(values), unknown)


@dataclass(frozen=True)
class Design:
    """The terms of a model, and why each of the other predictors was left out."""

    terms: tuple[Term, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many coefficients there are, the intercept apart."""
        return sum(term.width for term in self.terms)


class People:
    """Who stands behind the rows of a frame, to count people where a person may have several rows."""

    def __init__(self, person_ids: pa.ChunkedArray) -> None:
        self.codes = person_ids.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        self.count = int(self.codes.max()) + 1 if len(self.codes) else 0

    def among(self, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
        """How many people the rows belong to."""
        return int(np.count_nonzero(np.bincount(self.codes[rows], minlength=self.count)))


def make_design(frame: pa.Table, predictors: Sequence[Predictor], people: People, least: int) -> Design:
    """Decide the columns of every predictor by the people of a frame; ``least`` people must differ in each.

    A predictor that is not in the frame, unknown for everybody, or the same for all but a few is left out.
    """
    terms: list[Term] = []
    left_out: dict[str, str] = {}
    for predictor in predictors:
        if predictor.name not in frame.column_names:
            left_out[predictor.name] = "is not in the data"
            continue
        column = frame[predictor.name]
        if column.null_count == len(column):
            left_out[predictor.name] = "is unknown for everybody"
            continue
        term = _term(predictor, column, people, least)
        if term is None:
            left_out[predictor.name] = f"is the same for all but fewer than {least} people"
        else:
            terms.append(term)
    return Design(tuple(terms), left_out)


def _term(predictor: Predictor, column: pa.ChunkedArray, people: People, least: int) -> Term | None:
    unknown = column.is_null().to_numpy()
    has_unknown = bool(unknown.any()) and people.among(unknown) >= least
    if predictor.transform in ("flag", "category"):
        levels = _levels(predictor, column, people, least)
        return Term(predictor, levels=levels, has_unknown=has_unknown) if len(levels) > 1 else None
    knots = _knots(predictor, column, people, least)
    return Term(predictor, knots=knots, has_unknown=has_unknown) if knots else None


def _levels(predictor: Predictor, column: pa.ChunkedArray, people: People, least: int) -> tuple[str, ...]:
    """The levels that enough people have, in order of name; ``no`` comes before ``yes``."""
    if predictor.transform == "flag":
        names: tuple[str, ...] = (NO, YES)
    else:
        names = tuple(sorted(word for word in column.unique().to_pylist() if word is not None))
    places, table = level_places(column, names)
    place = table[places]
    return tuple(name for number, name in enumerate(names) if people.among(place == number) >= least)


def _knots(predictor: Predictor, column: pa.ChunkedArray, people: People, least: int) -> tuple[float, ...]:
    """The knots with enough people at or beyond them; the ends of the data where fewer than two are left."""
    values, known = numbers(column)
    there = values[known]
    distinct, counts = np.unique(there, return_counts=True)
    usual = distinct[np.argmax(counts)]
    if people.among(known & (values != usual)) < least:
        return ()
    kept = list(predictor.knots)
    while kept and people.among(known & (values >= kept[-1])) < least:
        kept.pop()
    while kept and people.among(known & (values <= kept[0])) < least:
        kept.pop(0)
    return tuple(kept) if len(kept) > 1 else (float(distinct[0]), float(distinct[-1]))
