"""Professionals' additions after as_of: people whom a ward round or a home visit brings to mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Integers, constant, draw_index
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.community import service_names
from riskstrat.demo.nights.horizon import Horizon
from riskstrat.demo.nights.presence import Presence
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.rows import Rows, constant_text, days, labels, numbers

# The cohort that the daily list of the shipped definitions is made of.
ADDED_TO = "luton_core"
YOUNGEST, FEWEST, DAYS_AFTER = 40, 2, 1


@dataclass(frozen=True)
class Additions:
    """Who is added, the place of the reason, and the day, which a delivery of the same day tells."""

    person: Integers
    reason: Integers
    day: Integers


def draw_additions(
    told: Chunk, wards: Wards, presence: Presence, horizon: Horizon, generator: np.random.Generator
) -> Additions:
    """Some of those who were admitted, the day after; at least two a chunk where so many were. Nobody twice."""
    spells = wards.spells
    able = (spells.use == 0) & (spells.admission >= horizon.first) & (spells.admission < horizon.last)
    able &= told.people.age(horizon.first)[spells.person] >= YOUNGEST
    able &= presence.holds(spells.person, spells.admission + DAYS_AFTER)
    places = np.flatnonzero(able)
    places = places[np.unique(spells.person[places], return_index=True)[1]]
    # In order of admission, so that the certain ones come early.
    places = places[np.argsort(spells.admission[places], kind="stable")]
    chosen = generator.random(len(places)) < constant("night_additions")
    chosen[generator.permutation(min(len(places), 5 * FEWEST))[:FEWEST]] = True
    places = places[chosen]
    day = spells.admission[places] + DAYS_AFTER
    order = np.lexsort((spells.person[places], day))
    reason = draw_index(service_names("reason")[1], len(places), generator)
    return Additions(spells.person[places][order], reason, day[order])


def full_additions(told: Chunk, additions: Additions, delivery: int) -> Rows:
    """The extract manual_additions, in full: those of the first delivery and all since."""
    known = additions.day <= delivery
    person = additions.person[known]
    new = {
        "nhs_number": numbers(told.people.nhs_number[person]),
        "cohort": constant_text(ADDED_TO, len(person)),
        "reason": labels(service_names("reason")[0], additions.reason[known]),
        "added_on": days(additions.day[known]),
        "added_by": constant_text("ward round", len(person)),
    }
    old = told.additions
    columns = {name: pa.concat_arrays([column, new[name]]) for name, column in old.columns.items()}
    return Rows(old.extract, columns, np.concatenate([old.person, person]))
