"""The rules of the lists once more, person by person and night by night, as slow and as plain as can be.

Features, scores, cohorts and who is outside the population are taken as published: other tests hold these. Events, what
came back, who is eligible, rests, is listed, has changed or dropped off, and what is remembered are worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.spec.lists.nights import key
from tests.spec.lists.oracle_people import ACTIONS, DAY, Facts, Row, known_of
from tests.spec.lists.oracle_places import shared
from tests.spec.lists.worlds import Person


@dataclass(frozen=True)
class Spec:
    """One list of tests/spec/lists/sites.py, in Python."""

    area: str
    sections: Sequence[tuple[str, Callable[[Row], bool | None]]]
    order: Callable[[Row], tuple[Any, ...]]
    compare_days: int
    rest_days: int
    cohort: str = "ill"
    include: Callable[[Row], bool] = lambda row: True
    capacity: int | None = None
    allocation: str = "per_head"
    need: str | None = None


def _least(value: float | None) -> float:
    """Unknown comes last where the greatest comes first."""
    return float("inf") if value is None else -value


SPECS = {
    "huddle": Spec(
        area="neighbourhood_code",
        include=lambda row: row["event"] is not None,
        capacity=2,
        order=lambda row: (
            {None: 0, False: 1, True: 2}[row["is_known_to_team"]],
            -row["review_days_overdue"],
            _least(row["score"]),
        ),
        compare_days=1,
        rest_days=3,
        sections=(
            ("not_known", lambda row: not row["is_known_to_team"]),
            ("overdue", lambda row: row["review_days_overdue"] > 0),
            ("known", lambda row: True),
        ),
    ),
    "needy": Spec(
        area="neighbourhood_code",
        capacity=4,
        allocation="need",
        need="unplanned_admissions_12m",
        order=lambda row: (_least(row["score"]),),
        compare_days=1,
        rest_days=1,
        sections=(("all", lambda row: True),),
    ),
    "wide": Spec(
        area="practice_code",
        capacity=2,
        allocation="city_wide",
        order=lambda row: (row["age"],),
        compare_days=3,
        rest_days=10,
        sections=(("back", lambda row: row["change"] == "BACK"), ("others", lambda row: True)),
    ),
    "monthly": Spec(
        area="practice_code",
        order=lambda row: (_least(row["score"]),),
        compare_days=2,
        rest_days=0,
        sections=(("new", lambda row: row["change"] in ("NEW", "BACK")), ("unchanged", lambda row: True)),
    ),
}


@dataclass
class Told:
    """What one night says of one list: rows by area and person, quotas, everybody eligible, and the memory."""

    listed: dict[tuple[str, str], Row] = field(default_factory=dict)
    dropped: dict[tuple[str, str], str] = field(default_factory=dict)
    eligible: dict[tuple[str, str], Row] = field(default_factory=dict)
    quotas: dict[str, int | None] = field(default_factory=dict)
    memory: dict[tuple[str, str], tuple[date, date, int]] = field(default_factory=dict)


class History:
    """The nights so far, as they should have been."""

    def __init__(self) -> None:
        self.nights: list[tuple[date, dict[str, Told]]] = []

    def night(self, facts: Facts) -> dict[str, Told]:
        told = {name: self._list(name, spec, facts) for name, spec in SPECS.items()}
        self.nights.append((facts.as_of, told))
        return told

    def _before(self, as_of: date, days: int) -> dict[str, Told] | None:
        """The newest night that lies so many days back or more; of one date the last published."""
        able = [(day, place) for place, (day, _) in enumerate(self.nights) if day <= as_of - days * DAY]
        return self.nights[max(able)[1]][1] if able else None

    def _list(self, name: str, spec: Spec, facts: Facts) -> Told:
        told = Told()
        rows = self._eligible(name, spec, facts)
        told.quotas = _quotas(spec, facts, rows)
        taken: dict[str, int] = {}
        for place_of in _by_area(rows).values():
            for place, row in enumerate(place_of, 1):
                row["place"] = place
        city = [row for row in _ordered(spec, rows) if not row["is_added"] and not row["is_resting"]]
        if spec.allocation == "city_wide" and spec.capacity is not None:
            first = {row["person_id"] for row in city[: spec.capacity * len(_areas(spec, facts))]}
        for row in rows:
            area, quota = row["area_code"], told.quotas[row["area_code"]]
            if row["is_added"]:
                row["is_listed"] = True
            elif row["is_resting"]:
                row["is_listed"] = False
            elif spec.capacity is None:
                row["is_listed"] = True
            elif spec.allocation == "city_wide":
                row["is_listed"] = row["person_id"] in first
            else:
                taken[area] = taken.get(area, 0) + 1
                row["is_listed"] = taken[area] <= (quota or 0)
            told.eligible[area, row["person_id"]] = row
        self._rank(name, spec, facts, told)
        self._drop(name, spec, facts, told)
        self._remember(name, facts, told)
        return told

    def _eligible(self, name: str, spec: Spec, facts: Facts) -> list[Row]:
        rows = []
        for person_id, is_added in facts.cohorts[spec.cohort].items():
            row = known_of(person_id, facts)
            row |= {"is_added": is_added, "area_code": row[spec.area]}
            actions = [
                one["outcome_date"]
                for one in facts.returns
                if one["person_id"] == person_id and one["list"] == name and one["outcome"] in ACTIONS
            ]
            rests = bool(actions) and (facts.as_of - max(actions)).days <= spec.rest_days
            news = [day for day in (row["event_date"], row["last_admission_date"]) if day is not None]
            is_new = rests and any(day >= max(actions) for day in news)
            row["is_resting"] = rests and not is_new and not is_added
            row["rest_overridden"] = is_new and not is_added
            if is_added or spec.include(row):
                rows.append(row)
        return _ordered(spec, rows)

    def _rank(self, name: str, spec: Spec, facts: Facts, told: Told) -> None:
        then = self._before(facts.as_of, spec.compare_days)
        for area in {area for area, _ in told.eligible}:
            listed = [row for (code, _), row in told.eligible.items() if code == area and row["is_listed"]]
            for rank, row in enumerate(sorted(listed, key=lambda row: row["place"]), 1):
                at = (area, row["person_id"])
                before = then[name].listed.get(at) if then else None
                if before is None:
                    was_known = then is not None and at in then[name].memory
                    change = "BACK" if was_known else "NEW"
                else:
                    change = {-1: "UP", 0: "SAME", 1: "DOWN"}[_sign(rank - before["rank"])]
                row |= {"rank": rank, "change": change}
                row["section"] = next(title for title, holds in spec.sections if holds(row))
                told.listed[at] = row

    def _drop(self, name: str, spec: Spec, facts: Facts, told: Told) -> None:
        then = self._before(facts.as_of, spec.compare_days)
        for (area, person_id), _ in (then[name].listed if then else {}).items():
            if (area, person_id) in told.listed:
                continue
            here = facts.features.get(person_id)
            found = told.eligible.get((area, person_id))
            if person_id in facts.opted_out:
                why = "opted out"
            elif facts.outside.get(person_id) == "died":
                why = "died"
            elif here is None or here[spec.area] != area:
                why = "moved"
            elif found is not None:
                why = "resting" if found["is_resting"] else "over capacity"
            elif person_id not in facts.cohorts[spec.cohort]:
                why = "below threshold"
            else:
                why = "no recent event"
            told.dropped[area, person_id] = why

    def _remember(self, name: str, facts: Facts, told: Told) -> None:
        before = self._before(facts.as_of, 1)
        told.memory = dict(before[name].memory) if before else {}
        for at, row in told.listed.items():
            first = told.memory[at][0] if at in told.memory else facts.as_of
            told.memory[at] = (first, facts.as_of, row["rank"])
        told.memory = {
            at: kept
            for at, kept in told.memory.items()
            if (facts.as_of - kept[1]).days <= 400 and at[1] not in facts.opted_out
        }


def _ordered(spec: Spec, rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (*spec.order(row), row["person_id"]))


def _by_area(rows: Sequence[Row]) -> dict[str, list[Row]]:
    areas: dict[str, list[Row]] = {}
    for row in rows:
        areas.setdefault(row["area_code"], []).append(row)
    return areas


def _areas(spec: Spec, facts: Facts) -> dict[str, list[Row]]:
    areas: dict[str, list[Row]] = {}
    for row in facts.features.values():
        areas.setdefault(row[spec.area], []).append(row)
    return dict(sorted(areas.items()))


def _quotas(spec: Spec, facts: Facts, rows: Sequence[Row]) -> dict[str, int | None]:
    areas = _areas(spec, facts)
    takers = dict.fromkeys(areas, 0)
    for row in rows:
        if not row["is_added"] and not row["is_resting"]:
            takers[row["area_code"]] += 1
    if spec.capacity is None:
        return dict.fromkeys(areas)
    if spec.allocation == "city_wide":
        competing = [row for row in _ordered(spec, rows) if not row["is_added"] and not row["is_resting"]]
        first = competing[: spec.capacity * len(areas)]
        return {code: sum(row["area_code"] == code for row in first) for code in areas}
    people = {code: Fraction(len(group)) for code, group in areas.items()}
    weights = people
    if spec.need is not None:
        sums = {code: Fraction(sum(row[spec.need] for row in group)) for code, group in areas.items()}
        weights = sums if any(sums.values()) else people
    return dict(shared(spec.capacity * len(areas), weights, people, takers))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def pseudonyms(people: Iterable[Person]) -> dict[str, Person]:
    return {key(one.number): one for one in people}
