"""What the practices record: deficits as codes or values, flags, prevention, everyday observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskstrat.demo.calibration import (
    Booleans,
    Floats,
    Integers,
    conditions,
    constant,
    draw_index,
    read_knowledge,
)
from riskstrat.demo.codes import MEDICINES_DEFICIT, SEXES, NumericTest, Vocabulary, deficit
from riskstrat.demo.health import Health
from riskstrat.demo.people import YEAR, Calendar, People
from riskstrat.demo.pile import Pile
from riskstrat.demo.rows import NEVER

# Bands of the frailty index by its deficits (Clegg 2016): coded frailty mostly agrees with them.
FRAILTY_FLAGS = ("", "frailty_mild", "frailty_moderate", "frailty_severe")
FRAILTY_BANDS = (4.5, 8.5, 12.5)
DEFICITS_COUNTED = 36
# Before this day some practices coded in Read v2 or CTV3; since then all use SNOMED CT.
SNOMED_SINCE = 17_622
# Everyday records lie so many years back on average.
RECORD_YEARS = 3.5


@dataclass
class Chart:
    """A chunk's records while they are written, and the flags that result."""

    people: People
    health: Health
    calendar: Calendar
    vocabulary: Vocabulary
    generator: np.random.Generator
    pile: Pile
    flags: dict[str, Booleans]

    def systems(self, person: Integers, day: Integers) -> Integers:
        """Code system of an event: by the practice's supplier before the change to SNOMED CT."""
        supplier = np.array([0, 0, 1, 0, 2])[self.people.practice[person] % 5]
        return np.where(day < SNOMED_SINCE, supplier, 0)

    def record(self, topic: str, person: Integers, day: Integers) -> None:
        """Write a coded event of a topic for each person and day."""
        self.pile.add(person, day, self.vocabulary.draw(topic, self.systems(person, day), self.generator))

    def between(self, begin: Integers, finish: Integers) -> Integers:
        """A day for each pair, from begin up to the day before finish."""
        room = np.maximum(finish - begin, 1)
        day: Integers = begin + np.floor(self.generator.random(len(begin)) * room).astype(np.int64)
        return day


def draw_records(
    people: People, health: Health, calendar: Calendar, vocabulary: Vocabulary, generator: np.random.Generator
) -> Chart:
    """Write all GP events of a chunk; ``flags`` of the result says what is truly on record by as_of."""
    chart = Chart(people, health, calendar, vocabulary, generator, Pile(), {})
    for test in vocabulary.tests:
        _normal_results(chart, test)
    for condition in conditions():
        if condition.is_deficit and condition.name != MEDICINES_DEFICIT:
            _deficit(chart, condition.name)
    flags = read_knowledge("flags")
    for row in flags:
        if not row["of"]:
            _flag(chart, row)
    _coded_frailty(chart)
    _supplied_index(chart)
    _prevention(chart)
    _observations(chart)
    for row in flags:
        if row["of"]:
            _flag(chart, row)
    return chart


def _deficit(chart: Chart, name: str) -> None:
    """The first record of a deficit and its repeats; some show only as an abnormal test value."""
    since = chart.health.since(name)
    person = np.flatnonzero(since < NEVER)
    by_value = np.zeros(len(person), dtype=bool)
    for test in (test for test in chart.vocabulary.tests if test.deficit == name):
        sexes = np.array([*(sex in test.works_for for sex in SEXES), False, False])
        able = sexes[chart.people.sex[person]] & (
            chart.generator.random(len(person)) < constant("numeric_share")
        )
        by_value |= able
        _abnormal_results(chart, test, person[able], since[person[able]])
    coded = person[~by_value]
    chart.record(deficit(name), coded, since[coded])
    again = np.repeat(coded, chart.generator.poisson(constant("repeats_mean"), len(coded)))
    chart.record(deficit(name), again, chart.between(since[again], chart.people.end[again]))


def _abnormal_results(chart: Chart, test: NumericTest, person: Integers, since: Integers) -> None:
    again = np.repeat(np.arange(len(person)), chart.generator.poisson(constant("repeats_mean"), len(person)))
    later = chart.between(since[again], chart.people.end[person[again]])
    people, days = np.concatenate([person, person[again]]), np.concatenate([since, later])
    chart.pile.add(
        people, days, test.code, _values(test.abnormal, test.decimals, len(people), chart), test.unit
    )


def _normal_results(chart: Chart, test: NumericTest) -> None:
    person = _several(chart, np.full(len(chart.people), normal_results_mean(test)))
    record_normal_result(chart, test, person, _recent_days(chart, person))


def normal_results_mean(test: NumericTest) -> float:
    """How many normal results of a test are on a record."""
    return 0.15 * test.weight


def record_normal_result(chart: Chart, test: NumericTest, person: Integers, day: Integers) -> None:
    """Write a normal result for each person and day."""
    chart.pile.add(person, day, test.code, _values(test.normal, test.decimals, len(person), chart), test.unit)


def _values(limits: tuple[float, float], decimals: int, count: int, chart: Chart) -> Floats:
    return np.round(limits[0] + chart.generator.random(count) * (limits[1] - limits[0]), decimals)


def _several(chart: Chart, mean: Floats) -> Integers:
    """Each person's place, as often as a Poisson count of that mean."""
    return np.repeat(np.arange(len(mean)), chart.generator.poisson(mean))


def _recent_days(chart: Chart, person: Integers) -> Integers:
    """Days of everyday records: mostly recent, never before birth or after death."""
    years_ago = chart.generator.exponential(RECORD_YEARS, len(person))
    room = np.maximum(chart.people.end[person] - chart.people.birth[person], 1)
    days_ago = np.floor(years_ago * YEAR).astype(np.int64) % room
    day: Integers = chart.people.end[person] - 1 - days_ago
    return day


def _flag(chart: Chart, row: dict[str, str]) -> None:
    """A state or event that goes with a condition, for a share of those who have it; some end again.

    One that is ``of`` another flag goes to people who have that flag, and is drawn after everything else.
    """
    people, since = chart.people, chart.health.since(row["needs"])
    old_enough = people.age(people.end) >= float(row["min_age"])
    holds = (since < NEVER) & old_enough & (chart.generator.random(len(people)) < float(row["share"]))
    if row["of"]:
        holds &= chart.flags[row["of"]]
    if row["without"]:
        holds &= ~chart.health.has(row["without"])
    person = np.flatnonzero(holds)
    chart.record(row["flag"], person, since[person])
    if float(row["recent_share"]):
        recent = person[chart.generator.random(len(person)) < float(row["recent_share"])]
        begin = np.maximum(since[recent], chart.calendar.starts[0])
        alive = begin < people.end[recent]
        chart.record(row["flag"], recent[alive], chart.between(begin, people.end[recent])[alive])
        _recurring(chart, row, person, since)
    if row["ended_by"]:
        ended = person[chart.generator.random(len(person)) < float(row["ended_share"])]
        ended = ended[since[ended] + 1 < people.end[ended]]
        chart.record(row["ended_by"], ended, chart.between(since[ended] + 1, people.end[ended]))
        holds[ended] = False
    chart.flags[row["flag"]] = holds


def _recurring(chart: Chart, row: dict[str, str], person: Integers, since: Integers) -> None:
    """In a longer history, what recurred in each year before the last one."""
    starts = chart.calendar.starts if chart.calendar.older else ()
    for first, last in zip(starts[1:], starts[:-1], strict=False):
        begin, finish = np.maximum(since[person], first), np.minimum(chart.people.end[person], last)
        again = (begin < finish) & (chart.generator.random(len(person)) < float(row["recent_share"]))
        chart.record(row["flag"], person[again], chart.between(begin, finish)[again])


def _coded_frailty(chart: Chart) -> None:
    """A clinician's code for part of the frail people of 65 and over, now and then a category off."""
    people, generator = chart.people, chart.generator
    begin = np.maximum(people.birth + int(65 * YEAR), people.end - int(4 * YEAR))
    day = chart.between(begin, people.end)
    deficits = chart.health.deficits(day)
    step = np.where(
        generator.random(len(people)) < constant("coded_frailty_off"),
        generator.choice([-1, 1], len(people)),
        0,
    )
    band = np.clip(np.digitize(deficits, FRAILTY_BANDS) + step, 0, 3)
    coded = (begin < people.end) & (deficits > FRAILTY_BANDS[0])
    coded &= generator.random(len(people)) < constant("coded_frailty_share")
    for place, flag in enumerate(FRAILTY_FLAGS):
        if flag:
            person = np.flatnonzero(coded & (band == place))
            chart.record(flag, person, day[person])


def _supplied_index(chart: Chart) -> None:
    """The GP system's own frailty index, rounded to two places, where the practice's system stores one."""
    people, generator = chart.people, chart.generator
    stores = (people.practice * 7 % 10) < round(10 * constant("supplied_efi_practices"))
    person = np.flatnonzero(stores & (people.age(people.end) >= 66) & (generator.random(len(people)) < 0.9))
    day = chart.between(people.end[person] - 300, people.end[person])
    index = np.round(chart.health.deficits(people.end)[person] / DEFICITS_COUNTED, 2)
    code = chart.vocabulary.draw("supplied_efi", np.zeros(len(person), dtype=np.int64), generator)
    chart.pile.add(person, day, code, index)


def _prevention(chart: Chart) -> None:
    """Flu vaccinations of every season, medication reviews, care plans and type 1 opt-outs."""
    people, generator, end = chart.people, chart.generator, chart.people.end
    age = people.age(end)
    for season in range(len(chart.calendar.starts)):
        first = chart.calendar.as_of - 210 - 365 * season
        takes = generator.random(len(people)) < np.where(
            age >= 65, constant("flu_from_65"), constant("flu_under_65")
        )
        person = np.flatnonzero(takes & (people.birth < first) & (end > first + 110))
        chart.record(
            "flu_vaccine",
            person,
            chart.between(np.full(len(person), first), np.full(len(person), first + 110)),
        )
    treated = chart.health.has(MEDICINES_DEFICIT)
    reviewed = np.flatnonzero(treated & (generator.random(len(people)) < constant("review_share")))
    chart.record("medication_review", reviewed, chart.between(end[reviewed] - 540, end[reviewed]))
    planned = np.flatnonzero(
        (chart.health.deficits(end) >= 9) & (age >= 65) & (generator.random(len(people)) < 0.12)
    )
    chart.record("care_plan", planned, chart.between(end[planned] - 500, end[planned]))
    _type_1_opt_outs(chart)


def _type_1_opt_outs(chart: Chart) -> None:
    people, generator = chart.people, chart.generator
    dissents = np.flatnonzero(generator.random(len(people)) < constant("type1_share"))
    begin = np.maximum(people.end[dissents] - int(8 * YEAR), people.birth[dissents])
    day = chart.between(begin, people.end[dissents])
    chart.record("type1_dissent", dissents, day)
    withdraws = (generator.random(len(dissents)) < constant("type1_withdrawn")) & (
        day + 1 < people.end[dissents]
    )
    person = dissents[withdraws]
    chart.record("type1_withdrawal", person, chart.between(day[withdraws] + 1, people.end[person]))
    opted_out = np.zeros(len(people), dtype=bool)
    opted_out[dissents[~withdraws]] = True
    chart.flags["type1_opt_out"] = opted_out


def _observations(chart: Chart) -> None:
    person = _several(chart, observations_mean(chart))
    record_observations(chart, person, _recent_days(chart, person))


def observations_mean(chart: Chart) -> Floats:
    """How many everyday records each person has."""
    deficits = chart.health.deficits(chart.people.end)
    return np.asarray(
        constant("observations_base")
        + constant("observations_age") * chart.people.age(chart.people.end)
        + constant("observations_deficits") * deficits,
        dtype=np.float64,
    )


def record_observations(chart: Chart, person: Integers, day: Integers) -> None:
    """Write everyday records: blood pressure, weight, contacts, minor illness; none matters to a score."""
    kinds = chart.vocabulary.observations
    kind = draw_index(np.array([observation.weight for observation in kinds]), len(person), chart.generator)
    for place, observation in enumerate(kinds):
        here = np.flatnonzero(kind == place)
        value = None
        if observation.normal is not None:
            value = _values(observation.normal, observation.decimals, len(here), chart)
        chart.pile.add(person[here], day[here], observation.code, value, observation.unit)
