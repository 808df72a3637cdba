"""A chunk's nights: what every delivery brings, and the truth of every night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Integers
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.codes import MEDICINES_DEFICIT
from riskstrat.demo.nights.additions import draw_additions, full_additions
from riskstrat.demo.nights.changes import draw_changes
from riskstrat.demo.nights.emergency import draw_emergencies, send_emergencies
from riskstrat.demo.nights.horizon import Horizon, Sent, night_streams
from riskstrat.demo.nights.messages import (
    draw_clock,
    draw_night_messages,
    joined_beds,
    known_before,
    send_messages,
)
from riskstrat.demo.nights.prescriptions import send_consultations, send_medicines
from riskstrat.demo.nights.presence import Presence
from riskstrat.demo.nights.records import draw_conditions, send_records
from riskstrat.demo.nights.register import draw_newcomers, register_rows
from riskstrat.demo.nights.teams import draw_work, full_caseload, send_answers, send_contacts, send_plans
from riskstrat.demo.nights.truth import Known, night_table
from riskstrat.demo.nights.wards import draw_wards, send_episodes
from riskstrat.demo.partners import opt_out_rows
from riskstrat.demo.rows import NEVER, Rows

# What every delivery brings, the register in full, and what is sent again in full where something changed.
NIGHTLY = ("gp_patients", "gp_events", "gp_medications", "gp_contacts", "acute_episodes", "acute_attendances",
           "acute_adt", "community_contacts", "care_plans", "assessments")  # fmt: skip
WHEN_CHANGED = ("community_caseload", "national_opt_out", "manual_additions")


class Nights:
    """What happens to a chunk's people after as_of. ``newcomers`` are numbers that nobody has yet."""

    def __init__(
        self, told: Chunk, horizon: Horizon, newcomers: Integers, first_newcomer: int, seed: int
    ) -> None:
        self.told, self.horizon, self.first_newcomer = told, horizon, first_newcomer
        streams = night_streams(seed, told.number)
        death = np.where(told.exposed.next_death < horizon.last, told.exposed.next_death, NEVER)
        later = replace(told.people, death=death, end=np.minimum(death, horizon.last))
        wards = draw_wards(told, later, horizon, streams)
        clock = draw_clock(wards, streams["messages"])
        emergencies, home = draw_emergencies(told, wards, clock, later, horizon, streams["attendances"])
        messages, sent, beds = draw_night_messages(told, wards, clock, home, streams["messages"])
        changes = draw_changes(told, later, wards, horizon, streams)
        presence = Presence.of(later, changes)
        conditions = draw_conditions(told, horizon, streams["records"])
        records, coded = send_records(told, conditions, changes, presence, horizon, streams["records"])
        medicines, treated = send_medicines(
            told, conditions[MEDICINES_DEFICIT], presence, horizon, streams["medicines"]
        )
        work = draw_work(told, wards, presence, horizon, streams["teams"])
        arrivals = draw_newcomers(told, newcomers, horizon, streams["newcomers"])
        self.known = Known(
            told=told,
            wards=wards,
            beds=joined_beds(known_before(told), beds),
            emergencies=emergencies,
            changes=changes,
            newcomers=arrivals,
            onsets=(coded, treated),
            work=work,
            additions=draw_additions(told, wards, presence, horizon, streams["additions"]),
        )
        self.sent: tuple[Sent, ...] = (
            records,
            medicines,
            *arrivals.record,
            send_consultations(told, presence, horizon, streams["contacts"]),
            send_episodes(told, wards, later, horizon),
            send_emergencies(emergencies, later, horizon),
            send_messages(messages, sent, told, later, horizon, streams["messages"]),
            send_contacts(told, presence, horizon, streams["community"]),
            send_plans(told, work, presence, horizon),
            send_answers(told, work, horizon, streams["teams"]),
        )

    def nightly(self, delivery: int) -> Iterator[Rows]:
        """The register in full, and what one delivery adds to the extracts that add up."""
        yield register_rows(self.told, self.known.changes, self.known.newcomers, delivery)
        for sent in self.sent:
            yield sent.on(delivery)

    def when_changed(self, delivery: int) -> Iterator[tuple[Rows, bool]]:
        """The other full extracts, and whether a delivery has something new in each."""
        told, work = self.told, self.known.work
        national, additions = self.known.changes.national, self.known.additions
        stirred = [work.caseload.begin, work.caseload.finish, work.managed]
        yield (
            full_caseload(told, work, delivery + 1),
            any(bool((day == delivery).any()) for day in stirred),
        )
        yield (
            opt_out_rows(told.people, told.opted_out | national.known(delivery), delivery),
            bool((national.told == delivery).any()),
        )
        yield full_additions(told, additions, delivery), bool((additions.day == delivery).any())

    def truth(self) -> Iterator[pa.Table]:
        """The truth of every night, the first delivery's included."""
        for today in (self.horizon.first, *(day + 1 for day in self.horizon.deliveries)):
            yield night_table(self.known, today, self.first_newcomer)
