"""What else is recorded of the people: every entry, medicine, attendance and contact that a whole record holds.

Rows a person are those of the demo town of riskstrat at 100,000 people, more for people in worse health; how GP entries
divide into domains, and which concepts they have, is made up. No row bears on the benchmark's question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.cohorts.people import TODAY, YEAR, Numbers, People

# Rows a person of each kind, and the years they go back over.
A_PERSON = {
    "condition": (5.1, 20),
    "measurement": (11.6, 5),
    "observation": (9.0, 5),
    "drug": (12.5, 2),
    "gp_contact": (6.0, 3),
    "community_contact": (4.0, 3),
    "emergency": (1.55, 3),
}
DIAGNOSES_A_STAY = 5
# First concept of each kind of coded entry and how many there are: made up, above OMOP's own numbers.
CODED = {
    "condition": (2_100_000_000, 1_500),
    "measurement": (2_100_010_000, 400),
    "observation": (2_100_020_000, 2_000),
    "drug": (2_100_030_000, 1_200),
}
# OMOP's concepts of visits: outpatient, home, emergency room.
VISITS = {"gp_contact": 9202, "community_contact": 581476, "emergency": 9203}


@dataclass(frozen=True)
class Entries:
    """Parallel columns in the order of people and days: person's place, day since 1970, concept; values or nothing."""

    person: Numbers
    day: Numbers
    concept: Numbers
    value: Numbers | None = None

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Records:
    """Entries by the domain of OMOP that holds them."""

    conditions: Entries
    measurements: Entries
    observations: Entries
    drugs: Entries
    visits: Entries


def make_records(people: People, seed: int) -> Records:
    """Draw everything else. The same arguments give the same entries."""
    rng = np.random.default_rng(seed + 2)
    share = np.clip(people.health, 0.1, 8) / np.clip(people.health, 0.1, 8).mean()

    def drawn(kind: str) -> Entries:
        rows, years = A_PERSON[kind]
        person = np.repeat(np.arange(len(people), dtype=np.int32), rng.poisson(rows * share))
        day = TODAY - rng.integers(1, int(years * YEAR), len(person), dtype=np.int32)
        first, number = CODED.get(kind, (VISITS.get(kind, 0), 1))
        # a few codes make up most entries
        place = (number * rng.beta(0.6, 4.0, len(person))).astype(np.int32)
        value = rng.gamma(4.0, 20.0, len(person)).round(1) if kind == "measurement" else None
        return _in_order(person, np.maximum(day, people.birth_day[person]), first + place, value)

    visits = [drawn(kind) for kind in VISITS]
    return Records(
        _joined(drawn("condition"), _diagnoses(rng, people)),
        drawn("measurement"),
        drawn("observation"),
        drawn("drug"),
        _joined(*visits),
    )


def _diagnoses(rng: np.random.Generator, people: People) -> Entries:
    """The diagnoses of every stay in hospital, on the day of admission."""
    person = np.concatenate([people.unplanned.person, people.planned.person])
    day = np.concatenate([people.unplanned.day, people.planned.day])
    stay = np.repeat(np.arange(len(person)), 1 + rng.poisson(DIAGNOSES_A_STAY - 1, len(person)))
    first, number = CODED["condition"]
    return Entries(person[stay], day[stay], first + (number * rng.random(len(stay))).astype(np.int32))


def _joined(*parts: Entries) -> Entries:
    return _in_order(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("person", "day", "concept"))
    )


def _in_order(person: Numbers, day: Numbers, concept: Numbers, value: Numbers | None = None) -> Entries:
    order = np.argsort(person.astype(np.int64) * 100_000 + day, kind="stable")
    ordered = (column[order].astype(np.int32) for column in (person, day, concept))
    return Entries(*ordered, None if value is None else value[order])
