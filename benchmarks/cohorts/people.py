"""Random people with their frailty records and admissions as dated events; the feature table is counted from these.

Every input of the benchmark, riskstrat's and the peers', is written from the same events, so all of them must find
the same people. Nobody is real; no constant is calibrated, the shape is that of life.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

AS_OF = date(2026, 4, 1)
# Days since 1970 are what numpy, Arrow and DuckDB share.
TODAY = int(np.datetime64(AS_OF, "D").astype(int))
YEAR = 365.2425
OLDEST_DAYS = int(105 * YEAR)
HISTORY_DAYS = 730
FRAILTY_FROM = {"mild": 5, "moderate": 9, "severe": 13}
UNKNOWN_FRAILTY = 0.03

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Events:
    """What happened to people, as parallel columns: the person's place in ``People`` and the day since 1970."""

    person: Numbers
    day: Numbers

    def counted(self, people: int, since: int, until: int = TODAY) -> Numbers:
        """How many events each of ``people`` had on days from ``since`` on and before ``until``."""
        inside = (self.day >= since) & (self.day < until)
        return np.bincount(self.person[inside], minlength=people)


@dataclass(frozen=True)
class People:
    """One entry a person, in the order of ``person_id``.

    ``deficits`` is -1 where frailty is unknown. ``frailty_day`` is when the person's frailty was recorded. Nobody is
    admitted twice on one day.
    """

    person_id: Numbers
    birth_day: Numbers
    is_male: Numbers
    health: Numbers
    deficits: Numbers
    frailty_day: Numbers
    unplanned: Events
    planned: Events

    def __len__(self) -> int:
        return len(self.person_id)

    def age(self) -> Numbers:
        """Completed years on the day of the run: a year of birth counts once its birthday has come."""
        births = self.birth_day.astype("datetime64[D]")
        years = births.astype("datetime64[Y]").astype(int) + 1970
        months = births.astype("datetime64[M]").astype(int) % 12 + 1
        days = (births - births.astype("datetime64[M]")).astype(int) + 1
        is_still_to_come = (months > AS_OF.month) | ((months == AS_OF.month) & (days > AS_OF.day))
        return np.asarray(AS_OF.year - years - is_still_to_come)

    def frailty(self) -> Numbers:
        """The category of everybody: fit, mild, moderate, severe; an empty text where it is unknown."""
        steps = [self.deficits >= floor for floor in reversed(FRAILTY_FROM.values())]
        named = np.select(steps, list(reversed(FRAILTY_FROM)), "fit")
        return np.where(self.deficits < 0, "", named)


def make_people(number: int, seed: int) -> People:
    """Draw ``number`` people. The same arguments give the same people."""
    rng = np.random.default_rng(seed)
    age = _ages(rng, number)
    birth_day = TODAY - np.floor(age * YEAR).astype(np.int64) - rng.integers(0, 2, number)
    health = rng.gamma(1.6, 0.55, number) * np.exp((age - 60) / 26)
    deficits = np.minimum(rng.poisson(2.2 * health), 30)
    deficits[rng.random(number) < UNKNOWN_FRAILTY] = -1
    return People(
        person_id=np.sort(_pseudonyms(number, seed)),
        birth_day=birth_day,
        is_male=rng.random(number) < 0.49,
        health=health,
        deficits=deficits,
        frailty_day=TODAY - rng.integers(1, 3 * HISTORY_DAYS, number),
        unplanned=_admissions(rng, 0.22 * health),
        planned=_admissions(rng, 0.08 * health),
    )


def last_birth_day_aged(years: int) -> int:
    """The latest day of birth of people who have completed ``years`` on the day of the run."""
    return int(np.datetime64(AS_OF.replace(year=AS_OF.year - years), "D").astype(int))


def _ages(rng: np.random.Generator, number: int) -> Numbers:
    """Ages in years: as many of each up to 55, then ever fewer."""
    age = 95 * rng.beta(1.05, 1.45, number) + rng.exponential(3.0, number)
    return np.clip(age, 0.01, OLDEST_DAYS / YEAR)


def _admissions(rng: np.random.Generator, a_year: Numbers) -> Events:
    """Admissions of two years, ``a_year`` on average, in the order of people and days."""
    number = np.minimum(rng.poisson(2 * a_year), 40)
    person = np.repeat(np.arange(len(a_year)), number)
    day = TODAY - rng.integers(1, HISTORY_DAYS + 1, len(person))
    keys = np.unique(person * 100_000 + day)
    return Events(keys // 100_000, keys % 100_000)


def _pseudonyms(number: int, seed: int) -> Numbers:
    """Texts of 32 hexadecimal digits, as person_id has them."""
    digests = [hashlib.sha256(f"{seed}/{row}".encode()).hexdigest()[:32] for row in range(number)]
    return np.array(digests, dtype="U32")
