"""The columns that a list's conditions may read: the features, and what a list knows besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from riskstrat.definitions.reasons import QUESTIONS
from riskstrat.definitions.rules import Column, ColumnType

CONTRACT = "lists"
CHANGE = "change"
# Columns of pipelines/50_lists/list_columns.sql, in order; those that a feature has the name of stand in its place.
OVERLAID = ("is_known_to_team", "case_manager", "five_questions_last_asked_date")
QUESTION_COLUMNS = ("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living")
PUBLISHED = (
    *("event", "event_date", "care_plan_days_overdue", "last_outcome", "last_outcome_date"),
    *("next_review_date", "data_complete_to", "score_age_days"),
)
WORKING: Mapping[str, tuple[ColumnType, str, str]] = {
    "last_admission_date": ("date", "DATE", "the day of the latest admission, by messages and episodes"),
    "review_days_overdue": (
        "integer",
        "INTEGER",
        "days by which a review is overdue, 0 where none is known to be",
    ),
    **{
        name: ("boolean", "BOOLEAN", "whether a concern is open; NULL: not asked")
        for name in QUESTION_COLUMNS
    },
}
ADDED = (*PUBLISHED, *WORKING)
SCORE, MANUAL = "score", "is_manual_addition"
QUESTION_COLUMN: Mapping[int, str] = dict(zip(QUESTIONS, QUESTION_COLUMNS, strict=True))


def condition_columns(
    features: Iterable[Column], shown: Iterable[Column], *, ranked: bool = False
) -> dict[str, Column]:
    """What a condition may read, by name; where people are ``ranked`` already, also what has changed of them.

    ``shown`` are the columns of the published lists.
    """
    columns = {column.name: column for column in features}
    named = {column.name: column for column in shown}
    for name in (*PUBLISHED, SCORE, MANUAL, *((CHANGE,) if ranked else ())):
        columns[name] = named[name]
    return columns | {
        name: Column(
            name=name,
            type=kind,
            required=False,
            key=False,
            identifier=False,
            private=False,
            description=description,
            sql_type=sql_type,
        )
        for name, (kind, sql_type, description) in WORKING.items()
    }
