"""What is to leave together: named cells with their true counts, and how they hang together.

A cell's name is its identity: the same name in two tables, or in two releases, is the same quantity. Nothing
here hides anything; ``gate.publish_release`` does, and it alone may be given a release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from riskstrat.errors import MisuseError

WHOLE = "all"
SEPARATOR = " | "


@dataclass(frozen=True)
class Cell:
    """A count of people. ``is_shown`` False: a count that the release does not show but that follows from it.

    ``weight`` says how much is lost when it is hidden, against other cells.
    """

    name: str
    count: int
    is_shown: bool = True
    weight: float = 1.0


@dataclass(frozen=True)
class Relation:
    """The total is the sum of its parts: nobody is in two parts, and nobody of the total in none."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Rate:
    """The share of the denominator's people who are in the numerator, which holds nobody else."""

    name: str
    numerator: str
    denominator: str

    @property
    def rest(self) -> str:
        """The name of the count that a rate gives away: the denominator without the numerator."""
        return f"{self.denominator}{SEPARATOR}without {self.numerator}"


@dataclass(frozen=True)
class Mean:
    """The mean of a measure over the people of a cell; None where the cell has nobody."""

    measure: str
    cell: str
    value: float | None


@dataclass(frozen=True)
class Release:
    """Everything that one reader gets at one time: tables, totals, rates, means and the charts made of them."""

    name: str
    as_of: date
    cells: tuple[Cell, ...]
    relations: tuple[Relation, ...] = ()
    rates: tuple[Rate, ...] = ()
    means: tuple[Mean, ...] = ()

    def __post_init__(self) -> None:
        _check_cells(self)
        _check_relations(self)

    def complete(self) -> Release:
        """The release with the rest of every rate as a cell that is not shown, and its relation."""
        counts = {cell.name: cell.count for cell in self.cells}
        cells, relations = list(self.cells), list(self.relations)
        for rate in self.rates:
            if rate.rest not in counts:
                counts[rate.rest] = counts[rate.denominator] - counts[rate.numerator]
                cells.append(Cell(rate.rest, counts[rate.rest], is_shown=False))
            relation = Relation(rate.denominator, (rate.numerator, rate.rest))
            if relation not in relations:
                relations.append(relation)
        return Release(self.name, self.as_of, tuple(cells), tuple(relations), self.rates, self.means)


@dataclass(frozen=True)
class Hierarchy:
    """One way of dividing people: each part to the larger part that holds it, up to ``all``.

    >>> Hierarchy({"P1": "North", "P2": "North", "P3": "South", "North": "all", "South": "all"}).leaves()
    ['P1', 'P2', 'P3']
    """

    parents: Mapping[str, str]

    def leaves(self) -> list[str]:
        """The parts that hold no other, in order."""
        return sorted(set(self.parents) - set(self.parents.values()))

    def nodes(self) -> list[str]:
        """Every part, and the whole."""
        return sorted(set(self.parents) | set(self.parents.values()))

    def children(self) -> dict[str, list[str]]:
        """Each part that holds others, with those."""
        held: dict[str, list[str]] = {}
        for part, parent in sorted(self.parents.items()):
            held.setdefault(parent, []).append(part)
        return held

    def ancestors(self, part: str) -> list[str]:
        """The part and everything above it."""
        above = [part]
        while above[-1] in self.parents:
            above.append(self.parents[above[-1]])
        return above


def flat(parts: Iterable[str]) -> Hierarchy:
    """Parts side by side, and the whole."""
    return Hierarchy(dict.fromkeys(parts, WHOLE))


def cross_table(
    name: str, counts: Mapping[tuple[str, ...], int], divisions: Sequence[Hierarchy]
) -> tuple[tuple[Cell, ...], tuple[Relation, ...]]:
    """A table with every margin: a cell for each combination of parts, a relation for each way of adding up.

    ``counts`` gives people for combinations of leaves, one of each division; a combination that is not there is 0.
    """
    totals = dict.fromkeys(product(*(division.nodes() for division in divisions)), 0)
    for leaves, count in counts.items():
        above = (division.ancestors(leaf) for division, leaf in zip(divisions, leaves, strict=True))
        for place in product(*above):
            totals[place] += count
    cells = tuple(Cell(_named(name, place), count) for place, count in totals.items())
    relations = []
    for place in totals:
        for axis, division in enumerate(divisions):
            parts = division.children().get(place[axis], [])
            names = tuple(_named(name, (*place[:axis], part, *place[axis + 1 :])) for part in parts)
            if names:
                relations.append(Relation(_named(name, place), names))
    return cells, tuple(relations)


def _named(name: str, place: tuple[str, ...]) -> str:
    return SEPARATOR.join((name, *place))


def _check_cells(release: Release) -> None:
    names = [cell.name for cell in release.cells]
    if len(set(names)) != len(names):
        raise MisuseError(f"the release {release.name} names a cell twice.")
    for cell in release.cells:
        if cell.count < 0 or cell.weight <= 0:
            raise MisuseError("a count may not be negative, nor a weight nothing.", column=cell.name)
    used = {name for relation in release.relations for name in (relation.total, *relation.parts)}
    used |= {name for rate in release.rates for name in (rate.numerator, rate.denominator)}
    used |= {mean.cell for mean in release.means}
    unknown = used - set(names)
    if unknown:
        raise MisuseError("is no cell of the release.", column=min(unknown))


def _check_relations(release: Release) -> None:
    counts = {cell.name: cell.count for cell in release.cells}
    for relation in release.relations:
        if counts[relation.total] != sum(counts[part] for part in relation.parts):
            raise MisuseError("is not the sum of the parts that are named.", column=relation.total)
    for rate in release.rates:
        if counts[rate.numerator] > counts[rate.denominator]:
            raise MisuseError("has more people in its numerator than in its denominator.", column=rate.name)
