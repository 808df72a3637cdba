"""Releases that follow others: nothing they tell together is told, and the record of what left is whole."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from riskstrat.audit import read_entries
from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.knowledge import token
from riskstrat.disclosure.release import Cell, Relation, Release, cross_table, flat
from riskstrat.disclosure.store import KEY_FILE, earlier_releases, publish_for_site
from riskstrat.errors import NotPermittedError
from riskstrat.site import Site
from tests.disclosure.releases import KEY, NIGHT, NNHIP, of

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
