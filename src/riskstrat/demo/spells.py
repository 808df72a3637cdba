"""Provider spells: unplanned stays with transfers, planned and maternity stays, births, regular attenders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from riskstrat.demo.admissions import Stays
from riskstrat.demo.calibration import Booleans, Floats, Integers, constant, draw_index, read_knowledge
from riskstrat.demo.health import Health
from riskstrat.demo.people import HISTORY_YEARS, Calendar, People

# Codes of the NHS Data Dictionary; each list's places are what the arrays of Spells hold.
METHODS = ["21", "22", "23", "24", "2A", "2D", "11", "12", "13", "31", "32", "82", "2B", "81"]
PLACES = ["19", "51", "85", "54", "79", "98", "65"]
CLASSES = ["1", "2", "3", "4"]
ENDINGS = ["1", "2", "4", "8"]
USES = ["unplanned", "elective", "regular", "maternity", "birth"]
HOME, OTHER_HOSPITAL, CARE_HOME, NHS_CARE_HOME, BORN_OR_DIED, NOT_ENDED, _ = range(len(PLACES))
DIED, STILL_IN = 2, 3


@dataclass(frozen=True)
class Spells:
    """Provider spells of a chunk; ``discharge`` may lie on or after as_of, which means still in."""

    person: Integers
    admission: Integers
    discharge: Integers
    provider: Integers
    method: Integers
    source: Integers
    destination: Integers
    classification: Integers
    ending: Integers
    use: Integers

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers | Booleans) -> Spells:
        """The spells at some places, or where a mask is true."""
        return Spells(*(getattr(self, field.name)[places] for field in fields(self)))


def joined(parts: Sequence[Spells]) -> Spells:
    """Several sets of spells as one, by person and admission."""
    together = Spells(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Spells))
    )
    return together.at(np.lexsort((together.discharge, together.admission, together.person)))


def unplanned_spells(
    people: People, health: Health, stays: Stays, usual: Integers, generator: np.random.Generator
) -> Spells:
    """One spell a stay, and a second one at the other trust where the patient was transferred."""
    count, person = len(stays), stays.person
    provider = np.where(generator.random(count) < 0.92, usual[person], 1 - usual[person])
    in_care_home = health.since("care-home")[person] <= stays.day
    home = np.where(in_care_home, CARE_HOME, HOME)
    discharge = stays.day + stays.nights
    dies = discharge >= people.death[person]
    method = _methods("unplanned", count, generator)
    first = Spells(
        person, stays.day, discharge, provider, method, home, np.where(dies, BORN_OR_DIED, home),
        np.zeros(count, dtype=np.int64), np.where(dies, DIED, _endings(count, generator)),
        np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    moved = (stays.nights >= 2) & (generator.random(count) < constant("transfer_share") / 0.5)
    return _with_transfers(first, moved, generator)


def _with_transfers(spells: Spells, moved: Booleans, generator: np.random.Generator) -> Spells:
    going, staying = spells.at(moved), spells.at(~moved)
    count = len(going)
    nights = going.discharge - going.admission
    leave = going.admission + 1 + np.floor(generator.random(count) * (nights - 1)).astype(np.int64)
    arrive = np.minimum(leave + generator.integers(0, 2, count), going.discharge)
    method = np.where(generator.random(count) < 0.7, METHODS.index("2B"), METHODS.index("81"))
    before = Spells(
        going.person, going.admission, leave, going.provider, going.method, going.source,
        np.full(count, OTHER_HOSPITAL), going.classification, np.zeros(count, dtype=np.int64), going.use,
    )  # fmt: skip
    after = Spells(
        going.person, arrive, going.discharge, 1 - going.provider, method, np.full(count, OTHER_HOSPITAL),
        going.destination, going.classification, going.ending, going.use,
    )  # fmt: skip
    return joined([staying, before, after])


def planned_spells(
    people: People, calendar: Calendar, usual: Integers, generator: np.random.Generator
) -> Spells:
    """Day cases, ordinary elective stays, regular attenders, maternity stays and births."""
    elective = generator.poisson(elective_rate(people, calendar.as_of) * HISTORY_YEARS)
    regular = _regular_counts(people, generator)
    maternity = generator.poisson(maternity_rate(people, calendar.as_of) * HISTORY_YEARS)
    parts = [
        spread(use, counts, people, calendar.recent_start, usual=usual, generator=generator)
        for use, counts in (("elective", elective), ("regular", regular), ("maternity", maternity))
    ]
    parts.append(_births(people, calendar, usual, generator))
    for first, last in calendar.older:
        then = replace(people, end=np.minimum(people.end, last))
        lived = np.maximum(then.end - np.maximum(first, people.birth), 0) / (last - first)
        parts += [
            spread(use, counts, then, first, usual=usual, generator=generator)
            for use, counts in (
                ("elective", generator.poisson(elective_rate(people, first) * lived)),
                ("regular", regular // HISTORY_YEARS),
                ("maternity", generator.poisson(maternity_rate(people, first) * lived)),
            )
        ]
    return joined(parts)


def elective_rate(people: People, as_of: int) -> Floats:
    """Day cases and ordinary elective stays a year."""
    rate: Floats = constant("elective_rate") * np.interp(
        people.age(as_of), [0, 10, 20, 60, 75, 95], [0.25, 0.35, 0.4, 1.0, 1.7, 1.1]
    )
    return rate


def _regular_counts(people: People, generator: np.random.Generator) -> Integers:
    attends = (people.age(people.end) >= 40) & (
        generator.random(len(people)) < constant("regular_attender_share")
    )
    return np.where(attends, generator.integers(20, 120, len(people)), 0)


def maternity_rate(people: People, as_of: int) -> Floats:
    """Maternity stays a year."""
    age = people.age(as_of)
    of_age = people.female & (age >= 18) & (age < 43)
    return np.where(of_age, constant("maternity_rate"), 0.0)


def spread(
    use: str,
    counts: Integers,
    people: People,
    first: int,
    *,
    usual: Integers,
    generator: np.random.Generator,
) -> Spells:
    """So many spells of one use for each person, from a day to the person's end."""
    person = np.repeat(np.arange(len(people)), counts)
    count = len(person)
    begin = np.maximum(first, people.birth[person])
    day = begin + np.floor(generator.random(count) * (people.end[person] - begin)).astype(np.int64)
    chosen = day < people.end[person]
    person, day, count = person[chosen], day[chosen], int(chosen.sum())
    overnight = generator.random(count) < {"elective": 0.22, "maternity": 0.8, "regular": 0.0}[use]
    nights = np.where(overnight, 1 + generator.geometric(0.35, count), 0)
    classification = np.zeros(count, dtype=np.int64)
    if use == "elective":
        classification = np.where(overnight, 0, 1)
    if use == "regular":
        classification = np.where(generator.random(count) < 0.9, 2, 3)
    method = _methods("elective", count, generator)
    if use == "maternity":
        method = np.where(generator.random(count) < 0.93, METHODS.index("31"), METHODS.index("32"))
    return Spells(
        person, day, np.minimum(day + nights, people.death[person]), usual[person], method,
        np.full(count, HOME), np.full(count, HOME), classification, np.zeros(count, dtype=np.int64),
        np.full(count, USES.index(use)),
    )  # fmt: skip


def _births(people: People, calendar: Calendar, usual: Integers, generator: np.random.Generator) -> Spells:
    person = np.flatnonzero((people.birth >= calendar.history_start) & (people.birth < people.end))
    count = len(person)
    day = people.birth[person]
    zeros = np.zeros(count, dtype=np.int64)
    return Spells(
        person, day, day + generator.integers(0, 3, count), usual[person],
        np.full(count, METHODS.index("82")),
        np.full(count, BORN_OR_DIED), np.full(count, HOME), zeros, zeros, np.full(count, USES.index("birth")),
    )  # fmt: skip


def without_overlaps(unplanned: Spells, planned: Spells) -> Spells:
    """All spells, less the planned ones that touch another of the person: nobody is in two beds at once."""
    spells = joined([unplanned, planned])
    is_planned = (spells.use != 0) & (spells.use != USES.index("birth"))
    same = spells.person[1:] == spells.person[:-1]
    touches = same & (spells.admission[1:] <= spells.discharge[:-1] + 2)
    drop = np.zeros(len(spells), dtype=bool)
    drop[1:] |= touches
    drop[:-1] |= touches
    return spells.at(~(drop & is_planned))


def usual_providers(people: People, generator: np.random.Generator) -> Integers:
    """The trust that each person mostly goes to: place 0 or 1."""
    return (generator.random(len(people)) < constant("second_provider_share")).astype(np.int64)


def _methods(kind: str, count: int, generator: np.random.Generator) -> Integers:
    rows = [row for row in read_knowledge("admission_methods") if row["kind"] == kind]
    codes = np.array([METHODS.index(row["admission_method"]) for row in rows])
    return codes[draw_index(np.array([float(row["share"]) for row in rows]), count, generator)]


def _endings(count: int, generator: np.random.Generator) -> Integers:
    return (generator.random(count) < 0.03).astype(np.int64)
