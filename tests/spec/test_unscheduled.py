"""Contacts that nobody had planned, against what is usual for the same person."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.engine import engine_features, person_id
from tests.spec.tables import Town

PATIENT = factories.nhs_number(1)

town = Town()

test_calls_of_a_listed_kind_count_whatever_their_capitals = town.rule(
    gp_contacts="""
        person    | contact_date | contact_type
        call      | 2026-02-01   | telephone
        capitals  | 2026-02-01   | Telephone Consultation
        at_night  | 2026-02-01   | out of hours
        surgery   | 2026-02-01   | surgery
        two       | 2026-02-01   | telephone
        two       | 2026-02-01   | telephone
    """,
    features="""
        person   | unscheduled_contacts_90d | unscheduled_contacts_usual_90d
        call     | 1                        | 0
        capitals | 1                        | 0
        at_night | 1                        | 0
        surgery  | 0                        | 0
        two      | 2                        | 0
    """,
)

test_contacts_of_listed_agencies_count = town.rule(
    agency_contacts="""
        person    | contact_date | agency
        council   | 2026-02-01   | adult social care
        capitals  | 2026-02-01   | Adult Social Care
        ambulance | 2026-02-01   | ambulance
        housing   | 2026-02-01   | housing
    """,
    features="""
        person    | unscheduled_contacts_90d
        council   | 1
        capitals  | 1
        ambulance | 1
        housing   | 0
    """,
)

test_attendances_that_are_counted_are_unscheduled = town.rule(
    acute_attendances="""
        person    | arrival_at          | attendance_category | department_type
        first     | 2026-02-01 03:00:00 | 1                   | 01
        follow_up | 2026-02-01 03:00:00 | 2                   | 01
        same_day  | 2026-02-01 03:00:00 | 1                   | 05
    """,
    features="""
        person    | unscheduled_contacts_90d
        first     | 1
        follow_up | 0
        same_day  | 0
    """,
)

# 275 days lie between 1 April and 1 January: one contact in them is 90 / 275 = 0.3273 in 90 days.
test_the_90_days_and_what_came_before_them_share_no_day = town.rule(
    gp_contacts="""
        person      | contact_date | contact_type
        ninety_days | 2026-01-01   | telephone
        ninety_one  | 2025-12-31   | telephone
        year_began  | 2025-04-01   | telephone
        year_before | 2025-03-31   | telephone
        today       | 2026-04-01   | telephone
        yesterday   | 2026-03-31   | telephone
    """,
    features="""
        person      | unscheduled_contacts_90d | unscheduled_contacts_usual_90d
        ninety_days | 1                        | 0
        ninety_one  | 0                        | 0.3273
        year_began  | 0                        | 0.3273
        year_before | 0                        | 0
        today       | 0                        | 0
        yesterday   | 1                        | 0
    """,
)

test_all_three_kinds_add_up = town.rule(
    gp_contacts="""
        person | contact_date | contact_type
        ann    | 2026-02-01   | telephone
        ann    | 2025-10-01   | telephone
    """,
    agency_contacts="""
        person | contact_date | agency
        ann    | 2026-02-01   | ambulance
        ann    | 2025-10-01   | ambulance
    """,
    acute_attendances="""
        person | arrival_at
        ann    | 2026-02-01 03:00:00
        ann    | 2025-10-01 03:00:00
    """,
    features="""
        person | unscheduled_contacts_90d | unscheduled_contacts_usual_90d
        ann    | 3                        | 0.9818
    """,
)

# What somebody did before registering lies with another practice: 0 would be a guess.
test_what_is_usual_is_unknown_for_whoever_registered_within_the_12_months = town.rule(
    gp_patients="""
        person   | registered_from
        first    | 2025-04-01
        second   | 2025-04-02
        came     | 2026-03-01
    """,
    gp_contacts="""
        person | contact_date | contact_type
        first  | 2025-12-31   | telephone
        second | 2025-12-31   | telephone
        came   | 2026-03-01   | telephone
    """,
    features="""
        person | unscheduled_contacts_90d | unscheduled_contacts_usual_90d
        first  | 0                        | 0.3273
        second | 0                        | unknown
        came   | 1                        | unknown
    """,
)

leap_year = Town(date(2024, 4, 1))

test_what_is_usual_is_taken_over_the_days_that_there_were = leap_year.rule(
    gp_contacts="""
        person | contact_date | contact_type
        ann    | 2023-10-01   | telephone
    """,
    agency_contacts="""
        person | contact_date | agency
        ann    | 2023-10-01   | housing
    """,
    features="""
        person | unscheduled_contacts_usual_90d
        ann    | 0.3261
    """,
)


# --- unknown is not zero -----------------------------------------------------------------------

CALL = factories.gp_contact(PATIENT, contact_date=date(2026, 2, 1), contact_type="telephone")
DELIVERED = {"gp_contacts": [CALL], "agency_contacts": [factories.agency_contact(PATIENT)]}
UNSCHEDULED = ("unscheduled_contacts_90d", "unscheduled_contacts_usual_90d")


def answers(site: Path, extracts: dict[str, list[factories.Row]]) -> list[Any]:
    patients = {"gp_patients": [factories.patient(PATIENT)]}
    features = engine_features(site, patients | extracts, factories.AS_OF)[person_id(PATIENT)]
    return [features[name] for name in UNSCHEDULED]


def relisted(made_up_site: Path, folder: Path, *rows: str) -> Path:
    site = folder / "site"
    shutil.copytree(made_up_site, site)
    table = site / "config" / "reference" / "unscheduled_contacts.csv"
    table.write_text("\n".join(["extract,kind,meaning,source", *rows]) + "\n", encoding="utf-8")
    return site


@pytest.mark.parametrize("absent", ["gp_contacts", "agency_contacts"])
def test_unscheduled_contacts_are_unknown_where_a_listed_extract_is_absent(
    made_up_site: Path, absent: str
) -> None:
    delivered = {extract: rows for extract, rows in DELIVERED.items() if extract != absent}
    assert answers(made_up_site, delivered) == [None, None]


def test_an_extract_that_the_site_does_not_list_is_neither_counted_nor_needed(
    made_up_site: Path, tmp_path: Path
) -> None:
    site = relisted(made_up_site, tmp_path, "gp_contacts,TELEPHONE ,a call,a site")
    assert answers(site, {"gp_contacts": [CALL]}) == [1, 0.0]
    assert answers(site, {"gp_contacts": [CALL], "acute_attendances": [factories.attendance(PATIENT)]}) == [
        1,
        0.0,
    ]


def test_a_list_without_a_kind_takes_the_whole_extract_and_nobody_twice(
    made_up_site: Path, tmp_path: Path
) -> None:
    site = relisted(
        made_up_site, tmp_path, "gp_contacts,,any contact,a site", "gp_contacts,telephone,a call,a site"
    )
    visit = factories.gp_contact(PATIENT, contact_date=date(2026, 2, 1), contact_type="surgery")
    assert answers(site, {"gp_contacts": [CALL, visit]}) == [2, 0.0]


def test_an_extract_of_which_nothing_can_be_counted_makes_the_sum_unknown(
    made_up_site: Path, tmp_path: Path
) -> None:
    site = relisted(made_up_site, tmp_path, "gp_contacts,telephone,a call,a site", "assessments,,x,a site")
    assert answers(site, {"gp_contacts": [CALL]}) == [None, None]


def test_kinds_that_are_numbers_are_text(made_up_site: Path, tmp_path: Path) -> None:
    site = relisted(made_up_site, tmp_path, "gp_contacts,02,a call,a site")
    coded = factories.gp_contact(PATIENT, contact_date=date(2026, 2, 1), contact_type="02")
    assert answers(site, {"gp_contacts": [coded]}) == [1, 0.0]
