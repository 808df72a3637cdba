"""What each operator and function takes and gives, and how it is written so that every engine agrees.

docs/adr/0012-expressions-mean-the-same-on-every-engine.md says why each is as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from riskstrat.language.judging import Judge, Node, is_text
from riskstrat.language.kinds import (
    BIGINT_MOST,
    COUNT,
    DAY,
    DOUBLE,
    INTEGER_MOST,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    Kind,
    bigint,
    computed,
)
from riskstrat.language.rewriting import become
from riskstrat.language.uses import number_in

MOST_ROUNDED = 9
MOST_DAYS = 40_000
Rule = Callable[[Judge, Node, str, list[Node], list[Kind]], Kind]


def _sum(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    if name in "+-" and len(parts) == 2 and any(kind.family == DAY for kind in kinds):
        return _days(judge, node, name, parts, kinds)
    for part, kind in zip(parts, kinds, strict=True):
        judge.need(NUMBER, name, part, kind)
    if len(parts) == 1 and name == "+":
        become(node, "a", a=parts[0])
        return kinds[0]
    exact = computed(name, kinds)
    if exact is None:
        _as("DOUBLE", [part for part, kind in zip(parts, kinds, strict=True) if not kind.is_double])
        return DOUBLE
    are_integers = all(kind.is_integer for kind in kinds)
    if not exact.is_whole or (are_integers and (exact.most or 0) < INTEGER_MOST):
        return exact
    if are_integers:
        _as("BIGINT", parts[:1])
    return bigint(exact)


def _days(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    """A day and a number of days, or the days from one day to another."""
    first, last = parts
    if name == "-" and kinds[0].family == DAY and kinds[1].family in (DAY, TEXT):
        judge.need(DAY, name, last, kinds[1])
        become(node, "date_diff('day', b, a)", a=first, b=last)
        return COUNT
    if name == "+" and kinds[0].family != DAY:
        first, last, kinds = last, first, kinds[::-1]
    judge.need(DAY, name, first, kinds[0])
    _literal(
        judge,
        last,
        f"what {name} adds to a date" if name == "+" else "what - takes from a date",
        0,
        MOST_DAYS,
    )
    become(node, f"CAST(a {name} b AS DATE)", a=first, b=last)
    return Kind(DAY)


def _as(type_name: str, parts: list[Node]) -> None:
    for part in parts:
        become(part, f"CAST(a AS {type_name})", a=dict(part))


def _quotient(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    for part, kind in zip(parts, kinds, strict=True):
        judge.need(NUMBER, name, part, kind)
        if name != "/" and kind.family == NUMBER and not kind.is_whole:
            judge.refuse(
                f"{name} works on whole numbers, and {judge.named(part)} is none.", part, "use / and floor()."
            )
    if number_in(parts[1]) == 0:
        become(node, "NULL")
        return Kind(NOTHING)
    divisor = "b" if _is_not_zero(parts[1]) else "NULLIF(b, 0)"
    if name == "/":
        if not _is_not_zero(parts[1]):
            _as("DOUBLE", parts[1:])
        become(node, f"CAST(a AS DOUBLE) / {divisor}", a=parts[0], b=parts[1])
        return DOUBLE
    become(node, f"CAST(a AS BIGINT) {name} {divisor}", a=parts[0], b=parts[1])
    return bigint(kinds[0] if name == "//" else kinds[1])


def _is_not_zero(node: Node) -> bool:
    is_number = node["class"] == "CONSTANT" and node["literal"]["kind"] in ("INTEGER", "NUMERIC")
    return is_number and float(node["literal"]["text"]) != 0


def _joined(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    for part, kind in zip(parts, kinds, strict=True):
        judge.need(TEXT, name, part, kind)
    return Kind(TEXT)


def _like(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    words = "ILIKE" if "*" in name else "LIKE"
    for part, kind in zip(parts, kinds, strict=True):
        judge.need(TEXT, words, part, kind)
    pattern = parts[1]
    if not is_text(pattern):
        judge.refuse(
            f"the pattern of {words} must be text in quotes.", pattern, "write for example: LIKE 'E8%'"
        )
    if "\\" in str(pattern["literal"]["text"]):
        judge.refuse(
            f"a backslash in a pattern of {words} means different things on different engines.",
            pattern,
            "use starts_with or substring.",
        )
    judge.note_pattern(parts[0], pattern, words.lower())
    text = "lower(a) LIKE lower(b)" if words == "ILIKE" else "a LIKE b"
    become(node, f"NOT ({text})" if name.startswith("!") else text, a=parts[0], b=pattern)
    return Kind(TRUTH)


def _abs(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    judge.need(NUMBER, name, parts[0], kinds[0])
    if not kinds[0].is_whole:
        return kinds[0]
    if kinds[0].is_integer:
        _as("BIGINT", parts)
        return bigint(kinds[0])
    if (kinds[0].most or 0) < BIGINT_MOST:
        return kinds[0]
    _as("DOUBLE", parts)
    return DOUBLE


def _stepped(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    """Ceil, floor and round."""
    judge.need(NUMBER, name, parts[0], kinds[0])
    digits = 0 if len(parts) == 1 else _literal(judge, parts[1], f"the digits of {name}", 0, MOST_ROUNDED)
    if digits:
        power = 10**digits
        become(node, f"round(CAST(a AS DOUBLE) * {power}) / {power}", a=parts[0])
    else:
        become(node, f"CAST({name}(CAST(a AS DOUBLE)) AS DOUBLE)", a=parts[0])
    return DOUBLE


def _chosen(judge: Judge, _node: Node, _name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    """Greatest and least."""
    judge.note(parts, ordered=True)
    return judge.unite(parts, kinds)


def _nullif(judge: Judge, _node: Node, _name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    judge.note(parts, ordered=False)
    kind = judge.unite(parts, kinds)
    return kinds[0] if kinds[0].family in (kind.family, NOTHING) else kind


def _date_diff(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    unit = parts[0]
    # other units count boundaries in DuckDB and elapsed time in Spark
    if not is_text(unit) or str(unit["literal"]["text"]).lower() != "day":
        judge.refuse("date_diff counts days only.", node, "write date_diff('day', earlier, later).")
    for part, kind in zip(parts[1:], kinds[1:], strict=True):
        judge.need(DAY, name, part, kind)
    become(node, "date_diff('day', a, b)", a=parts[1], b=parts[2])
    return COUNT


def _part_of_day(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    judge.need(DAY, name, parts[0], kinds[0])
    return COUNT


def _length(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    judge.need(TEXT, name, parts[0], kinds[0])
    return COUNT


def _lettered(judge: Judge, node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    """Lower, upper and trim; trim takes spaces and nothing else."""
    judge.need(TEXT, name, parts[0], kinds[0])
    if name == "trim":
        become(node, "trim(a, ' ')", a=parts[0])
    return Kind(TEXT)


def _starts_with(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    for part, kind in zip(parts, kinds, strict=True):
        judge.need(TEXT, name, part, kind)
    judge.note_pattern(parts[0], parts[1], name)
    return Kind(TRUTH)


def _substring(judge: Judge, _node: Node, name: str, parts: list[Node], kinds: list[Kind]) -> Kind:
    judge.need(TEXT, name, parts[0], kinds[0])
    _literal(judge, parts[1], f"the start of {name}", 1, 1_000)
    if len(parts) == 3:
        _literal(judge, parts[2], f"the length of {name}", 0, 1_000)
    return Kind(TEXT)


def _literal(judge: Judge, node: Node, what: str, least: int, most: int) -> int:
    """A whole number that is written out. Raises ExpressionError."""
    literal = node["literal"] if node["class"] == "CONSTANT" else {"kind": "", "text": ""}
    text = str(literal["text"])
    if literal["kind"] != "INTEGER" or not text.isdecimal() or not least <= int(text) <= most:
        judge.refuse(
            f"{what} must be a whole number from {least} to {most:,}.", node, "write the number itself."
        )
    return int(text)


SKIPS_UNKNOWN = frozenset({"greatest", "least", "nullif"})  # the others are unknown where a part is
# name: the rule, and the fewest and most arguments
FUNCTIONS: Mapping[str, tuple[Rule, int, int]] = {
    "abs": (_abs, 1, 1),
    "ceil": (_stepped, 1, 1),
    "floor": (_stepped, 1, 1),
    "round": (_stepped, 1, 2),
    "greatest": (_chosen, 2, 100),
    "least": (_chosen, 2, 100),
    "nullif": (_nullif, 2, 2),
    "date_diff": (_date_diff, 3, 3),
    "month": (_part_of_day, 1, 1),
    "year": (_part_of_day, 1, 1),
    "length": (_length, 1, 1),
    "lower": (_lettered, 1, 1),
    "upper": (_lettered, 1, 1),
    "trim": (_lettered, 1, 1),
    "starts_with": (_starts_with, 2, 2),
    "substring": (_substring, 2, 3),
}
OPERATORS: Mapping[str, tuple[Rule, int, int]] = {
    **dict.fromkeys(("+", "-"), (_sum, 1, 2)),
    "*": (_sum, 2, 2),
    **dict.fromkeys(("/", "//", "%"), (_quotient, 2, 2)),
    "||": (_joined, 2, 2),
    **dict.fromkeys(("~~", "!~~", "~~*", "!~~*"), (_like, 2, 2)),
}
