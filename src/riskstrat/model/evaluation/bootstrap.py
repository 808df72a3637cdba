"""Intervals by resampling people, with all rows of a person together; the same seed gives the same intervals.

Every score is ranked once. A resample only changes how often each person counts, so it costs one pass over the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from riskstrat.model.evaluation.discrimination import Interval, area_under
from riskstrat.model.evaluation.ranking import Flags, Floats, Integers, Ranking, within


@dataclass(frozen=True)
class Sample:
    """Whom to resample: ``outcome`` (n,), ``person`` (n,) whole numbers from 0, ``shares`` (k,) of capacity."""

    outcome: Flags
    person: Integers
    shares: Floats


@dataclass(frozen=True)
class Entrant:
    """A score's ranking, and further values (n,) whose sums over its lists are wanted, such as the risk."""

    ranking: Ranking
    measures: Mapping[str, Floats]


@dataclass(frozen=True)
class Ranked:
    """One score over all resamples (b, k): the sums over the list of each capacity, and the AUROC (b,)."""

    found: Floats
    measured: Mapping[str, Floats]
    auroc: Floats


@dataclass(frozen=True)
class Resampled:
    """``places`` (b, k) on the list, ``people`` and ``admitted`` (b,) of each resample, and what each score found."""

    places: Floats
    people: Floats
    admitted: Floats
    scores: Mapping[str, Ranked]

    def ppv(self, name: str) -> Floats:
        """PPV at each capacity, (b, k)."""
        result: Floats = self.scores[name].found / self.places
        return result

    def sensitivity(self, name: str) -> Floats:
        """Sensitivity at each capacity, (b, k)."""
        with np.errstate(invalid="ignore"):
            result: Floats = self.scores[name].found / self.admitted[:, None]
        return result


def interval_of(value: float, draws: Floats, confidence: float) -> Interval:
    """The value with the percentile interval of its resamples; those that are NaN are left out."""
    known = draws[~np.isnan(draws)]
    if not len(known) or np.isnan(value):
        return Interval(value, float("nan"), float("nan"))
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high))


def draws_of_people(people: int, resamples: int, seed: int) -> Iterator[Integers]:
    """How often each person is drawn (people,), resample by resample: with replacement, as many as there are."""
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(generator.integers(0, people, people), minlength=people)


def resample(sample: Sample, entrants: Mapping[str, Entrant], resamples: int, seed: int) -> Resampled:
    """Draw people ``resamples`` times and let every score make its lists of them."""
    passes = {name: _Pass(sample, entrant) for name, entrant in entrants.items()}
    places, people, admitted = [], [], []
    for counts in draws_of_people(int(sample.person.max()) + 1, resamples, seed):
        weight = counts[sample.person]
        people.append(float(weight.sum()))
        admitted.append(float(weight[sample.outcome].sum()))
        places.append(np.maximum(1.0, np.floor(people[-1] * sample.shares + 0.5)))
        for one in passes.values():
            one.add(counts, places[-1])
    return Resampled(
        np.array(places),
        np.array(people),
        np.array(admitted),
        {name: one.done() for name, one in passes.items()},
    )


class _Pass:
    """Collects one score's figures; people, outcome and measures stand in its order once and for all."""

    def __init__(self, sample: Sample, entrant: Entrant) -> None:
        ranking = entrant.ranking
        self.ranking = ranking
        self.person = sample.person[ranking.order]
        self.outcome = sample.outcome[ranking.order]
        self.measures = {name: values[ranking.order] for name, values in entrant.measures.items()}
        self.found: list[Floats] = []
        self.auroc: list[float] = []
        self.measured: dict[str, list[Floats]] = {name: [] for name in entrant.measures}

    def add(self, counts: Integers, places: Floats) -> None:
        weight = counts[self.person]
        sizes = self.ranking.cumulated_in_order(weight)
        having = self.ranking.cumulated_in_order(weight * self.outcome)
        self.found.append(within(places, sizes, having))
        self.auroc.append(area_under(sizes - having, having))
        for name, values in self.measures.items():
            sums = self.ranking.cumulated_in_order(weight * values)
            self.measured[name].append(within(places, sizes, sums))

    def done(self) -> Ranked:
        return Ranked(
            np.array(self.found),
            {name: np.array(values) for name, values in self.measured.items()},
            np.array(self.auroc),
        )
