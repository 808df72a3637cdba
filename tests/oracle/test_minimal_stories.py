"""A disagreement is told as the few rows that it needs, without a number that names anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from random import Random

from tests import factories
from tests.oracle.acute_histories import Diagnoses, acute_episodes
from tests.oracle.harness import Disagreement, tell
from tests.oracle.histories import patients
from tests.oracle.minimal import describe, row_count, shrink
from tests.oracle.towns import Story, settle

AS_OF = factories.AS_OF
NO_DIAGNOSES = Diagnoses(["J44"], ["J44"], {tenths: [["F00"]] for tenths in (1, 49, 50, 51, 149, 150, 151)})


def busy_person() -> Story:
    """Somebody with several spells, among them an open one."""
    for seed in range(1_000):
        dice = Random(seed)
        history = {
            "gp_patients": patients(dice, AS_OF),
            "acute_episodes": acute_episodes(dice, AS_OF, NO_DIAGNOSES),
        }
        is_open = [row["discharge_date"] is None for row in history["acute_episodes"]]
        if len(is_open) > 4 and any(is_open):
            return settle(history, 1, dice)
    raise AssertionError("no such person")


def says_open(stories: Sequence[Story]) -> list[bool]:
    """A broken engine, which stumbles over every episode that is open."""
    return [
        any(row["discharge_date"] is None for row in story.history["acute_episodes"]) for story in stories
    ]


def test_story_is_cut_to_the_rows_and_values_that_matter() -> None:
    story = busy_person()
    assert row_count(story.history) > 5
    smallest = shrink(story, says_open)
    assert {extract: len(rows) for extract, rows in smallest.history.items() if rows} == {
        "gp_patients": 1,
        "acute_episodes": 1,
    }
    assert says_open([smallest]) == [True]
    assert smallest.history["acute_episodes"][0]["source_of_admission"] is None


def test_story_that_differs_only_among_its_neighbours_stays_whole() -> None:
    story = busy_person()
    assert shrink(story, lambda stories: [False] * len(stories)) is story


def test_versions_of_one_person_share_no_number_and_no_key() -> None:
    seen: list[tuple[str, object]] = []

    def remember(stories: Sequence[Story]) -> list[bool]:
        seen.clear()
        for story in stories:
            seen.extend((story.number, row["episode_id"]) for row in story.history["acute_episodes"])
        return [True] * len(stories)

    shrink(busy_person(), remember)
    assert len(set(seen)) == len(seen)
    assert len({key for _, key in seen}) == len(seen)


def test_story_is_told_without_numbers_and_with_both_answers() -> None:
    story = Story(
        factories.nhs_number(7),
        {
            "gp_patients": [factories.patient(factories.nhs_number(7))],
            "gp_contacts": [factories.gp_contact(factories.nhs_number(7), contact_date=date(2026, 3, 31))],
        },
    )
    told = tell(Disagreement(story, {"gp_contacts_12m": "expected 1, found 0"}))
    assert "gp_contacts_12m: expected 1, found 0" in told
    assert "gp_contacts: contact_date=2026-03-31" in told
    assert factories.nhs_number(7) not in told
    assert "contact_id" not in describe(story.history)
