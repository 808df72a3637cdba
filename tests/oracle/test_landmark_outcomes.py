"""Generated towns looked at from earlier days: every feature and every label of the frame equals the oracle's.

Features are held against the oracle of features on the index date, so nothing after it may have been used; labels
against a count of days (tests/oracle/outcomes.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from riskstrat.keys import init_site_key
from riskstrat.model.frames import Frames
from riskstrat.site import default_site
from tests.landmarks import change_outcome, deliver, frame_rows, frames_of
from tests.oracle.acute_histories import diagnoses_of
from tests.oracle.coverage import calendar_of
from tests.oracle.features import person_key
from tests.oracle.gp_histories import codes_of
from tests.oracle.harness import compare, expected_features, town_extracts
from tests.oracle.knowledge import Knowledge, load_knowledge
from tests.oracle.minimal import describe
from tests.oracle.outcomes import Rules, a_year_after, outcome_of
from tests.oracle.people import has_national_opt_out, has_type_1_opt_out, registration_on
from tests.oracle.towns import Silence, Story, Town, grow_town, write_site
from tests.oracle.windows import Row, months_before, rows_that_count

PEOPLE = 700
HORIZONS = ("12m", "90d")
OF_EVERY_HORIZON = ("label", "follow_up_days")
OF_THE_FIRST = {"died": "died_12m", "left": "left_12m", "admissions": "admissions_12m"}
FIRST_DATE = "first_admission_date"
HOSPITAL = "RQUIET"
# Seed, the day up to which outcomes are known, the rules, and whether a hospital is silent in a month of a horizon.
TOWNS = (
    (31, date(2026, 4, 1), Rules(), False),
    pytest.param((32, date(2025, 2, 28), Rules("event", "no_event", 0), False), marks=pytest.mark.slow),
    pytest.param((33, date(2024, 2, 29), Rules("exclude", "exclude", 7), False), marks=pytest.mark.slow),
    (34, date(2025, 9, 2), Rules(), True),
)


@dataclass(frozen=True)
class LookedAt:
    town: Town
    frames: Frames
    rules: Rules
    knowledge: Knowledge
    key: bytes


def end_of(horizon: str, day: date) -> date:
    return a_year_after(day) if horizon == "12m" else day + timedelta(days=90)


def index_dates(complete_to: date, *, has_hole: bool) -> list[date]:
    """A year and two years back, 90 days back, and days whose horizon is not over by a day."""
    year_ago, quarter_ago = months_before(complete_to, 12), complete_to - timedelta(days=90)
    days = [year_ago, year_ago + timedelta(days=1), quarter_ago]
    return days if has_hole else [months_before(complete_to, 24), *days]


@pytest.fixture(params=TOWNS, ids=lambda given: f"{given[1]}", scope="module")
def looked_at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LookedAt:
    seed, complete_to, rules, has_hole = request.param
    folder = tmp_path_factory.mktemp("town") / "site"
    shipped = load_knowledge(default_site())
    quiet = months_before(complete_to.replace(day=1), 4)
    silences = [Silence("acute_episodes", HOSPITAL, (quiet,))] if has_hole else []
    town = grow_town(
        *(seed, complete_to, PEOPLE, codes_of(shipped), diagnoses_of(shipped)), silences=silences
    )
    write_site(folder, town)
    init_site_key(folder / "keys")
    change_outcome(
        folder,
        minimum_people=1,
        survivors_from=None,
        death={"rule": rules.death},
        leaving={"rule": rules.leaving, "gap_days": rules.gap_days},
    )
    extracts = town_extracts(town.people, f"{seed}")
    deliver(folder, complete_to - timedelta(days=1), {name: rows for name, rows in extracts.items() if rows})
    frames = frames_of(folder, index_dates(complete_to, has_hole=has_hole))
    key = (folder / "keys" / "site.key").read_bytes()
    return LookedAt(town, frames, rules, load_knowledge(folder), key)


def has_opted_out(story: Story, today: date) -> bool:
    history = {name: rows_that_count(rows) for name, rows in story.history.items()}
    return has_type_1_opt_out(history.get("gp_events", ()), today) or has_national_opt_out(
        history.get("national_opt_out", ()), today
    )


def test_features_of_everybody_equal_the_oracle_on_the_index_date(looked_at: LookedAt) -> None:
    found, today = frame_rows(looked_at.frames), looked_at.town.as_of
    people = {story.number: story for story in looked_at.town.people}
    seen = 0
    for day in looked_at.frames.index_dates:
        expected = expected_features(replace(looked_at.town, as_of=day), looked_at.knowledge)
        for number, then in expected.items():
            features = None if has_opted_out(people[number], today) else then
            row = found.get((person_key(looked_at.key, number), day))
            assert compare(features, None if row is None else features_of(row)) == {}, (number, day)
            seen += features is not None
    assert seen == len(found) > PEOPLE


def features_of(row: dict[str, Any]) -> dict[str, Any]:
    added = {f"{name}_{horizon}" for name in OF_EVERY_HORIZON for horizon in HORIZONS}
    added |= {*OF_THE_FIRST.values(), FIRST_DATE, "index_date"}
    return {name: value for name, value in row.items() if name not in added}


def test_labels_of_everybody_equal_the_oracle(looked_at: LookedAt) -> None:
    today, rules = looked_at.town.as_of, looked_at.rules
    calendar = calendar_of(
        (story.history for story in looked_at.town.people),
        today,
        looked_at.knowledge,
        looked_at.town.declared,
    )
    people = {person_key(looked_at.key, story.number): story for story in looked_at.town.people}
    kinds: Counter[str] = Counter()
    rows = frame_rows(looked_at.frames)
    born = births(looked_at, {key: story.history["gp_patients"] for key, story in people.items()}, rows)
    for (person, day), row in rows.items():
        for horizon in HORIZONS:
            end = end_of(horizon, day)
            expected = outcome_of(
                people[person].history,
                *(day, end, today, looked_at.knowledge),
                born=born[person],
                is_heard=calendar.covers("acute_episodes", "", day, end),
                rules=rules,
            )
            wanted = {f"{name}_{horizon}": expected[name] for name in OF_EVERY_HORIZON}
            if horizon == "12m":
                wanted |= {column: expected[name] for name, column in OF_THE_FIRST.items()}
                wanted[FIRST_DATE] = expected["first_admission_date"]
            story = f"{day} {horizon}\n{describe(people[person].history)}"
            assert {name: row[name] for name in wanted} == wanted, story
            kinds.update(kinds_of(expected))
    assert min(kinds["event"], kinds["unknown"]) > 50
    assert kinds["no event"] > 500
    if not looked_at.town.silences:
        assert min(kinds["died"], kinds["left"], kinds["several"]) > 5
        assert kinds["event then died"]


def births(
    looked_at: LookedAt, registrations: Mapping[str, Sequence[Row]], rows: Iterable[tuple[str, date]]
) -> dict[str, date]:
    """The earliest date of birth of the registrations that put somebody into the frame."""
    born: dict[str, date] = {}
    for person, day in rows:
        chosen = registration_on(rows_that_count(registrations[person]), day, looked_at.knowledge)
        if chosen is None:
            raise AssertionError("the frame knows somebody who was not registered")
        born[person] = min(born.get(person, date.max), chosen["date_of_birth"])
    return born


def kinds_of(expected: dict[str, Any]) -> list[str]:
    """What a town must hold for the comparison to mean something."""
    kinds = [{True: "event", False: "no event", None: "unknown"}[expected["label"]]]
    kinds += [name for name in ("died", "left") if expected[name]]
    kinds += ["event then died"] if expected["died"] and expected["admissions"] else []
    return kinds + (["several"] if (expected["admissions"] or 0) > 1 else [])
