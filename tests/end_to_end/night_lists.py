"""The lists of a night in plain Python, from the generator's truth alone: slow, obvious, and no SQL.

What the truth does not hold (how many agencies are involved, the multimorbidity score) a test puts beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from riskstrat.dates import months_before

Person = dict[str, Any]
Place = tuple[str, str]  # an area and a person
ACTIONS = ("seen", "declined", "referred")
# config/ranking.yaml: an admission counts 10,000, a deficit 200 and a year of age 1.
ADMISSION_POINTS, DEFICIT_POINTS = 10_000, 200


@dataclass(frozen=True)
class PlainList:
    """A list: who is a member, whether only events bring people onto it, and the order; sections by person and change.

    ``takes_additions`` says whether it is made of the cohort that professionals add people to.
    """

    name: str
    area: str
    wants: Callable[[Person], bool]
    takes_additions: bool
    needs_event: bool
    capacity: int | None
    order: Callable[[Person], tuple[Any, ...]]
    compare_days: int
    rest_days: int
    sections: Sequence[tuple[str, Callable[[Person, str, date], bool]]] = ()


@dataclass(frozen=True)
class Outcome:
    """What a team sent back about a person of a list."""

    list: str
    person_id: str
    outcome: str
    day: date
    case_manager: str | None = None
    next_review: date | None = None
    asked: bool = False


@dataclass
class Page:
    """One list of one night: who is eligible in which order, who is listed and how, and why others dropped off."""

    eligible: list[Place] = field(default_factory=list)
    quota: dict[str, int] = field(default_factory=dict)
    not_listed: dict[Place, str] = field(default_factory=dict)
    rank: dict[Place, int] = field(default_factory=dict)
    change: dict[Place, str] = field(default_factory=dict)
    section: dict[Place, str] = field(default_factory=dict)
    dropped: dict[Place, str] = field(default_factory=dict)
    overridden: set[Place] = field(default_factory=set)
    people: dict[str, Person] = field(default_factory=dict)


class Nights:
    """The pages of nights that follow each other, each compared with an earlier one as its list says."""

    def __init__(self, lists: Sequence[PlainList], people: Mapping[date, Mapping[str, Person]]) -> None:
        self.lists, self.people = lists, people
        self.pages: dict[tuple[date, str], Page] = {}
        self.compared: dict[tuple[date, str], date | None] = {}
        self.memory: dict[tuple[date, str], set[Place]] = {}
        self.nights: list[date] = []

    def run(self, night: date, outcomes: Iterable[Outcome] = ()) -> None:
        """Make every list of one night from what is known then and from the nights before."""
        everybody = self.people[night]
        usable = sorted((one for one in outcomes if one.day < night), key=lambda one: one.day)
        population = {
            key: with_outcomes(person, [one for one in usable if one.person_id == key], night)
            for key, person in everybody.items()
            if person["in_population"]
        }
        for plain in self.lists:
            page = _page(plain, population, usable, night)
            last = night - timedelta(days=plain.compare_days)
            before = max((one for one in self.nights if one <= last), default=None)
            self.compared[night, plain.name] = before
            self._compare(plain, page, before, everybody, night)
            self.pages[night, plain.name] = page
            self._remember(plain, page, everybody, night)
        self.nights.append(night)

    def _compare(
        self,
        plain: PlainList,
        page: Page,
        before: date | None,
        everybody: Mapping[str, Person],
        night: date,
    ) -> None:
        was = self.pages[before, plain.name].rank if before else {}
        remembered = self.memory[before, plain.name] if before else set()
        for place, rank in page.rank.items():
            page.change[place] = _change(rank, was.get(place), place in remembered)
            for name, when in plain.sections:
                if place not in page.section and when(page.people[place[1]], page.change[place], night):
                    page.section[place] = name
        for place in was.keys() - page.rank.keys():
            page.dropped[place] = _why(plain, place, page, everybody[place[1]])

    def _remember(self, plain: PlainList, page: Page, everybody: Mapping[str, Person], night: date) -> None:
        memory = set(self.memory[self.nights[-1], plain.name]) if self.nights else set()
        memory |= page.rank.keys()
        self.memory[night, plain.name] = {place for place in memory if not opted_out(everybody[place[1]])}


def opted_out(person: Person) -> bool:
    return bool(person["national_opt_out"] or person["type1_opt_out"])


def score(person: Person) -> int:
    return int(
        ADMISSION_POINTS * person["unplanned_admissions_12m"]
        + DEFICIT_POINTS * person["efi_deficits"]
        + person["age"]
    )


def with_outcomes(person: Person, outcomes: Sequence[Outcome], night: date) -> Person:
    """The person with what came back, oldest first: known, case manager, review date and questions."""
    known = dict(person)
    known["next_review_date"] = known["last_outcome"] = known["last_outcome_date"] = None
    for one in outcomes:
        known["last_outcome"], known["last_outcome_date"] = one.outcome, one.day
        known["is_known_to_team"] |= one.outcome == "seen" or one.case_manager is not None
        since = person["on_caseload_since"]
        if one.case_manager and (person["case_manager"] is None or since is None or since <= one.day):
            known["case_manager"] = one.case_manager
        known["next_review_date"] = one.next_review or known["next_review_date"]
        if one.asked:
            asked = known["five_questions_last_asked_date"]
            known["five_questions_last_asked_date"] = one.day if asked is None else max(asked, one.day)
    plan = [
        day
        for day in (person["care_plan_created_date"], person["care_plan_last_reviewed_date"])
        if day is not None
    ]
    overdue = [0]
    if plan:
        overdue.append((months_before(night, 12) - max(plan)).days)
    if known["next_review_date"] is not None:
        overdue.append((night - known["next_review_date"]).days)
    known["review_days_overdue"] = max(overdue)
    return known


def _page(
    plain: PlainList, population: Mapping[str, Person], outcomes: Sequence[Outcome], night: date
) -> Page:
    page, resting = Page(people=dict(population)), set()
    for key, person in population.items():
        is_added = plain.takes_additions and person["added_to"] is not None
        has_event = person["event"] is not None or not plain.needs_event
        if not (is_added or (plain.wants(person) and has_event)):
            continue
        place = (person[plain.area], key)
        page.eligible.append(place)
        days = [
            one.day
            for one in outcomes
            if (one.list, one.person_id) == (plain.name, key) and one.outcome in ACTIONS
        ]
        if days and not is_added and (night - max(days)).days <= plain.rest_days:
            news = (person["event_date"], person["last_admission_date"])
            if any(day is not None and day >= max(days) for day in news):
                page.overridden.add(place)
            else:
                resting.add(place)
    page.eligible.sort(key=lambda place: (place[0], *plain.order(population[place[1]]), place[1]))
    added = {place for place in page.eligible if plain.takes_additions and population[place[1]]["added_to"]}
    competing = {place for place in page.eligible if place not in added and place not in resting}
    if plain.capacity is not None:
        page.quota = quotas(plain.capacity, plain.area, population, Counter(area for area, _ in competing))
    taken: Counter[str] = Counter()
    ranks: Counter[str] = Counter()
    for place in page.eligible:
        area = place[0]
        taken[area] += place in competing
        if place in resting:
            page.not_listed[place] = "resting"
        elif place not in added and plain.capacity is not None and taken[area] > page.quota[area]:
            page.not_listed[place] = "over capacity"
        else:
            ranks[area] += 1
            page.rank[place] = ranks[area]
    return page


def quotas(
    capacity: int, area_column: str, population: Mapping[str, Person], takers: Mapping[str, int]
) -> dict[str, int]:
    """Places by expected need, none more than an area can fill while another could use it; largest remainder."""
    need: Counter[str] = Counter()
    for person in population.values():
        need[person[area_column]] += person["unplanned_admissions_12m"]
    places = capacity * len(need)
    full: dict[str, int] = {}
    while len(full) < len(need):
        others = {area: need[area] for area in need if area not in full}
        shared = _largest_remainder(places - sum(full.values()), others)
        filled = {area: takers.get(area, 0) for area in others if shared[area] >= takers.get(area, 0)}
        if not filled:
            return {**full, **shared}
        full |= filled
    spare = _largest_remainder(places - sum(full.values()), need)
    return {area: full[area] + spare[area] for area in need}


def _largest_remainder(places: int, need: Mapping[str, int]) -> dict[str, int]:
    exact = {area: Fraction(places * amount, sum(need.values())) for area, amount in need.items()}
    shares = {area: int(amount) for area, amount in exact.items()}
    for area in sorted(exact, key=lambda one: (shares[one] - exact[one], one))[
        : places - sum(shares.values())
    ]:
        shares[area] += 1
    return shares


def _change(rank: int, before: int | None, is_remembered: bool) -> str:
    if before is None:
        return "BACK" if is_remembered else "NEW"
    if rank == before:
        return "SAME"
    return "UP" if rank < before else "DOWN"


def _why(plain: PlainList, place: Place, page: Page, person: Person) -> str:
    if opted_out(person):
        return "opted out"
    if person["not_in_population_because"] == "died":
        return "died"
    if not person["in_population"] or person[plain.area] != place[0]:
        return "moved"
    if place in page.not_listed:
        return page.not_listed[place]
    is_added = plain.takes_additions and person["added_to"] is not None
    return "no recent event" if is_added or plain.wants(person) else "below threshold"
