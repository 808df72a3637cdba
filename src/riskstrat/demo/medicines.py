"""Issued medicines: five or more different ones in twelve months with polypharmacy, fewer for all others."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Integers, constant, read_knowledge
from riskstrat.demo.codes import MEDICINES_DEFICIT
from riskstrat.demo.health import Health
from riskstrat.demo.people import Calendar, People
from riskstrat.demo.rows import Rows, days, labels, numbered, numbers

# Issues go back this far, every so many days; a repeat always falls within twelve months.
ISSUE_DAYS = 820
INTERVAL_DAYS = 84
MOST_MEDICINES = 14


@cache
def _formulary() -> list[dict[str, str]]:
    return read_knowledge("formulary")


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


def medicine_rows(
    people: People, counts: Integers, calendar: Calendar, first_id: int, generator: np.random.Generator
) -> Rows:
    """The extract gp_medications: repeat issues of everybody's medicines over the last 27 months."""
    takers = np.flatnonzero(counts)
    weights = np.array([3.0 if row["group"] == "common" else 1.0 for row in _formulary()])
    # The smallest of exponential times over weights: a weighted draw without repeats.
    keys = generator.exponential(1.0, (len(takers), len(weights))) / weights
    ranked = np.argsort(keys, axis=1)[:, :MOST_MEDICINES]
    taker, rank = np.nonzero(np.arange(MOST_MEDICINES) < counts[takers, None])
    person, medicine = takers[taker], ranked[taker, rank]
    issues = ISSUE_DAYS // INTERVAL_DAYS
    latest = people.end[person] - 1 - generator.integers(0, INTERVAL_DAYS, len(person))
    day = (latest[:, None] - INTERVAL_DAYS * np.arange(issues)).ravel()
    person, medicine = np.repeat(person, issues), np.repeat(medicine, issues)
    issued = (day >= people.birth[person]) & (day >= calendar.as_of - ISSUE_DAYS)
    person, medicine, day = person[issued], medicine[issued], day[issued]
    columns = {
        "issue_id": numbered("I", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number).take(pa.array(person)),
        "issue_date": days(day),
        "dmd_code": labels([row["dmd_code"] for row in _formulary()], medicine),
        "medicine_name": labels([row["medicine_name"] for row in _formulary()], medicine),
    }
    return Rows("gp_medications", columns, person)
