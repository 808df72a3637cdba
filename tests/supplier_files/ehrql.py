"""OpenSAFELY's ehrQL: the tables of its example data, people under small numbers."""

from __future__ import annotations

from pathlib import Path

from tests.supplier_files.files import Row, Tables, write_tables

COLUMNS = {
    "patients": "patient_id sex date_of_birth date_of_death",
    "ons_deaths": "patient_id date place underlying_cause_of_death",
    "practice_registrations": "patient_id start_date end_date practice_pseudo_id",
    "medications": "patient_id date dmd_code",
    "clinical_events": "patient_id date snomedct_code numeric_value",
}


def person(number: int, sex: str = "female", died: str = "") -> Row:
    return {"patient_id": str(number), "sex": sex, "date_of_birth": "1945-06-01", "date_of_death": died}


def registration(number: int, start: str, end: str, practice: str) -> Row:
    return {
        "patient_id": str(number),
        "start_date": start,
        "end_date": end,
        "practice_pseudo_id": practice,
    }


def write(delivery: Path, tables: Tables) -> None:
    write_tables(delivery, {table: names.split() for table, names in COLUMNS.items()}, tables)
