"""The Community Services Data Set: contacts that took place, earlier names of columns, months that correct months."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.end_to_end.layouts.runs import FIRST, SECOND, books, of, run_site, with_register
from tests.factories import nhs_number
from tests.supplier_files import csds

COVERED = ("community_contacts",)


def test_csds_contacts_count_where_they_took_place(site: Path):
    folder = with_register(site, SECOND, 1, 2, covered=COVERED)
    csds.write(
        folder,
        {
            "Bridging": [csds.bridge(1), csds.bridge(2)],
            "CYP001MPI": [csds.mpi(1), csds.mpi(2)],
            "CYP004CarePlanType": [csds.plan(1, 1)],
            "CYP101Referral": [
                csds.referral(1, 1),
                csds.referral(2, 2, **{"SERVICE DISCHARGE DATE": "1800-01-01"}),
            ],
            "CYP102ServiceTypeReferredTo": [csds.service(1, "12"), csds.service(1, "05")],
            "CYP201CareContact": [
                csds.contact(1, 1, "5"),
                csds.contact(2, 1, "6", **{"CARE CONTACT DATE": "2025-12-24"}),
                csds.contact(3, 1, "3"),
                csds.contact(4, 1, "0", **{"CARE CONTACT DATE": "2026-04-20"}),
                csds.contact(5, 1, "5", **{"CARE CONTACT DATE": "1801-01-01"}),
                csds.contact(6, 3, "5"),
            ],
        },
    )
    outcome, features = run_site(site)
    first, second = of(site, features, 1), of(site, features, 2)
    assert (first["community_contacts_12m"], first["last_community_contact_date"]) == (2, date(2025, 12, 24))
    assert (first["has_care_plan"], first["care_plan_last_reviewed_date"]) == (True, date(2025, 11, 20))
    assert (second["community_contacts_12m"], second["has_care_plan"]) == (0, False)
    # One without a known date, and one of a person who is in no bridging file; status 0 is still to come.
    assert books(outcome, "community_contacts") == {"read": 5, "accepted": 3, "quarantined": 2}
    assert books(outcome, "community_referrals") == {"read": 2, "accepted": 2}
    # Without a caseload in the data set nobody can say whom the team knows.
    assert first["is_known_to_team"] is None


def test_csds_columns_under_their_earlier_names_mean_the_same(site: Path):
    folder = with_register(site, SECOND, 1, covered=COVERED)
    before = {
        csds.STATUS_NOW: csds.STATUS_BEFORE,
        csds.PROVIDER_NOW: csds.PROVIDER_BEFORE,
        csds.SERVICE_NOW: csds.SERVICE_BEFORE,
    }
    csds.write(
        folder,
        {
            # A provider's own extract has the NHS number in its MPI and needs no bridging file.
            "CYP001MPI": [csds.mpi(1, **{"NHS NUMBER": nhs_number(1)})],
            "CYP101Referral": [csds.referral(1, 1)],
            "CYP102ServiceTypeReferredTo": [csds.service(1)],
            "CYP201CareContact": [csds.contact(1, 1), csds.contact(2, 1, "7")],
        },
        renamed=before,
    )
    (folder / "CSDS_Bridging.csv").unlink()
    outcome, features = run_site(site)
    assert books(outcome, "community_contacts") == {"read": 2, "accepted": 2}
    assert of(site, features, 1)["community_contacts_12m"] == 1


def test_csds_month_brings_open_referrals_again_and_corrects_contacts(site: Path):
    folder = with_register(site, FIRST, 1, covered=COVERED)
    csds.write(
        folder,
        {
            "Bridging": [csds.bridge(1)],
            "CYP001MPI": [csds.mpi(1)],
            "CYP101Referral": [csds.referral(1, 1)],
            "CYP201CareContact": [csds.contact(1, 1, "5"), csds.contact(2, 1, "5")],
        },
    )
    folder = with_register(site, SECOND, 1, covered=COVERED)
    csds.write(
        folder,
        {
            "CYP101Referral": [csds.referral(1, 1, 2, **{"SERVICE DISCHARGE DATE": "2026-03-15"})],
            # Submitted twice: the later submission stands first in the file.
            "CYP201CareContact": [
                csds.contact(2, 1, "3", 3),
                csds.contact(2, 1, "5", 2),
                csds.contact(3, 1, "5", 2),
            ],
        },
    )
    outcome, features = run_site(site)
    assert books(outcome, "community_referrals") == {"read": 2, "accepted": 1, "superseded": 1}
    assert books(outcome, "community_contacts") == {"read": 5, "accepted": 3, "superseded": 2}
    assert of(site, features, 1)["community_contacts_12m"] == 2
