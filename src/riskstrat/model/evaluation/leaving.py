"""What of an evaluation may leave: counts of groups through the disclosure gate, nested lists step by step.

A list of 1% lies inside the list of 2%: whoever knows both knows the people between them. So a list is shown only where
everybody between it and its neighbours, with and without the outcome, is nobody or many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import Group
from riskstrat.disclosure.gate import PublishedRelease
from riskstrat.disclosure.release import (
    SEPARATOR,
    WHOLE,
    Cell,
    Hierarchy,
    Relation,
    Release,
    cross_table,
    flat,
)
from riskstrat.model.evaluation.discrimination import Interval
from riskstrat.model.evaluation.fairness import Level
from riskstrat.model.evaluation.ranking import Flags, Floats

NAME = "people scored"
LISTED, ADMITTED = ("listed", "not listed"), ("admitted", "not admitted")
SHOWN = ((WHOLE, WHOLE), (WHOLE, ADMITTED[0]), (LISTED[0], WHOLE), (LISTED[0], ADMITTED[0]))
NEARLY = 1e-9


@dataclass(frozen=True)
class Division:
    """A group with its parts and the AUROC in each; ``parents`` gives the larger part where it lies within another."""

    group: Group
    levels: tuple[Level, ...]
    aurocs: tuple[Interval, ...]
    parents: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ShownLevel:
    """A part of a group as it may be shown; None is hidden. ``expected`` goes with ``people``."""

    name: str
    people: int | None
    admitted: int | None
    expected: float | None
    listed: int | None
    found: int | None


@dataclass(frozen=True)
class Told:
    """Everybody, and every group in its order, after the gate; ``method`` is how the gate chose what to hide."""

    whole: ShownLevel
    groups: Mapping[str, tuple[ShownLevel, ...]]
    method: str
    hidden: int


def release_of(divisions: Sequence[Division], as_of: date) -> Release:
    """The counts of all groups together: people, admitted, listed and found of each part, and how they add up."""
    cells: dict[str, Cell] = {}
    relations: dict[Relation, None] = {}
    for division in divisions:
        counts: dict[tuple[str, ...], int] = {
            (_part(division, level.name), on, having): count
            for level in division.levels
            for (on, having), count in _leaves(level).items()
        }
        made, related = cross_table(NAME, counts, [_hierarchy(division), flat(LISTED), flat(ADMITTED)])
        cells |= {cell.name: replace(cell, is_shown=_is_shown(cell.name)) for cell in made}
        relations |= dict.fromkeys(related)
    return Release("evaluation of a risk score", as_of, tuple(cells.values()), tuple(relations))


def told(divisions: Sequence[Division], whole: Level, published: PublishedRelease) -> Told:
    """What the gate lets through, part by part."""
    groups = {
        division.group.name: tuple(
            _shown(_part(division, level.name), level, published) for level in division.levels
        )
        for division in divisions
    }
    hidden = sum(count is None for count in published.counts.values())
    return Told(_shown(WHOLE, whole, published), groups, published.proof.method, hidden)


def shown_steps(sums: Floats, totals: Floats, first: Sequence[int], policy: Policy) -> Flags:
    """Which of nested lists may be shown, (k,).

    ``sums`` (k, m) are counts of people on each list, ascending; ``totals`` (m,) those of everybody. The lists at
    ``first`` are tried before the others.
    """
    steps: dict[int, Floats] = {-1: np.zeros(len(totals)), len(sums): totals}
    for place in dict.fromkeys([*first, *range(len(sums))]):
        below = steps[max(one for one in steps if one < place)]
        above = steps[min(one for one in steps if one > place)]
        if _safe(sums[place] - below, policy) and _safe(above - sums[place], policy):
            steps[place] = sums[place]
    shown = np.zeros(len(sums), bool)
    shown[[place for place in steps if 0 <= place < len(sums)]] = True
    return shown


def rounded(count: float, policy: Policy) -> float:
    """A count as the policy rounds it; one that is an average over ties may be a fraction where nothing is rounded."""
    return count if policy.rounded_to == 1 else round(count / policy.rounded_to) * policy.rounded_to


def _safe(people: Floats, policy: Policy) -> bool:
    return bool(((np.abs(people) < NEARLY) | (people >= policy.smallest_shown - NEARLY)).all())


def _leaves(level: Level) -> dict[tuple[str, str], int]:
    return {
        (LISTED[0], ADMITTED[0]): level.found,
        (LISTED[0], ADMITTED[1]): level.listed - level.found,
        (LISTED[1], ADMITTED[0]): level.admitted - level.found,
        (LISTED[1], ADMITTED[1]): level.people - level.listed - level.admitted + level.found,
    }


def _hierarchy(division: Division) -> Hierarchy:
    names = {level.name: _part(division, level.name) for level in division.levels}
    if division.parents is None:
        return flat(names.values())
    held = {name: f"{division.group.within}={division.parents[level]}" for level, name in names.items()}
    return Hierarchy(held | dict.fromkeys(held.values(), WHOLE))


def _part(division: Division, level: str) -> str:
    return f"{division.group.name}={level}"


def _is_shown(name: str) -> bool:
    return tuple(name.split(SEPARATOR)[-2:]) in SHOWN


def _shown(part: str, level: Level, published: PublishedRelease) -> ShownLevel:
    people, admitted, listed, found = (
        published.counts[SEPARATOR.join((NAME, part, *place))] for place in SHOWN
    )
    expected = None if people is None else level.expected
    return ShownLevel(level.name, people, admitted, expected, listed, found)
