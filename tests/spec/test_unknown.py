"""Unknown is not zero: silent months, declared gaps, extracts that were not delivered."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests import factories
from tests.engine import engine_features, person_id
from tests.factories import AS_OF, Row

MONTHS = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(3, 27)]  # April 2024 to March 2026
SILENT = date(2025, 8, 1)
PATIENT, NEIGHBOUR = factories.nhs_number(1), factories.nhs_number(2)
MEDICATION_REVIEW = "1239511000000100"
ACUTE_OF_12_MONTHS = (
    "unplanned_admissions_12m",
    "unplanned_admissions_24m",
    "unplanned_admissions_last_calendar_year",
    "acsc_admissions_12m",
    "unplanned_bed_days_12m",
    "emergency_readmissions_30d_12m",
)


def registered() -> list[Row]:
    return [
        factories.patient(PATIENT, practice_code=factories.PRACTICES[1]),
        factories.patient(NEIGHBOUR, practice_code=factories.PRACTICES[2]),
    ]


def monthly(
    extract: str, date_column: str, a_month: int, *, silent: Iterable[date] = (), **columns: Any
) -> list[Row]:
    """``a_month`` rows of the patient in every month but the silent ones."""
    make = factories.MAKERS[extract]
    return [
        make(PATIENT, **{date_column: month.replace(day=day % 27 + 1)}, **columns)
        for month in MONTHS
        if month not in silent
        for day in range(a_month)
    ]


def episodes(a_month: int, *silent: date) -> list[Row]:
    rows = monthly("acute_episodes", "admission_date", a_month, silent=silent, provider_code="RT9")
    return [row | {"discharge_date": row["admission_date"], "admission_method": "11"} for row in rows]


def computed(site: Path, extracts: dict[str, list[Row]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The features of the patient and of the neighbour, who has another practice and no rows."""
    features = engine_features(site, {"gp_patients": registered(), **extracts}, AS_OF)
    return features[person_id(PATIENT)], features[person_id(NEIGHBOUR)]


def test_silent_provider_month_makes_acute_features_unknown_for_everyone(made_up_site: Path) -> None:
    extracts = {"acute_episodes": episodes(24, SILENT), "acute_attendances": [factories.attendance(PATIENT)]}
    for person in computed(made_up_site, extracts):
        assert [person[feature] for feature in ACUTE_OF_12_MONTHS] == [None] * len(ACUTE_OF_12_MONTHS)
        assert person["unplanned_admissions_90d"] == 0
        assert person["ae_attendances_12m"] is not None


def test_month_without_rows_of_a_small_provider_is_no_silence(made_up_site: Path) -> None:
    for person in computed(made_up_site, {"acute_episodes": episodes(18, SILENT)}):
        assert [person[feature] for feature in ACUTE_OF_12_MONTHS] == [0] * len(ACUTE_OF_12_MONTHS)


def test_unbroken_provider_is_no_silence(made_up_site: Path) -> None:
    for person in computed(made_up_site, {"acute_episodes": episodes(24)}):
        assert person["unplanned_admissions_12m"] == 0


def test_silence_before_the_window_does_not_touch_it(made_up_site: Path) -> None:
    for person in computed(made_up_site, {"acute_episodes": episodes(24, date(2024, 10, 1))}):
        assert person["unplanned_admissions_12m"] == 0
        assert person["unplanned_admissions_24m"] is None


def test_declared_gap_is_no_silence(made_up_site: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(made_up_site, site)
    sources = site / "config" / "sources.yaml"
    gap = "{extract: acute_episodes, provider: RT9, from: '2025-08', to: '2025-08', reason: new system}"
    text = sources.read_text(encoding="utf-8").replace("declared_gaps: []", f"declared_gaps: [{gap}]")
    sources.write_text(text, encoding="utf-8")
    for person in computed(site, {"acute_episodes": episodes(24, SILENT)}):
        assert person["unplanned_admissions_12m"] == 0


def test_silent_month_of_one_community_provider_is_unknown_for_everyone(made_up_site: Path) -> None:
    contacts = monthly("community_contacts", "contact_date", 24, silent=[SILENT], provider_code="RC9")
    for person in computed(made_up_site, {"community_contacts": contacts}):
        assert person["community_contacts_12m"] is None


def test_silent_month_of_attendances_leaves_admissions_known(made_up_site: Path) -> None:
    attendances = monthly("acute_attendances", "arrival_at", 24, silent=[SILENT], provider_code="RT9")
    for person in computed(made_up_site, {"acute_attendances": attendances}):
        assert person["ae_attendances_12m"] is None
        assert person["sdec_attendances_12m"] is None
        assert person["ambulance_arrivals_12m"] is None
        assert person["ae_attendances_90d"] is not None
        assert person["unplanned_admissions_12m"] == 0


def test_silent_month_of_gp_events_is_unknown_for_that_practice_alone(made_up_site: Path) -> None:
    events = monthly("gp_events", "event_date", 24, silent=[SILENT])
    patient, neighbour = computed(made_up_site, {"gp_events": events})
    assert patient["falls_12m"] is None
    assert neighbour["falls_12m"] == 0
    assert patient["copd_rescue_medicine_12m"] is None
    assert neighbour["copd_rescue_medicine_12m"] is False


def test_silent_month_of_medicines_is_unknown_for_that_practice_alone(made_up_site: Path) -> None:
    issues = monthly("gp_medications", "issue_date", 24, silent=[SILENT])
    patient, neighbour = computed(made_up_site, {"gp_medications": issues})
    assert patient["medicines_12m"] is None
    assert neighbour["medicines_12m"] == 0


def test_ambulances_are_unknown_for_everyone_where_no_attendance_before_as_of_speaks_of_them(
    made_up_site: Path,
) -> None:
    silent = [factories.attendance(PATIENT), factories.attendance(NEIGHBOUR, arrived_by_ambulance=None)]
    late = factories.attendance(PATIENT, arrival_at=datetime(2026, 4, 1, 8, 0), arrived_by_ambulance=True)
    early = factories.attendance(PATIENT, arrival_at=datetime(2020, 4, 1, 8, 0), arrived_by_ambulance=False)
    for rows, expected in (
        (silent[:1], None),
        (silent, None),
        ([*silent, late], None),
        ([*silent, early], 0),
    ):
        for person in computed(made_up_site, {"acute_attendances": rows}):
            assert person["ambulance_arrivals_12m"] == expected
            assert person["ae_attendances_12m"] == 1 or rows == silent[:1]


def test_silent_month_makes_unscheduled_contacts_unknown_for_whom_the_feed_is_unknown(
    made_up_site: Path,
) -> None:
    delivered = {"agency_contacts": [factories.agency_contact(PATIENT)]}
    calls = monthly("gp_contacts", "contact_date", 24, silent=[SILENT])
    patient, neighbour = computed(made_up_site, delivered | {"gp_contacts": calls})
    assert (patient["unscheduled_contacts_usual_90d"], neighbour["unscheduled_contacts_usual_90d"]) == (
        None,
        0.0,
    )
    assert (patient["unscheduled_contacts_90d"], neighbour["unscheduled_contacts_90d"]) == (0, 0)
    for silent, recent in ((SILENT, 1), (date(2026, 2, 1), None)):
        attendances = monthly("acute_attendances", "arrival_at", 24, silent=[silent], provider_code="RT9")
        contacts = {"gp_contacts": [factories.gp_contact(PATIENT)], "acute_attendances": attendances}
        patient, neighbour = computed(made_up_site, delivered | contacts)
        assert patient["unscheduled_contacts_usual_90d"] is None
        assert neighbour["unscheduled_contacts_usual_90d"] is None
        assert neighbour["unscheduled_contacts_90d"] == (0 if recent else None)
        assert patient["unscheduled_contacts_90d"] == (72 if recent else None)


def test_absent_optional_extract_is_unknown_not_zero(made_up_site: Path) -> None:
    unknown = (
        "gp_contacts_12m",
        "agencies_90d",
        "five_questions_last_asked_date",
        "care_plan_last_reviewed_date",
        "case_manager",
        "is_known_to_team",
        "agency_contacts_90d",
        "agency_contacts_12m",
        "receives_homecare",
        "homecare_started_date",
        "homecare_last_review_date",
        "unscheduled_contacts_90d",
        "unscheduled_contacts_usual_90d",
    )
    for person in computed(made_up_site, {}):
        assert [person[feature] for feature in unknown] == [None] * len(unknown)


def test_present_optional_extract_without_this_person_is_zero(made_up_site: Path) -> None:
    delivered = {
        "gp_contacts": [factories.gp_contact(PATIENT)],
        "agency_contacts": [factories.agency_contact(PATIENT)],
        "community_caseload": [factories.caseload_entry(PATIENT)],
        "care_plans": [factories.care_plan(PATIENT)],
        "social_care_services": [factories.social_care_service(PATIENT)],
    }
    _, neighbour = computed(made_up_site, delivered)
    assert neighbour["gp_contacts_12m"] == 0
    assert neighbour["agencies_90d"] == 0
    assert neighbour["agency_contacts_12m"] == 0
    assert neighbour["receives_homecare"] is False
    assert neighbour["unscheduled_contacts_90d"] == 0
    assert neighbour["is_known_to_team"] is False
    assert neighbour["has_care_plan"] is False


def test_silent_practice_leaves_unknown_whether_medicines_were_reviewed_unless_a_review_is_known(
    made_up_site: Path,
) -> None:
    broken = monthly("gp_events", "event_date", 24, silent=[SILENT])
    heard = monthly("gp_events", "event_date", 24)
    review = factories.event(PATIENT, event_date=date(2025, 10, 1), code=MEDICATION_REVIEW)
    old = review | {"event_date": date(2025, 3, 31)}
    for events, reviewed in (
        (broken, None),
        (heard, False),
        ([*broken, review], True),
        ([*broken, old], None),
    ):
        person, neighbour = computed(made_up_site, {"gp_events": events})
        assert person["medication_reviewed_12m"] is reviewed
        assert neighbour["medication_reviewed_12m"] is False


def test_silent_hospital_leaves_unknown_who_came_home_unless_a_stay_is_known(made_up_site: Path) -> None:
    stay = factories.episode(
        PATIENT,
        provider_code="RT8",
        admission_date=date(2026, 3, 20),
        discharge_date=date(2026, 3, 25),
        admission_method="21",
    )
    for silent, unknown in ((date(2026, 2, 1), None), (date(2025, 12, 1), False)):
        person, neighbour = computed(made_up_site, {"acute_episodes": [*episodes(24, silent), stay]})
        assert person["unplanned_discharge_14d"] is True
        assert neighbour["unplanned_discharge_14d"] is unknown
