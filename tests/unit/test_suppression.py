"""The gate for aggregates: what it hides, that it hides no more than needed, and what it does when it cannot tell."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure import suppression
from riskstrat.disclosure.gate import publish_release
from riskstrat.disclosure.knowledge import shown_interval
from riskstrat.disclosure.release import Cell, Hierarchy, Mean, Rate, Relation, Release, cross_table, flat
from riskstrat.disclosure.suppression import Effort
from riskstrat.errors import MisuseError, NotPermittedError
from tests.disclosure.brute_force import cheapest_cost, is_safe, small_table, under_small
from tests.disclosure.releases import HES, KEY, NIGHT, NNHIP, of, released

# --- what is hidden -------------------------------------------------------------------------------------------------


def test_a_second_count_is_hidden_where_the_total_would_give_the_first_away() -> None:
    release = released({"a": 3, "b": 20, "c": 100})
    assert (of(release, "a"), of(release, "b"), of(release, "c"), of(release, "all")) == (
        None,
        None,
        100,
        123,
    )
    assert release.proof.ranges["t | a"] == (1, 5)


def test_the_cheapest_of_the_others_is_hidden_and_a_weight_can_say_which_is_dear() -> None:
    cells, relations = cross_table("t", {("a",): 3, ("b",): 20, ("c",): 100}, [flat("abc")])
    dear = tuple(replace(cell, weight=9.0) if cell.name == "t | b" else cell for cell in cells)
    release = publish_release(Release("t", NIGHT, dear, relations), NNHIP, key=KEY)
    assert (of(release, "b"), of(release, "c")) == (20, None)


def test_zero_stays_zero() -> None:
    release = released({"a": 0, "b": 20, "c": 3, "d": 30})
    assert of(release, "a") == 0


def test_parts_of_a_small_total_are_hidden_with_it_zeros_too() -> None:
    """Three people in three of five places: five marks, or the places that hold nobody would be known."""
    counts = {(place, band): 0 for place in ("a1", "a2") for band in ("b1", "b2", "b3")}
    counts |= {("a1", "b1"): 1, ("a1", "b2"): 1, ("a2", "b1"): 40, ("a2", "b2"): 50, ("a2", "b3"): 60}
    cells, relations = cross_table("t", counts, [flat(("a1", "a2")), flat(("b1", "b2", "b3"))])
    release = publish_release(Release("t", NIGHT, cells, relations), NNHIP, key=KEY)
    assert [of(release, "a1", band) for band in ("b1", "b2", "b3", "all")] == [None] * 4


def test_rounding_alone_protects_only_where_it_leaves_the_whole_range() -> None:
    protected = released({"a": 3, "b": 100}, HES)  # 105 - 100, each of them two more or less: 1 to 9
    assert (of(protected, "b"), of(protected, "all")) == (100, 105)
    exposed = released({"a": 1, "b": 100}, HES)  # 100 - 100: at most 4
    assert None in (of(exposed, "b"), of(exposed, "all"))


@pytest.mark.parametrize("value", [0, 10, 15, 100])
def test_shown_numbers_stand_for_the_counts_that_round_to_them(value: int) -> None:
    from riskstrat.disclosure.counts import shown

    low, high = shown_interval(value, HES)
    assert [count for count in range(200) if shown(count, HES) == value] == list(
        range(int(low), int(high) + 1)
    )


def test_nothing_is_hidden_or_rounded_under_the_policy_for_people_who_may_see_rows() -> None:
    release = released({"a": 3, "b": 1}, Policy("none", ""))
    assert (of(release, "a"), of(release, "b"), of(release, "all")) == (3, 1, 4)
    assert release.proof.method == "nothing to hide"


# --- rates, means ---------------------------------------------------------------------------------------------------


def test_a_rate_gives_away_nobody_of_the_few_without_it() -> None:
    cells = (Cell("people", 100), Cell("reviewed", 97))
    release = publish_release(
        Release("r", NIGHT, cells, rates=(Rate("share", "reviewed", "people"),)), NNHIP, key=KEY
    )
    assert None in release.counts.values()
    assert release.percentages["share"] is None


def test_percentages_come_from_the_numbers_that_are_shown() -> None:
    cells = (Cell("people", 101), Cell("reviewed", 52))
    release = publish_release(
        Release("r", NIGHT, cells, rates=(Rate("share", "reviewed", "people"),)), HES, key=KEY
    )
    assert (release.counts["people"], release.counts["reviewed"]) == (100, 50)
    assert release.percentages["share"] == 50.0


def test_the_rest_of_a_rate_is_in_no_release() -> None:
    cells = (Cell("people", 100), Cell("reviewed", 97))
    release = publish_release(
        Release("r", NIGHT, cells, rates=(Rate("share", "reviewed", "people"),)), NNHIP, key=KEY
    )
    assert set(release.counts) == {"people", "reviewed"}


def test_a_mean_is_hidden_with_its_count_and_with_another_that_would_give_it_away() -> None:
    cells, relations = cross_table("t", {("a",): 100, ("b",): 3, ("c",): 101}, [flat("abc")])
    means = tuple(Mean("age", f"t | {name}", 70.04) for name in ("a", "b", "c", "all"))
    release = publish_release(Release("t", NIGHT, cells, relations, means=means), HES, key=KEY)
    hidden = [name for name in ("a", "b", "c", "all") if release.means["age", f"t | {name}"] is None]
    assert "b" in hidden
    # the rounding lets every other count stand, but the mean would follow from the means
    assert 2 <= len(hidden) < 4
    assert {value for value in release.means.values() if value is not None} == {70.0}


def test_a_mean_of_nobody_is_none() -> None:
    release = released({"a": 0, "b": 10}, means=(Mean("age", "t | a", None), Mean("age", "t | b", 80.0)))
    assert release.means == {("age", "t | a"): None, ("age", "t | b"): 80.0}


# --- exactness ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [HES, NNHIP], ids=lambda policy: policy.name)
@pytest.mark.parametrize("seed", range(12))
def test_choice_is_safe_and_the_cheapest_of_all_choices_by_counting_every_table(
    seed: int, policy: Policy
) -> None:
    chance = random.Random(seed)
    counts = {
        place: chance.choice((0, 1, 3, 5, 7, 8, 9, 12, 13)) for place in product(("a0", "a1"), ("b0", "b1"))
    }
    release = small_table(counts)
    found = publish_release(release, policy, key=KEY)
    under = under_small(release, policy)
    hidden = frozenset(
        cell.name
        for cell in release.cells
        if found.counts[cell.name] is None and cell.count >= policy.smallest_shown and cell.name not in under
    )
    least = cheapest_cost(release, policy)
    assert least is not None
    assert is_safe(release, hidden, policy)
    cost = sum(np.log2(2.0 + cell.count) for cell in release.cells if cell.name in hidden)
    assert cost == pytest.approx(least)


@pytest.mark.parametrize("policy", [HES, NNHIP], ids=lambda policy: policy.name)
def test_every_range_of_the_proof_is_reached_by_a_table_that_can_be_counted(policy: Policy) -> None:
    counts = {("a0", "b0"): 3, ("a0", "b1"): 12, ("a1", "b0"): 13, ("a1", "b1"): 9}
    release = small_table(counts)
    found = publish_release(release, policy, key=KEY)
    assert found.proof.ranges["t | a0 | b0"][0] <= 1
    assert found.proof.ranges["t | a0 | b0"][1] >= policy.smallest_shown - 1
    assert set(found.proof.ranges) == {name for name, value in found.counts.items() if value is None}


# --- time -----------------------------------------------------------------------------------------------------------


def test_out_of_time_hides_tables_down_to_their_totals_and_never_less() -> None:
    chance = random.Random(4)
    counts = {(f"a{i}", f"b{j}"): chance.choice((2, 9, 40, 300)) for i in range(6) for j in range(4)}
    cells, relations = cross_table(
        "t", counts, [flat(sorted({a for a, _ in counts})), flat(sorted({b for _, b in counts}))]
    )
    release = Release("t", NIGHT, cells, relations)
    patient = publish_release(release, NNHIP, key=KEY)
    hasty = publish_release(release, NNHIP, key=KEY, effort=Effort(seconds=0.0))
    assert patient.proof.method == "cheapest"
    assert hasty.proof.method == "whole table"
    hidden = {name for name, value in hasty.counts.items() if value is None}
    assert hidden >= {name for name, value in patient.counts.items() if value is None}
    assert hidden == set(hasty.counts) - {"t | all | all"}
    assert hasty.counts["t | all | all"] == sum(counts.values())


def test_out_of_time_half_way_is_as_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many solver calls pass before the time is over, what comes out is proven."""
    counts = {(f"a{i}", f"b{j}"): (7 * i + 5 * j) % 13 for i in range(3) for j in range(3)}
    cells, relations = cross_table("t", counts, [flat(("a0", "a1", "a2")), flat(("b0", "b1", "b2"))])
    release = Release("t", NIGHT, cells, relations)
    methods = set()
    for calls in range(12):
        left = iter([0.0] * (calls + 1))
        with monkeypatch.context() as patch:
            patch.setattr("riskstrat.disclosure.tables.time.monotonic", lambda left=left: next(left, 1e9))
            found = publish_release(release, NNHIP, key=KEY, effort=Effort(seconds=1.0))
        methods.add(found.proof.method)
        assert all(
            found.proof.ranges[cell.name][0] <= 1 and found.proof.ranges[cell.name][1] >= 5
            for cell in release.cells
            if 0 < cell.count < 6
        )
    assert methods >= {"whole table", "cheapest"}


def test_without_a_proof_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "_proven", lambda *anything: None)
    with pytest.raises(NotPermittedError, match="small counts"):
        released({"a": 3, "b": 20})


def test_fewer_rounds_hide_more_and_stay_safe() -> None:
    chance = random.Random(8)
    places = product([f"a{i}" for i in range(4)], [f"b{j}" for j in range(4)], ["c0", "c1"])
    counts = {place: chance.choice((0, 2, 5, 9, 30, 80)) for place in places}
    axes = [flat(sorted({place[axis] for place in counts})) for axis in range(3)]
    cells, relations = cross_table("t", counts, axes)
    release = Release("t", NIGHT, cells, relations)
    cheapest = publish_release(release, HES, key=KEY)
    more = publish_release(release, HES, key=KEY, effort=Effort(rounds=1))
    assert (cheapest.proof.method, more.proof.method) == ("cheapest", "more")
    assert sum(value is None for value in more.counts.values()) >= sum(
        value is None for value in cheapest.counts.values()
    )


# --- what a release must be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "relations", "rates", "words"),
    [
        ((Cell("a", 1), Cell("a", 2)), (), (), "twice"),
        ((Cell("a", -1),), (), (), "negative"),
        ((Cell("a", 1),), (Relation("a", ("b",)),), (), "no cell"),
        ((Cell("a", 3), Cell("b", 1), Cell("c", 1)), (Relation("a", ("b", "c")),), (), "not the sum"),
        ((Cell("a", 3), Cell("b", 1)), (), (Rate("r", "a", "b"),), "numerator"),
    ],
)
def test_a_release_that_contradicts_itself_is_refused(
    cells: tuple[Cell, ...], relations: tuple[Relation, ...], rates: tuple[Rate, ...], words: str
) -> None:
    with pytest.raises(MisuseError, match=words):
        Release("r", NIGHT, cells, relations, rates)


def test_a_table_has_every_margin_of_every_level() -> None:
    areas = Hierarchy({"P1": "N1", "P2": "N1", "P3": "N2", "N1": "all", "N2": "all"})
    cells, relations = cross_table("t", {("P1", "x"): 1, ("P2", "x"): 2, ("P3", "y"): 4}, [areas, flat("xy")])
    counts = {cell.name: cell.count for cell in cells}
    assert (counts["t | N1 | x"], counts["t | N2 | x"], counts["t | all | y"], counts["t | all | all"]) == (
        3,
        0,
        4,
        7,
    )
    assert Relation("t | all | all", ("t | N1 | all", "t | N2 | all")) in relations
    assert Relation("t | N1 | all", ("t | P1 | all", "t | P2 | all")) in relations
