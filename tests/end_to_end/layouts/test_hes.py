"""Artificial HES: people are known by their episodes and attendances alone."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.layouts.runs import SECOND, books, landing, run_site
from tests.supplier_files import hes


def test_hes_people_ages_and_spells_come_from_the_episodes(site: Path):
    folder = landing(site, SECOND)
    man = {"MYDOB": "011801", "STARTAGE": "63", "SEX": "1"}
    open_stay = {
        "ADMIDATE": "2026-03-30",
        "EPISTART": "2026-03-30",
        "DISDATE": "",
        "EPISTAT": "1",
        "EPIORDER": "99",
    }
    hes.write_apc(
        folder,
        [
            hes.episode(1, 1),
            hes.episode(2, 1, EPIORDER="2", EPISTART="2025-10-03"),
            hes.episode(3, 2, **man),
            hes.episode(4, 3, MYDOB="011800", STARTAGE="7005", EPISTART="2025-10-02", SEX="0", ETHNOS="4"),
            hes.episode(5, 4, MYDOB="011800", STARTAGE="120"),
            hes.episode(6, 1, ADMIDATE="1801-01-01"),
            hes.episode(7, 2, **man, **open_stay),
        ],
    )
    outcome, features = run_site(site)
    assert books(outcome, "gp_patients") == {
        "read": 7,
        "accepted": 3,
        "quarantined": 1,
        "duplicates": 2,
        "superseded": 1,
    }
    assert books(outcome, "acute_episodes") == {"read": 7, "accepted": 6, "quarantined": 1}
    by_age = {person["age"]: person for person in features.values()}
    assert len(features) == 3
    assert set(by_age) == {0, 63, 80}
    assert (by_age[80]["unplanned_admissions_12m"], by_age[80]["unplanned_bed_days_12m"]) == (1, 4)
    assert (by_age[63]["is_inpatient"], by_age[63]["sex"]) == (True, "1")
    assert (by_age[0]["sex"], by_age[0]["ethnic_category"]) == ("X", None)
    # HES has no attendances: they are unknown, not none.
    assert by_age[80]["ae_attendances_12m"] is None


def test_hes_attendances_are_read_as_emergency_care(site: Path):
    folder = landing(site, SECOND)
    hes.write_ae(
        folder,
        [
            hes.attendance(1, 1),
            hes.attendance(2, 1, AEATTENDCAT="2", DEPTIME="4000"),
            hes.attendance(3, 1, AEATTENDCAT="3"),
            hes.attendance(4, 1, AEPATGROUP="70"),
            hes.attendance(5, 1, AEATTENDCAT="9"),
            hes.attendance(6, 1, AEDEPTTYPE="99", ARRIVALDATE="2025-11-01", ARRIVALTIME="4000"),
            hes.attendance(7, 2, ARRIVALAGE="7003.0"),
            hes.attendance(8, 3, ARRIVALAGE=""),
        ],
    )
    outcome, features = run_site(site)
    assert books(outcome, "acute_attendances") == {"read": 8, "accepted": 7, "quarantined": 1}
    by_age = {person["age"]: person for person in features.values()}
    assert len(features) == 2
    assert {age: person["ae_attendances_12m"] for age, person in by_age.items()} == {80: 2, 0: 1}
    assert by_age[80]["unplanned_admissions_12m"] is None


def test_hes_files_of_both_kinds_side_by_side_keep_their_people_apart(site: Path):
    folder = landing(site, SECOND)
    hes.write_apc(folder, [hes.episode(1, 1), hes.episode(2, 2, MYDOB="061950")])
    hes.write_ae(
        folder, [hes.attendance(1, 7, ARRIVALAGE="40.0"), hes.attendance(2, 2, SEX="2", ARRIVALAGE="75.0")]
    )
    outcome, features = run_site(site)
    assert books(outcome, "gp_patients") == {"read": 4, "accepted": 3, "superseded": 1}
    activity = sorted(
        (row["age"], row["unplanned_admissions_12m"], row["ae_attendances_12m"]) for row in features.values()
    )
    assert activity == [(40, 0, 1), (75, 1, 1), (80, 1, 0)]
