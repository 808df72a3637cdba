"""Community services: contacts, referrals, and the integrated teams' caseload, plans and assessments."""

from __future__ import annotations

from functools import cache

import numpy as np

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, curve, draw_index, read_knowledge
from riskstrat.demo.health import Health
from riskstrat.demo.people import Calendar, People, Place
from riskstrat.demo.rows import NEVER, Rows, constant_text, days, labels, numbered, numbers

ATTENDANCE = ["5", "6", "7", "3", "2", "4"]
ATTENDANCE_SHARES = np.array([0.86, 0.04, 0.01, 0.04, 0.03, 0.02])
QUESTIONS = 5
# Asked in order: visitors, falls, medication, memory, daily living. How often each raises a concern.
CONCERNS = np.array([0.25, 0.40, 0.30, 0.35, 0.45])


@cache
def service_names(kind: str) -> tuple[list[str], Floats]:
    """Names and weights of one kind in ``services.csv``."""
    rows = [row for row in read_knowledge("services") if row["kind"] == kind]
    return [row["name"] for row in rows], np.array([float(row["weight"]) for row in rows])


@cache
def _provider() -> str:
    return next(row["provider_code"] for row in read_knowledge("providers") if row["kind"] == "community")


def community_rows(
    people: People, health: Health, calendar: Calendar, first_id: int, generator: np.random.Generator
) -> tuple[Rows, Rows]:
    """The extracts community_contacts and community_referrals of the history."""
    names, weights = service_names("community")
    main_service = draw_index(weights, len(people), generator)
    person, day = _contacts(people, health, calendar, generator)
    usual = generator.random(len(person)) < 0.7
    service = np.where(usual, main_service[person], draw_index(weights, len(person), generator))
    contacts = {
        "contact_id": numbered("K", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "provider_code": constant_text(_provider(), len(person)),
        "contact_date": days(day),
        "service_type": labels(names, service),
        "attendance_status": labels(ATTENDANCE, draw_index(ATTENDANCE_SHARES, len(person), generator)),
    }
    referrals = _referrals(
        people, person, day, service, calendar=calendar, first_id=first_id, generator=generator
    )
    return Rows("community_contacts", contacts, person), referrals


def _contacts(
    people: People, health: Health, calendar: Calendar, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Persons and days. Who is involved, and how much, stays much the same from year to year."""
    shape = constant("community_shape")
    leaning = generator.random(len(people))
    intensity = generator.gamma(shape, 1 / shape, len(people))
    persons, days_of_contact = [], []
    ends = (calendar.as_of, *calendar.starts[:-1])
    attended = ATTENDANCE_SHARES[:2].sum()
    for first, last in zip(calendar.starts, ends, strict=True):
        start = np.maximum(first, people.birth)
        stop = np.minimum(last, people.end)
        deficits = health.deficits(start)
        scale = np.where(
            people.age(last) < 65, constant("community_scale_under_65"), constant("community_scale")
        )
        involved = (leaning < curve("community_involved", deficits)) & (stop > start)
        mean = scale * curve("community_contacts", deficits) * intensity / attended
        count = np.where(involved, 1 + generator.poisson(np.maximum(mean - 1, 0.1)), 0)
        person = np.repeat(np.arange(len(people)), count)
        persons.append(person)
        room = (stop - start)[person]
        days_of_contact.append(
            start[person] + np.floor(generator.random(len(person)) * room).astype(np.int64)
        )
    person, day = np.concatenate(persons), np.concatenate(days_of_contact)
    order = np.lexsort((day, person))
    return person[order], day[order]


def _referrals(
    people: People,
    person: Integers,
    day: Integers,
    service: Integers,
    *,
    calendar: Calendar,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """A referral before each person's first contact."""
    first = np.flatnonzero(np.diff(person, prepend=-1) != 0)
    received = np.maximum(day[first] - generator.integers(2, 45, len(first)), people.birth[person[first]])
    waiting = day[first] - received
    allocated = received + np.floor(generator.random(len(first)) * (waiting + 1)).astype(np.int64)
    closed = day[first] + generator.integers(30, 700, len(first))
    columns = {
        "referral_id": numbered("R", first_id, len(first)),
        "nhs_number": numbers(people.nhs_number[person[first]]),
        "provider_code": constant_text(_provider(), len(first)),
        "service_type": labels(service_names("community")[0], service[first]),
        "received_date": days(received),
        "allocated_date": days(allocated, allocated >= calendar.as_of),
        "closed_date": days(closed, closed >= calendar.as_of),
    }
    return Rows("community_referrals", columns, person[first])


def known_to_team(
    people: People, health: Health, calendar: Calendar, generator: np.random.Generator
) -> Booleans:
    """Who has been on an integrated team's caseload in the last two years: mostly older and frail."""
    deficits, age = health.deficits(people.end), people.age(people.end)
    chance = (
        np.interp(deficits, [0, 4, 9, 14], [0.001, 0.01, 0.30, 0.50])
        * np.where(age >= 65, 1.0, 0.25)
        * (age >= 20)
    )
    known: Booleans = (generator.random(len(people)) < chance) & (people.end == calendar.as_of)
    return known


def team_rows(
    people: People,
    health: Health,
    place: Place,
    calendar: Calendar,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> list[Rows]:
    """The extracts community_caseload, care_plans and assessments."""
    known = np.flatnonzero(known_to_team(people, health, calendar, generator))
    begin = calendar.as_of - generator.integers(1, 730, len(known))
    finish = np.where(
        generator.random(len(known)) < 0.25, begin + generator.integers(60, 600, len(known)), NEVER
    )
    teams = [f"Integrated team {code}" for code in place.neighbourhoods]
    managers, weights = service_names("manager")
    caseload = {
        "nhs_number": numbers(people.nhs_number[known]),
        "team": labels(teams, people.practice[known]),
        "from_date": days(begin),
        "to_date": days(finish, finish >= calendar.as_of),
        "case_manager": labels(
            managers, draw_index(weights, len(known), generator), generator.random(len(known)) < 0.08
        ),
    }
    planned = known[generator.random(len(known)) < 0.75]
    care_home = np.flatnonzero(health.has("care-home") & (people.end == calendar.as_of))
    asked = np.union1d(
        known[generator.random(len(known)) < 0.80], care_home[generator.random(len(care_home)) < 0.50]
    )
    return [
        Rows("community_caseload", caseload, known),
        _plans(people, planned, calendar, first_id, generator),
        _assessments(people, asked, calendar, first_id, generator),
    ]


def _plans(
    people: People, person: Integers, calendar: Calendar, first_id: int, generator: np.random.Generator
) -> Rows:
    created = calendar.as_of - 1 - generator.integers(0, 700, len(person))
    reviewed = created + np.floor(generator.random(len(person)) * (calendar.as_of - created)).astype(np.int64)
    names, weights = service_names("plan")
    columns = {
        "plan_id": numbered("P", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "plan_type": labels(names, draw_index(weights, len(person), generator)),
        "created_date": days(created),
        "last_reviewed_date": days(reviewed, generator.random(len(person)) < 0.3),
    }
    return Rows("care_plans", columns, person)


def _assessments(
    people: People, asked: Integers, calendar: Calendar, first_id: int, generator: np.random.Generator
) -> Rows:
    """Five rows a person asked, one for each question."""
    day = np.repeat(calendar.as_of - 1 - generator.integers(0, 600, len(asked)), QUESTIONS)
    person = np.repeat(asked, QUESTIONS)
    question = np.tile(np.arange(QUESTIONS), len(asked))
    concern = generator.random(len(person)) < CONCERNS[question]
    columns = {
        "assessment_id": numbered("Q", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "assessed_on": days(day),
        "question": numbers(question + 1),
        "concern": labels(["false", "true"], concern.astype(np.int64)),
        "note": labels(
            ["Discussed with family", "Follow up agreed"], generator.integers(0, 2, len(person)), ~concern
        ),
    }
    return Rows("assessments", columns, person)
