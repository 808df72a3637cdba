"""Records of later days, of which a look at an earlier day must know nothing."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

# Extract -> key, and the dates of a row that are moved to a day on or after another.
LATER = {
    "gp_events": ("event_id", ("event_date", "recorded_date")),
    "gp_medications": ("issue_id", ("issue_date",)),
    "gp_contacts": ("contact_id", ("contact_date",)),
    "acute_episodes": (
        "episode_id",
        ("admission_date", "episode_start", "episode_end", "discharge_date", "recorded_date"),
    ),
    "acute_attendances": ("attendance_id", ("arrival_at", "departure_at")),
    "community_contacts": ("contact_id", ("contact_date",)),
    "care_plans": ("plan_id", ("created_date", "last_reviewed_date")),
    "assessments": ("assessment_id", ("assessed_on",)),
    "social_care_services": ("service_id", ("start_date",)),
    "agency_contacts": ("contact_id", ("contact_date",)),
}


def later_row(extract: str, row: dict[str, str], dice: Random, since: date) -> dict[str, str]:
    """The same thing again, of the same person, on some day from ``since`` on: a new record."""
    key, dates = LATER[extract]
    day = since + timedelta(days=dice.choice((0, 0, 1, 30, 200)))
    moved = row | {key: f"later {row[key]}"} | {name: f"{day}{row[name][10:]}" for name in dates if row[name]}
    if extract == "acute_episodes":
        moved |= {"spell_id": f"later {row[key]}", "admission_method": "21", "patient_classification": "1"}
    return moved | ({"end_date": ""} if "end_date" in row else {})
