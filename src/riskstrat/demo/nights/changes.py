"""Who dies, leaves, changes practice or opts out after as_of, and when a delivery tells of it: days late at times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant
from riskstrat.demo.chunk import Chunk, Streams
from riskstrat.demo.nights.horizon import Horizon, lags
from riskstrat.demo.nights.wards import Wards
from riskstrat.demo.partners import opt_out_chance
from riskstrat.demo.people import HISTORY_YEARS, OPEN, People
from riskstrat.demo.rows import NEVER

# In every chunk each of these is certain to happen to one older in-patient, so that a small town shows it as well.
CERTAIN = LEFT, NATIONAL, MOVED, TYPE_1 = range(4)
CERTAIN_AGE, CERTAIN_WITHIN_DAYS, CERTAIN_AFTER_DAYS = 65, 8, 1


@dataclass(frozen=True)
class Change:
    """Something that happens to people, by person: the day, and the delivery that tells of it; NEVER for neither."""

    day: Integers
    told: Integers

    def known(self, delivery: int) -> Booleans:
        """Of whom the deliveries up to one have told."""
        known: Booleans = self.told <= delivery
        return known


@dataclass(frozen=True)
class Changes:
    """All changes of a chunk.

    ``left`` is the last day of a registration, ``moved`` the first with the practice ``moved_to``. ``death_closes``
    says whether a practice closes the registration of somebody who dies.
    """

    death: Change
    death_closes: Booleans
    left: Change
    moved: Change
    moved_to: Integers
    national: Change
    type_1: Change


def draw_changes(told: Chunk, later: People, wards: Wards, horizon: Horizon, streams: Streams) -> Changes:
    """At the rates of the history. ``later`` are the people with their deaths of the horizon, which nothing changes."""
    people, register, opt_outs = told.people, streams["register"], streams["opt_outs"]
    count, practices = len(people), len(told.place.practices)
    certain = _certain(later, told, wards, horizon, register)
    alive = np.where(people.status == OPEN, np.minimum(later.death, NEVER), 0)

    def change(yearly: Floats | float, place: int, lag: Integers, generator: np.random.Generator) -> Change:
        day = horizon.happens(np.broadcast_to(np.asarray(yearly, dtype=np.float64), count), generator)
        person, when = certain.get(place, (np.zeros(0, dtype=np.int64), 0))
        day[person] = when
        lag[person] = 0
        day = np.where(day < alive, day, NEVER)
        return Change(day, np.where(day < NEVER, day + lag, NEVER))

    lag = lags(count, constant("night_register_late"), 3, register)
    left = change(constant("left_share") / HISTORY_YEARS, LEFT, lag, register)
    moved = change(constant("night_moves"), MOVED, lag, register)
    stays = left.day == NEVER
    moved = Change(np.where(stays, moved.day, NEVER), np.where(stays, moved.told, NEVER))
    dies = stays & (people.status == OPEN) & (later.death < horizon.last)
    death = np.where(dies, later.death, NEVER)
    death_lag = lags(count, constant("night_death_late"), 4, register)
    years = constant("opt_out_years")
    chance = np.where(told.opted_out, 0.0, opt_out_chance(people, told.calendar)) / years
    sharing = np.where(told.chart.flags["type1_opt_out"], 0.0, constant("type1_share")) / years
    return Changes(
        death=Change(death, np.where(dies, death + death_lag, NEVER)),
        death_closes=register.random(count) < constant("night_death_closes"),
        left=left,
        moved=moved,
        moved_to=(people.practice + 1 + register.integers(0, max(practices - 1, 1), count)) % practices,
        national=change(chance, NATIONAL, np.zeros(count, dtype=np.int64), opt_outs),
        type_1=change(sharing, TYPE_1, lags(count, constant("late_record_share"), 21, opt_outs), opt_outs),
    )


def _certain(
    later: People, told: Chunk, wards: Wards, horizon: Horizon, generator: np.random.Generator
) -> dict[int, tuple[Integers, int]]:
    """Kind of change -> the person to whom it is certain to happen, if the chunk has one, and the day.

    The frailest come first, because they are on lists.
    """
    spells = wards.spells
    able = (spells.use == 0) & (spells.discharge - spells.admission > CERTAIN_AFTER_DAYS)
    able &= (spells.admission >= horizon.first) & (spells.admission < horizon.first + CERTAIN_WITHIN_DAYS)
    able &= (told.people.status[spells.person] == OPEN) & (later.death[spells.person] == NEVER)
    able &= later.age(horizon.first)[spells.person] >= CERTAIN_AGE
    places = np.flatnonzero(able)
    deficits = told.health.deficits(horizon.first)[spells.person[places]]
    places = places[np.lexsort((generator.random(len(places)), -deficits))]
    _, first = np.unique(spells.person[places], return_index=True)
    chosen = places[np.sort(first)][: len(CERTAIN)]
    return {
        kind: (spells.person[[place]], int(spells.admission[place]) + CERTAIN_AFTER_DAYS)
        for kind, place in enumerate(chosen)
    }
