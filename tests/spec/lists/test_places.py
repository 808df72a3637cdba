"""How the areas of a list share its places, and what the run says of it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests import factories
from tests.spec.lists.nights import Night, Place, key
from tests.spec.lists.worlds import Person, delivered, person

AS_OF = date(2026, 4, 1)
FALL = "1912002"  # on the code list of falls


def quotas(night: Night, name: str) -> dict[str, int]:
    return {code: area["quota"] for code, area in night.manifest["lists"][name]["areas"].items()}


def people_of(counts: dict[int, int]) -> list[Person]:
    """So many ill people of each practice; even practices lie in TN1, odd ones in TN2."""
    places = [practice for practice, people in counts.items() for _ in range(people)]
    return [person(index, practice=practice) for index, practice in enumerate(places, start=1)]


def test_need_that_nobody_knows_or_has_is_shared_per_head_and_said(place: Place):
    night = place.night(AS_OF, delivered(AS_OF, people_of({0: 12, 1: 4})))
    expected = {"unsure": {"TN1": 5, "TN2": 1}, "needy": {"TN1": 6, "TN2": 2}}
    assert {name: quotas(night, name) for name in expected} == expected
    said = {
        name: night.manifest["lists"][name].get("shared_per_head_because") for name in (*expected, "huddle")
    }
    assert said == {
        "unsure": "agencies_90d is unknown for everybody of an area",
        "needy": "unplanned_admissions_12m is 0 for everybody",
        "huddle": None,
    }
    assert any(
        "unsure are shared per head, because agencies_90d" in one for one in night.manifest["warnings"]
    )


def test_people_of_whom_the_need_is_unknown_count_as_the_others_of_their_area(place: Place):
    # Practice 0 sent nothing in November, so the falls of its three people are unknown.
    people = people_of({0: 3, 2: 1, 1: 4})
    rows = delivered(AS_OF, people)
    silent, known, others = people[0], people[3], people[4:]
    for row in rows["gp_events"]:
        row["event_date"] = date(2025, 9, 1)
    rows["gp_events"] += [
        factories.event(silent.number, event_date=date(2025, month, 1 + row % 30))
        for month in (10, 12)
        for row in range(60)
    ]
    fallen = [(known, 3), (known, 9), *((one, 1) for one in others)]
    rows["gp_events"] += [
        factories.event(one.number, code=FALL, event_date=date(2026, 3, day)) for one, day in fallen
    ]
    night = place.night(AS_OF, rows)
    assert "falls_12m" in features_unknown_to(night, silent)
    # Two falls of the one who is known stand for eight of four people, against four of four: two to one.
    assert quotas(night, "falling") == {"TN1": 4, "TN2": 2}


def features_unknown_to(night: Night, one: Person) -> set[str]:
    table = pq.read_table(night.folder / "features.parquet").to_pylist()
    (row,) = [row for row in table if row["person_id"] == key(one.number)]
    return {name for name, value in row.items() if value is None}


@pytest.mark.parametrize("name", ["everybody", "monthly"])
def test_a_list_without_a_capacity_has_no_quota(place: Place, name: str):
    night = place.night(AS_OF, delivered(AS_OF, people_of({0: 1})))
    assert set(quotas(night, name).values()) == {None}
    assert {row["threshold_place"] for row in night.rows("eligible") if row["list"] == name} == {None}


def test_a_site_without_lists_publishes_none(tmp_path: Path, list_site: Any):
    site = Path(shutil.copytree(list_site, tmp_path / "site"))
    for path in (site / "config" / "lists").iterdir():
        path.unlink()
    night = Place(site, tmp_path).night(AS_OF, delivered(AS_OF, people_of({0: 1})))
    assert night.manifest["lists"] == {}
    assert (night.rows("eligible"), night.rows("memory")) == ([], [])
