"""What a list knows of a person: what is overdue, what came back, how complete the data are, and in which words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.spec.lists.nights import Night, Place, returned
from tests.spec.lists.worlds import delivered, in_hospital, person

AS_OF = date(2026, 4, 1)
YEAR_AGO = date(2025, 4, 1)


def days(number: int) -> date:
    return AS_OF - timedelta(days=number)


PLANS = {
    "made_a_year_ago": person(1, plan_made=YEAR_AGO),
    "made_before": person(2, plan_made=YEAR_AGO - timedelta(days=1)),
    "reviewed_since": person(3, plan_made=date(2020, 1, 1), plan_reviewed=date(2026, 1, 1)),
    "reviewed_long_ago": person(4, plan_made=date(2020, 1, 1), plan_reviewed=YEAR_AGO - timedelta(days=42)),
    "no_plan": person(5),
}
RETURNED = {
    "seen": person(10),
    "not_reached": person(11),
    "given_a_manager": person(12, on_caseload_since=days(30), manager="CM01"),
    "newer_caseload": person(13, on_caseload_since=days(2), manager="CM01"),
    "same_day_caseload": person(14, on_caseload_since=days(5), manager="CM01"),
    "review_today": person(15),
    "review_past": person(16),
    "review_met": person(17),
    "review_tried": person(18),
    "asked": person(19, answers=((days(100), 1, False),)),
    "asked_since": person(20, answers=((days(1), 1, False),)),
    "corrected": person(21),
}
CONCERNS = {
    "falls": person(30, answers=((days(10), 2, True),)),
    "settled": person(31, answers=((days(10), 2, True),)),
    "referred_before": person(32, answers=((days(10), 2, True),)),
    "elsewhere": person(33, answers=((days(10), 2, True),)),
    "answered_again": person(34, answers=((days(10), 2, True), (days(5), 2, False))),
    "both_on_one_day": person(35, answers=((days(10), 2, False), (days(10), 2, True))),
    "long_ago": person(36, answers=((YEAR_AGO - timedelta(days=1), 2, True),)),
    "a_year_ago": person(37, answers=((YEAR_AGO, 2, True),)),
    "on_as_of": person(38, answers=((AS_OF, 2, True),)),
    "came_back": person(39),
    "several": person(40, answers=((days(10), 4, True), (days(10), 1, True))),
}
SITUATIONS = {
    "home": person(50, messages=(("discharged", f"{days(1)} 10:00:00"),), on_caseload_since=days(90)),
    "home_and_new": person(51, messages=(("discharged", f"{days(1)} 10:00:00"),)),
    "waiting": person(52, arrived=f"{days(1)} 20:00:00"),
    "on_a_ward": person(53, messages=in_hospital(), answers=((days(10), 1, True),)),
    "new": person(54),
}
EVERYBODY = {**PLANS, **RETURNED, **CONCERNS, **SITUATIONS}


def returns() -> list[dict[str, Any]]:
    said: list[tuple[str, dict[str, Any]]] = [
        ("seen", {"outcome_date": days(5)}),
        ("not_reached", {"outcome_date": days(5), "outcome": "not_reached"}),
        *((name, {"outcome_date": days(5), "outcome": "no_action", "case_manager": "CM09"}) for name in (
            "given_a_manager", "newer_caseload", "same_day_caseload",
        )),
        ("review_today", {"outcome_date": days(5), "next_review_date": AS_OF}),
        ("review_past", {"outcome_date": days(5), "next_review_date": days(3)}),
        ("review_met", {"outcome_date": days(5), "next_review_date": days(3)}),
        ("review_met", {"outcome_date": days(3), "outcome": "referred", "referred_to": "therapy"}),
        ("review_tried", {"outcome_date": days(5), "next_review_date": days(3)}),
        ("review_tried", {"outcome_date": days(2), "outcome": "not_reached"}),
        ("asked", {"outcome_date": days(5), "q1_visits": False}),
        ("asked_since", {"outcome_date": days(5), "q1_visits": False}),
        ("corrected", {"outcome_date": days(5), "outcome": "not_reached", "next_review_date": days(1)}),
        ("corrected", {"outcome_date": days(5), "outcome": "seen", "next_review_date": AS_OF}),
        ("settled", {"outcome_date": days(10), "outcome": "referred", "referred_to": "falls_service"}),
        ("referred_before", {"outcome_date": days(11), "outcome": "referred", "referred_to": "falls_service"}),
        ("elsewhere", {"outcome_date": days(5), "outcome": "referred", "referred_to": "social_care"}),
        ("came_back", {"outcome_date": days(5), "q5_daily_living": True}),
    ]  # fmt: skip
    return [
        returned(EVERYBODY[name].number, list="monthly", return_number=number, **columns)
        for number, (name, columns) in enumerate(said, start=1)
    ]


@pytest.fixture(scope="module")
def night(list_site: Any, tmp_path_factory: pytest.TempPathFactory) -> Night:
    place = Place(list_site, tmp_path_factory.mktemp("known"))
    return place.night(AS_OF, delivered(AS_OF, list(EVERYBODY.values())), returns())


def said_of(night: Night, column: str, *names: str) -> dict[str, Any]:
    return {name: night.of("everybody", EVERYBODY[name].number)[column] for name in names}


def test_a_review_is_overdue_from_the_day_after_twelve_months(night: Night):
    assert said_of(night, "care_plan_days_overdue", *PLANS) == {
        "made_a_year_ago": 0,
        "made_before": 1,
        "reviewed_since": 0,
        "reviewed_long_ago": 42,
        "no_plan": None,
    }


def test_who_was_seen_or_given_a_case_manager_is_known_to_the_team(night: Night):
    names = ("seen", "not_reached", "given_a_manager", "no_plan")
    assert said_of(night, "is_known_to_team", *names) == {
        "seen": True,
        "not_reached": False,
        "given_a_manager": True,
        "no_plan": False,
    }


def test_a_case_manager_who_came_back_counts_until_the_caseload_is_newer(night: Night):
    names = ("given_a_manager", "newer_caseload", "same_day_caseload")
    assert said_of(night, "case_manager", *names) == {
        "given_a_manager": "CM09",
        "newer_caseload": "CM01",
        "same_day_caseload": "CM09",
    }


def test_a_review_date_stands_until_it_is_met(night: Night):
    names = ("review_today", "review_past", "review_met", "review_tried", "corrected")
    assert said_of(night, "next_review_date", *names) == {
        "review_today": AS_OF,
        "review_past": days(3),
        "review_met": None,
        "review_tried": days(3),
        "corrected": AS_OF,
    }


def test_the_last_outcome_is_that_of_the_latest_day_and_return(night: Night):
    assert said_of(night, "last_outcome", "review_met", "corrected", "no_plan") == {
        "review_met": "referred",
        "corrected": "seen",
        "no_plan": None,
    }


def test_the_five_questions_were_last_asked_on_the_later_of_two_days(night: Night):
    assert said_of(night, "five_questions_last_asked_date", "asked", "asked_since", "seen") == {
        "asked": days(5),
        "asked_since": days(1),
        "seen": None,
    }


def test_an_open_concern_steers_the_suggested_action(night: Night):
    falls, memory = "refer to the falls service", "arrange a memory assessment"
    visits = "offer a befriending service, ask who could visit"
    gap, ask = "agree a care plan", "ask the five questions"
    assert said_of(night, "suggested_action", *CONCERNS) == {
        "falls": falls,
        "settled": gap,
        "referred_before": falls,
        "elsewhere": falls,
        "answered_again": gap,
        "both_on_one_day": falls,
        "long_ago": gap,
        "a_year_ago": falls,
        "on_as_of": ask,  # not asked before the day of the run
        "came_back": "ask social care or occupational therapy for an assessment",
        "several": f"{visits}; {memory}",
    }


def test_what_has_just_happened_asks_for_something_before_any_gap(night: Night):
    visits = "offer a befriending service, ask who could visit"
    assert said_of(night, "suggested_action", *SITUATIONS) == {
        "home": "call or visit within 72 hours of discharge",
        "home_and_new": "call or visit within 72 hours of discharge, ask the five questions",
        "waiting": "call A&E about care at home",
        "on_a_ward": f"call the ward about going home; {visits}",
        "new": "ask the five questions",
    }


def test_an_open_concern_is_an_actionable_reason(night: Night):
    assert said_of(night, "reasons_actionable", "falls", "settled") == {
        "falls": "Mobility: told the team about falls",
        "settled": None,
    }
    assert said_of(night, "reasons_fixed", "falls") == {"falls": "Multicomplexity: COPD"}


def test_gaps_name_what_is_missing_and_what_nobody_can_tell(night: Night):
    row = night.of("everybody", EVERYBODY["seen"].number)
    assert row["gaps"].split("; ") == [
        "no care plan",
        "medication review unknown",  # the practice sent nothing for months
        "flu vaccine unknown",
        "no contact with community services in 12 months",
    ]


def test_a_gap_is_unknown_where_the_extract_is_not_delivered(place: Place):
    one = person(1, messages=in_hospital())
    rows = delivered(AS_OF, [one])
    for extract in ("care_plans", "community_caseload", "assessments"):
        del rows[extract]
    night = place.night(AS_OF, rows)
    row = night.of("huddle", one.number)
    assert row["gaps"].startswith("care plan unknown; ")
    assert (row["is_known_to_team"], row["section"]) == (None, "not_known")
    cells = (night.folder / "lists" / "TN1" / "huddle.csv").read_text().splitlines()
    header, values = cells[0].split(","), cells[1].split(",")
    assert dict(zip(header, values, strict=False))["is_known_to_team"] == "unknown"
    assert dict(zip(header, values, strict=False))["case_manager"] == "unknown"


def test_data_are_complete_to_the_newest_day_of_the_extract_that_lags(night: Night, place: Place):
    assert said_of(night, "data_complete_to", "seen") == {"seen": None}  # no medicine was ever sent
    one, other = person(1), person(2, practice=2)
    rows = delivered(AS_OF, [one, other])
    from tests import factories

    rows["gp_medications"] = [
        factories.medication(one.number, issue_date=days(3)),
        factories.medication(other.number, issue_date=days(40)),
    ]
    rows["acute_episodes"] = [factories.episode(one.number, admission_date=days(9), discharge_date=days(8))]
    rows["gp_events"] += [
        factories.event(who.number, event_date=days(age)) for who in (one, other) for age in (5, 0, -3)
    ]
    late = place.night(AS_OF, rows)
    found = {who: late.of("everybody", who.number) for who in (one, other)}
    assert [found[who]["data_complete_to"] for who in (one, other)] == [days(9), days(40)]
    assert [found[who]["score_age_days"] for who in (one, other)] == [9, 40]
