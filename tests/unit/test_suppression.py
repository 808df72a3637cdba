"""The gate for aggregates: what it hides, that it hides no more than needed, and what it does when it cannot tell."""

from __future__ import annotations

import json
import random
import stat
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from riskstrat.audit import read_entries
from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure import suppression
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.knowledge import shown_interval, token
from riskstrat.disclosure.release import Cell, Hierarchy, Mean, Rate, Relation, Release, cross_table, flat
from riskstrat.disclosure.store import KEY_FILE, earlier_releases, publish_for_site
from riskstrat.disclosure.suppression import Effort
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.site import Site
from tests.disclosure.brute_force import cheapest_cost, is_safe, small_table, under_small

HES = Policy("hes", "", smallest_shown=8, rounded_to=5)
NNHIP = Policy("nnhip", "", smallest_shown=6)
KEY = b"k" * 32
NIGHT = date(2026, 4, 1)


def released(counts: dict[str, int], policy: Policy = NNHIP, **more: object) -> PublishedRelease:
    cells, relations = cross_table("t", {(name,): count for name, count in counts.items()}, [flat(counts)])
    return publish_release(Release("t", NIGHT, cells, relations, **more), policy, key=KEY)  # type: ignore[arg-type]


def of(release: PublishedRelease, *parts: str) -> int | None:
    return release.counts[" | ".join(("t", *parts))]


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


# --- earlier releases -----------------------------------------------------------------------------------------------


def nights(*tables: dict[str, int], policy: Policy = NNHIP) -> list[PublishedRelease]:
    done: list[PublishedRelease] = []
    for counts in tables:
        cells, relations = cross_table(
            "t", {(name,): count for name, count in counts.items()}, [flat(counts)]
        )
        earlier = [one.remembered for one in done]
        done.append(publish_release(Release("t", NIGHT, cells, relations), policy, earlier, key=KEY))
    return done


def test_a_second_night_shows_nothing_that_gives_the_first_away() -> None:
    """b stood in for a; where a is hidden no longer, b stays hidden, for a was 3 the night before."""
    _, second = nights({"a": 3, "b": 20, "c": 100}, {"a": 9, "b": 20, "c": 100})
    assert of(second, "a") is None or of(second, "b") is None


def test_the_same_release_again_shows_the_same() -> None:
    first, second, third = nights(*[{"a": 3, "b": 20, "c": 100, "d": 4}] * 3)
    assert first.counts == second.counts == third.counts


def test_a_change_of_one_cell_does_not_follow_from_two_totals() -> None:
    """If c alone has changed, 123 last night and 27 tonight say that it is 4: the total is hidden tonight."""
    _, second = nights({"a": 3, "b": 20, "c": 100}, {"a": 3, "b": 20, "c": 4})
    assert of(second, "all") is None


def test_a_difference_of_nested_groups_is_a_count_too() -> None:
    first = Release("65+", NIGHT, (Cell("65+", 100),))
    second = Release(
        "66+",
        NIGHT,
        (Cell("66+", 98), Cell("65+", 100, is_shown=False), Cell("65", 2, is_shown=False)),
        (Relation("65+", ("66+", "65")),),
    )
    one = publish_release(first, NNHIP, key=KEY)
    two = publish_release(second, NNHIP, [one.remembered], key=KEY)
    assert (one.counts, two.counts) == ({"65+": 100}, {"66+": None})


def test_a_release_is_held_back_where_earlier_ones_tell_too_much_already() -> None:
    margins = {
        "t | a1 | all": 11,
        "t | a2 | all": 13,
        "t | all | b1": 15,
        "t | all | b2": 9,
        "t | all | all": 24,
    }
    inner = {
        ("a1", "b1"): 11,
        ("a1", "b2"): 0,
        ("a2", "b1"): 4,
        ("a2", "b2"): 9,
    }  # at least 15 - 11 in the third
    cells, relations = cross_table("t", inner, [flat(("a1", "a2")), flat(("b1", "b2"))])
    first = Release("margins", NIGHT, tuple(cell for cell in cells if cell.name in margins))
    one = publish_release(first, NNHIP, key=KEY)
    assert one.counts == margins
    with pytest.raises(NotPermittedError, match="already") as refusal:
        publish_release(Release("inner", NIGHT, cells, relations), NNHIP, [one.remembered], key=KEY)
    assert refusal.value.exit_code == 5
    assert "t | a2 | b1" in str(refusal.value)


def test_only_what_has_changed_is_another_quantity() -> None:
    assert token(KEY, "a", 3) == token(KEY, "a", 3)
    assert len({token(KEY, "a", 3), token(KEY, "a", 4), token(KEY, "b", 3), token(b"x" * 32, "a", 3)}) == 4


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


# --- the record -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folders = {name: tmp_path / name for name in ("landing", "state", "output", "keys")}
    return Site(root=tmp_path, **folders)


def table(**counts: int) -> Release:
    cells, relations = cross_table("t", {(name,): count for name, count in counts.items()}, [flat(counts)])
    return Release("t", NIGHT, cells, relations)


def numbers_in(value: object) -> list[int | float]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_in(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers_in(part)]
    return [value] if isinstance(value, int | float) else []


def test_what_left_is_on_record_with_published_values_only(site: Site) -> None:
    published = publish_for_site(site, table(a=3, b=2011, c=7777), NNHIP)
    (path,) = (site.state / "disclosure").glob("*.json")
    record = json.loads(path.read_text())
    assert {name: cell[2] for name, cell in record["cells"].items()} == published.counts
    assert published.counts["t | b"] is None  # hidden for the sake of a
    assert 2011 not in numbers_in(record)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((site.keys / KEY_FILE).stat().st_mode) == 0o600


def test_the_next_release_of_a_site_knows_what_left_before(site: Site) -> None:
    publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    second = publish_for_site(site, table(a=9, b=20, c=100), NNHIP)
    assert None in (of(second, "a"), of(second, "b"))
    assert len(earlier_releases(site, {"t | a"})) == 2
    assert earlier_releases(site, {"another"}) == []


def test_the_same_release_again_leaves_one_record(site: Site) -> None:
    first = publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    assert publish_for_site(site, table(a=3, b=20, c=100), NNHIP).counts == first.counts
    assert len(list((site.state / "disclosure").glob("*.json"))) == 1


def test_nothing_leaves_without_the_key_of_earlier_releases(site: Site) -> None:
    publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    (site.keys / KEY_FILE).unlink()
    with pytest.raises(NotPermittedError, match="no disclosure key"):
        publish_for_site(site, table(a=3, b=20, c=101), NNHIP)
    (site.keys / KEY_FILE).write_bytes(b"x" * 32)
    (site.keys / KEY_FILE).chmod(0o600)
    with pytest.raises(NotPermittedError, match="another disclosure key"):
        publish_for_site(site, table(a=3, b=20, c=101), NNHIP)


def test_a_disclosure_key_that_others_can_read_is_not_permitted(site: Site) -> None:
    publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    (site.keys / KEY_FILE).chmod(0o644)
    with pytest.raises(NotPermittedError, match="read by others"):
        publish_for_site(site, table(a=3, b=20, c=100), NNHIP)


def test_nothing_leaves_where_a_record_is_damaged(site: Site) -> None:
    publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    (path,) = (site.state / "disclosure").glob("*.json")
    path.write_text(path.read_text()[:-9])
    with pytest.raises(NotPermittedError, match="cannot be read"):
        publish_for_site(site, table(a=3, b=20, c=100), NNHIP)


@pytest.mark.parametrize("what", ["removed", "one value changed", "all removed"])
def test_nothing_leaves_where_a_record_was_removed_or_changed(site: Site, what: str) -> None:
    """What it hid could be worked out: the gate would not know that it was hidden."""
    publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    publish_for_site(site, table(a=9, b=20, c=100), NNHIP)
    records = (site.state / "disclosure").glob("*.json")
    first, *others = sorted(records, key=lambda path: "true" not in path.read_text())
    if what == "one value changed":
        assert "true" in first.read_text()
        first.write_text(first.read_text().replace("true", "false", 1))
    else:
        for path in (first, *(others if what == "all removed" else ())):
            path.unlink()
    with pytest.raises(NotPermittedError, match=r"is gone|was changed"):
        publish_for_site(site, table(a=9, b=20, c=100), NNHIP)


def test_every_release_is_on_record_once(site: Site) -> None:
    for _ in range(2):
        publish_for_site(site, table(a=3, b=20, c=100), NNHIP)
    entries = [entry.facts for entry in read_entries(site)]
    assert [(entry["action"], entry["as_of"]) for entry in entries] == [("release", NIGHT.isoformat())]


def test_what_hides_nothing_is_no_release_and_leaves_no_record(site: Site) -> None:
    publish_for_site(site, table(a=3, b=20, c=100), Policy("none", ""))
    assert not (site.state / "disclosure").exists()
