"""Suppliers beside each other in one delivery."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.end_to_end.layouts.runs import GP_EXTRACTS, SECOND, books, landing, of, run_site
from tests.supplier_files import csds, emis, sus, systmone
from tests.supplier_files.files import OTHER_PRACTICE, write_empty_extracts


def test_suppliers_of_one_delivery_are_read_side_by_side(site: Path):
    folder = landing(site, SECOND)
    emis.write(
        folder, {"Admin_Patient": [emis.patient(1)], "CareRecord_Observation": [emis.observation(1, 1)]}
    )
    tpp = {
        "SRPatient": [systmone.patient(2, IDOrganisationVisibleTo=OTHER_PRACTICE)],
        "SRPatientRegistration": [
            systmone.registration(2, IDOrganisationVisibleTo=OTHER_PRACTICE, IDOrganisation=OTHER_PRACTICE)
        ],
        "SRCode": [systmone.code(1, 2, IDOrganisationVisibleTo=OTHER_PRACTICE)],
    }
    systmone.write(folder, tpp)
    sus.write_apc(folder, [sus.episode(1, 1)], delimiter="|")
    sus.write_ecds(folder, [sus.attendance(1, 2)])
    csds.write(folder, {"Bridging": [csds.bridge(2)], "CYP201CareContact": [csds.contact(1, 2)]})
    outcome, features = run_site(site)
    layouts = {
        name: entry["layout"] for name, entry in outcome.manifest["extracts"].items() if entry["present"]
    }
    assert layouts["acute_episodes"] == "sus_apc"
    assert layouts["community_contacts"] == "csds"
    first, second = of(site, features, 1), of(site, features, 2)
    assert (first["efi_deficits"], first["unplanned_admissions_12m"]) == (1, 1)
    assert second["efi_deficits"] == 1
    assert (second["ae_attendances_12m"], second["community_contacts_12m"]) == (1, 1)
    assert second["practice_code"] == OTHER_PRACTICE


def test_a_practice_may_have_files_of_its_own_in_one_delivery(site: Path):
    folder, aside = landing(site, SECOND), site / "aside"
    emis.write(
        folder, {"Admin_Patient": [emis.patient(1)], "CareRecord_Observation": [emis.observation(1, 1)]}
    )
    write_empty_extracts(folder, *GP_EXTRACTS)
    other = emis.OTHER_ORGANISATION
    emis.write(
        aside,
        {
            "Admin_Patient": [emis.patient(2, OrganisationGuid=other)],
            "CareRecord_Observation": [emis.observation(1, 2, OrganisationGuid=other)],
        },
    )
    for path in aside.iterdir():
        shutil.move(path, folder / path.name.replace("291_", "292_"))
    outcome, features = run_site(site)
    assert books(outcome, "gp_patients") == {"read": 2, "accepted": 2}
    assert [of(site, features, person)["efi_deficits"] for person in (1, 2)] == [1, 1]
