"""What has changed since the list before: NEW, UP, DOWN, SAME, BACK, and who dropped off and why."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest

from tests.spec.lists.nights import Night, Place, key
from tests.spec.lists.worlds import Person, delivered, in_hospital, person

ONE, TWO, THREE, FOUR = date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 3), date(2026, 4, 4)
SINCE = in_hospital()


def changes(night: Night, name: str = "huddle") -> dict[str, str | None]:
    """Person -> change, or why the person dropped off."""
    return {row["person_id"]: row["change"] or row["dropped_because"] for row in night.rows(name)}


def publish(place: Place, as_of: date, *people: Person) -> Night:
    return place.night(as_of, delivered(as_of, list(people)), people=people)


def test_one_person_lives_through_every_change(place: Place):
    stays, moves = person(1, age=70, messages=SINCE), person(2, age=60, messages=SINCE)
    first = publish(place, ONE, stays, moves)
    assert changes(first) == {key(stays.number): "NEW", key(moves.number): "NEW"}
    assert first.manifest["lists"]["huddle"]["compared_with"] is None
    assert any("the newest message is of 2026-03-20" in warning for warning in first.manifest["warnings"])

    second = publish(place, TWO, stays, moves.but(age=80))
    assert changes(second) == {key(moves.number): "UP", key(stays.number): "DOWN"}
    assert second.manifest["lists"]["huddle"]["compared_with"] == first.folder.name

    third = publish(place, THREE, stays, moves.but(age=80, messages=()))
    assert changes(third) == {key(stays.number): "UP", key(moves.number): "no recent event"}

    fourth = publish(place, FOUR, stays, moves.but(age=60))
    assert changes(fourth) == {key(stays.number): "SAME", key(moves.number): "BACK"}
    assert fourth.manifest["lists"]["huddle"]["areas"]["TN1"] == {
        "name": "Neighbourhood 1",
        "quota": 2,
        "eligible": 2,
        "listed": 2,
        "new": 0,
        "back": 1,
        "dropped": {},
    }


def test_who_was_never_listed_is_new_even_after_many_nights(place: Place):
    first, later = person(1, messages=SINCE), person(2)
    publish(place, ONE, first, later)
    publish(place, TWO, first, later)
    assert changes(publish(place, THREE, first, later.but(messages=SINCE)))[key(later.number)] == "NEW"


def test_each_list_is_compared_with_the_newest_run_of_its_own_days_ago(place: Place):
    one = person(1)
    for day in (ONE, TWO, THREE, FOUR):
        publish(place, day, one)
    compared = place.nights[3].manifest["lists"]
    assert compared["huddle"]["compared_with"] == place.nights[2].folder.name  # a day ago
    assert compared["monthly"]["compared_with"] == place.nights[1].folder.name  # two days ago
    missed = publish(place, date(2026, 4, 9), one)
    assert missed.manifest["lists"]["monthly"]["compared_with"] == place.nights[3].folder.name


def test_who_came_back_between_two_compared_nights_is_new_on_the_slower_list(place: Place):
    # The list of two days ago did not know the person, and neither did the memory of that night.
    one, other = person(1), person(2, is_ill=False)
    publish(place, ONE, one, other)
    publish(place, TWO, one, other.but(is_ill=True))
    third = publish(place, THREE, one, other.but(is_ill=True))
    assert changes(third, "monthly")[key(other.number)] == "NEW"


def test_why_somebody_dropped_off(place: Place):
    died, moved, gone, fine = (person(index, messages=SINCE) for index in (1, 2, 3, 4))
    crossed, well, home, full = (person(index, messages=SINCE, practice=2 * index) for index in (5, 6, 7, 8))
    listed = [died, moved, gone, fine, crossed, well, home, full]
    everybody = [one.but(is_added=True) for one in listed]
    first = publish(place, ONE, *everybody)
    assert set(changes(first).values()) == {"NEW"}
    older = [person(index, age=90, messages=SINCE) for index in (20, 21, 22, 23)]
    second = publish(
        place,
        TWO,
        died.but(died=date(2026, 4, 1)),
        moved.but(left=date(2026, 4, 1)),
        gone.but(is_delivered=False),
        fine.but(is_added=True),
        crossed.but(practice=1, is_added=True),
        well.but(is_ill=False),
        home.but(messages=()),
        full,
        *older,
    )
    found = {row["person_id"]: row for row in second.rows("huddle") if row["area_code"] == "TN1"}
    reasons = {
        died: "died",
        moved: "moved",
        gone: "moved",
        crossed: "moved",
        well: "below threshold",
        home: "no recent event",
        full: "over capacity",
    }
    assert {one.number: found[key(one.number)]["dropped_because"] for one in reasons} == {
        one.number: why for one, why in reasons.items()
    }
    assert found[key(fine.number)]["dropped_because"] is None
    assert {row["section"] for row in found.values() if row["dropped_because"]} == {"dropped_off"}
    assert second.manifest["lists"]["huddle"]["areas"]["TN1"]["dropped"] == {
        "below threshold": 1,
        "died": 1,
        "moved": 3,
        "no recent event": 1,
        "over capacity": 1,
    }
    elsewhere = [row for row in second.rows("huddle") if row["area_code"] == "TN2"]
    assert [(row["person_id"], row["change"]) for row in elsewhere] == [(key(crossed.number), "NEW")]


def test_of_who_is_gone_a_list_says_what_it_said_before_and_nothing_newer(place: Place):
    stays, crosses = person(1, age=70, messages=SINCE), person(2, age=71, messages=SINCE)
    publish(place, ONE, stays, crosses)
    second = publish(place, TWO, stays, crosses.but(practice=1, age=75, on_caseload_since=date(2026, 4, 1)))
    (row,) = [row for row in second.rows("huddle") if row["dropped_because"]]
    said = {name: value for name, value in row.items() if value is not None}
    assert said == {
        "list": "huddle",
        "area_code": "TN1",
        "area_name": "Neighbourhood 1",
        "section": "dropped_off",
        "dropped_because": "moved",
        "person_id": key(crosses.number),
        "practice_code": "T00000",
        "pcn_code": "TP1",
        "neighbourhood_code": "TN1",
        "age": 71,
        "sex": "1",
        "is_manual_addition": False,
        "rest_overridden": False,
    }


def test_who_opts_out_is_counted_and_in_no_file(place: Place):
    stays, leaves = person(1, messages=SINCE), person(2, messages=SINCE)
    publish(place, ONE, stays, leaves)
    second = publish(place, TWO, stays, leaves.but(opted_out=True))
    assert second.manifest["lists"]["huddle"]["areas"]["TN1"]["dropped"] == {"opted out": 1}
    files = [path for path in (second.folder / "lists").rglob("*") if path.is_file()]
    assert files
    for name in ("huddle", "monthly", "everybody", "eligible", "memory"):
        assert key(leaves.number) not in {row["person_id"] for row in second.rows(name)}
    for path in files:
        if path.suffix == ".csv":
            assert key(leaves.number) not in path.read_text()
    third = publish(place, THREE, stays, leaves)
    assert changes(third)[key(leaves.number)] == "NEW"  # nothing was remembered


def test_who_opts_out_and_dies_is_only_counted(place: Place):
    stays, leaves = person(1, messages=SINCE), person(2, messages=SINCE)
    publish(place, ONE, stays, leaves)
    second = publish(place, TWO, stays, leaves.but(opted_out=True, died=date(2026, 4, 1)))
    assert second.manifest["lists"]["huddle"]["areas"]["TN1"]["dropped"] == {"opted out": 1}


def test_a_run_of_the_same_day_is_no_earlier_run(place: Place):
    one = person(1, messages=SINCE)
    publish(place, ONE, one)
    assert changes(publish(place, ONE, one)) == {key(one.number): "NEW"}


def test_a_run_that_is_filed_late_is_compared_with_what_came_before_its_day(place: Place):
    one, two = person(1, age=60, messages=SINCE), person(2, age=70, messages=SINCE)
    publish(place, THREE, one, two)
    late = publish(place, TWO, one, two)
    assert late.manifest["lists"]["huddle"]["compared_with"] is None
    again = publish(place, THREE, one, two)
    assert again.manifest["lists"]["huddle"]["compared_with"] == late.folder.name


def test_a_damaged_run_is_passed_over_and_told_of(place: Place):
    one = person(1, messages=SINCE)
    first = publish(place, ONE, one)
    second = publish(place, TWO, one)
    path = second.folder / "lists" / "huddle.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    third = publish(place, THREE, one)
    assert third.manifest["lists"]["huddle"]["compared_with"] == first.folder.name
    assert any(second.folder.name in warning for warning in third.manifest["warnings"])


def test_a_run_without_a_manifest_to_be_read_is_passed_over(place: Place):
    one = person(1, messages=SINCE)
    first = publish(place, ONE, one)
    (first.folder / "manifest.json").write_text("{")
    second = publish(place, TWO, one)
    assert second.manifest["lists"]["huddle"]["compared_with"] is None
    assert any(first.folder.name in warning for warning in second.manifest["warnings"])


def test_a_list_that_was_made_for_other_areas_is_not_compared_with(place: Place):
    one = person(1, messages=SINCE)
    first = publish(place, ONE, one)
    manifest = json.loads((first.folder / "manifest.json").read_text())
    manifest["lists"]["huddle"]["area"] = "practice"
    (first.folder / "manifest.json").write_text(json.dumps(manifest))
    assert changes(publish(place, TWO, one)) == {key(one.number): "NEW"}


def test_a_run_from_before_the_list_was_made_is_not_compared_with(place: Place):
    one = person(1, messages=SINCE)
    first = publish(place, ONE, one)
    (first.folder / "lists" / "huddle.parquet").unlink()
    assert publish(place, TWO, one).manifest["lists"]["huddle"]["compared_with"] is None


def test_the_memory_keeps_the_first_and_the_last_night_and_forgets_after_400_days(place: Place):
    one, two = person(1, messages=SINCE), person(2, messages=SINCE)
    publish(place, ONE, one, two)
    publish(place, TWO, one, two.but(messages=()))
    known = {row["person_id"]: row for row in place.nights[1].rows("memory") if row["list"] == "huddle"}
    assert (known[key(one.number)]["first_listed"], known[key(one.number)]["last_listed"]) == (ONE, TWO)
    assert (known[key(two.number)]["first_listed"], known[key(two.number)]["last_listed"]) == (ONE, ONE)
    kept = publish(place, date(2027, 5, 6), one, two.but(messages=()))  # 400 days after the first night
    assert key(two.number) in {row["person_id"] for row in kept.rows("memory") if row["list"] == "huddle"}
    shutil.rmtree(kept.folder)
    lost = publish(place, date(2027, 5, 7), one, two.but(messages=()))
    assert key(two.number) not in {row["person_id"] for row in lost.rows("memory") if row["list"] == "huddle"}


@pytest.mark.parametrize("column", ["rank", "last_rank"])
def test_ranks_begin_at_one_in_every_area(place: Place, column: str):
    people = [person(index, practice=index % 2, messages=SINCE) for index in range(1, 5)]
    night = publish(place, ONE, *people)
    rows = night.rows("huddle") if column == "rank" else night.rows("memory")
    ranks = sorted((row["area_code"], row[column]) for row in rows if row["list"] == "huddle")
    assert ranks == [("TN1", 1), ("TN1", 2), ("TN2", 1), ("TN2", 2)]
