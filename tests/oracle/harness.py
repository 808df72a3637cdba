"""Runs the engine and the oracle on the same town and says where they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from riskstrat import pipeline
from tests import factories
from tests.engine import engine_features
from tests.oracle.activity import says_ambulance
from tests.oracle.coverage import calendar_of
from tests.oracle.features import features_for, person_key
from tests.oracle.histories import Row
from tests.oracle.knowledge import Knowledge
from tests.oracle.minimal import describe, row_count, shrink
from tests.oracle.people import registration_on
from tests.oracle.towns import MORE_MAKERS, Story, Town

PERSON_ID = "person_id"
SHOWN = 4
# Missing, a wrong check digit, ten equal digits, too short; and somebody who is on no register.
NO_NUMBERS = (None, "9990000019", "1111111111", "99900001")
STRANGER = factories.nhs_number(99_000)

Features = Mapping[str, Any]
Expected = dict[str, Features | None]  # NHS number -> features, None for somebody outside the population


@dataclass(frozen=True)
class Disagreement:
    """One person of one town, and the features on which the oracle and the engine differ."""

    story: Story
    differences: Mapping[str, str]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(sorted(self.differences))


# --- both answers ------------------------------------------------------------------------------


def expected_features(town: Town, knowledge: Knowledge) -> Expected:
    calendar = calendar_of((person.history for person in town.people), town.as_of, knowledge, town.declared)
    told = any(says_ambulance(one.history.get("acute_attendances", ()), town.as_of) for one in town.people)
    expected: Expected = {}
    for person in town.people:
        registration = registration_on(person.history["gp_patients"], town.as_of, knowledge)
        practice = "" if registration is None else registration["practice_code"]
        covers = calendar.of_practice(practice)
        expected[person.number] = features_for(person.history, town.as_of, knowledge, covers, told)
    return expected


def town_extracts(people: Iterable[Story], seed: str) -> dict[str, list[Row]]:
    """Everybody's rows as one delivery, in no order."""
    extracts: dict[str, list[Row]] = {}
    for person in people:
        for extract, rows in person.history.items():
            extracts.setdefault(extract, []).extend(rows)
    dice = Random(seed)
    for extract, rows in extracts.items():
        if len(rows) > 1_000:
            numbers = NO_NUMBERS if extract == "gp_patients" else (*NO_NUMBERS, STRANGER)
            rows += [nobodys(dice.choice(rows), number) for number in numbers]
        dice.shuffle(rows)
    return extracts


def nobodys(row: Row, number: str | None) -> Row:
    """A row that cannot be linked to anybody; it must change nobody's features."""
    return row | {next(iter(row)): f"nobody's {number}", "nhs_number": number}


def computed_features(people: Sequence[Story], site: Path, town: Town) -> Mapping[str, Features]:
    """person_id -> features, from the real engine."""
    extracts = town_extracts(people, f"{town.as_of}")
    delivered = {name: rows for name, rows in extracts.items() if rows or name not in MORE_MAKERS}
    return engine_features(site, delivered, town.as_of)


# --- comparing ---------------------------------------------------------------------------------


def compare(expected: Features | None, computed: Features | None) -> dict[str, str]:
    """Feature -> what both say, for every feature on which they differ; a missing one differs."""
    if expected is None or computed is None:
        if expected is computed:
            return {}
        found = "in the population" if computed is not None else "not in the population"
        wanted = "in the population" if expected is not None else "not in the population"
        return {"(population)": f"expected {wanted}, found {found}"}
    differences = {}
    for feature in dict.fromkeys((*expected, *computed)):
        if feature == PERSON_ID:
            continue
        if feature not in expected or feature not in computed:
            differences[feature] = "only in the oracle" if feature in expected else "only in the engine"
        elif not same(expected[feature], computed[feature]):
            differences[feature] = f"expected {expected[feature]!r}, found {computed[feature]!r}"
    return differences


def same(expected: object, computed: object) -> bool:
    if isinstance(expected, float) and isinstance(computed, int | float):
        return abs(expected - computed) < 1e-9
    return expected == computed and isinstance(expected, bool) == isinstance(computed, bool)


def disagreements(
    people: Iterable[Story], expected: Expected, computed: Mapping[str, Features]
) -> list[Disagreement]:
    found = []
    for person in people:
        key = person_key(pipeline.TEST_KEY, person.number)
        differences = compare(expected[person.number], computed.get(key))
        if differences:
            found.append(Disagreement(person, differences))
    return found


def check_town(town: Town, site: Path, knowledge: Knowledge) -> tuple[Expected, list[Disagreement]]:
    """Everybody of a town through the oracle and through the engine."""
    expected = expected_features(town, knowledge)
    computed = computed_features(town.people, site, town)
    known = {person_key(pipeline.TEST_KEY, number) for number in expected}
    strangers = set(computed) - known
    if strangers:
        raise AssertionError(f"the engine knows {len(strangers)} people whom nobody generated")
    return expected, disagreements(town.people, expected, computed)


def minimal_stories(
    found: Sequence[Disagreement], town: Town, site: Path, knowledge: Knowledge, shown: int = SHOWN
) -> str:
    """The smallest story of each kind of difference, the commonest first; nothing where nobody differs."""
    if not found:
        return ""
    kinds: dict[tuple[str, ...], list[Disagreement]] = {}
    for one in found:
        kinds.setdefault(one.features, []).append(one)
    told = [f"as of {town.as_of}, {len(found)} of {len(town.people)} people differ, in {len(kinds)} ways"]
    for several in sorted(kinds.values(), key=len, reverse=True)[:shown]:
        shortest = min(several, key=lambda one: row_count(one.story.history))
        told.append(f"{len(several)} people like this one:\n{minimal_story(shortest, town, site, knowledge)}")
    return "\n\n".join(told)


def minimal_story(found: Disagreement, town: Town, site: Path, knowledge: Knowledge) -> str:
    """The story cut down as far as the difference lasts, told with what both sides say of it."""
    wanted = found.features[0]

    def check(candidates: Sequence[Story]) -> list[Disagreement]:
        smaller = replace(town, stories=list(candidates))
        return check_town(smaller, site, knowledge)[1]

    def still_differ(candidates: Sequence[Story]) -> list[bool]:
        differing = {one.story.number for one in check(candidates) if wanted in one.differences}
        return [story.number in differing for story in candidates]

    smallest = shrink(found.story, still_differ)
    again = [one for one in check([smallest]) if one.story.number == smallest.number]
    return tell(again[0] if again else found)


def tell(found: Disagreement) -> str:
    differences = [f"  {feature}: {text}" for feature, text in found.differences.items()]
    return "\n".join([*differences, describe(found.story.history)])
