"""Whole histories of nights, drawn at random, against the slow oracle: every row, rank, change, quota and memory."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.spec.lists.nights import Night, Place, key, returned
from tests.spec.lists.oracle import SPECS, History, Told, pseudonyms
from tests.spec.lists.oracle_people import Facts
from tests.spec.lists.worlds import Person, delivered, person

FIRST = date(2026, 4, 1)
PEOPLE, NIGHTS = 70, 6
EVERY_RUN = (1,)
KINDS = ("admitted", "transferred", "discharged", "cancelled")
OUTCOMES = ("seen", "declined", "referred", "not_reached", "no_action")
SHOWN = (
    *("event", "event_date", "is_known_to_team", "case_manager", "care_plan_days_overdue", "score", "age"),
    *("last_outcome", "last_outcome_date", "next_review_date", "rest_overridden"),
)


class Life:
    """People to whom something happens every day, and teams that report back about some of those listed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.people = [self._born(index) for index in range(1, PEOPLE + 1)]
        self.returns: list[dict[str, Any]] = []

    def _born(self, index: int) -> Person:
        choose = self.chance
        return person(
            index,
            age=choose.randint(60, 75),  # many of one age, so that ties are broken
            practice=choose.choice((0, 0, 0, 1, 2, 3)),
            is_ill=choose.random() < 0.6,
            admissions=tuple(
                FIRST - timedelta(days=choose.randint(2, 300)) for _ in range(choose.randint(0, 2))
            ),
            on_caseload_since=choose.choice((None, date(2025, 1, 1), FIRST - timedelta(days=1))),
            manager=choose.choice((None, "CM01")),
            plan_made=choose.choice((None, None, date(2024, 6, 1), date(2025, 4, 1), date(2025, 6, 1))),
            plan_reviewed=choose.choice((None, date(2025, 3, 25), date(2026, 3, 1))),
        )

    def day(self, as_of: date) -> None:
        """What happens on the day before ``as_of``."""
        day = as_of - timedelta(days=1)
        self.people = [self._fate(self._changes(self._comes_in(one, day), day), day) for one in self.people]

    def _comes_in(self, one: Person, day: date) -> Person:
        """Messages of the day or late, arrivals, departures and admissions."""
        choose = self.chance
        for _ in range(choose.choice((0, 0, 0, 1, 2))):
            at = f"{day - timedelta(days=choose.choice((0, 0, 0, 1, 3)))} {choose.randint(0, 23):02}:00:00"
            message = (choose.choice(KINDS), at, choose.choice(("RT1", "RT1", "RT2")))
            one = one.but(messages=(*one.messages, message))
        if choose.random() < 0.1:
            one = one.but(arrived=f"{day} {choose.randint(0, 23):02}:30:00", departed=None)
        if choose.random() < 0.05:
            midnight = f"{day + timedelta(days=1)} 00:00:00"
            one = one.but(departed=choose.choice((f"{day} 23:45:00", midnight)))
        if choose.random() < 0.08:
            one = one.but(admissions=(*one.admissions, day - timedelta(days=choose.randint(0, 2))))
        return one

    def _changes(self, one: Person, day: date) -> Person:
        choose = self.chance
        if choose.random() < 0.06:
            one = one.but(is_ill=not one.is_ill)
        if choose.random() < 0.04:
            one = one.but(is_added=not one.is_added)
        if choose.random() < 0.04:
            one = one.but(practice=choose.choice((0, 1, 2, 3)))
        if choose.random() < 0.05:
            one = one.but(on_caseload_since=day, manager=choose.choice((None, "CM02")))
        return one

    def _fate(self, one: Person, day: date) -> Person:
        fate = self.chance.random()
        if fate < 0.01:
            return one.but(died=day)
        if fate < 0.02:
            return one.but(left=day)
        if fate < 0.03:
            return one.but(is_delivered=not one.is_delivered)
        return one.but(opted_out=not one.opted_out) if fate < 0.04 else one

    def report(self, night: Night, as_of: date) -> None:
        """What teams send back of a night's lists before the next."""
        numbers = {key(one.number): one.number for one in self.people}
        for name in SPECS:
            for row in night.rows(name):
                if row["rank"] is None or self.chance.random() > 0.25:
                    continue
                back = returned(
                    numbers[row["person_id"]],
                    list=name,
                    list_as_of=as_of,
                    outcome=self.chance.choice(OUTCOMES),
                    outcome_date=as_of,
                    return_number=len(self.returns) + 1,
                    case_manager=self.chance.choice((None, None, "CM09")),
                    next_review_date=self.chance.choice(
                        (None, None, as_of + timedelta(days=self.chance.randint(1, 3)))
                    ),
                )
                self.returns.append(back)


@pytest.mark.parametrize(
    "seed", [*EVERY_RUN, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 13))]
)
def test_every_night_is_as_the_rules_say(place: Place, seed: int):
    life, history, seen = Life(seed), History(), Counter[str]()
    for night_number in range(NIGHTS):
        as_of = FIRST + timedelta(days=night_number)
        life.day(as_of)
        night = place.night(as_of, delivered(as_of, life.people), life.returns)
        told = history.night(facts_of(night, as_of, life))
        for name in SPECS:
            compare(night, name, told[name])
            seen.update(row["change"] or row["dropped_because"] for row in night.rows(name))
            seen.update(row["not_listed_because"] or "listed" for row in night.rows("eligible"))
            seen.update(row["event"] or "no event" for row in night.rows(name) if row["rank"])
        life.report(night, as_of)
    if seed not in EVERY_RUN:
        return  # what is rare need not occur in each of the slow ones
    assert not {"NEW", "UP", "DOWN", "SAME", "BACK", "below threshold", "no recent event"} - seen.keys()
    assert (
        not {"over capacity", "resting", "moved", "in_ae", "admitted", "in_hospital", "discharged"}
        - seen.keys()
    )


def facts_of(night: Night, as_of: date, life: Life) -> Facts:
    def rows(path: str) -> list[dict[str, Any]]:
        return pq.read_table(night.folder / path).to_pylist()

    everybody = pseudonyms(life.people)
    return Facts(
        as_of=as_of,
        features={row["person_id"]: row for row in rows("features.parquet")},
        scores={row["person_id"]: row["score"] for row in rows("scores.parquet")},
        cohorts={"ill": {row["person_id"]: row["is_manual_addition"] for row in rows("cohorts/ill.parquet")}},
        outside={row["person_id"]: row["status"] for row in rows("register.parquet")},
        opted_out={who for who, one in everybody.items() if one.opted_out and one.is_delivered},
        people=everybody,
        returns=[row for row in life.returns if row["outcome_date"] < as_of],
    )


def compare(night: Night, name: str, told: Told) -> None:
    rows = night.rows(name)
    listed = {(row["area_code"], row["person_id"]): row for row in rows if row["rank"] is not None}
    assert listed.keys() == told.listed.keys()
    for at, row in listed.items():
        expected = told.listed[at]
        assert (row["rank"], row["change"], row["section"]) == tuple(
            expected[column] for column in ("rank", "change", "section")
        )
        assert {column: row[column] for column in SHOWN} == {column: expected[column] for column in SHOWN}
        assert row["is_manual_addition"] == expected["is_added"]
    dropped = {
        (row["area_code"], row["person_id"]): row["dropped_because"] for row in rows if row["rank"] is None
    }
    assert dropped == {at: why for at, why in told.dropped.items() if why != "opted out"}
    assert_in_order(name, rows)
    assert_eligible(night, name, told)
    assert_counted(night, name, told)
    remembered = {
        (row["area_code"], row["person_id"]): (row["first_listed"], row["last_listed"], row["last_rank"])
        for row in night.rows("memory")
        if row["list"] == name
    }
    assert remembered == told.memory


def assert_in_order(name: str, rows: list[dict[str, Any]]) -> None:
    sections = [*(section for section, _ in SPECS[name].sections), "dropped_off"]
    order = [
        (row["area_code"], sections.index(row["section"]), row["rank"] or 10**6, row["person_id"])
        for row in rows
    ]
    assert order == sorted(order)


def assert_eligible(night: Night, name: str, told: Told) -> None:
    found = [row for row in night.rows("eligible") if row["list"] == name]
    assert {
        (row["area_code"], row["person_id"]): (row["place"], row["is_listed"], row["not_listed_because"])
        for row in found
    } == {
        at: (
            row["place"],
            row["is_listed"],
            None if row["is_listed"] else "resting" if row["is_resting"] else "over capacity",
        )
        for at, row in told.eligible.items()
    }
    assert {row["area_code"]: row["threshold_place"] for row in found}.items() <= told.quotas.items()


def assert_counted(night: Night, name: str, told: Told) -> None:
    areas = night.manifest["lists"][name]["areas"]
    assert {code: area["quota"] for code, area in areas.items() if code in told.quotas} == told.quotas
    counts = {code: Counter() for code in areas}
    for (code, _), row in told.eligible.items():
        counts[code]["eligible"] += 1
        counts[code]["listed"] += row["is_listed"]
    for (code, _), row in told.listed.items():
        counts[code][row["change"].lower()] += 1
    dropped = Counter((code, why) for (code, _), why in told.dropped.items())
    for code, area in areas.items():
        assert {name: area[name] for name in ("eligible", "listed", "new", "back")} == {
            name: counts[code][name] for name in ("eligible", "listed", "new", "back")
        }
        assert area["dropped"] == {why: number for (there, why), number in dropped.items() if there == code}
