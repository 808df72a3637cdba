"""Releases of every shape: a seed gives a story of one to three releases with their true counts."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.release import Cell, Hierarchy, Rate, Relation, Release, cross_table, flat

POLICIES = (
    Policy("hes", "1 to 7 hidden, others rounded to 5", smallest_shown=8, rounded_to=5),
    Policy("nnhip", "1 to 5 hidden", smallest_shown=6),
)
FIRST_NIGHT = date(2026, 4, 1)


@dataclass(frozen=True)
class Story:
    """What is released, one after the other, under one policy."""

    kind: str
    policy: Policy
    releases: tuple[Release, ...]


def story(seed: int) -> Story:
    """The same seed gives the same story."""
    chance = random.Random(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    return Story(kind, POLICIES[seed // len(KINDS) % 2], KINDS[kind](chance))


def _count(chance: random.Random) -> int:
    return chance.choice(
        (
            0,
            0,
            chance.randint(1, 7),
            chance.randint(1, 7),
            chance.randint(6, 12),
            chance.randint(8, 60),
            chance.randint(50, 900),
        )
    )


def _counts(chance: random.Random, *divisions: Hierarchy) -> dict[tuple[str, ...], int]:
    return {place: _count(chance) for place in product(*(division.leaves() for division in divisions))}


def _parts(letter: str, number: int) -> Hierarchy:
    return flat(f"{letter}{place}" for place in range(1, number + 1))


def _areas(chance: random.Random) -> Hierarchy:
    """Practices in neighbourhoods in the whole."""
    parents = {}
    for area in range(1, chance.randint(2, 3) + 1):
        parents[f"N{area}"] = "all"
        for practice in range(1, chance.randint(1, 3) + 1):
            parents[f"N{area}P{practice}"] = f"N{area}"
    return Hierarchy(parents)


def _table(*divisions: Hierarchy) -> Callable[[Mapping[tuple[str, ...], int], int], Release]:
    def release(counts: Mapping[tuple[str, ...], int], night: int) -> Release:
        cells, relations = cross_table("people", counts, divisions)
        return Release("people", FIRST_NIGHT + timedelta(days=night), cells, relations)

    return release


def _one_way(chance: random.Random) -> tuple[Release, ...]:
    division = _parts("a", chance.randint(2, 9))
    return (_table(division)(_counts(chance, division), 0),)


def _two_way(chance: random.Random) -> tuple[Release, ...]:
    divisions = _parts("a", chance.randint(2, 5)), _parts("b", chance.randint(2, 4))
    return (_table(*divisions)(_counts(chance, *divisions), 0),)


def _three_way(chance: random.Random) -> tuple[Release, ...]:
    divisions = _parts("a", chance.randint(2, 3)), _parts("b", 2), _parts("c", chance.randint(2, 3))
    return (_table(*divisions)(_counts(chance, *divisions), 0),)


def _hierarchy(chance: random.Random) -> tuple[Release, ...]:
    divisions = _areas(chance), _parts("b", chance.randint(2, 3))
    return (_table(*divisions)(_counts(chance, *divisions), 0),)


def _linked(chance: random.Random) -> tuple[Release, ...]:
    """Two tables of the same people, by age and by sex, that share their totals by area."""
    divisions = (
        _parts("area", chance.randint(2, 4)),
        _parts("age", chance.randint(2, 3)),
        flat(("men", "women")),
    )
    cells, relations = cross_table("people", _counts(chance, *divisions), divisions)
    kept = {cell.name: cell for cell in cells if cell.name.split(" | ")[2:].count("all") >= 1}
    return (
        Release(
            "people",
            FIRST_NIGHT,
            tuple(kept.values()),
            tuple(one for one in relations if {one.total, *one.parts} <= set(kept)),
        ),
    )


def _rates(chance: random.Random) -> tuple[Release, ...]:
    """People and, of them, those with a review, by practice: two tables, and the share in each place."""
    areas = _areas(chance) if chance.random() < 0.5 else _parts("a", chance.randint(2, 5))
    people = {place: _count(chance) for place in areas.leaves()}
    reviewed = {
        place: count - min(count, chance.choice((0, 1, 2, 5, count // 2, count, count)))
        for place, count in people.items()
    }
    all_cells, relations = cross_table(
        "people", {(place,): count for place, count in people.items()}, [areas]
    )
    some_cells, more = cross_table(
        "reviewed", {(place,): count for place, count in reviewed.items()}, [areas]
    )
    rates = tuple(
        Rate(f"share | {place}", f"reviewed | {place}", f"people | {place}") for place in areas.nodes()
    )
    return (Release("reviews", FIRST_NIGHT, all_cells + some_cells, relations + more, rates),)


def _nights(chance: random.Random) -> tuple[Release, ...]:
    """One table on three nights; in between a few people come, go or move."""
    divisions = (_parts("a", chance.randint(2, 4)), _parts("b", chance.randint(2, 3)))
    counts = _counts(chance, *divisions)
    releases = []
    for night in range(3):
        releases.append(_table(*divisions)(counts, night))
        counts = dict(counts)
        for _ in range(chance.choice((0, 1, 1, 2))):
            place = chance.choice(sorted(counts))
            counts[place] = max(0, counts[place] + chance.choice((-9, -3, -2, -1, 1, 2, 4, 11)))
            if chance.random() < 0.1:
                counts[place] = _count(chance)
    return tuple(releases)


def _other_shape(chance: random.Random) -> tuple[Release, ...]:
    """The same people first by area, then by area and age, then by age: later tables share totals with earlier ones."""
    divisions = _parts("a", chance.randint(2, 4)), _parts("b", chance.randint(2, 3))
    cells, relations = cross_table("people", _counts(chance, *divisions), divisions)
    views = [
        {cell.name for cell in cells if cell.name.endswith("| all")},
        {cell.name for cell in cells},
        {cell.name for cell in cells if cell.name.split(" | ")[1] == "all"},
    ]
    chance.shuffle(views)
    return tuple(
        Release(
            f"view {night}",
            FIRST_NIGHT + timedelta(days=night),
            tuple(cell for cell in cells if cell.name in view),
            tuple(one for one in relations if {one.total, *one.parts} <= view),
        )
        for night, view in enumerate(views)
    )


def _subset(chance: random.Random) -> tuple[Release, ...]:
    """People of 65 and over, then of 66 and over: the difference is the people of 65."""
    areas = _parts("a", chance.randint(2, 4))
    younger = {
        place: chance.choice((0, chance.randint(1, 7), chance.randint(1, 7), 30)) for place in areas.leaves()
    }
    older = {place: _count(chance) for place in areas.leaves()}
    first, adding = cross_table(
        "65+", {(place,): younger[place] + older[place] for place in younger}, [areas]
    )
    second, adding_too = cross_table("66+", {(place,): older[place] for place in older}, [areas])
    between, adding_between = cross_table("65", {(place,): younger[place] for place in younger}, [areas])
    unseen = tuple(Cell(cell.name, cell.count, is_shown=False) for cell in (*first, *between))
    nested = tuple(Relation(f"65+ | {node}", (f"66+ | {node}", f"65 | {node}")) for node in areas.nodes())
    return (
        Release("65+", FIRST_NIGHT, first, adding),
        Release("66+", FIRST_NIGHT, second + unseen, adding + adding_too + adding_between + nested),
    )


KINDS: dict[str, Callable[[random.Random], tuple[Release, ...]]] = {
    "one way": _one_way,
    "two ways": _two_way,
    "three ways": _three_way,
    "hierarchy": _hierarchy,
    "linked tables": _linked,
    "rates": _rates,
    "nights": _nights,
    "other shape": _other_shape,
    "subset": _subset,
}
