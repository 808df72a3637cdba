"""Issued medicines: five or more different ones in twelve months with polypharmacy, fewer for all others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Integers, constant, read_knowledge
from riskstrat.demo.codes import MEDICINES_DEFICIT
from riskstrat.demo.health import Health, onset_mean
from riskstrat.demo.people import YEAR, Calendar, People
from riskstrat.demo.rows import NEVER, Rows, days, labels, numbered, numbers

# Issues go back this far (a year further with each year of a longer history), every so many days; a repeat always falls
# within twelve months.
ISSUE_DAYS = 820
INTERVAL_DAYS = 84
MOST_MEDICINES = 14


@cache
def _formulary() -> list[dict[str, str]]:
    return read_knowledge("formulary")


def formulary_size() -> int:
    """How many medicines there are to be prescribed."""
    return len(_formulary())


def medicine_counts(people: People, health: Health, generator: np.random.Generator) -> Integers:
    """How many different medicines each person takes."""
    minimum = int(constant("polypharmacy_minimum"))
    deficits = health.deficits(people.end)
    many = minimum + generator.poisson(0.35 * deficits)
    # A baby has had no time for a repeat.
    few = np.minimum(
        generator.poisson(np.where(people.age(people.end) < 18, 0.15, 0.25 + 0.6 * deficits)), minimum - 1
    )
    few = np.where(people.age(people.end) < 1, 0, few)
    return np.where(health.has(MEDICINES_DEFICIT), np.minimum(many, MOST_MEDICINES), few)


@dataclass(frozen=True)
class Prescriptions:
    """Repeat medicines, one array element each, with the days before which none was issued and of the latest issue."""

    person: Integers
    medicine: Integers
    since: Integers
    latest: Integers


def draw_prescriptions(
    people: People, health: Health, counts: Integers, calendar: Calendar, generator: np.random.Generator
) -> Prescriptions:
    """Which medicines everybody takes, as many different ones as counted."""
    takers = np.flatnonzero(counts)
    weights = np.array([3.0 if row["group"] == "common" else 1.0 for row in _formulary()])
    # The smallest of exponential times over weights: a weighted draw without repeats.
    keys = generator.exponential(1.0, (len(takers), len(weights))) / weights
    ranked = np.argsort(keys, axis=1)[:, :MOST_MEDICINES]
    taker, rank = np.nonzero(np.arange(MOST_MEDICINES) < counts[takers, None])
    person, medicine = takers[taker], ranked[taker, rank]
    latest = people.end[person] - 1 - generator.integers(0, INTERVAL_DAYS, len(person))
    since = people.birth[person]
    if calendar.older:
        since = np.minimum(
            _first_issues(people, health, person, rank, onset_mean(calendar), generator), latest
        )
    return Prescriptions(person, medicine, since, latest)


def _first_issues(
    people: People,
    health: Health,
    person: Integers,
    rank: Integers,
    mean: float,
    generator: np.random.Generator,
) -> Integers:
    """Since when each medicine is taken: like conditions, and from the day of polypharmacy on as many as make it."""
    fewest = int(constant("polypharmacy_minimum"))
    end, many = people.end[person], health.since(MEDICINES_DEFICIT)[person]
    days_ago = 1 + np.floor(generator.exponential(mean, len(person)) * YEAR).astype(np.int64)
    since = np.maximum(end - days_ago, people.birth[person])
    later = many + np.floor(generator.random(len(person)) * (end - many)).astype(np.int64)
    with_many = np.where(rank < fewest, np.where(rank < fewest - 1, np.minimum(since, many), many), later)
    return np.where(many < NEVER, with_many, since)


def medicine_rows(people: People, prescribed: Prescriptions, calendar: Calendar, first_id: int) -> Rows:
    """The extract gp_medications: repeat issues of everybody's medicines over the last 27 months, or longer."""
    back = ISSUE_DAYS + sum(last - first for first, last in calendar.older)
    issues = back // INTERVAL_DAYS
    day = (prescribed.latest[:, None] - INTERVAL_DAYS * np.arange(issues)).ravel()
    person, medicine = np.repeat(prescribed.person, issues), np.repeat(prescribed.medicine, issues)
    issued = (day >= np.repeat(prescribed.since, issues)) & (day >= calendar.as_of - back)
    person, medicine, day = person[issued], medicine[issued], day[issued]
    return issue_rows(people, person, medicine, day, numbered("I", first_id, len(person)))


def issue_rows(
    people: People, person: Integers, medicine: Integers, day: Integers, identifiers: pa.Array
) -> Rows:
    """Rows of gp_medications, an issue each."""
    columns = {
        "issue_id": identifiers,
        "nhs_number": numbers(people.nhs_number).take(pa.array(person)),
        "issue_date": days(day),
        "dmd_code": labels([row["dmd_code"] for row in _formulary()], medicine),
        "medicine_name": labels([row["medicine_name"] for row in _formulary()], medicine),
    }
    return Rows("gp_medications", columns, person)
