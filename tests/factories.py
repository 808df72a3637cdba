"""Rows for tests: valid synthetic NHS numbers (999 range), a made-up geography, sensible defaults.

Every maker returns a row of one extract under its canonical column names; keyword arguments replace defaults.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskstrat.definitions.geography import AREA_COLUMNS, PRACTICE_COLUMNS
from riskstrat.definitions.snomed import is_snomed_id

Row = dict[str, Any]

AS_OF = date(2026, 4, 1)
BORN = date(1945, 6, 15)

# Every person of a generated town has practices alone, so that none sends enough rows to be judged silent.
PRACTICES = tuple(f"T{number:05d}" for number in range(600))
RETIRED_PRACTICE = "T90001"
LAST_DAY_PRACTICE = "T90002"
FUTURE_PRACTICE = "T90003"
OUT_OF_SCOPE_PRACTICE = "Y99999"
DEPRIVED_AREA, AFFLUENT_AREA, AREA_ELSEWHERE = "E01000001", "E01000002", "E01999999"

REQUIRED_EXTRACTS = (
    "gp_patients",
    "gp_events",
    "gp_medications",
    "acute_episodes",
    "acute_attendances",
    "community_contacts",
)
OPTIONAL_EXTRACTS = (
    "gp_contacts",
    "acute_adt",
    "community_referrals",
    "community_caseload",
    "care_plans",
    "assessments",
    "social_care_services",
    "agency_contacts",
    "national_opt_out",
    "manual_additions",
)

_serial = itertools.count(1)


def next_key(prefix: str) -> str:
    return f"{prefix}{next(_serial):07d}"


def nhs_number(index: int) -> str:
    """The index-th synthetic NHS number: 999, five digits, one that allows a check digit, and that digit.

    >>> nhs_number(0)
    '9990000018'
    """
    for spare in "012":
        first_nine = f"999{index:05d}{spare}"
        remainder = (
            sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), first_nine, strict=True)) % 11
        )
        check = (11 - remainder) % 11
        if check != 10:
            return f"{first_nine}{check}"
    raise ValueError(f"no synthetic NHS number for {index}")


def snomed_id(stem: int) -> str:
    """The stem with the one last digit that makes it a well-formed SNOMED CT or dm+d identifier.

    >>> snomed_id(7321100)
    '73211009'
    """
    return next(f"{stem}{digit}" for digit in range(10) if is_snomed_id(f"{stem}{digit}"))


def nhs_numbers() -> Iterator[str]:
    return (nhs_number(index) for index in itertools.count(1))


def patient(number: str, **columns: Any) -> Row:
    row: Row = {
        "nhs_number": number,
        "practice_code": PRACTICES[0],
        "registered_from": date(2010, 1, 1),
        "registered_to": None,
        "date_of_birth": BORN,
        "date_of_death": None,
        "sex": "1",
        "ethnic_category": "A",
        "lsoa_code": DEPRIVED_AREA,
    }
    return row | columns


def event(number: str, **columns: Any) -> Row:
    row: Row = {
        "event_id": next_key("E"),
        "nhs_number": number,
        "event_date": date(2025, 10, 1),
        "recorded_date": None,
        "code_system": "snomed",
        "code": "271737000",
        "value": None,
        "unit": None,
    }
    return row | columns


def medication(number: str, **columns: Any) -> Row:
    row: Row = {
        "issue_id": next_key("M"),
        "nhs_number": number,
        "issue_date": date(2025, 10, 1),
        "dmd_code": snomed_id(3972031100000110),
    }
    return row | columns


def gp_contact(number: str, **columns: Any) -> Row:
    row: Row = {
        "contact_id": next_key("G"),
        "nhs_number": number,
        "contact_date": date(2025, 10, 1),
        "contact_type": "face_to_face",
    }
    return row | columns


def episode(number: str, **columns: Any) -> Row:
    """One episode; it starts on admission and ends on discharge unless told otherwise."""
    row: Row = {
        "episode_id": next_key("F"),
        "nhs_number": number,
        "provider_code": "RT1",
        "spell_id": None,
        "episode_number": 1,
        "admission_date": date(2025, 10, 1),
        "admission_method": "21",
        "source_of_admission": "19",
        "patient_classification": "1",
        "discharge_date": None,
        "discharge_destination": None,
    }
    row |= columns
    row.setdefault("episode_start", row["admission_date"])
    row.setdefault("discharge_method", "1" if row["discharge_date"] else None)
    if (
        row["discharge_date"]
        and row["discharge_destination"] is None
        and "discharge_destination" not in columns
    ):
        row["discharge_destination"] = "19"
    return row


def attendance(number: str, **columns: Any) -> Row:
    row: Row = {
        "attendance_id": next_key("A"),
        "nhs_number": number,
        "provider_code": "RT1",
        "arrival_at": datetime(2025, 10, 1, 12, 0),
        "attendance_category": "1",
        "department_type": "01",
    }
    return row | columns


def community_contact(number: str, **columns: Any) -> Row:
    row: Row = {
        "contact_id": next_key("C"),
        "nhs_number": number,
        "provider_code": "RC1",
        "contact_date": date(2025, 10, 1),
        "service_type": "district_nursing",
        "attendance_status": "5",
    }
    return row | columns


def caseload_entry(number: str, **columns: Any) -> Row:
    row: Row = {
        "nhs_number": number,
        "team": "north",
        "from_date": date(2025, 10, 1),
        "to_date": None,
        "case_manager": None,
    }
    return row | columns


def care_plan(number: str, **columns: Any) -> Row:
    row: Row = {
        "plan_id": next_key("P"),
        "nhs_number": number,
        "plan_type": "personalised_care_plan",
        "created_date": date(2025, 10, 1),
        "last_reviewed_date": None,
    }
    return row | columns


def assessment(number: str, **columns: Any) -> Row:
    row: Row = {
        "assessment_id": next_key("Q"),
        "nhs_number": number,
        "assessed_on": date(2025, 10, 1),
        "question": 1,
        "concern": False,
    }
    return row | columns


def agency_contact(number: str, **columns: Any) -> Row:
    row: Row = {
        "contact_id": next_key("K"),
        "nhs_number": number,
        "agency": "housing",
        "contact_date": date(2026, 3, 1),
    }
    return row | columns


def social_care_service(number: str, **columns: Any) -> Row:
    row: Row = {
        "service_id": next_key("L"),
        "nhs_number": number,
        "service_type": "home care",
        "start_date": date(2025, 10, 1),
        "end_date": None,
        "last_review_date": None,
    }
    return row | columns


def national_opt_out(number: str, **columns: Any) -> Row:
    return {"nhs_number": number, "checked_on": date(2026, 3, 1)} | columns


MAKERS = {
    "gp_patients": patient,
    "gp_events": event,
    "gp_medications": medication,
    "gp_contacts": gp_contact,
    "acute_episodes": episode,
    "acute_attendances": attendance,
    "community_contacts": community_contact,
    "community_caseload": caseload_entry,
    "care_plans": care_plan,
    "assessments": assessment,
    "agency_contacts": agency_contact,
    "social_care_services": social_care_service,
    "national_opt_out": national_opt_out,
}


def write_geography(folder: Path) -> None:
    """``practices.csv`` and ``areas.csv`` of a made-up place: four PCNs in two neighbourhoods."""
    rows = [_practice(code, number, "2000-01-01", "") for number, code in enumerate(PRACTICES)]
    rows.append(_practice(RETIRED_PRACTICE, 0, "2000-01-01", "2026-03-31"))
    rows.append(_practice(LAST_DAY_PRACTICE, 0, "2000-01-01", "2026-04-01"))
    rows.append(_practice(FUTURE_PRACTICE, 1, "2026-04-02", ""))
    _write(folder / "practices.csv", PRACTICE_COLUMNS, rows)
    _write(folder / "areas.csv", AREA_COLUMNS, [(DEPRIVED_AREA, "1"), (AFFLUENT_AREA, "10")])


def _practice(code: str, number: int, valid_from: str, valid_to: str) -> tuple[str, ...]:
    pcn, neighbourhood = number % 4 + 1, number % 2 + 1
    return (
        code,
        f"Practice {code}",
        f"TP{pcn}",
        f"Network {pcn}",
        f"TN{neighbourhood}",
        f"Neighbourhood {neighbourhood}",
        valid_from,
        valid_to,
    )


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
