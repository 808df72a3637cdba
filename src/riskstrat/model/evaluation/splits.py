"""Which rows a model learns from and which it is judged on: by time, by person, and by place.

By time: a model for an index date learns only from dates whose whole horizon had passed by then, as it would have had
to. By person: people are dealt into folds, and each is scored by a model that was fitted without that person's rows
of any date. By place: each place is scored by a model fitted without its people.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.definitions.model_outcome import Horizon
from riskstrat.errors import MisuseError
from riskstrat.model.evaluation.people import INDEX_DATE, PERSON, People, people_of
from riskstrat.model.evaluation.ranking import Flags, Floats, Integers

TEMPORAL, RANDOM = "temporal", "random"


class Fitted(Protocol):
    """A model that gives each row of a frame a risk."""

    def predict(self, table: pa.Table) -> Floats:
        """Risks between 0 and 1, (n,)."""


Fit = Callable[[pa.Table], Fitted]


@dataclass(frozen=True)
class Split:
    """Index dates to learn from and to be judged on. ``kind`` random: the same dates, told apart by person alone."""

    kind: str
    training_dates: tuple[date, ...]
    test_dates: tuple[date, ...]
    label: str


def split_by_time(
    frame: pa.Table, horizon: Horizon, asked: Sequence[date] = (), *, allow_random: bool = False
) -> Split:
    """The split for the test dates that were asked for; by default the latest date that allows one.

    Raises MisuseError where no date has a known outcome, or none was early enough to learn from and a random split is
    not explicitly allowed.
    """
    label = f"label_{horizon.name}"
    known = known_dates(frame, label)
    for day in asked:
        if day not in known:
            raise MisuseError(
                f"no frame of {day} has outcomes that are complete over {horizon.name}.",
                remedy=f"use one of {', '.join(map(str, known)) or 'none so far'}, or build frames of earlier dates.",
            )
    if not known:
        raise MisuseError(
            f"no frame has outcomes that are complete over {horizon.name}.",
            remedy="build frames of index dates that lie a whole horizon before the newest delivery.",
        )
    tests = tuple(sorted(asked)) or (known[-1],)
    training = tuple(day for day in known if horizon.end(day) <= tests[0])
    if training:
        return Split(TEMPORAL, training, tests, label)
    if allow_random:
        return Split(RANDOM, tests, tests, label)
    raise MisuseError(
        f"no index date lies a whole horizon ({horizon.name}) before {tests[0]}, so a test by time is not possible.",
        remedy="build a frame of an earlier date; --allow-random-split judges people of the same dates instead, "
        "which flatters a model that learnt from records made later.",
    )


def known_dates(frame: pa.Table, label: str) -> list[date]:
    """The index dates on which somebody's label is known, ascending."""
    days = frame.filter(pc.is_valid(frame[label]))[INDEX_DATE]
    return sorted(pc.unique(days).to_pylist())


def person_folds(table: pa.Table, folds: int) -> Integers:
    """The fold of each row's person, (n,): by a checksum of the key, so that it never depends on who else is there."""
    keys = table[PERSON].combine_chunks().dictionary_encode()
    of_key = np.array(
        [zlib.crc32(key.encode()) % folds for key in keys.dictionary.to_pylist()], dtype=np.int64
    )
    return np.asarray(of_key[keys.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)


@dataclass(frozen=True)
class CrossFitted:
    """One model a fold, fitted without the people of that fold."""

    models: tuple[Fitted, ...]

    def risk(self, table: pa.Table) -> Floats:
        """Each row's risk by the model that has never seen its person, (n,)."""
        folds = person_folds(table, len(self.models))
        risk = np.zeros(table.num_rows)
        for fold, model in enumerate(self.models):
            chosen = folds == fold
            if chosen.any():
                risk[chosen] = model.predict(table.filter(pa.array(chosen)))
        return risk


def cross_fit(frame: pa.Table, split: Split, folds: int, fit: Fit) -> CrossFitted:
    """Fit one model a fold on the split's training dates."""
    training = people_of(frame, split.training_dates, split.label).table
    fold = person_folds(training, folds)
    return CrossFitted(tuple(fit(training.filter(pa.array(fold != one))) for one in range(folds)))


@dataclass(frozen=True)
class LeftOut:
    """One place, the rows (n,) of the test that lie in it, and their risks by a model fitted elsewhere."""

    place: str
    chosen: Flags
    risk: Floats


def leave_each_out(frame: pa.Table, split: Split, test: People, column: str, fit: Fit) -> list[LeftOut]:
    """Score each place by a model that was fitted without the place and without anybody who is in it at the test.

    ``column`` names the place; people of unknown place are not left out. A place is skipped where nobody else is left.
    """
    training = people_of(frame, split.training_dates, split.label).table
    homes = test.table[column].combine_chunks()
    found = []
    for place in sorted(pc.unique(homes).drop_null().to_pylist()):
        chosen = pc.fill_null(pc.equal(homes, place), False)
        here = pc.fill_null(pc.equal(training[column], place), False)
        own = pc.is_in(training[PERSON], value_set=test.table.filter(chosen)[PERSON].combine_chunks())
        others = training.filter(pc.invert(pc.or_(here, own)))
        if others.num_rows:
            risk = fit(others).predict(test.table.filter(chosen))
            found.append(
                LeftOut(str(place), np.asarray(chosen.to_numpy(zero_copy_only=False), dtype=bool), risk)
            )
    return found
