"""Small made-up deliveries in suppliers' own formats, for tests of the layouts: synthetic 999 NHS numbers only.

A maker returns one row of a supplier's file under the supplier's column names; keyword arguments replace defaults.
``write_*`` writes a whole delivery: every file that the supplier always sends, empty below its header where no rows
are given. Columns that no layout uses are there too, as they are in life.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests import factories
from tests.factories import nhs_number

Row = dict[str, str]
Tables = Mapping[str, Iterable[Row]]

PRACTICE, OTHER_PRACTICE = factories.PRACTICES[0], factories.PRACTICES[1]


def write_table(
    path: Path,
    columns: Iterable[str],
    rows: Iterable[Row] = (),
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write rows under ``columns``; a cell that a row does not have is empty, one too many is an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_empty_extracts(delivery: Path, *covered: str) -> None:
    """Write the required extracts that no supplier's file covers, in canonical form and without a row."""
    for extract in factories.REQUIRED_EXTRACTS:
        if extract not in covered:
            write_table(delivery / f"{extract}.csv", factories.MAKERS[extract]("9990000018"))


def write_people(delivery: Path, *indices: int) -> None:
    """Write a canonical register of the people with these indices, for suppliers who send none."""
    rows = [{k: str(v or "") for k, v in factories.patient(nhs_number(index)).items()} for index in indices]
    write_table(delivery / "gp_patients.csv", rows[0], rows)


# --- EMIS -----------------------------------------------------------------------------------------------------------

EMIS_COLUMNS = {
    "Admin_Patient": "PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName "
    "MiddleNames Surname DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType "
    "HouseNameFlatNumber NumberAndStreet Village Town County Postcode ResidentialInstituteCode NHSNumberStatus "
    "CarerName CarerRelation PersonGuid DateofDeactivation Deleted SpineSensitive IsConfidential EmailAddress "
    "HomePhone MobilePhone ExternalUsualGPGuid ExternalUsualGP ExternalUsualGPOrganisation ContactComments "
    "ProcessingId",
    "Admin_PatientHistory": "PatientGuid OrganisationGuid HistoryDate HistoryTime StatusDescription ProcessingId",
    "Admin_Organisation": "OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid "
    "OrganisationType OpenDate CloseDate MainLocationGuid ProcessingId",
    "Admin_UserInRole": "UserInRoleGuid OrganisationGuid Title GivenName Surname JobCategoryCode JobCategoryName "
    "ContractStartDate ContractEndDate RegistrationNumber ProcessingId",
    "CareRecord_Observation": "ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision "
    "EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid "
    "ConsultationGuid Value NumericUnit ObservationType NumericRangeLow NumericRangeHigh DocumentGuid Qualifiers "
    "Abnormal AbnormalReason Episode Deleted IsConfidential ProcessingId",
    "CareRecord_ObservationReferral": "ObservationGuid PatientGuid OrganisationGuid ReferralUrgency ProcessingId",
    "CareRecord_Consultation": "ConsultationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision "
    "EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid AppointmentSlotGuid "
    "ConsultationSourceTerm ConsultationSourceCodeId Complete ConsultationType Deleted IsConfidential ProcessingId",
    "Prescribing_IssueRecord": "IssueRecordGuid PatientGuid OrganisationGuid DrugRecordGuid EffectiveDate "
    "EffectiveDatePrecision EnteredDate EnteredTime CodeId Dosage Quantity QuantityUnit IsConfidential Deleted "
    "ProcessingId",
    "Coding_ClinicalCode": "CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode "
    "NationalCodeCategory NationalDescription EmisCodeCategoryDescription ParentCodeID ProcessingId",
    "Coding_DrugCode": "CodeId Term DmdProductCodeId BNFChapterRef ProcessingId",
}
EMIS_HYPERTENSION, EMIS_DIABETES, EMIS_HAEMOGLOBIN, EMIS_UNMAPPED, EMIS_LOCAL = (
    "101",
    "102",
    "103",
    "104",
    "105",
)
EMIS_CODES: tuple[Row, ...] = (
    {
        "CodeId": EMIS_HYPERTENSION,
        "Term": "Hypertension",
        "ReadTermId": "G20..",
        "SnomedCTConceptId": "38341003",
    },
    {"CodeId": EMIS_DIABETES, "Term": "Diabetes", "ReadTermId": "C10..", "SnomedCTConceptId": "44054006"},
    {"CodeId": EMIS_HAEMOGLOBIN, "Term": "Hb", "ReadTermId": "423..", "SnomedCTConceptId": "271026005"},
    {"CodeId": EMIS_UNMAPPED, "Term": "Atrial fibrillation", "ReadTermId": "G573-1"},
    {"CodeId": EMIS_LOCAL, "Term": "Local", "ReadTermId": "EMISNQAC724"},
)
DMD_CODES = ("318700003", "318701004", "318702006", "318703001", "318704007")
EMIS_DRUGS: tuple[Row, ...] = (
    *(
        {"CodeId": str(201 + place), "Term": "Medicine", "DmdProductCodeId": code}
        for place, code in enumerate(DMD_CODES)
    ),
    {"CodeId": "290", "Term": "Made to order"},
)


def guid(kind: str, index: int) -> str:
    """A GUID as EMIS writes it, in braces."""
    return f"{{{ord(kind):08X}-0000-4000-8000-{index:012X}}}"


EMIS_ORGANISATION, EMIS_OTHER_ORGANISATION = guid("O", 1), guid("O", 2)


def emis_patient(index: int, **columns: str) -> Row:
    row = {
        "PatientGuid": guid("P", index),
        "OrganisationGuid": EMIS_ORGANISATION,
        "UsualGpUserInRoleGuid": guid("U", 1),
        "Sex": "F",
        "DateOfBirth": "1945-06-15",
        "GivenName": "Zoë",
        "Surname": "O'Neill",
        "DateOfRegistration": "2010-01-01",
        "NhsNumber": nhs_number(index),
        "PatientTypeDescription": "Regular",
        "DummyType": "FALSE",
        "Postcode": "ZZ999ZZ",
        "Deleted": "FALSE",
        "SpineSensitive": "FALSE",
        "IsConfidential": "FALSE",
    }
    return row | columns


def emis_observation(index: int, patient: int, code: str = EMIS_HYPERTENSION, **columns: str) -> Row:
    row = {
        "ObservationGuid": guid("B", index),
        "PatientGuid": guid("P", patient),
        "OrganisationGuid": EMIS_ORGANISATION,
        "EffectiveDate": "2025-10-01",
        "EnteredDate": "2025-10-02",
        "EnteredTime": "11:00:00",
        "CodeId": code,
        "ObservationType": "Observation",
        "Qualifiers": '<qualifier><item><key codeId="0">side, left</key></item></qualifier>',
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    }
    return row | columns


def emis_deleted_observation(index: int) -> Row:
    """A withdrawal carries nothing but what identifies the entry, not even the patient."""
    return {"ObservationGuid": guid("B", index), "OrganisationGuid": EMIS_ORGANISATION, "Deleted": "TRUE"}


def emis_issue(index: int, patient: int, code: str = "201", **columns: str) -> Row:
    row = {
        "IssueRecordGuid": guid("I", index),
        "PatientGuid": guid("P", patient),
        "OrganisationGuid": EMIS_ORGANISATION,
        "EffectiveDate": "2025-11-05",
        "CodeId": code,
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    }
    return row | columns


def emis_consultation(index: int, patient: int, source: str = "GP Surgery", **columns: str) -> Row:
    row = {
        "ConsultationGuid": guid("C", index),
        "PatientGuid": guid("P", patient),
        "OrganisationGuid": EMIS_ORGANISATION,
        "EffectiveDate": "2025-12-01",
        "ConsultationSourceTerm": source,
        "Complete": "TRUE",
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    }
    return row | columns


def write_emis(delivery: Path, tables: Tables | None = None) -> None:
    """Write a delivery; rows are numbered by ProcessingId in the order given unless they have one."""
    given = {
        "Admin_Organisation": [
            {"OrganisationGuid": EMIS_ORGANISATION, "ODSCode": PRACTICE},
            {"OrganisationGuid": EMIS_OTHER_ORGANISATION, "ODSCode": OTHER_PRACTICE},
        ],
        "Admin_UserInRole": [
            {
                "UserInRoleGuid": guid("U", 1),
                "OrganisationGuid": EMIS_ORGANISATION,
                "Title": "Dr",
                "Surname": "Hale",
            }
        ],
        "Coding_ClinicalCode": EMIS_CODES,
        "Coding_DrugCode": EMIS_DRUGS,
    } | dict(tables or {})
    for table, columns in EMIS_COLUMNS.items():
        rows = [{"ProcessingId": str(place)} | row for place, row in enumerate(given.get(table, ()), start=1)]
        write_table(delivery / f"291_{table}_20260330_{{8C2B}}.csv", columns.split(), rows)


# --- TPP SystmOne ---------------------------------------------------------------------------------------------------

TPP_COLUMNS = {
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


def tpp_patient(index: int, **columns: str) -> Row:
    row = {
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
    }
    return row | columns


def tpp_registration(index: int, **columns: str) -> Row:
    """The registration of the patient with the same index."""
    row = {
        "RowIdentifier": str(2000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEventRecorded": "01 Jan 2010 09:15:00",
        "DateRegistration": "01 Jan 2010 00:00:00",
        "RegistrationStatus": "GMS",
        "IDPatient": str(1000 + index),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    }
    return row | columns


def tpp_code(index: int, patient: int, snomed: str = "38341003", **columns: str) -> Row:
    row = {
        "RowIdentifier": str(300000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEventRecorded": "02 Oct 2025 09:15:00",
        "DateEvent": "01 Oct 2025 09:15:00",
        "CTV3Code": "XE0Uc",
        "SNOMEDCode": snomed,
        "IsNumeric": "false",
        "IDPatient": str(1000 + patient),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    }
    return row | columns


def tpp_medication(index: int, patient: int, dmd: str = DMD_CODES[0], **columns: str) -> Row:
    row = {
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
        "IDPatient": str(1000 + patient),
        "RemovedData": "0",
    }
    return row | columns


def tpp_event(index: int, patient: int, **columns: str) -> Row:
    row = {
        "RowIdentifier": str(500000 + index),
        "IDOrganisationVisibleTo": PRACTICE,
        "DateEvent": "01 Dec 2025 14:00:00",
        "ContactMethod": "35",
        "EventIncomplete": "false",
        "ClinicalEvent": "true",
        "IDPatient": str(1000 + patient),
        "IDOrganisation": PRACTICE,
        "RemovedData": "0",
    }
    return row | columns


def tpp_removed(row: Row) -> Row:
    """The withdrawal of a row: its identifiers, the flag, and nothing else."""
    kept = {name: row[name] for name in ("RowIdentifier", "IDOrganisationVisibleTo")}
    return kept | {"RemovedData": "1"}


def write_tpp(delivery: Path, tables: Tables | None = None, *, is_bulk: bool = False) -> None:
    """Write a delivery in Windows-1252; a bulk one has no RemovedData."""
    for table, listed in TPP_COLUMNS.items():
        columns = [name for name in listed.split() if not (is_bulk and name == "RemovedData")]
        rows = [{k: v for k, v in row.items() if k in columns} for row in (tables or {}).get(table, ())]
        write_table(delivery / f"{table}.csv", columns, rows, encoding="windows-1252")


# --- SUS: admitted patient care and emergency care ------------------------------------------------------------------

SUS_APC_COLUMNS = (
    *(
        "SUS Version",
        "Generated Record ID",
        "Unique CDS Identifier",
        "CDS Record Type",
        "NHS Number",
        "Birth Date",
    ),
    *("Gender Code", "Hospital Provider Spell No", "Patient Classification"),
    *("Admission Method (Hospital Provider Spell)", "Discharge Destination (Hospital Provider Spell)"),
    *("Discharge Method (Hospital Provider Spell)", "Source Of Admission (Hospital Provider Spell)"),
    *("Start Date (Hospital Provider Spell)", "End Date (Hospital Provider Spell)", "Episode Number"),
    *(
        "Episode Start Date",
        "Episode End Date",
        "Organisation Code (Code Of Provider)",
        "Treatment Function Code",
    ),
    *("Diagnosis Scheme In Use", "Primary Diagnosis Code", "Secondary Diagnosis Code 1"),
    *("Secondary Diagnosis Code 2", "Staging Loaded Date", "Update Type", "Logically Deleted Date"),
)


def sus_episode(index: int, person: int, **columns: str) -> Row:
    """A finished emergency episode that is a whole spell; ``columns`` by names without blanks and brackets."""
    row = {
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
    }
    return row | columns


def write_sus_apc(delivery: Path, rows: Iterable[Row], *, delimiter: str = ",") -> None:
    write_table(delivery / "SUS_APC_202603.csv", SUS_APC_COLUMNS, rows, delimiter=delimiter)


ECDS_COLUMNS = (
    *("PRIMARYKEY_ID", "system.record.identifier", "system.record.version", "system.record.provider"),
    *("system.transaction.cds_unique_identifier", "system.transaction.cds_update_type"),
    *("patient.nhs_number.value", "patient.stated_gender", "attendance.location.hes_provider_3"),
    *("attendance.location.department_type", "attendance.arrival.date", "attendance.arrival.time"),
    *(
        "attendance.arrival.arrival_mode.code",
        "attendance.arrival.attendance_category",
        "attendance.departure.date",
    ),
    *("attendance.departure.time", "attendance.discharge.destination.code"),
)


def ecds_attendance(index: int, person: int, **columns: str) -> Row:
    row = {
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
    }
    return row | columns


def write_ecds(delivery: Path, rows: Iterable[Row], *, delimiter: str = ",") -> None:
    write_table(delivery / "ECDS_202603.csv", ECDS_COLUMNS, rows, delimiter=delimiter)


# --- Community Services Data Set ------------------------------------------------------------------------------------

PROVIDER_NOW, PROVIDER_BEFORE = "ORGANISATION IDENTIFIER (CODE OF PROVIDER)", "ORGANISATION CODE (PROVIDER)"
STATUS_NOW, STATUS_BEFORE = "ATTENDANCE STATUS", "ATTENDED OR DID NOT ATTEND CODE"
SERVICE_TYPE = "SERVICE OR TEAM TYPE REFERRED TO (COMMUNITY CARE)"
CSDS_COLUMNS = {
    "Bridging": ("Person_ID", "Pseudo_NHS_Number"),
    "CYP001MPI": (
        "PERSON ID",
        "PERSON STATED GENDER CODE",
        "UNIQUE SUBMISSION ID",
        "REPORTING PERIOD START DATE",
    ),
    "CYP004CarePlanType": (
        *("UNIQUE CARE PLAN IDENTIFIER", "CARE PLAN TYPE (COMMUNITY CARE)", "CARE PLAN CREATION DATE"),
        *("CARE PLAN LAST UPDATED DATE", "PERSON ID", "UNIQUE SUBMISSION ID"),
    ),
    "CYP101Referral": (
        *("UNIQUE SERVICE REQUEST IDENTIFIER", "REFERRAL REQUEST RECEIVED DATE", "SERVICE DISCHARGE DATE"),
        *("PERSON ID", "UNIQUE SUBMISSION ID", PROVIDER_NOW),
    ),
    "CYP102ServiceTypeReferredTo": (
        *("UNIQUE SERVICE REQUEST IDENTIFIER", SERVICE_TYPE, "REFERRAL CLOSURE DATE", "PERSON ID"),
        "UNIQUE SUBMISSION ID",
    ),
    "CYP201CareContact": (
        *(
            "UNIQUE CARE CONTACT IDENTIFIER",
            "UNIQUE SERVICE REQUEST IDENTIFIER",
            "CARE CONTACT DATE",
            STATUS_NOW,
        ),
        *("CONSULTATION MECHANISM (COMMUNITY CARE)", "PERSON ID", "UNIQUE SUBMISSION ID", PROVIDER_NOW),
    ),
}


def csds_person(person: int) -> Row:
    return {"Person_ID": f"PERSON{person:04d}", "Pseudo_NHS_Number": nhs_number(person)}


def csds_mpi(person: int, submission: int = 1, **columns: str) -> Row:
    return {"PERSON ID": f"PERSON{person:04d}", "UNIQUE SUBMISSION ID": str(submission)} | columns


def csds_referral(index: int, person: int, submission: int = 1, **columns: str) -> Row:
    row = {
        "UNIQUE SERVICE REQUEST IDENTIFIER": f"RC1-R{index:04d}",
        "REFERRAL REQUEST RECEIVED DATE": "2025-09-01",
        "PERSON ID": f"PERSON{person:04d}",
        "UNIQUE SUBMISSION ID": str(submission),
        PROVIDER_NOW: "RC1",
    }
    return row | columns


def csds_service(referral: int, service: str = "12", submission: int = 1) -> Row:
    return {
        "UNIQUE SERVICE REQUEST IDENTIFIER": f"RC1-R{referral:04d}",
        SERVICE_TYPE: service,
        "UNIQUE SUBMISSION ID": str(submission),
    }


def csds_contact(index: int, person: int, status: str = "5", submission: int = 1, **columns: str) -> Row:
    row = {
        "UNIQUE CARE CONTACT IDENTIFIER": f"RC1-C{index:04d}",
        "UNIQUE SERVICE REQUEST IDENTIFIER": "RC1-R0001",
        "CARE CONTACT DATE": "2025-10-01",
        STATUS_NOW: status,
        "PERSON ID": f"PERSON{person:04d}",
        "UNIQUE SUBMISSION ID": str(submission),
        PROVIDER_NOW: "RC1",
    }
    return row | columns


def csds_plan(index: int, person: int, **columns: str) -> Row:
    row = {
        "UNIQUE CARE PLAN IDENTIFIER": f"RC1-P{index:04d}",
        "CARE PLAN TYPE (COMMUNITY CARE)": "02",
        "CARE PLAN CREATION DATE": "2025-01-10",
        "CARE PLAN LAST UPDATED DATE": "2025-11-20",
        "PERSON ID": f"PERSON{person:04d}",
        "UNIQUE SUBMISSION ID": "1",
    }
    return row | columns


def write_csds(
    delivery: Path, tables: Tables | None = None, *, renamed: Mapping[str, str] | None = None
) -> None:
    """Write a month; ``renamed`` gives columns the names that they had in another version of the data set."""
    names = renamed or {}
    for table, columns in CSDS_COLUMNS.items():
        rows = [{names.get(k, k): v for k, v in row.items()} for row in (tables or {}).get(table, ())]
        extra = [name for row in rows for name in row if name not in map(names.get, columns, columns)]
        header = [names.get(name, name) for name in columns] + list(dict.fromkeys(extra))
        write_table(delivery / f"CSDS_{table}.csv", header, rows)


# --- Artificial HES -------------------------------------------------------------------------------------------------

HES_APC_COLUMNS = (
    *("FYEAR", "EPIKEY", "PSEUDO_HESID", "ADMIDATE", "ADMIMETH", "ADMISORC", "CLASSPAT"),
    *(f"DIAG_4_{place:02d}" for place in range(1, 21)),
    *(
        "DISDATE",
        "DISDEST",
        "DISMETH",
        "EPIEND",
        "EPIORDER",
        "EPISTART",
        "EPISTAT",
        "EPITYPE",
        "ETHNOS",
        "GPPRAC",
    ),
    *("MYDOB", "PROCODE3", "SEX", "SPELBGIN", "SPELEND", "STARTAGE", "TRETSPEF"),
)
HES_AE_COLUMNS = (
    *(
        "FYEAR",
        "PSEUDO_HESID",
        "AEKEY",
        "AEARRIVALMODE",
        "AEATTENDCAT",
        "AEDEPTTYPE",
        "AEPATGROUP",
        "ARRIVALAGE",
    ),
    *("ARRIVALDATE", "ARRIVALTIME", "DEPTIME", "ETHNOS", "GPPRAC", "LSOA11", "PROCODE3", "SEX"),
)


def hes_episode(index: int, person: int, **columns: str) -> Row:
    row = {
        "FYEAR": "2526",
        "EPIKEY": str(513700000000 + index),
        "PSEUDO_HESID": f"TEST{person:04d}",
        "ADMIDATE": "2025-10-01",
        "ADMIMETH": "21",
        "ADMISORC": "19",
        "CLASSPAT": "1",
        "DIAG_4_01": "J440",
        "DIAG_4_02": "-",
        "DISDATE": "2025-10-05",
        "DISDEST": "19",
        "DISMETH": "1",
        "EPIEND": "2025-10-05",
        "EPIORDER": "1",
        "EPISTART": "2025-10-01",
        "EPISTAT": "3",
        "EPITYPE": "1",
        "ETHNOS": "A",
        "GPPRAC": "&",
        "MYDOB": "061945",
        "PROCODE3": "RT1",
        "SEX": "2",
        "SPELBGIN": "2",
        "SPELEND": "Y",
        "STARTAGE": "80",
        "TRETSPEF": "&",
    }
    return row | columns


def hes_attendance(index: int, person: int, **columns: str) -> Row:
    row = {
        "FYEAR": "2526",
        "PSEUDO_HESID": f"TEST{person:04d}",
        "AEKEY": str(502900000000 + index),
        "AEARRIVALMODE": "1",
        "AEATTENDCAT": "1",
        "AEDEPTTYPE": "01",
        "AEPATGROUP": "80",
        "ARRIVALAGE": "80.0",
        "ARRIVALDATE": "2025-10-01",
        "ARRIVALTIME": "2310",
        "DEPTIME": "0125",
        "ETHNOS": "X",
        "GPPRAC": "&",
        "PROCODE3": "RT1",
        "SEX": "1",
    }
    return row | columns


def write_hes_apc(delivery: Path, rows: Iterable[Row]) -> None:
    write_table(delivery / "hes_apc_2025_26.csv", HES_APC_COLUMNS, rows)


def write_hes_ae(delivery: Path, rows: Iterable[Row]) -> None:
    write_table(delivery / "hes_ae_2025_26.csv", HES_AE_COLUMNS, rows)


# --- Synthea and ehrQL ----------------------------------------------------------------------------------------------

SYNTHEA_COLUMNS = {
    "patients": "Id BIRTHDATE DEATHDATE SSN PREFIX FIRST LAST RACE ETHNICITY GENDER CITY",
    "conditions": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
    "medications": "START STOP PATIENT PAYER ENCOUNTER CODE DESCRIPTION",
    "encounters": "Id START STOP PATIENT ORGANIZATION PROVIDER ENCOUNTERCLASS CODE DESCRIPTION",
    "observations": "DATE PATIENT ENCOUNTER CATEGORY CODE DESCRIPTION VALUE UNITS TYPE",
    "procedures": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
    "immunizations": "DATE PATIENT ENCOUNTER CODE DESCRIPTION",
    "careplans": "Id START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
}
EHRQL_COLUMNS = {
    "patients": "patient_id sex date_of_birth date_of_death",
    "ons_deaths": "patient_id date place underlying_cause_of_death",
    "practice_registrations": "patient_id start_date end_date practice_pseudo_id",
    "medications": "patient_id date dmd_code",
    "clinical_events": "patient_id date snomedct_code numeric_value",
}


def write_synthea(delivery: Path, tables: Tables, *, columns: Mapping[str, str] | None = None) -> None:
    """Write the files named in ``tables``; ``columns`` replaces a file's header as another edition writes it."""
    for table, rows in tables.items():
        header = (columns or {}).get(table, SYNTHEA_COLUMNS[table])
        write_table(delivery / f"{table}.csv", header.split(), rows)


def write_ehrql(delivery: Path, tables: Tables) -> None:
    for table, columns in EHRQL_COLUMNS.items():
        write_table(delivery / f"{table}.csv", columns.split(), tables.get(table, ()))
