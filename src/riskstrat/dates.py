"""The windows of the rules, all half open and all ending before ``as_of``.

Source: project rules, Time. ``as_of`` is a date and is exclusive; no wall clock decides a result.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta


def iso_date(text: str) -> date:
    """The date that ``YYYY-MM-DD`` names; other ISO 8601 forms are not taken. Raises ValueError.

    >>> iso_date("2026-04-01")
    datetime.date(2026, 4, 1)
    """
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def months_before(day: date, months: int) -> date:
    """The same day ``months`` calendar months earlier, or that month's last day where it is shorter.

    >>> months_before(date(2024, 3, 31), 1)
    datetime.date(2024, 2, 29)
    """
    total = day.year * 12 + day.month - 1 - months
    year, month = divmod(total, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def days_before(day: date, days: int) -> date:
    """The day ``days`` days earlier.

    >>> days_before(date(2024, 3, 1), 1)
    datetime.date(2024, 2, 29)
    """
    return day - timedelta(days=days)


@dataclass(frozen=True)
class Windows:
    """First day of every window that ends before ``as_of``; they become the one-row SQL table ``run``."""

    as_of: date
    start_90d: date
    start_12m: date
    start_24m: date
    start_5y: date
    last_calendar_year_start: date
    last_calendar_year_end: date

    @classmethod
    def ending_before(cls, as_of: date) -> Windows:
        """The windows of a run as of ``as_of``.

        >>> Windows.ending_before(date(2026, 4, 1)).last_calendar_year_end
        datetime.date(2026, 1, 1)
        """
        return cls(
            as_of=as_of,
            start_90d=days_before(as_of, 90),
            start_12m=months_before(as_of, 12),
            start_24m=months_before(as_of, 24),
            start_5y=months_before(as_of, 60),
            last_calendar_year_start=date(as_of.year - 1, 1, 1),
            last_calendar_year_end=date(as_of.year, 1, 1),
        )


def day_after(day: date) -> date:
    """The next day; the last day that a calendar has is followed by itself.

    >>> day_after(date(2026, 3, 31)), day_after(date.max) == date.max
    (datetime.date(2026, 4, 1), True)
    """
    return day if day == date.max else day + timedelta(days=1)
