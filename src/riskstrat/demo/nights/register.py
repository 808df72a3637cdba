"""The register as each delivery has it in full: who died, left or changed practice, and who has newly registered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Integers, constant
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.gp import Chart, draw_records
from riskstrat.demo.health import Health, draw_health
from riskstrat.demo.medicines import draw_prescriptions, medicine_counts, medicine_rows
from riskstrat.demo.nights.changes import Changes
from riskstrat.demo.nights.horizon import Horizon, Sent
from riskstrat.demo.people import OPEN, People, draw_people
from riskstrat.demo.pile import event_rows
from riskstrat.demo.registrations import Register, draw_register, patient_rows
from riskstrat.demo.rows import NEVER, Rows, days

# No chunk has as many newcomers.
NEWCOMERS_A_CHUNK = 1_000
NEWCOMER_IDS = 8_000_000


@dataclass(frozen=True)
class Newcomers:
    """People who register after as_of: the day, which a delivery of the same day tells, and the record they bring."""

    people: People
    health: Health
    chart: Chart
    register: Register
    since: Integers
    record: tuple[Sent, ...]

    def __len__(self) -> int:
        return len(self.people)


def draw_newcomers(
    told: Chunk, numbers: Integers, horizon: Horizon, generator: np.random.Generator
) -> Newcomers:
    """At least one a chunk. They come with a GP record and nothing else; nothing happens to them in these nights."""
    expected = constant("night_newcomers") * len(told.people) * horizon.years
    count = int(np.clip(generator.poisson(expected), 1, min(NEWCOMERS_A_CHUNK, len(numbers))))
    drawn = draw_people(numbers[:count], told.place, told.calendar, generator)
    people = replace(
        drawn,
        status=np.full(count, OPEN),
        death=np.full(count, NEVER),
        end=np.full(count, told.calendar.as_of),
    )
    health = draw_health(people, told.calendar, generator)
    medicines = medicine_counts(people, health, generator)
    chart = draw_records(people, health, told.calendar, told.vocabulary, generator)
    register = draw_register(people, told.place, told.calendar, generator)
    since = np.sort(horizon.days(count, generator))
    first_id = told.first_id + NEWCOMER_IDS
    events = event_rows(
        chart.pile, people, told.vocabulary.book, told.calendar, first_id=first_id, generator=generator
    )
    issues = medicine_rows(
        people,
        draw_prescriptions(people, health, medicines, told.calendar, generator),
        told.calendar,
        first_id,
    )
    record = tuple(Sent(rows, since[rows.person]) for rows in (events, issues))
    return Newcomers(people, health, chart, register, since, record)


def register_rows(told: Chunk, changes: Changes, newcomers: Newcomers, delivery: int) -> Rows:
    """The extract gp_patients, with all that is known by a delivery."""
    known = _changed(told, changes, delivery)
    new = np.flatnonzero(newcomers.since <= delivery)
    count = len(told.people)
    details = {
        name: pa.concat_arrays([column, newcomers.register.details[name]])
        for name, column in known.details.items()
    }
    everybody = Register(
        known.practices,
        np.concatenate([known.person, count + new]),
        np.concatenate([known.practice, newcomers.people.practice[new]]),
        np.concatenate([known.since, newcomers.since[new]]),
        np.concatenate([known.until, np.full(len(new), NEVER)]),
        details,
    )
    return patient_rows(everybody)


def _changed(told: Chunk, changes: Changes, delivery: int) -> Register:
    """The registrations of the first delivery, closed and opened as changes say, and dates of death."""
    register = told.register
    person, still_open = register.person, register.until == NEVER
    until = register.until.copy()
    leaves, moves = changes.left.known(delivery), changes.moved.known(delivery)
    dead = changes.death.known(delivery)
    for known, last_day in (
        (moves, changes.moved.day - 1),
        (leaves, changes.left.day),
        (dead & changes.death_closes & ~moves, changes.death.day),
    ):
        closed = still_open & known[person]
        until[closed] = last_day[person[closed]]
    mover = np.flatnonzero(moves)
    closes_again = dead[mover] & changes.death_closes[mover]
    person = np.concatenate([person, mover])
    order = np.argsort(person, kind="stable")
    died = np.where(dead, changes.death.day, told.people.death)
    return Register(
        register.practices,
        person[order],
        np.concatenate([register.practice, changes.moved_to[mover]])[order],
        np.concatenate([register.since, changes.moved.day[mover]])[order],
        np.concatenate([until, np.where(closes_again, changes.death.day[mover], NEVER)])[order],
        register.details | {"date_of_death": days(died, died == NEVER)},
    )
