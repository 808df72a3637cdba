"""The values that an expression compares its columns with, and whether a column can ever have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from riskstrat.language.problems import Place
from riskstrat.sqltext import literal, quoted

Node = dict[str, Any]
FOLDS: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "": str}
HANDED_ON: Mapping[str, int] = {"greatest": 100, "least": 100, "nullif": 1, "trim": 1, "lower": 1, "upper": 1}
SIGNS: Mapping[str, str] = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "=",
    "COMPARE_DISTINCT_FROM": "=",
    "COMPARE_NOT_DISTINCT_FROM": "=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
TURNED = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
Limits = Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class ValueUse:
    """A text value that an expression compares a column with (by =, <>, IN, or as a pattern).

    ``fold`` is lower or upper where the column is compared so; ``pattern`` is like, ilike or starts_with, else ''.
    ``is_default`` where the text stands in for the column (as in coalesce), ``defaults`` are the texts that do.
    """

    column: str
    value: str
    place: Place | None = field(compare=False)
    fold: str = ""
    pattern: str = ""
    is_default: bool = False
    defaults: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Whether the column itself is compared with the value itself."""
        return not (self.fold or self.pattern or self.is_default or self.defaults)

    @property
    def words(self) -> str:
        """The column as a message calls it."""
        return f"{self.fold}({self.column})" if self.fold else self.column

    @property
    def sql(self) -> str:
        """SQL that is true for whoever has the value."""
        column = f"{self.fold}({quoted(self.column)})"
        if self.pattern == "starts_with":
            return f"starts_with({column}, {literal(self.value)})"
        if self.pattern == "ilike":
            return f"lower({column}) LIKE lower({literal(self.value)})"
        return f"{column} {'LIKE' if self.pattern else '='} {literal(self.value)}"

    def possible(self, known: Collection[str]) -> list[str]:
        """What the column can come out as."""
        return sorted({FOLDS[self.fold](value) for value in known})

    def fits(self, possible: Collection[str]) -> bool:
        """Whether one of these is the value, or matches it."""
        if not self.pattern:
            return self.value in possible or self.value in self.defaults
        if self.pattern == "starts_with":
            return any(value.startswith(self.value) for value in possible)
        parts = {"%": ".*", "_": "."}
        wanted = re.compile(
            "".join(parts.get(character, re.escape(character)) for character in self.value),
            re.DOTALL | (re.IGNORECASE if self.pattern == "ilike" else re.NOFLAG),
        )
        return any(wanted.fullmatch(value) for value in possible)


@dataclass(frozen=True)
class NumberUse:
    """A number that an expression compares a column with: ``column sign value``."""

    column: str
    sign: str
    value: float
    place: Place | None = field(compare=False)

    @property
    def sql(self) -> str:
        """SQL that is true for whoever is on this side of the number."""
        return f"{quoted(self.column)} {self.sign} {self.value!r}"

    def beyond(self, limits: tuple[float | None, float | None]) -> str | None:
        """Why no value within the limits can make the comparison true; None where one can."""
        least, most = limits
        is_over = most is not None and (
            self.value >= most if self.sign == ">" else self.value > most and self.sign in ("=", ">=")
        )
        is_under = least is not None and (
            self.value <= least if self.sign == "<" else self.value < least and self.sign in ("=", "<=")
        )
        if is_over:
            return f"never above {most:g}"
        return f"never below {least:g}" if is_under else None


@dataclass(frozen=True)
class OrderUse:
    """A text column that an expression compares by the alphabet (by <, > or BETWEEN)."""

    column: str
    place: Place | None = field(compare=False)


def leaves(node: Node, fold: str = "") -> Iterator[tuple[Node, str]]:
    """The columns and constants that a part may come out as, each with lower or upper where it passes through one."""
    kind = node["class"]
    if kind in ("COLUMN_REF", "CONSTANT"):
        yield node, fold
        return
    name = str(node.get("function_name", "")).lower()
    parts: list[Node] = []
    if kind == "CASE":
        parts = [*(check["then_expr"] for check in node["case_checks"]), node["else_expr"]]
    elif node["type"] == "OPERATOR_COALESCE":
        parts = node["children"]
    elif kind == "FUNCTION" and not node["is_operator"] and name in HANDED_ON:
        parts = [argument["expression"] for argument in node["arguments"]][: HANDED_ON[name]]
    inner = fold or (name if name in FOLDS else "")
    for part in parts:
        yield from leaves(part, inner)


def number_in(node: Node) -> float | None:
    """The number that is written out, with a minus before it or not."""
    if node["class"] == "CONSTANT" and node["literal"]["kind"] in ("INTEGER", "NUMERIC"):
        return float(node["literal"]["text"])
    if node["class"] == "FUNCTION" and node.get("function_name") == "-" and len(node["arguments"]) == 1:
        inner = number_in(node["arguments"][0]["expression"])
        return None if inner is None else -inner
    return None
