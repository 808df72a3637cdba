"""Throughput and coverage, slow and obvious: one person after another, each shipped measure in plain words of Python.

Nothing here reads config/measures.yaml; the two must say the same by themselves. A person is a dict of the few
features that measures read, or None for somebody who has left the population; ``came`` are the answers about a person
in the window, or None where the lists of the person's area do not come back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

REACHED = ("seen", "referred")
QUESTIONS = ("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living")
Answer = Mapping[str, Any]
Person = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """Everything that is counted from. ``memory`` holds list, area_code, person_id, first_listed, last_listed."""

    as_of: date
    people: Mapping[str, Person]
    cohorts: Mapping[str, Sequence[str]]
    lists: Mapping[str, str]
    memory: Sequence[Mapping[str, Any]]
    answers: Sequence[Answer]
    delivered: frozenset[str]


@dataclass
class Known:
    """What is known of one person for one measure."""

    person: Person | None
    came: Sequence[Answer] | None
    delivered: frozenset[str]
    year_ago: date
    first_listed: date | None = None

    def answers(self, holds: Callable[[Answer], bool]) -> bool | None:
        return None if self.came is None else any(holds(one) for one in self.came)

    def within_a_year(self, feature: str) -> bool:
        assert self.person is not None
        day = self.person[feature]
        return day is not None and day >= self.year_ago


@dataclass
class Count:
    true: int = 0
    decided: int = 0
    undecided: int = 0
    since: date | None = None
    days: list[int] = field(default_factory=list)


def asked(known: Known) -> bool | None:
    if known.person is None or (known.came is None and "assessments" not in known.delivered):
        return None
    told = known.answers(lambda one: any(one[name] is not None for name in QUESTIONS))
    return bool(told) or known.within_a_year("five_questions_last_asked_date")


def seen_or_reviewed(known: Known) -> bool | None:
    if known.person is None or known.came is None:
        return None
    told = known.answers(lambda one: one["outcome"] in REACHED)
    return bool(told) or known.within_a_year("care_plan_last_reviewed_date")


def case_manager(known: Known) -> bool | None:
    if known.person is None or (known.came is None and "community_caseload" not in known.delivered):
        return None
    told = known.answers(lambda one: one["case_manager"] is not None)
    return bool(told) or known.person["case_manager"] is not None


def feature(name: str, holds: Callable[[Any], bool] = bool) -> Callable[[Known], bool | None]:
    def of(known: Known) -> bool | None:
        value = None if known.person is None else known.person[name]
        return None if value is None else holds(value)

    return of


def outcome(*names: str) -> Callable[[Known], bool | None]:
    return lambda known: known.answers(lambda one: one["outcome"] in names)


def referred(*services: str) -> Callable[[Known], bool | None]:
    return lambda known: known.answers(lambda one: one["referred_to"] in services)


# name: in cohorts, in lists, has a window, reads what came back, the measure
MEASURES: dict[str, tuple[bool, bool, bool, bool, Callable[[Known], bool | None] | None]] = {
    "asked_five_questions": (True, True, True, True, asked),
    "seen_or_reviewed": (True, False, True, True, seen_or_reviewed),
    "answered": (False, True, True, True, lambda known: known.answers(lambda one: True)),
    "reached": (False, True, True, True, outcome(*REACHED)),
    "declined": (True, True, True, True, outcome("declined")),
    "not_reached": (False, True, True, True, outcome("not_reached")),
    "days_to_first_outcome": (False, True, True, True, None),
    "has_care_plan": (True, True, False, False, feature("has_care_plan")),
    "medication_reviewed": (True, True, False, False, feature("medication_reviewed_12m")),
    "community_contact": (
        True,
        True,
        False,
        False,
        feature("community_contacts_12m", lambda count: count >= 1),
    ),
    "has_case_manager": (True, True, True, True, case_manager),
    "referred": (
        True,
        True,
        True,
        True,
        lambda known: known.answers(lambda one: one["referred_to"] is not None),
    ),
    "referred_falls_service": (True, True, True, True, referred("falls_service")),
    "referred_medication_review": (True, True, True, True, referred("medication_review")),
    "referred_memory_service": (True, True, True, True, referred("memory_service")),
    "referred_community": (
        *(True, True, True, True),
        referred("community_nursing", "therapy", "respiratory_service"),
    ),
    "referred_social_care": (True, True, True, True, referred("social_care")),
    "referred_voluntary_sector": (True, True, True, True, referred("voluntary_sector")),
}


def table(world: World) -> dict[tuple[str, str, str, str | None, str], Count]:
    """Kind, cohort or list, kind of area, area, measure: the counts."""
    found: dict[tuple[str, str, str, str | None, str], Count] = {}
    year_ago = world.as_of.replace(year=world.as_of.year - 1)
    recent = [one for one in world.answers if one["outcome_date"] >= year_ago]
    for measure, (in_cohorts, in_lists, has_window, reads_returns, value) in MEASURES.items():
        if in_cohorts:
            for cohort, members in world.cohorts.items():
                for member in members:
                    person = world.people[member]
                    areas = {
                        "neighbourhood": person["neighbourhood_code"],
                        "practice": person["practice_code"],
                    }
                    since = min(
                        (one["list_as_of"] for one in recent if one["area_code"] in areas.values()),
                        default=None,
                    )
                    came = [one for one in recent if one["person_id"] == member] if since else None
                    known = Known(person, came, world.delivered, year_ago)
                    for kind, area in {"all": None, **areas}.items():
                        _count(
                            found, ("cohort", cohort, kind, area, measure), known, value, since, reads_returns
                        )
        if in_lists:
            for name, area_kind in world.lists.items():
                for member, row in _listed(world, name, year_ago if has_window else None).items():
                    since = min(
                        (
                            one["list_as_of"]
                            for one in recent
                            if one["list"] == name
                            and one["area_code"] == row["area_code"]
                            and one["list_as_of"] <= row["last_listed"]
                        ),
                        default=None,
                    )
                    came = [one for one in recent if one["list"] == name and one["person_id"] == member]
                    known = Known(
                        world.people.get(member),
                        came if since else None,
                        world.delivered,
                        year_ago,
                        row["first_listed"],
                    )
                    for kind, area in (("all", None), (area_kind, row["area_code"])):
                        _count(found, ("list", name, kind, area, measure), known, value, since, reads_returns)
    return found


def _listed(world: World, name: str, start: date | None) -> dict[str, dict[str, Any]]:
    """Person to the latest row of the memory, with the first day of all rows."""
    rows: dict[str, dict[str, Any]] = {}
    for row in sorted(
        (row for row in world.memory if row["list"] == name),
        key=lambda row: (-row["last_listed"].toordinal(), row["area_code"]),
    ):
        kept = rows.setdefault(row["person_id"], dict(row))
        kept["first_listed"] = min(kept["first_listed"], row["first_listed"])
    if start is None:
        return {one: row for one, row in rows.items() if row["last_listed"] == world.as_of}
    return {
        one: row
        for one, row in rows.items()
        if row["first_listed"] < world.as_of and row["last_listed"] >= start
    }


def _count(
    found: dict[tuple[str, str, str, str | None, str], Count],
    key: tuple[str, str, str, str | None, str],
    known: Known,
    value: Callable[[Known], bool | None] | None,
    since: date | None,
    reads_returns: bool,
) -> None:
    count = found.setdefault(key, Count())
    if value is None:
        answer = _days(known, count)
    else:
        answer = value(known)
        count.true += answer is True
    if answer is None:
        count.undecided += 1
        return
    count.decided += 1
    if reads_returns and since is not None:
        count.since = since if count.since is None else min(count.since, since)


def _days(known: Known, count: Count) -> bool | None:
    assert known.first_listed is not None
    if known.came is None or known.first_listed < known.year_ago:
        return None
    first = min((one["outcome_date"] for one in known.came), default=None)
    if first is None or first < known.first_listed:
        return False
    count.days.append((first - known.first_listed) // timedelta(days=1))
    count.true += 1
    return True


def middle(days: Sequence[int]) -> float | None:
    ordered = sorted(days)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2 if ordered else None


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The two shares p for which (part/whole - p)^2 = z^2 p(1 - p)/whole, by the formula for a quadratic."""
    z = 1.959963984540054
    share = part / whole
    a, b, c = 1 + z * z / whole, -(2 * share + z * z / whole), share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)
