"""What a team finds that can look at so many people and no more: the operating point is its capacity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from riskstrat.model.evaluation.ranking import Flags, Floats, Ranking, within


def places(people: int, share: float) -> int:
    """How many people a share is: rounded half up, and at least one.

    >>> [places(people, 0.005) for people in (100, 300, 1000)]
    [1, 2, 5]
    """
    return max(1, math.floor(people * share + 0.5))


@dataclass(frozen=True)
class AtCapacity:
    """A list of so many ``places`` of ``people``; ``admitted`` of these have the outcome, ``found`` of whom are on it.

    ``found`` is the average over all ways of breaking ties, so it need not be whole.
    """

    people: int
    admitted: float
    places: int
    found: float

    @property
    def ppv(self) -> float:
        """Of the people on the list, the share with the outcome."""
        return self.found / self.places

    @property
    def sensitivity(self) -> float:
        """Of the people with the outcome, the share on the list."""
        return self.found / self.admitted if self.admitted else float("nan")

    @property
    def number_needed_to_contact(self) -> float:
        """People on the list for each person on it with the outcome: 1 / PPV; infinite where there is none."""
        return self.places / self.found if self.found else float("inf")

    def net_benefit(self, threshold: float) -> float:
        """Found people less contacts in vain, those weighed by the odds of ``threshold``, for each person scored.

        Vickers and Elkin 2006, 10.1177/0272989X06295361: the threshold is the risk at which a contact is just worth it.
        """
        return net_benefit(self.found, self.places - self.found, self.people, threshold)


def at_capacity(outcome: Flags, ranking: Ranking, share: float) -> AtCapacity:
    """The list of the highest ``share`` of a ranking; ``outcome`` (n,) in the order of the rows."""
    count = places(len(ranking), share)
    sizes = ranking.cumulated(np.ones(len(ranking)))
    found = within(count, sizes, ranking.cumulated(outcome))
    return AtCapacity(len(ranking), float(outcome.sum()), count, float(found))


def threshold_at(risk: Floats, ranking: Ranking, share: float) -> float:
    """The lowest risk on the list of the highest ``share``: the threshold that the capacity amounts to."""
    return float(risk[ranking.order[places(len(ranking), share) - 1]])


def net_benefit(found: float, in_vain: float, people: float, threshold: float) -> float:
    """Net benefit of contacting ``found`` people with and ``in_vain`` people without the outcome."""
    return found / people - in_vain / people * threshold / (1.0 - threshold)


@dataclass(frozen=True)
class DecisionPoint:
    """People at or above a threshold of risk, and how many of them have the outcome."""

    threshold: float
    contacted: int
    found: int


def decision_points(outcome: Flags, risk: Floats, thresholds: Floats) -> list[DecisionPoint]:
    """Who would be contacted at each threshold; ``outcome`` and ``risk`` (n,), ``thresholds`` ascending in 0 to 1."""
    order = np.argsort(risk, kind="stable")
    having = np.concatenate([[0], np.cumsum(outcome[order], dtype=np.int64)])
    below = np.searchsorted(risk[order], thresholds, side="left")
    return [
        DecisionPoint(float(threshold), len(risk) - int(place), int(having[-1] - having[place]))
        for threshold, place in zip(thresholds, below, strict=True)
    ]


def listed(risk: Floats, tie_break: Floats, share: float) -> Flags:
    """Who is on one list of all: highest risk first, ties by ``tie_break`` ascending (n,), as lists are published."""
    chosen = np.zeros(len(risk), bool)
    chosen[np.lexsort((tie_break, -risk))[: places(len(risk), share)]] = True
    return chosen
