"""pandas: emergency care, contacts, agencies, care planning, home care and teams."""

from __future__ import annotations

import pandas as pd

from benchmarks.baselines.pandas_inputs import Inputs, normal

ATTENDANCE = ("attendance_category", "department_type")


def first_attendances(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """First unplanned attendances of the last 12 months, and whether they were same-day emergency care."""
    rows = inputs.dated(
        "acute_attendances",
        "arrival_at",
        people,
        "arrived_by_ambulance",
        since=inputs.knowledge.windows.start_12m,
        categories=ATTENDANCE,
    )
    categories, types = (
        inputs.table(name) for name in ("reference_attendance_categories", "reference_department_types")
    )
    first = categories.loc[categories["is_first_unplanned"], "attendance_category"]
    same_day = types.loc[types["is_same_day_emergency_care"], "department_type"]
    rows = rows[rows["attendance_category"].isin(first)]
    return rows.assign(is_same_day=rows["department_type"].isin(same_day))


def attendances(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """How many there were of each kind."""
    emergency = ~rows["is_same_day"]
    counted = {
        "emergency_12m": emergency,
        "emergency_90d": emergency & (rows["date"] >= inputs.day("start_90d")),
        "ambulance_12m": emergency & rows["arrived_by_ambulance"].eq(other=True),
        "same_day_12m": rows["is_same_day"],
    }
    return pd.DataFrame(counted).groupby(rows["person"]).sum()


def says_ambulance(inputs: Inputs) -> bool:
    """Whether any attendance says how the person came."""
    before = [("arrival_at", "<", inputs.knowledge.windows.as_of)]
    modes = inputs.read("acute_attendances", "arrived_by_ambulance", filters=before)
    return bool(modes["arrived_by_ambulance"].notna().any())


def community(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """Attended contacts with community services."""
    statuses = inputs.table("reference_attendance_statuses")
    attended = statuses.loc[statuses["is_attended"], "attendance_status"]
    rows = inputs.dated("community_contacts", "contact_date", people, categories=("attendance_status",))
    rows = rows[rows["attendance_status"].isin(attended)]
    recent = rows["date"] >= inputs.day("start_12m")
    return pd.DataFrame(
        {
            "community_12m": recent.groupby(rows["person"]).sum(),
            "last_community_contact_date": rows.groupby("person")["date"].max(),
        }
    )


def gp_contacts(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """Contacts with the practice in the last 12 months, with their types."""
    since = inputs.knowledge.windows.start_12m
    return inputs.dated("gp_contacts", "contact_date", people, since=since, categories=("contact_type",))


def agency_contacts(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """Contacts with other agencies in the last 12 months."""
    since = inputs.knowledge.windows.start_12m
    return inputs.dated("agency_contacts", "contact_date", people, "agency", since=since)


def agencies(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """How many contacts and, in 90 days, how many agencies."""
    recent = rows[rows["date"] >= inputs.day("start_90d")]
    return pd.DataFrame(
        {
            "agency_count": recent.groupby("person")["agency"].nunique(),
            "agency_90d": recent.groupby("person").size(),
            "agency_12m": rows.groupby("person").size(),
        }
    )


def unscheduled(
    inputs: Inputs, attended: pd.DataFrame, contacts: pd.DataFrame, of_agencies: pd.DataFrame
) -> pd.DataFrame:
    """Contacts that nobody had planned: in the last 90 days, and in the 12 months before those."""
    listed = inputs.table("reference_unscheduled_contacts")
    kinds = {name: set(rows["kind"]) for name, rows in listed.groupby("extract")}
    parts = [
        rows.loc[_of_kind(rows, column, kinds[extract]), ["person", "date"]]
        for extract, rows, column in (
            ("acute_attendances", attended[~attended["is_same_day"]], None),
            ("gp_contacts", contacts, "contact_type"),
            ("agency_contacts", of_agencies, "agency"),
        )
        if extract in kinds
    ]
    rows = pd.concat(parts) if parts else attended.iloc[:0]
    recent = rows["date"] >= inputs.day("start_90d")
    return (
        pd.DataFrame({"unscheduled_90d": recent, "unscheduled_earlier": ~recent})
        .groupby(rows["person"])
        .sum()
    )


def _of_kind(rows: pd.DataFrame, column: str | None, kinds: set[str | None]) -> pd.Series:
    """Which rows are of the kinds that are listed; no kind stands for all of them."""
    if column is None:
        return pd.Series(data=True, index=rows.index)
    texts = rows[column].drop_duplicates().dropna()
    is_any = any(pd.isna(kind) for kind in kinds)
    wanted = texts if is_any else texts[normal(texts).isin({str(kind).strip().lower() for kind in kinds})]
    return rows[column].isin(wanted)


def care_plans(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """When the latest plan was made and when one was last reviewed."""
    rows = inputs.dated("care_plans", "created_date", people, "last_reviewed_date")
    return pd.DataFrame(
        {
            "care_plan_created_date": rows.groupby("person")["date"].max(),
            "care_plan_last_reviewed_date": _reviewed(inputs, rows, "last_reviewed_date"),
        }
    )


def _reviewed(inputs: Inputs, rows: pd.DataFrame, column: str) -> pd.Series:
    """The latest review of each person before as_of and not before birth."""
    counts = (rows[column] < inputs.day("as_of")) & (rows[column] >= rows["date_of_birth"])
    return rows[counts].groupby("person")[column].max()


def questions(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """When the five questions were last asked."""
    asked = inputs.dated("assessments", "assessed_on", people).groupby("person")["date"]
    return asked.max().to_frame("five_questions_last_asked_date")


def homecare(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """Open home care: since when, and when it was last reviewed."""
    rows = inputs.dated(
        "social_care_services", "start_date", people, "service_type", "end_date", "last_review_date"
    )
    listed = normal(inputs.table("reference_homecare_services")["service_type"])
    is_open = rows["end_date"].isna() | (rows["end_date"] >= inputs.day("as_of"))
    rows = rows[is_open & normal(rows["service_type"]).isin(listed)]
    found = rows.groupby("person")["date"].min().to_frame("homecare_started_date")
    return found.assign(
        homecare_last_review_date=_reviewed(inputs, rows, "last_review_date"), has_homecare=True
    )


def team(inputs: Inputs, people: pd.DataFrame) -> pd.DataFrame:
    """The case manager of the latest open caseload row."""
    rows = inputs.dated("community_caseload", "from_date", people, "to_date", "team", "case_manager")
    rows = rows[rows["to_date"].isna() | (rows["to_date"] >= inputs.day("as_of"))]
    rows = rows.sort_values(["person", "date", "team", "case_manager"], ascending=[True, False, True, True])
    found = rows.drop_duplicates("person").set_index("person")
    return found[["case_manager"]].assign(is_on_caseload=True)
