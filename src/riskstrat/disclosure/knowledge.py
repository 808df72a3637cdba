"""What a reader knows who keeps every release and misses nothing: the linear system that any hidden count must satisfy.

The reader knows the policy, the rounding, every relation, every earlier release, and which counts did not change
between releases. Of every mark that stands for a small count of its own the reader is told so. A quantity is
a cell's name and its count: a count that has changed since is another quantity.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from scipy import sparse

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import shown
from riskstrat.disclosure.release import Cell, Relation, Release

SHOWN, SMALL, HIDDEN, UNTOLD = "shown", "small", "hidden", "untold"
TOKEN_DIGITS = 16

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class RememberedCell:
    """A cell as it left. ``token`` tells whether a later count is the same; a count that was not shown is not here.

    ``mark`` is shown; small, where the count is hidden for its own sake; hidden, where it is for the sake of others; or
    untold, for cells under a small total and cells that no table shows. What ``is_small`` stays protected for ever.
    """

    token: str
    mark: str
    value: int | None = None
    is_small: bool = False


@dataclass(frozen=True)
class RememberedRelease:
    """An earlier release as its readers have it."""

    name: str
    as_of: date
    policy: Policy
    cells: Mapping[str, RememberedCell]
    relations: tuple[Relation, ...] = ()


def token(key: bytes, name: str, count: int) -> str:
    """A text that is the same for the same count of the same cell, and says nothing to whoever lacks the key."""
    content = f"riskstrat count\0{name}\0{count}".encode()
    return hmac.digest(key, content, hashlib.sha256).hex()[:TOKEN_DIGITS]


def shown_interval(value: int, policy: Policy) -> tuple[float, float]:
    """The counts that are shown as ``value``.

    >>> shown_interval(10, Policy("hes", "", smallest_shown=8, rounded_to=5))
    (8.0, 12.0)
    """
    if value == 0 and policy.smallest_shown > policy.rounded_to // 2:
        return 0.0, 0.0
    below = policy.rounded_to // 2
    return float(max(value - below, policy.smallest_shown)), float(value + policy.rounded_to - 1 - below)


@dataclass(frozen=True)
class System:
    """Quantities in a fixed order, and what is known of each when it is shown and when it is hidden.

    ``base`` is one whole table that is consistent with everything: the true counts of the new release, and for
    quantities of earlier releases only, any that fit. ``needed`` are the quantities that must stay anything from 1
    to the policy's highest small count.
    """

    cells: tuple[str, ...]
    matrix: sparse.csr_matrix
    shown_lower: Floats
    shown_upper: Floats
    hidden_lower: Floats
    hidden_upper: Floats
    costs: Floats
    base: Integers
    needed: tuple[tuple[int, int, int], ...]  # quantity, lowest and highest count that must stay possible
    forced: Flags  # hidden whatever else is
    candidates: Flags  # may be hidden to protect others
    tops: Flags  # totals that are part of nothing
    width: int  # how many counts a small one could be
    places: Mapping[str, int] = field(default_factory=dict)  # cell of the new release to its quantity
    small: frozenset[int] = frozenset()  # quantities that are told to be small
    marked: frozenset[int] = frozenset()  # quantities that an earlier release hid for the sake of others

    def bounds(self, hidden: Flags) -> tuple[Floats, Floats]:
        """What is known of each quantity when those are hidden."""
        return (
            np.where(hidden, self.hidden_lower, self.shown_lower),
            np.where(hidden, self.hidden_upper, self.shown_upper),
        )


class Quantities:
    """Gathers what is known before it becomes a System: one quantity for each cell and count."""

    def __init__(self) -> None:
        self.index: dict[tuple[str, str], int] = {}
        self.names: list[str] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.small: dict[int, int] = {}  # quantity to the highest small count of its policy
        self.marked: set[int] = set()  # hidden in an earlier release, though not small by themselves
        self.relations: dict[tuple[int, tuple[int, ...]], None] = {}

    def at(self, name: str, its_token: str) -> int:
        """The quantity's place; it is made where it is new."""
        place = self.index.setdefault((name, its_token), len(self.names))
        if place == len(self.names):
            self.names.append(name)
            self.lower.append(0.0)
            self.upper.append(np.inf)
        return place

    def learn(self, place: int, lower: float, upper: float) -> None:
        """The quantity is known to lie between these."""
        self.lower[place] = max(self.lower[place], lower)
        self.upper[place] = min(self.upper[place], upper)

    def add(self, relations: Iterable[Relation], places: Mapping[str, int]) -> None:
        """Relations between cells of one release."""
        for relation in relations:
            parts = tuple(sorted(places[part] for part in relation.parts))
            self.relations.setdefault((places[relation.total], parts))

    def recall(self, release: RememberedRelease) -> None:
        """All that an earlier release told, and what of it must stay hidden."""
        places = {name: self.at(name, cell.token) for name, cell in release.cells.items()}
        for name, cell in release.cells.items():
            if cell.mark == SHOWN and cell.value is not None:
                self.learn(places[name], *shown_interval(cell.value, release.policy))
            elif cell.mark == SMALL:
                self.learn(places[name], 1.0, float(release.policy.smallest_shown - 1))
            elif cell.mark == HIDDEN:
                self.marked.add(places[name])
            if cell.is_small:
                self.protect(places[name], release.policy)
        self.add(release.relations, places)

    def protect(self, place: int, policy: Policy) -> None:
        """The quantity is small: nobody may come to know it better than the policy says."""
        self.small[place] = max(self.small.get(place, 0), policy.smallest_shown - 1)

    def under_small(self) -> set[int]:
        """Everything below a small total: it is hidden with its total, zeros too, and nothing is told of it."""
        below: dict[int, set[int]] = {}
        for total, parts in self.relations:
            below.setdefault(total, set()).update(parts)
        found: set[int] = set()
        waiting = list(self.small)
        while waiting:
            for part in below.get(waiting.pop(), ()):
                if part not in found:
                    found.add(part)
                    waiting.append(part)
        return found

    def matrix(self) -> sparse.csr_matrix:
        """One row a relation: total minus parts is zero."""
        rows, columns, values = [], [], []
        for row, (total, parts) in enumerate(self.relations):
            for place, value in ((total, 1), *((part, -1) for part in parts)):
                rows.append(row)
                columns.append(place)
                values.append(value)
        shape = (len(self.relations), len(self.names))
        return sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.int64)


def what_is_known(
    release: Release,
    policy: Policy,
    earlier: Sequence[RememberedRelease],
    key: bytes,
    untold: Container[str] = (),
) -> System:
    """The system of a release and all that left before it.

    Small counts and zeros among ``untold`` are hidden without a word.
    """
    quantities = Quantities()
    for former in earlier:
        quantities.recall(former)
    places = {
        cell.name: quantities.at(cell.name, token(key, cell.name, cell.count)) for cell in release.cells
    }
    quantities.add(release.relations, places)
    for cell in release.cells:
        if 0 < cell.count < policy.smallest_shown:
            quantities.protect(places[cell.name], policy)
    return _system(release, policy, quantities, places, untold)


class _Draft:
    """What is known of every quantity when it is shown and when it is hidden, cell by cell of the new release."""

    def __init__(self, quantities: Quantities, policy: Policy) -> None:
        size = len(quantities.names)
        self.policy = policy
        self.known = np.array(quantities.lower), np.array(quantities.upper)
        self.shown_lower, self.shown_upper = (ends.copy() for ends in self.known)
        self.hidden_lower, self.hidden_upper = (ends.copy() for ends in self.known)
        self.costs, self.base = np.ones(size), np.full(size, -1, np.int64)
        self.withheld, self.told = np.zeros(size, bool), np.zeros(size, bool)

    def add(self, cell: Cell, place: int, *, is_told: bool) -> None:
        self.base[place] = cell.count
        self.costs[place] = cell.weight * np.log2(2.0 + cell.count)
        is_small = 0 < cell.count < self.policy.smallest_shown
        if not cell.is_shown:
            return
        self.withheld[place] |= not is_told
        if is_told and is_small:
            self.told[place] = True
            self.hidden_lower[place] = max(self.hidden_lower[place], 1.0)
            self.hidden_upper[place] = min(self.hidden_upper[place], self.policy.smallest_shown - 1.0)
        value = shown(cell.count, self.policy)
        if value is not None:
            low, high = shown_interval(value, self.policy)
            self.shown_lower[place] = max(self.shown_lower[place], low)
            self.shown_upper[place] = min(self.shown_upper[place], high)

    def differs(self) -> Flags:
        """Which quantities are better known when they are shown."""
        differs: Flags = (self.hidden_lower != self.shown_lower) | (self.hidden_upper != self.shown_upper)
        return differs


def _system(
    release: Release,
    policy: Policy,
    quantities: Quantities,
    places: Mapping[str, int],
    untold: Container[str],
) -> System:
    draft, under_small = _Draft(quantities, policy), quantities.under_small()
    for cell in release.cells:
        place = places[cell.name]
        is_silent = cell.name in untold and cell.count < policy.smallest_shown
        draft.add(cell, place, is_told=not is_silent and place not in under_small)
    forced = draft.told | (draft.withheld & draft.differs())
    parts = sorted({part for _, members in quantities.relations for part in members})
    return System(
        cells=tuple(quantities.names),
        matrix=quantities.matrix(),
        shown_lower=draft.shown_lower,
        shown_upper=draft.shown_upper,
        hidden_lower=draft.hidden_lower,
        hidden_upper=draft.hidden_upper,
        costs=draft.costs,
        base=draft.base,
        needed=_needed(quantities, *draft.known),
        forced=forced,
        candidates=draft.differs() & ~forced & (draft.base > 0),
        tops=~np.isin(np.arange(len(draft.base)), parts),
        width=policy.smallest_shown - 1,
        places=places,
        small=frozenset(np.flatnonzero(draft.told).tolist()),
        marked=frozenset(quantities.marked),
    )


def _needed(quantities: Quantities, lower: Floats, upper: Floats) -> tuple[tuple[int, int, int], ...]:
    """What is public by a mark of its own under another policy cannot be taken back, and is not asked for."""
    return tuple(
        (place, max(1, int(lower[place])), int(min(highest, upper[place])))
        for place, highest in sorted(quantities.small.items())
    )
