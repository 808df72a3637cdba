"""Suppression: no hidden number follows from what is shown, tried on every small funnel and comparison there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskstrat.definitions.disclosure import Policy, load_disclosure
from riskstrat.disclosure.counts import (
    Flow,
    shown,
    shown_changes,
    shown_funnel,
    shown_undecided,
)
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site

SHIPPED = load_disclosure(default_site() / "config" / "disclosure.yaml").audiences
SMALL = Policy("small", "1 and 2 hidden", 3)
ROUNDED = Policy("rounded", "1 and 2 hidden, others rounded to 2", 3, 2)
KINDS = ("include", "exclude", "added")
MOST_COMPARED = 12  # people who were or are members, in all comparisons that are tried
Secret = list[int]


def test_hes_policy_hides_one_to_seven_and_rounds_the_rest_to_five() -> None:
    found = [shown(count, SHIPPED["commissioner"]) for count in (0, 1, 7, 8, 12, 13, 100)]
    assert found == [0, None, None, 10, 10, 15, 100]


def test_nnhip_policy_hides_one_to_five_and_shows_the_rest() -> None:
    assert [shown(count, SHIPPED["public"]) for count in (0, 1, 5, 6, 7)] == [0, None, None, 6, 7]


def test_analysts_are_shown_every_count() -> None:
    steps = [Flow(10), Flow(9, removed=1)]
    assert not SHIPPED["analyst"].hides
    assert [step.left for step in shown_funnel(steps, SHIPPED["analyst"])] == [10, 9]


def sums(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to share ``total`` among so many parts."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in sums(total - first, parts - 1))


def funnels(people: int, kinds: tuple[str, ...]) -> Iterator[tuple[list[Flow], int, Secret]]:
    """Every funnel of these steps from so many people, how many it cannot decide, and all its numbers."""
    for steps in _steps([Flow(people)], kinds):
        judged = sum(step.unknown for step in steps if not step.keeps_unknown)
        # with one rule the undecided are those whom it cannot judge; with more, some of them
        least = judged if kinds == ("include",) else 0
        for undecided in range(least, judged + 1):
            numbers = [
                number for step in steps for number in (step.left, step.removed, step.unknown, step.added)
            ]
            yield steps, undecided, [*numbers, undecided]


def _steps(steps: list[Flow], kinds: tuple[str, ...]) -> Iterator[list[Flow]]:
    if not kinds:
        yield steps
        return
    before, kind = steps[-1].left, kinds[0]
    if kind == "include":
        found = [Flow(left, removed, unknown) for removed, unknown, left in sums(before, 3)]
    elif kind == "exclude":
        found = [
            Flow(before - removed, removed, unknown, keeps_unknown=True)
            for removed in range(before + 1)
            for unknown in range(before - removed + 1)
        ]
    else:  # people who were left out before are added
        found = [Flow(before + added, added=added) for added in range(steps[0].left - before + 1)]
    for step in found:
        yield from _steps([*steps, step], kinds[1:])


@pytest.mark.parametrize(
    ("policy", "people", "kinds"),
    [
        *[
            (policy, 10, kinds)
            for policy in (SMALL, ROUNDED)
            for kinds in (("include",), ("include", "include"))
        ],
        *[(policy, 8, ("include", kind)) for policy in (SMALL, ROUNDED) for kind in ("exclude", "added")],
        *[(policy, 7, ("include", "include", "include")) for policy in (SMALL, ROUNDED)],
        (SHIPPED["public"], 16, ("include",)),
        (SHIPPED["public"], 16, ("include", "include")),
        (SHIPPED["commissioner"], 20, ("include",)),
        (SHIPPED["commissioner"], 18, ("include", "include")),
    ],
    ids=str,
)
def test_no_hidden_number_of_a_funnel_follows_from_what_is_shown(
    policy: Policy, people: int, kinds: tuple[str, ...]
) -> None:
    """Whoever knows the population and this very program still cannot tell a hidden number."""
    release: dict[object, list[Secret]] = defaultdict(list)
    for size in range(policy.smallest_shown, people + 1):
        for steps, undecided, numbers in funnels(size, kinds):
            told = tuple(shown_funnel(steps, policy)), shown_undecided(steps, undecided, policy)
            release[size, told].append(numbers)
    assert len(release) > 10
    for possible in release.values():
        for values in zip(*possible, strict=True):
            is_told = len(set(values)) == 1
            assert not (is_told and 0 < values[0] < policy.smallest_shown), possible[:3]


def test_funnel_of_large_numbers_is_shown_whole() -> None:
    steps = [Flow(100), Flow(60, removed=30, unknown=10), Flow(50, removed=10, keeps_unknown=True)]
    found = shown_funnel(steps, SHIPPED["public"])
    assert [step.left for step in found] == [100, 60, 50]
    assert [step.removed for step in found] == [0, 30, 10]
    assert shown_undecided(steps, 10, SHIPPED["public"]) == 10


def test_step_that_removes_few_is_hidden_until_the_difference_is_large() -> None:
    steps = [Flow(100), Flow(97, removed=3), Flow(95, removed=2), Flow(80, removed=15)]
    assert [step.left for step in shown_funnel(steps, SHIPPED["public"])] == [100, None, None, 80]


@pytest.mark.parametrize("policy", [SMALL, ROUNDED], ids=lambda policy: policy.name)
def test_no_hidden_number_of_a_comparison_follows_from_what_is_shown(policy: Policy) -> None:
    release: dict[tuple[Any, Any], list[Secret]] = defaultdict(list)
    for total in range(MOST_COMPARED + 1):
        for died, rule, came, new, moved, still in sums(total, 6):
            causes = {"left": {"died": died, "rule": rule}, "entered": {"rule": came, "new": new}}
            before, after = died + rule + moved + still, came + new + moved + still
            told = shown_changes((before, after), moved, causes, policy)
            flat = (told.before, told.after, told.entered, told.left, told.moved)
            shown_causes = tuple(count for counts in told.causes.values() for count in counts.values())
            numbers = [died, rule, came, new, moved, before, after, died + rule, came + new]
            release[flat, shown_causes].append(numbers)
    tried = 0
    for (flat, _), possible in release.items():
        # what is shown bounds the people: where they may be more than were tried, nothing is judged
        if sum(policy.smallest_shown if size is None else size + 1 for size in flat[:2]) > MOST_COMPARED:
            continue
        tried += 1
        for values in zip(*possible, strict=True):
            assert not (len(set(values)) == 1 and 0 < values[0] < policy.smallest_shown), possible[:3]
    assert tried > 20


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("policies: {a: {title: x, hides: 3}}\naudiences: {b: a}", "unknown key 'hides'"),
        ("policies: {a: {title: x}}\naudiences: {b: c}", "policy 'c', which is not there"),
        ("policies: {a: {title: x, smallest_shown: 0}}\naudiences: {b: a}", "smallest_shown"),
        ("policies: {a: {title: x, rounded_to: 5}}\naudiences: {b: a}", "round counts of people to 0"),
        ("policies: {none: {title: x, smallest_shown: 6}}\naudiences: {b: none}", "hides nothing"),
        ("policies: {a: {title: x}}", "'audiences' is missing"),
    ],
)
def test_definition_is_read_strictly(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "disclosure.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"disclosure\.yaml") as caught:
        load_disclosure(path)
    assert what in str(caught.value)
