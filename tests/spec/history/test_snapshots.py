"""What each snapshot knows, to the day: deficits, medicines, diagnoses, admissions (rules: Time, Frailty, Acute)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests import factories
from tests.factories import AS_OF
from tests.spec.history.computing import (
    MILD,
    MODERATE,
    PATIENT,
    SEVERE,
    SUPPLIED,
    HistoryTown,
    computed,
    medicines,
    registered,
    repeats,
)

# --- deficits --------------------------------------------------------------------------------------------------------

town = HistoryTown()

test_deficit_counts_from_the_first_snapshot_after_it_was_dated = town.history_rule(
    gp_events="""
        person     | code      | event_date
        day_before | 38341003  | 2025-09-30
        same_day   | 38341003  | 2025-10-01
        long_ago   | 38341003  | 1999-01-01
        yesterday  | 38341003  | 2026-03-31
        today      | 38341003  | 2026-04-01
    """,
    history="""
        person     | months_before | snapshot_date | efi_deficits
        day_before | 7             | 2025-09-01    | 0
        day_before | 6             | 2025-10-01    | 1
        day_before | 0             | 2026-04-01    | 1
        same_day   | 6             | 2025-10-01    | 0
        same_day   | 5             | 2025-11-01    | 1
        long_ago   | 12            | 2025-04-01    | 1
        long_ago   | 0             | 2026-04-01    | 1
        yesterday  | 1             | 2026-03-01    | 0
        yesterday  | 0             | 2026-04-01    | 1
        today      | 0             | 2026-04-01    | 0
    """,
)

test_deficit_recorded_late_counts_from_the_snapshot_after_it_was_recorded = town.history_rule(
    gp_events="""
        person        | code      | event_date | recorded_date
        day_before    | 38341003  | 2010-01-01 | 2025-09-30
        same_day      | 38341003  | 2010-01-01 | 2025-10-01
        before_event  | 38341003  | 2025-10-01 | 2025-01-01
        not_yet       | 38341003  | 2010-01-01 | 2026-04-01
    """,
    history="""
        person        | months_before | efi_deficits
        day_before    | 12 to 7       | 0
        day_before    | 6 to 0        | 1
        same_day      | 12 to 6       | 0
        same_day      | 5 to 0        | 1
        before_event  | 12 to 6       | 0
        before_event  | 5 to 0        | 1
        not_yet       | 12 to 0       | 0
    """,
)

test_record_that_was_known_first_decides_not_the_one_that_is_dated_first = town.history_rule(
    gp_events="""
        person | code     | event_date | recorded_date
        ann    | 38341003 | 2010-01-01 | 2026-01-15
        ann    | 38341003 | 2025-06-10 |
    """,
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 10      | 0
        ann    | 9 to 0        | 1
    """,
)

test_deficit_by_value_counts_from_the_first_abnormal_value = town.history_rule(
    gp_events="""
        person | code             | event_date | value
        ann    | 1011481000000105 | 2025-04-10 | 95
        ann    | 1011481000000105 | 2025-12-10 | 40
        ann    | 1011481000000105 | 2026-02-10 | 95
    """,
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 4       | 0
        ann    | 3 to 0        | 1
    """,
)

test_deficits_add_up_month_by_month = town.history_rule(
    gp_events="""
        person | code      | event_date
        ann    | 38341003  | 2015-01-01
        ann    | 44054006  | 2025-05-10
        ann    | 49436004  | 2025-05-20
        ann    | 84114007  | 2025-08-10
        ann    | 13645005  | 2026-03-10
    """,
    history="""
        person | months_before | efi_deficits | efi_category | frailty_category | frailty_source
        ann    | 12 to 11      | 1            | fit          | fit              | computed
        ann    | 10 to 8       | 3            | fit          | fit              | computed
        ann    | 7 to 1        | 4            | fit          | fit              | computed
        ann    | 0             | 5            | mild         | mild             | computed
    """,
)

# --- medicines -------------------------------------------------------------------------------------------------------

test_medicine_counts_for_the_snapshots_in_whose_12_months_it_was_issued = town.history_rule(
    gp_medications=medicines(
        repeats("first_day", p1005="2025-01-01"),
        repeats("day_before", p1005="2024-12-31"),
        repeats("on_the_day", p1005="2025-06-01"),
        repeats("yesterday", p1005="2026-03-31"),
        repeats("today", p1005="2026-04-01"),
    ),
    history="""
        person     | months_before | efi_deficits
        first_day  | 12 to 3       | 1
        first_day  | 2 to 0        | 0
        day_before | 12 to 4       | 1
        day_before | 3 to 0        | 0
        on_the_day | 12 to 10      | 0
        on_the_day | 9 to 0        | 1
        yesterday  | 12 to 1       | 0
        yesterday  | 0             | 1
        today      | 12 to 0       | 0
    """,
)

test_product_that_was_dropped_and_taken_again_leaves_a_gap = town.history_rule(
    gp_medications=medicines(
        repeats("gap", p1005="2024-05-10 2026-01-10"),
        repeats("no_gap", p1005="2024-05-10 2024-11-10 2025-02-10 2025-10-10"),
        repeats("two_in_turn", p1005="2024-05-10", p1006="2025-05-20"),
    ),
    history="""
        person      | months_before | efi_deficits
        gap         | 12 to 11      | 1
        gap         | 10 to 3       | 0
        gap         | 2 to 0        | 1
        no_gap      | 12 to 0       | 1
        two_in_turn | 12 to 11      | 1
        two_in_turn | 10 to 0       | 1
    """,
)

test_same_product_again_is_no_other_medicine = town.history_rule(
    gp_medications=repeats("ann", p1001="2025-01-02 2025-06-02 2025-12-02", p1002="2025-07-03"),
    history="""
        person | months_before | efi_deficits
        ann    | 12 to 0       | 0
    """,
)

# --- frailty of other sources, bands ---------------------------------------------------------------------------------

test_features_of_a_year_ago_are_those_of_the_snapshot_and_bands_rise_and_fall = town.rule(
    gp_events="""
        person | code      | event_date
        risen  | 38341003  | 2015-01-01
        risen  | 44054006  | 2015-01-01
        risen  | 49436004  | 2025-03-31
        risen  | 84114007  | 2025-04-01
        risen  | 13645005  | 2025-07-01
        fallen | 38341003  | 2015-01-01
        fallen | 44054006  | 2015-01-01
        fallen | 49436004  | 2015-01-01
        fallen | 84114007  | 2015-01-01
    """,
    gp_medications=repeats("fallen", p1005="2024-08-10"),
    acute_episodes="""
        person | admitted   | discharged
        risen  | 2024-04-01 | 2024-04-02
        risen  | 2025-03-31 | 2025-04-02
        risen  | 2025-04-01 | 2025-04-01
        fallen | 2024-03-31 | 2024-04-02
    """,
    features="""
        person | efi_deficits_12m_ago | frailty_category_12m_ago | frailty_bands_risen_12m | unplanned_admissions_12m_a_year_ago | efi_deficits | unplanned_admissions_12m
        risen  | 3                    | fit                      | 1                       | 2                                   | 5            | 1
        fallen | 5                    | mild                     | -1                      | 0                                   | 4            | 0
        same   | 0                    | fit                      | 0                       | 0                                   | 0            | 0
    """,  # noqa: E501 - a table is read a row a line
)


def test_latest_diagnosis_that_was_known_speaks_at_each_snapshot(coded_site: Path) -> None:
    events = [
        factories.event(PATIENT, code=SUPPLIED, value=0.3, event_date=date(2025, 4, 1)),
        factories.event(PATIENT, code=SEVERE, event_date=date(2025, 6, 10)),
        factories.event(PATIENT, code=MILD, event_date=date(2025, 9, 10)),
        # dated before the mild one and heard of later: it never speaks
        factories.event(PATIENT, code=MODERATE, event_date=date(2025, 8, 1), recorded_date=date(2026, 1, 10)),
        # dated after it and heard of late: it speaks from then on; on its day the more severe counts
        factories.event(
            PATIENT, code=MODERATE, event_date=date(2025, 10, 5), recorded_date=date(2026, 2, 28)
        ),
        factories.event(PATIENT, code=MILD, event_date=date(2025, 10, 5), recorded_date=date(2026, 2, 28)),
    ]
    history = computed(coded_site, {"gp_patients": registered(), "gp_events": events}, AS_OF).of(PATIENT)
    said = {month: (row["frailty_source"], row["frailty_category"]) for month, row in history.items()}
    assert said == {
        12: ("computed", "fit"),
        **dict.fromkeys((11, 10), ("supplied", "moderate")),
        **dict.fromkeys((9, 8, 7), ("coded", "severe")),
        **dict.fromkeys((6, 5, 4, 3, 2), ("coded", "mild")),
        **dict.fromkeys((1, 0), ("coded", "moderate")),
    }


# --- admissions ------------------------------------------------------------------------------------------------------

test_admissions_are_counted_in_the_snapshots_own_12_months = town.history_rule(
    acute_episodes="""
        person     | admitted   | discharged
        first_day  | 2025-01-01 | 2025-01-05
        day_before | 2024-12-31 | 2025-01-05
        on_the_day | 2025-06-01 | 2025-06-02
        in_it      | 2025-05-31 | 2025-06-02
        twice      | 2025-04-10 | 2025-04-12
        twice      | 2025-08-10 |
    """,
    history="""
        person     | months_before | unplanned_admissions_12m
        first_day  | 12 to 3       | 1
        first_day  | 2 to 0        | 0
        day_before | 12 to 4       | 1
        day_before | 3 to 0        | 0
        on_the_day | 12 to 10      | 0
        on_the_day | 9 to 0        | 1
        in_it      | 12 to 11      | 0
        in_it      | 10 to 0       | 1
        twice      | 12            | 0
        twice      | 11 to 8       | 1
        twice      | 7 to 0        | 2
    """,
)

test_admission_recorded_late_counts_from_the_snapshot_after_it_was_recorded = town.history_rule(
    acute_episodes="""
        person     | admitted   | discharged | recorded_date
        day_before | 2025-04-10 | 2025-04-12 | 2025-09-30
        same_day   | 2025-04-10 | 2025-04-12 | 2025-10-01
        too_late   | 2025-01-10 | 2025-01-12 | 2026-02-10
    """,
    history="""
        person     | months_before | unplanned_admissions_12m
        day_before | 12 to 7       | 0
        day_before | 6 to 0        | 1
        same_day   | 12 to 6       | 0
        same_day   | 5 to 0        | 1
        too_late   | 12 to 0       | 0
    """,
)

test_spell_is_known_when_the_first_of_its_episodes_is = town.history_rule(
    acute_episodes="""
        person | spell | episode | admitted   | episode_start | discharged | recorded_date
        late   | S1    | 1       | 2025-04-10 | 2025-04-10    | 2025-07-01 | 2026-01-10
        late   | S1    | 2       | 2025-04-10 | 2025-06-20    | 2025-07-01 | 2025-09-10
    """,
    history="""
        person | months_before | unplanned_admissions_12m
        late   | 12 to 7       | 0
        late   | 6 to 0        | 1
    """,
)

test_transfer_and_planned_admission_are_no_admissions_in_any_snapshot = town.history_rule(
    acute_episodes="""
        person  | provider | admitted   | discharged | method | source | to
        moved   | RX1      | 2025-05-10 | 2025-06-10 | 21     | 19     | 51
        moved   | RX2      | 2025-06-11 | 2025-08-10 | 21     | 51     | 19
        planned | RX1      | 2025-05-10 | 2025-05-12 | 11     | 19     | 19
    """,
    history="""
        person  | months_before | unplanned_admissions_12m
        moved   | 12 to 11      | 0
        moved   | 10 to 0       | 1
        planned | 12 to 0       | 0
    """,
)

# --- days at the end of a month --------------------------------------------------------------------------------------

leap_day = HistoryTown(date(2024, 2, 29))

test_leap_day_looks_at_the_last_day_of_shorter_months = leap_day.history_rule(
    gp_events="""
        person   | code     | event_date
        february | 38341003 | 2023-02-27
        last_day | 38341003 | 2023-02-28
    """,
    gp_medications=medicines(
        repeats("year_old", p1005="2023-02-28"),
        repeats("older", p1005="2023-02-27"),
        repeats("oldest", p1005="2022-02-28"),
        repeats("too_old", p1005="2022-02-27"),
    ),
    history="""
        person   | months_before | snapshot_date | efi_deficits
        february | 12            | 2023-02-28    | 1
        last_day | 12            | 2023-02-28    | 0
        last_day | 11            | 2023-03-29    | 1
        year_old | 12            | 2023-02-28    | 0
        year_old | 0             | 2024-02-29    | 1
        older    | 12            | 2023-02-28    | 1
        older    | 1             | 2024-01-29    | 1
        older    | 0             | 2024-02-29    | 0
        oldest   | 12            | 2023-02-28    | 1
        oldest   | 11            | 2023-03-29    | 0
        too_old  | 12            | 2023-02-28    | 0
    """,
)

month_end = HistoryTown(date(2025, 3, 31))

test_window_begins_12_months_before_its_snapshot_and_not_13_before_as_of = month_end.history_rule(
    gp_medications=medicines(repeats("in_it", p1005="2024-02-28"), repeats("before_it", p1005="2024-02-27")),
    gp_events="""
        person | code     | event_date
        ann    | 38341003 | 2025-02-27
        bob    | 38341003 | 2025-02-28
    """,
    history="""
        person    | months_before | snapshot_date | efi_deficits
        in_it     | 2             | 2025-01-31    | 1
        in_it     | 1             | 2025-02-28    | 1
        in_it     | 0             | 2025-03-31    | 0
        before_it | 2             | 2025-01-31    | 1
        before_it | 1             | 2025-02-28    | 0
        ann       | 1             | 2025-02-28    | 1
        bob       | 1             | 2025-02-28    | 0
        bob       | 0             | 2025-03-31    | 1
    """,
)
