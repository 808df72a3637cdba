"""The rules of the lists once more, person by person and night by night, as slow and as plain as can be.

Features, scores, cohorts and who is outside the population are taken as published: other tests hold these. Events, what
came back, who is eligible, rests, is listed, has changed or dropped off, and what is remembered are worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from tests.spec.lists.nights import key
from tests.spec.lists.worlds import Person

Row = dict[str, Any]
DAY = timedelta(days=1)
ACTIONS = ("seen", "declined", "referred")


@dataclass(frozen=True)
class Spec:
    """One list of tests/spec/lists/sites.py, in Python."""

    area: str
    sections: Sequence[tuple[str, Callable[[Row], bool | None]]]
    order: Callable[[Row], tuple[Any, ...]]
    compare_days: int
    rest_days: int
    cohort: str = "ill"
    include: Callable[[Row], bool] = lambda row: True
    capacity: int | None = None
    allocation: str = "per_head"
    need: str | None = None


def _least(value: float | None) -> float:
    """Unknown comes last where the greatest comes first."""
    return float("inf") if value is None else -value


SPECS = {
    "huddle": Spec(
        area="neighbourhood_code",
        include=lambda row: row["event"] is not None,
        capacity=2,
        order=lambda row: (
            {None: 0, False: 1, True: 2}[row["is_known_to_team"]],
            -row["review_days_overdue"],
            _least(row["score"]),
        ),
        compare_days=1,
        rest_days=3,
        sections=(
            ("not_known", lambda row: not row["is_known_to_team"]),
            ("overdue", lambda row: row["review_days_overdue"] > 0),
            ("known", lambda row: True),
        ),
    ),
    "needy": Spec(
        area="neighbourhood_code",
        capacity=4,
        allocation="need",
        need="unplanned_admissions_12m",
        order=lambda row: (_least(row["score"]),),
        compare_days=1,
        rest_days=1,
        sections=(("all", lambda row: True),),
    ),
    "wide": Spec(
        area="practice_code",
        capacity=2,
        allocation="city_wide",
        order=lambda row: (row["age"],),
        compare_days=3,
        rest_days=10,
        sections=(("back", lambda row: row["change"] == "BACK"), ("others", lambda row: True)),
    ),
    "monthly": Spec(
        area="practice_code",
        order=lambda row: (_least(row["score"]),),
        compare_days=2,
        rest_days=0,
        sections=(("new", lambda row: row["change"] in ("NEW", "BACK")), ("unchanged", lambda row: True)),
    ),
}


@dataclass
class Told:
    """What one night says of one list: rows by area and person, quotas, everybody eligible, and the memory."""

    listed: dict[tuple[str, str], Row] = field(default_factory=dict)
    dropped: dict[tuple[str, str], str] = field(default_factory=dict)
    eligible: dict[tuple[str, str], Row] = field(default_factory=dict)
    quotas: dict[str, int | None] = field(default_factory=dict)
    memory: dict[tuple[str, str], tuple[date, date, int]] = field(default_factory=dict)


@dataclass
class Facts:
    """What a night publishes that the lists are made of."""

    as_of: date
    features: Mapping[str, Row]
    scores: Mapping[str, int | None]
    cohorts: Mapping[str, Mapping[str, bool]]
    outside: Mapping[str, str]
    opted_out: set[str]
    people: Mapping[str, Person]
    returns: Sequence[Row]


class History:
    """The nights so far, as they should have been."""

    def __init__(self) -> None:
        self.nights: list[tuple[date, dict[str, Told]]] = []

    def night(self, facts: Facts) -> dict[str, Told]:
        told = {name: self._list(name, spec, facts) for name, spec in SPECS.items()}
        self.nights.append((facts.as_of, told))
        return told

    def _before(self, as_of: date, days: int) -> dict[str, Told] | None:
        """The newest night that lies so many days back or more; of one date the last published."""
        able = [(day, place) for place, (day, _) in enumerate(self.nights) if day <= as_of - days * DAY]
        return self.nights[max(able)[1]][1] if able else None

    def _list(self, name: str, spec: Spec, facts: Facts) -> Told:
        told = Told()
        rows = self._eligible(name, spec, facts)
        told.quotas = _quotas(spec, facts, rows)
        taken: dict[str, int] = {}
        for place_of in _by_area(rows).values():
            for place, row in enumerate(place_of, 1):
                row["place"] = place
        city = [row for row in _ordered(spec, rows) if not row["is_added"] and not row["is_resting"]]
        if spec.allocation == "city_wide" and spec.capacity is not None:
            first = {row["person_id"] for row in city[: spec.capacity * len(_areas(spec, facts))]}
        for row in rows:
            area, quota = row["area_code"], told.quotas[row["area_code"]]
            if row["is_added"]:
                row["is_listed"] = True
            elif row["is_resting"]:
                row["is_listed"] = False
            elif spec.capacity is None:
                row["is_listed"] = True
            elif spec.allocation == "city_wide":
                row["is_listed"] = row["person_id"] in first
            else:
                taken[area] = taken.get(area, 0) + 1
                row["is_listed"] = taken[area] <= (quota or 0)
            told.eligible[area, row["person_id"]] = row
        self._rank(name, spec, facts, told)
        self._drop(name, spec, facts, told)
        self._remember(name, facts, told)
        return told

    def _eligible(self, name: str, spec: Spec, facts: Facts) -> list[Row]:
        rows = []
        for person_id, is_added in facts.cohorts[spec.cohort].items():
            row = known_of(person_id, facts)
            row |= {"is_added": is_added, "area_code": row[spec.area]}
            actions = [
                one["outcome_date"]
                for one in facts.returns
                if one["person_id"] == person_id and one["list"] == name and one["outcome"] in ACTIONS
            ]
            rests = bool(actions) and (facts.as_of - max(actions)).days <= spec.rest_days
            news = [day for day in (row["event_date"], row["last_admission_date"]) if day is not None]
            is_new = rests and any(day >= max(actions) for day in news)
            row["is_resting"] = rests and not is_new and not is_added
            row["rest_overridden"] = is_new and not is_added
            if is_added or spec.include(row):
                rows.append(row)
        return _ordered(spec, rows)

    def _rank(self, name: str, spec: Spec, facts: Facts, told: Told) -> None:
        then = self._before(facts.as_of, spec.compare_days)
        for area in {area for area, _ in told.eligible}:
            listed = [row for (code, _), row in told.eligible.items() if code == area and row["is_listed"]]
            for rank, row in enumerate(sorted(listed, key=lambda row: row["place"]), 1):
                at = (area, row["person_id"])
                before = then[name].listed.get(at) if then else None
                if before is None:
                    was_known = then is not None and at in then[name].memory
                    change = "BACK" if was_known else "NEW"
                else:
                    change = {-1: "UP", 0: "SAME", 1: "DOWN"}[_sign(rank - before["rank"])]
                row |= {"rank": rank, "change": change}
                row["section"] = next(title for title, holds in spec.sections if holds(row))
                told.listed[at] = row

    def _drop(self, name: str, spec: Spec, facts: Facts, told: Told) -> None:
        then = self._before(facts.as_of, spec.compare_days)
        for (area, person_id), _ in (then[name].listed if then else {}).items():
            if (area, person_id) in told.listed:
                continue
            here = facts.features.get(person_id)
            found = told.eligible.get((area, person_id))
            if person_id in facts.opted_out:
                why = "opted out"
            elif facts.outside.get(person_id) == "died":
                why = "died"
            elif here is None or here[spec.area] != area:
                why = "moved"
            elif found is not None:
                why = "resting" if found["is_resting"] else "over capacity"
            elif person_id not in facts.cohorts[spec.cohort]:
                why = "below threshold"
            else:
                why = "no recent event"
            told.dropped[area, person_id] = why

    def _remember(self, name: str, facts: Facts, told: Told) -> None:
        before = self._before(facts.as_of, 1)
        told.memory = dict(before[name].memory) if before else {}
        for at, row in told.listed.items():
            first = told.memory[at][0] if at in told.memory else facts.as_of
            told.memory[at] = (first, facts.as_of, row["rank"])
        told.memory = {
            at: kept
            for at, kept in told.memory.items()
            if (facts.as_of - kept[1]).days <= 400 and at[1] not in facts.opted_out
        }


def known_of(person_id: str, facts: Facts) -> Row:
    """Somebody's features with what is known of the day and what came back."""
    row = dict(facts.features[person_id]) | {"score": facts.scores[person_id]}
    one = facts.people[person_id]
    row["event"], row["event_date"] = event_of(one, facts.as_of)
    row["last_admission_date"] = _last_admission(one, facts.as_of)
    mine = sorted(
        (back for back in facts.returns if back["person_id"] == person_id),
        key=lambda back: (back["outcome_date"], back["return_number"]),
    )
    row["last_outcome"] = mine[-1]["outcome"] if mine else None
    row["last_outcome_date"] = mine[-1]["outcome_date"] if mine else None
    if any(back["outcome"] == "seen" or back["case_manager"] for back in mine):
        row["is_known_to_team"] = True
    managers = [back for back in mine if back["case_manager"]]
    since = one.on_caseload_since
    if managers and (row["case_manager"] is None or since is None or since <= managers[-1]["outcome_date"]):
        row["case_manager"] = managers[-1]["case_manager"]
    row["next_review_date"] = _next_review(mine)
    row["care_plan_days_overdue"] = _overdue(row, facts.as_of)
    late = (facts.as_of - row["next_review_date"]).days if row["next_review_date"] else 0
    row["review_days_overdue"] = max(row["care_plan_days_overdue"] or 0, late, 0)
    return row


def _next_review(mine: Sequence[Row]) -> date | None:
    day = None
    for back in mine:
        if back["next_review_date"] is not None:
            day = back["next_review_date"]
        elif day is not None and back["outcome"] in ACTIONS and back["outcome_date"] >= day:
            day = None
    return day


def _overdue(row: Row, as_of: date) -> int | None:
    days = [day for day in (row["care_plan_created_date"], row["care_plan_last_reviewed_date"]) if day]
    if not row["has_care_plan"] or not days:
        return None
    return max((date(as_of.year - 1, as_of.month, as_of.day) - max(days)).days, 0)


def event_of(one: Person, as_of: date) -> tuple[str | None, date | None]:
    """The first of the events, in the order in which they count."""
    midnight = datetime.combine(as_of, time())
    stays = _stays(one, midnight)
    found: list[tuple[int, int, str, date]] = []
    if one.arrived:
        arrived = datetime.fromisoformat(one.arrived)
        left = datetime.fromisoformat(one.departed) if one.departed else None
        is_there = midnight - DAY <= arrived < midnight and (left is None or left >= midnight)
        if is_there and not any(stay["admitted"] and stay["admitted"] >= arrived for stay in stays):
            found.append((1, -arrived.toordinal(), "in_ae", arrived.date()))
    for stay in _latest(stays):
        since = (stay["admitted"] or stay["first"]).date()
        left_on = _left_on(stay, since, one, as_of)
        if left_on is None and since >= as_of - 2 * DAY:
            found.append((2, -since.toordinal(), "admitted", since))
        elif left_on is None:
            found.append((3, -since.toordinal(), "in_hospital", since))
        elif left_on >= as_of - 2 * DAY:
            found.append((4, -left_on.toordinal(), "discharged", left_on))
    return (min(found)[2], min(found)[3]) if found else (None, None)


def _stays(one: Person, midnight: datetime) -> list[Row]:
    """Every stay by the messages of its provider, one message after the other; none that was cancelled."""
    order = ("admitted", "transferred", "discharged", "cancelled")
    messages = sorted(
        {
            (
                message[2] if len(message) > 2 else "RT1",
                datetime.fromisoformat(message[1]),
                order.index(message[0]),
            )
            for message in one.messages
        }
    )
    stays: list[Row] = []
    for provider, at, kind in messages:
        if at >= midnight:
            continue
        mine = stays[-1] if stays and stays[-1]["provider"] == provider else None
        if order[kind] == "admitted" or mine is None:
            mine = {"provider": provider, "admitted": None, "first": at, "cancelled": False}
            stays.append(mine)
        if order[kind] == "admitted":
            mine["admitted"] = at
        mine["cancelled"] |= order[kind] == "cancelled"
        mine |= {"last": at, "word": order[kind]}
    return [stay for stay in stays if not stay["cancelled"]]


def _latest(stays: Sequence[Row]) -> list[Row]:
    """The last stay of each provider; not one that ended in a transfer which another provider took over."""
    last = {stay["provider"]: stay for stay in stays}
    kept = []
    for provider, stay in last.items():
        taken_over = stay["word"] == "transferred" and any(
            other["provider"] != provider
            and other["first"] >= stay["last"]
            and (other["first"], other["provider"]) > (stay["first"], provider)
            for other in stays
        )
        if not taken_over:
            kept.append(stay)
    return kept


def _left_on(stay: Row, since: date, one: Person, as_of: date) -> date | None:
    """The day of the discharge; where no message says so, of an episode of a night or more that came after."""
    if stay["word"] == "discharged":
        return stay["last"].date()
    if stay["provider"] != "RT1":
        return None  # all episodes of these worlds are of RT1 and last one night
    ends = [day + DAY for day in one.admissions if day >= since and day + DAY < as_of]
    ends = [day for day in ends if day >= stay["last"].date()]
    return max(ends) if ends else None


def _last_admission(one: Person, as_of: date) -> date | None:
    days = [day for day in one.admissions if day < as_of]
    stays = _stays(one, datetime.combine(as_of, time()))
    days += [stay["admitted"].date() for stay in stays if stay["admitted"]]
    return max(days) if days else None


def _ordered(spec: Spec, rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (*spec.order(row), row["person_id"]))


def _by_area(rows: Sequence[Row]) -> dict[str, list[Row]]:
    areas: dict[str, list[Row]] = {}
    for row in rows:
        areas.setdefault(row["area_code"], []).append(row)
    return areas


def _areas(spec: Spec, facts: Facts) -> dict[str, list[Row]]:
    areas: dict[str, list[Row]] = {}
    for row in facts.features.values():
        areas.setdefault(row[spec.area], []).append(row)
    return dict(sorted(areas.items()))


def _quotas(spec: Spec, facts: Facts, rows: Sequence[Row]) -> dict[str, int | None]:
    areas = _areas(spec, facts)
    takers = dict.fromkeys(areas, 0)
    for row in rows:
        if not row["is_added"] and not row["is_resting"]:
            takers[row["area_code"]] += 1
    if spec.capacity is None:
        return dict.fromkeys(areas)
    if spec.allocation == "city_wide":
        competing = [row for row in _ordered(spec, rows) if not row["is_added"] and not row["is_resting"]]
        first = competing[: spec.capacity * len(areas)]
        return {code: sum(row["area_code"] == code for row in first) for code in areas}
    people = {code: Fraction(len(group)) for code, group in areas.items()}
    weights = people
    if spec.need is not None:
        sums = {code: Fraction(sum(row[spec.need] for row in group)) for code, group in areas.items()}
        weights = sums if any(sums.values()) else people
    return dict(shared(spec.capacity * len(areas), weights, people, takers))


def shared(
    places: int, weights: Mapping[str, Fraction], people: Mapping[str, Fraction], takers: Mapping[str, int]
) -> dict[str, int]:
    """Places by area, taking one full area after the other out of the sharing."""
    given: dict[str, int] = {}
    while True:
        waiting = [code for code in sorted(weights) if code not in given]
        left = places - sum(given.values())
        if not waiting:
            extra = _hamilton(left, list(weights), weights, people)
            return {code: given[code] + extra[code] for code in weights}
        now = _hamilton(left, waiting, weights, people)
        full = [code for code in waiting if now[code] >= takers[code]]
        if not full:
            return given | now
        given |= {code: takers[code] for code in full}


def _hamilton(
    places: int, codes: Sequence[str], weights: Mapping[str, Fraction], people: Mapping[str, Fraction]
) -> dict[str, int]:
    """Largest remainder, a place at a time."""
    wanted = {code: weights[code] for code in codes}
    if sum(wanted.values()) == 0:
        wanted = {code: people[code] for code in codes}
    if sum(wanted.values()) == 0:
        wanted = dict.fromkeys(codes, Fraction(1))
    total = sum(wanted.values())
    given = {code: (places * wanted[code]) // total for code in codes}
    rest = {code: places * wanted[code] / total - given[code] for code in codes}
    for _ in range(places - sum(given.values())):
        code = min(codes, key=lambda one: (-rest[one], one))
        given[code] += 1
        rest[code] = Fraction(-1)
    return {code: int(number) for code, number in given.items()}


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def pseudonyms(people: Iterable[Person]) -> dict[str, Person]:
    return {key(one.number): one for one in people}
