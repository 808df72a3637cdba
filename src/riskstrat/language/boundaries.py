"""Where the answer of a rule can change: the values of its columns that stand for all others.

A rule is exact when its answer depends only on how its columns lie to each other and to the values it names. A few
values in every gap between named ones then stand for all people. Arithmetic and parts of text are not exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from riskstrat.dates import iso_date
from riskstrat.language.expression import Expression
from riskstrat.language.parsing import expression_of
from riskstrat.sqltext import literal

Node = dict[str, Any]
CHOICES = frozenset({"greatest", "least", "nullif"})  # functions that give one of their arguments
RANGES = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1}
OTHER_TEXT = "another value"


@dataclass
class Findings:
    """What the trees of rules hold: the values they name per column, and the columns they compare with columns."""

    types: Mapping[str, str]
    named: dict[str, set[Any]] = field(default_factory=dict)
    linked: list[set[str]] = field(default_factory=list)
    is_exact: bool = True


def findings_of(rule: Expression, types: Mapping[str, str]) -> Findings:
    """What one rule names, and whether it is exact."""
    found = Findings(types, {column: set() for column in rule.columns})
    _condition(expression_of(rule.sql), found)
    return found


def _condition(node: Node, found: Findings) -> None:
    """A part that is true, false or unknown."""
    if node["class"] in ("COMPARISON", "BETWEEN") or node["type"] == "COMPARE_IN":
        _comparison(node, found)
    elif node["type"] == "OPERATOR_IS_NULL" or node["type"] == "OPERATOR_IS_NOT_NULL":
        _term(node["children"][0], found)
    elif node["class"] in ("CONJUNCTION", "OPERATOR"):
        for child in node["children"]:
            _condition(child, found)
    elif node["class"] == "CASE":
        _case(node, found, _condition)
    elif node["class"] not in ("COLUMN_REF", "CONSTANT"):
        _inexact(node, found)


def _case(node: Node, found: Findings, result: Any) -> None:
    for check in node["case_checks"]:
        _condition(check["when_expr"], found)
        result(check["then_expr"], found)
    result(node["else_expr"], found)


def _comparison(node: Node, found: Findings) -> None:
    if node["class"] == "COMPARISON":
        sides = [node["left"], node["right"]]
    else:
        sides = node.get("children") or [node["input"], node["lower"], node["upper"]]
    if _days_apart(sides, found):
        return
    columns = set().union(*(columns_in(side, found.types) for side in sides))
    for side in sides:
        _term(side, found)
    if any(found.types[column] == "VARCHAR" for column in columns) and not _is_equality(node):
        found.is_exact = False
    values = {value for side in sides for value in _constants(side)}
    for column in columns:
        found.named[column] |= values
    found.linked.append(columns)


def _is_equality(node: Node) -> bool:
    return "DISTINCT" in node["type"] or node["type"] in ("COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_IN")


def _days_apart(sides: Sequence[Node], found: Findings) -> bool:
    """Days between a column and a constant, compared with numbers: the answer changes that many days away."""
    spans = [side for side in sides if side.get("function_name") == "date_diff"]
    numbers = [value for side in sides if side not in spans for value in _constants(side)]
    if len(spans) != 1 or len(numbers) != len(sides) - 1 or not all(_is_whole(value) for value in numbers):
        return False
    ends = [argument["expression"] for argument in spans[0]["arguments"][1:]]
    fixed = [_constant(end) for end in ends]
    columns = [end["column_names"][0] for end in ends if end["class"] == "COLUMN_REF"]
    day = fixed[0] if fixed[0] is not None else fixed[1]
    if len(columns) != 1 or not isinstance(day, date):
        return False
    away = [-number if fixed[0] is None else number for number in numbers]
    found.named[columns[0]] |= {shifted for days in away if (shifted := _moved(day, int(days)))}
    return True


def _term(node: Node, found: Findings) -> None:
    """A part whose value is always that of a column or a constant; anything else is not exact."""
    if node["class"] in ("COLUMN_REF", "CONSTANT") or _constant(node) is not None:
        return
    if node["class"] == "CASE":
        _case(node, found, _term)
    elif node["type"] == "OPERATOR_COALESCE":
        for child in node["children"]:
            _term(child, found)
    elif node.get("function_name") in CHOICES:
        parts = [argument["expression"] for argument in node["arguments"]]
        columns = set().union(*(columns_in(part, found.types) for part in parts))
        found.linked.append(columns)
        values = {value for part in parts for value in _constants(part)}
        for part in parts:
            _term(part, found)
        for column in columns:
            found.named[column] |= values
            found.is_exact &= found.types[column] != "VARCHAR" or node["function_name"] == "nullif"
    elif node["class"] in ("COMPARISON", "CONJUNCTION", "BETWEEN", "OPERATOR"):
        _condition(node, found)
    else:
        _inexact(node, found)


def _inexact(node: Node, found: Findings) -> None:
    """Only features that are true or false leave no value out, whatever is computed from them."""
    columns = columns_in(node, found.types)
    if any(found.types[column] != "BOOLEAN" for column in columns):
        found.is_exact = False
    for column in columns:
        found.named[column] |= set(_constants(node))


def columns_in(node: Any, types: Mapping[str, str]) -> set[str]:
    """The columns anywhere under a node."""
    if isinstance(node, list):
        return set().union(*(columns_in(entry, types) for entry in node))
    if not isinstance(node, dict):
        return set()
    if node.get("class") == "COLUMN_REF":
        return {name for name in node["column_names"] if name in types}
    return set().union(*(columns_in(entry, types) for entry in node.values()))


def _constants(node: Any) -> list[Any]:
    """The constants anywhere under a node."""
    if isinstance(node, list):
        return [value for entry in node for value in _constants(entry)]
    if not isinstance(node, dict) or node.get("class") == "TYPE":
        return []
    value = _constant(node)
    if value is not None:
        return [value]
    return [value for entry in node.values() for value in _constants(entry)]


def _constant(node: Node) -> Any:
    """Text, a Fraction, a date or a truth value; None for anything else."""
    if node.get("class") == "CAST":
        child = node["child"]
        is_day = node["type_expr"].get("type_name", "").upper() == "DATE" and child["class"] == "CONSTANT"
        return iso_date(child["literal"]["text"]) if is_day else None
    if node.get("class") != "CONSTANT":
        return None
    kind, text = node["literal"]["kind"], str(node["literal"].get("text", ""))
    if kind in ("INTEGER", "NUMERIC"):
        return Fraction(text.rstrip("."))
    if kind == "BOOLEAN":
        return text.lower() == "true"
    return text if kind == "STRING" else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, Fraction) and value.denominator == 1


def _moved(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def points(
    columns: Iterable[str],
    every: Sequence[Findings],
    types: Mapping[str, str],
    allowed: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """SQL of the values of each column that stand for all others, NULL first."""
    grid = {}
    for group in _linked_groups(columns, every):
        values = set().union(*(found.named.get(column, set()) for found in every for column in group))
        for column in sorted(group):
            grid[column] = ["NULL", *_points(types[column], values, allowed.get(column, ()), len(group))]
    return grid


def _linked_groups(columns: Iterable[str], every: Sequence[Findings]) -> list[set[str]]:
    groups = [{column} for column in columns]
    for link in (link for found in every for link in found.linked):
        touched = [group for group in groups if group & link]
        groups = [group for group in groups if not group & link] + (
            [set().union(*touched)] if touched else []
        )
    return groups


def _points(type_name: str, values: set[Any], allowed: Collection[str], count: int) -> list[str]:
    """SQL of values at, between and beyond those named; ``count`` of them in every gap."""
    if type_name == "BOOLEAN":
        return ["TRUE", "FALSE"]
    if type_name == "VARCHAR":
        texts = {value for value in values if isinstance(value, str)} | set(allowed)
        bare = {value.strip("%").replace("_", "x") for value in texts}
        others = {f"{OTHER_TEXT} {number}" for number in range(count)}
        return [literal(text) for text in sorted(texts | bare | others)]
    if type_name == "DATE":
        days = sorted({value.toordinal() for value in values if isinstance(value, date)}) or [730_000]
        days = _whole_points(days, count, least=1, most=date.max.toordinal())
        return [f"DATE '{date.fromordinal(day)}'" for day in days]
    numbers = sorted({value for value in values if isinstance(value, Fraction)}) or [Fraction(0)]
    wholes = {step for value in numbers for step in (math.floor(value), math.ceil(value))}
    most = RANGES.get(type_name, 10**16)
    steps = _whole_points(sorted(wholes), count, least=-most, most=most)
    if type_name != "DOUBLE":
        return [f"CAST({step} AS {type_name})" for step in steps]
    marks = sorted({*numbers, *(Fraction(step) for step in steps)})
    between = [
        low + (high - low) * Fraction(part, count + 1)
        for low, high in itertools.pairwise(marks)
        for part in range(1, count + 1)
    ]
    return [f"CAST({float(value)!r} AS DOUBLE)" for value in sorted({*marks, *between})]


def _whole_points(marks: Iterable[int], count: int, *, least: int, most: int) -> list[int]:
    """The marks and ``count`` whole numbers on either side of each, as far as the type goes."""
    steps = {mark + step for mark in marks for step in range(-count, count + 1)}
    return sorted({min(max(step, least), most) for step in steps})
