"""Ten nights of the synthetic town through one command, and the two after a list came back, against plain Python."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from riskstrat.cli import main
from riskstrat.keys import person_id, read_site_key
from riskstrat.site import write_default_site
from tests.end_to_end.command import Answer, riskstrat
from tests.end_to_end.night_lists import Nights, Outcome, Page, Person, Place, PlainList, score

FIRST, NIGHTS, AFTER = date(2026, 4, 1), 10, 2
PEOPLE, SEED = 6_000, 397
CHANGES = {"NEW", "UP", "DOWN", "SAME", "BACK"}
DROPPED = {"died", "moved", "opted out", "below threshold", "no recent event", "over capacity", "resting"}
NEIGHBOURHOODS = ("NB01", "NB06")
RETURNED = (
    *(
        "list",
        "list_run",
        "area_code",
        "nhs_number",
        "outcome",
        "outcome_date",
        "referred_to",
        "case_manager",
    ),
    *("next_review_date", "q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living"),
)
TENTH, EARLIER = FIRST + timedelta(days=NIGHTS - 1), FIRST + timedelta(days=6)
NEW_MANAGER = "Case manager 09"
SHOWN = (
    *("event", "event_date", "age", "unplanned_admissions_12m", "is_known_to_team", "case_manager"),
    *("five_questions_last_asked_date", "care_plan_last_reviewed_date", "last_outcome", "next_review_date"),
)

# The shipped huddle is for a cohort of which a small town has a handful; so the lists are for wider ones, in fewer and
# therefore longer lists. Who is a member is the only thing that changes, and how many places there are.
COHORTS = {
    "older": ["age >= 40"],
    "older_admitted": ["age >= 65", "unplanned_admissions_12m >= 1"],
}
WIDER = {
    "daily_huddle": {"cohorts": ["luton_core", "older"], "capacity": 4},
    "weekly_mdt": {"cohorts": ["luton_core", "older_admitted"]},
    "monthly_practice": {"cohorts": ["luton_core", "older_admitted"]},
}


def is_core(person: Person) -> bool:
    frail = person["efi_category"] in ("moderate", "severe")
    return bool(person["age"] >= 65 and frail and person["unplanned_admissions_12m"] >= 2)


def is_older(person: Person) -> bool:
    return is_core(person) or person["age"] >= 40


def is_admitted(person: Person) -> bool:
    return is_core(person) or (person["age"] >= 65 and person["unplanned_admissions_12m"] >= 1)


def reviewed(person: Person, _: str, night: date) -> bool:
    return person["next_review_date"] is not None and person["next_review_date"] <= night


HUDDLE = PlainList(
    name="daily_huddle",
    area="neighbourhood_code",
    wants=is_older,
    takes_additions=True,
    needs_event=True,
    capacity=4,
    order=lambda person: (person["is_known_to_team"], -person["review_days_overdue"], -score(person)),
    compare_days=1,
    rest_days=7,
    sections=(
        ("not_known", lambda person, change, night: not person["is_known_to_team"]),
        ("review_overdue", lambda person, change, night: person["review_days_overdue"] > 0),
        ("known", lambda person, change, night: True),
    ),
)
MEETING = PlainList(
    name="weekly_mdt",
    area="neighbourhood_code",
    wants=is_admitted,
    takes_additions=True,
    needs_event=False,
    capacity=25,
    order=lambda person: (
        -person["unplanned_admissions_12m"],
        -person["agencies_90d"],
        -person["efi_deficits"],
        -person["cambridge_multimorbidity"],
        -score(person),
    ),
    compare_days=7,
    rest_days=28,
    sections=(
        ("new", lambda person, change, night: change in ("NEW", "BACK")),
        ("review_due", reviewed),
        ("continuing", lambda person, change, night: True),
    ),
)
PRACTICE = PlainList(
    name="monthly_practice",
    area="practice_code",
    wants=is_admitted,
    takes_additions=True,
    needs_event=False,
    capacity=None,
    order=lambda person: (-score(person),),
    compare_days=28,
    rest_days=0,
)
# A list of the test's own: people come and go by a threshold that moves with the days, and not by events.
WATCH = PlainList(
    name="daily_watch",
    area="neighbourhood_code",
    wants=is_admitted,
    takes_additions=False,
    needs_event=False,
    capacity=None,
    order=lambda person: (-score(person),),
    compare_days=1,
    rest_days=0,
    sections=(("everybody", lambda person, change, night: True),),
)
LISTS = (HUDDLE, MEETING, PRACTICE, WATCH)


@dataclass(frozen=True)
class Town:
    """A site with its nights run, and what plain Python makes of the truth."""

    site: Path
    ten: Answer
    oracle: Nights
    outcomes: tuple[Outcome, ...]

    def run_of(self, night: date) -> Path:
        (folder,) = (self.site / "output" / "runs").glob(f"{night:%Y%m%d}-*")
        return folder

    def rows(self, night: date, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(
            self.run_of(night) / "lists" / f"{name}.parquet"
        ).to_pylist()
        return rows


def write_site(site: Path) -> None:
    """The shipped site with two neighbourhoods, the cohorts of COHORTS beside the first, and wider lists."""
    write_default_site(site)
    practices = site / "config" / "geography" / "practices.csv"
    with practices.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with practices.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["neighbourhood_code"] in NEIGHBOURHOODS)
    core = yaml.safe_load((site / "config" / "cohorts" / "luton_core.yaml").read_text(encoding="utf-8"))
    for cohort in (site / "config" / "cohorts").glob("*.yaml"):
        if cohort.stem != "luton_core":
            cohort.unlink()  # they would only take time
    for name, include in COHORTS.items():
        document = {**core, "title": name, "include": include, "examples": []}
        _write(site / "config" / "cohorts" / f"{name}.yaml", document)
    lists = site / "config" / "lists"
    for name, changed in WIDER.items():
        document = yaml.safe_load((lists / f"{name}.yaml").read_text(encoding="utf-8"))
        _write(lists / f"{name}.yaml", {**document, **changed})
    watch = yaml.safe_load((lists / "monthly_practice.yaml").read_text(encoding="utf-8"))
    section = {"name": "everybody", "title": "Everybody"}
    changed = {"area": "neighbourhood", "cadence": "daily", "compare_days": 1, "sections": [section]}
    _write(lists / "daily_watch.yaml", {**watch, **changed, "cohorts": ["older_admitted"]})


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def read_truth(site: Path) -> dict[date, dict[str, Person]]:
    """Night -> person -> what the generator says is known."""
    key, nights = read_site_key(site / "keys"), {}
    pseudonyms: dict[str, str] = {}
    for row in pq.read_table(site / "landing" / "truth" / "nights.parquet").to_pylist():
        number = row["nhs_number"]
        pseudonyms[number] = pseudonyms.get(number) or person_id(key, number)
        nights.setdefault(row["as_of"], {})[pseudonyms[number]] = row
    return nights


def answers_to(page: Page, night: date) -> list[Outcome]:
    """What each team does about the people of one huddle: the first is seen, then one declines, one is referred."""
    found: list[Outcome] = []
    for area in sorted({area for area, _ in page.rank}):
        listed = sorted((rank, key) for (where, key), rank in page.rank.items() if where == area)
        for rank, key in listed:
            person = page.people[key]
            word = {1: "seen", 2: "declined", 3: "referred"}.get(rank, "not_reached")
            manager = NEW_MANAGER if word == "seen" and person["case_manager"] is None else None
            review = night + timedelta(days=30) if word == "seen" else None
            found.append(Outcome(HUDDLE.name, key, word, night, manager, review, asked=word == "seen"))
    return found


def seen_earlier(oracle: Nights) -> list[Outcome]:
    """Those of an earlier huddle who are not on the tenth night's, told of late: they were seen then."""
    now = {key for _, key in oracle.pages[TENTH, HUDDLE.name].rank}
    then = sorted(key for _, key in oracle.pages[EARLIER, HUDDLE.name].rank)
    return [Outcome(HUDDLE.name, key, "seen", EARLIER) for key in then if key not in now]


def write_return(path: Path, outcomes: list[Outcome], page: Page, run: str) -> None:
    """The list as a team sends it back, with the numbers of the truth."""
    areas = {key: area for area, key in page.rank}
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, RETURNED, restval="")
        writer.writeheader()
        for one in outcomes:
            questions = {name: "no" for name in RETURNED if one.asked and name.startswith("q")}
            writer.writerow(
                {
                    "list": one.list,
                    "list_run": run,
                    "area_code": areas[one.person_id],
                    "nhs_number": page.people[one.person_id]["nhs_number"],
                    "outcome": one.outcome,
                    "outcome_date": one.day.isoformat(),
                    "referred_to": "falls_service" if one.outcome == "referred" else "",
                    "case_manager": one.case_manager or "",
                    "next_review_date": one.next_review.isoformat() if one.next_review else "",
                    **questions,
                    **({"q2_falls": "yes"} if questions else {}),
                }
            )


def done(site: Path, *arguments: str) -> Answer:
    """The command as ``riskstrat`` calls it, for a fixture that serves more than one test; it must end well."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["riskstrat", "--site", str(site), *arguments]
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    assert code == 0, err.getvalue()
    return Answer(code, out.getvalue(), err.getvalue())


def add_features(people: dict[str, Person], run: Path) -> None:
    """Put beside the truth what the generator does not say of the order of the weekly meeting."""
    columns = ["person_id", "agencies_90d", "cambridge_multimorbidity"]
    for row in pq.read_table(run / "features.parquet", columns=columns).to_pylist():
        people[row["person_id"]] |= row


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


def run_nights(site: Path, lists: Sequence[PlainList], *, people: int, nights: int) -> Town:
    """A town of so many nights, the first ten of them run by one command and made again in plain Python."""
    done(site, "keys", "init")
    done(site, "demo", "--people", str(people), "--seed", str(SEED), "--nights", str(nights))
    answer = done(site, "run", "--from", str(FIRST), "--as-of", str(TENTH))
    oracle = Nights(lists, read_truth(site))
    town = Town(site, answer, oracle, ())
    for night in [FIRST + timedelta(days=day) for day in range(NIGHTS)]:
        add_features(oracle.people[night], town.run_of(night))
        oracle.run(night)
    return town


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


def test_rested_person_comes_back_with_news_and_with_a_new_admission(town: Town):
    after, later = town.oracle.nights[NIGHTS:]
    dropped = town.oracle.pages[after, HUDDLE.name].dropped
    resting = {key for (_, key), why in dropped.items() if why == "resting"}
    back = [
        row
        for night in (after, later)
        for row in town.rows(night, HUDDLE.name)
        if row["change"] == "BACK" and row["rest_overridden"]
    ]
    assert resting & {row["person_id"] for row in back}
    readmitted = [row for row in back if row["event"] in ("in_ae", "admitted")]
    assert readmitted
    for row in readmitted:
        assert (row["last_outcome"], row["last_outcome_date"]) == ("seen", EARLIER)
        assert row["event_date"] > EARLIER


def test_run_again_passes_over_the_nights_that_are_published(town: Town):
    before = sorted(path.name for path in (town.site / "output" / "runs").iterdir())
    last = town.oracle.nights[1]
    answer = done(town.site, "run", "--from", str(FIRST), "--as-of", str(last))
    assert answer.err.count("is published already") == 2
    assert sorted(path.name for path in (town.site / "output" / "runs").iterdir()) == before


@pytest.fixture
def three_nights(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    write_site(site)
    done(site, "keys", "init")
    done(site, "demo", "--people", "300", "--nights", "3")
    return site


def test_run_stops_at_the_first_night_that_fails_and_goes_on_from_there(
    three_nights: Path, capsys: pytest.CaptureFixture[str]
):
    register = three_nights / "landing" / "2026-04-01" / "gp_patients.csv"
    sound = register.read_bytes()
    register.write_bytes(b"no,such,columns\n1,2,3\n")
    arguments = ("run", "--from", "2026-04-01", "--as-of", "2026-04-03")
    answer = riskstrat(capsys, three_nights, *arguments)
    assert answer.code == 4
    assert "stopped at the night of 2026-04-02, 2 of 3" in answer.err
    (first,) = (path.name for path in (three_nights / "output" / "runs").glob("2026*"))
    assert answer.out.split() == ["2026-04-01", first]
    register.write_bytes(sound)
    answer = riskstrat(capsys, three_nights, *arguments)
    assert answer.code == 0, answer.err
    assert f"{first} is published already" in answer.err
    assert [path.name[:8] for path in sorted((three_nights / "output" / "runs").glob("2026*"))] == [
        "20260401",
        "20260402",
        "20260403",
    ]


def test_nights_the_wrong_way_round_are_refused(three_nights: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, three_nights, "run", "--from", "2026-04-02", "--as-of", "2026-04-01")
    assert answer.code == 2
    assert "lies after --as-of" in answer.err
    assert not (three_nights / "output").exists()
