"""Attendances at emergency departments after as_of; who is still there at midnight has no departure until later."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from riskstrat.demo.attendances import (
    SAME_DAY_DEPARTMENT,
    Attendances,
    Span,
    attendance_rows,
    before_admission,
    came_through,
    same_day_care,
    timed,
    waiting_times,
    without_admission,
)
from riskstrat.demo.calibration import Booleans, Integers, constant
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent, lags
from riskstrat.demo.nights.messages import DAY, Clock
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.people import People
from riskstrat.demo.rows import identifiers
from riskstrat.demo.spells import METHODS, Spells

LONGEST_WAIT = 1380
# Minutes on the way from one trust's department to the other's ward.
JOURNEY = 60


@dataclass(frozen=True)
class Emergencies:
    """Attendances of the nights and, last, those that the first delivery left open; the number and lag of each."""

    attendances: Attendances
    number: Integers
    lag: Integers

    @property
    def arrival_told(self) -> Integers:
        """The delivery that first told of each."""
        return self.attendances.arrived // DAY + self.lag

    @property
    def departure_told(self) -> Integers:
        """The delivery that told of each departure."""
        return self.attendances.left // DAY + self.lag

    @property
    def is_emergency(self) -> Booleans:
        """First attendances at a department that is no same-day emergency care."""
        first: Booleans = self.attendances.category == 0
        here: Booleans = first & (self.attendances.department != SAME_DAY_DEPARTMENT)
        return here


def draw_emergencies(
    told: Chunk, wards: Wards, clock: Clock, later: People, horizon: Horizon, generator: np.random.Generator
) -> tuple[Emergencies, Attendances]:
    """All attendances of the nights, and those among them that ended at home after a first visit."""
    usual, span = told.hospital.usual, Span(horizon.first, horizon.last, horizon.years)
    rate = np.where(later.end > horizon.first, told.hospital.attendance_rate, 0.0)
    home = timed(
        [
            without_admission(later, rate, usual, span, generator),
            same_day_care(later, usual, horizon.first, span, generator),
        ],
        generator,
    )
    home = home.at(~_in_hospital(home, wards.spells))
    night = (home.left // DAY > home.arrived // DAY) & ((home.department > 0) | (home.category > 0))
    # Only major departments are open at midnight.
    home = replace(home, left=np.where(night, home.arrived // DAY * DAY + 1439, home.left))
    before = _before_admission(wards, clock, later, generator)
    old = told.hospital.attendances
    still = np.flatnonzero(old.left >= horizon.first * DAY)
    every = Attendances(
        *(
            np.concatenate([getattr(part, field.name) for part in (home, before, old.at(still))])
            for field in fields(Attendances)
        )
    )
    fresh = len(home) + len(before)
    lag = lags(fresh, constant("night_attendance_late"), 2, generator)
    # An arrival before as_of that led to an admission after it could not come with the first delivery.
    lag = np.maximum(lag, horizon.first - every.arrived[:fresh] // DAY)
    number = np.concatenate([NIGHT_IDS + np.arange(fresh), still])
    emergencies = Emergencies(every, told.first_id + number, np.concatenate([lag, np.zeros(len(still), int)]))
    return emergencies, home


def _in_hospital(home: Attendances, spells: Spells) -> Booleans:
    """Whether the person is on a ward from the day before arrival to the day after departure."""
    ordinary = spells.at(spells.classification < 2)
    place = np.zeros(len(home), dtype=bool)
    order = np.argsort(ordinary.person, kind="stable")
    begin = np.searchsorted(ordinary.person[order], home.person, side="left")
    finish = np.searchsorted(ordinary.person[order], home.person, side="right")
    for step in range(int((finish - begin).max(initial=0))):
        has = begin + step < finish
        spell = order[np.minimum(begin + step, max(len(order) - 1, 0))]
        arrives, leaves = home.arrived // DAY, home.left // DAY
        place |= has & (ordinary.admission[spell] <= leaves + 1) & (ordinary.discharge[spell] >= arrives - 1)
    return place


def _before_admission(
    wards: Wards, clock: Clock, later: People, generator: np.random.Generator
) -> Attendances:
    """Arrivals that end in an admission: who waits past midnight is in A&E when the day begins."""
    spells = wards.spells
    place = np.flatnonzero(came_through(spells) & (wards.origin < 0))
    arrivals = before_admission(spells.at(place), later)
    here = spells.method[place] == METHODS.index("21")
    left = clock.admitted[place] - np.where(here, 0, JOURNEY)
    waited = np.minimum(waiting_times(len(place), generator), LONGEST_WAIT)
    return Attendances(
        arrivals.person,
        arrivals.provider,
        arrivals.department,
        arrivals.category,
        arrivals.destination,
        left - waited,
        left,
        generator.random(len(place)) < arrivals.ambulance_chance,
    )


def send_emergencies(emergencies: Emergencies, later: People, horizon: Horizon) -> Sent:
    """The extract acute_attendances: at arrival, and again with the departure where that was past midnight."""
    every = emergencies.attendances
    whole = emergencies.arrival_told == emergencies.departure_told
    opening = np.flatnonzero(~whole & (emergencies.arrival_told >= horizon.first))
    place = np.concatenate([opening, np.arange(len(every))])
    sent = np.concatenate([emergencies.arrival_told[opening], emergencies.departure_told])
    # What is sent on a day can only know of departures up to that day, less the days it is late.
    today = sent + 1 - emergencies.lag[place]
    order = in_order_sent(sent, horizon, every.person[place], every.arrived[place], place)
    names = identifiers("A", emergencies.number[place[order]])
    return Sent(attendance_rows(every.at(place[order]), later, today[order], names), sent[order])
