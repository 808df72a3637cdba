"""What community services and the integrated teams do after as_of: contacts, caseload, care plans, five questions.

A team hears of a stay in hospital as everybody does: some frail people come onto a caseload when they are home again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskstrat.demo.calibration import Integers, constant, draw_index
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.community import (
    ASKED_DAYS,
    CASELOAD_DAYS,
    NO_MANAGER,
    QUESTIONS,
    Caseload,
    Plans,
    assessment_rows,
    caseload_rows,
    contact_rows,
    known_chance,
    plan_rows,
    service_names,
    services,
)
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent
from riskstrat.demo.nights.presence import Presence
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.people import OPEN, YEAR
from riskstrat.demo.rows import NEVER, Rows, identifiers

OLDER, FRAIL = 65, 5
# A plan is due for review so long after the last one.
REVIEW_DAYS = 330


@dataclass(frozen=True)
class Work:
    """The teams' work of the horizon: the whole caseload, when a manager is named, plans, and who is asked when.

    ``plans`` are those of the first delivery and then new ones; ``review`` is the day of a plan's next review.
    """

    caseload: Caseload
    managed: Integers
    plans: Plans
    old_plans: int
    review: Integers
    asked: Integers
    asked_on: Integers


def send_contacts(told: Chunk, presence: Presence, horizon: Horizon, generator: np.random.Generator) -> Sent:
    """The extract community_contacts, for those who are involved anyway."""
    involved, mean = told.involvement.contacts(
        told.people, told.health.deficits(horizon.first), horizon.first
    )
    person, day = horizon.often(np.where(involved, mean, 0.0), generator)
    there = presence.holds(person, day)
    person, day = person[there], day[there]
    order = in_order_sent(day, horizon, person)
    service = services(told.involvement, person, generator)[order]
    person, day = person[order], day[order]
    names = identifiers("K", told.first_id + NIGHT_IDS + np.arange(len(order)))
    rows = contact_rows(told.people, person, day, service, identifiers=names, generator=generator)
    return Sent(rows, day)


def draw_work(
    told: Chunk, wards: Wards, presence: Presence, horizon: Horizon, generator: np.random.Generator
) -> Work:
    """Who comes onto a caseload, who leaves it, who gets a case manager, a plan, a review, the five questions."""
    old = told.team.caseload
    person, begin = _joiners(told, wards, horizon, generator)
    there = presence.holds(person, begin)
    person, begin = person[there], begin[there]
    count = len(person)
    named = draw_index(service_names("manager")[1], len(old.person) + count, generator)
    manager = np.concatenate([old.manager, named[len(old.person) :]])
    unnamed = np.flatnonzero(old.manager == NO_MANAGER)
    manager[unnamed] = named[unnamed]
    managed = np.concatenate(
        [
            np.where(old.manager == NO_MANAGER, horizon.days(len(old.person), generator), 0),
            begin + np.where(generator.random(count) < 0.6, 0, generator.integers(2, 7, count)),
        ]
    )
    caseload = Caseload(
        np.concatenate([old.person, person]),
        np.concatenate([old.begin, begin]),
        np.concatenate([old.finish, np.full(count, NEVER)]),
        manager,
    )
    plans, review = _plans(told, person, begin, horizon, generator)
    asked, asked_on = _questions(told, person, begin, horizon, generator)
    still = presence.holds(asked, asked_on)
    return Work(caseload, managed, plans, len(told.team.plans), review, asked[still], asked_on[still])


def _joiners(
    told: Chunk, wards: Wards, horizon: Horizon, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """The usual pace, and frail older people one to five days after they come home. Nobody joins twice."""
    people, spells = told.people, wards.spells
    deficits, is_older = told.health.deficits(horizon.first), people.age(horizon.first) >= OLDER
    known = np.zeros(len(people), dtype=bool)
    known[told.team.caseload.person] = True
    chance = known_chance(people, told.health)
    pace = np.where(people.status == OPEN, chance / (1 - chance), 0.0)
    usual = horizon.happens(np.where(known, 0.0, pace * YEAR / CASELOAD_DAYS), generator)
    home = spells.discharge + generator.integers(1, 6, len(spells))
    referred = (spells.use == 0) & (deficits[spells.person] >= FRAIL) & is_older[spells.person]
    referred &= ~known[spells.person] & (generator.random(len(spells)) < constant("night_referred_home"))
    np.minimum.at(usual, spells.person[referred], home[referred])
    person = np.flatnonzero(usual < horizon.last)
    return person, usual[person]


def _plans(
    told: Chunk, person: Integers, begin: Integers, horizon: Horizon, generator: np.random.Generator
) -> tuple[Plans, Integers]:
    """A plan for three in four who join, three to ten days later; plans are reviewed, most often those that are due."""
    old = told.team.plans
    planned = generator.random(len(person)) < 0.75
    created = begin + generator.integers(3, 11, len(person))
    kind = draw_index(service_names("plan")[1], len(person), generator)
    due = np.maximum(old.created, np.where(old.reviewed == NEVER, old.created, old.reviewed)) + REVIEW_DAYS
    is_due = due < horizon.first
    yearly = np.where(is_due, constant("night_overdue_reviews"), constant("night_reviews"))
    review = horizon.happens(yearly, generator)
    plans = Plans(
        np.concatenate([old.person, person[planned]]),
        np.concatenate([old.kind, kind[planned]]),
        np.concatenate([old.created, created[planned]]),
        np.concatenate([old.reviewed, np.full(int(planned.sum()), NEVER)]),
    )
    return plans, np.concatenate([review, np.full(int(planned.sum()), NEVER)])


def _questions(
    told: Chunk, person: Integers, begin: Integers, horizon: Horizon, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Four in five who join are asked within a week; others on the caseload at the usual pace."""
    asked = generator.random(len(person)) < 0.80
    soon = begin + generator.integers(1, 8, len(person))
    others = told.team.asked
    yearly = np.bincount(others, minlength=len(told.people)) * YEAR / ASKED_DAYS
    again = horizon.happens(yearly, generator)
    others = np.flatnonzero(again < NEVER)
    return np.concatenate([person[asked], others]), np.concatenate([soon[asked], again[others]])


def caseload_before(work: Work, today: int) -> Caseload:
    """The caseload as a delivery of the day before tells it. Who died or left stays on it: the team has not heard."""
    every = work.caseload
    known = every.begin < today
    manager = np.where(work.managed < today, every.manager, NO_MANAGER)
    return Caseload(every.person[known], every.begin[known], every.finish[known], manager[known])


def full_caseload(told: Chunk, work: Work, today: int) -> Rows:
    """The extract community_caseload, in full."""
    return caseload_rows(caseload_before(work, today), told.people, told.place, today)


def send_plans(told: Chunk, work: Work, presence: Presence, horizon: Horizon) -> Sent:
    """The extract care_plans: new plans, and a later version of a plan that is reviewed."""
    plans, new = work.plans, np.arange(len(work.plans)) >= work.old_plans
    place = np.concatenate([np.flatnonzero(new), np.flatnonzero(work.review < NEVER)])
    sent = np.concatenate([plans.created[new], work.review[work.review < NEVER]])
    reviewed = np.where(np.arange(len(place)) < new.sum(), NEVER, sent)
    there = presence.holds(plans.person[place], sent)
    place, sent, reviewed = place[there], sent[there], reviewed[there]
    order = in_order_sent(sent, horizon, plans.person[place])
    place, sent, reviewed = place[order], sent[order], reviewed[order]
    chosen = replace(
        plans,
        person=plans.person[place],
        kind=plans.kind[place],
        created=plans.created[place],
        reviewed=reviewed,
    )
    number = np.where(new[place], NIGHT_IDS + place, place)
    return Sent(plan_rows(chosen, told.people, identifiers("P", told.first_id + number)), sent)


def send_answers(told: Chunk, work: Work, horizon: Horizon, generator: np.random.Generator) -> Sent:
    """The extract assessments: five rows a person asked."""
    order = np.lexsort((work.asked, work.asked_on))
    order = order[work.asked_on[order] < horizon.last]
    asked, asked_on = work.asked[order], work.asked_on[order]
    rows = assessment_rows(
        told.people, asked, asked_on, first_id=told.first_id + NIGHT_IDS, generator=generator
    )
    return Sent(rows, np.repeat(asked_on, QUESTIONS))
