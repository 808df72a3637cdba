"""Which provider sent how many rows for which month: the calendar that decides what is unknown, kept and judged.

The features stage leaves it in the table ``feed_calendar`` (complete months that a window can touch). Months in which
a provider of some size sent nothing are silent: what looks back over them is unknown, not zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from riskstrat.engines import Engine
from riskstrat.quality.observations import ProviderMonth, SilentMonth

COVERAGE = "coverage.json"
MONTHS_BEFORE = 12
# Organisation codes are three capitals or hold a digit; anything else may be a word of a free text, or a name.
ORGANISATION_CODE = re.compile(r"[A-Z]{3}|(?=.*[0-9])[A-Za-z0-9_.:-]{1,40}|")
NO_CODE = "no organisation code"


@dataclass(frozen=True)
class ProviderCalendar:
    """One provider: rows of each month of its calendar, and which months are silent or a declared gap."""

    provider: str
    average_rows: float
    rows: tuple[int, ...]
    silent: tuple[bool, ...]
    declared: tuple[bool, ...]


@dataclass(frozen=True)
class Calendar:
    """One extract: the first days of its months, oldest first, and its providers by code."""

    extract: str
    months: tuple[date, ...]
    providers: tuple[ProviderCalendar, ...]

    def newest_months(self, enough: float) -> tuple[ProviderMonth, ...]:
        """Each provider's newest month beside its mean over the months before since it first sent a row.

        Providers whose mean is below ``enough`` rows and declared gaps are left out: they say nothing.
        """
        found = []
        for one in self.providers:
            began = next((place for place, rows in enumerate(one.rows) if rows), len(one.rows))
            before = one.rows[max(began, len(one.rows) - 1 - MONTHS_BEFORE) : -1]
            mean = sum(before) / len(before) if before else 0.0
            if mean >= max(enough, 1) and not one.declared[-1]:
                found.append(ProviderMonth(one.provider, self.months[-1], one.rows[-1], round(mean, 1)))
        return tuple(found)

    def silent_months(self) -> tuple[SilentMonth, ...]:
        """Every silent month of every provider."""
        return tuple(
            SilentMonth(one.provider, month)
            for one in self.providers
            for month, is_silent in zip(self.months, one.silent, strict=True)
            if is_silent
        )

    def as_json(self) -> str:
        """As stored, a provider a line; its silent and declared months by name, as YYYY-MM."""
        months = [f"{month:%Y-%m}" for month in self.months]
        providers = [
            {
                "provider": one.provider,
                "average_rows": one.average_rows,
                "rows": one.rows,
                "unknown": [month for month, is_silent in zip(months, one.silent, strict=True) if is_silent],
                "declared": [month for month, is_gap in zip(months, one.declared, strict=True) if is_gap],
            }
            for one in self.providers
        ]
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in providers)
        return (
            f'{{"extract": "{self.extract}",\n"months": {json.dumps(months)},\n"providers": [\n{lines}\n]}}\n'
        )


def read_calendars(engine: Engine) -> dict[str, Calendar]:
    """The calendar of every extract that windows look back over, by name."""
    rows = engine.rows(
        "SELECT extract, provider, month, row_count, average_rows, is_silent, is_declared_gap "
        "FROM feed_calendar ORDER BY extract, provider, month"
    )
    return {name: _calendar(name, list(found)) for name, found in groupby(rows, key=lambda row: row[0])}


def enough_rows(engine: Engine) -> float:
    """How many rows a month a provider averages before an empty month means something."""
    return float(engine.rows("SELECT silent_month_average FROM parameters")[0][0])


def write_coverage(run_folder: Path, calendars: Iterable[Calendar]) -> None:
    """Write ``quality/EXTRACT/coverage.json`` of every extract that was delivered."""
    for calendar in calendars:
        folder = run_folder / "quality" / calendar.extract
        if folder.is_dir():
            (folder / COVERAGE).write_text(calendar.as_json(), encoding="utf-8")


def _calendar(name: str, rows: list[tuple[Any, ...]]) -> Calendar:
    by_provider = [(provider, list(found)) for provider, found in groupby(rows, key=lambda row: row[1] or "")]
    return Calendar(
        name,
        tuple(row[2] for row in by_provider[0][1]),
        tuple(
            ProviderCalendar(
                provider=provider if ORGANISATION_CODE.fullmatch(provider) else NO_CODE,
                average_rows=round(float(found[0][4]), 1),
                rows=tuple(int(row[3]) for row in found),
                silent=tuple(bool(row[5]) for row in found),
                declared=tuple(bool(row[6]) for row in found),
            )
            for provider, found in by_provider
        ),
    )
