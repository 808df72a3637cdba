"""The oracle itself on examples worked out by hand: home care, ambulances, and contacts against what is usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from tests import factories
from tests.oracle.activity import (
    attendance_features,
    homecare_features,
    says_ambulance,
    unscheduled_features,
)
from tests.oracle.example_knowledge import KNOWLEDGE
from tests.oracle.flags import flag_features

AS_OF = factories.AS_OF  # 1 April 2026: 90 days begin on 1 January, 12 months on 1 April 2025
BORN = factories.BORN
NUMBER = factories.nhs_number(1)
LISTED = replace(
    KNOWLEDGE,
    homecare_services=[{"service_type": "home care"}],
    unscheduled_contacts=[
        {"extract": "acute_attendances", "kind": ""},
        {"extract": "gp_contacts", "kind": "telephone"},
        {"extract": "agency_contacts", "kind": "ambulance"},
    ],
)


def day(text: str) -> date:
    return date.fromisoformat(text)


# --- home care ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "start", "end", "receives"),
    [
        ("home care", "2026-03-31", None, True),
        (" Home CARE", "2026-03-31", None, True),
        ("meals", "2026-03-31", None, False),
        ("home care", "2026-04-01", None, False),
        ("home care", "2020-01-01", "2026-04-01", True),
        ("home care", "2020-01-01", "2026-03-31", False),
        ("home care", "1945-06-14", None, False),
    ],
)
def test_home_care_is_an_open_service_of_a_listed_type(
    service: str, start: str, end: str | None, receives: bool
) -> None:
    row = factories.social_care_service(
        NUMBER, service_type=service, start_date=day(start), end_date=day(end) if end else None
    )
    found = homecare_features([row], AS_OF, BORN, LISTED)
    assert found["receives_homecare"] is receives
    assert found["homecare_started_date"] == (day(start) if receives else None)


def test_home_care_has_the_earliest_start_and_the_latest_known_review_of_what_is_open() -> None:
    rows = [
        factories.social_care_service(NUMBER, start_date=day(start), end_date=end, last_review_date=review)
        for start, end, review in (
            ("2024-05-01", None, day("2025-01-01")),
            ("2025-05-01", None, AS_OF),
            ("2020-05-01", day("2026-01-01"), day("2025-12-01")),
        )
    ]
    assert homecare_features(rows, AS_OF, BORN, LISTED) == {
        "receives_homecare": True,
        "homecare_started_date": day("2024-05-01"),
        "homecare_last_review_date": day("2025-01-01"),
    }
    assert set(homecare_features(None, AS_OF, BORN, LISTED).values()) == {None}
    assert homecare_features([], AS_OF, BORN, LISTED)["receives_homecare"] is False


# --- ambulances --------------------------------------------------------------------------------


def test_ambulances_count_with_the_attendances_that_count() -> None:
    rows = [
        factories.attendance(NUMBER, arrived_by_ambulance=True),
        factories.attendance(NUMBER, arrived_by_ambulance=False),
        factories.attendance(NUMBER, arrived_by_ambulance=None),
        factories.attendance(NUMBER, arrived_by_ambulance=True, department_type="05"),
        factories.attendance(NUMBER, arrived_by_ambulance=True, attendance_category="2"),
        factories.attendance(NUMBER, arrived_by_ambulance=True, arrival_at=datetime(2025, 3, 31, 23, 59)),
    ]
    assert attendance_features(rows, AS_OF, BORN, True)["ambulance_arrivals_12m"] == 1
    assert attendance_features(rows, AS_OF, BORN, False)["ambulance_arrivals_12m"] is None


def test_ambulances_are_told_by_any_attendance_before_as_of() -> None:
    early = factories.attendance(NUMBER, arrived_by_ambulance=False, arrival_at=datetime(2019, 1, 1, 8, 0))
    late = factories.attendance(NUMBER, arrived_by_ambulance=True, arrival_at=datetime(2026, 4, 1, 0, 0))
    assert says_ambulance([early], AS_OF)
    assert not says_ambulance([late, factories.attendance(NUMBER)], AS_OF)


# --- contacts that nobody had planned ----------------------------------------------------------


def calls(*days: str, kind: str = "telephone") -> list[factories.Row]:
    return [factories.gp_contact(NUMBER, contact_date=day(text), contact_type=kind) for text in days]


def test_unscheduled_contacts_are_attendances_calls_and_listed_agencies() -> None:
    history = {
        "acute_attendances": [factories.attendance(NUMBER, arrival_at=datetime(2026, 2, 1, 3, 0))],
        "gp_contacts": [*calls("2026-01-01", "2025-12-31", "2025-04-01"), *calls("2026-02-01", kind="nurse")],
        "agency_contacts": [
            factories.agency_contact(NUMBER, agency=name) for name in ("Ambulance", "housing")
        ],
    }
    found = unscheduled_features(history, AS_OF, BORN, BORN, LISTED)
    assert (
        found
        == {
            "unscheduled_contacts_90d": 3,
            "unscheduled_contacts_usual_90d": 0.6545,  # 2 in the 275 days from 1 April to 31 December: 2 * 90 / 275
        }
    )


def test_unscheduled_contacts_are_unknown_without_a_listed_extract() -> None:
    history = {"gp_contacts": calls("2026-02-01")}
    assert set(unscheduled_features(history, AS_OF, BORN, BORN, LISTED).values()) == {None}
    delivered = unscheduled_features(history | {"agency_contacts": []}, AS_OF, BORN, BORN, LISTED)
    assert delivered == {"unscheduled_contacts_90d": 1, "unscheduled_contacts_usual_90d": 0.0}


def test_what_is_usual_is_unknown_for_whoever_registered_within_the_12_months() -> None:
    history = {"gp_contacts": calls("2026-02-01", "2025-06-01"), "agency_contacts": []}
    for registered, usual in (("2025-04-01", 0.3273), ("2025-04-02", None)):
        assert unscheduled_features(history, AS_OF, BORN, day(registered), LISTED) == {
            "unscheduled_contacts_90d": 1,
            "unscheduled_contacts_usual_90d": usual,
        }


def test_rescue_medicine_counts_for_12_months() -> None:
    for issued, counts in (("2025-03-31", False), ("2025-04-01", True), ("2026-03-31", True)):
        assert flag_features({"copd_rescue_medicine": [day(issued)]}, AS_OF)["copd_rescue_medicine_12m"] is (
            counts
        )
