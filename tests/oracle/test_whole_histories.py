"""Generated towns, through the engine and through the oracle: every feature of every person must be equal.

The everyday run compares more than 20,000 people in towns of different days and feeds. The slow one compares a
million, in about 20 minutes on two processors; ORACLE_PEOPLE and ORACLE_SEED in the environment say how many
others, and which. Towns of one seed are the same towns.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.oracle.acute_histories import diagnoses_of
from tests.oracle.acute_kinds import acute_kinds
from tests.oracle.expected_kinds import KINDS
from tests.oracle.feeds import absent_extracts, gp_holes, hospital_holes
from tests.oracle.gp_histories import codes_of
from tests.oracle.harness import Expected, check_town, minimal_stories
from tests.oracle.kinds import count_kinds, dated_kinds, gp_kinds, people_kinds, row_kinds, team_kinds
from tests.oracle.knowledge import Knowledge, load_knowledge
from tests.oracle.towns import Town, grow_town, write_site

EVERYDAY_PEOPLE = 3_400
SLOW_PEOPLE = int(os.environ.get("ORACLE_PEOPLE", "1000000"))
SLOW_SEED = int(os.environ.get("ORACLE_SEED", "1"))
SLOW_TOWN = 5_000
AS_OF_DATES = (
    date(2026, 4, 1),
    date(2024, 2, 29),
    date(2025, 1, 1),
    date(2025, 7, 31),
    date(2025, 9, 1),
    date(2025, 3, 1),
    date(2025, 2, 28),
    date(2024, 3, 1),
    date(2025, 12, 31),
    date(2026, 1, 1),
    date(2025, 9, 2),
    date(2025, 8, 31),
    date(2026, 5, 17),
    date(2024, 12, 30),
    date(2023, 2, 28),
)
# Seed, day, hospital feeds with a hole, whether optional extracts may be missing: seeds that make feeds of all kinds.
EVERYDAY = (
    (12, date(2026, 4, 1), 0, False),
    (18, date(2024, 2, 29), 1, False),
    (3, date(2025, 1, 1), 1, True),
    (14, date(2025, 7, 31), 2, False),
    (26, date(2025, 9, 1), 2, True),
    (23, date(2025, 3, 1), 1, True),
)


def town_of(seed: int, as_of: date, people: int, feeds: int, absences: bool, knowledge: Knowledge) -> Town:
    dice = Random(f"feeds of {seed}")
    absent = absent_extracts(dice) if absences else frozenset()
    silences = [*gp_holes(dice, as_of, absent), *hospital_holes(dice, as_of, feeds)]
    codes, diagnoses = codes_of(knowledge), diagnoses_of(knowledge)
    return grow_town(
        seed,
        as_of,
        people,
        codes,
        diagnoses,
        silences=silences,
        absent=absent,
        ambulances_are_told=Random(f"arrivals of {seed}").random() < 0.75,
    )


def site_of(folder: Path, town: Town) -> tuple[Path, Knowledge]:
    site = write_site(folder, town)
    return site, load_knowledge(site)


# --- every day ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """A town that both have answered for; ``told`` is empty where they agree."""

    people: int
    expected: Expected
    kinds: Counter[str]
    told: str


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    folder = tmp_path_factory.mktemp("towns")
    knowledge = site_of(folder / "knowledge", Town(date(2026, 4, 1), []))[1]
    return [
        compare_town(town_of(seed, as_of, EVERYDAY_PEOPLE, feeds, absences, knowledge), folder / f"{seed}")
        for seed, as_of, feeds, absences in EVERYDAY
    ]


def compare_town(town: Town, folder: Path) -> Compared:
    site, knowledge = site_of(folder, town)
    expected, found = check_town(town, site, knowledge)
    finders = (
        partial(people_kinds, as_of=town.as_of, knowledge=knowledge),
        partial(dated_kinds, as_of=town.as_of),
        partial(gp_kinds, as_of=town.as_of, knowledge=knowledge),
        partial(team_kinds, as_of=town.as_of),
        partial(acute_kinds, as_of=town.as_of),
        row_kinds,
    )
    kinds = count_kinds((story.history for story in town.stories), finders)
    return Compared(len(town.people), expected, kinds, minimal_stories(found, town, site, knowledge))


@pytest.mark.parametrize("number", range(len(EVERYDAY)), ids=[f"{plan[1]}" for plan in EVERYDAY])
def test_every_feature_of_every_person_equals_the_oracle(compared: list[Compared], number: int) -> None:
    assert not compared[number].told, compared[number].told


def test_more_than_20_000_people_are_compared(compared: list[Compared]) -> None:
    assert sum(town.people for town in compared) >= 20_000
    inside = [features for town in compared for features in town.expected.values() if features is not None]
    assert len(inside) >= 13_000


def test_generated_people_are_examples_of_every_kind(compared: list[Compared]) -> None:
    found: Counter[str] = Counter()
    for town in compared:
        found.update(town.kinds)
    missing = {kind: found[kind] for kind, least in KINDS.items() if found[kind] < least}
    assert not missing, f"too few generated people: {missing}"


def values_of(compared: list[Compared]) -> dict[str, Counter[Any]]:
    """Feature -> expected value -> people."""
    values: dict[str, Counter[Any]] = {}
    for town in compared:
        for features in town.expected.values():
            for feature, value in (features or {}).items():
                values.setdefault(feature, Counter())[value] += 1
    return values


def test_every_feature_takes_different_values_and_is_unknown_where_it_may_be(
    compared: list[Compared],
) -> None:
    values = values_of(compared)
    for feature, counts in values.items():
        known = [count for value, count in counts.items() if value is not None]
        assert len(known) > 1, f"{feature} has one value only"
        assert sum(known) - max(known) >= 50, f"{feature} hardly varies"
    assert sorted(feature for feature in values if None not in values[feature]) == sorted(NEVER_UNKNOWN)


def test_scores_lie_on_both_sides_of_every_band(compared: list[Compared]) -> None:
    values = values_of(compared)
    for feature, edges in BAND_EDGES.items():
        rare = {edge: values[feature][edge] for edge in edges if values[feature][edge] < 10}
        assert not rare, f"{feature}: {rare}"


BAND_EDGES: dict[str, tuple[object, ...]] = {
    "efi_deficits": (0, 4, 5, 8, 9, 12, 13),
    "hfrs": (0.0, 4.9, 5.0, 5.1, 14.9, 15.0, 15.1),
    "age": (None, 122, 17, 18, 49, 50, 64, 65, 74, 75, 84, 85),
    "medicines_12m": (4, 5),
    "frailty_source": ("computed", "coded", "supplied", None),
}
# The features that every person of the population has.
NEVER_UNKNOWN = {
    "sex",
    "practice_code",
    "pcn_code",
    "neighbourhood_code",
    "is_inpatient",
    "has_dementia",
    "has_copd",
    "lives_alone",
    "is_housebound",
    "is_care_home_resident",
    "is_end_of_life",
}


# --- slow --------------------------------------------------------------------------------------


def slow_town(number: int, folder: Path) -> str:
    """One town of the long run; the stories of whoever differs, or nothing."""
    dice = Random(f"{SLOW_SEED} {number}")
    as_of, feeds = AS_OF_DATES[number % len(AS_OF_DATES)], dice.choice((0, 0, 1, 1, 2))
    people = min(SLOW_TOWN, SLOW_PEOPLE - number * SLOW_TOWN)
    with TemporaryDirectory(dir=folder) as room:
        knowledge = site_of(Path(room) / "knowledge", Town(as_of, []))[1]
        town = town_of(1_000 * SLOW_SEED + number, as_of, people, feeds, True, knowledge)
        site, knowledge = site_of(Path(room) / "site", town)
        found = check_town(town, site, knowledge)[1]
        return minimal_stories(found, town, site, knowledge)


@pytest.mark.slow
def test_every_feature_of_a_million_people_equals_the_oracle(tmp_path: Path) -> None:
    towns = range(-(-SLOW_PEOPLE // SLOW_TOWN))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
        told = [story for story in workers.map(partial(slow_town, folder=tmp_path), towns) if story]
    assert not told, "\n\n".join(told[:5])
