"""The nights of the synthetic town: what deliveries bring, and the truth of every night against a plain reading."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskstrat.dates import months_before
from riskstrat.definitions.contracts import load_contracts
from riskstrat.demo.nights.deliveries import NIGHTLY, WHEN_CHANGED
from riskstrat.demo.nights.horizon import MOST_NIGHTS
from riskstrat.demo.town import write_town
from riskstrat.errors import MisuseError
from riskstrat.site import default_site

AS_OF = date(2026, 4, 1)
CONFIG, CONTRACTS = default_site() / "config", default_site() / "data_contracts"
PEOPLE, SEED, NIGHTS = 12_000, 5, 10
UNPLANNED = {"21", "22", "23", "24", "25", "28", "2A", "2D"}
DAY = timedelta(days=1)

Row = dict[str, str]
Deliveries = dict[date, dict[str, list[Row]]]


def town(
    folder: Path, *, people: int = 1_500, seed: int = SEED, nights: int = NIGHTS, **options: Any
) -> Path:
    write_town(
        folder,
        CONFIG / "codelists",
        CONFIG / "geography",
        CONTRACTS,
        people=people,
        seed=seed,
        as_of=AS_OF,
        nights=nights,
        **options,
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def read(landing: Path) -> Deliveries:
    found: Deliveries = {}
    for folder in sorted(landing.glob("2026-*")):
        extracts = {}
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as lines:
                extracts[path.stem] = list(csv.DictReader(lines))
        found[date.fromisoformat(folder.name)] = extracts
    return found


def day_of(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


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


def known_by(deliveries: Deliveries, extract: str, night: date) -> list[Row]:
    """Every row of an extract that a run of a night reads, oldest delivery first."""
    return [row for day, extracts in deliveries.items() if day < night for row in extracts.get(extract, ())]


def latest_versions(deliveries: Deliveries, extract: str, key: str, night: date) -> list[Row]:
    return list({row[key]: row for row in known_by(deliveries, extract, night)}.values())


def test_first_night_is_the_town_of_one_night(tmp_path: Path):
    one, ten = town(tmp_path / "one", nights=1), town(tmp_path / "ten")
    first = contents(one)
    assert "truth/nights.parquet" not in first
    assert first.items() <= contents(ten).items()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_nights(tmp_path: Path):
    first = contents(town(tmp_path / "first"))
    assert contents(town(tmp_path / "again")) == first
    other = contents(town(tmp_path / "other", seed=SEED + 1))
    assert other["2026-04-04/acute_episodes.csv"] != first["2026-04-04/acute_episodes.csv"]


def test_town_of_fewer_nights_is_the_beginning_of_one_of_more(tmp_path: Path):
    few, many = town(tmp_path / "few", nights=4), town(tmp_path / "many", nights=MOST_NIGHTS)
    short, long = contents(few), contents(many)
    for name in ("truth/nights.parquet",):
        short_truth, long_truth = (pq.read_table(folder / name) for folder in (few, many))
        nights = short_truth["as_of"].unique().to_pylist()
        kept = [row for row in long_truth.to_pylist() if row["as_of"] in nights]
        assert kept == short_truth.to_pylist()
        del short[name]
    assert len([name for name in short if name.startswith("2026-04")]) > 3 * len(NIGHTLY)
    assert short.items() <= long.items()


def test_chunks_have_nights_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("riskstrat.demo.town.CHUNK", 600)
    landing = town(tmp_path)
    truth = pq.read_table(landing / "truth" / "nights.parquet").to_pylist()
    assert len({(row["as_of"], row["person"]) for row in truth}) == len(truth)
    assert len({(row["as_of"], row["nhs_number"]) for row in truth}) == len(truth)
    for day, extracts in read(landing).items():
        for extract in ("gp_events", "acute_adt", "acute_attendances", "gp_medications"):
            keys = Counter(tuple(row.values()) for row in extracts[extract])
            owners = {(next(iter(row.values())), row["nhs_number"]) for row in extracts[extract]}
            assert len(owners) == len({key for key, _ in owners}), (day, extract)
            assert set(keys.values()) <= {1, 2}


@pytest.mark.parametrize(
    ("nights", "faults", "said"),
    [(MOST_NIGHTS + 1, False, "1 to 31 nights"), (0, False, "nights"), (2, True, "one night")],
)
def test_towns_of_nights_that_cannot_be_are_refused(tmp_path: Path, nights: int, faults: bool, said: str):
    with pytest.raises(MisuseError, match=said) as refusal:
        town(tmp_path, people=100, nights=nights, faults=faults)
    assert refusal.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_night_takes_the_place_of_an_earlier_towns_and_of_nothing_else(tmp_path: Path):
    town(tmp_path, people=100, nights=6)
    town(tmp_path, people=100, nights=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-03-31",
        "2026-04-01",
        "2026-04-02",
        "truth",
    ]
    other = tmp_path / "2026-04-04"
    other.mkdir()
    (other / "gp_events.csv").write_text("real data")
    before = contents(tmp_path)
    with pytest.raises(MisuseError, match="never overwritten"):
        town(tmp_path, people=100, nights=6)
    assert contents(tmp_path) == before
    town(tmp_path, people=100, nights=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-03-31", "2026-04-04", "truth"]
    assert not (tmp_path / "truth" / "nights.parquet").exists()


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


def stays_by_messages(rows: list[Row], episodes: list[Row]) -> dict[str, list[tuple[date, date | None]]]:
    """Each person's latest stay at each trust by messages: the day it began and the day it ended, if it did.

    A cancellation takes back the last message of the stay that stands; episodes end a stay of a night that messages
    leave open, and tell of one that began before a trust's first message as long as nothing is said of it.
    """
    ordered: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        ordered[row["nhs_number"], row["provider_code"]].add((row["event_at"], row["event_type"]))
    spells = {
        (row["nhs_number"], row["provider_code"], row["admission_date"], row["discharge_date"])
        for row in episodes
        if row["discharge_date"] > row["admission_date"] and row["patient_classification"] in ("1", "2")
    }
    found: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    for (number, provider), messages in ordered.items():
        stays: list[list[tuple[str, str]]] = [[]]
        for moment, kind in sorted(messages):
            if kind == "admitted":
                stays.append([])
            if kind != "cancelled":
                stays[-1].append((moment, kind))
            elif stays[-1]:
                stays[-1].pop()
        kept = [stays[0], *(stay for stay in stays[1:] if stay and stay[0][1] == "admitted")]
        kept = [stay for stay in kept if stay]
        if not kept:
            continue
        began, (last, kind) = kept[-1][0][0][:10], kept[-1][-1]
        ended = last[:10] if kind == "discharged" else None
        for whose, where, admission, discharge in spells:
            if (
                ended is None
                and (whose, where) == (number, provider)
                and admission >= began
                and discharge >= last[:10]
            ):
                ended = discharge
        found[number].append((date.fromisoformat(began), date.fromisoformat(ended) if ended else None))
    return found


def stays_before_messages(rows: list[Row], episodes: list[Row]) -> Iterator[tuple[str, date, date | None]]:
    """Spells that began before their trust's first message and of which it has said nothing that stands since."""
    first: dict[str, str] = {}
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    order = ("admitted", "transferred", "discharged", "cancelled")
    columns = ("event_at", "nhs_number", "provider_code")
    once = {(order.index(row["event_type"]), *(row[name] for name in columns)) for row in rows}
    for kind, moment, number, provider in sorted(once, key=lambda message: (message[1], message[0])):
        first.setdefault(provider, moment[:10])
        standing = said[number, provider]
        if order[kind] != "cancelled":
            standing.append(moment[:10])
        elif standing:
            standing.pop()
    spells = {
        (row["nhs_number"], row["provider_code"], row["spell_id"]): row
        for row in sorted(episodes, key=lambda row: int(row["episode_number"]))
        if row["patient_classification"] in ("1", "2")
    }
    for (number, provider, _), row in spells.items():
        began, ended = row["admission_date"], row["discharge_date"]
        if began < first.get(provider, "9999") and max(said[number, provider], default="") < began:
            yield number, date.fromisoformat(began), date.fromisoformat(ended) if ended else None


def events_by_reading(deliveries: Deliveries, night: date) -> dict[str, tuple[str, date]]:
    """What has just happened to each person, read from all rows delivered before a night."""
    attendances = latest_versions(deliveries, "acute_attendances", "attendance_id", night)
    episodes = latest_versions(deliveries, "acute_episodes", "episode_id", night)
    found: dict[str, list[tuple[int, int, str, date]]] = defaultdict(list)
    for row in attendances:
        arrived = datetime.fromisoformat(row["arrival_at"]).date()
        first = row["attendance_category"] == "1" and row["department_type"] != "05"
        if first and not row["departure_at"] and (night - arrived).days == 1:
            found[row["nhs_number"]].append((1, -arrived.toordinal(), "in_ae", arrived))
    messages = known_by(deliveries, "acute_adt", night)
    every_stay = stays_by_messages(messages, episodes)
    for number, began, ended in stays_before_messages(messages, episodes):
        every_stay[number].append((began, ended))
    for number, stays in every_stay.items():
        for began, ended in stays:
            if ended is None:
                kind, order = ("admitted", 2) if (night - began).days <= 2 else ("in_hospital", 3)
                found[number].append((order, -began.toordinal(), kind, began))
            elif (night - ended).days <= 2:
                found[number].append((4, -ended.toordinal(), "discharged", ended))
    return {number: min(events)[2:] for number, events in found.items()}


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
