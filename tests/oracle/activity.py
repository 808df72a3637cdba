"""Counts of contacts outside the ward: A&E, same-day emergency care, community, GP, agencies, plans, home care.

An optional extract that was not delivered is None here, and its features are None: unknown is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import (
    Row,
    as_date,
    in_previous_days,
    in_previous_months,
    latest,
    months_before,
    usable,
)

SAME_DAY_EMERGENCY_CARE = "05"
FIRST_UNPLANNED = "1"
ATTENDED = {"5", "6"}


def first_attendances(rows: Iterable[Row], as_of: date, born: date) -> list[Row]:
    known = usable(rows, "arrival_at", as_of, born)
    return [row for row in known if row["attendance_category"] == FIRST_UNPLANNED]


def says_ambulance(rows: Iterable[Row], as_of: date) -> bool:
    """Whether any attendance before ``as_of`` says if an ambulance came, whoever's it is."""
    return any(
        row.get("arrived_by_ambulance") is not None for row in rows if as_date(row["arrival_at"]) < as_of
    )


def attendance_features(
    rows: Sequence[Row], as_of: date, born: date, ambulances_are_told: bool
) -> dict[str, object]:
    emergency: list[date] = []
    by_ambulance: list[date] = []
    same_day: list[date] = []
    for row in first_attendances(rows, as_of, born):
        arrived = as_date(row["arrival_at"])
        if row["department_type"] == SAME_DAY_EMERGENCY_CARE:
            same_day.append(arrived)
        else:
            emergency.append(arrived)
            if row.get("arrived_by_ambulance"):
                by_ambulance.append(arrived)
    ambulances = sum(in_previous_months(day, as_of, 12) for day in by_ambulance)
    return {
        "ambulance_arrivals_12m": ambulances if ambulances_are_told else None,
        "ae_attendances_12m": sum(in_previous_months(day, as_of, 12) for day in emergency),
        "ae_attendances_90d": sum(in_previous_days(day, as_of, 90) for day in emergency),
        "sdec_attendances_12m": sum(in_previous_months(day, as_of, 12) for day in same_day),
    }


def community_features(rows: Iterable[Row], as_of: date, born: date) -> dict[str, object]:
    attended = [
        row["contact_date"]
        for row in usable(rows, "contact_date", as_of, born)
        if row["attendance_status"] in ATTENDED
    ]
    return {
        "community_contacts_12m": sum(in_previous_months(day, as_of, 12) for day in attended),
        "last_community_contact_date": latest(attended),
    }


def gp_contact_features(rows: Iterable[Row] | None, as_of: date, born: date) -> dict[str, object]:
    if rows is None:
        return {"gp_contacts_12m": None}
    days = [row["contact_date"] for row in usable(rows, "contact_date", as_of, born)]
    return {"gp_contacts_12m": sum(in_previous_months(day, as_of, 12) for day in days)}


def agency_features(rows: Iterable[Row] | None, as_of: date, born: date) -> dict[str, object]:
    if rows is None:
        return {"agencies_90d": None, "agency_contacts_90d": None, "agency_contacts_12m": None}
    known = usable(rows, "contact_date", as_of, born)
    recent = [row for row in known if in_previous_days(row["contact_date"], as_of, 90)]
    return {
        "agencies_90d": len({row["agency"] for row in recent}),
        "agency_contacts_90d": len(recent),
        "agency_contacts_12m": sum(in_previous_months(row["contact_date"], as_of, 12) for row in known),
    }


def same_words(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()


def unscheduled_days(
    extract: str, rows: Iterable[Row], as_of: date, born: date, knowledge: Knowledge
) -> list[date]:
    """The days of one extract's contacts that the site lists as unscheduled; an empty kind lists them all."""
    kinds = [row["kind"] for row in knowledge.unscheduled_contacts if row["extract"] == extract]
    if not kinds:
        return []
    if extract == "acute_attendances":
        return [
            as_date(row["arrival_at"])
            for row in first_attendances(rows, as_of, born)
            if row["department_type"] != SAME_DAY_EMERGENCY_CARE
        ]
    column = {"gp_contacts": "contact_type", "agency_contacts": "agency"}[extract]
    return [
        row["contact_date"]
        for row in usable(rows, "contact_date", as_of, born)
        if any(kind.strip() == "" or same_words(kind, row[column]) for kind in kinds)
    ]


def unscheduled_features(
    history: Mapping[str, Sequence[Row]], as_of: date, born: date, registered: date, knowledge: Knowledge
) -> dict[str, object]:
    """Nobody can say where a listed extract was not delivered; hospitals always deliver.

    Nor what is usual for somebody who registered (``registered``) after the 12 months had begun.
    """
    listed = {row["extract"] for row in knowledge.unscheduled_contacts}
    if not listed or not listed <= {"acute_attendances", *history}:
        return {"unscheduled_contacts_90d": None, "unscheduled_contacts_usual_90d": None}
    days: list[date] = []
    for extract in listed:
        days += unscheduled_days(extract, history.get(extract, ()), as_of, born, knowledge)
    year_began, recent_began = months_before(as_of, 12), as_of - timedelta(days=90)
    earlier = [day for day in days if year_began <= day < recent_began]
    usual = round(len(earlier) * 90 / (recent_began - year_began).days, 4)
    return {
        "unscheduled_contacts_90d": sum(in_previous_days(day, as_of, 90) for day in days),
        "unscheduled_contacts_usual_90d": None if registered > year_began else usual,
    }


def homecare_features(
    rows: Iterable[Row] | None, as_of: date, born: date, knowledge: Knowledge
) -> dict[str, object]:
    """Home care that began before ``as_of`` and had not ended before it; reviews on or after it are not known."""
    if rows is None:
        return {"receives_homecare": None, "homecare_started_date": None, "homecare_last_review_date": None}
    services = [
        row
        for row in usable(rows, "start_date", as_of, born)
        if any(same_words(row["service_type"], one["service_type"]) for one in knowledge.homecare_services)
        and (row.get("end_date") is None or row["end_date"] >= as_of)
    ]
    reviews = [row.get("last_review_date") for row in services]
    return {
        "receives_homecare": bool(services),
        "homecare_started_date": min((row["start_date"] for row in services), default=None),
        "homecare_last_review_date": latest(
            day for day in reviews if day is not None and born <= day < as_of
        ),
    }


def assessment_features(rows: Iterable[Row] | None, as_of: date, born: date) -> dict[str, object]:
    if rows is None:
        return {"five_questions_last_asked_date": None}
    asked = [row["assessed_on"] for row in usable(rows, "assessed_on", as_of, born)]
    return {"five_questions_last_asked_date": latest(asked)}


def caseload_features(rows: Iterable[Row] | None, as_of: date, born: date) -> dict[str, object]:
    """Known to the team: on a caseload that began before ``as_of`` and had not ended before it.

    The latest open place names the case manager, and of two that began on one day the first team by name (the
    rules are silent on that).
    """
    if rows is None:
        return {"is_known_to_team": None, "case_manager": None}
    places = [
        row
        for row in usable(rows, "from_date", as_of, born)
        if row.get("to_date") is None or row["to_date"] >= as_of
    ]
    newest = max((row["from_date"] for row in places), default=None)
    last = min(
        (row for row in places if row["from_date"] == newest), key=lambda row: row["team"], default=None
    )
    return {
        "is_known_to_team": bool(places),
        "case_manager": None if last is None else last.get("case_manager"),
    }


def care_plan_features(rows: Iterable[Row] | None, coded: bool, as_of: date, born: date) -> dict[str, object]:
    """A plan of the extract or of a GP code; without the extract only the code can say yes, and nothing no."""
    if rows is None:
        return {
            "has_care_plan": True if coded else None,
            "care_plan_created_date": None,
            "care_plan_last_reviewed_date": None,
        }
    plans = usable(rows, "created_date", as_of, born)
    reviews = [row.get("last_reviewed_date") for row in plans]
    return {
        "has_care_plan": coded or bool(plans),
        "care_plan_created_date": latest(row["created_date"] for row in plans),
        "care_plan_last_reviewed_date": latest(day for day in reviews if day is not None and day < as_of),
    }
