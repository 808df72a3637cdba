"""The coverage calendar as the page draws it, from ``coverage.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from riskstrat.quality.wording import percent

ALWAYS_SHOWN = 12  # providers; longer lists are folded to those with silence or drops
MOST_SHOWN = 40
LEVELS = (0.25, 0.5, 0.75, 1.25)  # of a provider's own average, from light to dark


def calendar_view(stored: Mapping[str, Any], least: float | None) -> dict[str, Any]:
    """What ``calendar.html.j2`` needs. ``least`` is the share below which a provider's newest month is small."""
    months = [date.fromisoformat(f"{month}-01") for month in stored["months"]]
    providers: Sequence[Mapping[str, Any]] = stored["providers"]
    odd = [one for one in providers if _is_odd(one, least)]
    shown = list(providers) if len(providers) <= ALWAYS_SHOWN else sorted(odd, key=_worst)[:MOST_SHOWN]
    hidden = {one["provider"] for one in providers} - {one["provider"] for one in shown}
    left_out = sum(one["provider"] in hidden for one in odd)
    return {
        "says": _says(
            len(hidden) - left_out, left_out, least, is_silent=any(one["unknown"] for one in providers)
        ),
        "months": [f"{month:%B %Y}" for month in months],
        "years": [(year, len(list(found))) for year, found in groupby(month.year for month in months)],
        "rows": [_row(one, months) for one in sorted(shown, key=lambda one: str(one["provider"]))],
    }


def _says(healthy: int, left_out: int, least: float | None, *, is_silent: bool) -> str:
    """What a reader must know who does not look at the cells."""
    parts = [
        "What looks back over a month marked ? is unknown, not zero."
        if is_silent
        else "No provider of some size was silent for a whole month."
    ]
    if healthy:
        who = "1 provider is" if healthy == 1 else f"{healthy} providers are"
        newest = f", and in the newest at least {percent(least)} of their mean" if least is not None else ""
        parts.append(f"{who} not shown: no silent month{newest}.")
    if left_out:
        parts.append(f"{left_out} more have gaps and are in coverage.json.")
    return " ".join(parts)


def _is_odd(one: Mapping[str, Any], least: float | None) -> bool:
    """Silent or declared somewhere, or small in the newest month."""
    small = least is not None and one["rows"][-1] < least * _mean(one)
    return bool(one["unknown"] or one["declared"]) or small


def _mean(one: Mapping[str, Any]) -> float:
    """Rows a month over the months that are shown, from the provider's first one on."""
    began = next((place for place, rows in enumerate(one["rows"]) if rows), 0)
    shown = one["rows"][began:]
    return float(sum(shown) / len(shown)) if shown else 0.0


def _worst(one: Mapping[str, Any]) -> tuple[int, float, str]:
    return -len(one["unknown"]), one["rows"][-1] / max(_mean(one), 1), str(one["provider"])


def _row(one: Mapping[str, Any], months: Sequence[date]) -> dict[str, Any]:
    return {
        "provider": one["provider"] or "(none named)",
        "cells": [
            _cell(
                f"{month:%B %Y}",
                rows,
                _mean(one),
                silent=f"{month:%Y-%m}" in one["unknown"],
                declared=f"{month:%Y-%m}" in one["declared"],
            )
            for month, rows in zip(months, one["rows"], strict=True)
        ],
    }


def _cell(month: str, rows: int, average: float, *, silent: bool, declared: bool) -> dict[str, str]:
    if silent:
        says = f"{month}: unknown, no row came; {average:,.0f} a month are usual"
        return {"kind": "unknown", "text": "?", "says": says}
    if declared and not rows:
        return {"kind": "declared", "text": "-", "says": f"{month}: no row came, a declared gap"}
    share = rows / average if average else 0.0
    level = 1 + sum(share >= step for step in LEVELS) if rows else 0
    says = f"{month}: {rows:,} rows, {percent(share)} of its mean" if rows else f"{month}: no row came"
    return {"kind": f"l{level}", "text": short_count(rows), "says": says}


def short_count(rows: int) -> str:
    """A count in at most four characters.

    >>> [short_count(rows) for rows in (950, 1_234, 9_960, 12_345, 999_700, 2_345_678)]
    ['950', '1.2k', '10k', '12k', '1.0M', '2.3M']
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if rows >= unit * 0.9995:
            return f"{rows / unit:.1f}{letter}" if rows < unit * 9.95 else f"{rows / unit:.0f}{letter}"
    return str(rows)
