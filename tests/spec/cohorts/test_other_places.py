"""Cohorts of Leeds, Hull, North Devon, City and Hackney and the national programme: just inside and just outside."""

from __future__ import annotations

from tests.spec.cohorts.computing import rule

test_high_flow_is_adults_with_two_agencies = rule(
    "high_flow_top_30",
    """
    person    | age     | agencies_90d | expect
    inside    | 18      | 2            | member
    aged_17   | 17      | 2            | left_out
    one       | 40      | 1            | left_out
    agencies? | 40      | unknown      | undecided
    age?      | unknown | 2            | undecided
    """,
)

test_high_flow_ranks_by_contacts_and_breaks_every_tie = rule(
    "high_flow_top_30",
    """
    person   | age | agencies_90d | agency_contacts_12m | ae_attendances_12m | unplanned_admissions_12m | expect | rank
    ann      | 40  | 2            | 9                   | 1                  | 1                        | member | 4
    bob      | 40  | 2            | 9                   | 1                  | 1                        | member | 5
    admitted | 40  | 2            | 9                   | 1                  | 2                        | member | 3
    visits   | 40  | 2            | 9                   | 2                  | 0                        | member | 2
    agencies | 40  | 3            | 9                   | 0                  | 0                        | member | 1
    unsaid   | 40  | 9            | unknown             | 9                  | 9                        | member | 6
    """,
)

test_frequent_presenters_have_a_threshold_a_setting = rule(
    "frequent_presenters",
    """
    person     | age | ae_attendances_12m | unplanned_admissions_12m | ambulance_arrivals_12m | gp_contacts_12m | agency_contacts_12m | expect
    visits     | 18  | 5                  | 0                        | 0                      | 0               | 0                   | member
    admissions | 18  | 0                  | 3                        | 0                      | 0               | 0                   | member
    ambulances | 18  | 4                  | 0                        | 4                      | 0               | 0                   | member
    practice   | 18  | 0                  | 0                        | 0                      | 24              | 0                   | member
    agencies   | 18  | 0                  | 0                        | 0                      | 0               | 12                  | member
    below_all  | 18  | 4                  | 2                        | 3                      | 23              | 11                  | left_out
    aged_17    | 17  | 5                  | 3                        | 4                      | 24              | 12                  | left_out
    enough     | 18  | 5                  | unknown                  | unknown                | unknown         | unknown             | member
    practice?  | 18  | 4                  | 2                        | 3                      | unknown         | 11                  | undecided
    """,  # noqa: E501 - a table is read a row a line
)

test_frequent_presenters_are_found_without_the_optional_extracts = rule(
    "frequent_presenters",
    """
    person | age | ae_attendances_12m | expect
    often  | 18  | 5                  | member
    """,
    absent=("gp_contacts", "agency_contacts"),
)

test_home_care_review_is_overdue_after_12_months = rule(
    "homecare_review_overdue",
    """
    person    | receives_homecare | homecare_started_date | homecare_last_review_date | expect    | rank
    overdue   | true              | 2020-01-01            | 2025-03-31                | member    | 4
    long_ago  | true              | 2020-01-01            | 2022-03-31                | member    | 3
    never     | true              | 2025-03-31            | unknown                   | member    | 2
    forgotten | true              | 2021-03-31            | unknown                   | member    | 1
    reviewed  | true              | 2020-01-01            | 2025-04-01                | left_out  | -
    began     | true              | 2025-04-01            | unknown                   | left_out  | -
    ended     | false             | 2020-01-01            | unknown                   | left_out  | -
    care?     | unknown           | unknown               | unknown                   | undecided | -
    """,
)

test_home_care_is_new_for_90_days = rule(
    "newly_referred_homecare",
    """
    person  | receives_homecare | homecare_started_date | expect
    day_90  | true              | days_before(90)       | member
    new     | true              | days_before(1)        | member
    day_91  | true              | days_before(91)       | left_out
    ended   | false             | days_before(1)        | left_out
    care?   | unknown           | unknown               | undecided
    """,
)

test_need_escalates_against_what_is_usual_for_the_person = rule(
    "escalating_need",
    """
    person     | age | unscheduled_contacts_90d | unscheduled_contacts_usual_90d | expect
    twice      | 18  | 3                        | 1.5                            | member
    from_none  | 18  | 3                        | 0                              | member
    not_twice  | 18  | 3                        | 1.5001                         | left_out
    two        | 18  | 2                        | 0                              | left_out
    as_always  | 18  | 20                       | 18                             | left_out
    aged_17    | 17  | 3                        | 0                              | left_out
    usual?     | 18  | 3                        | unknown                        | undecided
    """,
)

test_what_is_usual_is_told_with_one_decimal = rule(
    "escalating_need",
    """
    person | age | unscheduled_contacts_90d | unscheduled_contacts_usual_90d | expect | reasons
    ann    | 18  | 3                        | 0.3273                         | member | unscheduled contacts in 90 days: 3; usually 0.3
    bob    | 18  | 3                        | 0                              | member | unscheduled contacts in 90 days: 3; usually 0.0
    """,  # noqa: E501 - a table is read a row a line
)

test_two_agencies_and_more_contacts_than_usual = rule(
    "two_or_more_agencies_escalating",
    """
    person   | agencies_90d | unscheduled_contacts_90d | unscheduled_contacts_usual_90d | expect
    inside   | 2            | 2                        | 1.9999                         | member
    one      | 1            | 2                        | 0                              | left_out
    seldom   | 2            | 1                        | 0                              | left_out
    as_usual | 2            | 2                        | 2                              | left_out
    usual?   | 2            | 2                        | unknown                        | undecided
    """,
)

test_frailty_rises_by_a_band_at_65 = rule(
    "rising_frailty",
    """
    person  | age | frailty_bands_risen_12m | expect    | rank
    inside  | 65  | 1                       | member    | 3
    two     | 65  | 2                       | member    | 2
    three   | 65  | 3                       | member    | 1
    aged_64 | 64  | 1                       | left_out  | -
    same    | 80  | 0                       | left_out  | -
    fallen  | 80  | -1                      | left_out  | -
    before? | 80  | unknown                 | undecided | -
    """,
)

test_housebound_people_outside_care_homes = rule(
    "housebound",
    """
    person  | is_housebound | is_care_home_resident | flu_vaccine_this_season | community_contacts_12m | medication_reviewed_12m | expect    | gaps
    cared   | true          | false                 | true                    | 1                      | true                    | member    | -
    flu     | true          | unknown               | false                   | 1                      | true                    | member    | flu vaccine
    unseen  | true          | false                 | true                    | 0                      | true                    | member    | not seen by community services in 12 months
    review  | true          | false                 | true                    | 1                      | false                   | member    | no medication review in 12 months
    silent  | true          | false                 | true                    | 1                      | unknown                 | member    | -
    mobile  | false         | false                 | false                   | 0                      | unknown                 | left_out  | -
    home    | true          | true                  | false                   | 0                      | unknown                 | left_out  | -
    state?  | unknown       | false                 | false                   | 0                      | unknown                 | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)

test_demonstrator_counts_registered_people_of_65_and_over = rule(
    "demonstrator_profile",
    """
    person | age     | expect    | rank
    inside | 65      | member    | 2
    older  | 85      | member    | 1
    young  | 64      | left_out  | -
    age?   | unknown | undecided | -
    """,
)

test_profile_takes_nobody_by_hand = rule(
    "demonstrator_profile",
    """
    person | age | added      | expect
    young  | 64  | 2026-01-01 | left_out
    """,
)

test_national_cohort_is_frail_at_75_or_care_home_housebound_or_end_of_life = rule(
    "nnhip_2026",
    """
    person     | age     | frailty_category | is_care_home_resident | is_housebound | is_end_of_life | expect
    moderate   | 75      | moderate         | false                 | false         | false          | member
    severe     | 75      | severe           | false                 | false         | false          | member
    home       | 18      | fit              | true                  | false         | false          | member
    housebound | 18      | fit              | false                 | true          | false          | member
    dying      | 18      | fit              | false                 | false         | true           | member
    aged_74    | 74      | severe           | false                 | false         | false          | left_out
    mild       | 99      | mild             | false                 | false         | false          | left_out
    child      | 17      | severe           | true                  | true          | true           | left_out
    enough     | 99      | unknown          | true                  | unknown       | unknown        | member
    frail?     | 99      | unknown          | false                 | false         | false          | undecided
    age?       | unknown | severe           | true                  | false         | false          | undecided
    """,
)

test_national_cohort_says_who_has_no_plan = rule(
    "nnhip_2026",
    """
    person  | age | is_housebound | has_care_plan | expect | gaps
    planned | 60  | true          | true          | member | -
    no_plan | 60  | true          | false         | member | no care plan
    """,
)

test_inpatients_are_those_in_hospital_on_as_of = rule(
    "inpatients_now",
    """
    person   | is_inpatient | expect
    inside   | true         | member
    at_home  | false        | left_out
    unsaid   | unknown      | undecided
    """,
)

test_people_on_the_caseload_without_a_case_manager = rule(
    "no_case_manager",
    """
    person  | is_known_to_team | case_manager | expect
    inside  | true             | unknown      | member
    managed | true             | Matron A     | left_out
    nobody  | false            | unknown      | left_out
    known?  | unknown          | unknown      | undecided
    """,
)

test_nobody_lacks_a_case_manager_where_the_caseload_was_not_delivered = rule(
    "no_case_manager",
    """
    person | is_known_to_team | expect
    unsaid | unknown          | undecided
    """,
    absent=("community_caseload",),
)

test_complex_cases_are_severely_frail_and_admitted = rule(
    "complex_cases_top_25",
    """
    person      | frailty_category | unplanned_admissions_12m | has_care_plan | case_manager | expect    | gaps
    inside      | severe           | 1                        | true          | Matron A     | member    | -
    no_plan     | severe           | 1                        | false         | Matron A     | member    | no care plan
    alone       | severe           | 1                        | true          | unknown      | member    | no case manager
    moderate    | moderate         | 9                        | true          | Matron A     | left_out  | -
    never       | severe           | 0                        | true          | Matron A     | left_out  | -
    admissions? | severe           | unknown                  | true          | Matron A     | undecided | -
    """,  # noqa: E501 - a table is read a row a line
)
