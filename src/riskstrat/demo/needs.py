"""What has begun lately: people who call more and more, and people for whom home care has just started.

A stream of chance of their own draws them, so that everything else stays the same town. Nothing here depends on z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Booleans, Integers, constant, curve
from riskstrat.demo.health import Health
from riskstrat.demo.people import Calendar, People

ADULT, OLDER = 18, 65


@dataclass(frozen=True)
class Needs:
    """Calls to the practice, calls to other agencies and new home care: person and day of each, one a place."""

    caller: Integers
    call_day: Integers
    agency_caller: Integers
    agency_day: Integers
    newcomer: Integers
    start_day: Integers
    reviewed: Booleans


def draw_needs(people: People, health: Health, calendar: Calendar, generator: np.random.Generator) -> Needs:
    """Who escalates and who is new to home care: more often the more deficits they have."""
    deficits, age = health.deficits(people.end), people.age(people.end)
    here = people.end == calendar.as_of
    chance = np.where(here & (age >= ADULT), curve("escalating_need", deficits), 0.0)
    escalating = np.flatnonzero(generator.random(len(people)) < chance)
    caller = _repeated(escalating, "escalating_calls", generator)
    involved = escalating[generator.random(len(escalating)) < constant("escalating_agency_share")]
    agency_caller = _repeated(involved, "escalating_agency_calls", generator)
    chance = np.where(here & (age >= OLDER), curve("new_homecare", deficits), 0.0)
    newcomer = np.flatnonzero(generator.random(len(people)) < chance)
    days_ago = 1 + np.floor(generator.random(len(newcomer)) * constant("new_homecare_days")).astype(np.int64)
    return Needs(
        caller=caller,
        call_day=_recent(caller, calendar, generator),
        agency_caller=agency_caller,
        agency_day=_recent(agency_caller, calendar, generator),
        newcomer=newcomer,
        start_day=calendar.as_of - days_ago,
        reviewed=days_ago > constant("first_review_days"),
    )


def _repeated(person: Integers, mean: str, generator: np.random.Generator) -> Integers:
    """Each person as often as one and a Poisson count, which together have the mean."""
    return np.repeat(person, 1 + generator.poisson(constant(mean) - 1, len(person)))


def _recent(person: Integers, calendar: Calendar, generator: np.random.Generator) -> Integers:
    days_ago = np.floor(generator.random(len(person)) * constant("escalating_days")).astype(np.int64)
    day: Integers = calendar.as_of - 1 - days_ago
    return day
