"""Cohorts of the Luton team: who is just inside and just outside every rule."""

from __future__ import annotations

from tests.spec.cohorts.computing import rule

test_core_is_65_frail_and_twice_admitted = rule(
    "luton_core",
    """
    person        | age     | frailty_category | unplanned_admissions_12m | expect
    inside        | 65      | moderate         | 2                        | member
    severe        | 99      | severe           | 9                        | member
    aged_64       | 64      | severe           | 9                        | left_out
    mild          | 99      | mild             | 9                        | left_out
    fit           | 99      | fit              | 9                        | left_out
    once          | 99      | severe           | 1                        | left_out
    age_unknown   | unknown | severe           | 9                        | undecided
    frail_unknown | 65      | unknown          | 2                        | undecided
    acute_silent  | 65      | moderate         | unknown                  | undecided
    no_anyway     | 64      | unknown          | unknown                  | left_out
    nothing_known | unknown | unknown          | unknown                  | undecided
    """,
)

test_core_ranks_by_score_and_says_why = rule(
    "luton_core",
    """
    person  | age | frailty_category | efi_deficits | unplanned_admissions_12m | expect | rank | reasons
    fewer   | 90  | severe           | 20           | 2                        | member | 3    | unplanned admissions in 12 months: 2; severe frailty (20 of 36 deficits); aged 90
    more    | 65  | moderate         | 9            | 3                        | member | 2    | unplanned admissions in 12 months: 3; moderate frailty (9 of 36 deficits); aged 65
    most    | 65  | moderate         | 10           | 3                        | member | 1    | unplanned admissions in 12 months: 3; moderate frailty (10 of 36 deficits); aged 65
    coded   | 70  | moderate         | unknown      | 5                        | member | 4    | unplanned admissions in 12 months: 5; aged 70
    """,  # noqa: E501 - a table is read a row a line
)

test_frailty_is_moderate_or_severe_at_any_age = rule(
    "luton_frailty",
    """
    person   | age     | frailty_category | expect
    moderate | 20      | moderate         | member
    severe   | unknown | severe           | member
    mild     | 90      | mild             | left_out
    fit      | 90      | fit              | left_out
    unsaid   | 90      | unknown          | undecided
    """,
)

test_five_admissions_are_counted_in_the_last_calendar_year = rule(
    "five_or_more_unplanned",
    """
    person      | unplanned_admissions_last_calendar_year | unplanned_admissions_12m | has_care_plan | is_known_to_team | expect    | rank | gaps
    five        | 5                                       | 0                        | true          | true             | member    | 2    | -
    six         | 6                                       | 6                        | false         | false            | member    | 1    | no care plan; not on the team's caseload
    this_year   | 4                                       | 9                        | false         | false            | left_out  | -    | -
    silent      | unknown                                 | 9                        | false         | false            | undecided | -    | -
    """,  # noqa: E501 - a table is read a row a line
)

test_dementia_severe_frailty_and_living_alone_at_80 = rule(
    "dementia_severe_frail_alone_80",
    """
    person        | age     | has_dementia | frailty_category | lives_alone | expect
    inside        | 80      | true         | severe           | true        | member
    aged_79       | 79      | true         | severe           | true        | left_out
    no_dementia   | 80      | false        | severe           | true        | left_out
    moderate      | 80      | true         | moderate         | true        | left_out
    together      | 80      | true         | severe           | false       | left_out
    age_unknown   | unknown | true         | severe           | true        | undecided
    frail_unknown | 80      | true         | unknown          | true        | undecided
    """,
)

test_dementia_cohort_says_what_is_missing = rule(
    "dementia_severe_frail_alone_80",
    """
    person   | age | has_dementia | frailty_category | lives_alone | community_contacts_12m | has_care_plan | care_plan_created_date | care_plan_last_reviewed_date | expect | gaps
    nothing  | 80  | true         | severe           | true        | 0                      | false         | unknown                | unknown                      | member | not seen by community services in 12 months; no care plan
    all      | 80  | true         | severe           | true        | 1                      | true          | 2020-01-01             | 2025-04-01                   | member | -
    new_plan | 80  | true         | severe           | true        | 1                      | true          | 2025-04-01             | unknown                      | member | -
    old_plan | 80  | true         | severe           | true        | 1                      | true          | 2020-01-01             | 2025-03-31                   | member | care plan not reviewed in 12 months
    never    | 80  | true         | severe           | true        | 1                      | true          | 2025-03-31             | unknown                      | member | care plan not reviewed in 12 months
    unsaid   | 80  | true         | severe           | true        | unknown                | unknown       | unknown                | unknown                      | member | -
    """,  # noqa: E501 - a table is read a row a line
)

test_copd_and_frailty_before_winter = rule(
    "copd_frailty_winter",
    """
    person   | has_copd | frailty_category | flu_vaccine_this_season | copd_rescue_medicine_12m | has_care_plan | expect    | gaps
    prepared | true     | moderate         | true                    | true                     | true          | member    | -
    vaccine  | true     | severe           | false                   | true                     | true          | member    | flu vaccine
    medicine | true     | severe           | true                    | false                    | true          | member    | rescue medicine
    plan     | true     | severe           | true                    | true                     | false         | member    | care plan
    nothing  | true     | severe           | false                   | false                    | false         | member    | flu vaccine; rescue medicine; care plan
    unsaid   | true     | severe           | unknown                 | unknown                  | unknown       | member    | -
    no_copd  | false    | severe           | false                   | false                    | false         | left_out  | -
    mild     | true     | mild             | false                   | false                    | false         | left_out  | -
    frail?   | true     | unknown          | false                   | false                    | false         | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)

test_care_home_residents_unknown_to_the_team_come_first = rule(
    "care_home_residents",
    """
    person     | is_care_home_resident | is_known_to_team | age | efi_deficits | unplanned_admissions_12m | expect    | rank
    b_known    | true                  | true             | 99  | 30           | 9                        | member    | 3
    c_new      | true                  | false            | 70  | 1            | 0                        | member    | 2
    d_new      | true                  | false            | 80  | 1            | 0                        | member    | 1
    e_caseload | true                  | unknown          | 99  | 30           | 9                        | member    | 4
    at_home    | false                 | false            | 99  | 30           | 9                        | left_out  | -
    unsaid     | unknown               | false            | 99  | 30           | 9                        | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)

test_what_is_not_done_for_care_home_residents = rule(
    "care_home_residents",
    """
    person    | is_care_home_resident | five_questions_last_asked_date | medication_reviewed_12m | has_care_plan | expect | gaps
    done      | true                  | 2020-01-01                     | true                    | true          | member | -
    old       | true                  | 2020-01-01                     | false                   | true          | member | no medication review in 12 months
    nothing   | true                  | unknown                        | false                   | false         | member | five questions never asked; no medication review in 12 months; no care plan
    silent    | true                  | 2020-01-01                     | unknown                 | true          | member | -
    """,  # noqa: E501 - a table is read a row a line
)

test_nobody_is_said_to_lack_what_an_absent_extract_would_show = rule(
    "care_home_residents",
    """
    person  | is_care_home_resident | medication_reviewed_12m | expect | gaps
    nothing | true                  | false                   | member | no medication review in 12 months
    """,
    absent=("assessments", "care_plans"),
)

test_care_home_residents_without_a_plan = rule(
    "care_home_no_plan",
    """
    person   | is_care_home_resident | has_care_plan | is_end_of_life | expect    | rank
    no_plan  | true                  | false         | false          | member    | 2
    dying    | true                  | false         | true           | member    | 1
    planned  | true                  | true          | false          | left_out  | -
    at_home  | false                 | false         | false          | left_out  | -
    plan?    | true                  | unknown       | false          | undecided | -
    home?    | unknown               | false         | false          | undecided | -
    """,
)

test_medication_review_is_due_where_none_is_known_and_the_practice_was_heard = rule(
    "medication_review_due",
    """
    person    | medicines_12m | is_care_home_resident | frailty_category | medication_reviewed_12m | is_end_of_life | expect    | rank
    ten       | 10            | false                 | fit              | false                   | false          | member    | 1
    home      | 0             | true                  | fit              | false                   | false          | member    | 3
    severe    | 0             | false                 | severe           | false                   | unknown        | member    | 4
    dying     | 9             | true                  | severe           | false                   | true           | member    | 2
    nine      | 9             | false                 | moderate         | false                   | false          | left_out  | -
    reviewed  | 10            | true                  | severe           | true                    | false          | left_out  | -
    medicine? | unknown       | false                 | moderate         | false                   | false          | undecided | -
    silent    | 10            | true                  | severe           | unknown                 | false          | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)

test_reasons_are_said_of_whom_they_are_true = rule(
    "medication_review_due",
    """
    person | medicines_12m | is_care_home_resident | medication_reviewed_12m | is_end_of_life | expect | reasons
    ann    | 1             | true                  | false                   | true           | member | different medicines in 12 months: 1; lives in a care home; end of life care: which medicines can stop?
    bob    | 12            | false                 | false                   | false          | member | different medicines in 12 months: 12
    unsaid | 12            | unknown               | false                   | unknown        | member | different medicines in 12 months: 12
    """,  # noqa: E501 - a table is read a row a line
)

test_five_questions_are_asked_of_frail_people_whom_nobody_knows = rule(
    "needs_five_questions",
    """
    person    | frailty_category | is_care_home_resident | is_known_to_team | five_questions_last_asked_date | expect
    moderate  | moderate         | false                 | false            | unknown                        | member
    severe    | severe           | false                 | false            | 2025-03-31                     | member
    home      | fit              | true                  | false            | 2025-03-31                     | member
    mild      | mild             | false                 | false            | unknown                        | left_out
    known     | severe           | true                  | true             | unknown                        | left_out
    asked     | severe           | true                  | false            | 2025-04-01                     | left_out
    frail?    | unknown          | false                 | false            | unknown                        | undecided
    known?    | severe           | false                 | unknown          | unknown                        | undecided
    """,
)

test_complex_adults_are_18_to_64 = rule(
    "complex_adults_working_age",
    """
    person     | age     | unplanned_admissions_12m | ae_attendances_12m | is_end_of_life | expect
    aged_18    | 18      | 2                        | 0                  | false          | member
    aged_64    | 64      | 0                        | 5                  | false          | member
    aged_17    | 17      | 2                        | 5                  | false          | left_out
    aged_65    | 65      | 2                        | 5                  | false          | left_out
    seldom     | 40      | 1                        | 4                  | false          | left_out
    dying      | 40      | 9                        | 9                  | true           | left_out
    plan?      | 40      | 2                        | unknown            | unknown        | member
    visits?    | 40      | 1                        | unknown            | false          | undecided
    age?       | unknown | 2                        | 5                  | false          | undecided
    """,
)

test_frail_and_home_from_an_unplanned_stay = rule(
    "recently_discharged_frail",
    """
    person    | frailty_category | unplanned_discharge_14d | last_discharge_date | is_inpatient | expect
    moderate  | moderate         | true                    | days_before(14)     | false        | member
    severe    | severe           | true                    | days_before(1)      | false        | member
    day_case  | severe           | false                   | days_before(1)      | false        | left_out
    never     | severe           | false                   | unknown             | false        | left_out
    mild      | mild             | true                    | days_before(1)      | false        | left_out
    back      | severe           | true                    | days_before(1)      | true         | left_out
    frail?    | unknown          | true                    | days_before(1)      | false        | undecided
    silent    | severe           | unknown                 | unknown             | false        | undecided
    """,
)

test_two_falls_at_65 = rule(
    "repeated_falls",
    """
    person  | age | falls_12m | expect    | rank
    inside  | 65  | 2         | member    | 2
    often   | 80  | 5         | member    | 1
    aged_64 | 64  | 2         | left_out  | -
    once    | 80  | 1         | left_out  | -
    falls?  | 80  | unknown   | undecided | -
    """,
)

test_end_of_life_without_a_plan = rule(
    "end_of_life_no_plan",
    """
    person  | is_end_of_life | has_care_plan | expect
    inside  | true           | false         | member
    planned | true           | true          | left_out
    living  | false          | false         | left_out
    plan?   | true           | unknown       | undecided
    """,
)

test_care_plan_review_is_overdue_after_12_months = rule(
    "care_plan_review_overdue",
    """
    person   | is_known_to_team | has_care_plan | care_plan_created_date | care_plan_last_reviewed_date | expect    | rank
    overdue  | true             | true          | 2018-01-01             | 2025-03-31                   | member    | 4
    long_ago | true             | true          | 2018-01-01             | 2019-03-31                   | member    | 3
    never    | true             | true          | 2025-03-31             | unknown                      | member    | 2
    forgot   | true             | true          | 2021-01-01             | unknown                      | member    | 1
    reviewed | true             | true          | 2018-01-01             | 2025-04-01                   | left_out  | -
    made     | true             | true          | 2025-04-01             | unknown                      | left_out  | -
    no_plan  | true             | false         | unknown                | unknown                      | left_out  | -
    unsaid   | false            | true          | 2018-01-01             | unknown                      | left_out  | -
    by_code  | true             | true          | unknown                | unknown                      | undecided | -
    known?   | unknown          | true          | 2018-01-01             | unknown                      | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)

test_care_plan_that_was_never_reviewed_is_called_so = rule(
    "care_plan_review_overdue",
    """
    person   | is_known_to_team | has_care_plan | care_plan_created_date | care_plan_last_reviewed_date | expect | reasons
    never    | true             | true          | 2020-01-01             | unknown                      | member | care plan of 1 January 2020, never reviewed
    reviewed | true             | true          | 2020-01-01             | 2021-02-03                   | member | care plan last reviewed on 3 February 2021
    """,  # noqa: E501 - a table is read a row a line
)

test_frail_people_whom_no_community_service_saw = rule(
    "frail_not_seen_by_community",
    """
    person    | frailty_category | community_contacts_12m | is_care_home_resident | expect
    moderate  | moderate         | 0                      | false                 | member
    severe    | severe           | 0                      | unknown               | member
    mild      | mild             | 0                      | false                 | left_out
    seen      | severe           | 1                      | false                 | left_out
    home      | severe           | 0                      | true                  | left_out
    contacts? | severe           | unknown                | false                 | undecided
    """,
)

test_flu_vaccine_is_due_at_65_in_care_homes_to_the_housebound_and_with_copd = rule(
    "flu_vaccine_due",
    """
    person     | age     | is_care_home_resident | is_housebound | has_copd | flu_vaccine_this_season | is_end_of_life | expect
    aged_65    | 65      | false                 | false         | false    | false                   | false          | member
    home       | 30      | true                  | false         | false    | false                   | false          | member
    housebound | 30      | false                 | true          | false    | false                   | false          | member
    copd       | 30      | false                 | false         | true     | false                   | false          | member
    dying      | 90      | true                  | true          | true     | false                   | true           | member
    aged_64    | 64      | false                 | false         | false    | false                   | false          | left_out
    vaccinated | 90      | true                  | true          | true     | true                    | false          | left_out
    vaccine?   | 90      | true                  | true          | true     | unknown                 | false          | undecided
    age?       | unknown | false                 | false         | false    | false                   | false          | undecided
    """,  # noqa: E501 - a table is read a row a line
)
