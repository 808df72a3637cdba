"""Counts of a cohort by practice, neighbourhood and PCN, asked for one after the other, give no small one away."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from riskstrat.definitions.disclosure import Policy, load_disclosure
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.places import NEIGHBOURHOOD, PCN, PRACTICE, Place, release_by
from riskstrat.errors import NotPermittedError
from riskstrat.site import default_site
from tests.disclosure.generated import Story
from tests.integration.test_disclosure_attacks import KEY, as_seen, narrowed

POLICIES = load_disclosure(default_site() / "config" / "disclosure.yaml").audiences
KINDS = (PRACTICE, NEIGHBOURHOOD, PCN)


def _places(dice: random.Random) -> list[Place]:
    """Practices that belong to a neighbourhood and to a PCN, which need not agree."""
    return [
        Place(f"P{place}", f"N{dice.randint(1, 3)}", f"C{dice.randint(1, 3)}", _people(dice))
        for place in range(1, dice.randint(5, 9))
    ]


def _people(dice: random.Random) -> int:
    return dice.choice((0, dice.randint(1, 7), dice.randint(1, 7), dice.randint(8, 60)))


@pytest.mark.parametrize("audience", ["commissioner", "public"])
def test_no_order_of_questions_narrows_a_small_count(audience: str) -> None:
    policy: Policy = POLICIES[audience]
    hidden = held_back = 0
    for seed in range(40):
        dice = random.Random(f"{audience} {seed}")
        places = _places(dice)
        asked = [(night, kind) for night in range(2) for kind in dice.sample(KINDS, 3)]
        releases, published = [], list[PublishedRelease]()
        for night, kind in asked:
            if night and kind == asked[3][1]:  # on the next night somebody came or went
                changed = dice.randrange(len(places))
                places[changed] = Place(
                    *(places[changed].practice, places[changed].neighbourhood, places[changed].pcn),
                    max(0, places[changed].people + dice.choice((-1, 1))),
                )
            release = release_by("some", date(2026, 4, 1) + timedelta(days=night), places, kind)
            try:
                shown = publish_release(release, policy, [one.remembered for one in published], key=KEY)
            except NotPermittedError:
                held_back += 1
                continue
            releases.append(release)
            published.append(shown)
        story = Story(PRACTICE, policy, releases)
        seen = [as_seen(*pair) for pair in zip(published, releases, strict=True)]
        assert not narrowed(story, seen), f"seed {seed}"
        hidden += sum(count is None for one in published for count in one.counts.values())
    assert hidden > 100
    assert held_back < 40


def test_first_answers_by_themselves_would_give_small_counts_away() -> None:
    """What each kind shows when the others are not heeded: set side by side it tells."""
    policy, told = POLICIES["public"], 0
    for seed in range(20):
        dice = random.Random(seed)
        places = _places(dice)
        releases = [release_by("some", date(2026, 4, 1), places, kind) for kind in KINDS]
        alone = [publish_release(release, policy, key=KEY) for release in releases]
        seen = [as_seen(*pair) for pair in zip(alone, releases, strict=True)]
        told += bool(narrowed(Story(PRACTICE, policy, releases), seen))
    assert told >= 5
