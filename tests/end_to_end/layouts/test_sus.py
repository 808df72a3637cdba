"""SUS and ECDS: episodes become spells, attendances count by category and department, corrections are followed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.end_to_end.layouts.runs import FIRST, SECOND, books, of, quarantined, run_site, with_register
from tests.supplier_files import sus

UNKNOWN_DAYS = ("1582-10-15", "1800-01-01", "1801-01-01")
COVERED = ("acute_episodes", "acute_attendances")


@pytest.mark.parametrize("delimiter", [",", "|"])
def test_sus_episodes_become_spells_whatever_separates_them(site: Path, delimiter: str):
    folder = with_register(site, SECOND, 1, 2, covered=COVERED)
    sus.write_ecds(folder, [])
    sus.write_apc(
        folder,
        [
            # Two episodes of one spell; the second's discharge is the spell's. I10X has filler.
            sus.episode(1, 1, **{"Primary Diagnosis Code": "I10X", "Secondary Diagnosis Code 1": "F03X"}),
            sus.episode(2, 1, **{"Hospital Provider Spell No": "S00001", "Episode Number": "2"}),
            sus.episode(3, 1, **{"Admission Method (Hospital Provider Spell)": "11"}),
            sus.episode(
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
    outcome, features = run_site(site)
    first, second = of(site, features, 1), of(site, features, 2)
    assert books(outcome, "acute_episodes") == {"read": 4, "accepted": 4}
    assert (first["unplanned_admissions_12m"], first["acsc_admissions_12m"]) == (1, 1)
    assert (first["unplanned_bed_days_12m"], first["last_discharge_date"]) == (4, date(2025, 10, 5))
    assert not first["is_inpatient"]
    # No day of discharge is known: she is in hospital still.
    assert second["is_inpatient"]
    assert second["unplanned_bed_days_12m"] == 12


def test_sus_episode_without_a_known_admission_is_quarantined(site: Path):
    folder = with_register(site, SECOND, 1, covered=COVERED)
    sus.write_ecds(folder, [])
    rows = [
        sus.episode(index, 1, **{"Start Date (Hospital Provider Spell)": day})
        for index, day in enumerate(("2025-10-01", *UNKNOWN_DAYS))
    ]
    sus.write_apc(folder, rows)
    outcome, _ = run_site(site)
    assert books(outcome, "acute_episodes") == {"read": 4, "accepted": 1, "quarantined": 3}
    reasons = [row["reasons"] for row in quarantined(outcome, "acute_episodes")]
    assert reasons == [["acute_episodes.admission_date.required"]] * 3


def test_sus_episode_sent_again_or_withdrawn_counts_as_the_provider_last_said(site: Path):
    folder = with_register(site, FIRST, 1, covered=COVERED)
    sus.write_ecds(folder, [])
    sus.write_apc(folder, [sus.episode(1, 1), sus.episode(2, 1), sus.episode(3, 1)])
    folder = with_register(site, SECOND, 1, covered=COVERED)
    sus.write_ecds(folder, [])
    again = {"Generated Record ID": "99001", "End Date (Hospital Provider Spell)": "2025-10-11"}
    sus.write_apc(
        folder,
        [
            sus.episode(1, 1, **again),
            sus.episode(2, 1, **{"Update Type": "1"}),
            sus.episode(3, 1, **{"Logically Deleted Date": "2026-03-01"}),
        ],
    )
    outcome, features = run_site(site)
    assert books(outcome, "acute_episodes") == {"read": 6, "accepted": 1, "superseded": 3, "deleted": 2}
    person = of(site, features, 1)
    assert (person["unplanned_admissions_12m"], person["unplanned_bed_days_12m"]) == (1, 10)


def test_ecds_attendances_count_by_category_and_department(site: Path):
    folder = with_register(site, SECOND, 1, covered=COVERED)
    sus.write_apc(folder, [])
    sus.write_ecds(
        folder,
        [
            sus.attendance(1, 1),
            sus.attendance(2, 1, **{"attendance.location.department_type": "3"}),
            sus.attendance(3, 1, **{"attendance.location.department_type": "05"}),
            sus.attendance(4, 1, **{"attendance.arrival.attendance_category": "4"}),
            sus.attendance(5, 1, **{"attendance.departure.date": "1801-01-01"}),
            sus.attendance(6, 1, **{"attendance.arrival.date": "1582-10-15"}),
            sus.attendance(7, 1),
            sus.attendance(7, 1, **{"system.transaction.cds_update_type": "1", "system.record.version": "2"}),
        ],
        delimiter="|",
    )
    outcome, features = run_site(site)
    assert outcome.manifest["extracts"]["acute_attendances"]["layout"] == "ecds"
    assert books(outcome, "acute_attendances") == {
        "read": 8,
        "accepted": 5,
        "quarantined": 1,
        "superseded": 1,
        "deleted": 1,
    }
    person = of(site, features, 1)
    assert (person["ae_attendances_12m"], person["sdec_attendances_12m"]) == (3, 1)
