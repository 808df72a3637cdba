"""A night that remembers what it read of files leaves what a night leaves that reads them all."""

from __future__ import annotations

import gzip
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from riskstrat.keys import person_id, read_site_key
from riskstrat.stages.ingest import memory
from tests import factories, small_town
from tests.factories import nhs_number
from tests.reading_nights import Night, about, entries, entry_of, read_night, remembered_bytes, rows_in
from tests.supplier_files import emis, sus
from tests.supplier_files.files import write_empty_extracts

AS_OF = small_town.AS_OF
FIRST, SECOND, THIRD = (AS_OF - timedelta(days=days) for days in (3, 2, 1))
STRANGER, UNKNOWN = nhs_number(700), nhs_number(701)
FLAW = "9991112223"  # ten digits in a place where none belong


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "LEAST_BYTES", 0)
    return small_town.write_site(tmp_path / "site")


def deliver(site: Path, day: date, **extracts: list[dict[str, Any]]) -> None:
    for name, rows in extracts.items():
        small_town.write_rows(site / "landing" / day.isoformat() / f"{name}.csv", rows)


def flawed_town() -> dict[str, list[dict[str, Any]]]:
    """The small town with rows of strangers, twins, withdrawn rows and most ways in which a row is turned away."""
    town = small_town.town()
    number = nhs_number(1)
    town["gp_events"] += [
        factories.event(STRANGER, event_id="S1"),
        factories.event(UNKNOWN, event_id="S2"),
        factories.event(number, event_id="D1", deleted="true"),
        factories.event(number, event_id="T1", value=1),
        factories.event(number, event_id="T1", value=1),
        factories.event(number, event_id="T1", value=2),
        factories.event("", event_id="Q1"),
        factories.event("1234567890", event_id="Q2"),
        factories.event(number, event_id="Q3", event_date="soon"),
        factories.event(number, event_id="Q4", code_system="Smith", unit=f"of {FLAW}"),
        factories.event(number, event_id="Q5", code="1.23E+11"),
        factories.event(number, event_id="W1", code="123456"),
    ]
    town["community_contacts"] += [
        factories.community_contact(number, provider_code=f"RC9 {nhs_number(5)}"),
        factories.community_contact(number, attendance_status="9"),
    ]
    return town


def both(site: Path, as_of: date = AS_OF) -> Night:
    """The night as it is with what is remembered, once it was found equal to the night without."""
    warm, cold = read_night(site, as_of), read_night(site, as_of, remembers=False)
    assert warm == cold
    return warm


def test_nights_of_corrections_are_those_of_a_cold_reading(site: Path):
    deliver(site, FIRST, **flawed_town())
    with (site / "landing" / FIRST.isoformat() / "gp_events.csv").open("a", newline="") as lines:
        lines.write("one,field\r\n")
    files = len(small_town.town())
    assert both(site, SECOND).files == (files, 0, 0)
    number = nhs_number(2)
    deliver(
        site,
        SECOND,
        gp_patients=small_town.town()["gp_patients"],
        gp_events=[
            factories.event(number, event_id="Q3"),  # a correction, of another person's row at that
            factories.event(number, event_id="T1", value=3),
            factories.event(number, event_id="S1", deleted="true"),
            factories.event(number, event_id="Q9", event_date="never"),
        ],
    )
    second = both(site, THIRD)
    assert second.files == (2, files - 1, 0)
    assert second.books["gp_events"]["corrected"] == 1
    deliver(site, THIRD, gp_events=[factories.event(number, event_id="T1", value=4)])
    third = both(site)
    assert third.files == (2, files, 0)
    assert len(third.quarantined["gp_events"]) == 7
    assert third.books["gp_events"]["unlinked"] == 1
    assert {"D1", "S1"}.isdisjoint(row[1] for row in third.rows["gp_events"])


def test_stranger_who_registers_and_somebody_who_leaves_take_their_older_rows_along(site: Path):
    town = flawed_town()
    deliver(site, FIRST, **town)
    before = both(site, SECOND)
    assert before.books["gp_events"]["unlinked"] == 2
    stayed = [row for row in town["gp_patients"] if row["nhs_number"] != nhs_number(3)]
    deliver(site, SECOND, gp_patients=[factories.patient(STRANGER), *stayed])
    after = both(site, THIRD)
    assert after.files[:2] == (1, len(town) - 1)
    ten = sum(row["nhs_number"] == nhs_number(3) for row in town["gp_events"])
    assert after.books["gp_events"]["unlinked"] == before.books["gp_events"]["unlinked"] - 1 + ten
    assert {row[0] for row in after.rows["gp_events"] if row[1] == "S1"} != {None}
    assert {row[0] for row in after.rows["gp_events"] if row[1] == "S2"} == {None}


def test_rows_keep_their_order_and_their_people_beyond_a_reading_buffer(site: Path):
    """The later of two lines of one key wins, wherever they stand in a file that is read and kept in parallel."""
    count, people = 400_000, 300
    deliver(site, FIRST, **small_town.town())
    deliver(site, FIRST, gp_patients=[factories.patient(nhs_number(index)) for index in range(people)])
    place = np.arange(count)
    numbers = np.array([nhs_number(index) for index in range(people + 20)])
    events = pa.table(
        {
            "event_id": [f"K{one}" for one in place % 250_000],
            "nhs_number": numbers[(place * 7919) % len(numbers)],
            "event_date": np.full(count, "2025-10-01"),
            "code_system": np.full(count, "snomed"),
            "code": np.full(count, "271737000"),
            "value": place,
        }
    )
    pc.write_csv(events, site / "landing" / FIRST.isoformat() / "gp_events.csv")
    assert both(site, SECOND).files[1] == 0
    known = both(site, SECOND)
    assert known.files[1] == len(small_town.town()) - 1
    values = [row[-2] for row in known.rows["gp_events"]]
    assert values == sorted(values), "of twins the later line is kept, in the order of the file"
    assert len(values) == 250_000


def test_packed_files_parquet_files_and_several_of_an_extract_are_remembered(site: Path):
    town = flawed_town()
    events = town.pop("gp_events")
    deliver(site, FIRST, **town)
    folder = site / "landing" / FIRST.isoformat()
    for name, rows in (
        ("gp_events_a", events[:20]),
        ("gp_events_b", events[20:50]),
        ("gp_events_c", events[50:]),
    ):
        small_town.write_rows(folder / f"{name}.csv", rows)
    packed, flat = folder / "gp_events_a.csv", folder / "gp_events_b.csv"
    (folder / "gp_events_a.csv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    pq.write_table(
        pa.Table.from_pylist(
            [{name: value and str(value) for name, value in row.items()} for row in events[20:50]]
        ),
        folder / "gp_events_b.parquet",
    )
    packed.unlink()
    flat.unlink()
    assert both(site, SECOND).files[1] == 0
    assert both(site, SECOND).files[:2] == (1, len(town) + 2)
    assert {len(rows_in(entry)) for entry in entries(site, "gp_events")} == {20, 30, len(events) - 50}


def test_register_and_extracts_of_one_row_a_person_are_read_every_night(site: Path):
    deliver(
        site,
        FIRST,
        **small_town.town(),
        community_caseload=[factories.caseload_entry(nhs_number(1))],
    )
    assert both(site, SECOND).files[2] == 1
    assert both(site, SECOND).files == (2, len(small_town.town()) - 1, 1)
    assert not entries(site, "gp_patients")
    assert not entries(site, "community_caseload")


def test_flat_file_of_a_supplier_is_remembered_and_one_that_is_looked_up_in_others_is_not(site: Path):
    folder = site / "landing" / FIRST.isoformat()
    emis.write(folder)
    write_empty_extracts(
        folder,
        "acute_episodes",
        "acute_attendances",
        "gp_patients",
        "gp_events",
        "gp_medications",
        "gp_contacts",
    )
    sus.write_ecds(folder, [sus.attendance(1, 1)])
    sus.write_apc(folder, [sus.episode(1, 1), sus.episode(2, 2)])
    first = both(site, SECOND)
    assert first.files[1] == 0
    again = both(site, SECOND)
    assert again.files[1] > 0
    assert entries(site, "acute_episodes")
    assert entries(site, "acute_attendances")
    assert not entries(site, "gp_events")
    assert again.files[2] == first.files[2] > 0


def test_file_below_the_least_size_is_read_again(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "LEAST_BYTES", 1_000_000)
    deliver(site, FIRST, **small_town.town())
    assert both(site, SECOND).files == (len(small_town.town()), 0, 0)
    assert not entries(site)


def test_what_is_remembered_names_nobody(site: Path):
    town = flawed_town()
    deliver(site, FIRST, **town)
    read_night(site, SECOND)
    contents = list(remembered_bytes(site))
    key = read_site_key(site / "keys")
    assert any(person_id(key, nhs_number(1)).encode() in content for content in contents), "the search finds"
    wanted = [row["nhs_number"] for rows in town.values() for row in rows if row["nhs_number"]]
    for text in {*wanted, FLAW, "Smith"}:
        assert not any(text.encode() in content for content in contents), text
    for path in (site / "state" / memory.FOLDER).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((site / "state" / memory.FOLDER).stat().st_mode) == 0o700


def test_places_of_people_do_not_tell_the_order_of_their_numbers(site: Path):
    deliver(site, FIRST, **small_town.town())
    read_night(site, SECOND)
    key = read_site_key(site / "keys")
    known = pq.read_table(entry_of(site, "gp_events") / "people.parquet")["pseudonym"].to_pylist()
    assert known == sorted(known)
    assert set(known) == {person_id(key, nhs_number(index)) for index in range(1, 6)}


def test_file_whose_turned_away_row_has_a_key_that_cannot_be_shown_is_read_every_night(site: Path):
    town = small_town.town()
    town["gp_events"].append(factories.event("", event_id=f"id {FLAW}"))
    deliver(site, FIRST, **town)
    assert both(site, SECOND).files[2] == 1
    again = both(site, SECOND)
    assert again.files == (2, len(town) - 2, 1)
    assert again.said.endswith("2 read, 4 known from an earlier night; 1 cannot be remembered")
    assert not entries(site, "gp_events")
    assert not any(FLAW.encode() in content for content in remembered_bytes(site))


def test_what_left_the_landing_folder_or_was_replaced_is_forgotten(site: Path):
    deliver(site, FIRST, **small_town.town())
    deliver(site, SECOND, gp_events=[factories.event(nhs_number(1))])
    read_night(site, THIRD)
    assert len(entries(site, "gp_events")) == 2
    deliver(site, SECOND, gp_events=[factories.event(nhs_number(2))])
    assert both(site, THIRD).files[0] == 2
    assert len(entries(site, "gp_events")) == 2
    (site / "landing" / SECOND.isoformat() / "gp_events.csv").unlink()
    deliver(site, SECOND, gp_contacts=[factories.gp_contact(nhs_number(2))])
    both(site, THIRD)
    assert about(entry_of(site, "gp_events"))["delivery"] == FIRST.isoformat()


def test_run_of_the_past_leaves_what_later_deliveries_left(site: Path):
    deliver(site, FIRST, **small_town.town())
    deliver(site, SECOND, gp_events=[factories.event(nhs_number(1))])
    read_night(site, THIRD)
    assert both(site, SECOND).files[0] == 1
    assert both(site, THIRD).files[0] == 1
