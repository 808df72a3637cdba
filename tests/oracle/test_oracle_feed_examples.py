"""The oracle itself on examples worked out by hand: silent months, multimorbidity, teams and seasons."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories
from tests.oracle.activity import care_plan_features, caseload_features
from tests.oracle.cambridge import cambridge_items
from tests.oracle.coverage import Calendar, is_heard, whole_months
from tests.oracle.example_knowledge import KNOWLEDGE
from tests.oracle.features import features_for
from tests.oracle.flags import flag_features
from tests.oracle.people import age_band
from tests.oracle.windows import flu_season_start, months_before, rows_that_count

AS_OF = factories.AS_OF
BORN = factories.BORN
NUMBER = factories.nhs_number(1)
LAST_YEAR = (months_before(AS_OF, 12), AS_OF)

# --- silent months -----------------------------------------------------------------------------


def calendar(
    a_month: int, *silent: date, months: int = 40, declared: tuple[dict[str, str], ...] = ()
) -> Calendar:
    """A provider with so many rows in every month before ``as_of`` but the silent ones."""
    found = Calendar(declared)
    for back in range(1, months + 1):
        month = months_before(AS_OF, back)
        for _ in range(a_month if month not in silent else 0):
            found.hear("community_contacts", "RC9", month)
    return found


def hears_last_year(found: Calendar) -> bool:
    return found.covers("community_contacts", "", *LAST_YEAR)


def test_month_without_rows_of_a_provider_that_speaks_often_is_silent() -> None:
    assert hears_last_year(calendar(24))
    assert not hears_last_year(calendar(24, date(2025, 8, 1)))
    assert hears_last_year(calendar(20, date(2025, 8, 1)))  # 19.5 a month with the hole
    assert not hears_last_year(calendar(21, date(2025, 8, 1)))


def test_window_begins_and_ends_with_its_own_months() -> None:
    assert hears_last_year(calendar(24, date(2025, 3, 1)))
    assert not hears_last_year(calendar(24, date(2025, 4, 1)))
    assert not hears_last_year(calendar(24, date(2026, 3, 1)))


def test_provider_that_began_inside_the_window_was_not_heard_before() -> None:
    assert not hears_last_year(calendar(24, months=6))
    assert hears_last_year(calendar(24, months=12))


def test_declared_gap_is_no_silence() -> None:
    gap = {"extract": "community_contacts", "provider": "RC9", "from": "2025-08", "to": "2025-08"}
    assert hears_last_year(calendar(24, date(2025, 8, 1), declared=(gap,)))
    assert hears_last_year(calendar(24, date(2025, 8, 1), declared=(gap | {"provider": "*"},)))
    assert not hears_last_year(calendar(24, date(2025, 8, 1), declared=(gap | {"provider": "RC8"},)))
    assert not hears_last_year(calendar(24, date(2025, 8, 1), declared=(gap | {"to": "2025-07"},)))


def test_month_that_is_not_over_is_not_judged() -> None:
    assert whole_months(date(2025, 12, 31), date(2026, 2, 16)) == [(2025, 12), (2026, 1)]
    assert whole_months(date(2026, 1, 1), date(2026, 2, 1)) == [(2026, 1)]
    assert whole_months(AS_OF, AS_OF) == []


def test_silent_practice_is_unknown_for_its_own_people() -> None:
    found = Calendar()
    for back in (1, 2, 4, 5):
        for _ in range(30):
            found.hear("gp_events", "T00001", months_before(AS_OF, back))

    assert not is_heard("falls_12m", AS_OF, lambda extract, *window: found.covers(extract, "T00001", *window))
    assert is_heard("falls_12m", AS_OF, lambda extract, *window: found.covers(extract, "T00002", *window))
    assert is_heard("has_dementia", AS_OF, lambda extract, *window: False)


def test_without_known_medicines_the_next_source_of_frailty_speaks() -> None:
    history = {
        "gp_patients": [factories.patient(NUMBER, practice_code="T00001")],
        "gp_events": [factories.event(NUMBER, code="925831000000107")],
    }
    features = features_for(history, AS_OF, KNOWLEDGE, lambda extract, *window: extract != "gp_medications")
    assert features is not None
    assert [features[name] for name in ("efi_deficits", "efi", "efi_category")] == [None, None, None]
    assert (features["frailty_category"], features["frailty_source"]) == ("moderate", "coded")


def test_second_of_two_equal_rows_and_deleted_rows_do_not_count() -> None:
    row = factories.event(NUMBER)
    assert rows_that_count([row, dict(row), row | {"event_id": "E2"}]) == [row, row | {"event_id": "E2"}]
    assert rows_that_count([row | {"deleted": True}]) == []


# --- multimorbidity ----------------------------------------------------------------------------


def items(*rows: factories.Row) -> set[str]:
    events = [row for row in rows if "event_id" in row]
    return cambridge_items(events, [row for row in rows if "issue_id" in row], AS_OF, KNOWLEDGE)


def event(code: str, day: date = date(2000, 1, 1), **columns: object) -> factories.Row:
    return factories.event(NUMBER, code=code, event_date=day, **columns)


def issues(code: str, *days: date) -> list[factories.Row]:
    return [factories.medication(NUMBER, dmd_code=code, issue_date=day) for day in days]


def test_most_conditions_count_once_ever_recorded_in_their_own_spelling() -> None:
    assert items(event("H3...", code_system="readv2")) == {"copd"}
    assert items(event("h3...", code_system="readv2")) == set()
    assert items(event("H3...", code_system="ctv3")) == set()


def test_asthma_counts_while_it_is_treated() -> None:
    assert items(event("600")) == set()
    assert items(event("600"), *issues("700", date(2025, 4, 1))) == {"asthma"}
    assert items(event("600"), *issues("700", date(2025, 3, 31))) == set()


def test_cancer_counts_for_five_years_from_its_first_entry() -> None:
    assert items(event("601", date(2021, 4, 1))) == {"cancer"}
    assert items(event("601", date(2021, 3, 31)), event("601", date(2025, 1, 1))) == set()


def test_kidney_disease_is_the_better_of_the_latest_two_readings() -> None:
    low, lower = event("300", date(2024, 1, 1), value=59.9), event("300", date(2025, 1, 1), value=30.0)
    assert items(low, lower, event("300", date(2020, 1, 1), value=90.0)) == {"chronic_kidney_disease"}
    assert items(low | {"value": 60.0}, lower) == set()
    assert items(lower) == {"chronic_kidney_disease"}


def test_four_antiepileptics_are_for_pain_where_epilepsy_was_never_recorded() -> None:
    four = issues("701", *[date(2025, month, 1) for month in (5, 7, 9, 11)])
    assert items(*four) == {"painful_condition"}
    assert items(*four[:3]) == set()
    assert items(*four, event("602")) == set()


# --- teams, plans, seasons, bands --------------------------------------------------------------


def test_latest_open_place_names_the_case_manager() -> None:
    old = factories.caseload_entry(NUMBER, team="north", from_date=date(2024, 1, 1), case_manager="Able")
    new = factories.caseload_entry(NUMBER, team="south", from_date=date(2025, 1, 1), case_manager="Brook")
    assert caseload_features([old, new], AS_OF, BORN) == {"is_known_to_team": True, "case_manager": "Brook"}
    closed = new | {"to_date": date(2026, 3, 31)}
    assert caseload_features([old, closed], AS_OF, BORN)["case_manager"] == "Able"
    assert caseload_features([closed], AS_OF, BORN) == {"is_known_to_team": False, "case_manager": None}
    assert caseload_features(None, AS_OF, BORN) == {"is_known_to_team": None, "case_manager": None}


def test_care_plan_may_be_of_the_extract_or_of_a_gp_code() -> None:
    plan = factories.care_plan(NUMBER, last_reviewed_date=date(2026, 4, 1))
    assert care_plan_features([plan], False, AS_OF, BORN) == {
        "has_care_plan": True,
        "care_plan_created_date": date(2025, 10, 1),
        "care_plan_last_reviewed_date": None,
    }
    assert care_plan_features([], True, AS_OF, BORN)["has_care_plan"] is True
    assert care_plan_features([], False, AS_OF, BORN)["has_care_plan"] is False
    assert care_plan_features(None, True, AS_OF, BORN)["has_care_plan"] is True
    assert care_plan_features(None, False, AS_OF, BORN)["has_care_plan"] is None


def test_flu_season_begins_on_the_latest_1_september() -> None:
    assert flu_season_start(date(2025, 8, 31)) == date(2024, 9, 1)
    assert flu_season_start(date(2025, 9, 1)) == date(2025, 9, 1)
    days = {"flu_vaccine": [date(2025, 9, 1)]}
    assert flag_features(days, date(2025, 9, 2))["flu_vaccine_this_season"] is True
    assert flag_features(days, date(2025, 9, 1))["flu_vaccine_this_season"] is False
    assert flag_features(days, date(2026, 9, 2))["flu_vaccine_this_season"] is False


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-17"),
        (17, "0-17"),
        (18, "18-49"),
        (50, "50-64"),
        (65, "65-74"),
        (75, "75-84"),
        (84, "75-84"),
        (85, "85+"),
    ],
)
def test_age_bands(age: int, band: str) -> None:
    assert age_band(age) == band
