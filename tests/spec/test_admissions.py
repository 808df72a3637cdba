"""Spells, continuous inpatient spells and unplanned admissions (rules: Acute)."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_transfer_does_not_count_as_a_second_admission = town.rule(
    acute_episodes="""
        person      | provider | admitted   | method | source | discharged | to
        destination | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 51
        destination | RT2      | 2025-10-05 | 21     | 19     | 2025-10-09 | 19
        source      | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        source      | RT2      | 2025-10-06 | 22     | 87     | 2025-10-09 | 19
        method_2b   | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        method_2b   | RT2      | 2025-10-07 | 2B     | 19     | 2025-10-09 | 19
        method_81   | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        method_81   | RT2      | 2025-10-05 | 81     | 19     | 2025-10-09 | 19
        no_evidence | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        no_evidence | RT2      | 2025-10-05 | 21     | 19     | 2025-10-09 | 19
    """,
    features="""
        person      | unplanned_admissions_12m
        destination | 1
        source      | 1
        method_2b   | 1
        method_81   | 1
        no_evidence | 2
    """,
)

test_admission_method_in_lower_case_is_the_same_method = town.rule(
    acute_episodes="""
        person   | provider | admitted   | method | source | discharged | to
        lower_2a | RT1      | 2025-10-01 | 2a     | 19     | 2025-10-05 | 19
        lower_2b | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        lower_2b | RT2      | 2025-10-05 | 2b     | 19     | 2025-10-09 | 19
    """,
    features="""
        person   | unplanned_admissions_12m
        lower_2a | 1
        lower_2b | 1
    """,
)

test_codes_next_to_the_transfer_codes_are_no_evidence = town.rule(
    acute_episodes="""
        person         | provider | admitted   | source | discharged | to
        destination_87 | RT1      | 2025-10-01 | 19     | 2025-10-05 | 87
        destination_87 | RT2      | 2025-10-05 | 19     | 2025-10-09 | 19
        destination_54 | RT1      | 2025-10-01 | 19     | 2025-10-05 | 54
        destination_54 | RT2      | 2025-10-05 | 19     | 2025-10-09 | 19
        source_84      | RT1      | 2025-10-01 | 19     | 2025-10-05 | 19
        source_84      | RT2      | 2025-10-05 | 84     | 2025-10-09 | 19
        nothing_known  | RT1      | 2025-10-01 |        | 2025-10-05 |
        nothing_known  | RT2      | 2025-10-05 |        | 2025-10-09 |
    """,
    features="""
        person         | unplanned_admissions_12m
        destination_87 | 2
        destination_54 | 2
        source_84      | 2
        nothing_known  | 2
    """,
)

test_exception_19_51_21_does_not_join = town.rule(
    acute_episodes="""
        person       | provider | admitted   | method | source | discharged | to
        exception    | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        exception    | RT2      | 2025-10-05 | 21     | 51     | 2025-10-09 | 19
        other_method | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        other_method | RT2      | 2025-10-05 | 22     | 51     | 2025-10-09 | 19
        other_source | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 19
        other_source | RT2      | 2025-10-05 | 21     | 52     | 2025-10-09 | 19
        destination  | RT1      | 2025-10-01 | 21     | 19     | 2025-10-05 | 51
        destination  | RT2      | 2025-10-05 | 21     | 51     | 2025-10-09 | 19
    """,
    features="""
        person       | unplanned_admissions_12m
        exception    | 2
        other_method | 1
        other_source | 1
        destination  | 1
    """,
)

test_transfer_takes_no_more_than_two_days_and_overlaps_do_not_join = town.rule(
    acute_episodes="""
        person      | provider | admitted   | discharged | to
        overlapping | RT1      | 2025-10-01 | 2025-10-05 | 51
        overlapping | RT2      | 2025-10-04 | 2025-10-09 | 19
        same_day    | RT1      | 2025-10-01 | 2025-10-05 | 51
        same_day    | RT2      | 2025-10-05 | 2025-10-09 | 19
        two_days    | RT1      | 2025-10-01 | 2025-10-05 | 51
        two_days    | RT2      | 2025-10-07 | 2025-10-09 | 19
        three_days  | RT1      | 2025-10-01 | 2025-10-05 | 51
        three_days  | RT2      | 2025-10-08 | 2025-10-09 | 19
    """,
    features="""
        person      | unplanned_admissions_12m
        overlapping | 2
        same_day    | 1
        two_days    | 1
        three_days  | 2
    """,
)

test_first_method_decides_what_kind_of_admission_a_chain_of_transfers_is = town.rule(
    acute_episodes="""
        person  | provider | admitted   | method | discharged | to
        planned | RT1      | 2025-10-01 | 11     | 2025-10-05 | 51
        planned | RT2      | 2025-10-05 | 21     | 2025-10-09 | 19
        chain   | RT1      | 2025-10-01 | 21     | 2025-10-03 | 51
        chain   | RT2      | 2025-10-03 | 2B     | 2025-10-06 | 52
        chain   | RT3      | 2025-10-07 | 11     | 2025-10-10 | 19
        alone   | RT2      | 2025-10-01 | 2B     | 2025-10-06 | 19
    """,
    features="""
        person  | unplanned_admissions_12m | unplanned_bed_days_12m
        planned | 0                        | 0
        chain   | 1                        | 8
        alone   | 0                        | 0
    """,
)

test_unplanned_methods_are_21_to_25_28_2a_and_2d = town.rule(
    acute_episodes="""
        person  | admitted   | method | discharged
        code_21 | 2025-10-01 | 21     | 2025-10-02
        code_22 | 2025-10-01 | 22     | 2025-10-02
        code_23 | 2025-10-01 | 23     | 2025-10-02
        code_24 | 2025-10-01 | 24     | 2025-10-02
        code_25 | 2025-10-01 | 25     | 2025-10-02
        code_28 | 2025-10-01 | 28     | 2025-10-02
        code_2a | 2025-10-01 | 2A     | 2025-10-02
        code_2d | 2025-10-01 | 2D     | 2025-10-02
        code_2b | 2025-10-01 | 2B     | 2025-10-02
        code_2c | 2025-10-01 | 2C     | 2025-10-02
        code_81 | 2025-10-01 | 81     | 2025-10-02
        code_31 | 2025-10-01 | 31     | 2025-10-02
        code_32 | 2025-10-01 | 32     | 2025-10-02
        code_82 | 2025-10-01 | 82     | 2025-10-02
        code_83 | 2025-10-01 | 83     | 2025-10-02
        code_84 | 2025-10-01 | 84     | 2025-10-02
        code_89 | 2025-10-01 | 89     | 2025-10-02
        code_11 | 2025-10-01 | 11     | 2025-10-02
    """,
    features="""
        person  | unplanned_admissions_12m
        code_21 | 1
        code_22 | 1
        code_23 | 1
        code_24 | 1
        code_25 | 1
        code_28 | 1
        code_2a | 1
        code_2d | 1
        code_2b | 0
        code_2c | 0
        code_81 | 0
        code_31 | 0
        code_32 | 0
        code_82 | 0
        code_83 | 0
        code_84 | 0
        code_89 | 0
        code_11 | 0
    """,
)

test_episodes_of_one_spell_are_one_admission_with_the_firsts_method_and_the_lasts_discharge = town.rule(
    acute_episodes="""
        person   | spell | episode | admitted   | episode_start | method | discharged
        numbered | S1    | 2       | 2025-10-01 | 2025-10-03    | 11     | 2025-10-08
        numbered | S1    | 1       | 2025-10-01 | 2025-10-01    | 21     |
        no_ids   |       | 1       | 2025-10-01 | 2025-10-01    | 21     | 2025-10-08
        no_ids   |       | 2       | 2025-10-01 | 2025-10-04    | 21     | 2025-10-08
        still_in | S1    | 1       | 2026-03-01 | 2026-03-01    | 21     | 2026-03-05
        still_in | S1    | 2       | 2026-03-01 | 2026-03-05    | 21     |
    """,
    features="""
        person   | unplanned_admissions_12m | unplanned_bed_days_12m | is_inpatient | last_discharge_date
        numbered | 1                        | 7                      | false        | 2025-10-08
        no_ids   | 1                        | 7                      | false        | 2025-10-08
        still_in | 1                        | 31                     | true         | unknown
    """,
)

test_one_spell_id_at_two_providers_is_two_spells = town.rule(
    acute_episodes="""
        person | provider | spell | admitted   | discharged
        both   | RT1      | S9    | 2025-10-01 | 2025-10-02
        both   | RT2      | S9    | 2025-11-01 | 2025-11-02
        other  | RT1      | S9    | 2025-12-01 | 2025-12-02
    """,
    features="""
        person | unplanned_admissions_12m
        both   | 2
        other  | 1
    """,
)

test_regular_attender_left_out = town.rule(
    acute_episodes="""
        person  | provider | admitted   | class | discharged | to
        day     | RT1      | 2025-10-01 | 3     | 2025-10-01 | 19
        night   | RT1      | 2025-10-01 | 4     | 2025-10-02 | 19
        open    | RT1      | 2026-03-01 | 3     |            |
        between | RT1      | 2025-10-01 | 1     | 2025-10-05 | 51
        between | RT3      | 2025-10-05 | 3     | 2025-10-05 | 19
        between | RT2      | 2025-10-06 | 1     | 2025-10-09 | 19
    """,
    features="""
        person  | unplanned_admissions_12m | unplanned_bed_days_12m | is_inpatient
        day     | 0                        | 0                      | false
        night   | 0                        | 0                      | false
        open    | 0                        | 0                      | false
        between | 1                        | 7                      | false
    """,
)

test_admission_on_as_of_is_not_counted = town.rule(
    acute_episodes="""
        person | admitted   | discharged
        before | 2026-03-31 |
        on     | 2026-04-01 |
        after  | 2026-04-02 |
    """,
    features="""
        person | unplanned_admissions_12m | is_inpatient | unplanned_bed_days_12m
        before | 1                        | true         | 1
        on     | 0                        | false        | 0
        after  | 0                        | false        | 0
    """,
)

test_window_starts_inclusive_12_months_before = town.rule(
    acute_episodes="""
        person   | admitted   | discharged
        first    | 2025-04-01 | 2025-04-02
        too_old  | 2025-03-31 | 2025-04-01
        older    | 2024-04-01 | 2024-04-02
        too_old2 | 2024-03-31 | 2024-04-02
        recent   | 2026-01-01 | 2026-01-02
        quarter  | 2025-12-31 | 2026-01-02
    """,
    features="""
        person   | unplanned_admissions_90d | unplanned_admissions_12m | unplanned_admissions_24m
        first    | 0                        | 1                        | 1
        too_old  | 0                        | 0                        | 1
        older    | 0                        | 0                        | 1
        too_old2 | 0                        | 0                        | 0
        recent   | 1                        | 1                        | 1
        quarter  | 0                        | 1                        | 1
    """,
)

test_last_calendar_year_is_the_year_before_as_of_not_the_last_12_months = town.rule(
    acute_episodes="""
        person       | admitted   | discharged
        new_years    | 2025-01-01 | 2025-01-02
        new_years_ev | 2025-12-31 | 2026-01-02
        this_year    | 2026-01-01 | 2026-01-02
        year_before  | 2024-12-31 | 2025-01-02
    """,
    features="""
        person       | unplanned_admissions_last_calendar_year | unplanned_admissions_12m
        new_years    | 1                                       | 0
        new_years_ev | 1                                       | 1
        this_year    | 0                                       | 1
        year_before  | 0                                       | 0
    """,
)

test_what_was_recorded_on_or_after_as_of_was_not_known = town.rule(
    acute_episodes="""
        person  | admitted   | discharged | recorded_date
        in_time | 2026-03-01 | 2026-03-05 | 2026-03-31
        late    | 2026-03-01 | 2026-03-05 | 2026-04-01
        empty   | 2026-03-01 | 2026-03-05 |
    """,
    features="""
        person  | unplanned_admissions_12m | last_discharge_date
        in_time | 1                        | 2026-03-05
        late    | 0                        | unknown
        empty   | 1                        | 2026-03-05
    """,
)

test_primary_diagnosis_of_an_unplanned_admission_makes_it_acsc = town.rule(
    acute_episodes="""
        person     | admitted   | discharged | method | diagnosis_01 | diagnosis_02
        primary    | 2025-10-01 | 2025-10-05 | 21     | J44.1        |
        asthma     | 2025-10-01 | 2025-10-05 | 21     | j45-9        |
        pressure   | 2025-10-01 | 2025-10-05 | 21     | I10X         |
        secondary  | 2025-10-01 | 2025-10-05 | 21     | R07.4        | J44.1
        planned    | 2025-10-01 | 2025-10-05 | 11     | J44.1        |
        old        | 2025-03-31 | 2025-04-05 | 21     | J44.1        |
        not_listed | 2025-10-01 | 2025-10-05 | 21     | D50.2        |
    """,
    features="""
        person     | acsc_admissions_12m
        primary    | 1
        asthma     | 1
        pressure   | 1
        secondary  | 0
        planned    | 0
        old        | 0
        not_listed | 0
    """,
)

test_acsc_conditions_on_other_diagnoses_are_kept = town.rule(
    acute_episodes="""
        person            | admitted   | discharged | diagnosis_01 | diagnosis_02
        bronchitis_alone  | 2025-10-01 | 2025-10-05 | J20.9        |
        bronchitis_copd   | 2025-10-01 | 2025-10-05 | J20.9        | J44.9
        hepatitis_b       | 2025-10-01 | 2025-10-05 | B18.1        |
        hepatitis_b_cells | 2025-10-01 | 2025-10-05 | B18.1        | D57.1
    """,
    features="""
        person            | acsc_admissions_12m
        bronchitis_alone  | 0
        bronchitis_copd   | 1
        hepatitis_b       | 1
        hepatitis_b_cells | 0
    """,
)
