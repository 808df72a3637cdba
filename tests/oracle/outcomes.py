"""What became of somebody after an index date, the slow way: day by day, with plain dates.

Source: config/model/outcome.yaml and docs/model-frames.md. A day is within a horizon when it is the index date or later
and before the horizon's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.oracle.knowledge import Knowledge
from tests.oracle.people import practice_on
from tests.oracle.spells import continuous_spells, known_episodes, provider_spells
from tests.oracle.windows import Row, rows_that_count

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rules:
    death: str = "no_event"
    leaving: str = "exclude_without_event"
    gap_days: int = 30


def a_year_after(day: date) -> date:
    """The same day of the next year; 28 February after a 29th."""
    return date(day.year + 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def is_registered(rows: Sequence[Row], day: date, knowledge: Knowledge) -> bool:
    return any(
        row["registered_from"] <= day
        and (row.get("registered_to") is None or day <= row["registered_to"])
        and practice_on(row["practice_code"], day, knowledge) is not None
        for row in rows
    )


def last_registered_day(
    rows: Sequence[Row], index_date: date, end: date, gap_days: int, knowledge: Knowledge
) -> date | None:
    """The last day before somebody left; None for who was still registered when the horizon ended."""
    last, day = index_date, index_date
    while last < end - DAY:
        if is_registered(rows, day, knowledge):
            last = day
        elif (day - last).days > gap_days:
            return last
        day += DAY
    return None


def date_of_death(rows: Sequence[Row], complete_to: date) -> date | None:
    known = [row["date_of_death"] for row in rows if row.get("date_of_death") is not None]
    return min(known) if known and min(known) < complete_to else None


def unplanned_admissions(history: Mapping[str, Sequence[Row]], complete_to: date, born: date) -> list[date]:
    episodes = known_episodes(rows_that_count(history.get("acute_episodes", ())), complete_to, born)
    stays = continuous_spells(provider_spells(episodes, complete_to))
    return [stay.admitted for stay in stays if stay.is_unplanned]


def outcome_of(
    history: Mapping[str, Sequence[Row]],
    index_date: date,
    end: date,
    complete_to: date,
    knowledge: Knowledge,
    *,
    born: date,
    is_heard: bool,
    rules: Rules,
) -> dict[str, Any]:
    """Label, follow-up days, death, leaving, admissions and the first of them, of one horizon.

    ``born`` is the earliest date of birth of the registrations that put somebody into the frame.
    """
    patients = rows_that_count(history["gp_patients"])
    died_on = date_of_death(patients, complete_to)
    last = last_registered_day(patients, index_date, end, rules.gap_days, knowledge)
    if last is not None and died_on is not None and (died_on - last).days <= rules.gap_days:
        last = None  # the registration ended because of the death
    has_left = last is not None and last + DAY < end
    died = died_on is not None and died_on < end
    watched, day = [], index_date
    while day < end and day < complete_to:
        if (died_on is None or day <= died_on) and (last is None or day <= last):
            watched.append(day)
        day += DAY
    admitted = unplanned_admissions(history, complete_to, born)
    seen = sorted(day for day in admitted if day in set(watched))
    is_over = end <= complete_to
    label: bool | None = bool(seen)
    if has_left and (rules.leaving == "exclude" or (rules.leaving == "exclude_without_event" and not seen)):
        label = None
    elif died and not has_left and not seen and rules.death != "no_event":
        label = True if rules.death == "event" else None
    return {
        "label": label if is_over and is_heard else None,
        "follow_up_days": len(watched),
        "died": died if is_over else None,
        "left": has_left if is_over else None,
        "admissions": len(seen) if is_over and is_heard else None,
        "first_admission_date": seen[0] if seen else None,
    }
