"""Which windows the feeds cover, from the rows of each provider and month: a few hundred numbers, so plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from benchmarks.baselines.knowledge import Knowledge

# Extract, provider, month as year * 12 + month - 1, rows.
FeedRow = tuple[str, str, int, int]


def month_number(day: date) -> int:
    """Months counted through."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True)
class Coverage:
    """``silent`` holds (extract, provider, window); the windows are those that features look back over."""

    present: frozenset[str]
    silent: frozenset[tuple[str, str, str]]
    practices: tuple[str, ...]

    def for_everyone(self, extract: str, window: str) -> bool:
        """Whether no provider of an extract that came was silent."""
        return extract in self.present and not any(
            (extract, window) == (of, name) for of, _, name in self.silent
        )

    def of_practices(self, extract: str, window: str) -> list[bool]:
        """For each of ``practices``, whether its own feed covers the window."""
        is_present = extract in self.present
        return [is_present and (extract, practice, window) not in self.silent for practice in self.practices]


def coverage(
    rows: Iterable[FeedRow], present: Iterable[str], practices: Iterable[str], knowledge: Knowledge
) -> Coverage:
    """Judge every provider that ever sent a row: a month without any is silent where it sends 20 a month or more."""
    months: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for extract, provider, month, count in rows:
        months[extract, provider][month] = count
    gaps = {
        (gap["extract"], gap["provider"], month_number(gap["month"]))
        for gap in knowledge.rows("declared_gaps")
    }
    least = knowledge.parameter("silent_month_average")
    silent = set()
    for (extract, provider), counts in months.items():
        if sum(counts.values()) / (max(counts) - min(counts) + 1) < least:
            continue
        for window, first, end in _windows(knowledge):
            for month in range(month_number(first), month_number(end)):
                is_gap = (extract, provider, month) in gaps or (extract, "*", month) in gaps
                if month not in counts and not is_gap:
                    silent.add((extract, provider, window))
    return Coverage(frozenset(present), frozenset(silent), tuple(sorted(practices)))


def _windows(knowledge: Knowledge) -> list[tuple[str, date, date]]:
    run = knowledge.windows
    return [
        ("90d", run.start_90d, run.as_of),
        ("12m", run.start_12m, run.as_of),
        ("24m", run.start_24m, run.as_of),
        ("last_calendar_year", run.last_calendar_year_start, run.last_calendar_year_end),
        ("flu_season", knowledge.flu_season_start, run.as_of),
        ("a_year_ago", knowledge.two_years_ago, knowledge.a_year_ago),
    ]


def unscheduled_coverage(found: Coverage, knowledge: Knowledge, window: str) -> list[bool]:
    """For each practice, whether every extract whose unscheduled contacts count covers the window."""
    listed = {row["extract"] for row in knowledge.rows("reference_unscheduled_contacts")}
    covered = [True] * len(found.practices)
    for extract in listed:
        if extract == "gp_contacts":
            now = found.of_practices(extract, window)
        elif extract in {"acute_attendances", "agency_contacts"}:
            now = [found.for_everyone(extract, window)] * len(covered)
        else:
            now = [False] * len(covered)
        covered = [one and other for one, other in zip(covered, now, strict=True)]
    return covered
