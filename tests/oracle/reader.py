"""Canonical extracts read back the slow way: one CSV file after another, row by row, with the csv module alone.

What the rules set aside is set aside here too: rows whose NHS number is missing or invalid, that lack a column they
cannot do without, or that no calendar, number or code can hold; of several versions of a row the last recorded
counts, and a deleted row takes its key with it. Where the rules are silent on versions inside one delivery, the
later recorded date is the later version.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskstrat.definitions.snomed import is_snomed_id
from tests.oracle.histories import History

Row = dict[str, Any]

KEYS = {
    "gp_patients": ("nhs_number", "practice_code", "registered_from"),
    "community_caseload": ("nhs_number", "team", "from_date"),
}
# The columns without which a row is none.
NEEDED = {
    "gp_patients": ("practice_code", "registered_from", "date_of_birth", "sex"),
    "gp_events": ("event_id", "event_date", "code_system", "code"),
    "gp_medications": ("issue_id", "issue_date", "dmd_code"),
    "gp_contacts": ("contact_id", "contact_date", "contact_type"),
    "acute_episodes": (
        "episode_id",
        "provider_code",
        "episode_number",
        "admission_date",
        "admission_method",
        "patient_classification",
        "episode_start",
    ),
    "acute_attendances": (
        "attendance_id",
        "provider_code",
        "arrival_at",
        "attendance_category",
        "department_type",
    ),
    "community_contacts": ("contact_id", "provider_code", "contact_date", "attendance_status"),
    "community_caseload": ("team", "from_date"),
    "care_plans": ("plan_id", "created_date"),
    "assessments": ("assessment_id", "assessed_on", "question"),
    "social_care_services": ("service_id", "service_type", "start_date"),
    "agency_contacts": ("contact_id", "agency", "contact_date"),
    "national_opt_out": ("checked_on",),
}
DATES = {
    "registered_from",
    "registered_to",
    "date_of_birth",
    "date_of_death",
    "event_date",
    "recorded_date",
    "issue_date",
    "contact_date",
    "admission_date",
    "episode_start",
    "episode_end",
    "discharge_date",
    "from_date",
    "to_date",
    "created_date",
    "last_reviewed_date",
    "start_date",
    "end_date",
    "last_review_date",
    "assessed_on",
    "checked_on",
}
CODE_SYSTEMS = ("snomed", "readv2", "ctv3")
WEIGHTS = range(10, 1, -1)


def is_nhs_number(number: str) -> bool:
    """Ten digits, not all the same, whose last is the modulus-11 check digit."""
    if len(number) != 10 or not number.isdigit() or len(set(number)) == 1:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number, strict=False))
    check = 11 - total % 11
    return (0 if check == 11 else check) == int(number[9])


def read_value(column: str, text: str) -> object:
    if text == "":
        return None
    if column in DATES:
        return date.fromisoformat(text)
    if column == "arrival_at":
        return datetime.fromisoformat(text)
    if column == "value":
        return float(text)
    if column == "episode_number":
        return int(text)
    return text == "true" if column in ("deleted", "arrived_by_ambulance") else text


def read_row(extract: str, cells: Mapping[str, str]) -> Row | None:
    """The row, or None where it has to be set aside."""
    try:
        row: Row = {column: read_value(column, text) for column, text in cells.items()}
    except ValueError:
        return None
    row["nhs_number"] = (row["nhs_number"] or "").replace(" ", "").replace("-", "")
    if not is_nhs_number(row["nhs_number"]) or any(row[column] is None for column in NEEDED[extract]):
        return None
    return row if makes_sense(extract, row) else None


def makes_sense(extract: str, row: Row) -> bool:
    if extract == "gp_events":
        return row["code_system"] in CODE_SYSTEMS
    if extract == "gp_medications":
        return is_snomed_id(row["dmd_code"])
    if extract == "acute_episodes" and row["discharge_date"] is not None:
        return bool(row["discharge_date"] >= row["admission_date"])
    return True


def current_rows(extract: str, rows: list[Row]) -> list[Row]:
    """One row of each key: the version that was recorded last, unless the supplier deleted it."""
    by_key: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        columns = KEYS.get(extract) or (next(iter(row)),)
        by_key.setdefault(tuple(row[column] for column in columns), []).append(row)
    kept = []
    for versions in by_key.values():
        if not any(row.get("deleted") for row in versions):
            kept.append(max(versions, key=lambda row: row.get("recorded_date") or date.min))
    return kept


def read_delivery(folder: Path) -> dict[str, list[Row]]:
    """Every extract of one delivery folder that a feature is made of."""
    extracts = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem in NEEDED:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [read_row(path.stem, cells) for cells in csv.DictReader(file)]
            extracts[path.stem] = current_rows(path.stem, [row for row in rows if row is not None])
    return extracts


def histories_of(extracts: Mapping[str, list[Row]]) -> dict[str, History]:
    """NHS number -> that person's rows; everybody has every extract that was delivered."""
    people: dict[str, History] = {
        row["nhs_number"]: {extract: [] for extract in extracts} for row in extracts["gp_patients"]
    }
    for extract, rows in extracts.items():
        for row in rows:
            if row["nhs_number"] in people:
                people[row["nhs_number"]][extract].append(row)
    return people
