"""ehrQL: whoever is registered on the day and alive, at the practice that registered them last."""

from __future__ import annotations

from pathlib import Path

from tests import factories
from tests.end_to_end.layouts.runs import SECOND, books, landing, run_site
from tests.supplier_files import ehrql

# The practices of the made-up geography: ehrQL's small numbers count them in this order.
PRACTICES = sorted(
    {
        *factories.PRACTICES,
        factories.RETIRED_PRACTICE,
        factories.LAST_DAY_PRACTICE,
        factories.FUTURE_PRACTICE,
    }
)


def test_ehrql_registration_gaps_overlaps_and_deaths(site: Path):
    ehrql.write(
        landing(site, SECOND),
        {
            "patients": [
                ehrql.person(1),
                ehrql.person(2, "male"),
                ehrql.person(3, "intersex"),
                ehrql.person(4),
                ehrql.person(5, died="2020-01-01"),
            ],
            "ons_deaths": [{"patient_id": "4", "date": "2025-12-31", "place": "Home"}],
            "practice_registrations": [
                ehrql.registration(1, "2001-01-01", "", "7"),
                ehrql.registration(1, "2020-01-01", "2026-12-31", "8"),  # overlaps, began later: it counts
                ehrql.registration(2, "2001-01-01", "2026-01-31", "7"),  # a gap since January
                ehrql.registration(2, "2026-05-01", "", "7"),
                ehrql.registration(3, "2001-01-01", "2026-04-01", "7"),  # its last day is today
                ehrql.registration(4, "2001-01-01", "", "7"),
                ehrql.registration(5, "2001-01-01", "", "7"),
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
    outcome, features = run_site(site)
    assert len(features) == 2, "one has died, one is in a gap, one died long ago"
    by_sex = {row["sex"]: row for row in features.values()}
    assert set(by_sex) == {"2", "9"}
    assert by_sex["2"]["practice_code"] == PRACTICES[8]
    assert by_sex["2"]["efi_deficits"] == 2
    assert books(outcome, "gp_patients") == {"read": 7, "accepted": 7}
    assert books(outcome, "gp_medications") == {"read": 2, "accepted": 1, "duplicates": 1}
    assert by_sex["2"]["unplanned_admissions_12m"] is None
