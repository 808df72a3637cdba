"""Who is registered with the town's practices on a day after as_of, and so has something recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Booleans, Integers
from riskstrat.demo.nights.changes import Changes
from riskstrat.demo.people import OPEN, People
from riskstrat.demo.rows import NEVER


@dataclass(frozen=True)
class Presence:
    """By person: the first day after as_of on which nothing is recorded any more; 0 where nothing ever is."""

    until: Integers

    @classmethod
    def of(cls, later: People, changes: Changes) -> Presence:
        """Until death or the last day of the registration. ``later`` are the people with their deaths."""
        gone = np.minimum(later.death, np.minimum(changes.left.day, NEVER - 1) + 1)
        return cls(np.where(later.status == OPEN, gone, 0))

    def holds(self, person: Integers, day: Integers) -> Booleans:
        """Whether each person is there on the day beside."""
        there: Booleans = day < self.until[person]
        return there
