"""Who lives in the town: birth, sex, area, practice, registrations, deaths; nothing about health yet."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from riskstrat.dates import months_before
from riskstrat.definitions.geography import load_geography
from riskstrat.demo.calibration import (
    Booleans,
    Floats,
    Integers,
    constant,
    curve,
    draw_index,
    read_knowledge,
)
from riskstrat.demo.rows import NEVER, day_number
from riskstrat.errors import DefinitionError

YEAR = 365.25
# The years that the town is made for. What lies before them is drawn by the age and illness of its own year.
HISTORY_YEARS = 3
LEAST_YEARS, MOST_YEARS = HISTORY_YEARS, 10
OPEN, DEAD, LEFT, ELSEWHERE = range(4)
# A practice that is in no geography: people who are registered out of scope for a while.
OUT_OF_SCOPE_PRACTICE = "Z99999"


@dataclass(frozen=True)
class Place:
    """The geography that people are drawn into: practices valid on ``as_of`` and areas, with weights."""

    practices: tuple[str, ...]
    practice_weights: Floats
    neighbourhoods: tuple[str, ...]
    areas: tuple[str, ...]
    deciles: Integers


@dataclass(frozen=True)
class Calendar:
    """The days that bound the town's history, in days since 1970.

    ``starts`` are the first days of the years before ``as_of``, latest first; ``next_year_end`` is the day
    after the outcome year.
    """

    as_of: int
    starts: tuple[int, ...]
    next_year_end: int

    @classmethod
    def of(cls, as_of: date, years: int = HISTORY_YEARS) -> Calendar:
        """Years of twelve calendar months that end at ``as_of``."""
        starts = tuple(day_number(months_before(as_of, 12 * year)) for year in range(1, years + 1))
        return cls(day_number(as_of), starts, day_number(months_before(as_of, -12)))

    @property
    def years(self) -> int:
        """How many years of history there are."""
        return len(self.starts)

    @property
    def history_start(self) -> int:
        """The first day of acute and community history."""
        return self.starts[-1]

    @property
    def recent_start(self) -> int:
        """The first day of the last HISTORY_YEARS years."""
        return self.starts[HISTORY_YEARS - 1]

    @property
    def older(self) -> tuple[tuple[int, int], ...]:
        """First day and end of every year before ``recent_start``, latest first."""
        bounds = self.starts[HISTORY_YEARS - 1 :]
        return tuple(zip(bounds[1:], bounds[:-1], strict=True))

    def days_of_going(self, first: int, count: int, generator: np.random.Generator) -> Integers:
        """Days on which people die or leave, from ``first`` on; in a longer history fewer of them the longer ago."""
        if not self.older:
            return generator.integers(first, self.as_of, count)
        mean = constant("registration_mean_years")
        room = (self.as_of - first) / YEAR
        years_ago = -mean * np.log1p(generator.random(count) * np.expm1(-room / mean))
        return np.asarray(self.as_of - 1 - np.floor(years_ago * YEAR), dtype=np.int64).clip(first)


@dataclass(frozen=True)
class People:
    """A chunk of people, one array element a person. Dates are days since 1970, or NEVER."""

    nhs_number: Integers
    birth: Integers
    female: Booleans
    sex: Integers  # place in "1", "2", "9", "X"
    status: Integers
    death: Integers
    practice: Integers
    area: Integers
    decile: Integers
    ethnicity: Integers
    end: Integers  # the day before which things can have happened: death or as_of

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, day: Integers | int) -> Floats:
        """Age in years on a day, never below 0."""
        return np.maximum((day - self.birth) / YEAR, 0.0)


def load_place(geography_folder: Path, as_of: date) -> Place:
    """Read the geography. Practice sizes follow from practice codes alone, so that a place keeps its shape.

    Raises DefinitionError when no practice is valid on ``as_of`` or there is no area.
    """
    geography = load_geography(geography_folder)
    valid = {
        practice.practice_code: practice for practice in geography.practices if practice.is_valid_on(as_of)
    }
    if not valid or not geography.areas:
        raise DefinitionError(
            f"no practice is valid on {as_of} or there is no area.",
            file=geography_folder,
            remedy="correct practices.csv or areas.csv, or choose another date.",
        )
    codes = tuple(sorted(valid))
    weights = np.array([0.6 + 0.8 * zlib.crc32(code.encode()) / 2**32 for code in codes])
    areas = sorted(geography.areas)
    return Place(
        practices=codes,
        practice_weights=weights,
        neighbourhoods=tuple(valid[code].neighbourhood_code for code in codes),
        areas=tuple(code for code, _ in areas),
        deciles=np.array([decile for _, decile in areas], dtype=np.int64),
    )


def draw_people(
    nhs_number: Integers, place: Place, calendar: Calendar, generator: np.random.Generator
) -> People:
    """Draw a chunk of people, one for each number."""
    count = len(nhs_number)
    usual, years = HISTORY_YEARS, calendar.years
    shares = np.array(
        [
            constant("dead_share") * _registered_years(years - 1) / _registered_years(usual - 1),
            constant("left_share") * _registered_years(years) / _registered_years(usual),
            constant("elsewhere_share"),
        ]
    )
    status = draw_index(np.concatenate([[1 - shares.sum()], shares]), count, generator)
    female, age = _sex_and_age(status == DEAD, count, generator)
    # Nobody died in the first year of the history: no look back with two years before it has it in its horizon.
    death = np.where(
        status == DEAD, calendar.days_of_going(calendar.starts[-2], count, generator), NEVER
    ).astype(np.int64)
    end = np.minimum(death, calendar.as_of)
    birth = end - 1 - np.floor(age * YEAR).astype(np.int64)
    practice = draw_index(place.practice_weights, count, generator)
    area = _areas(practice, place, generator)
    odd_sex = generator.random(count)
    sex = np.where(odd_sex < 0.0005, 2, np.where(odd_sex < 0.001, 3, female.astype(np.int64)))
    shares_of_ethnicity = np.array([float(row["share"]) for row in read_knowledge("ethnicity")])
    return People(
        nhs_number=nhs_number,
        birth=birth,
        female=female,
        sex=sex,
        status=status,
        death=death,
        practice=practice,
        area=area,
        decile=place.deciles[area],
        ethnicity=draw_index(shares_of_ethnicity, count, generator),
        end=end,
    )


def _registered_years(years: int) -> float:
    """Person-years on the register over the last years, a person registered today: the town was smaller before."""
    mean = constant("registration_mean_years")
    return float(-mean * np.expm1(-years / mean))


@cache
def _age_bands() -> tuple[Floats, Floats, Booleans, Floats]:
    """Lower ends, upper ends, whether female, and sizes of all bands of both sexes."""
    rows = read_knowledge("age_structure")
    lower = np.array([float(row["age_from"]) for row in rows] * 2)
    upper = np.array([float(row["age_to"]) for row in rows] * 2)
    size = np.array([float(row[sex]) for sex in ("female", "male") for row in rows])
    return lower, upper, np.arange(len(size)) < len(rows), size


def _sex_and_age(dead: Booleans, count: int, generator: np.random.Generator) -> tuple[Booleans, Floats]:
    lower, upper, is_female, size = _age_bands()
    dying = size * mortality((lower + upper) / 2, is_female)
    band = np.where(dead, draw_index(dying, count, generator), draw_index(size, count, generator))
    # The last band thins out with age.
    spread = generator.random(count)
    spread = np.where(upper[band] - lower[band] > 5, spread**2, spread)
    return is_female[band], lower[band] + spread * (upper[band] - lower[band])


def _areas(practice: Integers, place: Place, generator: np.random.Generator) -> Integers:
    """Most patients live in the twelve areas about their practice, the rest anywhere."""
    count = len(place.areas)
    home = (practice * count) // len(place.practices)
    near = (home + generator.integers(0, min(12, count), len(practice))) % count
    anywhere = generator.integers(0, count, len(practice))
    return np.where(generator.random(len(practice)) < 0.75, near, anywhere).astype(np.int64)


def mortality(age: Floats, female: Booleans) -> Floats:
    """Deaths a person-year by age and sex for somebody who is not frail."""
    at_65 = np.where(female, constant("mortality_at_65_female"), constant("mortality_at_65_male"))
    old = at_65 * np.exp(constant("mortality_age_slope") * (np.minimum(age, 100) - 65))
    return np.where(age < 1, 0.003, np.maximum(old, constant("mortality_floor")))


def mortality_with_frailty(age: Floats, female: Booleans, deficits: Integers, care_home: Booleans) -> Floats:
    """Deaths a person-year, with the published hazard ratios of frailty."""
    ratio = np.exp(curve("mortality_deficits", deficits))
    return mortality(age, female) * ratio * np.where(care_home, constant("care_home_mortality_ratio"), 1.0)
