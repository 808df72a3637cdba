"""People of a made-up place, and all that is delivered of them on one night."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from tests import factories
from tests.engine import BYSTANDER

ILL = "13645005"  # COPD, on the code list of the flag has_copd
# Extracts that come every night, so that what nobody has is none and not unknown.
ALWAYS = (
    "acute_adt",
    "community_caseload",
    "care_plans",
    "assessments",
    "national_opt_out",
    "manual_additions",
)
OWN_MAKERS = {
    "acute_adt": lambda number: _message(number, "discharged", "2020-01-01 10:00:00", "RT0"),
    "manual_additions": lambda number: {
        "nhs_number": number,
        "cohort": "ill",
        "reason": "for tests",
        "added_on": date(2030, 1, 1),
        "added_by": "nobody",
    },
}


@dataclass(frozen=True)
class Person:
    """Somebody as a night's deliveries tell of them. ``age`` is the score of who was never admitted, and no more."""

    number: str
    age: int = 70
    practice: int = 0
    is_ill: bool = True
    messages: tuple[tuple[str, ...], ...] = ()  # kind, time, and the provider where it is another
    arrived: str | None = None
    departed: str | None = None
    admissions: tuple[date, ...] = ()
    on_caseload_since: date | None = None
    manager: str | None = None
    plan_made: date | None = None
    plan_reviewed: date | None = None
    answers: tuple[tuple[date, int, bool], ...] = ()
    is_added: bool = False
    died: date | None = None
    left: date | None = None
    opted_out: bool = False
    is_delivered: bool = True

    def but(self, **changes: Any) -> Person:
        """The same person, changed."""
        return replace(self, **changes)


def person(index: int, **about: Any) -> Person:
    return Person(factories.nhs_number(index), **about)


def in_hospital(since: str = "2026-03-20 10:00:00") -> tuple[tuple[str, ...], ...]:
    """The messages of somebody who came in then and has not left."""
    return (("admitted", since),)


@dataclass
class _World:
    as_of: date
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, extract: str, row: dict[str, Any]) -> None:
        self.rows.setdefault(extract, []).append(row)


def delivered(as_of: date, people: list[Person]) -> dict[str, list[dict[str, Any]]]:
    """Everything that is known of these people on the day before ``as_of``."""
    world = _World(as_of)
    for extract in ALWAYS:
        maker = OWN_MAKERS.get(extract) or factories.MAKERS[extract]
        row = maker(BYSTANDER)
        world.add(extract, row | ({"checked_on": as_of - timedelta(days=1)} if "checked_on" in row else {}))
    for one in people:
        if one.is_delivered:
            _tell(world, one)
    return world.rows


def _tell(world: _World, one: Person) -> None:
    born = date(world.as_of.year - one.age - 1, 12, 31)
    world.add(
        "gp_patients",
        factories.patient(
            one.number,
            practice_code=factories.PRACTICES[one.practice],
            date_of_birth=born,
            date_of_death=one.died,
            registered_to=one.left,
        ),
    )
    if one.is_ill:
        world.add("gp_events", factories.event(one.number, code=ILL, event_date=date(2020, 1, 1)))
    for message in one.messages:
        world.add("acute_adt", _message(one.number, *message))
    if one.arrived:
        attendance = factories.attendance(one.number, arrival_at=one.arrived, departure_at=one.departed)
        world.add("acute_attendances", attendance)
    for day in one.admissions:
        stay = factories.episode(one.number, admission_date=day, discharge_date=day + timedelta(days=1))
        world.add("acute_episodes", stay)
    if one.on_caseload_since:
        world.add(
            "community_caseload",
            factories.caseload_entry(one.number, from_date=one.on_caseload_since, case_manager=one.manager),
        )
    if one.plan_made:
        plan = factories.care_plan(
            one.number, created_date=one.plan_made, last_reviewed_date=one.plan_reviewed
        )
        world.add("care_plans", plan)
    for day, question, is_concern in one.answers:
        answer = factories.assessment(one.number, assessed_on=day, question=question, concern=is_concern)
        world.add("assessments", answer)
    if one.is_added:
        added = OWN_MAKERS["manual_additions"](one.number)
        world.add("manual_additions", added | {"added_on": date(2026, 1, 1)})
    if one.opted_out:
        checked = world.as_of - timedelta(days=1)
        world.add("national_opt_out", factories.national_opt_out(one.number, checked_on=checked))


def _message(number: str, kind: str, at: str, provider: str = "RT1") -> dict[str, Any]:
    return {
        "message_id": factories.next_key("Z"),
        "nhs_number": number,
        "provider_code": provider,
        "event_type": kind,
        "event_at": at,
    }
