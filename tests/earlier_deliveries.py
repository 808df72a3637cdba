"""A town's one delivery as two: what suppliers would have sent before an earlier day, and what they sent after it.

Rows that were not yet dated or recorded by then come in the second delivery only; rows that have changed since come in
both, first as they stood then. Full extracts come whole both times.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

Row = dict[str, str]
FULL = ("gp_patients", "community_caseload", "national_opt_out", "manual_additions")
# Extract -> when a row happened.
DATED = {
    "gp_patients": "registered_from",
    "gp_events": "event_date",
    "gp_medications": "issue_date",
    "gp_contacts": "contact_date",
    "acute_episodes": "episode_start",
    "acute_attendances": "arrival_at",
    "acute_adt": "event_at",
    "community_contacts": "contact_date",
    "community_referrals": "received_date",
    "community_caseload": "from_date",
    "care_plans": "created_date",
    "assessments": "assessed_on",
    "social_care_services": "start_date",
    "agency_contacts": "contact_date",
    "manual_additions": "added_on",
}
# Dates that are not known before they come, and what else is not known while they are not.
CHANGING: dict[str, dict[str, tuple[str, ...]]] = {
    "gp_patients": {"registered_to": (), "date_of_death": ()},
    "community_caseload": {"to_date": ()},
    "community_referrals": {"allocated_date": (), "closed_date": ()},
    "care_plans": {"last_reviewed_date": ()},
    "social_care_services": {"end_date": (), "last_review_date": ()},
    "acute_attendances": {"departure_at": ("discharge_destination",)},
    "acute_episodes": {
        "episode_end": tuple(f"diagnosis_{number:02d}" for number in range(2, 21)),
        "discharge_date": ("discharge_method", "discharge_destination"),
    },
}


def split_delivery(landing: Path, day: date) -> None:
    """Replace the one delivery of a landing folder by one of the day before ``day``, and itself without that."""
    (folder,) = (path for path in landing.iterdir() if path.name.startswith("20"))
    before = landing / (day - timedelta(days=1)).isoformat()
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        then = list(as_they_stood(path.stem, rows, day))
        sent = {tuple(row.values()) for row in then}
        now = rows if path.stem in FULL else [row for row in rows if tuple(row.values()) not in sent]
        write_whole(before / path.name, list(rows[0]), then)
        write_whole(path, list(rows[0]), now)


def write_whole(path: Path, header: list[str], rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)


def as_they_stood(extract: str, rows: Iterable[Row], day: date) -> Iterable[Row]:
    for row in rows:
        if extract == "national_opt_out":
            yield row | {"checked_on": f"{day - timedelta(days=3)}"}
        elif is_dated_before(extract, row, day):
            then = as_it_stood(extract, row, day)
            if then.get("recorded_date", "") < f"{day}":
                yield then


def is_dated_before(extract: str, row: Row, day: date) -> bool:
    """A registration that begins on the day itself was entered before it."""
    last = day if extract == "gp_patients" else day - timedelta(days=1)
    return row[DATED[extract]][:10] <= f"{last}"


def as_it_stood(extract: str, row: Row, day: date) -> Row:
    then = dict(row)
    for column, beside in CHANGING.get(extract, {}).items():
        if then[column][:10] >= f"{day}":
            then |= dict.fromkeys((column, *beside), "")
    if extract == "acute_episodes" and row["episode_end"] and not then["episode_end"]:
        then["recorded_date"] = row["episode_start"]  # an open episode is sent as it begins
    return then
