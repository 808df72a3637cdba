"""Community services: contacts, referrals, and the integrated teams' caseload, plans and assessments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, curve, draw_index, read_knowledge
from riskstrat.demo.health import Health
from riskstrat.demo.people import Calendar, People, Place
from riskstrat.demo.rows import NEVER, Rows, constant_text, days, labels, numbered, numbers

ATTENDANCE = ["5", "6", "7", "3", "2", "4"]
ATTENDANCE_SHARES = np.array([0.86, 0.04, 0.01, 0.04, 0.03, 0.02])
QUESTIONS = 5
# How far back the caseload and the answers go.
CASELOAD_DAYS, ASKED_DAYS = 730, 600
NO_MANAGER = -1
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


@dataclass(frozen=True)
class Involvement:
    """How much community services have to do with each person; it stays much the same from year to year."""

    main_service: Integers
    leaning: Floats
    intensity: Floats

    def contacts(self, people: People, deficits: Integers, day: int) -> tuple[Booleans, Floats]:
        """Who is involved in a year with so many deficits, and the contacts to expect, age as on a day."""
        scale = np.where(
            people.age(day) < 65, constant("community_scale_under_65"), constant("community_scale")
        )
        involved = self.leaning < curve("community_involved", deficits)
        mean = scale * curve("community_contacts", deficits) * self.intensity / ATTENDANCE_SHARES[:2].sum()
        return involved, mean


def draw_involvement(people: People, calendar: Calendar, generator: np.random.Generator) -> Involvement:
    """Each person's usual service, and how likely and how often it comes."""
    main_service = draw_index(service_names("community")[1], len(people), generator)
    shape = constant("community_shape")
    leaning = generator.random(len(people))
    level = constant("settled_community_ratio") if calendar.older else 1.0
    return Involvement(main_service, leaning, level * generator.gamma(shape, 1 / shape, len(people)))


def community_rows(
    people: People,
    health: Health,
    involvement: Involvement,
    calendar: Calendar,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> tuple[Rows, Rows]:
    """The extracts community_contacts and community_referrals of the history."""
    person, day = _contacts(people, health, involvement, calendar, generator)
    service = services(involvement, person, generator)
    identifiers = numbered("K", first_id, len(person))
    contacts = contact_rows(people, person, day, service, identifiers=identifiers, generator=generator)
    referrals = _referrals(
        people, person, day, service, calendar=calendar, first_id=first_id, generator=generator
    )
    return contacts, referrals


def services(involvement: Involvement, person: Integers, generator: np.random.Generator) -> Integers:
    """The service of each contact: mostly the person's usual one."""
    usual = generator.random(len(person)) < 0.7
    other = draw_index(service_names("community")[1], len(person), generator)
    return np.where(usual, involvement.main_service[person], other)


def contact_rows(
    people: People,
    person: Integers,
    day: Integers,
    service: Integers,
    *,
    identifiers: pa.Array,
    generator: np.random.Generator,
) -> Rows:
    """The extract community_contacts; some contacts did not take place."""
    columns = {
        "contact_id": identifiers,
        "nhs_number": numbers(people.nhs_number[person]),
        "provider_code": constant_text(_provider(), len(person)),
        "contact_date": days(day),
        "service_type": labels(service_names("community")[0], service),
        "attendance_status": labels(ATTENDANCE, draw_index(ATTENDANCE_SHARES, len(person), generator)),
    }
    return Rows("community_contacts", columns, person)


def _contacts(
    people: People,
    health: Health,
    involvement: Involvement,
    calendar: Calendar,
    generator: np.random.Generator,
) -> tuple[Integers, Integers]:
    """Persons and days, year by year."""
    persons, days_of_contact = [], []
    ends = (calendar.as_of, *calendar.starts[:-1])
    for first, last in zip(calendar.starts, ends, strict=True):
        start = np.maximum(first, people.birth)
        stop = np.minimum(last, people.end)
        involved, mean = involvement.contacts(people, health.deficits(start), last)
        involved &= stop > start
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
    """A referral before each person's first contact, and before the first of the last years."""
    first = np.flatnonzero(np.diff(person * 2 + (day >= calendar.recent_start), prepend=-1) != 0)
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
    """Who has been on an integrated team's caseload in the last two years."""
    known: Booleans = (generator.random(len(people)) < known_chance(people, health)) & (
        people.end == calendar.as_of
    )
    return known


def known_chance(people: People, health: Health) -> Floats:
    """The probability of having been on a caseload in the last CASELOAD_DAYS: mostly older and frail people."""
    deficits, age = health.deficits(people.end), people.age(people.end)
    return np.asarray(
        np.interp(deficits, [0, 4, 9, 14], [0.001, 0.01, 0.30, 0.50])
        * np.where(age >= 65, 1.0, 0.25)
        * (age >= 20),
        dtype=np.float64,
    )


@dataclass(frozen=True)
class Caseload:
    """Entries of a caseload, one array element each; NO_MANAGER where none is named, ``finish`` may be NEVER."""

    person: Integers
    begin: Integers
    finish: Integers
    manager: Integers


@dataclass(frozen=True)
class Plans:
    """Care plans, one array element each; ``reviewed`` is NEVER where nobody has."""

    person: Integers
    kind: Integers
    created: Integers
    reviewed: Integers

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Team:
    """What the integrated teams keep; ``asked`` are the people of the five questions and ``asked_on`` when."""

    caseload: Caseload
    plans: Plans
    asked: Integers
    asked_on: Integers


def draw_team(people: People, health: Health, calendar: Calendar, generator: np.random.Generator) -> Team:
    """Who is on a caseload, with which plan, and who was asked."""
    known = np.flatnonzero(known_to_team(people, health, calendar, generator))
    begin = calendar.as_of - generator.integers(1, CASELOAD_DAYS, len(known))
    finish = np.where(
        generator.random(len(known)) < 0.25, begin + generator.integers(60, 600, len(known)), NEVER
    )
    manager = draw_index(service_names("manager")[1], len(known), generator)
    manager = np.where(generator.random(len(known)) < 0.08, NO_MANAGER, manager)
    planned = known[generator.random(len(known)) < 0.75]
    care_home = np.flatnonzero(health.has("care-home") & (people.end == calendar.as_of))
    asked = np.union1d(
        known[generator.random(len(known)) < 0.80], care_home[generator.random(len(care_home)) < 0.50]
    )
    plans = _plans(planned, calendar, generator)
    asked_on = calendar.as_of - 1 - generator.integers(0, ASKED_DAYS, len(asked))
    return Team(Caseload(known, begin, finish, manager), plans, asked, asked_on)


def _plans(person: Integers, calendar: Calendar, generator: np.random.Generator) -> Plans:
    created = calendar.as_of - 1 - generator.integers(0, 700, len(person))
    reviewed = created + np.floor(generator.random(len(person)) * (calendar.as_of - created)).astype(np.int64)
    kind = draw_index(service_names("plan")[1], len(person), generator)
    return Plans(person, kind, created, np.where(generator.random(len(person)) < 0.3, NEVER, reviewed))


def caseload_rows(caseload: Caseload, people: People, place: Place, today: int) -> Rows:
    """The extract community_caseload as it stands before a day."""
    teams = [f"Integrated team {code}" for code in place.neighbourhoods]
    columns = {
        "nhs_number": numbers(people.nhs_number[caseload.person]),
        "team": labels(teams, people.practice[caseload.person]),
        "from_date": days(caseload.begin),
        "to_date": days(caseload.finish, caseload.finish >= today),
        "case_manager": labels(
            service_names("manager")[0], np.maximum(caseload.manager, 0), caseload.manager == NO_MANAGER
        ),
    }
    return Rows("community_caseload", columns, caseload.person)


def plan_rows(plans: Plans, people: People, identifiers: pa.Array) -> Rows:
    """The extract care_plans."""
    columns = {
        "plan_id": identifiers,
        "nhs_number": numbers(people.nhs_number[plans.person]),
        "plan_type": labels(service_names("plan")[0], plans.kind),
        "created_date": days(plans.created),
        "last_reviewed_date": days(plans.reviewed, plans.reviewed == NEVER),
    }
    return Rows("care_plans", columns, plans.person)


def assessment_rows(
    people: People, asked: Integers, asked_on: Integers, *, first_id: int, generator: np.random.Generator
) -> Rows:
    """The extract assessments: five rows a person asked, one for each question."""
    person = np.repeat(asked, QUESTIONS)
    question = np.tile(np.arange(QUESTIONS), len(asked))
    concern = generator.random(len(person)) < CONCERNS[question]
    columns = {
        "assessment_id": numbered("Q", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "assessed_on": days(np.repeat(asked_on, QUESTIONS)),
        "question": numbers(question + 1),
        "concern": labels(["false", "true"], concern.astype(np.int64)),
        "note": labels(
            ["Discussed with family", "Follow up agreed"], generator.integers(0, 2, len(person)), ~concern
        ),
    }
    return Rows("assessments", columns, person)
