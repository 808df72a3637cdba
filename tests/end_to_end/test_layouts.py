"""Suppliers' files, made up and small, go the whole way: what each layout means shows in the published features."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskstrat.errors import ContractBrokenError
from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import Outcome, run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town, supplier_files
from tests.factories import nhs_number
from tests.supplier_files import (
    csds_contact,
    csds_mpi,
    csds_person,
    csds_plan,
    csds_referral,
    csds_service,
    ecds_attendance,
    emis_consultation,
    emis_deleted_observation,
    emis_issue,
    emis_observation,
    emis_patient,
    hes_attendance,
    hes_episode,
    sus_episode,
    tpp_code,
    tpp_event,
    tpp_medication,
    tpp_patient,
    tpp_registration,
    tpp_removed,
)

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "layouts.md"
AS_OF = small_town.AS_OF
FIRST, SECOND = "2026-03-30", "2026-03-31"
GP = ("gp_patients", "gp_events", "gp_medications")

Features = dict[str, dict[str, Any]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return small_town.write_site(tmp_path / "site")


def _landing(site: Path, delivery: str) -> Path:
    return site / "landing" / delivery


def _run(site: Path, as_of: date = AS_OF) -> tuple[Outcome, Features]:
    """Run the site; its books must balance. Returns the outcome and the features by person_id."""
    outcome = run(load_site(site), as_of, progress=Progress(quiet=True))
    for extract, counts in outcome.manifest["conservation"].items():
        assert counts["read"] == sum(count for name, count in counts.items() if name != "read"), extract
    rows = pq.read_table(outcome.folder / "features.parquet").to_pylist()
    return outcome, {row["person_id"]: row for row in rows}


def _of(site: Path, features: Features, person: int) -> dict[str, Any]:
    return features[person_id(read_site_key(site / "keys"), nhs_number(person))]


def _counts(outcome: Outcome, extract: str) -> dict[str, int]:
    """The books of an extract, the ways that took no row left out."""
    return {name: count for name, count in outcome.manifest["conservation"][extract].items() if count}


def _quarantined(outcome: Outcome, extract: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(
        outcome.folder / "quality" / extract / "quarantine.parquet"
    ).to_pylist()
    return rows


# --- EMIS -----------------------------------------------------------------------------------------------------------


def _emis(site: Path, delivery: str, **tables: list[dict[str, str]]) -> None:
    supplier_files.write_emis(_landing(site, delivery), tables)
    supplier_files.write_empty_extracts(_landing(site, delivery), *GP)


def test_emis_entries_issues_and_consultations_become_features(site: Path):
    _emis(
        site,
        SECOND,
        Admin_Patient=[
            emis_patient(1),
            emis_patient(2, OrganisationGuid=supplier_files.EMIS_OTHER_ORGANISATION),
        ],
        CareRecord_Observation=[
            emis_observation(1, 1),
            emis_observation(2, 1, supplier_files.EMIS_DIABETES, EffectiveDate=""),
            emis_observation(3, 1, supplier_files.EMIS_HAEMOGLOBIN, Value="98", NumericUnit="g/L"),
            emis_observation(4, 1, supplier_files.EMIS_UNMAPPED),
            emis_observation(5, 1, supplier_files.EMIS_LOCAL),
            emis_observation(6, 2, OrganisationGuid=supplier_files.EMIS_OTHER_ORGANISATION),
        ],
        Prescribing_IssueRecord=[emis_issue(n, 1, str(200 + n)) for n in range(1, 6)]
        + [emis_issue(6, 1, "290")],
        CareRecord_Consultation=[
            emis_consultation(1, 1),
            emis_consultation(2, 1, "Telephone call to a patient"),
            emis_consultation(3, 1, "Administration"),
        ],
    )
    outcome, features = _run(site)
    assert outcome.manifest["extracts"]["gp_events"]["layout"] == "emis_v8"
    assert _counts(outcome, "gp_patients") == {"read": 2, "accepted": 2}
    assert _counts(outcome, "gp_events") == {"read": 6, "accepted": 6}
    assert _counts(outcome, "gp_contacts") == {"read": 2, "accepted": 2}
    first, second = _of(site, features, 1), _of(site, features, 2)
    # Hypertension, diabetes, anaemia by its value, atrial fibrillation under its Read code, polypharmacy.
    assert first["efi_deficits"] == 5
    assert (first["medicines_12m"], first["gp_contacts_12m"], first["sex"], first["age"]) == (6, 2, "2", 80)
    assert (first["practice_code"], second["practice_code"]) == factories.PRACTICES[:2]
    assert second["efi_deficits"] == 1


def test_emis_withdrawals_apply_by_their_identifiers_alone(site: Path):
    _emis(
        site,
        FIRST,
        Admin_Patient=[emis_patient(1), emis_patient(2), emis_patient(3)],
        CareRecord_Observation=[
            emis_observation(1, 1),
            emis_observation(2, 1, supplier_files.EMIS_DIABETES),
            emis_observation(3, 2),
            emis_observation(4, 3),
        ],
    )
    gone = {name: emis_patient(2)[name] for name in ("PatientGuid", "OrganisationGuid")} | {"Deleted": "TRUE"}
    _emis(
        site,
        SECOND,
        Admin_Patient=[gone, emis_patient(3, PatientTypeDescription="Temporary")],
        CareRecord_Observation=[
            emis_deleted_observation(2),
            emis_observation(4, 3, IsConfidential="TRUE"),
        ],
    )
    outcome, features = _run(site)
    # Patient 2 is withdrawn, with her entries; patient 3 is no longer a regular patient.
    assert set(features) == {person_id(read_site_key(site / "keys"), nhs_number(1))}
    assert _of(site, features, 1)["efi_deficits"] == 1
    assert _counts(outcome, "gp_patients") == {"read": 5, "accepted": 1, "superseded": 2, "deleted": 2}
    assert _counts(outcome, "gp_events") == {"read": 6, "accepted": 1, "superseded": 2, "deleted": 3}


def test_emis_change_refers_to_patients_and_codes_of_earlier_deliveries(site: Path):
    _emis(site, FIRST, Admin_Patient=[emis_patient(1), emis_patient(2)])
    _emis(
        site,
        SECOND,
        Admin_Patient=[emis_patient(2, DateofDeactivation="2026-02-28")],
        CareRecord_Observation=[emis_observation(1, 1)],
        Prescribing_IssueRecord=[emis_issue(1, 1)],
    )
    outcome, features = _run(site)
    assert set(features) == {person_id(read_site_key(site / "keys"), nhs_number(1))}
    assert (_of(site, features, 1)["efi_deficits"], _of(site, features, 1)["medicines_12m"]) == (1, 1)
    assert _counts(outcome, "gp_patients") == {"read": 3, "accepted": 2, "superseded": 1}


def test_emis_later_version_of_an_entry_wins_by_delivery_and_by_processing_order(site: Path):
    twice = [
        emis_observation(
            1, 1, supplier_files.EMIS_HAEMOGLOBIN, Value="98", NumericUnit="g/L", ProcessingId="12"
        ),
        emis_observation(
            1, 1, supplier_files.EMIS_HAEMOGLOBIN, Value="140", NumericUnit="g/L", ProcessingId="7"
        ),
    ]
    _emis(
        site,
        FIRST,
        Admin_Patient=[emis_patient(1)],
        CareRecord_Observation=[*twice, emis_observation(2, 1, supplier_files.EMIS_LOCAL)],
    )
    _emis(site, SECOND, CareRecord_Observation=[emis_observation(2, 1)])
    outcome, features = _run(site)
    assert _counts(outcome, "gp_events") == {"read": 4, "accepted": 2, "superseded": 2}
    assert (
        _of(site, features, 1)["efi_deficits"] == 2
    )  # anaemia (98 has the higher ProcessingId), hypertension


def test_emis_same_guid_of_two_organisations_is_two_records(site: Path):
    other = supplier_files.EMIS_OTHER_ORGANISATION
    _emis(
        site,
        SECOND,
        Admin_Patient=[emis_patient(1), emis_patient(1, OrganisationGuid=other, NhsNumber=nhs_number(2))],
        CareRecord_Observation=[
            emis_observation(1, 1),
            emis_observation(1, 1, supplier_files.EMIS_DIABETES, OrganisationGuid=other),
            emis_observation(2, 1, OrganisationGuid=other),
        ],
    )
    outcome, features = _run(site)
    assert _counts(outcome, "gp_events") == {"read": 3, "accepted": 3}
    assert (_of(site, features, 1)["efi_deficits"], _of(site, features, 2)["efi_deficits"]) == (1, 2)


def test_emis_dummy_patients_and_relatives_are_left_out(site: Path):
    _emis(
        site,
        SECOND,
        Admin_Patient=[emis_patient(1), emis_patient(2, DummyType="TRUE", NhsNumber="")],
        CareRecord_Observation=[
            emis_observation(1, 1, ObservationType="Family History"),
            emis_observation(2, 2),
        ],
    )
    outcome, features = _run(site)
    assert _counts(outcome, "gp_patients") == {"read": 1, "accepted": 1}
    assert _counts(outcome, "gp_events") == {}
    assert _of(site, features, 1)["efi_deficits"] == 0


def test_emis_entry_of_a_patient_who_never_came_is_quarantined(site: Path):
    _emis(
        site,
        SECOND,
        Admin_Patient=[emis_patient(1)],
        CareRecord_Observation=[
            emis_observation(1, 1),
            emis_observation(2, 99),
            emis_observation(3, 1, "999"),
        ],
    )
    outcome, _ = _run(site)
    assert _counts(outcome, "gp_events") == {"read": 3, "accepted": 1, "quarantined": 2}


def test_emis_code_that_changes_its_meaning_stops_the_run(site: Path):
    _emis(site, FIRST, Admin_Patient=[emis_patient(1)], CareRecord_Observation=[emis_observation(1, 1)])
    changed = [
        {"CodeId": supplier_files.EMIS_HYPERTENSION, "ReadTermId": "G20..", "SnomedCTConceptId": "84114007"}
    ]
    _emis(site, SECOND, Coding_ClinicalCode=changed)
    with pytest.raises(ContractBrokenError, match="something else") as stopped:
        _run(site)
    assert stopped.value.exit_code == 4


def test_emis_code_that_is_mapped_later_does_not_stop_the_run(site: Path):
    _emis(
        site,
        FIRST,
        Admin_Patient=[emis_patient(1)],
        CareRecord_Observation=[emis_observation(1, 1, supplier_files.EMIS_LOCAL)],
    )
    mapped = [
        {"CodeId": supplier_files.EMIS_LOCAL, "ReadTermId": "EMISNQAC724", "SnomedCTConceptId": "84114007"}
    ]
    _emis(site, SECOND, Coding_ClinicalCode=mapped)
    _, features = _run(site)
    assert _of(site, features, 1)["efi_deficits"] == 1


# --- TPP SystmOne ---------------------------------------------------------------------------------------------------


def _tpp(site: Path, delivery: str, *, is_bulk: bool = False, **tables: list[dict[str, str]]) -> None:
    supplier_files.write_tpp(_landing(site, delivery), tables, is_bulk=is_bulk)
    supplier_files.write_empty_extracts(_landing(site, delivery), *GP)


def test_systmone_codes_medicines_and_events_become_features(site: Path):
    _tpp(
        site,
        SECOND,
        SRPatient=[tpp_patient(1)],
        SRPatientRegistration=[tpp_registration(1, RegistrationStatus="GMS,Contraception")],
        SRCode=[
            tpp_code(1, 1),
            tpp_code(2, 1, "-1", CTV3Code="XE0qB"),  # peptic ulcer; XE0qb is weight loss
            tpp_code(3, 1, "", CTV3Code="XE0qb", DateEvent="01 Oct 2025"),
            tpp_code(4, 1, "-1", CTV3Code="xe0qb"),
            tpp_code(5, 1, "271026005", IsNumeric="true", NumericValue="98", NumericUnit="g/L"),
        ],
        SRPrimaryCareMedication=[
            tpp_medication(1, 1),
            tpp_medication(2, 1, "-1"),
            tpp_medication(3, 1, supplier_files.DMD_CODES[1], DateMedicationStart="05 May 2026 00:00:00"),
            tpp_medication(4, 1, supplier_files.DMD_CODES[2], IsHospitalMedication="true"),
        ],
        SREvent=[
            tpp_event(1, 1),
            tpp_event(2, 1, ContactMethod=""),
            tpp_event(3, 1, IDOrganisation="RC1"),
            tpp_event(4, 1, EventIncomplete="true"),
        ],
    )
    outcome, features = _run(site)
    person = _of(site, features, 1)
    assert (person["age"], person["sex"], person["practice_code"]) == (80, "2", supplier_files.PRACTICE)
    assert person["efi_deficits"] == 4
    # One begins after as_of, and one was the hospital's.
    assert person["medicines_12m"] == 2
    assert person["gp_contacts_12m"] == 1
    assert _counts(outcome, "gp_events") == {"read": 5, "accepted": 5}
    assert _counts(outcome, "gp_medications") == {"read": 3, "accepted": 3}


def test_systmone_bulk_without_removed_data_then_changes(site: Path):
    _tpp(
        site,
        FIRST,
        is_bulk=True,
        SRPatient=[tpp_patient(index) for index in (1, 2, 3)],
        SRPatientRegistration=[tpp_registration(index) for index in (1, 2, 3)],
        SRCode=[tpp_code(1, 1), tpp_code(2, 1, "44054006"), tpp_code(3, 2)],
    )
    _tpp(
        site,
        SECOND,
        SRPatient=[tpp_removed(tpp_patient(2))],
        SRPatientRegistration=[
            tpp_removed(tpp_registration(2)),
            tpp_registration(3, DateDeRegistration="28 Feb 2026 00:00:00"),
        ],
        SRCode=[tpp_removed(tpp_code(2, 1)), tpp_code(4, 1, "49436004")],
    )
    outcome, features = _run(site)
    assert set(features) == {person_id(read_site_key(site / "keys"), nhs_number(1))}
    assert _of(site, features, 1)["efi_deficits"] == 2
    assert _counts(outcome, "gp_patients") == {"read": 5, "accepted": 2, "superseded": 2, "deleted": 1}
    # The entry of the withdrawn patient goes with her.
    assert _counts(outcome, "gp_events") == {"read": 5, "accepted": 2, "superseded": 1, "deleted": 2}


def test_systmone_only_a_gms_registration_of_the_practice_itself_counts(site: Path):
    _tpp(
        site,
        SECOND,
        SRPatient=[tpp_patient(index) for index in range(1, 5)] + [tpp_patient(5, TestPatient="true")],
        SRPatientRegistration=[
            tpp_registration(1),
            tpp_registration(2, RegistrationStatus="Applied"),
            tpp_registration(3, RegistrationStatus="Temporary Resident < 16 days"),
            tpp_registration(4, IDOrganisation=supplier_files.OTHER_PRACTICE),
            tpp_registration(5),
        ],
    )
    outcome, features = _run(site)
    assert set(features) == {person_id(read_site_key(site / "keys"), nhs_number(1))}
    assert _counts(outcome, "gp_patients") == {"read": 3, "accepted": 1, "deleted": 2}


def test_systmone_windows_1252_text_survives(site: Path):
    _tpp(
        site,
        SECOND,
        SRPatient=[tpp_patient(1, Surname="Œuvrard Šimon-Žižka")],
        SRPatientRegistration=[tpp_registration(1)],
        SRPrimaryCareMedication=[
            tpp_medication(1, 1),
            tpp_medication(2, 1, NameOfMedication="Crème “€” œ 5 %", DateMedicationStart="yesterday"),
        ],
    )
    outcome, _ = _run(site)
    (row,) = _quarantined(outcome, "gp_medications")
    assert row["medicine_name"] == "Crème “€” œ 5 %"
    assert _counts(outcome, "gp_patients") == {"read": 1, "accepted": 1}


# --- SUS and ECDS ---------------------------------------------------------------------------------------------------

UNKNOWN_DAYS = ("1582-10-15", "1800-01-01", "1801-01-01")


def _hospital(site: Path, delivery: str, *people: int) -> Path:
    folder = _landing(site, delivery)
    supplier_files.write_people(folder, *people)
    supplier_files.write_empty_extracts(folder, "gp_patients", "acute_episodes", "acute_attendances")
    return folder


@pytest.mark.parametrize("delimiter", [",", "|"])
def test_sus_episodes_become_spells_whatever_separates_them(site: Path, delimiter: str):
    folder = _hospital(site, SECOND, 1, 2)
    supplier_files.write_ecds(folder, [])
    supplier_files.write_sus_apc(
        folder,
        [
            # Two episodes of one spell; the second's discharge is the spell's. I10X has filler.
            sus_episode(1, 1, **{"Primary Diagnosis Code": "I10X", "Secondary Diagnosis Code 1": "F03X"}),
            sus_episode(2, 1, **{"Hospital Provider Spell No": "S00001", "Episode Number": "2"}),
            sus_episode(3, 1, **{"Admission Method (Hospital Provider Spell)": "11"}),
            sus_episode(
                4,
                2,
                **{
                    "Start Date (Hospital Provider Spell)": "2026-03-20",
                    "Episode Start Date": "2026-03-20",
                    "End Date (Hospital Provider Spell)": "1801-01-01",
                    "Episode End Date": "1800-01-01",
                    "Episode Number": "99",
                },
            ),
        ],
        delimiter=delimiter,
    )
    outcome, features = _run(site)
    first, second = _of(site, features, 1), _of(site, features, 2)
    assert _counts(outcome, "acute_episodes") == {"read": 4, "accepted": 4}
    assert (first["unplanned_admissions_12m"], first["acsc_admissions_12m"]) == (1, 1)
    assert (first["unplanned_bed_days_12m"], first["last_discharge_date"]) == (4, date(2025, 10, 5))
    assert not first["is_inpatient"]
    # No day of discharge is known: she is in hospital still.
    assert second["is_inpatient"]
    assert second["unplanned_bed_days_12m"] == 12


def test_sus_episode_without_a_known_admission_is_quarantined(site: Path):
    folder = _hospital(site, SECOND, 1)
    supplier_files.write_ecds(folder, [])
    rows = [
        sus_episode(index, 1, **{"Start Date (Hospital Provider Spell)": day})
        for index, day in enumerate(("2025-10-01", *UNKNOWN_DAYS))
    ]
    supplier_files.write_sus_apc(folder, rows)
    outcome, _ = _run(site)
    assert _counts(outcome, "acute_episodes") == {"read": 4, "accepted": 1, "quarantined": 3}
    reasons = [row["reasons"] for row in _quarantined(outcome, "acute_episodes")]
    assert reasons == [["acute_episodes.admission_date.required"]] * 3


def test_sus_episode_sent_again_or_withdrawn_counts_as_the_provider_last_said(site: Path):
    folder = _hospital(site, FIRST, 1)
    supplier_files.write_ecds(folder, [])
    supplier_files.write_sus_apc(folder, [sus_episode(1, 1), sus_episode(2, 1), sus_episode(3, 1)])
    folder = _hospital(site, SECOND, 1)
    supplier_files.write_ecds(folder, [])
    again = {"Generated Record ID": "99001", "End Date (Hospital Provider Spell)": "2025-10-11"}
    supplier_files.write_sus_apc(
        folder,
        [
            sus_episode(1, 1, **again),
            sus_episode(2, 1, **{"Update Type": "1"}),
            sus_episode(3, 1, **{"Logically Deleted Date": "2026-03-01"}),
        ],
    )
    outcome, features = _run(site)
    assert _counts(outcome, "acute_episodes") == {"read": 6, "accepted": 1, "superseded": 3, "deleted": 2}
    person = _of(site, features, 1)
    assert (person["unplanned_admissions_12m"], person["unplanned_bed_days_12m"]) == (1, 10)


def test_ecds_attendances_count_by_category_and_department(site: Path):
    folder = _hospital(site, SECOND, 1)
    supplier_files.write_sus_apc(folder, [])
    supplier_files.write_ecds(
        folder,
        [
            ecds_attendance(1, 1),
            ecds_attendance(2, 1, **{"attendance.location.department_type": "3"}),
            ecds_attendance(3, 1, **{"attendance.location.department_type": "05"}),
            ecds_attendance(4, 1, **{"attendance.arrival.attendance_category": "4"}),
            ecds_attendance(5, 1, **{"attendance.departure.date": "1801-01-01"}),
            ecds_attendance(6, 1, **{"attendance.arrival.date": "1582-10-15"}),
            ecds_attendance(7, 1),
            ecds_attendance(
                7, 1, **{"system.transaction.cds_update_type": "1", "system.record.version": "2"}
            ),
        ],
        delimiter="|",
    )
    outcome, features = _run(site)
    assert outcome.manifest["extracts"]["acute_attendances"]["layout"] == "ecds"
    assert _counts(outcome, "acute_attendances") == {
        "read": 8, "accepted": 5, "quarantined": 1, "superseded": 1, "deleted": 1
    }  # fmt: skip
    person = _of(site, features, 1)
    assert (person["ae_attendances_12m"], person["sdec_attendances_12m"]) == (3, 1)


# --- Community Services Data Set ------------------------------------------------------------------------------------


def _community(site: Path, delivery: str, *people: int) -> Path:
    folder = _landing(site, delivery)
    supplier_files.write_people(folder, *people)
    supplier_files.write_empty_extracts(folder, "gp_patients", "community_contacts")
    return folder


def test_csds_contacts_count_where_they_took_place(site: Path):
    folder = _community(site, SECOND, 1, 2)
    supplier_files.write_csds(
        folder,
        {
            "Bridging": [csds_person(1), csds_person(2)],
            "CYP001MPI": [csds_mpi(1), csds_mpi(2)],
            "CYP004CarePlanType": [csds_plan(1, 1)],
            "CYP101Referral": [
                csds_referral(1, 1),
                csds_referral(2, 2, **{"SERVICE DISCHARGE DATE": "1800-01-01"}),
            ],
            "CYP102ServiceTypeReferredTo": [csds_service(1, "12"), csds_service(1, "05")],
            "CYP201CareContact": [
                csds_contact(1, 1, "5"),
                csds_contact(2, 1, "6", **{"CARE CONTACT DATE": "2025-12-24"}),
                csds_contact(3, 1, "3"),
                csds_contact(4, 1, "0", **{"CARE CONTACT DATE": "2026-04-20"}),
                csds_contact(5, 1, "5", **{"CARE CONTACT DATE": "1801-01-01"}),
                csds_contact(6, 3, "5"),
            ],
        },
    )
    outcome, features = _run(site)
    first, second = _of(site, features, 1), _of(site, features, 2)
    assert (first["community_contacts_12m"], first["last_community_contact_date"]) == (2, date(2025, 12, 24))
    assert (first["has_care_plan"], first["care_plan_last_reviewed_date"]) == (True, date(2025, 11, 20))
    assert (second["community_contacts_12m"], second["has_care_plan"]) == (0, False)
    # One without a known date, and one of a person who is in no bridging file; status 0 is still to come.
    assert _counts(outcome, "community_contacts") == {"read": 5, "accepted": 3, "quarantined": 2}
    assert _counts(outcome, "community_referrals") == {"read": 2, "accepted": 2}
    # Without a caseload in the data set nobody can say whom the team knows.
    assert first["is_known_to_team"] is None


def test_csds_columns_under_their_earlier_names_mean_the_same(site: Path):
    folder = _community(site, SECOND, 1)
    before = {
        supplier_files.STATUS_NOW: supplier_files.STATUS_BEFORE,
        supplier_files.PROVIDER_NOW: supplier_files.PROVIDER_BEFORE,
        supplier_files.SERVICE_TYPE: "SERVICE TYPE REFERRED TO (COMMUNITY CARE)",
    }
    supplier_files.write_csds(
        folder,
        {
            # A provider's own extract has the NHS number in its MPI and needs no bridging file.
            "CYP001MPI": [csds_mpi(1, **{"NHS NUMBER": nhs_number(1)})],
            "CYP101Referral": [csds_referral(1, 1)],
            "CYP102ServiceTypeReferredTo": [csds_service(1)],
            "CYP201CareContact": [csds_contact(1, 1), csds_contact(2, 1, "7")],
        },
        renamed=before,
    )
    (folder / "CSDS_Bridging.csv").unlink()
    outcome, features = _run(site)
    assert _counts(outcome, "community_contacts") == {"read": 2, "accepted": 2}
    assert _of(site, features, 1)["community_contacts_12m"] == 1


def test_csds_month_brings_open_referrals_again_and_corrects_contacts(site: Path):
    folder = _community(site, FIRST, 1)
    supplier_files.write_csds(
        folder,
        {
            "Bridging": [csds_person(1)],
            "CYP001MPI": [csds_mpi(1)],
            "CYP101Referral": [csds_referral(1, 1)],
            "CYP201CareContact": [csds_contact(1, 1, "5"), csds_contact(2, 1, "5")],
        },
    )
    folder = _community(site, SECOND, 1)
    supplier_files.write_csds(
        folder,
        {
            "CYP101Referral": [csds_referral(1, 1, 2, **{"SERVICE DISCHARGE DATE": "2026-03-15"})],
            # Submitted twice: the later submission stands first in the file.
            "CYP201CareContact": [
                csds_contact(2, 1, "3", 3),
                csds_contact(2, 1, "5", 2),
                csds_contact(3, 1, "5", 2),
            ],
        },
    )
    outcome, features = _run(site)
    assert _counts(outcome, "community_referrals") == {"read": 2, "accepted": 1, "superseded": 1}
    assert _counts(outcome, "community_contacts") == {"read": 5, "accepted": 3, "superseded": 2}
    assert _of(site, features, 1)["community_contacts_12m"] == 2


# --- Artificial HES -------------------------------------------------------------------------------------------------


def test_hes_people_ages_and_spells_come_from_the_episodes(site: Path):
    folder = _landing(site, SECOND)
    man = {"MYDOB": "011801", "STARTAGE": "63", "SEX": "1"}
    open_stay = {
        "ADMIDATE": "2026-03-30",
        "EPISTART": "2026-03-30",
        "DISDATE": "",
        "EPISTAT": "1",
        "EPIORDER": "99",
    }
    supplier_files.write_hes_apc(
        folder,
        [
            hes_episode(1, 1),
            hes_episode(2, 1, EPIORDER="2", EPISTART="2025-10-03"),
            hes_episode(3, 2, **man),
            hes_episode(4, 3, MYDOB="011800", STARTAGE="7005", EPISTART="2025-10-02", SEX="0", ETHNOS="4"),
            hes_episode(5, 4, MYDOB="011800", STARTAGE="120"),
            hes_episode(6, 1, ADMIDATE="1801-01-01"),
            hes_episode(7, 2, **man, **open_stay),
        ],
    )
    outcome, features = _run(site)
    assert _counts(outcome, "gp_patients") == {
        "read": 7, "accepted": 3, "quarantined": 1, "duplicates": 2, "superseded": 1
    }  # fmt: skip
    assert _counts(outcome, "acute_episodes") == {"read": 7, "accepted": 6, "quarantined": 1}
    by_age = {person["age"]: person for person in features.values()}
    assert set(by_age) == {0, 63, 80}
    assert (by_age[80]["unplanned_admissions_12m"], by_age[80]["unplanned_bed_days_12m"]) == (1, 4)
    assert (by_age[63]["is_inpatient"], by_age[63]["sex"]) == (True, "1")
    assert (by_age[0]["sex"], by_age[0]["ethnic_category"]) == ("X", None)
    # HES has no attendances: they are unknown, not none.
    assert by_age[80]["ae_attendances_12m"] is None


def test_hes_attendances_are_read_as_emergency_care(site: Path):
    folder = _landing(site, SECOND)
    supplier_files.write_hes_ae(
        folder,
        [
            hes_attendance(1, 1),
            hes_attendance(2, 1, AEATTENDCAT="2", DEPTIME="4000"),
            hes_attendance(3, 1, AEATTENDCAT="3"),
            hes_attendance(4, 1, AEPATGROUP="70"),
            hes_attendance(5, 1, AEATTENDCAT="9"),
            hes_attendance(6, 1, AEDEPTTYPE="99", ARRIVALDATE="2025-11-01", ARRIVALTIME="4000"),
            hes_attendance(7, 2, ARRIVALAGE="7003.0"),
            hes_attendance(8, 3, ARRIVALAGE=""),
        ],
    )
    outcome, features = _run(site)
    assert _counts(outcome, "acute_attendances") == {"read": 8, "accepted": 7, "quarantined": 1}
    by_age = {person["age"]: person for person in features.values()}
    assert {age: person["ae_attendances_12m"] for age, person in by_age.items()} == {80: 2, 0: 1}
    assert by_age[80]["unplanned_admissions_12m"] is None


def test_hes_files_of_both_kinds_side_by_side_keep_their_people_apart(site: Path):
    folder = _landing(site, SECOND)
    supplier_files.write_hes_apc(folder, [hes_episode(1, 1), hes_episode(2, 2, MYDOB="061950")])
    supplier_files.write_hes_ae(
        folder, [hes_attendance(1, 7, ARRIVALAGE="40.0"), hes_attendance(2, 2, SEX="2")]
    )
    outcome, features = _run(site)
    assert _counts(outcome, "gp_patients") == {"read": 4, "accepted": 3, "superseded": 1}
    activity = {
        (row["age"], row["unplanned_admissions_12m"], row["ae_attendances_12m"]) for row in features.values()
    }
    assert {40} < {age for age, _, _ in activity}
    assert sorted((admissions, attendances) for _, admissions, attendances in activity) == [
        (0, 1),
        (1, 0),
        (1, 1),
    ]


# --- Synthea and ehrQL ----------------------------------------------------------------------------------------------


def _synthea_tables() -> dict[str, list[dict[str, str]]]:
    def encounter(number: int, kind: str, day: str = "2025-10-01") -> dict[str, str]:
        return {
            "Id": f"e{number}",
            "START": f"{day}T13:58:14Z",
            "STOP": f"{day[:8]}05T14:13:14Z",
            "PATIENT": "p1",
            "ORGANIZATION": "0a1b2c3d4e5f",
            "ENCOUNTERCLASS": kind,
        }

    kinds = ("wellness", "outpatient", "emergency", "urgentcare", "home", "snf")
    return {
        "patients": [{"Id": "p1", "BIRTHDATE": "1945-06-15", "GENDER": "F", "FIRST": "Ada", "LAST": "Gray"}],
        "conditions": [
            {"START": "2015-01-31", "PATIENT": "p1", "ENCOUNTER": "e1", "CODE": code, "DESCRIPTION": name}
            for code, name in (
                ("38341003", "Hypertensive disorder (disorder)"),
                ("44054006", "Diabetes"),
                ("105531004", "Housing unsatisfactory (finding)"),
            )
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
        "encounters": [encounter(number, kind) for number, kind in enumerate(kinds, start=1)]
        + [encounter(10, "inpatient"), encounter(11, "inpatient", "2025-12-01")],
        "procedures": [
            {"START": "2025-11-01T10:00:00Z", "PATIENT": "p1", "ENCOUNTER": "e2", "CODE": "232717009"}
        ],
    }


def test_synthea_edition_with_every_file(site: Path):
    tables = _synthea_tables() | {
        "observations": [
            {"DATE": "2025-10-01T10:00:00Z", "PATIENT": "p1", "ENCOUNTER": "e1", "CODE": "718-7", "VALUE": "9.8",
             "UNITS": "g/dL"},
            {"DATE": "2025-10-01T10:00:00Z", "PATIENT": "p1", "CODE": "QALY", "VALUE": "60", "UNITS": "a"},
        ],
        "immunizations": [{"DATE": "2025-10-20T10:00:00Z", "PATIENT": "p1", "ENCOUNTER": "e1", "CODE": "140"}],
        "careplans": [
            {"Id": "c1", "START": "2025-02-01", "PATIENT": "p1", "DESCRIPTION": "Diabetes self management plan"},
            {"Id": "c2", "START": "2013-12-18", "STOP": "2014-03-09", "PATIENT": "p1", "DESCRIPTION": "Fracture care"},
        ],
    }  # fmt: skip
    supplier_files.write_synthea(_landing(site, SECOND), tables)
    outcome, features = _run(site)
    (person,) = features.values()
    # Hypertension, diabetes, coronary heart disease by its operation, anaemia by its value; no finding of housing.
    assert person["efi_deficits"] == 4
    assert (person["gp_contacts_12m"], person["community_contacts_12m"], person["medicines_12m"]) == (2, 1, 1)
    assert (person["ae_attendances_12m"], person["sdec_attendances_12m"]) == (2, 0)
    # Only the stay that begins on the day of an emergency visit is known to be one.
    assert (person["unplanned_admissions_12m"], person["unplanned_bed_days_12m"]) == (1, 4)
    assert person["flu_vaccine_this_season"]
    assert person["has_care_plan"]
    assert _counts(outcome, "gp_events") == {"read": 5, "accepted": 5}
    assert _counts(outcome, "care_plans") == {"read": 1, "accepted": 1}


def test_synthea_edition_with_other_columns_and_fewer_files(site: Path):
    tables = _synthea_tables()
    for row in tables["procedures"]:
        row["DATE"] = row.pop("START")
    other = {"procedures": "DATE PATIENT ENCOUNTER CODE DESCRIPTION", "patients": "Id BIRTHDATE DEATHDATE FIRST LAST "
             "GENDER"}  # fmt: skip
    supplier_files.write_synthea(_landing(site, SECOND), tables, columns=other)
    outcome, features = _run(site)
    (person,) = features.values()
    assert person["efi_deficits"] == 3
    assert person["has_care_plan"] is None
    assert _counts(outcome, "gp_events") == {"read": 3, "accepted": 3}


def test_ehrql_registration_gaps_overlaps_and_deaths(site: Path):
    def person(number: int, sex: str = "female", died: str = "") -> dict[str, str]:
        return {"patient_id": str(number), "sex": sex, "date_of_birth": "1945-06-01", "date_of_death": died}

    def registered(number: int, start: str, end: str, practice: str) -> dict[str, str]:
        return {
            "patient_id": str(number),
            "start_date": start,
            "end_date": end,
            "practice_pseudo_id": practice,
        }

    supplier_files.write_ehrql(
        _landing(site, SECOND),
        {
            "patients": [
                person(1),
                person(2, "male"),
                person(3, "intersex"),
                person(4),
                person(5, died="2020-01-01"),
            ],
            "ons_deaths": [{"patient_id": "4", "date": "2025-12-31", "place": "Home"}],
            "practice_registrations": [
                registered(1, "2001-01-01", "", "7"),
                registered(1, "2020-01-01", "2026-12-31", "8"),  # overlaps, began later: it counts
                registered(2, "2001-01-01", "2026-01-31", "7"),  # a gap since January
                registered(2, "2026-05-01", "", "7"),
                registered(3, "2001-01-01", "2026-04-01", "7"),  # its last day is today
                registered(4, "2001-01-01", "", "7"),
                registered(5, "2001-01-01", "", "7"),
            ],
            "medications": [
                {"patient_id": "1", "date": "2025-11-05", "dmd_code": "39720311000001101"},
                {"patient_id": "1", "date": "2025-11-05", "dmd_code": "39720311000001101"},
            ],
            "clinical_events": [
                {"patient_id": "1", "date": "2025-11-05", "snomedct_code": "38341003"},
                {
                    "patient_id": "1",
                    "date": "2025-11-05",
                    "snomedct_code": "271026005",
                    "numeric_value": "98",
                },
            ],
        },
    )
    outcome, features = _run(site)
    by_sex = {row["sex"]: row for row in features.values()}
    assert set(by_sex) == {"2", "9"}
    practices = sorted({*factories.PRACTICES, factories.RETIRED_PRACTICE, factories.LAST_DAY_PRACTICE,
                        factories.FUTURE_PRACTICE})  # fmt: skip
    assert by_sex["2"]["practice_code"] == practices[8]
    assert by_sex["2"]["efi_deficits"] == 2
    assert _counts(outcome, "gp_patients") == {"read": 7, "accepted": 7}
    assert _counts(outcome, "gp_medications") == {"read": 2, "accepted": 1, "duplicates": 1}
    assert by_sex["2"]["unplanned_admissions_12m"] is None


# --- Several suppliers at once --------------------------------------------------------------------------------------


def test_suppliers_of_one_delivery_are_read_side_by_side(site: Path):
    folder = _landing(site, SECOND)
    supplier_files.write_emis(
        folder, {"Admin_Patient": [emis_patient(1)], "CareRecord_Observation": [emis_observation(1, 1)]}
    )
    tpp = {
        "SRPatient": [tpp_patient(2, IDOrganisationVisibleTo=supplier_files.OTHER_PRACTICE)],
        "SRPatientRegistration": [
            tpp_registration(
                2,
                IDOrganisationVisibleTo=supplier_files.OTHER_PRACTICE,
                IDOrganisation=supplier_files.OTHER_PRACTICE,
            )
        ],
        "SRCode": [tpp_code(1, 2, IDOrganisationVisibleTo=supplier_files.OTHER_PRACTICE)],
    }
    supplier_files.write_tpp(folder, tpp)
    supplier_files.write_sus_apc(folder, [sus_episode(1, 1)], delimiter="|")
    supplier_files.write_ecds(folder, [ecds_attendance(1, 2)])
    supplier_files.write_csds(
        folder, {"Bridging": [csds_person(2)], "CYP201CareContact": [csds_contact(1, 2)]}
    )
    outcome, features = _run(site)
    layouts = {
        name: entry["layout"] for name, entry in outcome.manifest["extracts"].items() if entry["present"]
    }
    assert layouts["acute_episodes"] == "sus_apc"
    assert layouts["community_contacts"] == "csds"
    first, second = _of(site, features, 1), _of(site, features, 2)
    assert (first["efi_deficits"], first["unplanned_admissions_12m"]) == (1, 1)
    assert (second["efi_deficits"], second["ae_attendances_12m"], second["community_contacts_12m"]) == (
        1,
        1,
        1,
    )
    assert second["practice_code"] == supplier_files.OTHER_PRACTICE


def test_a_practice_may_have_files_of_its_own_in_one_delivery(site: Path):
    _emis(site, SECOND, Admin_Patient=[emis_patient(1)], CareRecord_Observation=[emis_observation(1, 1)])
    folder, aside = _landing(site, SECOND), site / "aside"
    other = supplier_files.EMIS_OTHER_ORGANISATION
    supplier_files.write_emis(
        aside,
        {
            "Admin_Patient": [emis_patient(2, OrganisationGuid=other)],
            "CareRecord_Observation": [emis_observation(1, 2, OrganisationGuid=other)],
        },
    )
    for path in aside.iterdir():
        shutil.move(path, folder / path.name.replace("291_", "292_"))
    outcome, features = _run(site)
    assert _counts(outcome, "gp_patients") == {"read": 2, "accepted": 2}
    assert [_of(site, features, person)["efi_deficits"] for person in (1, 2)] == [1, 1]


# --- The guide ------------------------------------------------------------------------------------------------------


def test_worked_example_of_the_guide_runs(site: Path):
    guide, folder = GUIDE.read_text(encoding="utf-8"), _community(site, SECOND, 1, 2)
    for name, text in re.findall(r"`(nb_\w+[.]csv)`\n```csv\n(.*?)```", guide, re.DOTALL):
        (folder / name).write_text(text, encoding="windows-1252")
    (layout,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (site / "config" / "sources" / "northbank.yaml").write_text(layout, encoding="utf-8")
    outcome, features = _run(site)
    assert _counts(outcome, "community_contacts") == {
        "read": 4, "accepted": 2, "superseded": 1, "deleted": 1
    }  # fmt: skip
    assert [_of(site, features, person)["community_contacts_12m"] for person in (1, 2)] == [1, 0]


def test_guide_names_every_shipped_layout():
    shipped = {path.stem for path in (GUIDE.parents[1] / "config" / "sources").glob("*.yaml")}
    assert shipped == set(re.findall(r"`([a-z0-9_]+)`", GUIDE.read_text(encoding="utf-8"))) & shipped
