"""From the population to the cohort: how many people each rule leaves, removes, and cannot judge."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from riskstrat.reading.decision import DECISION, decide
from riskstrat.reading.published import Criteria
from riskstrat.runs import Run

POPULATION, INCLUDE, EXCLUDE, TOP_N, ADDED = "population", "include", "exclude", "top_n", "added by hand"


@dataclass(frozen=True)
class Step:
    """One step of the funnel. ``left`` are the people after it.

    The step before = ``left`` + ``removed`` + ``unknown`` - ``added``, but at an exclusion, which removes only when
    true: those whom it cannot judge are among ``left``.
    """

    kind: str
    text: str
    left: int
    removed: int = 0
    unknown: int = 0
    added: int = 0


@dataclass(frozen=True)
class Funnel:
    """The steps in order, and how many people the rules could not decide in the end."""

    steps: tuple[Step, ...]
    undecided: int

    @property
    def people(self) -> int:
        """Who is left after the last step."""
        return self.steps[-1].left

    def balances(self) -> bool:
        """Whether everybody of each step is accounted for in the next."""
        return all(
            before.left
            == step.left + step.removed - step.added + (step.unknown if step.kind != EXCLUDE else 0)
            for before, step in zip(self.steps, self.steps[1:], strict=False)
        )


def funnel(connection: duckdb.DuckDBPyConnection, run: Run, criteria: Criteria, area: str = "TRUE") -> Funnel:
    """The funnel of a cohort or a condition over a run that is open; ``area`` is SQL over its features."""
    decide(connection, run, criteria)
    source = f"{DECISION} JOIN features USING (person_id)" if area != "TRUE" else DECISION
    asked = ["TRUE"]
    passed = "TRUE"
    for condition in _conditions(criteria):
        asked.append(f"{passed} AND ({condition}) IS NULL")
        passed = f"{passed} AND {_kept(condition)}"
        asked.append(passed)
    asked += ["is_matched AND is_first", "is_member", "is_undecided"]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in asked)
    first = f"COALESCE(place <= {criteria.top_n.people}, FALSE)" if criteria.top_n else "is_matched"
    found = connection.execute(
        f"SELECT {counts} FROM (SELECT *, {first} AS is_first FROM {source} WHERE {area})"
    ).fetchall()[0]
    return _funnel(criteria, [int(count) for count in found])


def _conditions(criteria: Criteria) -> list[str]:
    if criteria.undecidable:
        return ["CAST(NULL AS BOOLEAN)"]
    included = [f"include_{place}" for place in range(1, len(criteria.include) + 1)]
    return included + [f"exclude_{place}" for place in range(1, len(criteria.exclude) + 1)]


def _kept(condition: str) -> str:
    if condition.startswith("exclude_"):
        return f"NOT COALESCE({condition}, FALSE)"
    return f"COALESCE({condition}, FALSE)"


def _funnel(criteria: Criteria, counts: list[int]) -> Funnel:
    before, *rest = counts
    steps = [Step(POPULATION, "everybody of the population", before)]
    named = [(INCLUDE, rule.text) for rule in criteria.include] + [
        (EXCLUDE, rule.text) for rule in criteria.exclude
    ]
    if criteria.undecidable:
        named = [(INCLUDE, criteria.undecidable)]
    for kind, text in named:
        unknown, left, *rest = rest
        removed = before - left - (unknown if kind == INCLUDE else 0)
        steps.append(Step(kind, text, left, removed, unknown))
        before = left
    first, members, undecided = rest
    if criteria.top_n:
        per = criteria.top_n.per
        text = f"the first {criteria.top_n.people} of each {per.removesuffix('_code')} by rank"
        steps.append(Step(TOP_N, text, first, before - first))
        before = first
    if members > before:
        steps.append(Step(ADDED, "named by professionals", members, added=members - before))
    return Funnel(tuple(steps), undecided)
