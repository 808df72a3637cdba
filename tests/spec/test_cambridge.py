"""The Cambridge Multimorbidity Score: when each kind of item counts (Payne 2020, 10.1503/cmaj.190757)."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_diagnosis_ever_recorded_counts_once_with_its_weight = town.rule(
    gp_events="""
        person      | code_system | code  | event_date
        pressure    | ctv3        | G2... | 1999-01-01
        pressure    | ctv3        | G2... | 2020-01-01
        lungs       | ctv3        | H3... | 1999-01-01
        both        | ctv3        | G2... | 1999-01-01
        both        | ctv3        | H3... | 1999-01-01
    """,
    features="""
        person      | cambridge_multimorbidity
        none        | 0
        pressure    | 0.08
        lungs       | 1.46
        both        | 1.54
    """,
)

test_cancer_counts_when_first_recorded_in_the_last_5_years = town.rule(
    gp_events="""
        person   | code      | event_date
        recent   | 109356001 | 2021-04-01
        too_old  | 109356001 | 2021-03-31
        recorded | 109356001 | 2015-01-01
        recorded | 109359008 | 2025-01-01
    """,
    features="""
        person   | cambridge_multimorbidity
        recent   | 1.53
        too_old  | 0
        recorded | 0
    """,
)

test_anxiety_and_depression_are_one_item_of_the_last_12_months = town.rule(
    gp_events="""
        person      | code     | event_date
        twice       | 15639000 | 2025-05-01
        twice       | 18818009 | 2025-06-01
        long_ago    | 15639000 | 2025-03-31
        with_drugs  | 15639000 | 2025-05-01
    """,
    gp_medications="""
        person      | dmd_code          | issue_date
        four_drugs  | 42269311000001100 | 2025-04-01
        four_drugs  | 42269311000001100 | 2025-06-01
        four_drugs  | 42269311000001100 | 2025-08-01
        four_drugs  | 42269311000001100 | 2025-10-01
        three_drugs | 42269311000001100 | 2025-03-31
        three_drugs | 42269311000001100 | 2025-06-01
        three_drugs | 42269311000001100 | 2025-08-01
        three_drugs | 42269311000001100 | 2025-10-01
        with_drugs  | 42269311000001100 | 2025-04-01
        with_drugs  | 42269311000001100 | 2025-06-01
        with_drugs  | 42269311000001100 | 2025-08-01
        with_drugs  | 42269311000001100 | 2025-10-01
    """,
    features="""
        person      | cambridge_multimorbidity
        twice       | 0.5
        long_ago    | 0
        four_drugs  | 0.5
        three_drugs | 0
        with_drugs  | 0.5
    """,
)

test_asthma_counts_while_it_is_treated = town.rule(
    gp_events="""
        person    | code      | event_date
        treated   | 195967001 | 1999-01-01
        untreated | 195967001 | 1999-01-01
        stopped   | 195967001 | 1999-01-01
    """,
    gp_medications="""
        person   | dmd_code          | issue_date
        treated  | 10621011000001101 | 2025-04-01
        stopped  | 10621011000001101 | 2025-03-31
        no_code  | 10621011000001101 | 2025-06-01
    """,
    features="""
        person    | cambridge_multimorbidity
        treated   | 0.19
        untreated | 0
        stopped   | 0
        no_code   | 0
    """,
)

test_kidney_disease_is_the_better_of_the_last_two_filtration_rates_below_60 = town.rule(
    gp_events="""
        person    | code_system | code  | event_date | value
        both_low  | ctv3        | 451E. | 2010-01-01 | 90
        both_low  | ctv3        | 451E. | 2024-01-01 | 59
        both_low  | ctv3        | 451E. | 2025-01-01 | 40
        recovered | ctv3        | 451E. | 2024-01-01 | 40
        recovered | ctv3        | 451E. | 2025-01-01 | 60
        dipped    | ctv3        | 451E. | 2024-01-01 | 75
        dipped    | ctv3        | 451E. | 2025-01-01 | 40
    """,
    features="""
        person    | cambridge_multimorbidity
        both_low  | 0.53
        recovered | 0
        dipped    | 0
    """,
)

test_constipation_is_four_prescriptions_in_the_last_year = town.rule(
    gp_medications="""
        person | dmd_code          | issue_date
        four   | 16604011000001101 | 2025-04-01
        four   | 16604111000001100 | 2025-06-01
        four   | 16604011000001101 | 2025-08-01
        four   | 16604011000001101 | 2026-03-31
        three  | 16604011000001101 | 2025-06-01
        three  | 16604011000001101 | 2025-08-01
        three  | 16604011000001101 | 2025-10-01
    """,
    features="""
        person | cambridge_multimorbidity
        four   | 1.12
        three  | 0
    """,
)

test_antiepileptics_are_for_pain_where_there_is_no_epilepsy = town.rule(
    gp_events="""
        person   | code      | event_date
        epilepsy | 193000002 | 1999-01-01
    """,
    gp_medications="""
        person   | dmd_code          | issue_date
        epilepsy | 42125811000001104 | 2025-04-01
        epilepsy | 42125811000001104 | 2025-06-01
        epilepsy | 42125811000001104 | 2025-08-01
        epilepsy | 42125811000001104 | 2025-10-01
        pain     | 42125811000001104 | 2025-04-01
        pain     | 42125811000001104 | 2025-06-01
        pain     | 42125811000001104 | 2025-08-01
        pain     | 42125811000001104 | 2025-10-01
    """,
    features="""
        person   | cambridge_multimorbidity
        epilepsy | 0.92
        pain     | 0.92
    """,
)
