"""Whole tables that are consistent with what is known: the proof that a hidden count could be another.

A table is found with HiGHS and then checked in whole numbers, so that no proof rests on a solver's rounding.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse.csgraph import connected_components

from riskstrat.disclosure.knowledge import Flags, Floats, Integers, System

BLOCK_QUANTITIES = 3000  # quantities in one call of the solver
NODES = 2000  # of a branch-and-bound tree, in one call
NEARLY = 1e-6


class OutOfTimeError(Exception):
    """The time for looking is over."""


@dataclass(frozen=True)
class Goal:
    """Bring a quantity as near to a count as what is known allows."""

    quantity: int
    count: int


@dataclass(frozen=True)
class Reached:
    """How near a goal was come to, and the dual values of the relations (rows of the system), for a cut."""

    goal: Goal
    count: float
    duals: Floats


class Tables:
    """Every table found so far; each agrees with the relations, and with what was shown when it was found."""

    def __init__(self, system: System, deadline: float | None = None) -> None:
        self.system = system
        self.deadline = deadline
        self.found: list[Integers] = [_base(system)]
        self._stacked = np.stack(self.found)

    def fitting(self, hidden: Flags) -> Integers:
        """The tables that are consistent with what is known when those are hidden, one a row."""
        if len(self._stacked) < len(self.found):
            self._stacked = np.stack(self.found)
        lower, upper = self.system.bounds(hidden)
        fits = ((self._stacked >= lower) & (self._stacked <= upper)).all(axis=1)
        return np.asarray(self._stacked[fits], dtype=np.int64)

    def reach(self, goals: Sequence[Goal], hidden: Flags) -> list[Reached]:
        """Solve for each goal in fractions, and keep every whole table on the way. Raises OutOfTimeError.

        The corners that linear programming finds are whole numbers nearly always.
        """
        return self._all(goals, hidden, whole=False)

    def reach_whole(self, goals: Sequence[Goal], hidden: Flags) -> None:
        """Keep a whole table for every goal that can be reached with one. Raises OutOfTimeError."""
        near = [one.goal for one in self.reach(goals, hidden) if abs(one.count - one.goal.count) < NEARLY]
        fitting = self.fitting(hidden)
        left = [goal for goal in near if not (fitting[:, goal.quantity] == goal.count).any()]
        self._all(left, hidden, whole=True)

    def _all(self, goals: Sequence[Goal], hidden: Flags, *, whole: bool) -> list[Reached]:
        lower, upper = self.system.bounds(hidden)
        groups = _components(self.system, lower, upper) if goals else np.zeros(0, np.int64)
        by_group: dict[int, list[Goal]] = {}
        for goal in goals:
            by_group.setdefault(int(groups[goal.quantity]), []).append(goal)
        reached: list[Reached] = []
        for group, members in by_group.items():
            part = _Part(self.system, np.flatnonzero(groups == group), lower, upper)
            step = max(1, BLOCK_QUANTITIES // len(part.quantities))
            for start in range(0, len(members), step):
                reached += self._solve(part, members[start : start + step], whole=whole)
        return reached

    def _solve(self, part: _Part, goals: Sequence[Goal], *, whole: bool) -> list[Reached]:
        remaining = None if self.deadline is None else self.deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise OutOfTimeError
        values, duals = part.solve(goals, self.found[0], whole=whole, seconds=remaining)
        if values is None:
            raise OutOfTimeError
        reached = []
        for goal, table, dual in zip(goals, values, duals, strict=True):
            rounded = np.rint(table)
            if np.abs(table - rounded).max() < NEARLY:
                self._keep(part, rounded)
            rows = np.zeros(self.system.matrix.shape[0])
            rows[part.rows] = dual
            place = int(np.searchsorted(part.quantities, goal.quantity))
            reached.append(Reached(goal, float(table[place]), rows))
        return reached

    def _keep(self, part: _Part, values: Floats) -> None:
        table = self.found[0].copy()
        table[part.quantities] = values.astype(np.int64)
        if (
            not (self.system.matrix @ table).any()
            and (table >= part.lower_of_all).all()
            and (table <= part.upper_of_all).all()
        ):
            self.found.append(table)


class _Part:
    """Quantities that hang together and are not known exactly; all others stay as in the first table."""

    def __init__(self, system: System, quantities: Integers, lower: Floats, upper: Floats) -> None:
        self.quantities = quantities
        self.lower_of_all, self.upper_of_all = lower, upper
        columns = system.matrix[:, quantities]
        self.rows = np.flatnonzero(np.diff(columns.indptr))
        self.matrix = columns[self.rows]
        self.all_columns = system.matrix[self.rows]

    def solve(
        self, goals: Sequence[Goal], base: Integers, *, whole: bool, seconds: float | None
    ) -> tuple[Floats | None, Floats]:
        """One block a goal, all in one call: values by goal, and duals by goal (zero for whole numbers)."""
        count, size = len(goals), len(self.quantities)
        lower = np.tile(self.lower_of_all[self.quantities], count)
        upper = np.tile(self.upper_of_all[self.quantities], count)
        objective = np.zeros(count * size)
        for block, goal in enumerate(goals):
            place = block * size + int(np.searchsorted(self.quantities, goal.quantity))
            if goal.count > base[goal.quantity]:
                objective[place], upper[place] = -1.0, min(upper[place], goal.count)
            else:
                objective[place], lower[place] = 1.0, max(lower[place], goal.count)
        right = -(self.all_columns @ base - self.matrix @ base[self.quantities])
        blocks = sparse.kron(sparse.identity(count), self.matrix, format="csr")
        answer = _optimum(objective, blocks, np.tile(right, count), lower, upper, whole, seconds)
        duals = np.zeros((count, len(self.rows)))
        if answer is None:
            return None, duals
        values, marginals = answer
        if marginals is not None:
            duals = marginals.reshape(count, len(self.rows))
        return values.reshape(count, size), duals


@contextmanager
def silent_solver() -> Iterator[None]:
    """Keep the process's standard output, where results go, free of a line that HiGHS 1.12 prints now and then."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _optimum(
    objective: Floats,
    matrix: sparse.csr_matrix,
    right: Floats,
    lower: Floats,
    upper: Floats,
    whole: bool,
    seconds: float | None,
) -> tuple[Floats, Floats | None] | None:
    limit = {} if seconds is None else {"time_limit": seconds}
    has_rows = bool(matrix.shape[0])
    if whole:
        with silent_solver():
            result = milp(
                objective,
                integrality=np.ones(len(objective)),
                bounds=Bounds(lower, upper),
                constraints=LinearConstraint(matrix, right, right) if has_rows else (),
                options={"node_limit": NODES, **limit},
            )
        return None if result.x is None else (result.x, None)
    result = linprog(
        objective,
        A_eq=matrix if has_rows else None,
        b_eq=right if has_rows else None,
        bounds=np.column_stack([lower, upper]),
        options=limit,
    )
    return (result.x, result.eqlin.marginals if has_rows else None) if result.status == 0 else None


def _components(system: System, lower: Floats, upper: Floats) -> Integers:
    """For each quantity the number of the group that it hangs together with through quantities not known exactly."""
    is_open = lower < upper
    size = len(system.cells)
    links = system.matrix.multiply(is_open).tocsr()
    links.eliminate_zeros()
    graph = (abs(links).T @ abs(links)).tocsr()
    return np.asarray(connected_components(graph, directed=False)[1][:size], dtype=np.int64)


def _base(system: System) -> Integers:
    """One table that fits: the true counts, and for quantities of earlier releases whatever goes with them."""
    if not (system.base < 0).any():
        return system.base
    is_true = system.base >= 0
    lower = np.where(is_true, system.base, system.shown_lower)
    upper = np.where(is_true, system.base, system.shown_upper)
    right = np.zeros(system.matrix.shape[0])
    answer = _optimum(np.zeros(len(lower)), system.matrix, right, lower, upper, True, None)
    if answer is None:
        raise ValueError("the earlier releases contradict each other, or their quantities are not the same")
    table = np.rint(answer[0]).astype(np.int64)
    if (system.matrix @ table).any() or (table < lower).any() or (table > upper).any():
        raise ValueError("no whole table fits the earlier releases")
    return table
