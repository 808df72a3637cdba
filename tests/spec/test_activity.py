"""A&E, same-day emergency care, community, GP and agency contacts (rules: Acute)."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_attendance_category_and_department = town.rule(
    acute_attendances="""
        person    | attendance_category | department_type
        major     | 1                   | 01
        walk_in   | 1                   | 04
        follow_up | 2                   | 01
        follow_up | 3                   | 01
        planned   | 4                   | 01
        dead      | X                   | 01
    """,
    features="""
        person    | ae_attendances_12m | sdec_attendances_12m
        major     | 1                  | 0
        walk_in   | 1                  | 0
        follow_up | 0                  | 0
        planned   | 0                  | 0
        dead      | 0                  | 0
    """,
)

test_sdec_is_counted_apart_and_only_first_unplanned_visits = town.rule(
    acute_attendances="""
        person    | attendance_category | department_type
        first     | 1                   | 05
        first     | 1                   | 05
        follow_up | 2                   | 05
    """,
    features="""
        person    | ae_attendances_12m | sdec_attendances_12m
        first     | 0                  | 2
        follow_up | 0                  | 0
    """,
)

test_attendance_windows_are_on_the_date_of_arrival = town.rule(
    acute_attendances="""
        person        | arrival_at          | departure_at
        last_minute   | 2026-03-31 23:59:00 | 2026-04-01 04:00:00
        midnight      | 2026-04-01 00:00:00 | 2026-04-01 04:00:00
        first_minute  | 2025-04-01 00:00:00 | 2025-04-01 04:00:00
        before_window | 2025-03-31 23:59:00 | 2025-04-01 04:00:00
        ninety_days   | 2026-01-01 00:00:00 | 2026-01-01 04:00:00
        ninety_one    | 2025-12-31 23:59:59 | 2026-01-01 04:00:00
    """,
    features="""
        person        | ae_attendances_12m | ae_attendances_90d
        last_minute   | 1                  | 1
        midnight      | 0                  | 0
        first_minute  | 1                  | 0
        before_window | 0                  | 0
        ninety_days   | 1                  | 1
        ninety_one    | 1                  | 0
    """,
)

test_community_contact_counts_when_attended = town.rule(
    community_contacts="""
        person    | contact_date | attendance_status
        attended  | 2025-10-01   | 5
        attended  | 2025-11-01   | 6
        attended  | 2025-12-01   | 7
        cancelled | 2025-10-01   | 2
        cancelled | 2025-10-01   | 4
        missed    | 2025-10-01   | 3
        edges     | 2025-04-01   | 5
        edges     | 2025-03-31   | 5
        edges     | 2026-04-01   | 5
        long_ago  | 2020-01-01   | 5
    """,
    features="""
        person    | community_contacts_12m | last_community_contact_date
        attended  | 2                      | 2025-11-01
        cancelled | 0                      | unknown
        missed    | 0                      | unknown
        edges     | 1                      | 2025-04-01
        long_ago  | 0                      | 2020-01-01
    """,
)

test_gp_contacts_are_counted_in_the_window = town.rule(
    gp_contacts="""
        person | contact_date
        ann    | 2025-04-01
        ann    | 2026-03-31
        ann    | 2026-04-01
        ann    | 2025-03-31
        bob    | 2024-01-01
    """,
    features="""
        person | gp_contacts_12m
        ann    | 2
        bob    | 0
    """,
)

test_agencies_are_different_ones_in_90_days = town.rule(
    agency_contacts="""
        person | agency    | contact_date
        ann    | housing   | 2026-01-01
        ann    | housing   | 2026-02-01
        ann    | police    | 2026-03-31
        ann    | fire      | 2025-12-31
        ann    | probation | 2026-04-01
        bob    | housing   | 2025-01-01
    """,
    features="""
        person | agencies_90d
        ann    | 2
        bob    | 0
    """,
)

test_agency_contacts_are_counted_in_90_days_and_12_months = town.rule(
    agency_contacts="""
        person | agency  | contact_date
        ann    | housing | 2026-01-01
        ann    | housing | 2026-03-31
        ann    | police  | 2025-12-31
        ann    | police  | 2025-04-01
        ann    | police  | 2025-03-31
        ann    | police  | 2026-04-01
    """,
    features="""
        person | agency_contacts_90d | agency_contacts_12m
        ann    | 2                   | 4
        nobody | 0                   | 0
    """,
)

test_ambulance_arrivals_are_among_the_attendances_that_count = town.rule(
    acute_attendances="""
        person    | arrival_at          | attendance_category | department_type | arrived_by_ambulance
        ann       | 2026-03-31 23:59:00 | 1                   | 01              | true
        ann       | 2025-04-01 00:00:00 | 1                   | 03              | true
        ann       | 2025-10-01 12:00:00 | 1                   | 01              | false
        ann       | 2025-10-02 12:00:00 | 1                   | 01              |
        too_early | 2025-03-31 23:59:00 | 1                   | 01              | true
        too_late  | 2026-04-01 00:00:00 | 1                   | 01              | true
        follow_up | 2025-10-01 12:00:00 | 2                   | 01              | true
        same_day  | 2025-10-01 12:00:00 | 1                   | 05              | true
    """,
    features="""
        person    | ae_attendances_12m | ambulance_arrivals_12m
        ann       | 4                  | 2
        too_early | 0                  | 0
        too_late  | 0                  | 0
        follow_up | 0                  | 0
        same_day  | 0                  | 0
        nobody    | 0                  | 0
    """,
)

test_rows_dated_before_birth_are_not_used = town.rule(
    gp_patients="""
        person | date_of_birth
        baby   | 2025-10-02
        twin   | 2025-10-01
    """,
    acute_attendances="""
        person | arrival_at
        baby   | 2025-10-01 12:00:00
        twin   | 2025-10-01 12:00:00
    """,
    acute_episodes="""
        person | admitted   | discharged
        baby   | 2025-10-01 | 2025-10-03
        twin   | 2025-10-01 | 2025-10-03
    """,
    community_contacts="""
        person | contact_date
        baby   | 2025-10-01
        twin   | 2025-10-01
    """,
    gp_contacts="""
        person | contact_date
        baby   | 2025-10-01
        twin   | 2025-10-01
    """,
    agency_contacts="""
        person | contact_date
        baby   | 2025-10-01
        twin   | 2025-10-01
    """,
    features="""
        person | ae_attendances_12m | unplanned_admissions_12m | community_contacts_12m | gp_contacts_12m | agency_contacts_12m
        baby   | 0                  | 0                        | 0                      | 0               | 0
        twin   | 1                  | 1                        | 1                      | 1               | 1
    """,  # noqa: E501 - a table is read a row a line
)
