"""Emergency department attendances, admitted and not, and same-day emergency care."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, curve, draw_index
from riskstrat.demo.episodes import acute_providers
from riskstrat.demo.health import Health
from riskstrat.demo.people import HISTORY_YEARS, YEAR, Calendar, People
from riskstrat.demo.rows import Rows, labels, moments, numbers
from riskstrat.demo.spells import METHODS, Spells

# ECDS discharge destination (SNOMED): ward, home, residential home, ambulatory emergency care.
DESTINATIONS = ["306706006", "306689006", "306691003", "1066341000000100"]
ADMITTED, HOME, CARE_HOME, SAME_DAY = range(len(DESTINATIONS))
DEPARTMENTS = ["01", "02", "03", "05"]
SAME_DAY_DEPARTMENT = 3
CATEGORIES = ["1", "2", "3", "4"]


@dataclass(frozen=True)
class Arrivals:
    """Who comes when, one array element each; ``day`` is the day of arrival."""

    person: Integers
    day: Integers
    provider: Integers
    department: Integers
    category: Integers
    destination: Integers
    ambulance_chance: Floats


@dataclass(frozen=True)
class Attendances:
    """Attendances in order of person and arrival; both times are minutes since 1970."""

    person: Integers
    provider: Integers
    department: Integers
    category: Integers
    destination: Integers
    arrived: Integers
    left: Integers
    by_ambulance: Booleans

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers | Booleans) -> Attendances:
        """The attendances at some places, or where a mask is true."""
        return Attendances(*(getattr(self, field.name)[places] for field in fields(self)))


@dataclass(frozen=True)
class Span:
    """Days from ``first`` up to the day before ``last``, in which ``years`` years' worth of events happen."""

    first: int
    last: int
    years: float


def draw_attendances(
    spells: Spells,
    people: People,
    health: Health,
    rate: Floats,
    usual: Integers,
    calendar: Calendar,
    *,
    generator: np.random.Generator,
) -> Attendances:
    """All attendances of the history: those of the spells, and the others at each person's ``rate`` a year."""
    recent = Span(calendar.recent_start, calendar.as_of, HISTORY_YEARS)
    through = spells.at(came_through(spells) & (spells.admission < calendar.as_of))
    parts = [
        before_admission(through, people),
        without_admission(people, rate, usual, recent, generator),
        same_day_care(people, usual, calendar.as_of, recent, generator),
    ]
    for first, last in calendar.older:
        year = Span(first, last, 1)
        then = rate * _level(people, health, first) / _level(people, health, calendar.as_of)
        parts.append(without_admission(people, then, usual, year, generator))
        parts.append(same_day_care(people, usual, first, year, generator))
    return timed(parts, generator)


def timed(parts: Sequence[Arrivals], generator: np.random.Generator) -> Attendances:
    """Arrivals with their times, by person and arrival."""
    person, day, provider, department, category, destination, chance = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Arrivals)
    )
    moment = day * 1440 + np.floor(1440 * generator.beta(2.2, 1.8, len(day))).astype(np.int64)
    waited = waiting_times(len(day), generator)
    order = np.lexsort((moment, person))
    person, provider, department, category, destination = (
        column[order] for column in (person, provider, department, category, destination)
    )
    arrived, left = moment[order], (moment + waited)[order]
    ambulance = generator.random(len(day)) < chance[order]
    return Attendances(person, provider, department, category, destination, arrived, left, ambulance)


def waiting_times(count: int, generator: np.random.Generator) -> Integers:
    """Minutes from arrival to departure."""
    return 60 + np.floor(generator.gamma(2.0, 95.0, count)).astype(np.int64)


def attendance_rows(attendances: Attendances, people: People, today: Integers, identifiers: pa.Array) -> Rows:
    """The extract acute_attendances; who has not left before ``today`` (a day for each) has no departure yet."""
    still_there = attendances.left >= today * 1440
    columns = {
        "attendance_id": identifiers,
        "nhs_number": numbers(people.nhs_number[attendances.person]),
        "provider_code": labels(acute_providers(), attendances.provider),
        "arrival_at": moments(attendances.arrived),
        "departure_at": moments(attendances.left, still_there),
        "attendance_category": labels(CATEGORIES, attendances.category),
        "department_type": labels(DEPARTMENTS, attendances.department),
        "discharge_destination": labels(DESTINATIONS, attendances.destination, still_there),
        "arrived_by_ambulance": labels(["false", "true"], attendances.by_ambulance.astype(np.int64)),
    }
    return Rows("acute_attendances", columns, attendances.person)


def came_through(spells: Spells) -> Booleans:
    """Spells that began in an emergency department, the trust's own or another's."""
    through: Booleans = (spells.method == METHODS.index("21")) | (spells.method == METHODS.index("2A"))
    return through


def before_admission(through: Spells, people: People) -> Arrivals:
    """The attendances that led to spells; another trust's department sends the patient on."""
    count = len(through)
    provider = np.where(through.method == METHODS.index("21"), through.provider, 1 - through.provider)
    chance = np.clip(((through.admission - people.birth[through.person]) / YEAR - 15) / 90, 0.1, 0.8)
    zeros = np.zeros(count, dtype=np.int64)
    return Arrivals(through.person, through.admission, provider, zeros, zeros, zeros, chance)


def _scattered(
    counts: Integers, people: People, span: Span, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Persons and days of events spread evenly over a span, none before birth or after death."""
    person = np.repeat(np.arange(len(people)), counts)
    day = span.first + generator.integers(0, span.last - span.first, len(person))
    lived = (day >= people.birth[person]) & (day < people.end[person])
    return person[lived], day[lived]


def attendance_rates(
    people: People, health: Health, calendar: Calendar, generator: np.random.Generator
) -> Floats:
    """How often each person attends in a year without being admitted."""
    shape = constant("attendance_shape")
    rate = _level(people, health, calendar.as_of)
    rate *= np.exp(constant("attendance_deprivation") * (5.5 - people.decile))
    return np.asarray(rate * generator.gamma(shape, 1 / shape, len(people)), dtype=np.float64)


def _level(people: People, health: Health, day: int) -> Floats:
    """What age and a care home make of the rate on a day."""
    age = people.age(day)
    scale = np.where(age < 65, constant("attendance_scale_under_65"), constant("attendance_scale_from_65"))
    level = scale * curve("attendance_age", age)
    level *= np.where(health.since("care-home") < day, constant("care_home_attendance_ratio"), 1.0)
    return np.asarray(level, dtype=np.float64)


def without_admission(
    people: People, rate: Floats, usual: Integers, span: Span, generator: np.random.Generator
) -> Arrivals:
    """Attendances that end at home, and the follow-ups of some."""
    person, day = _scattered(generator.poisson(rate * span.years), people, span, generator)
    department = draw_index(np.array([0.60, 0.02, 0.38]), len(person), generator)
    again = np.flatnonzero(generator.random(len(person)) < constant("follow_up_share"))
    again = again[day[again] + 3 < people.end[person[again]]]
    return Arrivals(
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


def same_day_care(
    people: People, usual: Integers, as_of: int, span: Span, generator: np.random.Generator
) -> Arrivals:
    """Same-day emergency care, more of it with age."""
    rate = constant("sdec_rate") * np.interp(people.age(as_of), [15, 20, 80], [0.0, 0.8, 2.5])
    person, day = _scattered(generator.poisson(rate * span.years), people, span, generator)
    count = len(person)
    return Arrivals(
        person=person,
        day=day,
        provider=usual[person],
        department=np.full(count, SAME_DAY_DEPARTMENT),
        category=np.zeros(count, dtype=np.int64),
        destination=np.full(count, SAME_DAY),
        ambulance_chance=np.full(count, 0.08),
    )
