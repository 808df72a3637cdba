"""Messages of hospitals about the stays of the nights: some late, some twice, none in the order of what happened.

A few admissions are announced and cancelled: no stay comes of them. What is known of each stay from messages, and when,
is kept for the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.attendances import Attendances
from riskstrat.demo.calibration import Integers, constant
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.episodes import (
    ADMITTED,
    CANCELLED,
    DISCHARGED,
    MESSAGE_DAYS,
    TRANSFERRED,
    WARDS,
    Messages,
    message_rows,
)
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent, lags
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.people import People
from riskstrat.demo.rows import NEVER, identifiers
from riskstrat.demo.spells import METHODS, OTHER_HOSPITAL, Spells

DAY = 1440
ALWAYS = -NEVER


@dataclass(frozen=True)
class Clock:
    """Minutes since 1970 at which each spell begins and ends."""

    admitted: Integers
    discharged: Integers


@dataclass(frozen=True)
class Bed:
    """What messages say of stays, one array element each: days, and the deliveries that told of them, NEVER for none.

    A cancelled stay never was. A stay of which no admission was told began before the messages did: episodes tell of
    it. ``ended_told`` is the delivery whose episodes show the end of a stay of a night or more.
    """

    person: Integers
    provider: Integers
    admission: Integers
    admission_told: Integers
    discharge: Integers
    discharge_told: Integers
    ended_told: Integers
    cancelled_told: Integers


def draw_clock(wards: Wards, generator: np.random.Generator) -> Clock:
    """Admissions at any hour, planned ones in the morning; discharges in the day. A transfer arrives after it left."""
    spells = wards.spells
    count = len(spells)
    morning = 420 + np.floor(180 * generator.random(count)).astype(np.int64)
    any_hour = np.floor(DAY * generator.beta(2.2, 1.6, count)).astype(np.int64)
    planned = np.isin(spells.method, [METHODS.index(code) for code in ("11", "12", "13")])
    minute = np.minimum(np.where(planned, morning, any_hour), 1400)
    leaves = 600 + np.floor(600 * generator.random(count)).astype(np.int64)
    same_day = spells.admission == spells.discharge
    share = generator.random(count)
    arriving, leaving = _transfers(spells)
    minute[arriving] = np.maximum(minute[arriving], leaves[leaving] + 20)
    minute = np.minimum(minute, 1400)
    leaves = np.where(same_day, minute + 1 + np.floor(share * (1438 - minute)).astype(np.int64), leaves)
    return Clock(spells.admission * DAY + minute, spells.discharge * DAY + leaves)


def _transfers(spells: Spells) -> tuple[Integers, Integers]:
    """Places of spells that begin on the day on which another spell of the person ends, and of those others."""
    order = np.lexsort((spells.discharge, spells.admission, spells.person))
    before, after = order[:-1], order[1:]
    meets = (spells.person[before] == spells.person[after]) & (
        spells.discharge[before] == spells.admission[after]
    )
    return after[meets], before[meets]


def draw_night_messages(
    told: Chunk,
    wards: Wards,
    clock: Clock,
    attendances: Attendances,
    generator: np.random.Generator,
) -> tuple[Messages, Integers, Bed]:
    """Messages, the delivery of each, and what they let a reader know of the stays of the nights."""
    spells = wards.spells
    ordinary = spells.classification < 2
    admitted = np.flatnonzero(ordinary & (wards.origin < 0))
    left = np.flatnonzero(ordinary)
    late = lags(len(spells), constant("night_message_late"), 2, generator)
    left_late = lags(len(spells), constant("night_message_late"), 2, generator)
    # Both trusts speak of a transfer at once.
    left_late[spells.destination == OTHER_HOSPITAL] = 0
    moved = admitted[generator.random(len(admitted)) < constant("night_ward_moves")]
    room = (
        np.minimum(clock.discharged[moved], clock.admitted[moved] // DAY * DAY + 1439) - clock.admitted[moved]
    )
    moved, room = moved[room > 60], room[room > 60]
    moved_at = (
        clock.admitted[moved] + 30 + np.floor(generator.random(len(moved)) * (room - 30)).astype(np.int64)
    )
    phantom, phantom_at, undone_at = _announced_in_error(attendances, len(admitted), generator)
    phantom_late = lags(len(phantom), constant("night_message_late"), 2, generator)
    nobody = np.full(len(phantom), -1)
    spell = np.concatenate([admitted, moved, left, nobody, nobody])
    sizes = [len(admitted), len(moved), len(left), len(phantom), len(phantom)]
    kind = np.repeat([ADMITTED, TRANSFERRED, DISCHARGED, ADMITTED, CANCELLED], sizes)
    moment = np.concatenate(
        [clock.admitted[admitted], moved_at, clock.discharged[left], phantom_at, undone_at]
    )
    lag = np.concatenate([late[admitted], late[moved], left_late[left], phantom_late, phantom_late])
    whose = attendances.person[phantom], attendances.provider[phantom]
    messages = Messages(
        spell,
        np.concatenate([spells.person[np.concatenate([admitted, moved, left])], whose[0], whose[0]]),
        np.concatenate([spells.provider[np.concatenate([admitted, moved, left])], whose[1], whose[1]]),
        kind,
        moment,
        generator.integers(0, len(WARDS), len(spell)),
    )
    bed = _known_of_spells(told, wards, late, left_late)
    ghosts = Bed(
        person=whose[0],
        provider=whose[1],
        admission=phantom_at // DAY,
        admission_told=phantom_at // DAY + phantom_late,
        discharge=np.full(len(phantom), NEVER),
        discharge_told=np.full(len(phantom), NEVER),
        ended_told=np.full(len(phantom), NEVER),
        cancelled_told=undone_at // DAY + phantom_late,
    )
    return messages, moment // DAY + lag, joined_beds(bed, ghosts)


def _announced_in_error(
    attendances: Attendances, admissions: int, generator: np.random.Generator
) -> tuple[Integers, Integers, Integers]:
    """Places of attendances that seemed to end on a ward, when that was said and when it was taken back."""
    wanted = round(constant("night_cancelled") * admissions + generator.random())
    able = np.flatnonzero(attendances.category == 0)
    chosen = np.sort(generator.permutation(able)[:wanted])
    said = attendances.left[chosen]
    return chosen, said, said + generator.integers(60, 600, len(chosen))


def _known_of_spells(told: Chunk, wards: Wards, late: Integers, left_late: Integers) -> Bed:
    """The spells of the nights by their own messages and, of those that last a night, by their episodes."""
    spells, first = wards.spells, told.hospital.messages
    ordinary = np.flatnonzero(spells.classification < 2)
    began = np.where(wards.origin < 0, spells.admission + late, NEVER)
    began[np.isin(wards.origin, first.spell[first.kind == ADMITTED])] = ALWAYS
    overnight = spells.discharge > spells.admission
    began[(wards.origin >= 0) & (spells.admission < told.calendar.as_of - MESSAGE_DAYS)] = ALWAYS
    undone = np.isin(wards.origin, _taken_back(first))
    return Bed(
        person=spells.person[ordinary],
        provider=spells.provider[ordinary],
        admission=spells.admission[ordinary],
        admission_told=began[ordinary],
        discharge=spells.discharge[ordinary],
        discharge_told=(spells.discharge + left_late)[ordinary],
        ended_told=np.where(overnight, wards.discharge_told, NEVER)[ordinary],
        cancelled_told=np.where(undone, ALWAYS, NEVER)[ordinary],
    )


def known_before(told: Chunk) -> Bed:
    """What the messages of the first delivery said of stays that had ended by then."""
    spells, messages = told.hospital.spells, told.hospital.messages
    ended = np.unique(messages.spell[spells.discharge[messages.spell] < told.calendar.as_of])
    said = {kind: np.isin(ended, messages.spell[messages.kind == kind]) for kind in (ADMITTED, DISCHARGED)}
    return Bed(
        person=spells.person[ended],
        provider=spells.provider[ended],
        admission=spells.admission[ended],
        admission_told=np.where(said[ADMITTED], ALWAYS, NEVER),
        discharge=spells.discharge[ended],
        discharge_told=np.where(said[DISCHARGED], ALWAYS, NEVER),
        ended_told=np.full(len(ended), NEVER),
        cancelled_told=np.where(np.isin(ended, _taken_back(messages)), ALWAYS, NEVER),
    )


def _taken_back(messages: Messages) -> Integers:
    """Spells whose admission was taken back; where a move to another ward came between, only that was."""
    undone, moved = (messages.spell[messages.kind == kind] for kind in (CANCELLED, TRANSFERRED))
    return np.setdiff1d(undone, moved)


def joined_beds(*parts: Bed) -> Bed:
    """Several sets of stays as one."""
    return Bed(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Bed.__dataclass_fields__)
    )


def send_messages(
    messages: Messages,
    sent: Integers,
    told: Chunk,
    later: People,
    horizon: Horizon,
    generator: np.random.Generator,
) -> Sent:
    """The extract acute_adt: shuffled within a delivery, and some messages sent again with it or with the next."""
    again = np.flatnonzero(generator.random(len(messages)) < constant("night_message_twice"))
    place = np.concatenate([np.arange(len(messages)), again])
    day = np.concatenate([sent, sent[again] + generator.integers(0, 2, len(again))])
    shuffled = generator.permutation(len(place))
    number = np.empty(len(messages), dtype=np.int64)
    number[np.lexsort((messages.moment, sent))] = np.arange(len(messages))
    order = in_order_sent(day, horizon, shuffled)
    chosen = place[order]
    names = identifiers("M", told.first_id + NIGHT_IDS + number[chosen])
    return Sent(message_rows(messages.at(chosen), later, names), day[order])
