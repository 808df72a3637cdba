"""The acute extracts: consultant episodes of the spells, and the admission messages of the last week."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Integers, draw_index, read_knowledge
from riskstrat.demo.diagnoses import diagnosis_columns, draw_diagnoses
from riskstrat.demo.health import Health
from riskstrat.demo.people import Calendar, People
from riskstrat.demo.rows import Rows, days, labels, moments, numbered, numbers
from riskstrat.demo.spells import CLASSES, ENDINGS, METHODS, NOT_ENDED, PLACES, STILL_IN, USES, Spells

SPECIALTIES = ["300", "430", "340", "320", "100", "110", "501", "420", "180"]
BY_USE = {
    "unplanned": [8, 4, 2, 2, 2, 2, 0, 1, 3],
    "elective": [2, 0, 1, 2, 6, 5, 0, 0, 0],
    "regular": [10, 0, 0, 0, 0, 0, 0, 0, 0],
    "maternity": [0, 0, 0, 0, 0, 0, 10, 0, 0],
    "birth": [0, 0, 0, 0, 0, 0, 0, 10, 0],
}
WARDS = ["Acute medical unit", "Ward 4", "Ward 7", "Ward 12", "Older people's unit", "Surgical assessment"]
MESSAGE_DAYS = 7
MESSAGES = ["admitted", "transferred", "cancelled", "discharged"]
ADMITTED, TRANSFERRED, CANCELLED, DISCHARGED = range(len(MESSAGES))


@cache
def acute_providers() -> list[str]:
    """Codes of the two invented acute trusts."""
    return [row["provider_code"] for row in read_knowledge("providers") if row["kind"] == "acute"]


@dataclass(frozen=True)
class Episodes:
    """Consultant episodes, one array element each: the place of their spell, their place in it, first and last day.

    ``lag`` is how many days after the end an episode is recorded. Specialty and diagnoses are by spell.
    """

    owner: Integers
    number: Integers
    start: Integers
    finish: Integers
    lag: Integers
    specialty: Integers
    diagnoses: Integers

    def __len__(self) -> int:
        return len(self.owner)

    def at(self, places: Integers | Booleans) -> Episodes:
        """The episodes at some places, or where a mask is true, of the same spells."""
        return replace(
            self,
            owner=self.owner[places],
            number=self.number[places],
            start=self.start[places],
            finish=self.finish[places],
            lag=self.lag[places],
        )


def draw_episodes(
    spells: Spells,
    people: People,
    health: Health,
    *,
    recent_since: int,
    known_before: int,
    generator: np.random.Generator,
) -> Episodes:
    """All episodes of the spells; only those that start before ``known_before`` get a lag."""
    diagnoses = draw_diagnoses(spells, people, health, recent_since, generator)
    count = len(spells)
    nights = spells.discharge - spells.admission
    chance = generator.random(count)
    each = np.where((nights >= 2) & (chance < 0.30), np.where(chance < 0.07, 3, 2), 1)
    owner = np.repeat(np.arange(count), each)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(each) - each, each)
    start = spells.admission[owner] + nights[owner] * number // each[owner]
    finish = spells.admission[owner] + nights[owner] * (number + 1) // each[owner]
    known = start < known_before
    lag = np.zeros(len(owner), dtype=np.int64)
    lag[known] = generator.integers(1, 15, int(known.sum()))
    return Episodes(owner, number, start, finish, lag, _specialties(spells, generator), diagnoses)


def episode_rows(
    episodes: Episodes, spells: Spells, people: People, calendar: Calendar, *, first_id: int
) -> Rows:
    """The extract acute_episodes: what started before as_of. An open spell has no discharge."""
    known = episodes.at(episodes.start < calendar.as_of)
    today = np.full(len(known), calendar.as_of)
    last = np.where(known.finish >= calendar.as_of, known.start, known.finish)
    recorded = np.maximum(np.minimum(last + known.lag, calendar.as_of - 1), known.start)
    columns = {
        "episode_id": numbered("C", first_id, len(known)),
        "spell_id": numbered("S", first_id, len(spells)).take(known.owner),
        **episode_columns(known, spells, people, today=today, recorded=recorded),
    }
    return Rows("acute_episodes", columns, spells.person[known.owner])


def episode_columns(
    episodes: Episodes, spells: Spells, people: People, *, today: Integers, recorded: Integers
) -> dict[str, pa.Array]:
    """All columns but identifiers. What ends on or after ``today`` (a day for each episode) has not ended yet."""
    owner = episodes.owner
    open_spell, open_episode = spells.discharge[owner] >= today, episodes.finish >= today
    return {
        "nhs_number": numbers(people.nhs_number[spells.person[owner]]),
        "provider_code": labels(acute_providers(), spells.provider[owner]),
        "episode_number": numbers(episodes.number + 1),
        "admission_date": days(spells.admission[owner]),
        "admission_method": labels(METHODS, spells.method[owner]),
        "source_of_admission": labels(PLACES, spells.source[owner]),
        "patient_classification": labels(CLASSES, spells.classification[owner]),
        "episode_start": days(episodes.start),
        "episode_end": days(episodes.finish, open_episode),
        "discharge_date": days(spells.discharge[owner], open_spell),
        "discharge_method": labels(ENDINGS, np.where(open_spell, STILL_IN, spells.ending[owner])),
        "discharge_destination": labels(PLACES, np.where(open_spell, NOT_ENDED, spells.destination[owner])),
        "treatment_function": labels(SPECIALTIES, episodes.specialty[owner]),
        "recorded_date": days(recorded),
        **diagnosis_columns(episodes.diagnoses[owner], spells.provider[owner]),
    }


def _specialties(spells: Spells, generator: np.random.Generator) -> Integers:
    chosen = np.zeros(len(spells), dtype=np.int64)
    for place, use in enumerate(USES):
        here = np.flatnonzero(spells.use == place)
        chosen[here] = draw_index(np.array(BY_USE[use], dtype=np.float64), len(here), generator)
    return chosen


@dataclass(frozen=True)
class Messages:
    """Messages, one array element each: the place of the spell, person, trust, what happened, when, and ward.

    ``moment`` is a minute since 1970, ``kind`` a place in MESSAGES.
    """

    spell: Integers
    person: Integers
    provider: Integers
    kind: Integers
    moment: Integers
    ward: Integers

    def __len__(self) -> int:
        return len(self.person)

    def at(self, places: Integers | Booleans) -> Messages:
        """The messages at some places, or where a mask is true."""
        return Messages(*(getattr(self, field.name)[places] for field in fields(self)))


def draw_messages(spells: Spells, calendar: Calendar, generator: np.random.Generator) -> Messages:
    """Admission, transfer, discharge and a few cancelled messages of the seven days before as_of."""
    week = calendar.as_of - MESSAGE_DAYS
    ordinary = spells.classification < 2
    admitted = np.flatnonzero(ordinary & (spells.admission >= week) & (spells.admission < calendar.as_of))
    left = np.flatnonzero(ordinary & (spells.discharge >= week) & (spells.discharge < calendar.as_of))
    moved = admitted[generator.random(len(admitted)) < 0.35]
    withdrawn = admitted[generator.random(len(admitted)) < 0.02]
    spell = np.concatenate([admitted, moved, withdrawn, left])
    kind = np.repeat(np.arange(4), [len(admitted), len(moved), len(withdrawn), len(left)])
    day = np.where(kind == 3, spells.discharge[spell], spells.admission[spell])
    hour = np.array([[480, 900], [900, 1300], [1300, 1380], [600, 1200]])[kind]
    minute = np.floor(hour[:, 0] + generator.random(len(spell)) * (hour[:, 1] - hour[:, 0])).astype(np.int64)
    same_day = (kind == 3) & (spells.discharge[spell] == spells.admission[spell])
    minute = np.where(same_day, 1385 + minute % 50, minute)
    order = np.argsort(day * 1440 + minute, kind="stable")
    spell, kind, moment = spell[order], kind[order], (day * 1440 + minute)[order]
    ward = generator.integers(0, len(WARDS), len(spell))
    return Messages(spell, spells.person[spell], spells.provider[spell], kind, moment, ward)


def message_rows(messages: Messages, people: People, identifiers: pa.Array) -> Rows:
    """The extract acute_adt, with an identifier for each message."""
    columns = {
        "message_id": identifiers,
        "nhs_number": numbers(people.nhs_number[messages.person]),
        "provider_code": labels(acute_providers(), messages.provider),
        "event_type": labels(MESSAGES, messages.kind),
        "event_at": moments(messages.moment),
        "ward": labels(WARDS, messages.ward),
    }
    return Rows("acute_adt", columns, messages.person)
