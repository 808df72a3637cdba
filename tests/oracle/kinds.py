"""Which interesting cases a generated person is, found in the rows themselves.

A generator that stops making a case would leave its rule untested without a sound; the counts of these kinds
make that a failure.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from tests.oracle.flags import STATES
from tests.oracle.frailty import SUPPLIED_EFI, code_of, medicines_in_previous_12_months
from tests.oracle.gp_histories import DISSENT, WITHDRAWAL
from tests.oracle.histories import Row
from tests.oracle.knowledge import Code, Knowledge
from tests.oracle.people import age_on, practice_on
from tests.oracle.windows import as_date, flu_season_start, months_before

History = Mapping[str, Sequence[Row]]

DATED = {
    "gp_events": "event_date",
    "gp_medications": "issue_date",
    "gp_contacts": "contact_date",
    "acute_episodes": "admission_date",
    "acute_attendances": "arrival_at",
    "community_contacts": "contact_date",
    "agency_contacts": "contact_date",
    "assessments": "assessed_on",
    "care_plans": "created_date",
    "community_caseload": "from_date",
    "social_care_services": "start_date",
}
DAY = timedelta(days=1)


def boundary_days(as_of: date) -> dict[str, date]:
    """The days on which windows open, and the days before them."""
    starts = {
        "as_of": as_of,
        "start of 90 days": as_of - timedelta(days=90),
        "start of 12 months": months_before(as_of, 12),
        "start of 24 months": months_before(as_of, 24),
        "start of last calendar year": date(as_of.year - 1, 1, 1),
        "start of this calendar year": date(as_of.year, 1, 1),
    }
    before = {f"day before {name}": day - DAY for name, day in starts.items()}
    return starts | before | {"leap day": date(2024, 2, 29)}


def dated_kinds(history: History, as_of: date) -> Iterator[str]:
    born = history["gp_patients"][0]["date_of_birth"]
    boundaries = boundary_days(as_of)
    for extract, column in DATED.items():
        days = {as_date(row[column]) for row in history.get(extract, ())}
        for name, day in boundaries.items():
            if day in days:
                yield f"{extract} on {name}"
        if any(day < born for day in days):
            yield f"{extract} before birth"


def people_kinds(history: History, as_of: date, knowledge: Knowledge) -> Iterator[str]:
    rows = history["gp_patients"]
    born = rows[0]["date_of_birth"]
    age = age_on(born, as_of)
    if (born.month, born.day) == (2, 29):
        yield "born on a leap day"
    for edge in (18, 50, 65, 75, 85):
        if age == edge and age_on(born, as_of - DAY) == edge - 1:
            yield f"turns {edge} on as_of"
        if age == edge - 1 and age_on(born, as_of + DAY) == edge:
            yield f"turns {edge} the day after"
    if born >= as_of:
        yield "born on or after as_of"
    for row in rows:
        if row["date_of_death"] is not None:
            yield f"died {side(row['date_of_death'], as_of)}"
    yield from registration_kinds(rows, as_of, knowledge)


def side(day: date, as_of: date) -> str:
    if day == as_of:
        return "on as_of"
    return "before as_of" if day < as_of else "after as_of"


def registration_kinds(rows: Sequence[Row], as_of: date, knowledge: Knowledge) -> Iterator[str]:
    for row in rows:
        if row["registered_to"] in (as_of, as_of - DAY):
            yield f"registration ends {side(row['registered_to'], as_of)}"
        if row["registered_from"] in (as_of, as_of + DAY):
            yield f"registration begins {side(row['registered_from'], as_of)}"
    if len({row["practice_code"] for row in rows}) < len(rows):
        yield "left and came back to a practice"
    yield from open_registration_kinds([row for row in rows if is_open(row, as_of)], as_of, knowledge)


def is_open(row: Row, as_of: date) -> bool:
    until = row["registered_to"]
    return bool(row["registered_from"] <= as_of and (until is None or until >= as_of))


def open_registration_kinds(opened: Sequence[Row], as_of: date, knowledge: Knowledge) -> Iterator[str]:
    scoped = [row for row in opened if practice_on(row["practice_code"], as_of, knowledge)]
    if not opened:
        yield "registered nowhere on as_of"
    elif not scoped:
        yield "open out of scope only"
    elif len(opened) > len(scoped):
        yield "open in scope and out of scope"
    if len(scoped) > 1:
        one_day = len({row["registered_from"] for row in scoped}) == 1
        yield "two open registrations of one day" if one_day else "two open registrations"
    for row in scoped:
        if len(knowledge.memberships(row["practice_code"])) > 1:
            yield "practice whose neighbourhood changes"
        if row["practice_code"].startswith("T8"):
            yield "practice with a silent feed"


def gp_kinds(history: History, as_of: date, knowledge: Knowledge) -> Iterator[str]:
    events = history.get("gp_events", ())
    for event in events:
        yield from clock_kinds(event, as_of)
        yield from code_kinds(event, knowledge)
        yield from value_kinds(event, knowledge)
        yield from edge_kinds(event, as_of, knowledge)
    yield from opt_out_kinds(events)
    yield from one_day_kinds(events, knowledge)
    medicines = medicines_in_previous_12_months(history.get("gp_medications", ()), as_of, date.min)
    yield f"{medicines} different medicines in 12 months"


def opt_out_kinds(events: Sequence[Row]) -> Iterator[str]:
    dissent = {event["event_date"] for event in events if code_of(event) in DISSENT}
    withdrawal = {event["event_date"] for event in events if code_of(event) in WITHDRAWAL}
    if dissent:
        yield "dissent"
    if dissent & withdrawal:
        yield "dissent and withdrawal on one day"
    if dissent and withdrawal and max(withdrawal) > max(dissent):
        yield "dissent withdrawn later"


def one_day_kinds(events: Sequence[Row], knowledge: Knowledge) -> Iterator[str]:
    concepts: dict[date, set[str]] = {}
    for event in events:
        concepts.setdefault(event["event_date"], set()).update(knowledge.concepts("flags", code_of(event)))
    for found in concepts.values():
        if any(ending and {state, ending} <= found for state, ending in STATES.values()):
            yield "state and its ending on one day"
        if len(found & {"frailty_mild", "frailty_moderate", "frailty_severe"}) > 1:
            yield "two coded frailties on one day"


def clock_kinds(event: Row, as_of: date) -> Iterator[str]:
    recorded = event["recorded_date"]
    if recorded is not None and recorded >= as_of > event["event_date"]:
        yield f"happened before, recorded {side(recorded, as_of)}"
    if event.get("deleted"):
        yield "row that the supplier deleted"


def is_listed(code: Code, knowledge: Knowledge) -> bool:
    return any(knowledge.concepts(name, code) for name in ("efi", "flags", "cambridge"))


def code_kinds(event: Row, knowledge: Knowledge) -> Iterator[str]:
    system, text = code_of(event)
    if len(knowledge.concepts("efi", (system, text))) > 1:
        yield "code of several deficits"
    other = (system, text.swapcase())
    if system != "snomed" and other[1] != text and is_listed(other, knowledge):
        there = is_listed((system, text), knowledge)
        yield "Read code of two cases" if there else "Read code in the wrong case"


def value_kinds(event: Row, knowledge: Knowledge) -> Iterator[str]:
    value = event["value"]
    if value is None:
        return
    for rule in knowledge.value_rules(code_of(event)):
        if f"{value:g}" in (rule["value"], rule["max_value"]):
            yield "value on its threshold"
    if code_of(event) == SUPPLIED_EFI and not 0 <= value <= 1:
        yield "supplied eFI outside 0 to 1"


def edge_kinds(event: Row, as_of: date, knowledge: Knowledge) -> Iterator[str]:
    code, day = code_of(event), event["event_date"]
    if day == months_before(as_of, 60) and "cancer" in knowledge.concepts("cambridge", code):
        yield "cancer on the first day of 5 years"
    if day == flu_season_start(as_of) and "flu_vaccine" in knowledge.concepts("flags", code):
        yield "flu vaccine on 1 September"


# What a column holds, by the words that the kind of it has: extract, column, kind.
TOLD = (
    ("community_caseload", "to_date", "caseload place ends {}"),
    ("care_plans", "last_reviewed_date", "care plan reviewed {}"),
    ("social_care_services", "service_type", "service called {}"),
    ("social_care_services", "end_date", "service ends {}"),
    ("social_care_services", "last_review_date", "service reviewed {}"),
    ("gp_contacts", "contact_type", "gp contact by {}"),
    ("agency_contacts", "agency", "contact of {}"),
    ("acute_attendances", "arrived_by_ambulance", "arrived by ambulance {}"),
    ("national_opt_out", "checked_on", "national opt-out checked {}"),
    ("acute_attendances", "attendance_category", "attendance category {}"),
    ("acute_attendances", "department_type", "department type {}"),
    ("acute_attendances", "arrival_at", "arrival at {:%H:%M}"),
    ("community_contacts", "attendance_status", "attendance status {}"),
)


def team_kinds(history: History, as_of: date) -> Iterator[str]:
    for extract, column, kind in TOLD:
        for row in history.get(extract, ()):
            value = row[column]
            if value is not None:
                is_day = isinstance(value, date) and not isinstance(value, datetime)
                yield kind.format(side(value, as_of) if is_day else value)
    if len(history.get("community_caseload", ())) > 1:
        yield "several caseload places"


def row_kinds(history: History) -> Iterator[str]:
    """Numbers as people type them, and rows that arrive twice."""
    if any(len(row["nhs_number"]) > 10 for row in itertools.chain.from_iterable(history.values())):
        yield "NHS number with spaces or hyphens"
    for rows in history.values():
        if any(one == other for one, other in itertools.combinations(rows, 2)):
            yield "duplicate row"


def count_kinds(
    histories: Iterable[History], finders: Iterable[Callable[[History], Iterable[str]]]
) -> Counter[str]:
    """Kind -> the number of people who are an example of it."""
    counts: Counter[str] = Counter()
    finders = list(finders)
    for history in histories:
        counts.update({kind for finder in finders for kind in finder(history)})
    return counts
