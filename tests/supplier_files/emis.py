"""EMIS Web: one file a table, rows numbered by ProcessingId, everything under GUIDs."""

from __future__ import annotations

from pathlib import Path

from tests.factories import nhs_number
from tests.supplier_files.files import DMD_CODES, OTHER_PRACTICE, PRACTICE, Row, Tables, write_tables

COLUMNS = {
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
FILE_NAME = "291_{}_20260330_{{8C2B}}.csv"
HYPERTENSION, DIABETES, HAEMOGLOBIN, UNMAPPED, LOCAL = "101", "102", "103", "104", "105"
CODES: tuple[Row, ...] = (
    {"CodeId": HYPERTENSION, "Term": "Hypertension", "ReadTermId": "G20..", "SnomedCTConceptId": "38341003"},
    {"CodeId": DIABETES, "Term": "Diabetes", "ReadTermId": "C10..", "SnomedCTConceptId": "44054006"},
    {"CodeId": HAEMOGLOBIN, "Term": "Hb", "ReadTermId": "423..", "SnomedCTConceptId": "271026005"},
    {"CodeId": UNMAPPED, "Term": "Atrial fibrillation", "ReadTermId": "G573-1"},
    {"CodeId": LOCAL, "Term": "Local", "ReadTermId": "EMISNQAC724"},
)
DRUGS: tuple[Row, ...] = (
    *(
        {"CodeId": str(201 + place), "Term": "Medicine", "DmdProductCodeId": code}
        for place, code in enumerate(DMD_CODES)
    ),
    {"CodeId": "290", "Term": "Made to order"},
)


def guid(kind: str, index: int) -> str:
    """A GUID as EMIS writes it, in braces."""
    return f"{{{ord(kind):08X}-0000-4000-8000-{index:012X}}}"


ORGANISATION, OTHER_ORGANISATION = guid("O", 1), guid("O", 2)


def patient(index: int, **columns: str) -> Row:
    return {
        "PatientGuid": guid("P", index),
        "OrganisationGuid": ORGANISATION,
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
    } | columns


def deleted_patient(index: int) -> Row:
    """A withdrawal carries nothing but what identifies the patient."""
    return {"PatientGuid": guid("P", index), "OrganisationGuid": ORGANISATION, "Deleted": "TRUE"}


def observation(index: int, person: int, code: str = HYPERTENSION, **columns: str) -> Row:
    return {
        "ObservationGuid": guid("B", index),
        "PatientGuid": guid("P", person),
        "OrganisationGuid": ORGANISATION,
        "EffectiveDate": "2025-10-01",
        "EnteredDate": "2025-10-02",
        "EnteredTime": "11:00:00",
        "CodeId": code,
        "ObservationType": "Observation",
        "Qualifiers": '<qualifier><item><key codeId="0">side, left</key></item></qualifier>',
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    } | columns


def deleted_observation(index: int) -> Row:
    """A withdrawal carries nothing but what identifies the entry, not even the patient."""
    return {"ObservationGuid": guid("B", index), "OrganisationGuid": ORGANISATION, "Deleted": "TRUE"}


def issue(index: int, person: int, code: str = "201", **columns: str) -> Row:
    return {
        "IssueRecordGuid": guid("I", index),
        "PatientGuid": guid("P", person),
        "OrganisationGuid": ORGANISATION,
        "EffectiveDate": "2025-11-05",
        "CodeId": code,
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    } | columns


def consultation(index: int, person: int, source: str = "GP Surgery", **columns: str) -> Row:
    return {
        "ConsultationGuid": guid("C", index),
        "PatientGuid": guid("P", person),
        "OrganisationGuid": ORGANISATION,
        "EffectiveDate": "2025-12-01",
        "ConsultationSourceTerm": source,
        "Complete": "TRUE",
        "Deleted": "FALSE",
        "IsConfidential": "FALSE",
    } | columns


def write(delivery: Path, tables: Tables | None = None) -> None:
    """Write a delivery; rows are numbered by ProcessingId in the order given unless they have one."""
    given = {
        "Admin_Organisation": [
            {"OrganisationGuid": ORGANISATION, "ODSCode": PRACTICE},
            {"OrganisationGuid": OTHER_ORGANISATION, "ODSCode": OTHER_PRACTICE},
        ],
        "Admin_UserInRole": [
            {
                "UserInRoleGuid": guid("U", 1),
                "OrganisationGuid": ORGANISATION,
                "Title": "Dr",
                "Surname": "Hale",
            }
        ],
        "Coding_ClinicalCode": CODES,
        "Coding_DrugCode": DRUGS,
        **(tables or {}),
    }
    numbered = {
        table: [{"ProcessingId": str(place)} | row for place, row in enumerate(rows, start=1)]
        for table, rows in given.items()
    }
    columns = {table: names.split() for table, names in COLUMNS.items()}
    write_tables(delivery, columns, numbered, file_name=FILE_NAME)
