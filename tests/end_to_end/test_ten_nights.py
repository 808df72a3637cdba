"""Ten nights of the synthetic town through one command, and the two after a list came back, against plain Python."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.site import write_default_site
from tests.end_to_end.command import riskstrat
from tests.end_to_end.night_lists import Place, PlainList, score
from tests.end_to_end.night_town import (
    AFTER,
    EARLIER,
    FIRST,
    HUDDLE,
    LISTS,
    MEETING,
    NEW_MANAGER,
    NIGHTS,
    PEOPLE,
    PRACTICE,
    TENTH,
    WATCH,
    Town,
    add_features,
    answers_to,
    done,
    is_core,
    run_nights,
    seen_earlier,
    write_return,
    write_site,
)

CHANGES = {"NEW", "UP", "DOWN", "SAME", "BACK"}
DROPPED = {"died", "moved", "opted out", "below threshold", "no recent event", "over capacity", "resting"}
SHOWN = (
    *("event", "event_date", "age", "unplanned_admissions_12m", "is_known_to_team", "case_manager"),
    *("five_questions_last_asked_date", "care_plan_last_reviewed_date", "last_outcome", "next_review_date"),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    site = tmp_path_factory.mktemp("ten_nights") / "site"
    write_site(site)
    ten = run_nights(site, LISTS, people=PEOPLE, nights=NIGHTS + AFTER)
    oracle, pages = ten.oracle, ten.oracle.pages
    outcomes = answers_to(pages[TENTH, HUDDLE.name], TENTH) + seen_earlier(oracle)
    for night in (TENTH, EARLIER):
        mine = [one for one in outcomes if one.day == night]
        file = site / f"returned_{night}.csv"
        write_return(file, mine, pages[night, HUDDLE.name], ten.run_of(night).name)
        done(site, "worklist", "returns", str(file))
    after = [TENTH + timedelta(days=day) for day in range(1, AFTER + 1)]
    done(site, "run", "--from", str(after[0]), "--as-of", str(after[-1]))
    for night in after:
        add_features(oracle.people[night], ten.run_of(night))
        oracle.run(night, outcomes)
    return replace(ten, outcomes=tuple(outcomes))


def check_list(town: Town, plain: PlainList) -> None:
    """Members, order, changes, headings, events and why people dropped off, on every night, against plain Python."""
    for night in town.oracle.nights:
        page = town.oracle.pages[night, plain.name]
        listed: dict[Place, tuple[int, str]] = {}
        dropped: dict[Place, str] = {}
        for row in town.rows(night, plain.name):
            place = row["area_code"], row["person_id"]
            if row["rank"] is None:
                dropped[place] = row["dropped_because"]
                continue
            listed[place] = row["rank"], row["change"]
            person = page.people[row["person_id"]]
            assert row["score"] == score(person)
            for column in SHOWN:
                assert row[column] == person[column], (night, column)
            assert row["rest_overridden"] == (place in page.overridden)
            if plain.sections:
                assert row["section"] == page.section[place], night
        assert listed == {place: (rank, page.change[place]) for place, rank in page.rank.items()}, night
        # Whoever opted out is counted and in no file.
        assert dropped == {place: why for place, why in page.dropped.items() if why != "opted out"}, night


def test_one_command_runs_ten_nights(town: Town):
    said = [line.split() for line in town.ten.out.splitlines()[: NIGHTS - 1]]
    nights = town.oracle.nights
    assert said == [[str(night), town.run_of(night).name] for night in nights[: NIGHTS - 1]]
    assert town.run_of(TENTH).name in town.ten.out
    for place, night in enumerate(nights[:NIGHTS], start=1):
        assert f"night {night} ({place} of {NIGHTS})" in town.ten.err
    assert (town.site / "output" / "latest").resolve() == town.run_of(nights[-1]).resolve()


@pytest.mark.parametrize("plain", LISTS, ids=lambda plain: plain.name)
def test_lists_of_every_night_are_those_of_the_truth(town: Town, plain: PlainList):
    check_list(town, plain)


@pytest.mark.slow
def test_shipped_lists_of_a_larger_town_are_those_of_the_truth(tmp_path: Path):
    site = tmp_path / "site"
    write_default_site(site)
    shipped = [replace(plain, wants=is_core) for plain in (replace(HUDDLE, capacity=25), MEETING, PRACTICE)]
    town = run_nights(site, shipped, people=20_000, nights=NIGHTS)
    for plain in shipped:
        check_list(town, plain)
        assert any(town.oracle.pages[night, plain.name].rank for night in town.oracle.nights)


def test_manifest_counts_who_dropped_off_and_names_the_run_compared_with(town: Town):
    for night in town.oracle.nights:
        manifest = json.loads((town.run_of(night) / "manifest.json").read_text(encoding="utf-8"))
        for plain in LISTS:
            told, page = manifest["lists"][plain.name], town.oracle.pages[night, plain.name]
            before = town.oracle.compared[night, plain.name]
            assert told["compared_with"] == (town.run_of(before).name if before else None)
            counted: Counter[tuple[str, str]] = Counter()
            for code, area in told["areas"].items():
                counted.update({(code, why): people for why, people in area["dropped"].items()})
                assert area["listed"] == sum(where == code for where, _ in page.rank)
                if plain.capacity is not None:
                    assert area["quota"] == page.quota[code]
            assert counted == Counter((place[0], why) for place, why in page.dropped.items())


def test_everybody_eligible_is_stored_listed_or_not(town: Town):
    for night in town.oracle.nights:
        rows = pq.read_table(town.run_of(night) / "lists" / "eligible.parquet").to_pylist()
        for plain in LISTS:
            page = town.oracle.pages[night, plain.name]
            stored = [row for row in rows if row["list"] == plain.name]
            assert [(row["area_code"], row["person_id"]) for row in stored] == page.eligible
            reasons = {(row["area_code"], row["person_id"]): row["not_listed_because"] for row in stored}
            assert {place: why for place, why in reasons.items() if why} == page.not_listed


def test_ten_nights_show_every_change_and_every_reason_to_drop_off(town: Town):
    changes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for night in town.oracle.nights:
        for plain in (HUDDLE, WATCH):
            page = town.oracle.pages[night, plain.name]
            changes.update(page.change.values())
            reasons.update(page.dropped.values())
    in_ten = {
        change
        for night in town.oracle.nights[:NIGHTS]
        for change in town.oracle.pages[night, HUDDLE.name].change.values()
    }
    assert in_ten == set(changes) == CHANGES
    assert set(reasons) == DROPPED
    events = {
        row["event"] for night in town.oracle.nights for row in town.rows(night, HUDDLE.name) if row["event"]
    }
    assert events == {"in_ae", "admitted", "in_hospital", "discharged"}
    assert any(
        row["is_manual_addition"] for night in town.oracle.nights for row in town.rows(night, HUDDLE.name)
    )


def test_what_came_back_changes_the_next_list(town: Town):
    """Whoever was seen rests and is known by then; whoever could not be reached does not rest."""
    said = {one.person_id: one for one in town.outcomes if one.day == TENTH}
    after, later = town.oracle.nights[NIGHTS:]
    dropped = town.oracle.pages[after, HUDDLE.name].dropped
    resting = {said[key].outcome for (_, key), why in dropped.items() if why == "resting"}
    assert "seen" in resting
    assert resting <= {"seen", "declined", "referred"}
    shown = {
        row["person_id"]: row
        for rows in (
            town.rows(after, MEETING.name),
            town.rows(after, HUDDLE.name),
            town.rows(later, HUDDLE.name),
        )
        for row in rows
    }
    seen = [shown[key] for key, one in said.items() if one.outcome == "seen" and key in shown]
    assert seen
    for row in seen:
        assert row["is_known_to_team"]
        assert row["five_questions_last_asked_date"] == TENTH
        assert (row["last_outcome"], row["last_outcome_date"]) == ("seen", TENTH)
        assert row["next_review_date"] == said[row["person_id"]].next_review
    assert any(row["case_manager"] == NEW_MANAGER for row in seen)
    assert any("falls" in row["suggested_action"] for row in seen)


def test_rested_person_comes_back_with_a_new_admission(town: Town):
    after, later = town.oracle.nights[NIGHTS:]
    seen = {one.person_id for one in town.outcomes if (one.day, one.outcome) == (EARLIER, "seen")}
    back = [
        row
        for night in (after, later)
        for row in town.rows(night, HUDDLE.name)
        if row["change"] == "BACK" and row["rest_overridden"] and row["event"] in ("in_ae", "admitted")
    ]
    assert back
    for row in back:
        assert row["person_id"] in seen
        assert (row["last_outcome"], row["last_outcome_date"]) == ("seen", EARLIER)
        assert row["event_date"] > EARLIER


def test_run_again_passes_over_the_nights_that_are_published(town: Town):
    before = sorted(path.name for path in (town.site / "output" / "runs").iterdir())
    last = town.oracle.nights[1]
    answer = done(town.site, "run", "--from", str(FIRST), "--as-of", str(last))
    assert answer.err.count("is published already") == 2
    assert sorted(path.name for path in (town.site / "output" / "runs").iterdir()) == before


@pytest.fixture
def two_nights(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    write_site(site)
    done(site, "keys", "init")
    done(site, "demo", "--people", "300", "--nights", "2")
    return site


def test_run_stops_at_the_first_night_that_fails_and_goes_on_from_there(
    two_nights: Path, capsys: pytest.CaptureFixture[str]
):
    register = two_nights / "landing" / "2026-04-01" / "gp_patients.csv"
    sound = register.read_bytes()
    register.write_bytes(b"no,such,columns\n1,2,3\n")
    arguments = ("run", "--from", "2026-04-01", "--as-of", "2026-04-02")
    answer = riskstrat(capsys, two_nights, *arguments)
    assert answer.code == 4
    assert "stopped at the night of 2026-04-02, 2 of 2" in answer.err
    (first,) = (path.name for path in (two_nights / "output" / "runs").glob("2026*"))
    assert answer.out.split() == ["2026-04-01", first]
    register.write_bytes(sound)
    answer = riskstrat(capsys, two_nights, *arguments)
    assert answer.code == 0, answer.err
    assert f"{first} is published already" in answer.err
    runs = sorted((two_nights / "output" / "runs").glob("2026*"))
    assert [run.name[:8] for run in runs] == ["20260401", "20260402"]


def test_nights_the_wrong_way_round_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    site = tmp_path / "site"
    write_site(site)
    done(site, "keys", "init")
    answer = riskstrat(capsys, site, "run", "--from", "2026-04-02", "--as-of", "2026-04-01")
    assert answer.code == 2
    assert "lies after --as-of" in answer.err
    assert not (site / "output").exists()
