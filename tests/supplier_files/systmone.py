"""TPP SystmOne (Strategic Reporting): one file a table in Windows-1252, the first delivery without RemovedData."""

from __future__ import annotations

from pathlib import Path

from tests.factories import nhs_number
from tests.supplier_files.files import DMD_CODES, PRACTICE, Row, Tables, write_tables

COLUMNS = {
    "SRPatient": "RowIdentifier IDOrganisationVisibleTo Title FirstName MiddleNames Surname PreviousSurname NHSNumber "
    "DateBirth DateDeath BirthPlace Gender SpeaksEnglish EmailAddress TestPatient SSRef SpineMatched RemovedData",
    "SRPatientRegistration": "RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy "
    "DateRegistration DateDeRegistration RegistrationStatus PreferredPharmacy IDPatient IDOrganisation "
    "IDOrganisationRegisteredAt RemovedData",
    "SRCode": "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
    "TextualEventDoneBy IDOrganisationDoneAt CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric "
    "NumericValue NumericUnit EpisodeType IDTemplate IDQuestionnaire IDEvent IDPatient IDReferralIn IDAppointment "
    "IDVisit IDOrganisation IDOrganisationRegisteredAt RemovedData",
    "SRPrimaryCareMedication": "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDMultiLexProduct "
    "IDMultiLexPack IDMultiLexDMD NameOfMedication DateMedicationStart DateMedicationEnd MedicationDosage "
    "IsRepeatMedication IsOtherMedication IsDentalMedication IsHospitalMedication IDEvent IDPatient IDOrganisation "
    "IDOrganisationRegisteredAt RemovedData",
    "SREvent": "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
    "ContactEventLocation ContactMethod EventIncomplete ClinicalEvent IDReferralIn IDPatient IDOrganisation IDTeam "
    "IDBranch IDOrganisationRegisteredAt RemovedData",
}


def patient(index: int, **columns: str) -> Row:
    return {
        "RowIdentifier": str(1000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "FirstName": "Siân",
        "Surname": "Løvborg",
        "NHSNumber": nhs_number(index),
        "DateBirth": "15 Jun 1945 00:00",
        "Gender": "f",
        "TestPatient": "false",
        "SpineMatched": "true",
        "RemovedData": "0",
    } | columns


def registration(index: int, **columns: str) -> Row:
    """The registration of the patient with the same index."""
    return {
        "RowIdentifier": str(2000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEventRecorded": "01 Jan 2010 09:15:00",
        "DateRegistration": "01 Jan 2010 00:00:00",
        "RegistrationStatus": "GMS",
        "IDPatient": str(1000 + index),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    } | columns


def code(index: int, person: int, snomed: str = "38341003", **columns: str) -> Row:
    return {
        "RowIdentifier": str(300000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEventRecorded": "02 Oct 2025 09:15:00",
        "DateEvent": "01 Oct 2025 09:15:00",
        "CTV3Code": "XE0Uc",
        "SNOMEDCode": snomed,
        "IsNumeric": "false",
        "IDPatient": str(1000 + person),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    } | columns


def medication(index: int, person: int, dmd: str = DMD_CODES[0], **columns: str) -> Row:
    return {
        "RowIdentifier": str(400000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEvent": "05 Nov 2025 10:00:00",
        "IDMultiLexProduct": "77",
        "IDMultiLexDMD": dmd,
        "NameOfMedication": "Medicine",
        "DateMedicationStart": "05 Nov 2025 00:00:00",
        "IsOtherMedication": "false",
        "IsDentalMedication": "false",
        "IsHospitalMedication": "false",
        "IDPatient": str(1000 + person),
        "RemovedData": "0",
    } | columns


def event(index: int, person: int, **columns: str) -> Row:
    return {
        "RowIdentifier": str(500000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEvent": "01 Dec 2025 14:00:00",
        "ContactMethod": "35",
        "EventIncomplete": "false",
        "ClinicalEvent": "true",
        "IDPatient": str(1000 + person),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    } | columns


def removed(row: Row) -> Row:
    """The withdrawal of a row: its identifiers, the flag, and nothing else."""
    kept = {name: row[name] for name in ("RowIdentifier", "IDOrganisationVisibleTo")}
    return kept | {"RemovedData": "1"}


def write(delivery: Path, tables: Tables | None = None, *, is_bulk: bool = False) -> None:
    """Write a delivery; a bulk one has no RemovedData."""
    left_out = {"RemovedData"} if is_bulk else set()
    columns = {
        table: [name for name in names.split() if name not in left_out] for table, names in COLUMNS.items()
    }
    rows = {
        table: [{name: cell for name, cell in row.items() if name not in left_out} for row in given]
        for table, given in (tables or {}).items()
    }
    write_tables(delivery, columns, rows, encoding="windows-1252")
