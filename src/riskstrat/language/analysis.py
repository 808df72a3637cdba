"""What can be said of rules before anybody's data is seen: constant answers, contradictions, rules that never matter.

The rules are computed by DuckDB over the values at which their answers can change (boundaries.py). A person among
these settles that something is possible; that something is impossible is said only where the rules are exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskstrat.language.boundaries import Findings, findings_of, points
from riskstrat.language.expression import Expression
from riskstrat.language.parsing import parser_connection
from riskstrat.sqltext import quoted

MOST_PEOPLE = 1_000_000  # rows that one question may cost
MOST_TOGETHER = 4  # rules that are named as contradicting each other
Outcome = Literal["true", "false", "unknown", "differs", "not known"]
Allowed = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class OnlyOutcome:
    """The one answer that a rule gives everybody, ``differs`` for several, ``not known`` where none is proved.

    ``known`` speaks of people whose features in it are all known, ``anybody`` of those with unknown ones too.
    """

    known: Outcome
    anybody: Outcome


@dataclass(frozen=True)
class Redundant:
    """A rule that changes nothing, and the other rules that imply it."""

    rule: Expression
    because: tuple[Expression, ...]


@dataclass(frozen=True)
class _Rule:
    """A rule as it must come out for somebody to be a member."""

    expression: Expression
    found: Findings
    is_excluding: bool

    @property
    def holds(self) -> str:
        """SQL, never NULL."""
        test = "IS NOT TRUE" if self.is_excluding else "IS TRUE"
        return f"(({self.expression.sql}) {test})"


def only_outcome(expression: Expression, types: Mapping[str, str], allowed: Allowed) -> OnlyOutcome:
    """Whether the rule gives everybody the same answer."""
    found = findings_of(expression, types)
    people = _people(expression.columns, [found], types, allowed)
    if people is None:
        return OnlyOutcome("not known", "not known")
    unknown = " OR ".join(f"{quoted(column)} IS NULL" for column in expression.columns) or "FALSE"
    rows = _rows(f"SELECT DISTINCT ({expression.sql}), ({unknown}) FROM {people}")
    return OnlyOutcome(
        known=_outcome({answer for answer, is_unknown in rows if not is_unknown}, found.is_exact),
        anybody=_outcome({answer for answer, _ in rows}, found.is_exact),
    )


def contradiction(
    include: Sequence[Expression], exclude: Sequence[Expression], types: Mapping[str, str], allowed: Allowed
) -> tuple[Expression, ...] | None:
    """The fewest rules that nobody can pass together, in their order; None when there are none or none is proved.

    Includes must be true for a person and excludes must not be.
    """
    smallest: tuple[_Rule, ...] | None = None
    for group in _connected(_rules(include, exclude, types)):
        for rules, patterns in _truth_tables(group, types, allowed):
            found = _impossible(rules, patterns)
            if found and (smallest is None or len(found) < len(smallest)):
                smallest = found
    return tuple(rule.expression for rule in smallest) if smallest else None


def redundant(
    include: Sequence[Expression], exclude: Sequence[Expression], types: Mapping[str, str], allowed: Allowed
) -> tuple[Redundant, ...]:
    """Rules without which the same people would be members, each with the fewest others that imply it.

    Of two that imply each other, the later is named.
    """
    named: dict[int, Redundant] = {}
    for group in _connected(_rules(include, exclude, types)):
        for rules, patterns in _truth_tables(group, types, allowed):
            for place, because in _implied(rules, patterns):
                named.setdefault(
                    id(rules[place]),
                    Redundant(rules[place].expression, tuple(rules[other].expression for other in because)),
                )
    return tuple(named.values())


def holds_without_data(
    include: Sequence[Expression], exclude: Sequence[Expression], types: Mapping[str, str]
) -> bool:
    """Whether somebody of whom nothing is known would be a member."""
    rules = _rules(include, exclude, types)
    columns = sorted({column for rule in rules for column in rule.expression.columns})
    nobody = ", ".join(f"CAST(NULL AS {types[column]}) AS {quoted(column)}" for column in columns)
    conditions = " AND ".join(rule.holds for rule in rules) or "TRUE"
    return bool(_rows(f"SELECT {conditions} FROM (SELECT {nobody or 'NULL'}) AS features")[0][0])


def _rules(
    include: Sequence[Expression], exclude: Sequence[Expression], types: Mapping[str, str]
) -> list[_Rule]:
    return [
        _Rule(rule, findings_of(rule, types), is_excluding)
        for rules, is_excluding in ((include, False), (exclude, True))
        for rule in rules
    ]


def _connected(rules: Sequence[_Rule]) -> list[list[_Rule]]:
    """Rules in groups that share no column: what one group can do, the others cannot prevent."""
    groups: list[list[_Rule]] = []
    for rule in rules:
        columns = set(rule.expression.columns)
        touched = [
            group for group in groups if any(columns & set(other.expression.columns) for other in group)
        ]
        groups = [group for group in groups if group not in touched]
        groups.append([*itertools.chain.from_iterable(touched), rule])
    return [sorted(group, key=rules.index) for group in groups]


def _truth_tables(
    group: Sequence[_Rule], types: Mapping[str, str], allowed: Allowed
) -> Iterator[tuple[Sequence[_Rule], set[tuple[bool, ...]]]]:
    """Which rules can hold together: for the whole group, or for all pairs where it has too many combinations."""
    table = _truth_table(group, types, allowed)
    if table is not None:
        yield group, table
        return
    for few in itertools.chain.from_iterable(itertools.combinations(group, size) for size in (1, 2)):
        table = _truth_table(few, types, allowed)
        if table is not None:
            yield few, table


def _truth_table(
    rules: Sequence[_Rule], types: Mapping[str, str], allowed: Allowed
) -> set[tuple[bool, ...]] | None:
    columns = sorted({column for rule in rules for column in rule.expression.columns})
    people = _people(columns, [rule.found for rule in rules], types, allowed)
    if people is None:
        return None
    return set(_rows(f"SELECT DISTINCT {', '.join(rule.holds for rule in rules)} FROM {people}"))


def _impossible(rules: Sequence[_Rule], patterns: set[tuple[bool, ...]]) -> tuple[_Rule, ...] | None:
    exact = [place for place, rule in enumerate(rules) if rule.found.is_exact]
    for size in range(1, MOST_TOGETHER + 1):
        for places in itertools.combinations(exact, size):
            if not any(all(pattern[place] for place in places) for pattern in patterns):
                return tuple(rules[place] for place in places)
    return None


def _implied(
    rules: Sequence[_Rule], patterns: set[tuple[bool, ...]]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Places of rules that hold wherever the others do, and the fewest of these; none on a contradiction."""
    exact = [place for place, rule in enumerate(rules) if rule.found.is_exact]
    needed = list(exact)
    for place in reversed(exact):
        others = [other for other in needed if other != place]
        if others and _implies(patterns, others, place):
            needed = others
    for place in exact:
        if place not in needed:
            few = itertools.chain.from_iterable(
                itertools.combinations(needed, size) for size in range(1, len(needed) + 1)
            )
            yield place, next(because for because in few if _implies(patterns, because, place))


def _implies(patterns: set[tuple[bool, ...]], few: Sequence[int], place: int) -> bool:
    meeting = [pattern for pattern in patterns if all(pattern[other] for other in few)]
    return bool(meeting) and all(pattern[place] for pattern in meeting)


def _people(
    columns: Sequence[str], every: Sequence[Findings], types: Mapping[str, str], allowed: Allowed
) -> str | None:
    """SQL after FROM of everybody who differs in what the rules see, or None when they are too many."""
    grid = points(columns, every, types, allowed)
    if math.prod(len(values) for values in grid.values()) > MOST_PEOPLE:
        return None
    lists = [
        f"(VALUES {', '.join(f'(CAST({value} AS {types[column]}))' for value in values)}) AS {quoted('of_' + column)}"
        f"({quoted(column)})"
        for column, values in grid.items()
    ]
    return " CROSS JOIN ".join(lists) or "(SELECT 1)"


def _outcome(answers: set[bool | None], is_exact: bool) -> Outcome:
    if len(answers) > 1:
        return "differs"
    if not is_exact or not answers:
        return "not known"
    answer = answers.pop()
    return "unknown" if answer is None else "true" if answer else "false"


def _rows(query: str) -> list[tuple[Any, ...]]:
    return parser_connection().execute(query).fetchall()
