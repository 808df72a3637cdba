"""Community Services Data Set: a month of submissions, whose columns have had other names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.factories import nhs_number
from tests.supplier_files.files import Row, Tables, write_table

PROVIDER_NOW, PROVIDER_BEFORE = "ORGANISATION IDENTIFIER (CODE OF PROVIDER)", "ORGANISATION CODE (PROVIDER)"
STATUS_NOW, STATUS_BEFORE = "ATTENDANCE STATUS", "ATTENDED OR DID NOT ATTEND CODE"
SERVICE_NOW = "SERVICE OR TEAM TYPE REFERRED TO (COMMUNITY CARE)"
SERVICE_BEFORE = "SERVICE TYPE REFERRED TO (COMMUNITY CARE)"
PERSON, SUBMISSION = "PERSON ID", "UNIQUE SUBMISSION ID"
SERVICE_REQUEST = "UNIQUE SERVICE REQUEST IDENTIFIER"
COLUMNS = {
    "Bridging": ("Person_ID", "Pseudo_NHS_Number"),
    "CYP001MPI": (PERSON, "PERSON STATED GENDER CODE", SUBMISSION, "REPORTING PERIOD START DATE"),
    "CYP004CarePlanType": (
        "UNIQUE CARE PLAN IDENTIFIER",
        "CARE PLAN TYPE (COMMUNITY CARE)",
        "CARE PLAN CREATION DATE",
        "CARE PLAN LAST UPDATED DATE",
        PERSON,
        SUBMISSION,
    ),
    "CYP101Referral": (
        SERVICE_REQUEST,
        "REFERRAL REQUEST RECEIVED DATE",
        "SERVICE DISCHARGE DATE",
        PERSON,
        SUBMISSION,
        PROVIDER_NOW,
    ),
    "CYP102ServiceTypeReferredTo": (
        SERVICE_REQUEST,
        SERVICE_NOW,
        "REFERRAL CLOSURE DATE",
        PERSON,
        SUBMISSION,
    ),
    "CYP201CareContact": (
        "UNIQUE CARE CONTACT IDENTIFIER",
        SERVICE_REQUEST,
        "CARE CONTACT DATE",
        STATUS_NOW,
        "CONSULTATION MECHANISM (COMMUNITY CARE)",
        PERSON,
        SUBMISSION,
        PROVIDER_NOW,
    ),
}


def _person(index: int) -> str:
    return f"PERSON{index:04d}"


def _request(index: int) -> str:
    return f"RC1-R{index:04d}"


def bridge(person: int) -> Row:
    """Whose NHS number belongs to a person of the data set."""
    return {"Person_ID": _person(person), "Pseudo_NHS_Number": nhs_number(person)}


def mpi(person: int, submission: int = 1, **columns: str) -> Row:
    return {PERSON: _person(person), SUBMISSION: str(submission)} | columns


def referral(index: int, person: int, submission: int = 1, **columns: str) -> Row:
    return {
        SERVICE_REQUEST: _request(index),
        "REFERRAL REQUEST RECEIVED DATE": "2025-09-01",
        PERSON: _person(person),
        SUBMISSION: str(submission),
        PROVIDER_NOW: "RC1",
    } | columns


def service(request: int, kind: str = "12", submission: int = 1) -> Row:
    return {SERVICE_REQUEST: _request(request), SERVICE_NOW: kind, SUBMISSION: str(submission)}


def contact(index: int, person: int, status: str = "5", submission: int = 1, **columns: str) -> Row:
    return {
        "UNIQUE CARE CONTACT IDENTIFIER": f"RC1-C{index:04d}",
        SERVICE_REQUEST: _request(1),
        "CARE CONTACT DATE": "2025-10-01",
        STATUS_NOW: status,
        PERSON: _person(person),
        SUBMISSION: str(submission),
        PROVIDER_NOW: "RC1",
    } | columns


def plan(index: int, person: int, **columns: str) -> Row:
    return {
        "UNIQUE CARE PLAN IDENTIFIER": f"RC1-P{index:04d}",
        "CARE PLAN TYPE (COMMUNITY CARE)": "02",
        "CARE PLAN CREATION DATE": "2025-01-10",
        "CARE PLAN LAST UPDATED DATE": "2025-11-20",
        PERSON: _person(person),
        SUBMISSION: "1",
    } | columns


def write(delivery: Path, tables: Tables | None = None, *, renamed: Mapping[str, str] | None = None) -> None:
    """Write a month; ``renamed`` gives columns the names that they had in another version of the data set.

    A column that a row has and its table has not is added behind the others.
    """
    names = renamed or {}
    for table, columns in COLUMNS.items():
        rows = [{names.get(k, k): v for k, v in row.items()} for row in (tables or {}).get(table, ())]
        header = [names.get(name, name) for name in columns]
        header += dict.fromkeys(name for row in rows for name in row if name not in header)
        write_table(delivery / f"CSDS_{table}.csv", header, rows)
