"""The GP register: who is registered where and since when, and their private details."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Integers, constant, draw_index, read_knowledge
from riskstrat.demo.people import DEAD, ELSEWHERE, LEFT, OUT_OF_SCOPE_PRACTICE, YEAR, Calendar, People, Place
from riskstrat.demo.rows import NEVER, Rows, days, labels, numbers

SEXES = ["1", "2", "9", "X"]


@cache
def _names(kind: str) -> list[str]:
    return [row["name"] for row in read_knowledge("names") if row["kind"] == kind]


@cache
def _postcodes() -> list[str]:
    """Postcodes of ZZ, an area that does not exist."""
    letters = "ABDEFGHJLN"
    return [
        f"ZZ{district} {sector}{first}{first}"
        for district in range(1, 7)
        for sector in range(1, 10)
        for first in letters
    ]


@dataclass(frozen=True)
class Register:
    """Registrations by person and start, and what the register says of each person.

    ``practice`` is a place in ``practices``, ``until`` the last day or NEVER; ``details`` are columns by person.
    """

    practices: list[str]
    person: Integers
    practice: Integers
    since: Integers
    until: Integers
    details: dict[str, pa.Array]


def draw_register(
    people: People, place: Place, calendar: Calendar, generator: np.random.Generator
) -> Register:
    """The present registration of everybody and the earlier ones of some."""
    begin, finish = _present(people, calendar, generator)
    practices = [*place.practices, OUT_OF_SCOPE_PRACTICE]
    practice = np.where(people.status == ELSEWHERE, len(place.practices), people.practice)
    person, where, since, until = _with_earlier(
        people, place, practice, begin=begin, finish=finish, generator=generator
    )
    order = np.lexsort((since, person))
    details = _details(people, place, generator)
    return Register(practices, person[order], where[order], since[order], until[order], details)


def patient_rows(register: Register) -> Rows:
    """The extract gp_patients."""
    person, where = register.person, register.practice
    columns = {
        "practice_code": labels(register.practices, where),
        "registered_from": days(register.since),
        "registered_to": days(register.until, register.until == NEVER),
        "usual_gp": labels(
            [f"Dr {name}" for name in _names("family")], (where * 7 + person) % len(_names("family"))
        ),
    }
    for name, column in register.details.items():
        columns[name] = column.take(pa.array(person))
    return Rows("gp_patients", columns, person)


def _present(people: People, calendar: Calendar, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """First and last day of everybody's latest registration; NEVER is open."""
    years = np.minimum(
        generator.exponential(constant("registration_mean_years"), len(people)), people.age(people.end)
    )
    finish = np.full(len(people), NEVER, dtype=np.int64)
    left = people.status == LEFT
    gone = replace(calendar, as_of=calendar.as_of - 1)
    finish[left] = gone.days_of_going(calendar.history_start, int(left.sum()), generator)
    finish = np.maximum(finish, people.birth)
    died = people.status == DEAD
    # A practice closes the registration of somebody who died, most of the time.
    closed = died & (generator.random(len(people)) < 0.8)
    finish[closed] = people.death[closed]
    reference = np.minimum(people.end - 1, finish)
    begin = np.maximum(reference - np.floor(years * YEAR).astype(np.int64), people.birth)
    return np.minimum(begin, reference), finish


def _with_earlier(
    people: People,
    place: Place,
    practice: Integers,
    *,
    begin: Integers,
    finish: Integers,
    generator: np.random.Generator,
) -> tuple[Integers, Integers, Integers, Integers]:
    """Persons, practices, first and last days of all registrations."""
    count = len(people)
    chance = generator.random(count)
    shares = np.cumsum([constant(name) for name in ("moved_share", "returned_share", "overlap_share")])
    kind = np.searchsorted(shares, chance, side="right")
    earlier = begin - generator.integers(200, 3000, count)
    has_room = (earlier > people.birth) & (people.status != ELSEWHERE)
    other = (practice + 1 + generator.integers(0, max(len(place.practices) - 1, 1), count)) % len(
        place.practices
    )
    gap = generator.integers(1, 150, count)
    moved, returned, overlap = (np.flatnonzero((kind == number) & has_room) for number in range(3))
    return (
        np.concatenate([np.arange(count), moved, returned, overlap]),
        np.concatenate([practice, other[moved], practice[returned], other[overlap]]),
        np.concatenate([begin, earlier[moved], earlier[returned], earlier[overlap]]),
        np.concatenate([finish, begin[moved] - 1, (begin - gap)[returned], finish[overlap]]),
    )


def _details(people: People, place: Place, generator: np.random.Generator) -> dict[str, pa.Array]:
    """Columns that are the same in all registrations of a person."""
    count = len(people)
    given = _names("female") + _names("male")
    half = len(_names("female"))
    name = generator.integers(0, half, count) + np.where(people.female, 0, half)
    return {
        "nhs_number": numbers(people.nhs_number),
        "date_of_birth": days(people.birth),
        "date_of_death": days(people.death, people.death == NEVER),
        "sex": labels(SEXES, people.sex),
        "ethnic_category": _ethnicity(people, generator),
        "lsoa_code": labels(list(place.areas), people.area, _missing_areas(people, generator)),
        "given_name": labels(given, name),
        "family_name": labels(_names("family"), generator.integers(0, len(_names("family")), count)),
        "postcode": labels(_postcodes(), generator.integers(0, len(_postcodes()), count)),
    }


def _missing_areas(people: People, generator: np.random.Generator) -> Booleans:
    return generator.random(len(people)) < constant("lsoa_missing")


def _ethnicity(people: People, generator: np.random.Generator) -> pa.Array:
    categories = [row["ethnic_category"] for row in read_knowledge("ethnicity")]
    lost = [constant(name) for name in ("ethnic_not_stated", "ethnic_unknown", "ethnic_blank")]
    known = draw_index(np.array([*lost, 1 - sum(lost)]), len(people), generator)
    places = np.where(known == 3, people.ethnicity, len(categories) + known)
    return labels([*categories, "Z", "99", ""], places)
