"""When people are admitted unplanned and for how long: the drawn counts of each window, laid on its days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, curve
from riskstrat.demo.health import Health
from riskstrat.demo.oracle import Exposure
from riskstrat.demo.people import HISTORY_YEARS, Calendar, People

READMISSION_DAYS = 29


@dataclass(frozen=True)
class Stays:
    """Unplanned stays (continuous inpatient spells) by person and day; ``nights`` is 0 for a day's stay."""

    person: Integers
    day: Integers
    nights: Integers
    window: Integers

    def __len__(self) -> int:
        return len(self.person)

    def only(self, chosen: Booleans) -> Stays:
        """The stays chosen, in the same order."""
        return Stays(self.person[chosen], self.day[chosen], self.nights[chosen], self.window[chosen])


def draw_stays(
    people: People, health: Health, exposed: Exposure, calendar: Calendar, generator: np.random.Generator
) -> Stays:
    """All unplanned stays of history (windows 1 and up) and of the outcome year (window 0)."""
    counts = generator.poisson(health.z * exposed.expected)
    window, person = np.nonzero(counts)
    each = counts[window, person]
    rank = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    window, person = np.repeat(window, each), np.repeat(person, each)
    begin, finish = exposed.begin[window, person], exposed.finish[window, person]
    nights = draw_nights(*_age_and_deficits(people, health, calendar, person, window), generator)
    day = begin + np.floor(generator.random(len(person)) * (finish - begin)).astype(np.int64)
    readmitted = generator.random(len(person)) < constant("readmission_share")
    gap = generator.integers(1, READMISSION_DAYS + 1, len(person))
    for step in range(1, int(rank.max(initial=0)) + 1):
        here = np.flatnonzero(rank == step)
        after = day[here - 1] + nights[here - 1] + gap[here]
        day[here] = np.where(readmitted[here] & (after < finish[here]), after, day[here])
    order = np.lexsort((day, person))
    person, window, nights = person[order], window[order], nights[order]
    day = _one_a_day(person, day[order], window == 0)
    return Stays(person, day, _cut_short(exposed, person, day, nights), window)


def _age_and_deficits(
    people: People, health: Health, calendar: Calendar, person: Integers, window: Integers
) -> tuple[Floats, Integers]:
    """Of each stay's person: as of the end of the history, or of the first day of an older year."""
    age, deficits = people.age(calendar.as_of)[person], health.deficits(calendar.as_of)[person]
    for place, (first, _) in enumerate(calendar.older, HISTORY_YEARS + 1):
        here = window == place
        age[here] = people.age(first)[person[here]]
        deficits[here] = health.deficits(first)[person[here]]
    return age, deficits


def draw_nights(age: Floats, deficits: Integers, generator: np.random.Generator) -> Integers:
    """Nights of an unplanned stay: many are none, the rest longer with age and frailty."""
    none = generator.random(len(age)) < np.where(age < 18, 0.55, np.where(age < 65, 0.38, 0.20))
    typical = np.where(age < 18, 1.6, np.where(age < 65, 2.6, 4.0)) * np.exp(curve("stay_deficits", deficits))
    nights = 1 + np.floor(generator.lognormal(np.log(typical), 0.95)).astype(np.int64)
    return np.where(none, 0, np.minimum(nights, 120))


def _one_a_day(person: Integers, day: Integers, is_outcome: Booleans) -> Integers:
    """Move admissions that share a day with a later one back, so that every stay of a person has its own day.

    Outcome stays move with their own, never across as_of: a person's outcome and history are moved apart.
    """
    group = person * 2 + is_outcome
    reverse = slice(None, None, -1)
    keys, days = group[reverse], day[reverse].copy()
    for _ in range(60):
        clash = np.flatnonzero((keys[1:] == keys[:-1]) & (days[1:] >= days[:-1])) + 1
        if not len(clash):
            break
        days[clash] = days[clash - 1] - 1
    return days[reverse]


def _cut_short(exposed: Exposure, person: Integers, day: Integers, nights: Integers) -> Integers:
    """Nights until death at the latest, and until the day before the person's next stay."""
    limit = exposed.next_death[person] - day
    again = person[1:] == person[:-1]
    limit[:-1] = np.where(again, np.minimum(limit[:-1], day[1:] - day[:-1] - 1), limit[:-1])
    cut: Integers = np.maximum(np.minimum(nights, limit), 0)
    return cut
