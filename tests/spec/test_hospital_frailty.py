"""ICD-10 as sent, the Hospital Frailty Risk Score and Charlson (rules: Acute, Frailty)."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_icd10_decorations_do_not_matter = town.rule(
    acute_episodes="""
        person   | admitted   | discharged | diagnosis_01
        plain    | 2025-10-01 | 2025-10-05 | F001
        dotted   | 2025-10-01 | 2025-10-05 | F00.1
        dagger   | 2025-10-01 | 2025-10-05 | F00.1D
        asterisk | 2025-10-01 | 2025-10-05 | F001A
        lower    | 2025-10-01 | 2025-10-05 | f00.1
        dash     | 2025-10-01 | 2025-10-05 | F00-1
        filler   | 2025-10-01 | 2025-10-05 | R54X
        filler_d | 2025-10-01 | 2025-10-05 | R54XD
    """,
    features="""
        person   | hfrs
        plain    | 7.1
        dotted   | 7.1
        dagger   | 7.1
        asterisk | 7.1
        lower    | 7.1
        dash     | 7.1
        filler   | 2.2
        filler_d | 2.2
    """,
)

test_hfrs_each_code_once = town.rule(
    acute_episodes="""
        person   | admitted   | discharged | diagnosis_01 | diagnosis_02 | diagnosis_20
        twice    | 2025-10-01 | 2025-10-05 | N39.0        | N39.4        |
        twice    | 2025-11-01 | 2025-11-05 | N39.0        |              |
        position | 2025-10-01 | 2025-10-05 | J06.9        | N39.0        | F05.9
    """,
    features="""
        person   | hfrs
        twice    | 3.2
        position | 6.4
    """,
)

test_hfrs_bands_include_5_and_15_in_intermediate = town.rule(
    acute_episodes="""
        person | admitted   | discharged | diagnosis_01 | diagnosis_02 | diagnosis_03 | diagnosis_04
        h_4_9  | 2025-10-01 | 2025-10-05 | R41.0        | R54X         |              |
        h_5_0  | 2025-10-01 | 2025-10-05 | F05.0        | N17.9        |              |
        h_15_0 | 2025-10-01 | 2025-10-05 | G81.0        | G30.9        | R29.6        | R31X
        h_15_1 | 2025-10-01 | 2025-10-05 | F00.0        | G81.9        | R29.6        |
    """,
    features="""
        person | hfrs | hfrs_category
        none   | 0    | low
        h_4_9  | 4.9  | low
        h_5_0  | 5    | intermediate
        h_15_0 | 15   | intermediate
        h_15_1 | 15.1 | high
    """,
)

test_hfrs_counts_unplanned_stays_of_24_months_and_every_episode_of_them = town.rule(
    acute_episodes="""
        person      | provider | spell | episode | admitted   | discharged | method | to | diagnosis_01
        planned     | RT1      | S1    | 1       | 2025-10-01 | 2025-10-05 | 11     | 19 | F00.1
        too_old     | RT1      | S1    | 1       | 2024-03-31 | 2024-04-05 | 21     | 19 | F00.1
        old_enough  | RT1      | S1    | 1       | 2024-04-01 | 2024-04-05 | 21     | 19 | F00.1
        second      | RT1      | S1    | 1       | 2025-10-01 | 2025-10-05 | 21     | 19 | J06.9
        second      | RT1      | S1    | 2       | 2025-10-01 | 2025-10-05 | 21     | 19 | F00.1
        transferred | RT1      | S1    | 1       | 2025-10-01 | 2025-10-05 | 21     | 51 | J06.9
        transferred | RT2      | S2    | 1       | 2025-10-05 | 2025-10-07 | 11     | 19 | F00.1
    """,
    features="""
        person      | hfrs
        planned     | 0
        too_old     | 0
        old_enough  | 7.1
        second      | 7.1
        transferred | 7.1
    """,
)

test_hfrs_is_published_for_75_and_over = town.rule(
    gp_patients="""
        person     | date_of_birth | practice_code
        just_75    | 1951-04-01    | T00100
        not_yet_75 | 1951-04-02    | T00101
    """,
    features="""
        person     | age | hfrs_validated_age
        just_75    | 75  | true
        not_yet_75 | 74  | false
    """,
)

test_charlson_counts_a_condition_once_and_the_worse_of_a_pair = town.rule(
    acute_episodes="""
        person     | admitted   | discharged | method | diagnosis_01 | diagnosis_02 | diagnosis_03
        heart      | 2025-10-01 | 2025-10-05 | 11     | I21.9        | I22.1        |
        two        | 2025-10-01 | 2025-10-05 | 21     | I21.9        | N18.5        |
        cancer     | 2025-10-01 | 2025-10-05 | 21     | C50.9        |              |
        metastatic | 2025-10-01 | 2025-10-05 | 21     | C50.9        | C78.0        |
        diabetes   | 2025-10-01 | 2025-10-05 | 21     | E11.9        |              |
        kidneys    | 2025-10-01 | 2025-10-05 | 21     | E11.9        | E11.2        |
        liver      | 2025-10-01 | 2025-10-05 | 21     | K70.3        | K72.1        |
        too_old    | 2024-03-31 | 2024-04-05 | 21     | I21.9        |              |
        old_enough | 2024-04-01 | 2024-04-05 | 21     | I21.9        |              |
    """,
    features="""
        person     | charlson
        none       | 0
        heart      | 1
        two        | 3
        cancer     | 2
        metastatic | 6
        diabetes   | 1
        kidneys    | 2
        liver      | 3
        too_old    | 0
        old_enough | 1
    """,
)

test_charlson_reads_every_provider_spell_and_every_episode_of_it = town.rule(
    acute_episodes="""
        person   | spell | episode | admitted   | discharged | method | class | diagnosis_01 | diagnosis_20
        dialysis | S1    | 1       | 2025-10-01 | 2025-10-01 | 13     | 3     | N18.5        |
        second   | S1    | 1       | 2025-10-01 | 2025-10-05 | 21     | 1     | J06.9        |
        second   | S1    | 2       | 2025-10-01 | 2025-10-05 | 21     | 1     | J06.9        | I21.9
    """,
    features="""
        person   | charlson
        dialysis | 2
        second   | 1
    """,
)
