"""What generated histories share: the edges of the windows, and people with their registrations.

A history is one person's rows by extract; its rows carry no NHS number, key, practice or provider yet.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests import factories
from tests.oracle.windows import months_before

Row = dict[str, Any]
History = dict[str, list[Row]]

BORN = (date(1940, 2, 29), date(1950, 3, 1), date(1961, 4, 1), date(1961, 4, 2), date(2007, 12, 31))


def edges(as_of: date) -> list[date]:
    """The days on which a window opens or closes, and two quiet ones between."""
    return [
        as_of,
        months_before(as_of, 12),
        months_before(as_of, 24),
        as_of - timedelta(days=90),
        date(as_of.year - 1, 1, 1),
        date(as_of.year, 1, 1),
        as_of - timedelta(days=45),
        as_of - timedelta(days=200),
        as_of - timedelta(days=500),
    ]


def day_near_an_edge(dice: Random, as_of: date) -> date:
    return dice.choice(edges(as_of)) + timedelta(days=dice.choice((0, -1, 1, -2, 2, -3, -16)))


def recorded_date(dice: Random, as_of: date) -> date | None:
    """Mostly empty; else the day before, the day of or the day after ``as_of``."""
    return as_of + timedelta(days=dice.choice((-1, 0, 1))) if dice.random() < 0.25 else None


def patients(dice: Random, as_of: date) -> list[Row]:
    """One or two registrations, open, closed and of the day; one date of birth, sex and date of death."""
    # Now and then somebody born inside the windows, with rows dated before birth.
    born = dice.choice((*BORN * 3, months_before(as_of, 12) + timedelta(days=1), as_of - timedelta(days=45)))
    died = dice.choice((None,) * 20 + tuple(as_of + timedelta(days=shift) for shift in (-1, 0, 1)))
    if died is not None and died < born:
        died = None
    areas = (factories.DEPRIVED_AREA, factories.AFFLUENT_AREA, factories.AREA_ELSEWHERE, None)
    shared: Row = {
        "date_of_birth": born,
        "date_of_death": died,
        "sex": dice.choice(("1", "2", "1", "2", "9", "X")),
        "lsoa_code": dice.choice(areas),
    }
    rows = []
    for practice in "AB"[: dice.choice((1, 1, 1, 2))]:
        joined = dice.choice((date(2012, 1, 1), date(2012, 1, 1), as_of - timedelta(days=1), as_of))
        joined = dice.choice((joined, joined, joined, as_of + timedelta(days=1)))
        left = as_of + timedelta(days=dice.choice((-1, 0, 1))) if dice.random() < 0.2 else None
        if left is not None and left < joined:
            left = None
        rows.append(shared | {"practice_code": practice, "registered_from": joined, "registered_to": left})
    return rows[::-1] if dice.random() < 0.5 else rows
