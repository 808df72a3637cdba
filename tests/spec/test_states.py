"""Coded facts, states that can end, plans, assessments and the caseload."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_falls_are_different_days_in_12_months = town.rule(
    gp_events="""
        person | code     | event_date
        ann    | 1912002  | 2025-04-01
        ann    | 1912002  | 2026-03-31
        ann    | 17886000 | 2026-03-31
        ann    | 1912002  | 2025-03-31
        ann    | 1912002  | 2026-04-01
    """,
    features="""
        person | falls_12m
        ann    | 2
        bob    | 0
    """,
)

test_dementia_never_resolves = town.rule(
    gp_events="""
        person | code     | event_date
        ann    | 10532003 | 1999-01-01
    """,
    features="""
        person | has_dementia
        ann    | true
        bob    | false
    """,
)

test_state_holds_until_its_ending_and_wins_its_day = town.rule(
    gp_events="""
        person   | code            | event_date
        still    | 138079003       | 2020-01-01
        ended    | 138079003       | 2020-01-01
        ended    | 760661000000106 | 2021-01-01
        again    | 138079003       | 2020-01-01
        again    | 760661000000106 | 2021-01-01
        again    | 138079003       | 2022-01-01
        same_day | 138079003       | 2021-01-01
        same_day | 760661000000106 | 2021-01-01
        tomorrow | 138079003       | 2020-01-01
        tomorrow | 760661000000106 | 2026-04-01
    """,
    features="""
        person   | is_housebound
        still    | true
        ended    | false
        again    | true
        same_day | true
        tomorrow | true
        never    | false
    """,
)

test_copd_that_resolved_is_no_copd = town.rule(
    gp_events="""
        person   | code_system | code            | event_date
        has_it   | ctv3        | H3...           | 2010-01-01
        resolved | ctv3        | H3...           | 2010-01-01
        resolved | snomed      | 941201000000103 | 2015-01-01
    """,
    features="""
        person   | has_copd
        has_it   | true
        resolved | false
    """,
)

test_moving_into_a_care_home_ends_living_alone_and_back = town.rule(
    gp_events="""
        person    | code      | event_date
        moved_in  | 105529008 | 2015-01-01
        moved_in  | 160734000 | 2020-01-01
        moved_out | 160734000 | 2015-01-01
        moved_out | 105529008 | 2020-01-01
    """,
    features="""
        person    | lives_alone | is_care_home_resident
        moved_in  | false       | true
        moved_out | true        | false
    """,
)

test_medication_review_is_the_latest_known = town.rule(
    gp_events="""
        person | code             | event_date
        ann    | 1239511000000100 | 2024-01-01
        ann    | 1239511000000100 | 2025-01-01
        ann    | 1239511000000100 | 2026-04-01
    """,
    features="""
        person | medication_review_last_date
        ann    | 2025-01-01
        bob    | unknown
    """,
)

test_medication_review_counts_for_12_months = town.rule(
    gp_events="""
        person | code             | event_date
        inside | 1239511000000100 | 2025-04-01
        before | 1239511000000100 | 2025-03-31
        today  | 1239511000000100 | 2026-04-01
    """,
    features="""
        person | medication_reviewed_12m
        inside | true
        before | false
        today  | false
        never  | false
    """,
)

test_flu_vaccine_counts_in_its_own_season = town.rule(
    gp_events="""
        person      | code            | event_date
        this_season | 822851000000102 | 2025-10-15
        last_season | 822851000000102 | 2024-10-15
    """,
    features="""
        person      | flu_vaccine_this_season
        this_season | true
        last_season | false
        never       | false
    """,
)

test_copd_rescue_medicine_is_an_issued_pack_of_the_last_12_months = town.rule(
    gp_events="""
        person       | code_system | code            | event_date | recorded_date
        first_day    | snomed      | 718241000000107 | 2025-04-01 |
        last_day     | ctv3        | XaW9D           | 2026-03-31 |
        too_old      | snomed      | 718241000000107 | 2025-03-31 |
        today        | snomed      | 718241000000107 | 2026-04-01 |
        not_yet      | snomed      | 718241000000107 | 2026-03-01 | 2026-04-01
        plan_alone   | snomed      | 753941000000104 | 2026-03-01 |
        other_case   | ctv3        | xAw9d           | 2026-03-01 |
    """,
    features="""
        person       | copd_rescue_medicine_12m
        first_day    | true
        last_day     | true
        too_old      | false
        today        | false
        not_yet      | false
        plan_alone   | false
        other_case   | false
        nobody       | false
    """,
)

test_care_plan_its_day_and_its_last_review = town.rule(
    care_plans="""
        person    | created_date | last_reviewed_date
        reviewed  | 2024-01-01   | 2025-06-01
        two_plans | 2023-01-01   | 2024-06-01
        two_plans | 2024-01-01   | 2025-02-01
        tomorrow  | 2026-04-01   |
    """,
    features="""
        person    | has_care_plan | care_plan_created_date | care_plan_last_reviewed_date
        reviewed  | true          | 2024-01-01             | 2025-06-01
        two_plans | true          | 2024-01-01             | 2025-02-01
        tomorrow  | false         | unknown                | unknown
        no_plan   | false         | unknown                | unknown
    """,
)

test_care_plan_of_a_gp_code_has_no_date = town.rule(
    gp_events="""
        person  | code             | event_date
        by_code | 2181441000000107 | 2025-06-01
        both    | 2181441000000107 | 2025-06-01
    """,
    care_plans="""
        person | created_date
        both   | 2024-01-01
    """,
    features="""
        person  | has_care_plan | care_plan_created_date
        by_code | true          | unknown
        both    | true          | 2024-01-01
    """,
)

test_five_questions_are_dated_by_the_latest_assessment = town.rule(
    assessments="""
        person | assessed_on | question
        ann    | 2025-05-01  | 1
        ann    | 2025-05-01  | 2
        ann    | 2025-07-01  | 1
        ann    | 2026-04-01  | 1
    """,
    features="""
        person | five_questions_last_asked_date
        ann    | 2025-07-01
        bob    | unknown
    """,
)

test_person_is_known_while_on_a_caseload = town.rule(
    community_caseload="""
        person     | team  | from_date  | to_date    | case_manager
        open       | north | 2025-01-01 |            | Matron A
        closed     | north | 2025-01-01 | 2026-03-31 | Matron A
        ends_today | north | 2025-01-01 | 2026-04-01 | Matron A
        tomorrow   | north | 2026-04-01 |            | Matron A
        moved      | north | 2024-01-01 | 2025-01-01 | Matron A
        moved      | south | 2025-01-02 |            | Matron B
    """,
    features="""
        person     | is_known_to_team | case_manager
        open       | true             | Matron A
        closed     | false            | unknown
        ends_today | true             | Matron A
        tomorrow   | false            | unknown
        moved      | true             | Matron B
        nobody     | false            | unknown
    """,
)
