"""The oracle itself on examples worked out by hand: diagnoses, frailty, people and activity."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests import factories
from tests.oracle.activity import agency_features, attendance_features, community_features
from tests.oracle.example_knowledge import KNOWLEDGE
from tests.oracle.features import features_for
from tests.oracle.flags import in_state
from tests.oracle.frailty import (
    category_of_count,
    category_of_supplied,
    charlson_points,
    coded_frailty,
    deficits,
    first_known,
    hfrs_category,
    hfrs_tenths,
    medicines_in_previous_12_months,
    supplied_frailty,
)
from tests.oracle.icd10 import normalise_icd10
from tests.oracle.people import age_on, has_type_1_opt_out, registration_on

AS_OF = factories.AS_OF
BORN = factories.BORN
NUMBER = factories.nhs_number(1)


# --- diagnoses and frailty ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "normal"),
    [
        ("I10X", "I10"),
        ("i10.x", "I10"),
        ("G30.9D", "G309"),
        ("F00.1A", "F001"),
        ("M80.08", "M8008"),
        ("J45-9", "J459"),
        ("N39 0", "N390"),
        ("F00", "F00"),
        ("I10XD", "I10"),
    ],
)
def test_icd10_decorations_are_dropped(sent: str, normal: str) -> None:
    assert normalise_icd10(sent) == normal


def test_hfrs_counts_a_three_character_code_once_in_whole_tenths() -> None:
    assert hfrs_tenths(["F001", "F009", "N390", "Z999"], KNOWLEDGE.hfrs_tenths) == 103


@pytest.mark.parametrize(
    ("tenths", "category"),
    [(0, "low"), (49, "low"), (50, "intermediate"), (150, "intermediate"), (151, "high")],
)
def test_hfrs_bands(tenths: int, category: str) -> None:
    assert hfrs_category(tenths) == category


def test_charlson_counts_the_worse_of_a_pair_only() -> None:
    rows, points = KNOWLEDGE.prefixes("charlson"), KNOWLEDGE.points["charlson"]
    assert charlson_points(["C509", "C501", "N185"], rows, points) == 4
    assert charlson_points(["C509", "C780", "N185"], rows, points) == 8


@pytest.mark.parametrize(
    ("count", "category"),
    [(4, "fit"), (5, "mild"), (8, "mild"), (9, "moderate"), (12, "moderate"), (13, "severe")],
)
def test_efi_bands_on_whole_deficits(count: int, category: str) -> None:
    assert category_of_count(count) == category


def test_every_rounded_supplied_score_lands_in_the_band_of_its_deficits() -> None:
    for count in range(37):
        assert category_of_supplied(round(count / 36, 2)) == category_of_count(count)


def test_a_code_under_two_deficits_counts_for_both_and_a_deficit_counts_once() -> None:
    events = [
        factories.event(NUMBER, code="100"),
        factories.event(NUMBER, code_system="readv2", code="16D.."),
    ]
    assert deficits(events, 0, "1", KNOWLEDGE) == {"falls", "mobility-problems"}


def test_one_abnormal_value_ever_counts_and_a_numeric_code_without_one_does_not() -> None:
    values = [59.9, 60.0, None]
    found = [
        deficits([factories.event(NUMBER, code="300", value=value)], 0, "1", KNOWLEDGE) for value in values
    ]
    assert found == [{"ckd"}, set(), set()]


def test_a_value_rule_for_one_sex_is_silent_about_others() -> None:
    low = [factories.event(NUMBER, code="400", value=100.0)]
    assert [deficits(low, 0, sex, KNOWLEDGE) for sex in ("2", "1", "9")] == [{"anaemia"}, set(), set()]


def test_five_medicines_are_polypharmacy_four_are_not() -> None:
    assert deficits([], 5, "1", KNOWLEDGE) == {"polypharmacy"}
    assert deficits([], 4, "1", KNOWLEDGE) == set()


def test_medicines_are_counted_once_and_inside_the_window() -> None:
    issues = [
        factories.medication(NUMBER, dmd_code="1", issue_date=date(2025, 4, 1)),
        factories.medication(NUMBER, dmd_code="1", issue_date=date(2026, 3, 31)),
        factories.medication(NUMBER, dmd_code="2", issue_date=date(2025, 3, 31)),
        factories.medication(NUMBER, dmd_code="3", issue_date=date(2026, 4, 1)),
    ]
    assert medicines_in_previous_12_months(issues, AS_OF, BORN) == 1


def test_the_latest_coded_frailty_counts_and_the_more_severe_of_a_day() -> None:
    severe = factories.event(NUMBER, code="925861000000102", event_date=date(2024, 1, 1))
    mild = factories.event(NUMBER, code="925791000000100", event_date=date(2025, 1, 1))
    moderate = factories.event(NUMBER, code="925831000000107", event_date=date(2025, 1, 1))
    assert coded_frailty([severe, mild]) == "mild"
    assert coded_frailty([severe, mild, moderate]) == "moderate"
    assert coded_frailty([]) is None


def test_the_latest_supplied_score_counts() -> None:
    old = factories.event(NUMBER, code="1084961000000105", value=0.36, event_date=date(2024, 1, 1))
    new = factories.event(NUMBER, code="1084961000000105", value=0.11, event_date=date(2025, 1, 1))
    assert supplied_frailty([old]) == "severe"
    assert supplied_frailty([old, new]) == "fit"


def test_the_first_source_that_knows_speaks() -> None:
    assert first_known(computed=None, coded="mild", supplied="severe") == ("mild", "coded")
    assert first_known(computed=None, coded=None, supplied=None) == (None, None)


def test_a_state_and_its_ending_on_one_day_leave_the_state() -> None:
    first, second = date(2025, 1, 1), date(2025, 2, 1)
    assert in_state([first], [])
    assert in_state([first], [first])
    assert not in_state([first], [second])
    assert not in_state([], [first])


# --- people and activity -----------------------------------------------------------------------


def test_age_is_completed_years_and_leap_days_wait_for_march() -> None:
    born = date(2004, 2, 29)
    assert [age_on(born, day) for day in (date(2025, 2, 28), date(2025, 3, 1))] == [20, 21]
    assert age_on(born, date(2024, 2, 29)) == 20
    assert age_on(date(1961, 4, 1), AS_OF) == 65
    assert age_on(date(1961, 4, 2), AS_OF) == 64


def registered(practice_code: str, since: str, until: str | None = None) -> factories.Row:
    return factories.patient(
        NUMBER,
        practice_code=practice_code,
        registered_from=date.fromisoformat(since),
        registered_to=date.fromisoformat(until) if until else None,
    )


def practice_of(*rows: factories.Row) -> str | None:
    found = registration_on(rows, AS_OF, KNOWLEDGE)
    return None if found is None else str(found["practice_code"])


def test_the_latest_open_registration_in_scope_counts() -> None:
    assert practice_of(registered("T00001", "2010-01-01"), registered("T00002", "2020-01-01")) == "T00002"
    assert practice_of(registered("T00002", "2020-01-01"), registered("T00001", "2020-01-01")) == "T00001"
    assert practice_of(registered("T00001", "2010-01-01", "2026-03-31")) is None
    assert practice_of(registered("T00001", "2010-01-01", "2026-04-01")) == "T00001"
    assert practice_of(registered("T00001", "2026-04-01")) == "T00001"
    assert practice_of(registered("T00001", "2026-04-02")) is None
    assert practice_of(registered("T00003", "2010-01-01")) is None


def test_the_latest_of_dissent_and_withdrawal_counts_and_dissent_wins_the_day() -> None:
    def entry(entered: str, day: date) -> factories.Row:
        return factories.event(NUMBER, code_system="ctv3", code=entered, event_date=day)

    dissent, withdrawn = entry("XaZ89", date(2020, 1, 1)), entry("XaZ8A", date(2021, 1, 1))
    assert has_type_1_opt_out([dissent], AS_OF)
    assert not has_type_1_opt_out([dissent, withdrawn], AS_OF)
    assert has_type_1_opt_out([withdrawn, entry("XaZ89", date(2021, 1, 1))], AS_OF)
    assert not has_type_1_opt_out([entry("XaZ89", AS_OF)], AS_OF)


def test_only_first_unplanned_attendances_count_and_same_day_emergency_care_stands_apart() -> None:
    rows = [
        factories.attendance(NUMBER),
        factories.attendance(NUMBER, attendance_category="2"),
        factories.attendance(NUMBER, department_type="05"),
        factories.attendance(NUMBER, arrival_at=datetime(2026, 3, 31, 23, 59)),
        factories.attendance(NUMBER, arrival_at=datetime(2026, 4, 1, 0, 0)),
        factories.attendance(NUMBER, arrival_at=datetime(2025, 4, 1, 0, 0)),
    ]
    assert attendance_features(rows, AS_OF, BORN, False) == {
        "ae_attendances_12m": 3,
        "ae_attendances_90d": 1,
        "sdec_attendances_12m": 1,
        "ambulance_arrivals_12m": None,
    }


def test_a_community_contact_counts_when_it_took_place() -> None:
    rows = [
        factories.community_contact(NUMBER, attendance_status=status, contact_date=date(2025, 10, day))
        for day, status in enumerate(("5", "6", "7", "3", "2", "4"), start=1)
    ]
    assert community_features(rows, AS_OF, BORN) == {
        "community_contacts_12m": 2,
        "last_community_contact_date": date(2025, 10, 2),
    }


def test_an_extract_that_was_not_delivered_is_unknown_and_an_empty_one_is_zero() -> None:
    names = ("agencies_90d", "agency_contacts_90d", "agency_contacts_12m")
    assert agency_features(None, AS_OF, BORN) == dict.fromkeys(names)
    assert agency_features([], AS_OF, BORN) == dict.fromkeys(names, 0)
    twice = [factories.agency_contact(NUMBER), factories.agency_contact(NUMBER)]
    assert list(agency_features(twice, AS_OF, BORN).values()) == [1, 2, 2]


def test_rows_dated_before_birth_are_not_used() -> None:
    rows = [factories.attendance(NUMBER)]
    assert attendance_features(rows, AS_OF, date(2025, 10, 2), True)["ae_attendances_12m"] == 0
    assert attendance_features(rows, AS_OF, date(2025, 10, 1), True)["ae_attendances_12m"] == 1


def test_the_dead_the_departed_and_those_who_opted_out_are_left_out() -> None:
    living = factories.patient(NUMBER, practice_code="T00001")
    dead = living | {"date_of_death": date(2026, 3, 31)}
    died_today = living | {"date_of_death": AS_OF}
    opted_out = [factories.national_opt_out(NUMBER)]
    assert features_for({"gp_patients": [dead]}, AS_OF, KNOWLEDGE) is None
    assert features_for({"gp_patients": [died_today]}, AS_OF, KNOWLEDGE) is not None
    assert features_for({"gp_patients": [living], "national_opt_out": opted_out}, AS_OF, KNOWLEDGE) is None
    assert features_for({"gp_patients": [registered("Y99999", "2010-01-01")]}, AS_OF, KNOWLEDGE) is None
