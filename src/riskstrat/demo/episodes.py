"""The acute extracts: consultant episodes of the spells, and the admission messages of the last week."""

from __future__ import annotations

from functools import cache

import numpy as np

from riskstrat.demo.calibration import Integers, draw_index, read_knowledge
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


@cache
def acute_providers() -> list[str]:
    """Codes of the two invented acute trusts."""
    return [row["provider_code"] for row in read_knowledge("providers") if row["kind"] == "acute"]


def episode_rows(
    spells: Spells,
    people: People,
    health: Health,
    calendar: Calendar,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """Consultant episodes of the spells admitted before as_of. An open spell has no discharge."""
    diagnoses = draw_diagnoses(spells, people, health, generator)
    count = len(spells)
    nights = spells.discharge - spells.admission
    chance = generator.random(count)
    each = np.where((nights >= 2) & (chance < 0.30), np.where(chance < 0.07, 3, 2), 1)
    owner = np.repeat(np.arange(count), each)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(each) - each, each)
    start = spells.admission[owner] + nights[owner] * number // each[owner]
    finish = spells.admission[owner] + nights[owner] * (number + 1) // each[owner]
    known = start < calendar.as_of
    owner, number, start, finish = owner[known], number[known], start[known], finish[known]
    open_spell = spells.discharge[owner] >= calendar.as_of
    open_episode = finish >= calendar.as_of
    recorded = np.minimum(
        np.where(open_episode, start, finish) + generator.integers(1, 15, len(owner)), calendar.as_of - 1
    )
    recorded = np.maximum(recorded, start)
    columns = {
        "episode_id": numbered("C", first_id, len(owner)),
        "nhs_number": numbers(people.nhs_number[spells.person[owner]]),
        "provider_code": labels(acute_providers(), spells.provider[owner]),
        "spell_id": numbered("S", first_id, count).take(owner),
        "episode_number": numbers(number + 1),
        "admission_date": days(spells.admission[owner]),
        "admission_method": labels(METHODS, spells.method[owner]),
        "source_of_admission": labels(PLACES, spells.source[owner]),
        "patient_classification": labels(CLASSES, spells.classification[owner]),
        "episode_start": days(start),
        "episode_end": days(finish, open_episode),
        "discharge_date": days(spells.discharge[owner], open_spell),
        "discharge_method": labels(ENDINGS, np.where(open_spell, STILL_IN, spells.ending[owner])),
        "discharge_destination": labels(PLACES, np.where(open_spell, NOT_ENDED, spells.destination[owner])),
        "treatment_function": labels(SPECIALTIES, _specialties(spells, generator)[owner]),
        "recorded_date": days(recorded),
    }
    columns.update(diagnosis_columns(diagnoses[owner], spells.provider[owner]))
    return Rows("acute_episodes", columns, spells.person[owner])


def _specialties(spells: Spells, generator: np.random.Generator) -> Integers:
    chosen = np.zeros(len(spells), dtype=np.int64)
    for place, use in enumerate(USES):
        here = np.flatnonzero(spells.use == place)
        chosen[here] = draw_index(np.array(BY_USE[use], dtype=np.float64), len(here), generator)
    return chosen


def message_rows(
    spells: Spells, people: People, calendar: Calendar, first_id: int, generator: np.random.Generator
) -> Rows:
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
    columns = {
        "message_id": numbered("M", first_id, len(spell)),
        "nhs_number": numbers(people.nhs_number[spells.person[spell]]),
        "provider_code": labels(acute_providers(), spells.provider[spell]),
        "event_type": labels(["admitted", "transferred", "cancelled", "discharged"], kind),
        "event_at": moments(moment),
        "ward": labels(WARDS, generator.integers(0, len(WARDS), len(spell))),
    }
    return Rows("acute_adt", columns, spells.person[spell])
