"""Which further counts to hide, so that nobody can work out a small one, at the least loss; and the proof.

The choice is a set-covering problem that grows: whenever linear programming shows that a small count could be narrowed,
the dual solution says which counts would have to be hidden, as one more condition (Benders' cuts for cell suppression:
Fischetti and Salazar-Gonzalez 2001, 10.1287/mnsc.47.7.1008.9805). Whole tables found on the way prove the result.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from riskstrat.disclosure.knowledge import Flags, Floats, Integers, System
from riskstrat.disclosure.tables import Goal, OutOfTimeError, Reached, Tables, silent_solver

TINY = 1e-7
ROUGHLY = 0.25
CHEAPEST, MORE, WHOLE_TABLE, EVERYTHING = "cheapest", "more", "whole table", "everything"


@dataclass(frozen=True)
class Effort:
    """How long to look for the cheapest choice before more is hidden than needed.

    After ``rounds`` nothing that was once hidden is shown again, so that the search ends soon; after ``seconds`` whole
    tables are hidden down to their totals. ``nodes`` limits one choice.
    """

    rounds: int = 60
    seconds: float = 60.0
    nodes: int = 5000


@dataclass(frozen=True)
class Choice:
    """What is hidden, how it was chosen, and for every hidden quantity the least and greatest count that it could be.

    The ranges are those that were shown to be possible with whole tables; the true ones may be wider.
    """

    hidden: Flags
    method: str
    ranges: dict[int, tuple[int, int]]
    tables: int


@dataclass(frozen=True)
class _Cut:
    """At least ``least`` of these weighted quantities must be hidden."""

    weights: Floats
    least: float


def choose(system: System, effort: Effort | None = None) -> Choice | None:
    """The cheapest safe choice, or a safe one that hides more; None where no choice can be proven safe."""
    effort = effort or Effort()
    if not system.needed:
        return Choice(system.forced, CHEAPEST, {}, 1)
    tables = Tables(system, time.monotonic() + effort.seconds)
    try:
        choice = _search(system, tables, effort)
    except OutOfTimeError:
        choice = None
    tables.deadline = None
    for method, more in (
        (WHOLE_TABLE, system.candidates & ~system.tops),
        (EVERYTHING, system.candidates),
    ):
        if choice is None:
            choice = _proven(system, tables, system.forced | more, method)
    return choice


def known_too_well(system: System) -> list[int]:
    """The quantities that could be narrowed even when everything is hidden."""
    tables, hidden = Tables(system), system.forced | system.candidates
    return sorted(
        {goal.quantity for goal in _unreached(system, tables, hidden)} | set(_narrow(system, tables, hidden))
    )


def _search(system: System, tables: Tables, effort: Effort) -> Choice | None:
    cuts = list(_cuts_of_rows(system))
    kept = np.zeros(len(system.cells), bool)
    gap = ROUGHLY  # a choice that is nearly the cheapest shows as well what is missing
    for number in range(effort.rounds * 4):
        chosen, is_cheapest = _cheapest(system, cuts, kept, effort, tables.deadline, gap)
        if chosen is None:
            return None
        if number >= effort.rounds:
            kept |= chosen
        hidden = system.forced | chosen
        new = list(_cuts_of_small(system, tables, hidden)) or list(_cuts_of_whole(system, tables, hidden))
        if not new and gap > 0 and cuts:
            gap = 0.0
        elif not new:
            method = CHEAPEST if is_cheapest and number < effort.rounds else MORE
            return _proven(system, tables, hidden, method)
        cuts += new
    return None


def _cheapest(
    system: System, cuts: list[_Cut], kept: Flags, effort: Effort, deadline: float | None, gap: float
) -> tuple[Flags | None, bool]:
    """The cheapest choice that meets every cut and hides what is kept hidden, and whether it is known to be."""
    chosen = kept.copy()
    if not cuts:
        return chosen, True
    seconds = None if deadline is None else deadline - time.monotonic()
    if seconds is not None and seconds <= 0:
        raise OutOfTimeError
    places = np.flatnonzero(system.candidates)
    matrix = np.array([cut.weights[places] for cut in cuts]).reshape(len(cuts), len(places))
    if not len(places):
        return None, False
    with silent_solver():
        result = milp(
            system.costs[places],
            integrality=np.ones(len(places)),
            bounds=Bounds(kept[places].astype(float), 1),
            constraints=LinearConstraint(matrix, np.array([cut.least for cut in cuts]), np.inf),
            options={"node_limit": effort.nodes, "mip_rel_gap": gap}
            | ({} if seconds is None else {"time_limit": seconds}),
        )
    if result.x is None:
        return None, False
    chosen[places] = result.x > 0.5
    return chosen, result.status == 0


def _cuts_of_rows(system: System) -> Iterable[_Cut]:
    """Nothing may be the only unknown of a relation: what is hidden needs a second one in each of its relations."""
    is_open = system.forced | (system.shown_lower < system.shown_upper)
    secret = {place for place, *_ in system.needed} | system.marked
    for row in range(system.matrix.shape[0]):
        members = system.matrix.indices[system.matrix.indptr[row] : system.matrix.indptr[row + 1]]
        candidates = members[system.candidates[members]]
        already = members[is_open[members]]
        weights = np.zeros(len(system.cells))
        weights[candidates] = 1.0
        if len(already) == 1 and int(already[0]) in secret:
            yield _Cut(weights, 1.0)
        for place in candidates if not len(already) else ():
            others = weights.copy()
            others[place] = -1.0
            yield _Cut(others, 0.0)


def _cuts_of_small(system: System, tables: Tables, hidden: Flags) -> Iterable[_Cut]:
    """A cut for every small count that linear programming narrows."""
    fitting = tables.fitting(hidden)
    goals = [
        Goal(place, count)
        for place, *ends in system.needed
        for count in ends
        if not (fitting[:, place] == count).any()
    ]
    for reached in tables.reach(goals, hidden):
        if abs(reached.count - reached.goal.count) > TINY * 10:
            yield _cut(system, reached, tables.found[0])


def _cut(system: System, reached: Reached, base: Integers) -> _Cut:
    """So much must be hidden that the goal comes within reach."""
    goal = reached.goal
    floor, weights = _bound(system, reached, base)
    least = floor - (-goal.count if goal.count > base[goal.quantity] else goal.count)
    return _Cut(np.minimum(weights, least) / least, 1.0 - TINY)


def _cut_of_range(system: System, place: int, ends: Iterable[Reached], base: Integers) -> _Cut | None:
    """So much must be hidden that the quantity has its range, if it is hidden; None where fractions have it already."""
    bounds = [_bound(system, reached, base) for reached in ends]
    least = system.width - 1 + sum(floor for floor, _ in bounds)
    if least <= TINY * 10:
        return None
    weights = np.minimum(np.sum([weights for _, weights in bounds], axis=0), least) / least
    weights[place] = -1.0 if system.candidates[place] else 0.0
    return _Cut(weights, (0.0 if system.candidates[place] else 1.0) - TINY)


def _bound(system: System, reached: Reached, base: Integers) -> tuple[float, Floats]:
    """Weak duality: the quantity (negative, where the goal is above) is at least the floor, less the hidden weights.

    Holds for every choice that hides the quantity itself.
    """
    goal = reached.goal
    is_up = goal.count > base[goal.quantity]
    costs = -(system.matrix.T @ reached.duals)
    costs[goal.quantity] += -1.0 if is_up else 1.0
    costs[np.abs(costs) < TINY] = 0.0
    hidden = system.forced.copy()
    hidden[goal.quantity] |= system.candidates[goal.quantity]
    lower, upper = system.bounds(hidden)
    if is_up:
        upper[goal.quantity] = min(upper[goal.quantity], goal.count)
    else:
        lower[goal.quantity] = max(lower[goal.quantity], goal.count)
    ends = np.where(costs > 0, lower, upper)
    ends[costs == 0] = 0.0
    free = system.candidates & ~hidden & (costs != 0)
    looser = np.where(costs > 0, lower - system.hidden_lower, _gap(upper, system.hidden_upper))
    weights = np.zeros(len(costs))
    weights[free] = np.abs(costs[free]) * looser[free]
    return float(costs @ ends), weights


def _gap(upper: Floats, looser: Floats) -> Floats:
    """How much higher the second is; nothing where both are without limit."""
    return np.where(np.isinf(upper), 0.0, looser - np.where(np.isinf(upper), 0.0, upper))


def _cuts_of_whole(system: System, tables: Tables, hidden: Flags) -> Iterable[_Cut]:
    """A cut where whole numbers narrow a count though fractions do not, or a hidden count that is not small."""
    rest = (system.candidates & ~hidden).astype(float)
    if _unreached(system, tables, hidden):
        yield _Cut(rest, 1.0)
        return
    base = tables.found[0]
    for place in _narrow(system, tables, hidden):
        ends = tables.reach(_ends(system, place, base), hidden)
        cut = _cut_of_range(system, place, ends, base)
        weights = rest.copy()
        weights[place] -= 1.0 if system.candidates[place] else 0.0
        yield cut or _Cut(weights, 0.0 if system.candidates[place] else 1.0)


def _ends(system: System, place: int, base: Integers) -> list[Goal]:
    """As far up and down as the range of a small count is wide."""
    span = system.width - 1
    return [Goal(place, int(base[place]) + span), Goal(place, max(0, int(base[place]) - span))]


def _unreached(system: System, tables: Tables, hidden: Flags) -> list[Goal]:
    """Counts that a small one could not be, with whole tables for all others."""

    def missing() -> list[Goal]:
        fitting = tables.fitting(hidden)
        return [
            Goal(place, count)
            for place, lowest, highest in system.needed
            for count in range(lowest, highest + 1)
            if not (fitting[:, place] == count).any()
        ]

    goals = missing()
    if goals:
        tables.reach_whole(goals, hidden)
        goals = missing()
    return goals


def _narrow(system: System, tables: Tables, hidden: Flags) -> list[int]:
    """Hidden counts above the small ones whose range is narrower than the range of small ones. Zero is no secret."""
    small = {place for place, *_ in system.needed}
    _, upper = system.bounds(hidden)
    base = tables.found[0]
    places = [
        place
        for place in np.flatnonzero(np.isinf(upper) & (base > 0)).tolist()
        if place not in small and (hidden[place] or place in system.marked)
    ]

    def still_narrow() -> list[int]:
        fitting = tables.fitting(hidden)
        return [place for place in places if np.ptp(fitting[:, place]) < system.width - 1]

    for end in (0, 1):
        tables.reach_whole([_ends(system, place, base)[end] for place in still_narrow()], hidden)
    return still_narrow()


def _proven(system: System, tables: Tables, hidden: Flags, method: str) -> Choice | None:
    """The choice with its ranges, or None where a small count could be narrowed."""
    if _unreached(system, tables, hidden) or _narrow(system, tables, hidden):
        return None
    fitting = tables.fitting(hidden)
    protected = {place for place, *_ in system.needed} | set(np.flatnonzero(hidden).tolist())
    ranges = {
        place: (int(fitting[:, place].min()), int(fitting[:, place].max())) for place in sorted(protected)
    }
    return Choice(hidden, method, ranges, len(fitting))
