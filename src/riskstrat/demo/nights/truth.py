"""The truth of every night: what a faithful reader of everything delivered before as_of knows of each person.

It is taken from what the generator drew and when it sent word of it, never from the rows themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from riskstrat.dates import months_before
from riskstrat.demo.calibration import Booleans, Integers
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.community import NO_MANAGER, service_names
from riskstrat.demo.nights.additions import ADDED_TO, Additions
from riskstrat.demo.nights.changes import Changes
from riskstrat.demo.nights.emergency import Emergencies
from riskstrat.demo.nights.messages import DAY, Bed
from riskstrat.demo.nights.records import Onsets
from riskstrat.demo.nights.register import Newcomers
from riskstrat.demo.nights.teams import Work, caseload_before
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.people import ELSEWHERE, OPEN
from riskstrat.demo.rows import EPOCH, NEVER, day_number
from riskstrat.demo.truth import EFI_CATEGORIES, EFI_EDGES, completed_years, dates

# The words of the daily list, the first of which that is true of a person counts, and their days (RULES of the lists).
EVENTS = ("in_ae", "admitted", "in_hospital", "discharged")
IN_AE_DAYS, EVENT_DAYS = 1, 2
OUT = ("died", "moved", "opted out")
NIGHTS_SCHEMA = pa.schema(
    [
        ("as_of", pa.date32()),
        ("person", pa.int64()),
        ("nhs_number", pa.string()),
        ("in_population", pa.bool_()),
        ("not_in_population_because", pa.string()),
        ("age", pa.int32()),
        ("practice_code", pa.string()),
        ("neighbourhood_code", pa.string()),
        ("date_of_death", pa.date32()),
        ("national_opt_out", pa.bool_()),
        ("type1_opt_out", pa.bool_()),
        ("efi_deficits", pa.int32()),
        ("efi_category", pa.string()),
        ("unplanned_admissions_12m", pa.int32()),
        ("last_admission_date", pa.date32()),
        ("is_inpatient", pa.bool_()),
        ("event", pa.string()),
        ("event_date", pa.date32()),
        ("is_known_to_team", pa.bool_()),
        ("on_caseload_since", pa.date32()),
        ("case_manager", pa.string()),
        ("care_plan_created_date", pa.date32()),
        ("care_plan_last_reviewed_date", pa.date32()),
        ("five_questions_last_asked_date", pa.date32()),
        ("added_to", pa.string()),
    ]
)


@dataclass(frozen=True)
class Known:
    """All that the generator drew of a chunk's nights."""

    told: Chunk
    wards: Wards
    beds: Bed
    emergencies: Emergencies
    changes: Changes
    newcomers: Newcomers
    onsets: tuple[Onsets, ...]
    work: Work
    additions: Additions


def night_table(known: Known, today: int, first_newcomer: int) -> pa.Table:
    """The truth of one night: a row a person of the first delivery, then the newcomers who have registered."""
    told, new = known.told, np.flatnonzero(known.newcomers.since < today)
    mine, theirs = _of_residents(known, today), _of_newcomers(known, new)
    every = {name: np.concatenate([mine[name], theirs[name]]) for name in mine}
    count = len(told.people)
    person = np.concatenate([np.arange(told.first_person, told.first_person + count), first_newcomer + new])
    columns: dict[str, object] = {
        "as_of": dates(np.full(len(person), today)),
        "person": person,
        "nhs_number": [str(number) for number in every["nhs_number"]],
        "in_population": every["out"] < 0,
        "not_in_population_because": _words(OUT, every["out"]),
        "age": completed_years(every["birth"], today),
        "practice_code": _words(told.register.practices, every["practice"]),
        "neighbourhood_code": _words([*told.place.neighbourhoods, None], every["practice"]),
        "date_of_death": dates(every["death"]),
        "national_opt_out": every["national"] > 0,
        "type1_opt_out": every["type_1"] > 0,
        "efi_deficits": every["deficits"],
        "efi_category": np.array(EFI_CATEGORIES)[np.digitize(every["deficits"], EFI_EDGES)],
        "unplanned_admissions_12m": every["admissions"],
        "last_admission_date": dates(every["last_admission"]),
        "is_inpatient": every["inpatient"] > 0,
        "event": _words(EVENTS, every["event"]),
        "event_date": dates(every["event_day"]),
        "is_known_to_team": every["on_caseload"] > 0,
        "on_caseload_since": dates(every["on_caseload_since"]),
        "case_manager": _words(service_names("manager")[0], every["manager"]),
        "care_plan_created_date": dates(every["created"]),
        "care_plan_last_reviewed_date": dates(every["reviewed"]),
        "five_questions_last_asked_date": dates(every["asked"]),
        "added_to": _words([ADDED_TO], every["added"] - 1),
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in NIGHTS_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=NIGHTS_SCHEMA)


def _of_residents(known: Known, today: int) -> dict[str, Integers]:
    """Numbers by person of the first delivery: places of words, -1 for none; days, NEVER for none; 1 for yes."""
    told, changes, count = known.told, known.changes, len(known.told.people)
    event, event_day = _events(known, today)
    national = told.opted_out | (changes.national.told < today)
    type_1 = told.chart.flags["type1_opt_out"] | (changes.type_1.told < today)
    death = np.where(changes.death.told < today, changes.death.day, told.people.death)
    gone = (told.people.status != OPEN) | (changes.left.told < today)
    practice = np.where(changes.moved.told < today, changes.moved_to, told.people.practice)
    elsewhere = told.people.status == ELSEWHERE
    added = np.zeros(count, dtype=np.int64)
    added[known.additions.person[known.additions.day < today]] = 1
    return {
        "nhs_number": told.people.nhs_number,
        "birth": told.people.birth,
        "out": np.select([death < NEVER, gone, national | type_1], [0, 1, 2], -1),
        "practice": np.where(elsewhere, len(told.register.practices) - 1, practice),
        "death": death,
        "national": national.astype(np.int64),
        "type_1": type_1.astype(np.int64),
        "deficits": _deficits(known, today),
        **_admissions(known, today),
        "event": event,
        "event_day": event_day,
        **_teamwork(known, today),
        "added": added,
    }


def _of_newcomers(known: Known, new: Integers) -> dict[str, Integers]:
    """The same for newcomers who have registered: nothing but their record is known."""
    newcomers = known.newcomers
    none, never = np.full(len(new), -1), np.full(len(new), NEVER)
    zero = np.zeros(len(new), dtype=np.int64)
    type_1 = newcomers.chart.flags["type1_opt_out"][new].astype(np.int64)
    return {
        "nhs_number": newcomers.people.nhs_number[new],
        "birth": newcomers.people.birth[new],
        "out": np.where(type_1 > 0, OUT.index("opted out"), -1),
        "practice": newcomers.people.practice[new],
        "death": never,
        "national": zero,
        "type_1": type_1,
        "deficits": newcomers.health.deficits(known.told.calendar.as_of)[new],
        "admissions": zero,
        "last_admission": never,
        "inpatient": zero,
        "event": none,
        "event_day": never,
        "on_caseload": zero,
        "on_caseload_since": never,
        "manager": none,
        "created": never,
        "reviewed": never,
        "asked": never,
        "added": zero,
    }


def _deficits(known: Known, today: int) -> Integers:
    base = known.told.health.deficits(known.told.calendar.as_of)
    for onsets in known.onsets:
        base = base + np.bincount(onsets.person[onsets.told < today], minlength=len(base))
    return base


def _admissions(known: Known, today: int) -> dict[str, Integers]:
    """Unplanned admissions of twelve months, the day of the latest admission of any kind, and who is an in-patient."""
    told, wards, count = known.told, known.wards, len(known.told.people)
    spells, start = wards.spells, day_number(months_before(EPOCH + timedelta(days=today), 12))
    counted = (told.stays.window > 0) & (told.stays.day >= start)
    new = wards.is_new_stay & (wards.admission_told < today) & (spells.admission >= start)
    admissions = np.bincount(told.stays.person[counted], minlength=count)
    admissions += np.bincount(spells.person[new], minlength=count)
    past = told.hospital.spells.at(told.hospital.spells.classification < 2)
    ordinary = (spells.classification < 2) & (wards.admission_told < today)
    by_message = (known.beds.admission_told < today) & (known.beds.cancelled_told >= today)
    latest = np.full(count, -NEVER, dtype=np.int64)
    for person, day in (
        (past.person, past.admission),
        (spells.person[ordinary], spells.admission[ordinary]),
        (known.beds.person[by_message], known.beds.admission[by_message]),
    ):
        np.maximum.at(latest, person, day)
    inpatient = np.zeros(count, dtype=np.int64)
    inpatient[spells.person[ordinary & (wards.discharge_told >= today)]] = 1
    return {
        "admissions": admissions,
        "last_admission": np.where(latest < 0, NEVER, latest),
        "inpatient": inpatient,
    }


def _events(known: Known, today: int) -> tuple[Integers, Integers]:
    """The event of each person, -1 for none, and its day; the latest of those that count."""
    beds, attended = known.beds, known.emergencies.attendances
    in_bed, gone = _beds_now(beds, today)
    recent = today - beds.admission <= EVENT_DAYS
    arrived = attended.arrived // DAY
    waiting = known.emergencies.is_emergency & (known.emergencies.arrival_told < today)
    waiting &= (arrived < today) & (today - arrived <= IN_AE_DAYS)
    waiting &= known.emergencies.departure_told >= today
    found = (
        ("discharged", beds.person, beds.discharge, gone & (today - beds.discharge <= EVENT_DAYS)),
        ("in_hospital", beds.person, beds.admission, in_bed & ~recent),
        ("admitted", beds.person, beds.admission, in_bed & recent),
        ("in_ae", attended.person, arrived, waiting),
    )
    event = np.full(len(known.told.people), -1, dtype=np.int64)
    event_day = np.full(len(event), NEVER, dtype=np.int64)
    for name, person, day, chosen in found:
        latest = np.full(len(event), -NEVER, dtype=np.int64)
        np.maximum.at(latest, person[chosen], day[chosen])
        has = latest >= 0
        event[has], event_day[has] = EVENTS.index(name), latest[has]
    return event, event_day


def _beds_now(beds: Bed, today: int) -> tuple[Booleans, Booleans]:
    """Which stays go on, and which have ended, as far as messages are known; a trust's latest stay of a person counts.

    Episodes can end a stay of which a message told the beginning.
    """
    began, ended = beds.admission_told < today, beds.discharge_told < today
    ended |= began & (beds.ended_told < today)
    spoken = (began | ended) & (beds.cancelled_told >= today)
    order = np.lexsort((beds.admission, beds.provider, beds.person))
    order = order[spoken[order]]
    same = (beds.person[order][1:] == beds.person[order][:-1]) & (
        beds.provider[order][1:] == beds.provider[order][:-1]
    )
    latest = np.zeros(len(spoken), dtype=bool)
    latest[order] = np.append(~same, True)[: len(order)]
    return latest & ~ended, latest & ended


def _teamwork(known: Known, today: int) -> dict[str, Integers]:
    """Who is on a caseload and with whom, care plans and their reviews, and when the five questions were last asked."""
    told, work, count = known.told, known.work, len(known.told.people)
    caseload = caseload_before(work, today)
    still = caseload.finish >= today
    on_caseload, manager = np.zeros(count, dtype=np.int64), np.full(count, NO_MANAGER)
    since = np.full(count, NEVER)
    on_caseload[caseload.person[still]] = 1
    since[caseload.person[still]] = caseload.begin[still]
    manager[caseload.person[still]] = caseload.manager[still]
    plans = work.plans
    made = plans.created < today
    first_review = made & (plans.reviewed < today)
    later_review = made & (work.review < today)

    def latest(*parts: tuple[Integers, Integers]) -> Integers:
        day = np.full(count, -NEVER, dtype=np.int64)
        for person, when in parts:
            np.maximum.at(day, person, when)
        return np.where(day < 0, NEVER, day)

    asked = work.asked_on < today
    return {
        "on_caseload": on_caseload,
        "on_caseload_since": since,
        "manager": manager,
        "created": latest((plans.person[made], plans.created[made])),
        "reviewed": latest(
            (plans.person[first_review], plans.reviewed[first_review]),
            (plans.person[later_review], work.review[later_review]),
        ),
        "asked": latest((told.team.asked, told.team.asked_on), (work.asked[asked], work.asked_on[asked])),
    }


def _words(words: Sequence[str | None], places: Integers) -> pa.Array:
    """The word of each place, nothing for -1."""
    return pa.array(list(words), pa.string()).take(pa.array(np.maximum(places, 0), mask=places < 0))
