"""What can be known about next year: the posterior of each person's admission rate, and what really happens.

Unplanned admissions are Poisson with rate z * mu(x), z ~ Gamma(k, k). After S admissions where E = sum of mu
were expected, z ~ Gamma(k + S, k + E), so the best attainable risk of every person is known. Deaths do not
depend on z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Floats, Integers, constant
from riskstrat.demo.health import Health, admission_rate
from riskstrat.demo.people import DEAD, YEAR, Calendar, People, mortality_with_frailty
from riskstrat.demo.rows import NEVER


@dataclass(frozen=True)
class Exposure:
    """Windows of a year, a row each: the outcome year first, then the years of history, latest first.

    ``rate`` is mu(x) with x as known on the window's first day; ``begin`` and ``finish`` are days, cut by
    birth and death; ``years`` is the time at risk in years, 0 to 1.
    """

    rate: Floats
    begin: Integers
    finish: Integers
    years: Floats
    hazard_of_death: Floats
    next_death: Integers

    @property
    def expected(self) -> Floats:
        """Expected admissions a window and person at z = 1."""
        return self.rate * self.years


def exposure(people: People, health: Health, calendar: Calendar, generator: np.random.Generator) -> Exposure:
    """Rates and time at risk of every window, and who dies in the outcome year."""
    age, deficits = people.age(calendar.as_of), health.deficits(calendar.as_of)
    care_home = health.since("care-home") < calendar.as_of
    hazard = mortality_with_frailty(age, people.female, deficits, care_home)
    days_left = np.floor(generator.exponential(1 / hazard) * YEAR)
    next_death = np.where(people.status == DEAD, people.death, calendar.as_of + np.minimum(days_left, NEVER))
    next_death = np.where(next_death < calendar.next_year_end, next_death, NEVER).astype(np.int64)
    level = constant("settled_admission_ratio") if calendar.older else 1.0
    windows = [(calendar.as_of, calendar.next_year_end)]
    windows += list(zip(calendar.starts, (calendar.as_of, *calendar.starts[:-1]), strict=True))
    rate, begin, finish, years = [], [], [], []
    for first, last in windows:
        start = np.maximum(first, people.birth)
        stop = np.maximum(np.minimum(last, next_death), start)
        rate.append(level * admission_rate(people, health, start))
        begin.append(start)
        finish.append(stop)
        years.append((stop - start) / (last - first))
    return Exposure(np.array(rate), np.array(begin), np.array(finish), np.array(years), hazard, next_death)


def posterior_mean_rate(exposed: Exposure, admissions: Integers, years: int) -> Floats:
    """Expected admissions a person-year next year, after so many admissions in ``years`` years."""
    shape, inverse_scale = _posterior(exposed, admissions, years)
    rate: Floats = shape / inverse_scale * exposed.rate[0]
    return rate


def best_probability(exposed: Exposure, admissions: Integers, years: int) -> Floats:
    """P(an unplanned admission in the outcome year, before any death), given ``years`` years of history.

    Time at risk ends at death, which has a constant hazard; the integral over it is a 12-point Gauss rule.
    """
    shape, inverse_scale = _posterior(exposed, admissions, years)
    rate, hazard = exposed.rate[0], exposed.hazard_of_death
    nodes, weights = np.polynomial.legendre.leggauss(12)
    none = np.exp(-hazard) * (inverse_scale / (inverse_scale + rate)) ** shape
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        survives = (inverse_scale / (inverse_scale + rate * node)) ** shape
        none += weight * hazard * np.exp(-hazard * node) * survives
    risk: Floats = 1 - none
    return risk


def _posterior(exposed: Exposure, admissions: Integers, years: int) -> tuple[Floats, Floats]:
    prior = constant("z_shape")
    shape: Floats = prior + admissions.astype(np.float64)
    inverse_scale: Floats = prior + exposed.expected[1 : years + 1].sum(axis=0)
    return shape, inverse_scale
