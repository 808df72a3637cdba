"""What the feeds of a town leave out: months without rows on every edge of the windows, extracts not delivered."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.oracle.coverage import OF_PRACTICES
from tests.oracle.histories import SILENT_PRACTICES
from tests.oracle.towns import FEED_MONTHS, OPTIONAL, SPEAKS_OFTEN, SPEAKS_SELDOM, SPECIAL_CODES, Silence
from tests.oracle.windows import flu_season_start, months_before

HOSPITAL_FEEDS = ("acute_episodes", "acute_attendances", "community_contacts")
HOLES = ("one month", "one month", "started late", "stopped early", "speaks seldom", "declared")


def month_of(day: date) -> date:
    return day.replace(day=1)


def edge_months(as_of: date) -> list[date]:
    """The month in which each window starts, the one before it, and the last that is over."""
    starts = (
        months_before(as_of, 24),
        months_before(as_of, 12),
        as_of - timedelta(days=90),
        date(as_of.year - 1, 1, 1),
        date(as_of.year, 1, 1),
        flu_season_start(as_of),
    )
    months = [month_of(start) for start in starts] + [months_before(month_of(start), 1) for start in starts]
    return [month for month in [*months, months_before(month_of(as_of), 1)] if month < month_of(as_of)]


def hole(dice: Random, extract: str, provider: str, as_of: date) -> Silence:
    month = dice.choice(edge_months(as_of))
    fed = [months_before(month_of(as_of), back) for back in range(1, FEED_MONTHS + 1)]
    kind = dice.choice(HOLES)
    months: tuple[date, ...] = (month,)
    if kind == "started late":
        months = tuple(other for other in fed if other <= month)
    elif kind == "stopped early":
        months = tuple(other for other in fed if other >= month)
    a_month = SPEAKS_SELDOM if kind == "speaks seldom" else SPEAKS_OFTEN
    return Silence(extract, provider, months, a_month, kind == "declared")


def gp_holes(dice: Random, as_of: date, absent: frozenset[str]) -> list[Silence]:
    """One silent practice for every feed of practices."""
    return [
        hole(dice, extract, SPECIAL_CODES[practice], as_of)
        for extract, practice in zip(OF_PRACTICES, SILENT_PRACTICES, strict=True)
        if extract not in absent
    ]


def hospital_holes(dice: Random, as_of: date, feeds: int) -> list[Silence]:
    """Holes in the feeds of a hospital or a community provider, which are unknown for everybody."""
    return [
        hole(dice, extract, f"RH{number}", as_of)
        for number, extract in enumerate(dice.sample(HOSPITAL_FEEDS, feeds))
    ]


def absent_extracts(dice: Random) -> frozenset[str]:
    """None, one or all of the optional extracts."""
    return frozenset(dice.choice(((), (), dice.sample(OPTIONAL, 1), dice.sample(OPTIONAL, 4), OPTIONAL)))
