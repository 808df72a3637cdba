"""What generated histories share: the edges of the windows, and people with their registrations.

A history is one person's rows by extract. Its rows carry no NHS number or key yet, and a letter or a word where
the town puts a practice or a provider (towns.py).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from tests import factories
from tests.oracle.windows import flu_season_start, months_before

Row = dict[str, Any]
History = dict[str, list[Row]]

LEAP_DAYS = (date(2020, 2, 29), date(2024, 2, 29))
BAND_AGES = (18, 50, 65, 75, 85)
EARLY, LATER = date(2012, 1, 1), date(2019, 5, 7)
# The day itself, the days beside it, and a distance that leaves no edge near.
SHIFTS = (0, 0, -1, -1, 1, -2, 2, -3, -16)
# Practices of the town by what is special about their membership of a neighbourhood.
SPECIAL_PRACTICES = ("retired", "last day", "future", "moved", "moving", "elsewhere")
SILENT_PRACTICES = ("silent 0", "silent 1", "silent 2")
ETHNIC_CATEGORIES = ("A", "B", "J", "S", "Z", "99", None, "X9", "I", "a")


@lru_cache(maxsize=100)
def edges(as_of: date) -> tuple[date, ...]:
    """The days on which a window opens or closes, leap days, and three quiet ones between."""
    return (
        as_of,
        as_of,
        months_before(as_of, 12),
        months_before(as_of, 12),
        months_before(as_of, 24),
        as_of - timedelta(days=90),
        date(as_of.year - 1, 1, 1),
        date(as_of.year, 1, 1),
        flu_season_start(as_of),
        *(day for day in LEAP_DAYS if day < as_of),
        as_of - timedelta(days=45),
        as_of - timedelta(days=200),
        as_of - timedelta(days=500),
    )


def day_near_an_edge(dice: Random, as_of: date) -> date:
    return dice.choice(edges(as_of)) + timedelta(days=dice.choice(SHIFTS))


def recorded_date(dice: Random, as_of: date) -> date | None:
    """Mostly empty; else the day before, the day of or the day after ``as_of``."""
    return as_of + timedelta(days=dice.choice((-1, 0, 1))) if dice.random() < 0.2 else None


@lru_cache(maxsize=100)
def birthdays(as_of: date) -> tuple[date, ...]:
    """Every band from both sides, leap-day birthdays, and people born inside the windows."""
    turning = tuple(
        months_before(as_of, 12 * age) + timedelta(days=shift) for age in BAND_AGES for shift in (0, 1)
    )
    leap_days = (date(1940, 2, 29), date(1948, 2, 29), date(1936, 2, 29), date(2004, 2, 29))
    old = (date(1931, 12, 31), date(1950, 3, 1), date(1944, 1, 1), date(1938, 7, 9))
    young = (
        months_before(as_of, 12) + timedelta(days=1),
        months_before(as_of, 24),
        as_of - timedelta(days=45),
        as_of - timedelta(days=1),
        as_of,
        as_of + timedelta(days=1),
    )
    oldest = months_before(as_of, 12 * 123)
    fillers = (date(1900, 1, 1), oldest, oldest + timedelta(days=1))
    return (*turning, *leap_days, *leap_days, *old, *old, *old, *young, *fillers)


Registration = tuple[str, date, date | None]  # practice, from, to


def registrations(dice: Random, as_of: date) -> list[Registration]:
    """One place for most; else two at once, moves, gaps, moves in and out of scope, special practices."""
    kind = dice.randint(0, 19)
    if kind < 9:
        return [("A", EARLY, None)]
    if kind < 16:
        return dice.choice(MOVES)(dice, as_of)
    return [(dice.choice(SPECIAL_PRACTICES if kind < 18 else SILENT_PRACTICES), EARLY, None)]


def near(dice: Random, as_of: date) -> date:
    return as_of + timedelta(days=dice.choice((-1, -1, 0, 1)))


def just_before(dice: Random, day: date) -> date:
    return day - timedelta(days=dice.choice((0, 1, 1, 30)))


def begins_or_ends_today(dice: Random, as_of: date) -> list[Registration]:
    day = near(dice, as_of)
    return [("A", dice.choice((EARLY, day)), day if dice.random() < 0.5 else None)]


def open_at_both(dice: Random, as_of: date) -> list[Registration]:
    return [("A", EARLY, None), ("B", dice.choice((EARLY, LATER)), None)]


def moved_practice(dice: Random, as_of: date) -> list[Registration]:
    day = near(dice, as_of)
    return [("A", EARLY, just_before(dice, day)), ("B", day, None)]


def left_and_came_back(dice: Random, as_of: date) -> list[Registration]:
    return [("A", EARLY, LATER), ("A", dice.choice((near(dice, as_of), date(2022, 1, 1))), None)]


def left_altogether(dice: Random, as_of: date) -> list[Registration]:
    return [("A", EARLY, dice.choice((LATER, near(dice, as_of)))), ("B", LATER, near(dice, as_of))]


def moved_out_of_scope(dice: Random, as_of: date) -> list[Registration]:
    closed = just_before(dice, near(dice, as_of))
    return [("A", EARLY, dice.choice((None, closed))), ("elsewhere", LATER, None)]


def moved_into_scope(dice: Random, as_of: date) -> list[Registration]:
    day = near(dice, as_of)
    left = dice.choice((None, just_before(dice, day)))
    return [("elsewhere", EARLY, left), ("A", dice.choice((LATER, day)), None)]


MOVES = (
    begins_or_ends_today,
    open_at_both,
    moved_practice,
    left_and_came_back,
    left_altogether,
    moved_out_of_scope,
    moved_into_scope,
)


def demographics(dice: Random) -> Row:
    areas = (factories.DEPRIVED_AREA, factories.AFFLUENT_AREA, factories.AREA_ELSEWHERE, None)
    return {
        "sex": dice.choice(("1", "2", "1", "2", "1", "2", "9", "X")),
        "lsoa_code": dice.choice(areas),
        "ethnic_category": dice.choice(ETHNIC_CATEGORIES),
    }


def patients(dice: Random, as_of: date) -> list[Row]:
    """One or two registrations in any order, which need not agree on anything about the person."""
    born = dice.choice(birthdays(as_of))
    died = as_of + timedelta(days=dice.choice((-400, -1, 0, 1))) if dice.random() < 0.06 else None
    shared, told_by_all = demographics(dice), dice.random() < 0.7
    rows: list[Row] = []
    for practice, since, until in registrations(dice, as_of):
        said = shared if dice.random() < 0.7 else demographics(dice)
        birthday = born if dice.random() < 0.95 else dice.choice(birthdays(as_of))
        death = died if (told_by_all or not rows) and died is not None and died >= birthday else None
        place = {"practice_code": practice, "registered_from": since, "registered_to": until}
        rows.append(said | place | {"date_of_birth": birthday, "date_of_death": death})
    dice.shuffle(rows)
    return rows
