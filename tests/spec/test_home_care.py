"""Home care: who receives it on as_of, since when, and when it was last reviewed."""

from __future__ import annotations

from tests.spec.tables import Town

town = Town()

test_home_care_is_an_open_service_of_a_listed_type_whatever_its_capitals = town.rule(
    social_care_services="""
        person     | service_type     | start_date
        plain      | home care        | 2025-05-01
        capitals   | Home Care        | 2025-05-01
        one_word   | homecare         | 2025-05-01
        older_name | Domiciliary care | 2025-05-01
        national   | Home Support     | 2025-05-01
        meals      | meals            | 2025-05-01
        other_home | care home        | 2025-05-01
    """,
    features="""
        person     | receives_homecare | homecare_started_date
        plain      | true              | 2025-05-01
        capitals   | true              | 2025-05-01
        one_word   | true              | 2025-05-01
        older_name | true              | 2025-05-01
        national   | true              | 2025-05-01
        meals      | false             | unknown
        other_home | false             | unknown
        nobody     | false             | unknown
    """,
)

test_a_service_is_open_from_the_day_before_as_of_until_its_end = town.rule(
    social_care_services="""
        person     | start_date | end_date
        yesterday  | 2026-03-31 |
        today      | 2026-04-01 |
        ends_today | 2020-01-01 | 2026-04-01
        ended      | 2020-01-01 | 2026-03-31
        will_end   | 2020-01-01 | 2027-01-01
    """,
    features="""
        person     | receives_homecare | homecare_started_date
        yesterday  | true              | 2026-03-31
        today      | false             | unknown
        ends_today | true              | 2020-01-01
        ended      | false             | unknown
        will_end   | true              | 2020-01-01
    """,
)

test_home_care_before_birth_is_not_used = town.rule(
    gp_patients="""
        person | date_of_birth
        before | 2000-01-02
        on_day | 2000-01-01
    """,
    social_care_services="""
        person | start_date
        before | 2000-01-01
        on_day | 2000-01-01
    """,
    features="""
        person | receives_homecare
        before | false
        on_day | true
    """,
)

test_several_services_give_the_earliest_start_and_the_latest_review_of_the_open_ones = town.rule(
    social_care_services="""
        person  | service_type | start_date | end_date   | last_review_date
        two     | home care    | 2024-05-01 |            | 2025-01-01
        two     | home support | 2025-05-01 |            | 2025-06-01
        closed  | home care    | 2020-05-01 | 2026-01-01 | 2025-12-01
        closed  | home care    | 2024-05-01 |            | 2025-02-01
        another | home care    | 2024-05-01 |            |
        another | meals        | 2020-05-01 |            | 2026-03-01
    """,
    features="""
        person  | homecare_started_date | homecare_last_review_date
        two     | 2024-05-01            | 2025-06-01
        closed  | 2024-05-01            | 2025-02-01
        another | 2024-05-01            | unknown
    """,
)

test_a_review_on_or_after_as_of_is_not_known_yet = town.rule(
    social_care_services="""
        person    | start_date | last_review_date
        yesterday | 2024-05-01 | 2026-03-31
        today     | 2024-05-01 | 2026-04-01
        never     | 2024-05-01 |
        earlier   | 2024-05-01 | 2025-02-01
        earlier   | 2024-05-01 | 2026-04-01
    """,
    features="""
        person    | receives_homecare | homecare_last_review_date
        yesterday | true              | 2026-03-31
        today     | true              | unknown
        never     | true              | unknown
        earlier   | true              | 2025-02-01
    """,
)
