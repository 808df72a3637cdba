"""Who is in the population, under which practice, how old, and who has opted out (rules: Time, People)."""

from __future__ import annotations

from datetime import date

from tests import factories
from tests.spec.tables import Town

town = Town()
leap_day_town = Town(as_of=date(2025, 2, 28))
day_after_town = Town(as_of=date(2025, 3, 1))

test_person_living_outside_but_registered_inside_is_in_scope = town.rule(
    gp_patients=f"""
        person   | practice_code                     | lsoa_code
        inside   | T00001                            | {factories.AFFLUENT_AREA}
        outside  | T00001                            | {factories.AREA_ELSEWHERE}
        homeless | T00001                            |
        visitor  | {factories.OUT_OF_SCOPE_PRACTICE} | {factories.AFFLUENT_AREA}
    """,
    features="""
        person   | in_population | imd_decile
        inside   | true          | 10
        outside  | true          | unknown
        homeless | true          | unknown
        visitor  | false         | not in the population
    """,
)

test_neighbourhood_and_pcn_come_from_the_registered_practice = town.rule(
    gp_patients="""
        person | practice_code
        first  | T00000
        second | T00001
        third  | T00002
    """,
    features="""
        person | practice_code | pcn_code | neighbourhood_code
        first  | T00000        | TP1      | TN1
        second | T00001        | TP2      | TN2
        third  | T00002        | TP3      | TN1
    """,
)

test_latest_registration_wins_then_lowest_practice_code = town.rule(
    gp_patients="""
        person   | practice_code | registered_from | registered_to
        moved    | T00001        | 2010-01-01      |
        moved    | T00002        | 2020-01-01      |
        same_day | T00004        | 2020-01-01      |
        same_day | T00003        | 2020-01-01      |
        returned | T00005        | 2010-01-01      |
        returned | T00006        | 2020-01-01      | 2025-12-31
    """,
    features="""
        person   | practice_code
        moved    | T00002
        same_day | T00003
        returned | T00005
    """,
)

test_registration_ending_on_as_of_is_open = town.rule(
    gp_patients="""
        person          | registered_from | registered_to
        ends_on         | 2010-01-01      | 2026-04-01
        ends_before     | 2010-01-01      | 2026-03-31
        ends_after      | 2010-01-01      | 2026-04-02
        begins_on       | 2026-04-01      |
        begins_after    | 2026-04-02      |
        begins_and_ends | 2026-04-01      | 2026-04-01
    """,
    features="""
        person          | in_population
        ends_on         | true
        ends_before     | false
        ends_after      | true
        begins_on       | true
        begins_after    | false
        begins_and_ends | true
    """,
)

test_practice_is_in_scope_while_its_membership_lasts = town.rule(
    gp_patients=f"""
        person  | practice_code
        retired | {factories.RETIRED_PRACTICE}
        last    | {factories.LAST_DAY_PRACTICE}
        future  | {factories.FUTURE_PRACTICE}
    """,
    features="""
        person  | in_population
        retired | false
        last    | true
        future  | false
    """,
)

test_death_before_as_of_leaves_the_population_and_on_as_of_does_not = town.rule(
    gp_patients="""
        person | date_of_death
        before | 2026-03-31
        on     | 2026-04-01
        alive  |
    """,
    features="""
        person | in_population
        before | false
        on     | true
        alive  | true
    """,
)

test_age_is_completed_years_on_as_of = town.rule(
    gp_patients="""
        person             | date_of_birth
        birthday           | 1961-04-01
        birthday_tomorrow  | 1961-04-02
        birthday_yesterday | 1961-03-31
        newborn            | 2026-03-31
        leapling           | 1960-02-29
    """,
    features="""
        person             | age
        birthday           | 65
        birthday_tomorrow  | 64
        birthday_yesterday | 65
        newborn            | 0
        leapling           | 66
    """,
)

LEAPLINGS = """
        person   | date_of_birth
        leapling | 1960-02-29
        day_28   | 1960-02-28
        march    | 1960-03-01
"""

test_age_on_leap_day = leap_day_town.rule(
    gp_patients=LEAPLINGS,
    features="""
        person   | age
        leapling | 64
        day_28   | 65
        march    | 64
    """,
)

test_age_the_day_after_a_leap_day_that_did_not_come = day_after_town.rule(
    gp_patients=LEAPLINGS,
    features="""
        person   | age
        leapling | 65
        day_28   | 65
        march    | 65
    """,
)

test_type_1_opt_out_is_left_out_until_it_is_withdrawn = town.rule(
    gp_events="""
        person       | code_system | code            | event_date
        snomed       | snomed      | 827241000000103 | 2020-01-01
        readv2       | readv2      | 9Nu0.           | 2020-01-01
        ctv3         | ctv3        | XaZ89           | 2020-01-01
        withdrawn    | ctv3        | XaZ89           | 2020-01-01
        withdrawn    | ctv3        | XaZ8A           | 2021-01-01
        renewed      | readv2      | 9Nu0.           | 2020-01-01
        renewed      | readv2      | 9Nu1.           | 2021-01-01
        renewed      | snomed      | 827241000000103 | 2022-01-01
        never        | readv2      | 9Nu1.           | 2020-01-01
        wrong_case   | readv2      | 9nu0.           | 2020-01-01
        wrong_system | snomed      | XaZ89           | 2020-01-01
    """,
    features="""
        person       | in_population
        snomed       | false
        readv2       | false
        ctv3         | false
        withdrawn    | true
        renewed      | false
        never        | true
        wrong_case   | true
        wrong_system | true
    """,
)

test_same_day_dissent_wins = town.rule(
    gp_events="""
        person | code_system | code  | event_date
        ann    | ctv3        | XaZ8A | 2021-01-01
        ann    | ctv3        | XaZ89 | 2021-01-01
        bob    | readv2      | 9Nu0. | 2021-01-01
        bob    | ctv3        | XaZ8A | 2021-01-01
    """,
    features="""
        person | in_population
        ann    | false
        bob    | false
    """,
)

test_opt_out_counts_when_known_before_as_of_even_if_dated_before_birth = town.rule(
    gp_events="""
        person       | code_system | code  | event_date | recorded_date
        tomorrow     | ctv3        | XaZ89 | 2026-04-01 |
        recorded_now | ctv3        | XaZ89 | 2020-01-01 | 2026-04-01
        before_birth | ctv3        | XaZ89 | 1900-01-02 |
    """,
    features="""
        person       | in_population
        tomorrow     | true
        recorded_now | true
        before_birth | false
    """,
)

test_national_opt_out_is_left_out = town.rule(
    national_opt_out="""
        person | checked_on
        listed | 2026-03-01
    """,
    features="""
        person     | in_population
        listed     | false
        not_listed | true
    """,
)
