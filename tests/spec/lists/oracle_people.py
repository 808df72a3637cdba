"""What is known of one person on one night: events, outcomes, reviews; worked out from what was written, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.spec.lists.worlds import Person

Row = dict[str, Any]
DAY = timedelta(days=1)
ACTIONS = ("seen", "declined", "referred")


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


def known_of(person_id: str, facts: Facts) -> Row:
    """Somebody's features with what is known of the day and what came back."""
    row = dict(facts.features[person_id]) | {"score": facts.scores[person_id]}
    one = facts.people[person_id]
    row["event"], row["event_date"] = event_of(one, facts.as_of, _first_of_rt1(facts))
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


def _first_of_rt1(facts: Facts) -> date:
    """The day of the first message that RT1 sent about anybody; as_of where it sent none."""
    days = (
        datetime.fromisoformat(message[1]).date()
        for one in facts.people.values()
        for message in one.messages
        if message[2:] in ((), ("RT1",)) and one.is_delivered
    )
    return min(days, default=facts.as_of)


def event_of(one: Person, as_of: date, first_message: date) -> tuple[str | None, date | None]:
    """The first of the events, in the order in which they count; episodes tell what RT1 began before its messages."""
    midnight = datetime.combine(as_of, time())
    stays = _stays(one, midnight)
    found: list[tuple[int, int, str, date]] = []
    said = [stay["last"].date() for stay in stays if stay["provider"] == "RT1"]
    silent = [day for day in one.admissions if day < first_message and all(last < day for last in said)]
    if one.arrived:
        arrived = datetime.fromisoformat(one.arrived)
        left = datetime.fromisoformat(one.departed) if one.departed else None
        is_there = midnight - DAY <= arrived < midnight and (left is None or left >= midnight)
        came_in = any(stay["admitted"] and stay["admitted"] >= arrived for stay in stays)
        came_in |= any(arrived.date() <= day < as_of for day in silent)
        if is_there and not came_in:
            found.append((1, -arrived.toordinal(), "in_ae", arrived.date()))
    for day in silent:  # all of them for one night
        if day == as_of - DAY:
            found.append((2, -day.toordinal(), "admitted", day))
        elif as_of - 2 * DAY <= day + DAY < as_of:
            found.append((4, -(day + DAY).toordinal(), "discharged", day + DAY))
    for stay in _latest(stays):
        since = _since(stay, one)
        left_on = _left_on(stay, since, one, as_of)
        if left_on is None and since >= as_of - 2 * DAY:
            found.append((2, -since.toordinal(), "admitted", since))
        elif left_on is None:
            found.append((3, -since.toordinal(), "in_hospital", since))
        elif left_on >= as_of - 2 * DAY:
            found.append((4, -left_on.toordinal(), "discharged", left_on))
    return (min(found)[2], min(found)[3]) if found else (None, None)


def _since(stay: Row, one: Person) -> date:
    """The day of the admission; where no message told of it, that of an episode that was going on."""
    if stay["admitted"]:
        day: date = stay["admitted"].date()
        return day
    first = stay["first"].date()
    begun = [day for day in one.admissions if day <= first <= day + DAY and stay["provider"] == "RT1"]
    return max(begun, default=first)


def _stays(one: Person, midnight: datetime) -> list[Row]:
    """Every stay by the messages of its provider, as a clerk with a pencil would keep it."""
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
    pages: list[tuple[str, bool, list[tuple[datetime, str]]]] = []
    for provider, at, kind in messages:
        if at >= midnight:
            continue
        begins = order[kind] == "admitted"
        if begins or not pages or pages[-1][0] != provider:
            pages.append((provider, begins, []))
        lines = pages[-1][2]
        if order[kind] != "cancelled":
            lines.append((at, order[kind]))
        elif lines:
            lines.pop()
    stays = []
    for provider, began, lines in pages:
        if not lines or (began and lines[0][1] != "admitted"):
            continue
        admitted = lines[0][0] if began else None
        last, word = lines[-1]
        stays.append(
            {"provider": provider, "admitted": admitted, "first": lines[0][0], "last": last, "word": word}
        )
    return stays


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
