"""Polars: emergency care, contacts, agencies, care planning, home care and teams."""

from __future__ import annotations

import polars as pl

from benchmarks.baselines.polars_inputs import Inputs, collected


def attendances(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """First unplanned attendances of the last 12 months by kind."""
    run = inputs.knowledge.windows
    first = inputs.table("reference_attendance_categories").filter("is_first_unplanned")
    same_day = inputs.table("reference_department_types").filter("is_same_day_emergency_care")
    is_same_day = (
        pl.col("department_type").is_in(same_day["department_type"].to_list()).fill_null(value=False)
    )
    emergency = ~pl.col("is_same_day")
    return collected(
        inputs.dated("acute_attendances", "arrival_at", people)
        .filter(
            pl.col("date") >= run.start_12m,
            pl.col("attendance_category").is_in(first["attendance_category"].to_list()),
        )
        .with_columns(is_same_day.alias("is_same_day"))
        .group_by("person")
        .agg(
            emergency.sum().alias("emergency_12m"),
            (emergency & (pl.col("date") >= run.start_90d)).sum().alias("emergency_90d"),
            (emergency & pl.col("arrived_by_ambulance").fill_null(value=False)).sum().alias("ambulance_12m"),
            pl.col("is_same_day").sum().alias("same_day_12m"),
        )
    )


def says_ambulance(inputs: Inputs) -> bool:
    """Whether any attendance says how the person came."""
    dated = pl.col("arrival_at").cast(pl.Date) < inputs.knowledge.windows.as_of
    modes = inputs.scan("acute_attendances").filter(dated).select(pl.col("arrived_by_ambulance").count())
    return bool(collected(modes).item())


def community(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """Attended contacts with community services."""
    attended = inputs.table("reference_attendance_statuses").filter("is_attended")["attendance_status"]
    return collected(
        inputs.dated("community_contacts", "contact_date", people)
        .filter(pl.col("attendance_status").is_in(attended.to_list()))
        .group_by("person")
        .agg(
            (pl.col("date") >= inputs.knowledge.windows.start_12m).sum().alias("community_12m"),
            pl.col("date").max().alias("last_community_contact_date"),
        )
    )


def gp_contacts(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """Contacts with the practice in the last 12 months."""
    return collected(
        inputs.dated("gp_contacts", "contact_date", people)
        .filter(pl.col("date") >= inputs.knowledge.windows.start_12m)
        .group_by("person")
        .agg(pl.len().alias("gp_contacts"))
    )


def agencies(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """Contacts with other agencies in the last 12 months, and of how many agencies in 90 days."""
    run = inputs.knowledge.windows
    recent = pl.col("date") >= run.start_90d
    return collected(
        inputs.dated("agency_contacts", "contact_date", people)
        .filter(pl.col("date") >= run.start_12m)
        .group_by("person")
        .agg(
            pl.col("agency").filter(recent).drop_nulls().n_unique().alias("agency_count"),
            recent.sum().alias("agency_90d"),
            pl.len().alias("agency_12m"),
        )
    )


def unscheduled(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """Contacts that nobody had planned: in the last 90 days, and in the 12 months before those."""
    run = inputs.knowledge.windows
    listed = inputs.table("reference_unscheduled_contacts").select(
        "extract", pl.col("kind").str.strip_chars().str.to_lowercase()
    )
    first = inputs.table("reference_attendance_categories").filter("is_first_unplanned")
    same_day = inputs.table("reference_department_types").filter("is_same_day_emergency_care")
    emergency = pl.col("attendance_category").is_in(first["attendance_category"].to_list()) & ~(
        pl.col("department_type").is_in(same_day["department_type"].to_list()).fill_null(value=False)
    )
    attended = inputs.dated("acute_attendances", "arrival_at", people).filter(emergency)
    parts = [
        frame.filter(pl.col("date") >= run.start_12m).select("person", "date")
        for extract, frame in (
            ("acute_attendances", attended),
            ("gp_contacts", _of_kind(inputs, "gp_contacts", "contact_type", listed, people)),
            ("agency_contacts", _of_kind(inputs, "agency_contacts", "agency", listed, people)),
        )
        if extract in listed["extract"]
    ]
    if not parts:
        return pl.DataFrame(
            schema={"person": pl.Int64, "unscheduled_90d": pl.UInt32, "unscheduled_earlier": pl.UInt32}
        )
    recent = pl.col("date") >= run.start_90d
    return collected(
        pl.concat(parts)
        .group_by("person")
        .agg(recent.sum().alias("unscheduled_90d"), (~recent).sum().alias("unscheduled_earlier"))
    )


def _of_kind(
    inputs: Inputs, extract: str, column: str, listed: pl.DataFrame, people: pl.DataFrame
) -> pl.LazyFrame:
    kinds = listed.filter(extract=extract)["kind"]
    rows = inputs.dated(extract, "contact_date", people)
    if kinds.null_count():
        return rows.filter(pl.col(column).is_not_null())
    return rows.filter(pl.col(column).str.strip_chars().str.to_lowercase().is_in(kinds.to_list()))


def care_plans(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """When the latest plan was made and when one was last reviewed."""
    reviewed = pl.col("last_reviewed_date")
    counts = (reviewed < inputs.knowledge.windows.as_of) & (reviewed >= pl.col("date_of_birth"))
    return collected(
        inputs.dated("care_plans", "created_date", people)
        .group_by("person")
        .agg(
            pl.col("date").max().alias("care_plan_created_date"),
            reviewed.filter(counts).max().alias("care_plan_last_reviewed_date"),
        )
    )


def questions(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """When the five questions were last asked."""
    asked = inputs.dated("assessments", "assessed_on", people).group_by("person")
    return collected(asked.agg(pl.col("date").max().alias("five_questions_last_asked_date")))


def homecare(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """Open home care: since when, and when it was last reviewed."""
    as_of, review = inputs.knowledge.windows.as_of, pl.col("last_review_date")
    listed = inputs.table("reference_homecare_services")["service_type"].str.strip_chars().str.to_lowercase()
    counts = (review < as_of) & (review >= pl.col("date_of_birth"))
    return collected(
        inputs.dated("social_care_services", "start_date", people)
        .filter(
            pl.col("service_type").str.strip_chars().str.to_lowercase().is_in(listed.to_list()),
            pl.col("end_date").is_null() | (pl.col("end_date") >= as_of),
        )
        .group_by("person")
        .agg(
            pl.col("date").min().alias("homecare_started_date"),
            review.filter(counts).max().alias("homecare_last_review_date"),
            pl.lit(value=True).first().alias("has_homecare"),
        )
    )


def team(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """The case manager of the latest open caseload row."""
    is_open = pl.col("to_date").is_null() | (pl.col("to_date") >= inputs.knowledge.windows.as_of)
    return collected(
        inputs.dated("community_caseload", "from_date", people)
        .filter(is_open)
        .select("person", "date", "team", "case_manager")
        .sort(
            ["person", "date", "team", "case_manager"],
            descending=[False, True, False, False],
            nulls_last=True,
        )
        .unique("person", keep="first", maintain_order=True)
        .select("person", "case_manager", pl.lit(value=True).alias("is_on_caseload"))
    )
