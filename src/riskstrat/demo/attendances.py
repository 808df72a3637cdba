"""Emergency department attendances, admitted and not, and same-day emergency care."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Floats, Integers, constant, curve, draw_index
from riskstrat.demo.episodes import acute_providers
from riskstrat.demo.health import Health
from riskstrat.demo.people import YEAR, Calendar, People
from riskstrat.demo.rows import Rows, labels, moments, numbered, numbers
from riskstrat.demo.spells import METHODS, Spells

# ECDS discharge destination (SNOMED): ward, home, residential home, ambulatory emergency care.
DESTINATIONS = ["306706006", "306689006", "306691003", "1066341000000100"]
ADMITTED, HOME, CARE_HOME, SAME_DAY = range(len(DESTINATIONS))
DEPARTMENTS = ["01", "02", "03", "05"]
SAME_DAY_DEPARTMENT = 3
CATEGORIES = ["1", "2", "3", "4"]


@dataclass(frozen=True)
class Attendances:
    """Attendances of a chunk, one array element each; ``day`` is the day of arrival."""

    person: Integers
    day: Integers
    provider: Integers
    department: Integers
    category: Integers
    destination: Integers
    ambulance_chance: Floats


def attendance_rows(
    spells: Spells,
    people: People,
    health: Health,
    usual: Integers,
    calendar: Calendar,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """All attendances of the history, in order of person and arrival."""
    parts = [
        _before_admission(spells, people, calendar),
        _without_admission(people, health, usual, calendar, generator),
        _same_day_care(people, usual, calendar, generator),
    ]
    person, day, provider, department, category, destination, chance = (
        np.concatenate([getattr(part, name) for part in parts]) for name in Attendances.__dataclass_fields__
    )
    moment = day * 1440 + np.floor(1440 * generator.beta(2.2, 1.8, len(day))).astype(np.int64)
    waited = 60 + np.floor(generator.gamma(2.0, 95.0, len(day))).astype(np.int64)
    order = np.lexsort((moment, person))
    person, provider, department, category, destination = (
        column[order] for column in (person, provider, department, category, destination)
    )
    arrived, left = moment[order], (moment + waited)[order]
    still_there = left >= calendar.as_of * 1440
    ambulance = generator.random(len(day)) < chance[order]
    columns = {
        "attendance_id": numbered("A", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "provider_code": labels(acute_providers(), provider),
        "arrival_at": moments(arrived),
        "departure_at": moments(left, still_there),
        "attendance_category": labels(CATEGORIES, category),
        "department_type": labels(DEPARTMENTS, department),
        "discharge_destination": labels(DESTINATIONS, destination, still_there),
        "arrived_by_ambulance": labels(["false", "true"], ambulance.astype(np.int64)),
    }
    return Rows("acute_attendances", columns, person)


def _before_admission(spells: Spells, people: People, calendar: Calendar) -> Attendances:
    here_first, there_first = METHODS.index("21"), METHODS.index("2A")
    through = spells.at(
        ((spells.method == here_first) | (spells.method == there_first)) & (spells.admission < calendar.as_of)
    )
    count = len(through)
    provider = np.where(through.method == here_first, through.provider, 1 - through.provider)
    chance = np.clip(((through.admission - people.birth[through.person]) / YEAR - 15) / 90, 0.1, 0.8)
    zeros = np.zeros(count, dtype=np.int64)
    return Attendances(through.person, through.admission, provider, zeros, zeros, zeros, chance)


def _scattered(
    counts: Integers, people: People, calendar: Calendar, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Persons and days of events spread evenly over the history, none before birth or after death."""
    person = np.repeat(np.arange(len(people)), counts)
    span = calendar.as_of - calendar.history_start
    day = calendar.history_start + generator.integers(0, span, len(person))
    lived = (day >= people.birth[person]) & (day < people.end[person])
    return person[lived], day[lived]


def _without_admission(
    people: People, health: Health, usual: Integers, calendar: Calendar, generator: np.random.Generator
) -> Attendances:
    age, shape = people.age(calendar.as_of), constant("attendance_shape")
    scale = np.where(age < 65, constant("attendance_scale_under_65"), constant("attendance_scale_from_65"))
    rate = scale * curve("attendance_age", age)
    rate *= np.where(health.has("care-home"), constant("care_home_attendance_ratio"), 1.0)
    rate *= np.exp(constant("attendance_deprivation") * (5.5 - people.decile))
    rate *= generator.gamma(shape, 1 / shape, len(people)) * len(calendar.starts)
    person, day = _scattered(generator.poisson(rate), people, calendar, generator)
    department = draw_index(np.array([0.60, 0.02, 0.38]), len(person), generator)
    again = np.flatnonzero(generator.random(len(person)) < constant("follow_up_share"))
    again = again[day[again] + 3 < people.end[person[again]]]
    return Attendances(
        person=np.concatenate([person, person[again]]),
        day=np.concatenate([day, day[again] + 3]),
        provider=np.concatenate([usual[person], usual[person[again]]]),
        department=np.concatenate([department, department[again]]),
        category=np.concatenate(
            [np.zeros(len(person), dtype=np.int64), generator.integers(1, 4, len(again))]
        ),
        destination=np.full(len(person) + len(again), HOME),
        ambulance_chance=np.full(len(person) + len(again), 0.12),
    )


def _same_day_care(
    people: People, usual: Integers, calendar: Calendar, generator: np.random.Generator
) -> Attendances:
    rate = constant("sdec_rate") * np.interp(people.age(calendar.as_of), [15, 20, 80], [0.0, 0.8, 2.5])
    person, day = _scattered(generator.poisson(rate * len(calendar.starts)), people, calendar, generator)
    count = len(person)
    return Attendances(
        person=person,
        day=day,
        provider=usual[person],
        department=np.full(count, SAME_DAY_DEPARTMENT),
        category=np.zeros(count, dtype=np.int64),
        destination=np.full(count, SAME_DAY),
        ambulance_chance=np.full(count, 0.08),
    )
