"""Some people of the town and everything about them, as the first delivery tells it and as the nights go on with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskstrat.demo.admissions import Stays, draw_stays
from riskstrat.demo.attendances import Attendances, attendance_rates, attendance_rows, draw_attendances
from riskstrat.demo.calibration import Floats, Integers
from riskstrat.demo.codes import Vocabulary
from riskstrat.demo.community import (
    assessment_rows,
    caseload_rows,
    community_rows,
    draw_involvement,
    draw_team,
    plan_rows,
)
from riskstrat.demo.episodes import (
    Episodes,
    Messages,
    draw_episodes,
    draw_messages,
    episode_rows,
    message_rows,
)
from riskstrat.demo.gp import draw_records
from riskstrat.demo.health import draw_health
from riskstrat.demo.medicines import draw_prescriptions, medicine_counts, medicine_rows
from riskstrat.demo.needs import draw_needs
from riskstrat.demo.oracle import exposure
from riskstrat.demo.partners import (
    CHECKED_DAYS_BEFORE,
    addition_rows,
    agency_rows,
    draw_national_opt_outs,
    gp_contact_rates,
    gp_contact_rows,
    opt_out_rows,
    social_care_rows,
)
from riskstrat.demo.people import Calendar, Place, draw_people
from riskstrat.demo.pile import event_rows
from riskstrat.demo.registrations import draw_register, patient_rows
from riskstrat.demo.rows import Rows, numbered
from riskstrat.demo.spells import (
    Spells,
    planned_spells,
    unplanned_spells,
    usual_providers,
    without_overlaps,
)
from riskstrat.demo.truth import Person, truth_table

# Identifiers of a chunk start here times its number; no chunk has as many rows.
IDS_A_CHUNK = 10_000_000
STREAMS = ("people", "health", "oracle", "stays", "spells", "episodes", "attendances", "register", "records",
           "medicines", "contacts", "community", "teams", "partners", "faults", "needs")  # fmt: skip

Streams = dict[str, np.random.Generator]


def streams_of(seed: int, chunk: int) -> Streams:
    """A stream of chance for every subject of a chunk, so that a change in one leaves the others alone."""
    return {
        name: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, chunk, place)))
        for place, name in enumerate(STREAMS)
    }


@dataclass(frozen=True)
class Hospital:
    """What hospitals know: each person's usual trust, the spells begun before as_of and all about them.

    ``later`` are spells that follow, on or after as_of, from a stay that began before it.
    """

    usual: Integers
    spells: Spells
    later: Spells
    episodes: Episodes
    attendance_rate: Floats
    attendances: Attendances
    messages: Messages


class Chunk:
    """Some people and everything about them; the rows of extracts are made one at a time to spare memory."""

    def __init__(
        self,
        numbers: Integers,
        place: Place,
        vocabulary: Vocabulary,
        calendar: Calendar,
        *,
        number: int,
        first_person: int,
        streams: Streams,
    ) -> None:
        self.number, self.first_person, self.place = number, first_person, place
        self.vocabulary, self.calendar, self.streams = vocabulary, calendar, streams
        self.first_id = 1 + number * IDS_A_CHUNK
        self.people = draw_people(numbers, place, calendar, streams["people"])
        self.health = draw_health(self.people, calendar, streams["health"])
        self.exposed = exposure(self.people, self.health, calendar, streams["oracle"])
        self.stays: Stays = draw_stays(self.people, self.health, self.exposed, calendar, streams["stays"])
        self.opted_out = draw_national_opt_outs(self.people, calendar, streams["partners"])
        self.medicines = medicine_counts(self.people, self.health, streams["medicines"])
        self.prescribed = draw_prescriptions(
            self.people, self.health, self.medicines, calendar, streams["medicines"]
        )
        self.needs = draw_needs(self.people, self.health, calendar, streams["needs"])
        self.chart = draw_records(self.people, self.health, calendar, vocabulary, streams["records"])
        self.register = draw_register(self.people, place, calendar, streams["register"])
        self.contact_rate = gp_contact_rates(self.people, self.health, streams["contacts"])
        self.hospital = self._hospital()
        self.involvement = draw_involvement(self.people, calendar, streams["community"])
        self.team = draw_team(self.people, self.health, calendar, streams["teams"])
        self.additions = Rows("manual_additions", {}, np.zeros(0, dtype=np.int64))

    def _hospital(self) -> Hospital:
        people, health, calendar, streams = self.people, self.health, self.calendar, self.streams
        usual = usual_providers(people, streams["spells"])
        past = self.stays.only(self.stays.window > 0)
        unplanned = unplanned_spells(people, health, past, usual, streams["spells"])
        planned = planned_spells(people, calendar, usual, streams["spells"])
        spells = without_overlaps(unplanned, planned)
        begun = spells.admission < calendar.as_of
        spells, later = spells.at(begun), spells.at(~begun)
        rate = attendance_rates(people, health, calendar, streams["attendances"])
        return Hospital(
            usual=usual,
            spells=spells,
            later=later,
            episodes=draw_episodes(
                spells,
                people,
                health,
                recent_since=calendar.recent_start,
                known_before=calendar.as_of,
                generator=streams["episodes"],
            ),
            attendance_rate=rate,
            attendances=draw_attendances(
                spells, people, health, rate, usual, calendar, generator=streams["attendances"]
            ),
            messages=draw_messages(spells, calendar, streams["attendances"]),
        )

    def extracts(self) -> Iterator[Rows]:
        """The rows of every extract, the register first."""
        people, health, calendar, streams = self.people, self.health, self.calendar, self.streams
        needs, first_id = self.needs, self.first_id
        yield patient_rows(self.register)
        yield event_rows(
            self.chart.pile,
            people,
            self.vocabulary.book,
            calendar,
            first_id=first_id,
            generator=streams["records"],
        )
        yield medicine_rows(people, self.prescribed, calendar, first_id)
        yield gp_contact_rows(
            people, self.contact_rate, calendar, needs, first_id=first_id, generator=streams["contacts"]
        )
        yield from self._acute()
        yield from community_rows(
            people, health, self.involvement, calendar, first_id=first_id, generator=streams["community"]
        )
        yield from self._team()
        yield social_care_rows(
            people, health, calendar, needs, first_id=first_id, generator=streams["partners"]
        )
        yield agency_rows(people, health, calendar, needs, first_id=first_id, generator=streams["partners"])
        yield opt_out_rows(people, self.opted_out, calendar.as_of - CHECKED_DAYS_BEFORE)
        self.additions = addition_rows(people, health, calendar, streams["partners"])
        yield self.additions

    def _acute(self) -> Iterator[Rows]:
        known, people, first_id = self.hospital, self.people, self.first_id
        yield episode_rows(known.episodes, known.spells, people, self.calendar, first_id=first_id)
        yield attendance_rows(
            known.attendances,
            people,
            np.full(len(known.attendances), self.calendar.as_of),
            numbered("A", first_id, len(known.attendances)),
        )
        yield message_rows(known.messages, people, numbered("M", first_id, len(known.messages)))

    def _team(self) -> Iterator[Rows]:
        team, people, first_id = self.team, self.people, self.first_id
        yield caseload_rows(team.caseload, people, self.place, self.calendar.as_of)
        yield plan_rows(team.plans, people, numbered("P", first_id, len(team.plans)))
        yield assessment_rows(
            people, team.asked, team.asked_on, first_id=first_id, generator=self.streams["teams"]
        )

    def truth(self) -> pa.Table:
        """What is true of these people, last year, now and next year."""
        person = Person(
            self.people,
            self.health,
            self.exposed,
            self.stays,
            self.medicines,
            self.opted_out,
            self.chart.flags,
        )
        return truth_table(person, self.first_person, self.calendar)
