"""Counts of a condition and of its opposite, shown to one audience: no small group can be worked out."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import Answer, shown_answer

EVERYBODY = 24
WORLDS = [
    (people, undecided)
    for people, undecided in itertools.product(range(EVERYBODY + 1), repeat=2)
    if people + undecided <= EVERYBODY
]


@pytest.mark.parametrize(
    "policy",
    [Policy("small", "1 to 3 hidden", 4), Policy("round", "rounded too", 4, 3)],
    ids=lambda policy: policy.name,
)
def test_condition_and_its_opposite_give_no_small_group_away(policy: Policy) -> None:
    alike: dict[object, set[tuple[int, int, int]]] = defaultdict(set)
    for people, undecided in WORLDS:
        rest = EVERYBODY - people - undecided
        seen = (
            shown_answer(Answer(people, undecided, EVERYBODY), policy),
            shown_answer(Answer(rest, undecided, EVERYBODY), policy),
            shown_answer(Answer(undecided, 0, EVERYBODY), policy),
        )
        alike[seen].add((people, undecided, rest))
    for worlds in alike.values():
        for place in range(3):
            possible = {world[place] for world in worlds}
            assert len(possible) > 1 or not 0 < min(possible) < policy.smallest_shown


def test_members_of_a_cohort_are_shown_where_only_the_undecided_are_few() -> None:
    policy = Policy("small", "1 to 3 hidden", 4)
    assert shown_answer(Answer(10, 2, 30), policy, may_be_negated=False) == (10, None)
    assert shown_answer(Answer(10, 2, 30), policy) == (None, None)
    assert shown_answer(Answer(28, 0, 30), policy, may_be_negated=False) == (None, None)


def test_people_elsewhere_are_a_group_too() -> None:
    policy = Policy("small", "1 to 3 hidden", 4)
    area = Answer(10, 0, 15)
    assert shown_answer(area, policy, whole=Answer(12, 0, 40)) == (None, None)
    assert shown_answer(area, policy, whole=Answer(10, 0, 40)) == (10, 0)
    assert shown_answer(area, policy, whole=Answer(12, 0, 40), may_be_negated=False) == (None, None)
