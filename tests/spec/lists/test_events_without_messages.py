"""Where no messages are delivered, episodes say who came into hospital and who left it."""

from __future__ import annotations

from tests.spec.lists.events import Evening

evening = Evening()  # as of 1 April 2026

test_open_spells_and_discharges_of_two_days_stand_in = evening.rule(
    acute_episodes="""
        person    | admitted   | discharged | class
        fresh     | 2026-03-30 |            | 1
        in_now    | 2026-03-29 |            | 1
        planned   | 2026-03-29 |            | 1
        out_first | 2026-03-20 | 2026-03-30 | 1
        out_long  | 2026-03-20 | 2026-03-29 | 1
        day_case  | 2026-03-31 | 2026-03-31 | 2
        leaves    | 2026-03-20 | 2026-04-01 | 1
        regular   | 2026-03-30 |            | 3
        today     | 2026-04-01 |            | 1
    """,
    events="""
        person    | event       | since
        fresh     | admitted    | 2026-03-30
        in_now    | in_hospital | 2026-03-29
        planned   | in_hospital | 2026-03-29
        out_first | discharged  | 2026-03-30
        out_long  |             |
        day_case  | discharged  | 2026-03-31
        leaves    | in_hospital | 2026-03-20
        regular   |             |
        today     |             |
    """,
)

test_a_spell_that_began_on_the_day_of_arrival_is_the_admission = evening.rule(
    acute_attendances="""
        person  | arrived
        ward    | 2026-03-31 18:00:00
        waiting | 2026-03-31 18:00:00
    """,
    acute_episodes="""
        person  | admitted   | discharged | class
        ward    | 2026-03-31 |            | 1
        waiting | 2026-03-20 | 2026-03-30 | 1
    """,
    events="""
        person  | event    | since
        ward    | admitted | 2026-03-31
        waiting | in_ae    | 2026-03-31
    """,
)


def test_the_manifest_says_that_episodes_stand_in(list_site, tmp_path_factory):
    night = evening.night(list_site, tmp_path_factory)
    assert night.manifest["list_events"] == {"source": "acute_episodes", "newest_message": None}
