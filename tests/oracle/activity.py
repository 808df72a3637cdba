"""Counts of contacts outside the ward: A&E, same-day emergency care, community, GP, agencies, plans.

An optional extract that was not delivered is None here, and its features are None: unknown is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.windows import Row, as_date, in_previous_days, in_previous_months, latest, usable

SAME_DAY_EMERGENCY_CARE = "05"
FIRST_UNPLANNED = "1"
ATTENDED = {"5", "6"}


def attendance_features(rows: Iterable[Row], as_of: date, born: date) -> dict[str, object]:
    emergency: list[date] = []
    same_day: list[date] = []
    for row in usable(rows, "arrival_at", as_of, born):
        if row["attendance_category"] == FIRST_UNPLANNED:
            arrived = as_date(row["arrival_at"])
            (same_day if row["department_type"] == SAME_DAY_EMERGENCY_CARE else emergency).append(arrived)
    return {
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
        return {"agencies_90d": None}
    agencies = {
        row["agency"]
        for row in usable(rows, "contact_date", as_of, born)
        if in_previous_days(row["contact_date"], as_of, 90)
    }
    return {"agencies_90d": len(agencies)}


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
        return {"has_care_plan": True if coded else None, "care_plan_last_reviewed_date": None}
    plans = usable(rows, "created_date", as_of, born)
    reviews = [row.get("last_reviewed_date") for row in plans]
    return {
        "has_care_plan": coded or bool(plans),
        "care_plan_last_reviewed_date": latest(day for day in reviews if day is not None and day < as_of),
    }
