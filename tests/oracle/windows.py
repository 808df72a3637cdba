"""Dates and windows as the rules say them: every window is [start, as_of)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

Row = Mapping[str, Any]

FLU_SEASON_MONTH = 9


@lru_cache(maxsize=10_000)
def months_before(day: date, months: int) -> date:
    """The same day of the month, ``months`` earlier; the last day of that month when it is shorter."""
    year, month = day.year, day.month
    for _ in range(months):
        month -= 1
        if month == 0:
            year, month = year - 1, 12
    day_of_month = day.day
    while True:
        try:
            return date(year, month, day_of_month)
        except ValueError:
            day_of_month -= 1


def in_previous_months(day: date, as_of: date, months: int) -> bool:
    return months_before(as_of, months) <= day < as_of


def in_previous_days(day: date, as_of: date, days: int) -> bool:
    return as_of - timedelta(days=days) <= day < as_of


def in_last_calendar_year(day: date, as_of: date) -> bool:
    return day.year == as_of.year - 1


def flu_season_start(as_of: date) -> date:
    """The latest 1 September, ``as_of`` itself included."""
    this_year = date(as_of.year, FLU_SEASON_MONTH, 1)
    return this_year if this_year <= as_of else date(as_of.year - 1, FLU_SEASON_MONTH, 1)


def as_date(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def is_known(row: Row, day: date, as_of: date) -> bool:
    """It happened before ``as_of`` and was recorded before it; an empty recorded date means the event's."""
    recorded = row.get("recorded_date") or day
    return day < as_of and recorded < as_of


def usable(rows: Iterable[Row], date_column: str, as_of: date, born: date) -> list[Row]:
    """The rows that a feature may use: known before ``as_of``, and not dated before birth."""
    kept = []
    for row in rows:
        day = as_date(row[date_column])
        if day >= born and is_known(row, day, as_of):
            kept.append(row)
    return kept


def latest(days: Iterable[date | None]) -> date | None:
    known = [day for day in days if day is not None]
    return max(known) if known else None


def rows_that_count(rows: Iterable[Row]) -> list[Row]:
    """Without the second of two equal rows, and without what the supplier deleted."""
    different: dict[tuple[tuple[str, object], ...], Row] = {}
    for row in rows:
        different.setdefault(tuple(row.items()), row)
    return [row for row in different.values() if not row.get("deleted")]
