"""Issued medicines and consultations after as_of. Who newly takes five or more medicines gains the deficit by them."""

from __future__ import annotations

import numpy as np

from riskstrat.demo.calibration import Integers, constant, draw_index
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.community import service_names
from riskstrat.demo.medicines import INTERVAL_DAYS, formulary_size, issue_rows
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent, lags
from riskstrat.demo.nights.presence import Presence
from riskstrat.demo.nights.records import Onsets
from riskstrat.demo.partners import consultation_rows
from riskstrat.demo.rows import identifiers


def send_medicines(
    told: Chunk,
    treated: tuple[Integers, Integers],
    presence: Presence,
    horizon: Horizon,
    generator: np.random.Generator,
) -> tuple[Sent, Onsets]:
    """The extract gp_medications: repeats when they are due, and the first issues of the newly ``treated``."""
    due = told.prescribed.latest + INTERVAL_DAYS
    new_person, new_medicine, new_day = _first_issues(told, treated, generator)
    person = np.concatenate([told.prescribed.person, new_person])
    medicine = np.concatenate([told.prescribed.medicine, new_medicine])
    day = np.concatenate([due, new_day])
    # All that is issued to a person on a day is sent together.
    by_person = lags(len(told.people), constant("night_issue_late"), 3, generator)
    sent = day + by_person[person]
    there = presence.holds(person, day) & (day >= horizon.first) & (day < horizon.last)
    person, medicine, day, sent = person[there], medicine[there], day[there], sent[there]
    order = in_order_sent(sent, horizon, person, medicine)
    person, medicine, day, sent = person[order], medicine[order], day[order], sent[order]
    names = identifiers("I", told.first_id + NIGHT_IDS + np.arange(len(order)))
    whose, since = (column[presence.holds(*treated)] for column in treated)
    return (
        Sent(issue_rows(told.people, person, medicine, day, names), sent),
        Onsets(whose, since, since + by_person[whose]),
    )


def _first_issues(
    told: Chunk, treated: tuple[Integers, Integers], generator: np.random.Generator
) -> tuple[Integers, Integers, Integers]:
    """Medicines that each of the newly treated did not have, as many as make the fewest that count as many."""
    taken: dict[int, set[int]] = {int(person): set() for person in treated[0]}
    mine = np.isin(told.prescribed.person, treated[0])
    for person, medicine in zip(told.prescribed.person[mine], told.prescribed.medicine[mine], strict=True):
        taken[int(person)].add(int(medicine))
    rows = []
    for person, day in zip(*treated, strict=True):
        others = [
            place for place in generator.permutation(formulary_size()) if int(place) not in taken[int(person)]
        ]
        missing = int(constant("polypharmacy_minimum")) - len(taken[int(person)])
        rows += [(int(person), int(place), int(day)) for place in others[: max(missing, 1)]]
    found = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return found[:, 0], found[:, 1], found[:, 2]


def send_consultations(
    told: Chunk, presence: Presence, horizon: Horizon, generator: np.random.Generator
) -> Sent:
    """The extract gp_contacts, at each person's own rate."""
    person, day = horizon.often(told.contact_rate, generator)
    kind = draw_index(service_names("gp")[1], len(person), generator)
    there = presence.holds(person, day)
    person, day, kind = person[there], day[there], kind[there]
    order = in_order_sent(day, horizon, person)
    names = identifiers("G", told.first_id + NIGHT_IDS + np.arange(len(order)))
    return Sent(consultation_rows(told.people, person[order], day[order], kind[order], names), day[order])
