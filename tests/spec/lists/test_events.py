"""What has just happened in hospital, by the messages of the day and, where none come, by episodes."""

from __future__ import annotations

from tests.spec.lists.events import Evening

evening = Evening()  # as of 1 April 2026

test_the_last_48_hours_are_two_whole_days = evening.rule(
    acute_adt="""
        person    | type       | at
        last      | admitted   | 2026-03-31 23:59:59
        first     | admitted   | 2026-03-30 00:00:00
        longer    | admitted   | 2026-03-29 23:59:59
        out_last  | admitted   | 2026-03-20 10:00:00
        out_last  | discharged | 2026-03-31 23:59:59
        out_first | admitted   | 2026-03-20 10:00:00
        out_first | discharged | 2026-03-30 00:00:00
        out_long  | admitted   | 2026-03-20 10:00:00
        out_long  | discharged | 2026-03-29 23:59:59
    """,
    events="""
        person    | event       | since
        last      | admitted    | 2026-03-31
        first     | admitted    | 2026-03-30
        longer    | in_hospital | 2026-03-29
        out_last  | discharged  | 2026-03-31
        out_first | discharged  | 2026-03-30
        out_long  |             |
        nobody    |             |
    """,
)

test_messages_of_the_day_of_the_run_are_not_used = evening.rule(
    acute_adt="""
        person      | type       | at
        today       | admitted   | 2026-04-01 00:00:00
        leaves      | admitted   | 2026-03-31 09:00:00
        leaves      | discharged | 2026-04-01 00:00:00
        taken_back  | admitted   | 2026-03-31 09:00:00
        taken_back  | cancelled  | 2026-04-01 08:00:00
    """,
    events="""
        person     | event    | since
        today      |          |
        leaves     | admitted | 2026-03-31
        taken_back | admitted | 2026-03-31
    """,
)

test_in_and_out_on_one_day_is_discharged = evening.rule(
    acute_adt="""
        person  | type       | at
        day     | admitted   | 2026-03-31 08:00:00
        day     | discharged | 2026-03-31 17:00:00
        instant | admitted   | 2026-03-31 08:00:00
        instant | discharged | 2026-03-31 08:00:00
        again   | admitted   | 2026-03-31 08:00:00
        again   | discharged | 2026-03-31 17:00:00
        again   | admitted   | 2026-03-31 22:00:00
    """,
    events="""
        person  | event      | since
        day     | discharged | 2026-03-31
        instant | discharged | 2026-03-31
        again   | admitted   | 2026-03-31
    """,
)

test_a_cancellation_takes_back_the_message_before_it_that_stands = evening.rule(
    acute_adt="""
        person       | type        | at
        never        | admitted    | 2026-03-31 08:00:00
        never        | cancelled   | 2026-03-31 09:00:00
        at_once      | admitted    | 2026-03-31 08:00:00
        at_once      | cancelled   | 2026-03-31 08:00:00
        moved        | admitted    | 2026-03-31 08:00:00
        moved        | transferred | 2026-03-31 09:00:00
        moved        | cancelled   | 2026-03-31 10:00:00
        was_home     | admitted    | 2026-03-20 08:00:00
        was_home     | discharged  | 2026-03-30 12:00:00
        was_home     | admitted    | 2026-03-31 08:00:00
        was_home     | cancelled   | 2026-03-31 09:00:00
        was_in       | admitted    | 2026-03-20 08:00:00
        was_in       | admitted    | 2026-03-31 08:00:00
        was_in       | cancelled   | 2026-03-31 09:00:00
        twice        | admitted    | 2026-03-31 08:00:00
        twice        | cancelled   | 2026-03-31 09:00:00
        twice        | cancelled   | 2026-03-31 09:30:00
        twice        | admitted    | 2026-03-31 11:00:00
        not_home     | admitted    | 2026-03-30 08:00:00
        not_home     | discharged  | 2026-03-30 20:00:00
        not_home     | cancelled   | 2026-03-31 09:00:00
        all_of_it    | admitted    | 2026-03-30 08:00:00
        all_of_it    | discharged  | 2026-03-30 20:00:00
        all_of_it    | cancelled   | 2026-03-31 09:00:00
        all_of_it    | cancelled   | 2026-03-31 09:05:00
        home_later   | admitted    | 2026-03-20 08:00:00
        home_later   | discharged  | 2026-03-25 20:00:00
        home_later   | cancelled   | 2026-03-25 21:00:00
        home_later   | discharged  | 2026-03-31 11:00:00
        after_all    | admitted    | 2026-03-31 08:00:00
        after_all    | cancelled   | 2026-03-31 09:00:00
        after_all    | discharged  | 2026-03-31 10:00:00
        too_often    | admitted    | 2026-03-20 08:00:00
        too_often    | discharged  | 2026-03-30 12:00:00
        too_often    | admitted    | 2026-03-31 08:00:00
        too_often    | cancelled   | 2026-03-31 09:00:00
        too_often    | cancelled   | 2026-03-31 09:30:00
    """,
    events="""
        person    | event       | since
        never     |             |
        at_once   |             |
        moved     | admitted    | 2026-03-31
        was_home  | discharged  | 2026-03-30
        was_in    | in_hospital | 2026-03-20
        twice     | admitted    | 2026-03-31
        not_home  | admitted    | 2026-03-30
        all_of_it |             |
        home_later | discharged | 2026-03-31
        after_all |             |
        too_often | discharged  | 2026-03-30
    """,
)

test_another_providers_cancellation_takes_back_nothing = evening.rule(
    acute_adt="""
        person | provider | type      | at
        stays  | RT1      | admitted  | 2026-03-31 08:00:00
        stays  | RT2      | cancelled | 2026-03-31 09:00:00
    """,
    events="""
        person | event    | since
        stays  | admitted | 2026-03-31
    """,
)

test_a_transfer_within_a_provider_goes_on_with_the_stay = evening.rule(
    acute_adt="""
        person  | type        | at
        fresh   | admitted    | 2026-03-30 08:00:00
        fresh   | transferred | 2026-03-31 09:00:00
        long    | admitted    | 2026-03-10 08:00:00
        long    | transferred | 2026-03-31 09:00:00
        unknown | transferred | 2026-03-31 09:00:00
        gone    | transferred | 2026-03-20 09:00:00
        gone    | discharged  | 2026-03-31 09:00:00
    """,
    events="""
        person  | event       | since
        fresh   | admitted    | 2026-03-30
        long    | in_hospital | 2026-03-10
        unknown | admitted    | 2026-03-31
        gone    | discharged  | 2026-03-31
    """,
)

test_a_transfer_to_another_provider_ends_the_first_stay = evening.rule(
    acute_adt="""
        person     | provider | type        | at
        handed     | RT1      | admitted    | 2026-03-10 08:00:00
        handed     | RT1      | transferred | 2026-03-20 09:00:00
        handed     | RT2      | admitted    | 2026-03-20 11:00:00
        handed     | RT2      | discharged  | 2026-03-31 09:00:00
        at_once    | RT1      | admitted    | 2026-03-10 08:00:00
        at_once    | RT1      | transferred | 2026-03-20 09:00:00
        at_once    | RT2      | transferred | 2026-03-20 09:00:00
        at_once    | RT2      | discharged  | 2026-03-22 09:00:00
        waits      | RT1      | admitted    | 2026-03-10 08:00:00
        waits      | RT1      | transferred | 2026-03-31 09:00:00
        back       | RT2      | admitted    | 2026-03-01 08:00:00
        back       | RT2      | discharged  | 2026-03-05 08:00:00
        back       | RT1      | admitted    | 2026-03-10 08:00:00
        back       | RT1      | transferred | 2026-03-20 09:00:00
        called_off | RT1      | admitted    | 2026-03-10 08:00:00
        called_off | RT1      | transferred | 2026-03-20 09:00:00
        called_off | RT2      | admitted    | 2026-03-20 10:00:00
        called_off | RT2      | cancelled   | 2026-03-20 11:00:00
    """,
    events="""
        person     | event       | since
        handed     | discharged  | 2026-03-31
        at_once    |             |
        waits      | in_hospital | 2026-03-10
        back       | in_hospital | 2026-03-10
        called_off | in_hospital | 2026-03-10
    """,
)

test_discharged_here_and_admitted_there_is_admitted = evening.rule(
    acute_adt="""
        person   | provider | type       | at
        crossed  | RT1      | admitted   | 2026-03-20 08:00:00
        crossed  | RT1      | discharged | 2026-03-31 10:00:00
        crossed  | RT2      | admitted   | 2026-03-31 10:30:00
        day_case | RT1      | admitted   | 2026-03-20 08:00:00
        day_case | RT2      | admitted   | 2026-03-31 08:00:00
        day_case | RT2      | discharged | 2026-03-31 18:00:00
    """,
    events="""
        person   | event       | since
        crossed  | admitted    | 2026-03-31
        day_case | in_hospital | 2026-03-20
    """,
)

test_messages_count_in_the_order_of_what_happened_and_once = evening.rule(
    acute_adt="""
        person   | type       | at
        shuffled | discharged | 2026-03-30 12:00:00
        shuffled | admitted   | 2026-03-31 08:00:00
        shuffled | admitted   | 2026-03-20 08:00:00
        doubled  | admitted   | 2026-03-20 08:00:00
        doubled  | admitted   | 2026-03-20 08:00:00
        doubled  | cancelled  | 2026-03-20 09:00:00
        resent   | admitted   | 2026-03-20 08:00:00
        resent   | discharged | 2026-03-31 09:00:00
        resent   | discharged | 2026-03-31 09:00:00
    """,
    events="""
        person   | event      | since
        shuffled | admitted   | 2026-03-31
        doubled  |            |
        resent   | discharged | 2026-03-31
    """,
)

test_episodes_end_a_stay_whose_discharge_was_never_sent = evening.rule(
    acute_adt="""
        person   | provider | type       | at
        lost     | RT1      | admitted   | 2026-03-10 08:00:00
        lately   | RT1      | admitted   | 2026-03-10 08:00:00
        earlier  | RT1      | admitted   | 2026-03-20 08:00:00
        same_day | RT1      | admitted   | 2026-03-20 08:00:00
        elsewhere | RT2     | admitted   | 2026-03-20 08:00:00
        speaks   | RT1      | admitted   | 2026-03-10 08:00:00
        speaks   | RT1      | transferred | 2026-03-25 08:00:00
        regular  | RT1      | admitted   | 2026-03-10 08:00:00
    """,
    acute_episodes="""
        person    | provider_code | admitted   | discharged | class
        lost      | RT1           | 2026-03-10 | 2026-03-18 | 1
        lately    | RT1           | 2026-03-10 | 2026-03-30 | 1
        earlier   | RT1           | 2026-03-10 | 2026-03-25 | 1
        same_day  | RT1           | 2026-03-20 | 2026-03-20 | 1
        elsewhere | RT1           | 2026-03-20 | 2026-03-25 | 1
        speaks    | RT1           | 2026-03-10 | 2026-03-18 | 1
        regular   | RT1           | 2026-03-10 | 2026-03-18 | 3
    """,
    events="""
        person    | event       | since
        lost      |             |
        lately    | discharged  | 2026-03-30
        earlier   | in_hospital | 2026-03-20
        same_day  | in_hospital | 2026-03-20
        elsewhere | in_hospital | 2026-03-20
        speaks    | in_hospital | 2026-03-10
        regular   | in_hospital | 2026-03-10
    """,
)

test_episodes_are_no_events_where_messages_come = evening.rule(
    acute_episodes="""
        person  | admitted   | discharged
        in_now  | 2026-03-30 |
        out_now | 2026-03-20 | 2026-03-31
    """,
    events="""
        person  | event | since
        in_now  |       |
        out_now |       |
    """,
)

test_episodes_stand_in_for_a_provider_that_sends_no_messages = evening.rule(
    acute_episodes="""
        person  | provider_code | admitted   | discharged
        in_now  | RT9           | 2026-03-30 |
        longer  | RT9           | 2026-02-10 |
        out_now | RT9           | 2026-03-20 | 2026-03-31
        both    | RT9           | 2026-03-20 | 2026-03-31
    """,
    acute_adt="""
        person | provider | type     | at
        both   | RT1      | admitted | 2026-03-31 08:00:00
    """,
    events="""
        person  | event       | since
        in_now  | admitted    | 2026-03-30
        longer  | in_hospital | 2026-02-10
        out_now | discharged  | 2026-03-31
        both    | admitted    | 2026-03-31
    """,
)

# The first message of RT7 is of 20 March.
test_episodes_stand_in_for_stays_that_began_before_the_messages = evening.rule(
    acute_episodes="""
        person   | provider_code | admitted   | discharged
        before   | RT7           | 2026-03-19 |
        since    | RT7           | 2026-03-20 |
        left     | RT7           | 2026-03-01 |
        went     | RT7           | 2026-03-01 | 2026-03-31
        mistaken | RT7           | 2026-03-01 |
        moved    | RT7           | 2026-03-01 |
        in_ae    | RT7           | 2026-03-01 |
    """,
    acute_adt="""
        person   | provider | type        | at
        somebody | RT7      | admitted    | 2026-03-20 00:00:00
        left     | RT7      | discharged  | 2026-03-31 10:00:00
        mistaken | RT7      | discharged  | 2026-03-31 10:00:00
        mistaken | RT7      | cancelled   | 2026-03-31 11:00:00
        moved    | RT7      | transferred | 2026-03-31 10:00:00
    """,
    events="""
        person   | event       | since
        before   | in_hospital | 2026-03-19
        since    |             |
        left     | discharged  | 2026-03-31
        went     | discharged  | 2026-03-31
        mistaken | in_hospital | 2026-03-01
        moved    | in_hospital | 2026-03-01
        in_ae    | in_hospital | 2026-03-01
    """,
)

test_messages_before_birth_are_not_used = evening.rule(
    gp_patients="""
        person | date_of_birth
        born   | 2026-03-31
        unborn | 2026-03-31
    """,
    acute_adt="""
        person | type     | at
        born   | admitted | 2026-03-31 08:00:00
        unborn | admitted | 2026-03-30 08:00:00
    """,
    events="""
        person | event    | since
        born   | admitted | 2026-03-31
        unborn |          |
    """,
)


def test_the_manifest_says_that_events_come_from_messages(list_site, tmp_path_factory):
    night = evening.night(list_site, tmp_path_factory)
    assert night.manifest["list_events"] == {"source": "acute_adt", "newest_message": "2026-03-31"}
    assert not [warning for warning in night.manifest["warnings"] if "newest message" in warning]
