"""What the deliveries of the town's nights bring, and the truth of every night against a plain reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskstrat.dates import months_before
from riskstrat.definitions.contracts import load_contracts
from riskstrat.demo.nights.deliveries import NIGHTLY, WHEN_CHANGED
from tests.integration.town_of_nights import (
    AS_OF,
    CONTRACTS,
    DAY,
    NIGHTS,
    PEOPLE,
    UNPLANNED,
    Deliveries,
    Row,
    day_of,
    events_by_reading,
    known_by,
    latest_versions,
    read,
    town,
)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town(tmp_path_factory.mktemp("town"), people=PEOPLE)


@pytest.fixture(scope="module")
def deliveries(landing: Path) -> Deliveries:
    return read(landing)


@pytest.fixture(scope="module")
def truth(landing: Path) -> dict[date, dict[str, dict[str, Any]]]:
    nights: dict[date, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in pq.read_table(landing / "truth" / "nights.parquet").to_pylist():
        nights[row["as_of"]][row["nhs_number"]] = row
    return nights


@pytest.fixture(scope="module")
def people(landing: Path) -> dict[str, dict[str, Any]]:
    return {row["nhs_number"]: row for row in pq.read_table(landing / "truth" / "people.parquet").to_pylist()}


def test_every_delivery_has_what_is_sent_nightly_and_in_full_what_changed(deliveries: Deliveries):
    days = list(deliveries)
    assert days == [AS_OF - DAY + night * DAY for night in range(NIGHTS)]
    last_sent = {name: deliveries[days[0]][name] for name in WHEN_CHANGED}
    changes: Counter[str] = Counter()
    for day in days[1:]:
        assert set(NIGHTLY) <= set(deliveries[day]) <= {*NIGHTLY, *WHEN_CHANGED}
        assert len(deliveries[day]["gp_patients"]) >= len(deliveries[days[0]]["gp_patients"])
        for name in set(WHEN_CHANGED) & set(deliveries[day]):
            assert deliveries[day][name] != last_sent[name]
            last_sent[name] = deliveries[day][name]
            changes[name] += 1
    assert all(changes[name] >= 1 for name in WHEN_CHANGED)
    assert all(changes[name] < NIGHTS - 1 for name in WHEN_CHANGED)


def test_no_delivery_knows_of_what_has_not_happened_yet(deliveries: Deliveries):
    contracts = load_contracts(CONTRACTS)
    for day, extracts in deliveries.items():
        for extract, rows in extracts.items():
            dates = [
                column.name for column in contracts[extract].columns if column.type in ("date", "timestamp")
            ]
            for row in rows:
                for column in dates:
                    told = day_of(row.get(column, ""))
                    assert told is None or told <= day, (extract, column)


def test_rows_come_late_at_times_and_recorded_dates_say_so(deliveries: Deliveries):
    late: dict[str, Counter[bool]] = defaultdict(Counter)
    happened = {"gp_events": "event_date", "acute_adt": "event_at", "acute_attendances": "arrival_at"}
    for day, extracts in list(deliveries.items())[1:]:
        for extract, column in happened.items():
            for row in extracts[extract]:
                if (day_of(row[column]) or day) >= AS_OF:
                    late[extract][day_of(row[column]) != day] += 1
        assert {row["recorded_date"] for row in extracts["acute_episodes"]} <= {day.isoformat()}
    for counts in late.values():
        assert 0.01 < counts[True] / counts.total() < 0.25


def test_unplanned_stays_are_exactly_those_of_the_outcome_year(
    deliveries: Deliveries, people: dict[str, dict[str, Any]]
):
    last = max(deliveries)
    admitted: dict[str, list[tuple[date, date]]] = defaultdict(list)
    seen = set()
    for day, extracts in deliveries.items():
        for row in extracts["acute_episodes"]:
            began = date.fromisoformat(row["admission_date"])
            if row["admission_method"] in UNPLANNED and began >= AS_OF and row["spell_id"] not in seen:
                seen.add(row["spell_id"])
                admitted[row["nhs_number"]].append((began, day))
    for number, person in people.items():
        first = person["first_admission_next_12m"]
        if number in admitted:
            assert min(began for began, _ in admitted[number]) == first
            assert len(admitted[number]) <= person["unplanned_admissions_next_12m"]
        # Episodes come at most three days late.
        assert number in admitted or first is None or first > last - 3 * DAY
    assert sum(map(len, admitted.values())) > 20
    assert all(day - began <= 3 * DAY for stays in admitted.values() for began, day in stays)


def test_open_spell_is_closed_by_a_later_version_of_the_same_episodes(deliveries: Deliveries):
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in known_by(deliveries, "acute_episodes", max(deliveries) + DAY):
        versions[row["episode_id"]].append(row)
    again = [rows for rows in versions.values() if len(rows) > 1]
    ends = {"episode_end", "discharge_date", "discharge_method", "discharge_destination", "recorded_date"}
    closed = 0
    for rows in again:
        assert len({tuple(value for name, value in row.items() if name not in ends) for row in rows}) == 1
        assert all(not row["discharge_date"] for row in rows[:-1])
        assert all(before["recorded_date"] < after["recorded_date"] for before, after in pairwise(rows))
        closed += bool(rows[-1]["discharge_date"])
    first = {row["episode_id"] for row in deliveries[AS_OF - DAY]["acute_episodes"]}
    assert closed > 10
    assert any(rows[0]["episode_id"] in first for rows in again)


def test_nobody_is_in_two_beds_and_nobody_is_treated_after_death(
    deliveries: Deliveries, truth: dict[date, dict[str, dict[str, Any]]]
):
    end = max(deliveries) + DAY
    died = {number: row["date_of_death"] for number, row in truth[end].items() if row["date_of_death"]}
    assert any(day >= AS_OF for day in died.values())
    stays: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in latest_versions(deliveries, "acute_episodes", "episode_id", end):
        until = row["discharge_date"] or "9999"
        if row["patient_classification"] in ("1", "2") and until >= AS_OF.isoformat():
            stays[row["nhs_number"]][row["spell_id"]] = (row["admission_date"], until)
    for number, spells in stays.items():
        ordered = sorted(spells.values())
        assert all(before[1] <= after[0] for before, after in pairwise(ordered)), number
    columns = {"gp_events": "event_date", "gp_medications": "issue_date", "community_contacts": "contact_date",
               "acute_attendances": "arrival_at", "acute_episodes": "admission_date"}  # fmt: skip
    for extract, column in columns.items():
        for row in known_by(deliveries, extract, end):
            day = day_of(row[column])
            assert row["nhs_number"] not in died or (day is not None and day <= died[row["nhs_number"]]), (
                extract
            )


def test_messages_come_twice_out_of_order_and_are_taken_back(deliveries: Deliveries):
    kinds: Counter[str] = Counter()
    twice = unordered = 0
    told: dict[str, Row] = {}
    for day, extracts in list(deliveries.items())[1:]:
        moments = [row["event_at"] for row in extracts["acute_adt"]]
        unordered += moments != sorted(moments)
        for row in extracts["acute_adt"]:
            kinds[row["event_type"]] += 1
            twice += row["message_id"] in told
            assert told.setdefault(row["message_id"], row) == row, day
    assert set(kinds) == {"admitted", "transferred", "discharged", "cancelled"}
    assert twice >= 1
    assert unordered == NIGHTS - 1


def test_who_is_in_ae_at_midnight_is_told_of_again_on_leaving(deliveries: Deliveries):
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in known_by(deliveries, "acute_attendances", max(deliveries) + DAY):
        versions[row["attendance_id"]].append(row)
    waited = [rows for rows in versions.values() if not rows[0]["departure_at"] and len(rows) == 2]
    assert len(waited) >= 3
    assert all(rows[1]["departure_at"][:10] > rows[0]["arrival_at"][:10] for rows in waited)
    left_open = [row for row in deliveries[AS_OF - DAY]["acute_attendances"] if not row["departure_at"]]
    assert left_open
    assert all(versions[row["attendance_id"]][-1]["departure_at"] for row in left_open)


def test_pace_of_the_nights_is_that_of_the_year_before(deliveries: Deliveries):
    """Counts of a day, the nights against the last ninety days before them."""
    columns = {"gp_events": ("event_id", "event_date"), "gp_medications": ("issue_id", "issue_date"),
               "acute_attendances": ("attendance_id", "arrival_at"), "gp_contacts": ("contact_id", "contact_date"),
               "community_contacts": ("contact_id", "contact_date")}  # fmt: skip
    for extract, (key, column) in columns.items():
        rows = latest_versions(deliveries, extract, key, max(deliveries) + DAY)
        when = Counter(day_of(row[column]) for row in rows)
        before = sum(when[AS_OF - night * DAY] for night in range(1, 91)) / 90
        nights = sum(when[AS_OF + night * DAY] for night in range(NIGHTS - 1)) / (NIGHTS - 1)
        assert 0.75 < nights / before < 1.3, (extract, before, nights)


def test_new_people_register_with_a_record_and_others_leave_or_change_practice(
    deliveries: Deliveries, truth: dict[date, dict[str, dict[str, Any]]], people: dict[str, dict[str, Any]]
):
    end = max(truth)
    newcomers = truth[end].keys() - people.keys()
    assert newcomers
    assert not newcomers & truth[AS_OF].keys()
    recorded = {row["nhs_number"] for row in known_by(deliveries, "gp_events", end)}
    assert newcomers & recorded
    for reason in ("died", "moved", "opted out"):
        here = {
            number
            for number, row in truth[end].items()
            if row["not_in_population_because"] == reason
            and number in people
            and truth[AS_OF][number]["in_population"]
        }
        assert here, reason
    assert any(
        row["in_population"]
        and number in people
        and row["practice_code"] != truth[AS_OF][number]["practice_code"]
        for number, row in truth[end].items()
    )


def test_events_of_the_truth_are_what_a_plain_reading_of_all_rows_finds(
    deliveries: Deliveries, truth: dict[date, dict[str, dict[str, Any]]]
):
    kinds: Counter[str] = Counter()
    for night, everybody in truth.items():
        told = {
            number: (row["event"], row["event_date"]) for number, row in everybody.items() if row["event"]
        }
        assert events_by_reading(deliveries, night) == told, night
        kinds.update(kind for kind, _ in told.values())
    assert set(kinds) == {"in_ae", "admitted", "in_hospital", "discharged"}


def test_admissions_of_the_truth_are_what_a_plain_reading_of_episodes_finds(
    deliveries: Deliveries, truth: dict[date, dict[str, dict[str, Any]]]
):
    """Transfers apart, an unplanned spell is an admission of its own in the town."""
    for night in (min(truth), max(truth)):
        days: dict[str, set[tuple[str, str]]] = defaultdict(set)
        latest: dict[str, str] = defaultdict(str)
        for row in latest_versions(deliveries, "acute_episodes", "episode_id", night):
            if row["patient_classification"] in ("1", "2"):
                latest[row["nhs_number"]] = max(latest[row["nhs_number"]], row["admission_date"])
            within = row["admission_date"] >= months_before(night, 12).isoformat()
            if row["admission_method"] in UNPLANNED and within:
                days[row["nhs_number"]].add((row["spell_id"], row["admission_date"]))
        for number, row in truth[night].items():
            assert row["unplanned_admissions_12m"] == len(days[number])
            assert (row["last_admission_date"] or date.min) >= (day_of(latest[number]) or date.min)
