"""Stays and how they end: recent discharges, whom the daily huddle calls, bed days and readmissions (rules: Acute)."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_unplanned_stay_that_ended_counts_for_14_days = town.rule(
    acute_episodes="""
        person     | admitted   | discharged | method
        day_14     | 2026-03-10 | 2026-03-18 | 21
        day_15     | 2026-03-10 | 2026-03-17 | 21
        yesterday  | 2026-03-10 | 2026-03-31 | 2A
        today      | 2026-03-10 | 2026-04-01 | 21
        still_in   | 2026-03-10 |            | 21
    """,
    features="""
        person     | unplanned_discharge_14d
        day_14     | true
        day_15     | false
        yesterday  | true
        today      | false
        still_in   | false
        never      | false
    """,
)

test_planned_stays_and_stays_without_a_night_are_none = town.rule(
    acute_episodes="""
        person    | admitted   | discharged | method | class
        planned   | 2026-03-20 | 2026-03-25 | 11     | 1
        day_case  | 2026-03-25 | 2026-03-25 | 11     | 2
        no_night  | 2026-03-25 | 2026-03-25 | 21     | 1
        one_night | 2026-03-24 | 2026-03-25 | 21     | 1
        regular   | 2026-03-20 | 2026-03-25 | 21     | 3
        maternity | 2026-03-20 | 2026-03-25 | 31     | 1
    """,
    features="""
        person    | unplanned_discharge_14d
        planned   | false
        day_case  | false
        no_night  | false
        one_night | true
        regular   | false
        maternity | false
    """,
)

# "moved" was admitted unplanned by the first hospital, and the second sent home; a planned day case came later.
test_a_stay_ends_when_its_last_hospital_discharges = town.rule(
    acute_episodes="""
        person   | provider | admitted   | discharged | method | to
        moved    | RT1      | 2026-03-10 | 2026-03-10 | 21     | 51
        moved    | RT2      | 2026-03-10 | 2026-03-25 | 81     | 19
        on_ward  | RT1      | 2026-03-20 | 2026-03-22 | 21     | 51
        on_ward  | RT2      | 2026-03-22 |            | 81     |
        returned | RT1      | 2026-03-10 | 2026-03-20 | 21     | 19
        returned | RT1      | 2026-03-28 | 2026-03-28 | 11     | 19
    """,
    features="""
        person   | unplanned_discharge_14d
        moved    | true
        on_ward  | false
        returned | true
    """,
)

test_discharge_on_as_of_means_still_inpatient = town.rule(
    acute_episodes="""
        person | admitted   | discharged
        today  | 2026-03-25 | 2026-04-01
        later  | 2026-03-25 | 2026-04-07
        open   | 2026-03-25 |
        left   | 2026-03-25 | 2026-03-31
    """,
    features="""
        person | is_inpatient | last_discharge_date | unplanned_bed_days_12m
        today  | true         | unknown             | 7
        later  | true         | unknown             | 7
        open   | true         | unknown             | 7
        left   | false        | 2026-03-31          | 6
    """,
)

test_day_in_two_overlapping_spells_counts_once = town.rule(
    acute_episodes="""
        person      | provider | admitted   | discharged
        nested      | RT1      | 2025-10-01 | 2025-10-11
        nested      | RT2      | 2025-10-03 | 2025-10-05
        overlapping | RT1      | 2025-10-01 | 2025-10-11
        overlapping | RT2      | 2025-10-09 | 2025-10-13
        apart       | RT1      | 2025-10-01 | 2025-10-02
        apart       | RT1      | 2025-11-01 | 2025-11-03
        day_case    | RT1      | 2025-10-01 | 2025-10-01
    """,
    features="""
        person      | unplanned_bed_days_12m
        nested      | 10
        overlapping | 12
        apart       | 3
        day_case    | 0
    """,
)

test_bed_days_inside_the_window_count_wherever_the_stay_began = town.rule(
    acute_episodes="""
        person    | admitted   | discharged | method
        straddles | 2025-03-20 | 2025-04-04 | 21
        long_stay | 2024-01-01 |            | 21
        planned   | 2025-10-01 | 2025-10-05 | 11
    """,
    features="""
        person    | unplanned_bed_days_12m | unplanned_admissions_12m
        straddles | 3                      | 0
        long_stay | 365                    | 0
        planned   | 0                      | 0
    """,
)

test_readmission_is_an_unplanned_stay_0_to_29_days_after_any_stay = town.rule(
    acute_episodes="""
        person        | provider | admitted   | discharged | method
        same_day      | RT1      | 2025-10-01 | 2025-10-05 | 11
        same_day      | RT2      | 2025-10-05 | 2025-10-06 | 21
        day_29        | RT1      | 2025-10-01 | 2025-10-05 | 21
        day_29        | RT2      | 2025-11-03 | 2025-11-06 | 21
        day_30        | RT1      | 2025-10-01 | 2025-10-05 | 21
        day_30        | RT2      | 2025-11-04 | 2025-11-06 | 21
        planned_again | RT1      | 2025-10-01 | 2025-10-05 | 21
        planned_again | RT1      | 2025-10-10 | 2025-10-11 | 11
        overlapping   | RT1      | 2025-10-01 | 2025-10-05 | 21
        overlapping   | RT2      | 2025-10-04 | 2025-10-11 | 21
    """,
    features="""
        person        | emergency_readmissions_30d_12m
        same_day      | 1
        day_29        | 1
        day_30        | 0
        planned_again | 0
        overlapping   | 0
    """,
)

test_transfer_is_no_readmission = town.rule(
    acute_episodes="""
        person      | provider | admitted   | discharged | to
        transferred | RT1      | 2025-10-01 | 2025-10-05 | 51
        transferred | RT2      | 2025-10-05 | 2025-10-06 | 19
    """,
    features="""
        person      | emergency_readmissions_30d_12m
        transferred | 0
    """,
)
