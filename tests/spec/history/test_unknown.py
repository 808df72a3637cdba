"""A feed that is silent in a snapshot's window makes that one unknown, and no other (rules: Unknown is not zero)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests import factories
from tests.factories import AS_OF
from tests.spec.history.computing import (
    MODERATE,
    MONTHS,
    NEIGHBOUR,
    PATIENT,
    SHARED,
    SILENT,
    computed,
    issues,
    planned_stays,
    registered,
    same_as_today,
)

# --- unknown is not zero ---------------------------------------------------------------------------------------------


KNOWN, UNKNOWN = (
    range(8),
    range(8, 13),
)  # the 12 months before the snapshot of 8 months ago begin in August 2024


def test_silent_month_of_medicines_is_unknown_in_the_snapshots_that_look_at_it(made_up_site: Path) -> None:
    diagnosis = factories.event(PATIENT, code=MODERATE, event_date=date(2020, 1, 1))
    extracts = {
        "gp_patients": registered(),
        "gp_medications": issues(24, SILENT),
        "gp_events": [diagnosis],
    }
    made = computed(made_up_site, extracts, AS_OF)
    history = made.of(PATIENT)
    for month in KNOWN:
        assert (history[month]["efi_deficits"], history[month]["frailty_source"]) == (0, "computed")
    for month in UNKNOWN:
        assert [history[month][name] for name in SHARED] == [None, None, "moderate", "coded", 0]
    assert [row["efi_deficits"] for row in made.of(NEIGHBOUR).values()] == [0] * 13
    today = made.today(PATIENT)
    assert (today["efi_deficits"], today["efi_deficits_12m_ago"]) == (0, None)
    assert (today["frailty_category_12m_ago"], today["frailty_bands_risen_12m"]) == ("moderate", -2)
    assert made.manifest["unknown_features"]["efi_deficits_12m_ago"] == (
        f"gp_medications: provider {factories.PRACTICES[1]} sent nothing for August 2024 (1 of 2 people)"
    )
    assert "efi_deficits" not in made.manifest["unknown_features"]


def test_bands_risen_are_unknown_where_frailty_was_or_is(made_up_site: Path) -> None:
    for silent in (SILENT, date(2025, 8, 1)):
        made = computed(
            made_up_site, {"gp_patients": registered(), "gp_medications": issues(24, silent)}, AS_OF
        )
        assert made.today(PATIENT)["frailty_bands_risen_12m"] is None
        assert made.today(NEIGHBOUR)["frailty_bands_risen_12m"] == 0
        assert f"{silent:%B %Y}" in made.manifest["unknown_features"]["frailty_bands_risen_12m"]


def test_silent_hospital_is_unknown_for_everyone_in_the_snapshots_that_look_at_it(made_up_site: Path) -> None:
    extracts = {"gp_patients": registered(), "acute_episodes": planned_stays(24, SILENT)}
    made = computed(made_up_site, extracts, AS_OF)
    for number in (PATIENT, NEIGHBOUR):
        history = made.of(number)
        assert [history[month]["unplanned_admissions_12m"] for month in KNOWN] == [0] * len(KNOWN)
        assert [history[month]["unplanned_admissions_12m"] for month in UNKNOWN] == [None] * len(UNKNOWN)
        assert [history[month]["efi_deficits"] for month in MONTHS] == [0] * 13
        assert made.today(number)["unplanned_admissions_12m"] == 0
        assert made.today(number)["unplanned_admissions_12m_a_year_ago"] is None


def test_month_before_the_windows_of_every_snapshot_touches_none(made_up_site: Path) -> None:
    extracts = {"gp_patients": registered(), "gp_medications": issues(24, date(2024, 3, 1), months=30)}
    made = computed(made_up_site, extracts, AS_OF)
    assert [row["efi_deficits"] for row in made.of(PATIENT).values()] == [0] * 13


def test_window_of_today_is_covered_exactly_where_the_snapshot_of_today_is(made_up_site: Path) -> None:
    for silent in (date(2025, 3, 1), date(2025, 4, 1)):
        made = computed(
            made_up_site, {"gp_patients": registered(), "gp_medications": issues(24, silent)}, AS_OF
        )
        same_as_today(made)
        assert (made.today(PATIENT)["medicines_12m"] is None) is (silent >= date(2025, 4, 1))
