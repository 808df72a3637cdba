"""TPP SystmOne: codes, medicines and events; a bulk delivery and the changes to it; text in Windows-1252."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.layouts.runs import (
    FIRST,
    GP_EXTRACTS,
    SECOND,
    books,
    landing,
    of,
    pseudonym,
    quarantined,
    run_site,
)
from tests.supplier_files import systmone
from tests.supplier_files.files import DMD_CODES, OTHER_PRACTICE, PRACTICE, Row, write_empty_extracts


def deliver(site: Path, delivery: str, *, is_bulk: bool = False, **tables: list[Row]) -> None:
    systmone.write(landing(site, delivery), tables, is_bulk=is_bulk)
    write_empty_extracts(landing(site, delivery), *GP_EXTRACTS)


def test_systmone_codes_medicines_and_events_become_features(site: Path):
    deliver(
        site,
        SECOND,
        SRPatient=[systmone.patient(1)],
        SRPatientRegistration=[systmone.registration(1, RegistrationStatus="GMS,Contraception")],
        SRCode=[
            systmone.code(1, 1),
            systmone.code(2, 1, "-1", CTV3Code="XE0qB"),  # peptic ulcer; XE0qb is weight loss
            systmone.code(3, 1, "", CTV3Code="XE0qb", DateEvent="01 Oct 2025"),
            systmone.code(4, 1, "-1", CTV3Code="xe0qb"),
            systmone.code(5, 1, "271026005", IsNumeric="true", NumericValue="98", NumericUnit="g/L"),
        ],
        SRPrimaryCareMedication=[
            systmone.medication(1, 1),
            systmone.medication(2, 1, "-1"),
            systmone.medication(3, 1, DMD_CODES[1], DateMedicationStart="05 May 2026 00:00:00"),
            systmone.medication(4, 1, DMD_CODES[2], IsHospitalMedication="true"),
        ],
        SREvent=[
            systmone.event(1, 1),
            systmone.event(2, 1, ContactMethod=""),
            systmone.event(3, 1, IDOrganisation="RC1"),
            systmone.event(4, 1, EventIncomplete="true"),
        ],
    )
    outcome, features = run_site(site)
    person = of(site, features, 1)
    assert (person["age"], person["sex"], person["practice_code"]) == (80, "2", PRACTICE)
    assert person["efi_deficits"] == 4
    # One begins after as_of, and one was the hospital's.
    assert person["medicines_12m"] == 2
    assert person["gp_contacts_12m"] == 1
    assert books(outcome, "gp_events") == {"read": 5, "accepted": 5}
    assert books(outcome, "gp_medications") == {"read": 3, "accepted": 3}


def test_systmone_bulk_without_removed_data_then_changes(site: Path):
    deliver(
        site,
        FIRST,
        is_bulk=True,
        SRPatient=[systmone.patient(index) for index in (1, 2, 3)],
        SRPatientRegistration=[systmone.registration(index) for index in (1, 2, 3)],
        SRCode=[systmone.code(1, 1), systmone.code(2, 1, "44054006"), systmone.code(3, 2)],
    )
    deliver(
        site,
        SECOND,
        SRPatient=[systmone.removed(systmone.patient(2))],
        SRPatientRegistration=[
            systmone.removed(systmone.registration(2)),
            systmone.registration(3, DateDeRegistration="28 Feb 2026 00:00:00"),
        ],
        SRCode=[systmone.removed(systmone.code(2, 1)), systmone.code(4, 1, "49436004")],
    )
    outcome, features = run_site(site)
    assert set(features) == {pseudonym(site, 1)}
    assert of(site, features, 1)["efi_deficits"] == 2
    assert books(outcome, "gp_patients") == {"read": 5, "accepted": 2, "superseded": 2, "deleted": 1}
    # The entry of the withdrawn patient goes with her.
    assert books(outcome, "gp_events") == {"read": 5, "accepted": 2, "superseded": 1, "deleted": 2}


def test_systmone_only_a_gms_registration_of_the_practice_itself_counts(site: Path):
    deliver(
        site,
        SECOND,
        SRPatient=[systmone.patient(index) for index in range(1, 5)]
        + [systmone.patient(5, TestPatient="true")],
        SRPatientRegistration=[
            systmone.registration(1),
            systmone.registration(2, RegistrationStatus="Applied"),
            systmone.registration(3, RegistrationStatus="Temporary Resident < 16 days"),
            systmone.registration(4, IDOrganisation=OTHER_PRACTICE),
            systmone.registration(5),
        ],
    )
    outcome, features = run_site(site)
    assert set(features) == {pseudonym(site, 1)}
    assert books(outcome, "gp_patients") == {"read": 3, "accepted": 1, "deleted": 2}


def test_systmone_windows_1252_text_survives(site: Path):
    deliver(
        site,
        SECOND,
        SRPatient=[systmone.patient(1, Surname="Œuvrard Šimon-Žižka")],
        SRPatientRegistration=[systmone.registration(1)],
        SRPrimaryCareMedication=[
            systmone.medication(1, 1),
            systmone.medication(2, 1, NameOfMedication="Crème “€” œ 5 %", DateMedicationStart="yesterday"),
        ],
    )
    outcome, _ = run_site(site)
    (row,) = quarantined(outcome, "gp_medications")
    assert row["medicine_name"] == "Crème “€” œ 5 %"
    assert books(outcome, "gp_patients") == {"read": 1, "accepted": 1}
