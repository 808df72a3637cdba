"""Synthea: an edition with every file, and one with other columns and fewer files."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.layouts.runs import SECOND, books, landing, run_site
from tests.supplier_files import synthea


def test_synthea_edition_with_every_file(site: Path):
    tables = synthea.one_person() | {
        "observations": [
            {
                "DATE": "2025-10-01T10:00:00Z",
                "PATIENT": "p1",
                "ENCOUNTER": "e1",
                "CODE": "718-7",
                "VALUE": "9.8",
                "UNITS": "g/dL",
            },
            {
                "DATE": "2025-10-01T10:00:00Z",
                "PATIENT": "p1",
                "CODE": "QALY",
                "VALUE": "60",
                "UNITS": "a",
            },
        ],
        "immunizations": [
            {"DATE": "2025-10-20T10:00:00Z", "PATIENT": "p1", "ENCOUNTER": "e1", "CODE": "140"}
        ],
        "careplans": [
            {
                "Id": "c1",
                "START": "2025-02-01",
                "PATIENT": "p1",
                "DESCRIPTION": "Diabetes self management plan",
            },
            {
                "Id": "c2",
                "START": "2013-12-18",
                "STOP": "2014-03-09",
                "PATIENT": "p1",
                "DESCRIPTION": "Fracture care",
            },
        ],
    }
    synthea.write(landing(site, SECOND), tables)
    outcome, features = run_site(site)
    (person,) = features.values()
    # Hypertension, diabetes, coronary heart disease by its operation, anaemia by its value; no finding of housing.
    assert person["efi_deficits"] == 4
    assert (person["gp_contacts_12m"], person["community_contacts_12m"], person["medicines_12m"]) == (2, 1, 1)
    assert (person["ae_attendances_12m"], person["sdec_attendances_12m"]) == (2, 0)
    # Only the stay that begins on the day of an emergency visit is known to be one.
    assert (person["unplanned_admissions_12m"], person["unplanned_bed_days_12m"]) == (1, 4)
    assert person["flu_vaccine_this_season"]
    assert person["has_care_plan"]
    assert books(outcome, "gp_events") == {"read": 5, "accepted": 5}
    assert books(outcome, "care_plans") == {"read": 1, "accepted": 1}


def test_synthea_edition_with_other_columns_and_fewer_files(site: Path):
    tables = synthea.one_person()
    for row in tables["procedures"]:
        row["DATE"] = row.pop("START")
    other = {
        "procedures": "DATE PATIENT ENCOUNTER CODE DESCRIPTION",
        "patients": "Id BIRTHDATE DEATHDATE FIRST LAST GENDER",
    }
    synthea.write(landing(site, SECOND), tables, columns=other)
    outcome, features = run_site(site)
    (person,) = features.values()
    assert person["efi_deficits"] == 3
    assert person["has_care_plan"] is None
    assert books(outcome, "gp_events") == {"read": 3, "accepted": 3}
