"""Labels of landmark frames (config/model/outcome.yaml): what counts as an event, and when nobody can know.

Index date 2025-04-01, outcomes known before 2026-04-01, so the horizon of 12 months is just over.
"""

from __future__ import annotations

from datetime import date

from tests.factories import FUTURE_PRACTICE, RETIRED_PRACTICE
from tests.spec.model.looking_back import LookedBackTown

town = LookedBackTown()

test_admission_counts_from_the_index_date_on_and_not_on_the_last_day = town.label_rule(
    acute_episodes="""
        person     | admitted   | discharged
        day_before | 2025-03-31 | 2025-03-31
        first_day  | 2025-04-01 | 2025-04-02
        last_of_90 | 2025-06-29 | 2025-06-30
        day_91     | 2025-06-30 | 2025-07-01
        last_day   | 2026-03-31 | 2026-03-31
    """,
    labels="""
        person     | label_12m | label_90d | admissions_12m | first_admission_date
        day_before | false     | false     | 0              | unknown
        first_day  | true      | true      | 1              | 2025-04-01
        last_of_90 | true      | true      | 1              | 2025-06-29
        day_91     | true      | false     | 1              | 2025-06-30
        last_day   | true      | false     | 1              | 2026-03-31
        nothing    | false     | false     | 0              | unknown
    """,
)

test_stay_that_goes_on_over_the_index_date_is_no_new_admission = town.label_rule(
    acute_episodes="""
        person      | provider | admitted   | discharged | source | to | method
        still_in    | RT1      | 2025-03-20 | 2025-04-20 | 19     | 19 | 21
        never_out   | RT1      | 2025-03-20 |            | 19     |    | 21
        transferred | RT1      | 2025-03-20 | 2025-04-05 | 19     | 51 | 21
        transferred | RT2      | 2025-04-05 | 2025-04-20 | 51     | 19 | 2B
        came_back   | RT1      | 2025-03-20 | 2025-04-05 | 19     | 19 | 21
        came_back   | RT1      | 2025-04-15 | 2025-04-20 | 19     | 19 | 21
    """,
    labels="""
        person      | label_90d | admissions_12m | is_inpatient
        still_in    | false     | 0              | true
        never_out   | false     | 0              | true
        transferred | false     | 0              | true
        came_back   | true      | 1              | true
    """,
)

test_transfer_after_the_index_date_is_one_admission_and_planned_care_none = town.label_rule(
    acute_episodes="""
        person   | provider | admitted   | discharged | source | to | method | class
        passed   | RT1      | 2025-05-01 | 2025-05-05 | 19     | 51 | 21     | 1
        passed   | RT2      | 2025-05-05 | 2025-05-20 | 51     | 19 | 2B     | 1
        planned  | RT1      | 2025-05-01 | 2025-05-05 | 19     | 19 | 11     | 1
        maternal | RT1      | 2025-05-01 | 2025-05-05 | 19     | 19 | 31     | 1
        dialysis | RT1      | 2025-05-01 | 2025-05-01 | 19     | 19 | 21     | 3
        several  | RT1      | 2025-05-01 | 2025-05-05 | 19     | 19 | 21     | 1
        several  | RT1      | 2025-09-01 | 2025-09-05 | 19     | 19 | 22     | 1
        several  | RT1      | 2026-03-01 |            | 19     |    | 28     | 1
    """,
    labels="""
        person   | label_12m | admissions_12m | first_admission_date
        passed   | true      | 1              | 2025-05-01
        planned  | false     | 0              | unknown
        maternal | false     | 0              | unknown
        dialysis | false     | 0              | unknown
        several  | true      | 3              | 2025-05-01
    """,
)

test_admission_that_was_recorded_too_late_is_not_known = town.label_rule(
    acute_episodes="""
        person  | admitted   | discharged | recorded_date
        in_time | 2026-02-01 | 2026-02-05 | 2026-03-31
        late    | 2026-02-01 | 2026-02-05 | 2026-04-01
    """,
    labels="""
        person  | label_12m
        in_time | true
        late    | false
    """,
)

test_death_without_admission_is_no_event_and_ends_what_is_seen = town.label_rule(
    gp_patients="""
        person     | date_of_death | registered_to
        before     | 2025-03-31    |
        first_day  | 2025-04-01    |
        in_may     | 2025-05-01    | 2025-05-01
        admitted   | 2025-05-01    | 2025-05-03
        afterwards | 2025-05-01    |
        at_the_end | 2026-03-31    |
        too_late   | 2026-04-01    |
    """,
    acute_episodes="""
        person     | admitted   | discharged | to
        admitted   | 2025-05-01 | 2025-05-01 | 79
        afterwards | 2025-05-02 | 2025-05-03 | 19
    """,
    labels="""
        person     | label_12m               | died_12m                | left_12m                | follow_up_days_12m
        before     | not in the population   | not in the population   | not in the population   | not in the population
        first_day  | false                   | true                    | false                   | 1
        in_may     | false                   | true                    | false                   | 31
        admitted   | true                    | true                    | false                   | 31
        afterwards | false                   | true                    | false                   | 31
        at_the_end | false                   | true                    | false                   | 365
        too_late   | false                   | false                   | false                   | 365
    """,
)

test_the_first_of_several_dates_of_death_counts = town.label_rule(
    gp_patients="""
        person | practice_code | date_of_death
        one    | T00001        | 2025-06-01
        one    | T00002        | 2025-05-01
    """,
    labels="""
        person | died_12m | follow_up_days_12m
        one    | true     | 31
    """,
)

test_who_left_before_an_event_has_no_label = town.label_rule(
    gp_patients="""
        person      | registered_to
        last_day    | 2025-04-01
        in_may      | 2025-05-01
        admitted    | 2025-05-01
        after_it    | 2025-05-01
        at_the_end  | 2026-03-31
        day_earlier | 2026-03-30
    """,
    acute_episodes="""
        person     | admitted   | discharged
        admitted   | 2025-05-01 | 2025-05-03
        after_it   | 2025-05-02 | 2025-05-03
    """,
    labels="""
        person      | label_12m | label_90d | left_12m | follow_up_days_12m | admissions_12m
        last_day    | unknown   | unknown   | true     | 1                  | 0
        in_may      | unknown   | unknown   | true     | 31                 | 0
        admitted    | true      | true      | true     | 31                 | 1
        after_it    | unknown   | unknown   | true     | 31                 | 0
        at_the_end  | false     | false     | false    | 365                | 0
        day_earlier | unknown   | false     | true     | 364                | 0
    """,
)

test_moving_between_practices_in_scope_is_no_leaving_and_a_short_gap_neither = town.label_rule(
    gp_patients="""
        person   | practice_code | registered_from | registered_to
        moved    | T00001        | 2010-01-01      | 2025-05-01
        moved    | T00002        | 2025-05-02      |
        overlap  | T00001        | 2010-01-01      | 2025-06-01
        overlap  | T00002        | 2025-05-02      |
        nested   | T00001        | 2010-01-01      | 2025-05-01
        nested   | T00003        | 2012-01-01      | 2013-01-01
        nested   | T00002        | 2025-05-02      |
        gap_30   | T00001        | 2010-01-01      | 2025-05-01
        gap_30   | T00002        | 2025-06-01      |
        gap_31   | T00001        | 2010-01-01      | 2025-05-01
        gap_31   | T00002        | 2025-06-02      |
        outside  | T00001        | 2010-01-01      | 2025-05-01
        outside  | Y99999        | 2025-05-02      |
    """,
    labels="""
        person   | label_12m | left_12m | follow_up_days_12m
        moved    | false     | false    | 365
        overlap  | false     | false    | 365
        nested   | false     | false    | 365
        gap_30   | false     | false    | 365
        gap_31   | unknown   | true     | 31
        outside  | unknown   | true     | 31
    """,
)

test_who_died_within_30_days_of_the_end_of_the_registration_died_and_did_not_leave = town.label_rule(
    gp_patients="""
        person     | registered_to | date_of_death
        days_30    | 2025-05-01    | 2025-05-31
        days_31    | 2025-05-01    | 2025-06-01
    """,
    labels="""
        person     | label_12m | died_12m | left_12m | follow_up_days_12m
        days_30    | false     | true     | false    | 61
        days_31    | unknown   | true     | true     | 31
    """,
)

autumn = LookedBackTown(date(2025, 10, 1), date(2026, 10, 1))

test_practice_that_leaves_the_scope_takes_its_people_with_it = autumn.label_rule(
    gp_patients=f"""
        person      | practice_code      | registered_from | registered_to
        retired     | {RETIRED_PRACTICE} | 2010-01-01      |
        went_before | {RETIRED_PRACTICE} | 2010-01-01      | 2026-03-31
        went_before | T00001             | 2026-03-15      |
        too_early   | T00001             | 2010-01-01      | 2026-03-01
        too_early   | {FUTURE_PRACTICE}  | 2026-03-02      |
        just_late   | T00001             | 2010-01-01      | 2026-03-02
        just_late   | {FUTURE_PRACTICE}  | 2026-03-03      |
        outside     | {FUTURE_PRACTICE}  | 2010-01-01      |
    """,
    labels="""
        person      | label_12m             | left_12m              | follow_up_days_12m
        retired     | unknown               | true                  | 182
        went_before | false                 | false                 | 365
        too_early   | unknown               | true                  | 152
        just_late   | false                 | false                 | 365
        outside     | not in the population | not in the population | not in the population
    """,
)

test_features_know_nothing_of_what_came_after_the_index_date = town.label_rule(
    acute_episodes="""
        person | admitted   | discharged | diagnosis_01
        one    | 2025-03-01 | 2025-03-05 | J44
        one    | 2025-05-01 | 2025-05-05 | J44
    """,
    gp_patients="""
        person | date_of_death | date_of_birth
        one    | 2025-06-01    | 1950-04-02
    """,
    labels="""
        person | unplanned_admissions_12m | unplanned_bed_days_12m | last_discharge_date | age | label_12m
        one    | 1                        | 4                      | 2025-03-05          | 74  | true
    """,
)

counting_deaths = LookedBackTown(death={"rule": "event"})

test_death_counts_as_an_event_where_the_site_says_so = counting_deaths.label_rule(
    gp_patients="""
        person   | date_of_death | registered_to
        died     | 2025-05-01    |
        left     | 2025-07-01    | 2025-05-01
        survived |               |
    """,
    labels="""
        person   | label_12m | admissions_12m
        died     | true      | 0
        left     | unknown   | 0
        survived | false     | 0
    """,
)

without_the_dead = LookedBackTown(death={"rule": "exclude"}, leaving={"rule": "exclude", "gap_days": 0})

test_death_or_leaving_makes_a_label_unknown_where_the_site_says_so = without_the_dead.label_rule(
    gp_patients="""
        person          | date_of_death | registered_to
        died            | 2025-05-01    |
        admitted_died   | 2025-05-01    |
        left            |               | 2025-05-01
        admitted_left   |               | 2025-05-01
        died_a_day_late | 2025-05-02    | 2025-05-01
    """,
    acute_episodes="""
        person        | admitted   | discharged
        admitted_died | 2025-04-10 | 2025-05-01
        admitted_left | 2025-04-10 | 2025-05-01
    """,
    labels="""
        person          | label_12m | left_12m | died_12m
        died            | unknown   | false    | true
        admitted_died   | true      | false    | true
        left            | unknown   | true     | false
        admitted_left   | unknown   | true     | false
        died_a_day_late | unknown   | true     | true
    """,
)

keeping_leavers = LookedBackTown(leaving={"rule": "no_event"}, death={"rule": "event"})

test_who_left_has_no_event_from_then_on_where_the_site_says_so = keeping_leavers.label_rule(
    gp_patients="""
        person   | registered_to | date_of_death
        left     | 2025-05-01    |
        admitted | 2025-05-01    |
        after_it | 2025-05-01    |
        died     | 2025-05-01    | 2025-07-01
    """,
    acute_episodes="""
        person   | admitted   | discharged
        admitted | 2025-04-10 | 2025-04-12
        after_it | 2025-06-10 | 2025-06-12
    """,
    labels="""
        person   | label_12m | left_12m
        left     | false     | true
        admitted | true      | true
        after_it | false     | true
        died     | false     | true
    """,
)

unfinished = LookedBackTown(complete_to=date(2026, 3, 31))

test_label_is_unknown_before_its_horizon_is_over = unfinished.label_rule(
    gp_patients="""
        person   | date_of_death
        admitted |
        died     | 2025-05-01
        nothing  |
    """,
    acute_episodes="""
        person   | admitted   | discharged
        admitted | 2025-05-10 | 2025-05-12
    """,
    labels="""
        person   | label_12m | label_90d | died_12m | admissions_12m | follow_up_days_12m | first_admission_date
        admitted | unknown   | true      | unknown  | unknown        | 364                | 2025-05-10
        died     | unknown   | false     | unknown  | unknown        | 31                 | unknown
        nothing  | unknown   | false     | unknown  | unknown        | 364                | unknown
    """,
)
