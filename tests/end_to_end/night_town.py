"""A site of a synthetic town of several nights, its lists as plain Python knows them, and what a team sends back."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from riskstrat.cli import main
from riskstrat.keys import person_id, read_site_key
from riskstrat.site import write_default_site
from tests.end_to_end.command import Answer
from tests.end_to_end.night_lists import Nights, Outcome, Page, Person, PlainList, score

FIRST, NIGHTS, AFTER = date(2026, 4, 1), 10, 2
PEOPLE, SEED = 6_000, 2916
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
