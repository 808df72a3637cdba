"""Who is in A&E when the day begins, by attendances and the messages of the day."""

from __future__ import annotations

from tests.spec.lists.events import Evening

evening = Evening()  # as of 1 April 2026

test_in_ae_is_arrived_in_the_last_day_and_not_gone_when_the_day_began = evening.rule(
    acute_attendances="""
        person    | arrived             | departed            | category | department
        waiting   | 2026-03-31 00:00:00 |                     | 1        | 01
        too_long  | 2026-03-30 23:59:59 |                     | 1        | 01
        today     | 2026-04-01 00:00:00 |                     | 1        | 01
        gone      | 2026-03-31 20:00:00 | 2026-03-31 23:59:59 | 1        | 01
        midnight  | 2026-03-31 20:00:00 | 2026-04-01 00:00:00 | 1        | 01
        follow_up | 2026-03-31 20:00:00 |                     | 2        | 01
        same_day  | 2026-03-31 20:00:00 |                     | 1        | 05
        no_type   | 2026-03-31 20:00:00 |                     | 1        | 99
    """,
    events="""
        person    | event | since
        waiting   | in_ae | 2026-03-31
        too_long  |       |
        today     |       |
        gone      |       |
        midnight  | in_ae | 2026-03-31
        follow_up |       |
        same_day  |       |
        no_type   | in_ae | 2026-03-31
    """,
)

test_whoever_was_admitted_after_arrival_is_admitted = evening.rule(
    acute_attendances="""
        person    | arrived
        ward      | 2026-03-31 18:00:00
        at_once   | 2026-03-31 18:00:00
        before    | 2026-03-31 18:00:00
        home_now  | 2026-03-31 08:00:00
        called_off | 2026-03-31 18:00:00
        from_ward | 2026-03-31 18:00:00
        twice     | 2026-03-31 08:00:00
        twice     | 2026-03-31 20:00:00
    """,
    acute_adt="""
        person     | type       | at
        ward       | admitted   | 2026-03-31 21:00:00
        at_once    | admitted   | 2026-03-31 18:00:00
        before     | admitted   | 2026-03-25 18:00:00
        before     | discharged | 2026-03-31 10:00:00
        home_now   | admitted   | 2026-03-31 09:00:00
        home_now   | discharged | 2026-03-31 17:00:00
        called_off | admitted   | 2026-03-31 20:00:00
        called_off | cancelled  | 2026-03-31 20:30:00
        from_ward  | admitted   | 2026-03-20 09:00:00
        twice      | admitted   | 2026-03-31 09:00:00
        twice      | discharged | 2026-03-31 17:00:00
    """,
    events="""
        person     | event      | since
        ward       | admitted   | 2026-03-31
        at_once    | admitted   | 2026-03-31
        before     | in_ae      | 2026-03-31
        home_now   | discharged | 2026-03-31
        called_off | in_ae      | 2026-03-31
        from_ward  | in_ae      | 2026-03-31
        twice      | in_ae      | 2026-03-31
    """,
)
