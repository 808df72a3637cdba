"""GP contacts, social care, other agencies, the national opt-out and professionals' additions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, curve, draw_index
from riskstrat.demo.community import service_names
from riskstrat.demo.health import Health
from riskstrat.demo.needs import Needs
from riskstrat.demo.people import Calendar, People
from riskstrat.demo.rows import NEVER, Rows, constant_text, days, labels, numbered, numbers

# A cohort for people whom no rule about age and frailty finds.
ADDED_TO = "complex_adults_working_age"
ADDED_PER_CHUNK = 6
# The opt-out check whose answer comes with the town was made so many days before as_of.
CHECKED_DAYS_BEFORE = 5
# Words of knowledge/services.csv: how people call the practice, whom they call, and what starts at their home.
CALL, HOME_CARE = "telephone", "home care"
CALLED = ("adult social care", "ambulance")


def gp_contact_rates(people: People, health: Health, generator: np.random.Generator) -> Floats:
    """How often each person is in contact with the practice in a year."""
    shape = constant("gp_contact_shape")
    rate = curve("gp_contact_age", people.age(people.end))
    rate *= np.exp(curve("gp_contact_deficits", health.deficits(people.end)))
    rate *= generator.gamma(shape, 1 / shape, len(people))
    return rate


def gp_contact_rows(
    people: People,
    rate: Floats,
    calendar: Calendar,
    needs: Needs,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """Consultations of all years but the first, the calls of those who escalate last."""
    begin = np.maximum(calendar.starts[-2], people.birth)
    room = np.maximum(people.end - begin, 0)
    person = np.repeat(np.arange(len(people)), generator.poisson(rate * room / 365.25))
    day = begin[person] + np.floor(generator.random(len(person)) * room[person]).astype(np.int64)
    names, weights = service_names("gp")
    kind = draw_index(weights, len(person), generator)
    person, day = np.concatenate([person, needs.caller]), np.concatenate([day, needs.call_day])
    kind = np.concatenate([kind, np.full(len(needs.caller), names.index(CALL))])
    return consultation_rows(people, person, day, kind, numbered("G", first_id, len(person)))


def consultation_rows(
    people: People, person: Integers, day: Integers, kind: Integers, identifiers: pa.Array
) -> Rows:
    """Rows of gp_contacts; ``kind`` is a place in the kinds of services.csv."""
    columns = {
        "contact_id": identifiers,
        "nhs_number": numbers(people.nhs_number[person]),
        "contact_date": days(day),
        "contact_type": labels(service_names("gp")[0], kind),
    }
    return Rows("gp_contacts", columns, person)


def social_care_rows(
    people: People,
    health: Health,
    calendar: Calendar,
    needs: Needs,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """Council services of frail older people; some yearly reviews are overdue or never happened; new home care last."""
    chance = np.interp(health.deficits(people.end), [3, 9, 15], [0.002, 0.12, 0.30])
    chance = np.where(health.has("care-requirement"), chance + 0.35, chance) * (people.age(people.end) >= 50)
    person = np.flatnonzero((generator.random(len(people)) < chance) & (people.end == calendar.as_of))
    begin = calendar.as_of - generator.integers(1, 1800, len(person))
    finish = begin + generator.integers(200, 3000, len(person))
    reviewed = begin + np.floor(generator.random(len(person)) * (calendar.as_of - begin)).astype(np.int64)
    names, weights = service_names("social")
    service, unseen = draw_index(weights, len(person), generator), generator.random(len(person)) < 0.35
    new = len(needs.newcomer)
    person, begin = np.concatenate([person, needs.newcomer]), np.concatenate([begin, needs.start_day])
    finish = np.concatenate([finish, np.full(new, NEVER)])
    reviewed = np.concatenate([reviewed, needs.start_day + int(constant("first_review_days"))])
    service = np.concatenate([service, np.full(new, names.index(HOME_CARE))])
    columns = {
        "service_id": numbered("L", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "service_type": labels(names, service),
        "start_date": days(begin),
        "end_date": days(finish, finish >= calendar.as_of),
        "last_review_date": days(reviewed, np.concatenate([unseen, ~needs.reviewed])),
    }
    return Rows("social_care_services", columns, person)


def agency_rows(
    people: People,
    health: Health,
    calendar: Calendar,
    needs: Needs,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """Contacts with other agencies in the last year, more in the last ninety days for some; escalating calls last."""
    chance = np.interp(health.deficits(people.end), [0, 6, 14], [0.01, 0.04, 0.12]) * (
        people.age(people.end) >= 18
    )
    involved = (generator.random(len(people)) < chance) & (people.end == calendar.as_of)
    person = np.repeat(np.arange(len(people)), np.where(involved, generator.geometric(0.4, len(people)), 0))
    span = np.where(generator.random(len(person)) < 0.35, 90, 365)
    names, weights = service_names("agency")
    agency = draw_index(weights, len(person), generator)
    day = calendar.as_of - 1 - np.floor(generator.random(len(person)) * span).astype(np.int64)
    called = np.array([names.index(name) for name in CALLED])[
        np.arange(len(needs.agency_caller)) % len(CALLED)
    ]
    person = np.concatenate([person, needs.agency_caller])
    columns = {
        "contact_id": numbered("N", first_id, len(person)),
        "nhs_number": numbers(people.nhs_number[person]),
        "agency": labels(names, np.concatenate([agency, called])),
        "contact_date": days(np.concatenate([day, needs.agency_day])),
    }
    return Rows("agency_contacts", columns, person)


def draw_national_opt_outs(people: People, calendar: Calendar, generator: np.random.Generator) -> Booleans:
    """Who has registered a national data opt-out."""
    return generator.random(len(people)) < opt_out_chance(people, calendar)


def opt_out_chance(people: People, calendar: Calendar) -> Floats:
    """The probability of having registered a national data opt-out, by sex and age."""
    age = people.age(calendar.as_of)
    pattern = curve("national_opt_out_age", age)
    level: Floats = np.empty(len(people))
    for female, name in ((True, "national_opt_out_female"), (False, "national_opt_out_male")):
        own = people.female == female
        level[own] = constant(name) / max(float(pattern[own].mean()), 1e-9) if own.any() else 0.0
    return np.asarray(pattern * level, dtype=np.float64)


def opt_out_rows(people: People, opted_out: Booleans, checked_on: int) -> Rows:
    """The list that came back from the opt-out check of a day."""
    person = np.flatnonzero(opted_out)
    columns = {
        "nhs_number": numbers(people.nhs_number[person]),
        "checked_on": days(np.full(len(person), checked_on)),
    }
    return Rows("national_opt_out", columns, person)


def addition_rows(people: People, health: Health, calendar: Calendar, generator: np.random.Generator) -> Rows:
    """A handful of people whom professionals added to a cohort although no rule finds them."""
    unlikely = np.flatnonzero((people.age(people.end) >= 40) & (people.end == calendar.as_of))
    unlikely = unlikely[health.deficits(calendar.as_of)[unlikely] < 9]
    person: Integers = np.sort(generator.permutation(unlikely)[:ADDED_PER_CHUNK])
    reasons, weights = service_names("reason")
    columns = {
        "nhs_number": numbers(people.nhs_number[person]),
        "cohort": constant_text(ADDED_TO, len(person)),
        "reason": labels(reasons, draw_index(weights, len(person), generator)),
        "added_on": days(calendar.as_of - generator.integers(5, 200, len(person))),
        "added_by": constant_text("practice meeting", len(person)),
    }
    return Rows("manual_additions", columns, person)
