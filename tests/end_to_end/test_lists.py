"""Lists of several nights through the whole of a run, and what a new site key makes of them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskstrat import rotation
from riskstrat.definitions.everything import load_definitions
from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import Outcome, run
from riskstrat.progress import Progress
from riskstrat.runs import list_runs, verify_run
from riskstrat.site import load_site
from tests import factories, small_town

QUIET = Progress(quiet=True)
NIGHTS = [small_town.AS_OF + timedelta(days=days) for days in range(3)]
FIRST, SECOND = factories.nhs_number(1), factories.nhs_number(2)
LISTS = ("daily_huddle", "weekly_mdt", "monthly_practice")


def message(number: str, kind: str, day: date) -> dict[str, Any]:
    return {
        "message_id": f"{number}{kind}{day}",
        "nhs_number": number,
        "provider_code": "RT1",
        "event_type": kind,
        "event_at": f"{day} 10:00:00",
    }


def deliver(site: Path, as_of: date, messages: list[dict[str, Any]]) -> None:
    """What comes in on the day before a night: the whole town on the first, messages on the others."""
    folder = site / "landing" / (as_of - timedelta(days=1)).isoformat()
    extracts: Mapping[str, Any] = small_town.town() if as_of == NIGHTS[0] else {}
    for name, rows in extracts.items():
        small_town.write_rows(folder / f"{name}.csv", rows)
    small_town.write_rows(folder / "gp_patients.csv", small_town.town()["gp_patients"])
    small_town.write_rows(folder / "acute_adt.csv", messages)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights: on the first one person is in hospital; on the second the person has left, and another came in."""
    site = small_town.write_site(tmp_path_factory.mktemp("lists") / "site")
    day = NIGHTS[0] - timedelta(days=1)
    deliver(site, NIGHTS[0], [message(FIRST, "admitted", date(2026, 3, 20))])
    run(load_site(site), NIGHTS[0], progress=QUIET)
    left = [message(FIRST, "discharged", date(2026, 3, 22)), message(SECOND, "admitted", day)]
    deliver(site, NIGHTS[1], left)
    run(load_site(site), NIGHTS[1], progress=QUIET)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def nights(site: Path) -> list[Path]:
    return [one.folder for one in list_runs(site / "output")]


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / "lists" / f"{name}.parquet").to_pylist()


def key(site: Path, number: str) -> str:
    return person_id(read_site_key(site / "keys"), number)


def told(site: Path, folder: Path) -> dict[str, str]:
    """Who stands on the daily list, by the first or the second person, with the change or why they dropped off."""
    names = {key(site, FIRST): "first", key(site, SECOND): "second"}
    return {
        names[row["person_id"]]: row["change"] or row["dropped_because"]
        for row in rows(folder, "daily_huddle")
    }


def test_a_night_is_compared_with_the_night_before_and_says_so(published: Path):
    first, second = nights(published)
    assert told(published, first) == {"first": "NEW"}
    assert told(published, second) == {"first": "no recent event", "second": "NEW"}
    assert "earlier" not in manifest(first)
    assert manifest(second)["earlier"] == [first.name]
    huddle = manifest(second)["lists"]["daily_huddle"]
    assert huddle["compared_with"] == first.name
    assert manifest(second)["lists"]["weekly_mdt"]["compared_with"] is None  # a week has not passed
    assert huddle["areas"]["TN1"]["dropped"] == {"no recent event": 1}
    assert sum(area["quota"] for area in huddle["areas"].values()) == 50
    assert verify_run(list_runs(published / "output")[1]) == []


def test_the_same_night_again_is_the_same_run_to_the_byte(site: Path):
    _, second = nights(site)
    before = second.stat().st_mtime_ns
    assert run(load_site(site), NIGHTS[1], progress=QUIET).folder == second
    again: Outcome = run(
        load_site(site), NIGHTS[1], progress=QUIET, force=True
    )  # raises where a byte differs
    assert (again.folder, second.stat().st_mtime_ns) == (second, before)


def test_every_list_is_as_its_contract_says(published: Path):
    contracts = load_definitions(published).contracts
    for folder in nights(published):
        for name in LISTS:
            table = pq.read_table(folder / "lists" / f"{name}.parquet")
            assert table.column_names == [column.name for column in contracts["lists"].columns]
            for column in contracts["lists"].columns:
                values = table[column.name].to_pylist()
                assert not (column.required and None in values), column.name
                if column.allowed:
                    assert set(values) <= {*column.allowed, None}, column.name
        for name in ("eligible", "memory"):
            table = pq.read_table(folder / "lists" / f"{name}.parquet")
            assert table.column_names == [column.name for column in contracts[f"lists_{name}"].columns]
        keys = [(row["person_id"], row["list"], row["area_code"]) for row in rows(folder, "memory")]
        assert keys == sorted(set(keys))
        places = [(row["list"], row["area_code"], row["place"]) for row in rows(folder, "eligible")]
        assert places == sorted(set(places))


def test_every_area_has_a_file_of_the_columns_of_the_definition(published: Path):
    folder, definitions = nights(published)[1], load_definitions(published)
    for name in LISTS:
        definition = definitions.lists[name]
        areas = {row["area_code"] for row in rows(folder, name)} | manifest(folder)["lists"][name][
            "areas"
        ].keys()
        for area in areas:
            with (folder / "lists" / area / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
                lines = list(csv.DictReader(stream))
                assert list(lines[0] if lines else []) in ([], ["section", *definition.columns])
            people = [row["person_id"] for row in rows(folder, name) if row["area_code"] == area]
            assert [line["person_id"] for line in lines] == people
        document = json.loads((folder / "lists" / f"{name}.json").read_text(encoding="utf-8"))
        assert document["sha256"] == definition.sha256 == manifest(folder)["lists"][name]["sha256"]
        assert document["sections"][-1]["name"] == "dropped_off"
        assert document["empty_cells"]["lives_alone"] == "unknown"
        assert document["empty_cells"]["gaps"] == "none"
        assert (
            document["empty_cells"]["five_questions_last_asked_date"] == "unknown"
        )  # assessments never came


def test_cells_that_a_spreadsheet_would_run_are_harmless(site: Path):
    # A case manager is free text of a team; the file is opened in a spreadsheet.
    folder = site / "landing" / (NIGHTS[1] - timedelta(days=1)).isoformat()
    entry = factories.caseload_entry(SECOND, from_date=date(2026, 1, 1), case_manager="=1+1")
    small_town.write_rows(folder / "community_caseload.csv", [entry])
    outcome = run(load_site(site), NIGHTS[1], progress=QUIET)
    with (outcome.folder / "lists" / "TN2" / "daily_huddle.csv").open(encoding="utf-8", newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["case_manager"], line["has_care_plan"]) == ("'=1+1", "unknown")


def test_a_new_site_key_keeps_the_chain_of_nights(site: Path):
    old = [folder.name for folder in nights(site)]
    counts = [manifest(folder)["lists"]["daily_huddle"]["areas"] for folder in nights(site)]
    rotation.rotate(load_site(site), QUIET)
    first, second = nights(site)
    assert not {first.name, second.name} & set(old)
    assert manifest(second)["earlier"] == [first.name]
    assert manifest(second)["lists"]["daily_huddle"]["compared_with"] == first.name
    assert [manifest(folder)["lists"]["daily_huddle"]["areas"] for folder in (first, second)] == counts
    assert told(site, second) == {"first": "no recent event", "second": "NEW"}
    keys = [(row["person_id"], row["list"], row["area_code"]) for row in rows(second, "memory")]
    assert keys == sorted(keys)
    text = (second / "lists" / "TN2" / "daily_huddle.csv").read_text(encoding="utf-8")
    assert key(site, SECOND) in text
    back = [message(FIRST, "admitted", NIGHTS[2] - timedelta(days=1))]
    deliver(site, NIGHTS[2], back)
    third = run(load_site(site), NIGHTS[2], progress=QUIET).folder
    assert told(site, third) == {"first": "BACK", "second": "SAME"}
    assert manifest(third)["earlier"] == [second.name]
