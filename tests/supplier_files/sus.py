"""Secondary Uses Service: finished admitted patient care episodes, and attendances of emergency care (ECDS)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.factories import nhs_number
from tests.supplier_files.files import Row, write_table

APC_COLUMNS = """\
SUS Version
Generated Record ID
Unique CDS Identifier
CDS Record Type
NHS Number
Birth Date
Gender Code
Hospital Provider Spell No
Patient Classification
Admission Method (Hospital Provider Spell)
Discharge Destination (Hospital Provider Spell)
Discharge Method (Hospital Provider Spell)
Source Of Admission (Hospital Provider Spell)
Start Date (Hospital Provider Spell)
End Date (Hospital Provider Spell)
Episode Number
Episode Start Date
Episode End Date
Organisation Code (Code Of Provider)
Treatment Function Code
Diagnosis Scheme In Use
Primary Diagnosis Code
Secondary Diagnosis Code 1
Secondary Diagnosis Code 2
Staging Loaded Date
Update Type
Logically Deleted Date
"""
ECDS_COLUMNS = """\
PRIMARYKEY_ID
system.record.identifier
system.record.version
system.record.provider
system.transaction.cds_unique_identifier
system.transaction.cds_update_type
patient.nhs_number.value
patient.stated_gender
attendance.location.hes_provider_3
attendance.location.department_type
attendance.arrival.date
attendance.arrival.time
attendance.arrival.arrival_mode.code
attendance.arrival.attendance_category
attendance.departure.date
attendance.departure.time
attendance.discharge.destination.code
"""


def episode(index: int, person: int, **columns: str) -> Row:
    """A finished emergency episode that is a whole spell."""
    return {
        "Generated Record ID": str(70000 + index),
        "Unique CDS Identifier": f"BRT1 {index:06d}",
        "NHS Number": nhs_number(person),
        "Hospital Provider Spell No": f"S{index:05d}",
        "Patient Classification": "1",
        "Admission Method (Hospital Provider Spell)": "21",
        "Discharge Destination (Hospital Provider Spell)": "19",
        "Discharge Method (Hospital Provider Spell)": "1",
        "Source Of Admission (Hospital Provider Spell)": "19",
        "Start Date (Hospital Provider Spell)": "2025-10-01",
        "End Date (Hospital Provider Spell)": "2025-10-05",
        "Episode Number": "1",
        "Episode Start Date": "2025-10-01",
        "Episode End Date": "2025-10-05",
        "Organisation Code (Code Of Provider)": "RT1",
        "Treatment Function Code": "300",
        "Primary Diagnosis Code": "J440",
        "Staging Loaded Date": "2025-11-10",
        "Update Type": "9",
    } | columns


def attendance(index: int, person: int, **columns: str) -> Row:
    return {
        "system.record.identifier": str(80000 + index),
        "system.record.version": "1",
        "system.transaction.cds_unique_identifier": f"BRT1EC{index:06d}",
        "system.transaction.cds_update_type": "9",
        "patient.nhs_number.value": nhs_number(person),
        "attendance.location.hes_provider_3": "RT1",
        "attendance.location.department_type": "01",
        "attendance.arrival.date": "2025-10-01",
        "attendance.arrival.time": "09:15:00",
        "attendance.arrival.arrival_mode.code": "1048031000000100",
        "attendance.arrival.attendance_category": "1",
        "attendance.departure.date": "2025-10-01",
        "attendance.departure.time": "13:20:00",
        "attendance.discharge.destination.code": "306689006",
    } | columns


def write_apc(delivery: Path, rows: Iterable[Row], *, delimiter: str = ",") -> None:
    write_table(delivery / "SUS_APC_202603.csv", APC_COLUMNS.splitlines(), rows, delimiter=delimiter)


def write_ecds(delivery: Path, rows: Iterable[Row], *, delimiter: str = ",") -> None:
    write_table(delivery / "ECDS_202603.csv", ECDS_COLUMNS.splitlines(), rows, delimiter=delimiter)
