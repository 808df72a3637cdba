"""Casts: the ones that mean the same on every engine and fail on nobody's data.

docs/adr/0012-expressions-mean-the-same-on-every-engine.md says why each is as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from riskstrat.language.judging import Judge, Node, is_text
from riskstrat.language.kinds import (
    COUNT,
    DAY,
    DOUBLE,
    INTEGER_MOST,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    Kind,
    whole,
)
from riskstrat.language.problems import listed
from riskstrat.language.rewriting import become

TARGETS: Mapping[str, Kind] = {
    "BOOLEAN": Kind(TRUTH),
    "INTEGER": whole(INTEGER_MOST),
    "BIGINT": COUNT,
    "DOUBLE": DOUBLE,
    "VARCHAR": Kind(TEXT),
    "DATE": Kind(DAY),
}
# how text must look that TRY_CAST takes for a value; all engines read these alike
READABLE: Mapping[str, str] = {
    "INTEGER": r"^[+-]?[0-9]{1,9}\z",
    "BIGINT": r"^[+-]?[0-9]{1,9}\z",
    "DOUBLE": r"^[+-]?[0-9]{1,15}([.][0-9]{1,15})?\z",
    "DATE": r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}\z",
}


def target_of(judge: Judge, node: Node) -> str:
    """The type that a cast names. Raises ExpressionError."""
    target = node["type_expr"]
    name = str(target.get("type_name", "")).upper()
    plain = not (target.get("children") or target.get("schema") or target.get("catalog"))
    if name not in TARGETS or not plain:
        judge.refuse("a cast to this type is not allowed.", node, f"use {listed(sorted(TARGETS))}.")
    return name


def cast(judge: Judge, node: Node, target: str, kind: Kind) -> Kind:
    """Check one cast whose inside has this kind, and write it so that engines agree. Raises ExpressionError."""
    child = node["child"]
    if is_text(child) and target == "DATE":
        judge.become_day(child)
        become(node, "a", a=child)
        return Kind(DAY)
    if kind.family == TARGETS[target].family:
        return _within_a_family(judge, node, target, kind)
    if kind.family == TEXT and target in READABLE and child["class"] != "CONSTANT":
        return _read(judge, node, target)
    is_written = target == "VARCHAR" and (kind.family != NUMBER or kind.is_whole)
    is_counted = kind.family == TRUTH and target in ("INTEGER", "BIGINT", "DOUBLE")
    if not (is_written or is_counted or kind.family == NOTHING):
        _refuse_cast(judge, node, target, kind)
    return whole(1) if is_counted and target == "INTEGER" else TARGETS[target]


def _refuse_cast(judge: Judge, node: Node, target: str, kind: Kind) -> NoReturn:
    if target == "BOOLEAN":  # what IS TRUE and IS FALSE ask
        judge.refuse(
            f"{judge.named(node['child'])} is {kind.words}, not true or false.",
            node,
            "compare it with a value.",
        )
    remedy = "compare it with a value instead."
    if node["child"]["class"] == "CONSTANT":
        remedy = "write the value itself, without a cast."
    elif target == "VARCHAR":
        remedy = "engines write such numbers differently: compare the number itself."
    judge.refuse(
        f"{judge.named(node['child'])} is {kind.words}, and a cast does not make it {TARGETS[target].words}.",
        node,
        remedy,
    )


def _within_a_family(judge: Judge, node: Node, target: str, kind: Kind) -> Kind:
    """A number becomes another type of number, or nothing changes."""
    child = node["child"]
    if kind.family != NUMBER:
        become(node, "a", a=child)
        return kind
    if target == "DOUBLE":
        return DOUBLE
    if not kind.is_whole:
        judge.refuse(
            f"{judge.named(child)} is no whole number, and engines round it differently.",
            node,
            "say how to round it: floor(), ceil() or round().",
        )
    if kind.is_integer and target == "BIGINT":
        return COUNT
    become(node, "a", a=child)
    return kind


def _read(judge: Judge, node: Node, target: str) -> Kind:
    if not node["try_cast"]:
        judge.refuse(
            f"text may be anything but {TARGETS[target].words}, and CAST would then fail.",
            node,
            f"write TRY_CAST(... AS {target}): it is unknown for other text.",
        )
    become(node, f"TRY_CAST(regexp_extract(a, '{READABLE[target]}', 0) AS {target})", a=node["child"])
    return TARGETS[target]
