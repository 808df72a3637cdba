"""Synthea: one file a table, of which an edition may have fewer or other columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.supplier_files.files import Row, Tables, write_tables

COLUMNS = {
    "patients": "Id BIRTHDATE DEATHDATE SSN PREFIX FIRST LAST RACE ETHNICITY GENDER CITY",
    "conditions": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
    "medications": "START STOP PATIENT PAYER ENCOUNTER CODE DESCRIPTION",
    "encounters": "Id START STOP PATIENT ORGANIZATION PROVIDER ENCOUNTERCLASS CODE DESCRIPTION",
    "observations": "DATE PATIENT ENCOUNTER CATEGORY CODE DESCRIPTION VALUE UNITS TYPE",
    "procedures": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
    "immunizations": "DATE PATIENT ENCOUNTER CODE DESCRIPTION",
    "careplans": "Id START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
}
CONDITIONS = {
    "38341003": "Hypertensive disorder (disorder)",
    "44054006": "Diabetes",
    "105531004": "Housing unsatisfactory (finding)",
}
ENCOUNTERS = ("wellness", "outpatient", "emergency", "urgentcare", "home", "snf")


def one_person() -> dict[str, list[Row]]:
    """The files that every edition has, of one woman: an encounter of each kind, and two stays in hospital."""
    return {
        "patients": [{"Id": "p1", "BIRTHDATE": "1945-06-15", "GENDER": "F", "FIRST": "Ada", "LAST": "Gray"}],
        "conditions": [
            {"START": "2015-01-31", "PATIENT": "p1", "ENCOUNTER": "e1", "CODE": code, "DESCRIPTION": name}
            for code, name in CONDITIONS.items()
        ],
        "medications": [
            {
                "START": "2025-06-01T10:00:00Z",
                "PATIENT": "p1",
                "ENCOUNTER": "e1",
                "CODE": "106258",
                "DESCRIPTION": "x",
            }
        ],
        "encounters": [
            *(_encounter(number, kind) for number, kind in enumerate(ENCOUNTERS, start=1)),
            _encounter(10, "inpatient"),
            _encounter(11, "inpatient", "2025-12-01"),
        ],
        "procedures": [
            {"START": "2025-11-01T10:00:00Z", "PATIENT": "p1", "ENCOUNTER": "e2", "CODE": "232717009"}
        ],
    }


def _encounter(number: int, kind: str, day: str = "2025-10-01") -> Row:
    return {
        "Id": f"e{number}",
        "START": f"{day}T13:58:14Z",
        "STOP": f"{day[:8]}05T14:13:14Z",
        "PATIENT": "p1",
        "ORGANIZATION": "0a1b2c3d4e5f",
        "ENCOUNTERCLASS": kind,
    }


def write(delivery: Path, tables: Tables, *, columns: Mapping[str, str] | None = None) -> None:
    """Write the files named in ``tables``; ``columns`` replaces a file's header as another edition writes it."""
    headers = COLUMNS | dict(columns or {})
    write_tables(delivery, {table: headers[table].split() for table in tables}, tables)
