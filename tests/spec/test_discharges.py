"""Unplanned stays that ended in the last 14 days: whom the daily huddle calls."""

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
