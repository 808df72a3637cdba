"""Latent health: how frail people are, what they have and since when, and the admissions that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskstrat.demo.calibration import (
    Booleans,
    Condition,
    Floats,
    Integers,
    condition_index,
    conditions,
    constant,
    curve,
    deficit_columns,
)
from riskstrat.demo.people import DEAD, YEAR, Calendar, People
from riskstrat.demo.rows import NEVER


@dataclass(frozen=True)
class Health:
    """Latent frailty (gamma, mean 1), the admission multiplier z (gamma, mean 1) and conditions of a chunk.

    ``onset`` has a row a person and a column a condition: the day of the first record, NEVER where absent.
    """

    frailty: Floats
    z: Floats
    onset: NDArray[np.int32]

    def has(self, condition: str) -> Booleans:
        """Who has the condition by the end of their history."""
        return self.onset[:, condition_index()[condition]] < NEVER

    def since(self, condition: str) -> Integers:
        """The day of first record of a condition, NEVER where absent."""
        return self.onset[:, condition_index()[condition]].astype(np.int64)

    def deficits(self, day: Integers | int) -> Integers:
        """How many deficits of the frailty index were on record before a day (one for all, or one each)."""
        limit = np.broadcast_to(np.asarray(day), len(self.frailty))[:, None]
        on_record: Integers = (self.onset[:, list(deficit_columns())] < limit).sum(axis=1)
        return on_record

    def deficits_of(self, person: Integers, day: Integers) -> Integers:
        """How many deficits each person (a place, maybe several times) had on record before the day beside."""
        on_record: Integers = (self.onset[person][:, list(deficit_columns())] < day[:, None]).sum(axis=1)
        return on_record


def onset_mean(calendar: Calendar) -> float:
    """Years since the first record of a condition, on average."""
    return constant("settled_onset_mean_years" if calendar.older else "onset_mean_years")


def draw_health(people: People, calendar: Calendar, generator: np.random.Generator) -> Health:
    """Draw latent frailty, conditions and their first records: each is a hazard times latent frailty."""
    count = len(people)
    shape = constant("frailty_shape")
    frailty = generator.gamma(shape, 1 / shape, count)
    frailty *= np.where(people.status == DEAD, constant("frailty_of_the_dead"), 1.0)
    z_shape = constant("z_shape")
    z = generator.gamma(z_shape, 1 / z_shape, count)
    onset = np.full((count, len(conditions())), NEVER, dtype=np.int32)
    for place, condition in enumerate(conditions()):
        has = generator.random(count) < chance_of(condition, people, frailty)
        onset[has, place] = _first_records(people, condition.min_age, has, onset_mean(calendar), generator)
    return Health(frailty, z, onset)


def chance_of(condition: Condition, people: People, frailty: Floats) -> Floats:
    """The probability of having a condition by the end: a hazard times latent frailty, 0 below its age."""
    age = people.age(people.end)
    knee = constant("age_knee")
    felt_age = np.where(age > knee, knee + (age - knee) * constant("age_slope_after_knee"), age)
    hazard = condition.weight * np.exp(
        condition.age_slope * (felt_age - 75) / 10
        + condition.female * (people.female - 0.5)
        + condition.deprivation * (5.5 - people.decile)
    )
    chance: Floats = -np.expm1(-hazard * frailty**condition.frailty_power)
    return np.where(age >= condition.min_age, chance, 0.0)


def _first_records(
    people: People, min_age: float, has: Booleans, mean: float, generator: np.random.Generator
) -> Integers:
    """Days of first record: an exponential time before the end, within the ages at which it can begin."""
    room = np.maximum(people.age(people.end)[has] - min_age, 0.01)
    # An exponential cut off at the room there is, drawn by its inverse.
    years_ago = -mean * np.log1p(-generator.random(len(room)) * -np.expm1(-room / mean))
    return people.end[has] - 1 - np.floor(years_ago * YEAR).astype(np.int64)


def admission_rate(people: People, health: Health, day: Integers | int) -> Floats:
    """mu(x): expected unplanned admissions a person-year, from what is on record on the day."""
    age = people.age(day)
    care_home = health.since("care-home") < day
    scale = np.where(age < 65, constant("admission_scale_under_65"), constant("admission_scale_from_65"))
    return (
        scale
        * curve("admission_age", age)
        * np.exp(
            curve("admission_deficits", health.deficits(day))
            + constant("admission_deprivation") * (5.5 - people.decile)
        )
        * np.where(care_home, constant("care_home_admission_ratio"), 1.0)
    )
