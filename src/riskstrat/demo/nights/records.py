"""GP events after as_of: new conditions with their flags, everyday records, prevention and dissents to sharing.

What is recorded of one person and day is entered, and sent, together: on that day or up to three weeks later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import Floats, Integers, conditions, constant, read_knowledge
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.codes import MEDICINES_DEFICIT, deficit
from riskstrat.demo.gp import (
    FRAILTY_BANDS,
    FRAILTY_FLAGS,
    RECORD_YEARS,
    Chart,
    normal_results_mean,
    observations_mean,
    record_normal_result,
    record_observations,
)
from riskstrat.demo.health import chance_of, onset_mean
from riskstrat.demo.nights.changes import Changes
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent, lags
from riskstrat.demo.nights.presence import Presence
from riskstrat.demo.people import YEAR
from riskstrat.demo.pile import Events, Pile, rows_of_events
from riskstrat.demo.rows import NEVER, identifiers

# As in the first delivery: reviews, coded plans and coded frailty spread over so many days before as_of.
REVIEW_DAYS, PLAN_DAYS, CODED_DAYS = 540, 500, 4 * YEAR
PLAN_SHARE, PLAN_DEFICITS, OLDER = 0.12, 9, 65


@dataclass(frozen=True)
class Onsets:
    """New deficits of the frailty index: whose, since when, and the delivery that tells of each."""

    person: Integers
    day: Integers
    told: Integers


def draw_conditions(
    told: Chunk, horizon: Horizon, generator: np.random.Generator
) -> dict[str, tuple[Integers, Integers]]:
    """Condition -> who has it newly and since when.

    Those who have a condition got it over ``onset_mean`` years, so the others get it at that pace.
    """
    found = {}
    for condition in conditions():
        chance = np.minimum(chance_of(condition, told.people, told.health.frailty), 0.95)
        yearly = chance / (1 - chance) / onset_mean(told.calendar)
        day = horizon.happens(np.where(told.health.has(condition.name), 0.0, yearly), generator)
        person = np.flatnonzero(day < NEVER)
        found[condition.name] = (person, day[person])
    return found


def send_records(
    told: Chunk,
    new: dict[str, tuple[Integers, Integers]],
    changes: Changes,
    presence: Presence,
    horizon: Horizon,
    generator: np.random.Generator,
) -> tuple[Sent, Onsets]:
    """The extract gp_events, and the new deficits that it tells of."""
    chart = Chart(
        told.people, told.health, told.calendar, told.vocabulary, generator, Pile(), told.chart.flags
    )
    _record_conditions(chart, new, horizon)
    _record_everyday(chart, horizon)
    _record_prevention(chart, horizon)
    person, day, code, value, unit = chart.pile.events()
    visits, visit = np.unique(person * NEVER + day, return_inverse=True)
    late = lags(len(visits), constant("late_record_share"), 21, generator)
    events = _with_dissents(chart, Events(person, day, code, value, unit, day + late[visit]), changes)
    events = events.at(presence.holds(events.person, events.day))
    events = events.at(in_order_sent(events.recorded, horizon, events.person, events.day))
    names = identifiers("E", told.first_id + NIGHT_IDS + np.arange(len(events.person)))
    rows = rows_of_events(events, chart.pile.units, told.people, told.vocabulary.book, names)
    whose, since = _recorded_deficits(new, presence)
    onsets = Onsets(whose, since, since + late[np.searchsorted(visits, whose * NEVER + since)])
    return Sent(rows, events.recorded), onsets


def _recorded_deficits(
    new: dict[str, tuple[Integers, Integers]], presence: Presence
) -> tuple[Integers, Integers]:
    coded = [new[one.name] for one in conditions() if one.is_deficit and one.name != MEDICINES_DEFICIT]
    person, day = (np.concatenate([pair[place] for pair in coded]) for place in range(2))
    there = presence.holds(person, day)
    return person[there], day[there]


def _record_conditions(chart: Chart, new: dict[str, tuple[Integers, Integers]], horizon: Horizon) -> None:
    """New conditions and their flags, and what recurs of a flag, as falls do."""
    for condition in conditions():
        if condition.is_deficit and condition.name != MEDICINES_DEFICIT:
            chart.record(deficit(condition.name), *new[condition.name])
    for row in read_knowledge("flags"):
        if not row["of"]:
            person, day = new[row["needs"]]
            flagged = chart.generator.random(len(person)) < float(row["share"])
            flagged &= chart.people.age(chart.people.end)[person] >= float(row["min_age"])
            if row["without"]:
                flagged &= ~chart.health.has(row["without"])[person]
            chart.record(row["flag"], person[flagged], day[flagged])
        yearly = np.where(chart.flags[row["flag"]], float(row["recent_share"]), 0.0)
        chart.record(row["flag"], *horizon.often(yearly, chart.generator))


def _record_everyday(chart: Chart, horizon: Horizon) -> None:
    """Tests and everyday records, at the rate that the youngest of the first delivery have."""
    record_observations(chart, *horizon.often(observations_mean(chart) / RECORD_YEARS, chart.generator))
    for test in chart.vocabulary.tests:
        yearly = np.full(len(chart.people), normal_results_mean(test) / RECORD_YEARS)
        record_normal_result(chart, test, *horizon.often(yearly, chart.generator))


def _record_prevention(chart: Chart, horizon: Horizon) -> None:
    """Medication reviews, coded care plans and coded frailty; the season of flu vaccines is over."""
    deficits = chart.health.deficits(chart.people.end)
    is_older = chart.people.age(chart.people.end) >= OLDER

    def at_pace(chosen: Floats, over_days: float) -> tuple[Integers, Integers]:
        return horizon.often(chosen * YEAR / over_days, chart.generator)

    treated = np.where(chart.health.has(MEDICINES_DEFICIT), constant("review_share"), 0.0)
    chart.record("medication_review", *at_pace(treated, REVIEW_DAYS))
    chart.record(
        "care_plan", *at_pace(np.where(is_older & (deficits >= PLAN_DEFICITS), PLAN_SHARE, 0.0), PLAN_DAYS)
    )
    band = np.digitize(deficits, FRAILTY_BANDS)
    for place, flag in enumerate(FRAILTY_FLAGS):
        if flag:
            coded = np.where(is_older & (band == place), constant("coded_frailty_share"), 0.0)
            chart.record(flag, *at_pace(coded, CODED_DAYS))


def _with_dissents(chart: Chart, events: Events, changes: Changes) -> Events:
    """The events and the dissents to the practice's sharing (Type 1), in the order of persons and days."""
    person = np.flatnonzero(changes.type_1.day < NEVER)
    day, count = changes.type_1.day[person], len(person)
    code = chart.vocabulary.draw("type1_dissent", chart.systems(person, day), chart.generator)
    dissents = Events(
        person,
        day,
        code,
        np.full(count, np.nan),
        np.zeros(count, dtype=np.int64),
        changes.type_1.told[person],
    )
    every = Events(
        *(
            np.concatenate([getattr(events, name), getattr(dissents, name)])
            for name in Events.__dataclass_fields__
        )
    )
    return every.at(np.lexsort((every.day, every.person)))
