"""EMIS: entries, issues and consultations; withdrawals and changes; codes that mean what their own files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.errors import ContractBrokenError
from tests import factories
from tests.end_to_end.layouts.runs import FIRST, GP_EXTRACTS, SECOND, books, landing, of, pseudonym, run_site
from tests.factories import nhs_number
from tests.supplier_files import emis
from tests.supplier_files.files import Row, write_empty_extracts


def deliver(site: Path, delivery: str, **tables: list[Row]) -> None:
    emis.write(landing(site, delivery), tables)
    write_empty_extracts(landing(site, delivery), *GP_EXTRACTS)


def test_emis_entries_issues_and_consultations_become_features(site: Path):
    deliver(
        site,
        SECOND,
        Admin_Patient=[
            emis.patient(1),
            emis.patient(2, OrganisationGuid=emis.OTHER_ORGANISATION),
        ],
        CareRecord_Observation=[
            emis.observation(1, 1),
            emis.observation(2, 1, emis.DIABETES, EffectiveDate=""),
            emis.observation(3, 1, emis.HAEMOGLOBIN, Value="98", NumericUnit="g/L"),
            emis.observation(4, 1, emis.UNMAPPED),
            emis.observation(5, 1, emis.LOCAL),
            emis.observation(6, 2, OrganisationGuid=emis.OTHER_ORGANISATION),
        ],
        Prescribing_IssueRecord=[emis.issue(n, 1, str(200 + n)) for n in range(1, 6)]
        + [emis.issue(6, 1, "290")],
        CareRecord_Consultation=[
            emis.consultation(1, 1),
            emis.consultation(2, 1, "Telephone call to a patient"),
            emis.consultation(3, 1, "Administration"),
        ],
    )
    outcome, features = run_site(site)
    assert outcome.manifest["extracts"]["gp_events"]["layout"] == "emis_v8"
    assert books(outcome, "gp_patients") == {"read": 2, "accepted": 2}
    assert books(outcome, "gp_events") == {"read": 6, "accepted": 6}
    assert books(outcome, "gp_contacts") == {"read": 2, "accepted": 2}
    first, second = of(site, features, 1), of(site, features, 2)
    # Hypertension, diabetes, anaemia by its value, atrial fibrillation under its Read code, polypharmacy.
    assert first["efi_deficits"] == 5
    assert (first["medicines_12m"], first["gp_contacts_12m"], first["sex"], first["age"]) == (6, 2, "2", 80)
    assert (first["practice_code"], second["practice_code"]) == factories.PRACTICES[:2]
    assert second["efi_deficits"] == 1


def test_emis_withdrawals_apply_by_their_identifiers_alone(site: Path):
    deliver(
        site,
        FIRST,
        Admin_Patient=[emis.patient(1), emis.patient(2), emis.patient(3)],
        CareRecord_Observation=[
            emis.observation(1, 1),
            emis.observation(2, 1, emis.DIABETES),
            emis.observation(3, 2),
            emis.observation(4, 3),
        ],
    )
    deliver(
        site,
        SECOND,
        Admin_Patient=[emis.deleted_patient(2), emis.patient(3, PatientTypeDescription="Temporary")],
        CareRecord_Observation=[
            emis.deleted_observation(2),
            emis.observation(4, 3, IsConfidential="TRUE"),
        ],
    )
    outcome, features = run_site(site)
    # Patient 2 is withdrawn, with her entries; patient 3 is no longer a regular patient.
    assert set(features) == {pseudonym(site, 1)}
    assert of(site, features, 1)["efi_deficits"] == 1
    assert books(outcome, "gp_patients") == {"read": 5, "accepted": 1, "superseded": 2, "deleted": 2}
    assert books(outcome, "gp_events") == {"read": 6, "accepted": 1, "superseded": 2, "deleted": 3}


def test_emis_change_refers_to_patients_and_codes_of_earlier_deliveries(site: Path):
    deliver(site, FIRST, Admin_Patient=[emis.patient(1), emis.patient(2)])
    deliver(
        site,
        SECOND,
        Admin_Patient=[emis.patient(2, DateofDeactivation="2026-02-28")],
        CareRecord_Observation=[emis.observation(1, 1)],
        Prescribing_IssueRecord=[emis.issue(1, 1)],
    )
    outcome, features = run_site(site)
    assert set(features) == {pseudonym(site, 1)}
    assert (of(site, features, 1)["efi_deficits"], of(site, features, 1)["medicines_12m"]) == (1, 1)
    assert books(outcome, "gp_patients") == {"read": 3, "accepted": 2, "superseded": 1}


def test_emis_later_version_of_an_entry_wins_by_delivery_and_by_processing_order(site: Path):
    twice = [
        emis.observation(1, 1, emis.HAEMOGLOBIN, Value="98", NumericUnit="g/L", ProcessingId="12"),
        emis.observation(1, 1, emis.HAEMOGLOBIN, Value="140", NumericUnit="g/L", ProcessingId="7"),
    ]
    deliver(
        site,
        FIRST,
        Admin_Patient=[emis.patient(1)],
        CareRecord_Observation=[*twice, emis.observation(2, 1, emis.LOCAL)],
    )
    deliver(site, SECOND, CareRecord_Observation=[emis.observation(2, 1)])
    outcome, features = run_site(site)
    assert books(outcome, "gp_events") == {"read": 4, "accepted": 2, "superseded": 2}
    # Anaemia, as 98 has the higher ProcessingId, and hypertension.
    assert of(site, features, 1)["efi_deficits"] == 2


def test_emis_same_guid_of_two_organisations_is_two_records(site: Path):
    other = emis.OTHER_ORGANISATION
    deliver(
        site,
        SECOND,
        Admin_Patient=[emis.patient(1), emis.patient(1, OrganisationGuid=other, NhsNumber=nhs_number(2))],
        CareRecord_Observation=[
            emis.observation(1, 1),
            emis.observation(1, 1, emis.DIABETES, OrganisationGuid=other),
            emis.observation(2, 1, OrganisationGuid=other),
        ],
    )
    outcome, features = run_site(site)
    assert books(outcome, "gp_events") == {"read": 3, "accepted": 3}
    assert (of(site, features, 1)["efi_deficits"], of(site, features, 2)["efi_deficits"]) == (1, 2)


def test_emis_dummy_patients_and_relatives_are_left_out(site: Path):
    deliver(
        site,
        SECOND,
        Admin_Patient=[emis.patient(1), emis.patient(2, DummyType="TRUE", NhsNumber="")],
        CareRecord_Observation=[
            emis.observation(1, 1, ObservationType="Family History"),
            emis.observation(2, 2),
        ],
    )
    outcome, features = run_site(site)
    assert books(outcome, "gp_patients") == {"read": 1, "accepted": 1}
    assert books(outcome, "gp_events") == {}
    assert of(site, features, 1)["efi_deficits"] == 0


def test_emis_entry_of_a_patient_who_never_came_is_quarantined(site: Path):
    deliver(
        site,
        SECOND,
        Admin_Patient=[emis.patient(1)],
        CareRecord_Observation=[
            emis.observation(1, 1),
            emis.observation(2, 99),
            emis.observation(3, 1, "999"),
        ],
    )
    outcome, _ = run_site(site)
    assert books(outcome, "gp_events") == {"read": 3, "accepted": 1, "quarantined": 2}


def test_emis_code_that_changes_its_meaning_stops_the_run(site: Path):
    deliver(site, FIRST, Admin_Patient=[emis.patient(1)], CareRecord_Observation=[emis.observation(1, 1)])
    changed = [{"CodeId": emis.HYPERTENSION, "ReadTermId": "G20..", "SnomedCTConceptId": "84114007"}]
    deliver(site, SECOND, Coding_ClinicalCode=changed)
    with pytest.raises(ContractBrokenError, match="something else") as stopped:
        run_site(site)
    assert stopped.value.exit_code == 4


def test_emis_code_that_is_mapped_later_does_not_stop_the_run(site: Path):
    deliver(
        site,
        FIRST,
        Admin_Patient=[emis.patient(1)],
        CareRecord_Observation=[emis.observation(1, 1, emis.LOCAL)],
    )
    mapped = [{"CodeId": emis.LOCAL, "ReadTermId": "EMISNQAC724", "SnomedCTConceptId": "84114007"}]
    deliver(site, SECOND, Coding_ClinicalCode=mapped)
    _, features = run_site(site)
    assert of(site, features, 1)["efi_deficits"] == 1
