"""The SQL of an expression for another engine, so that it gives the same people there.

Compiling has already rewritten what engines would understand differently; what is left here is how each writes it.
docs/adr/0012-expressions-mean-the-same-on-every-engine.md has the reasons. Imports sqlglot, and only when asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.language.expression import Expression

if TYPE_CHECKING:
    from sqlglot import exp

DIALECTS = ("duckdb", "spark")
SAME_EVERYWHERE = frozenset(
    {
        *("Column", "Identifier", "Literal", "Boolean", "Null", "Paren", "DataType", "Var"),
        *("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "NullSafeEQ", "NullSafeNEQ", "Between", "In", "Is", "Like"),
        *("And", "Or", "Not", "Case", "If", "Coalesce", "Nullif", "Greatest", "Least"),
        *("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "Abs", "Ceil", "Floor", "Round"),
        *("Cast", "TryCast", "RegexpExtract", "DPipe", "Length", "Lower", "StartsWith", "Substring", "Trim"),
        *("DateDiff", "Month", "Year"),
    }
)
DIFFERENT = {"Upper": "letters such as \u00df become two there and stay one here; lower() is the same"}
# what lower() changes differently: Java knows the dotted capital I and the sigma at the end of a word
LOWERED_FROM, LOWERED_TO = "\u0130\u03a3", "i\u03c3"


def portable_sql(expression: Expression, dialect: str) -> str:
    """``expression`` as SQL of ``dialect``; for Spark 3.3 or later, in ANSI mode or not.

    Raises DefinitionError where the engine would not give the same people.
    """
    if dialect not in DIALECTS:
        raise MisuseError(f"there is no engine '{dialect}'.", remedy=f"use {' or '.join(DIALECTS)}.")
    if dialect == "duckdb":
        return expression.sql
    from sqlglot import parse_one

    tree = parse_one(expression.sql, read="duckdb")
    for node in tree.walk():
        name = type(node).__name__
        if name not in SAME_EVERYWHERE:
            raise DefinitionError(
                f"{name.lower()} does not give the same on {dialect}: {DIFFERENT.get(name, 'it is not known there')}.",
                file=expression.file,
                remedy=f"write this condition without it: {expression.text}",
            )
    for node in reversed(list(tree.bfs())):  # innermost first
        written = _for_spark(node)
        if node is tree:
            tree = written
        elif written is not node:
            node.replace(written)
    return tree.sql("spark", identify=True)


def _for_spark(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    if isinstance(node, exp.DateDiff):
        return exp.Anonymous(this="DATEDIFF", expressions=[node.this, node.expression])
    if isinstance(node, exp.Cast) and node.is_type("date") and (moved := _moved_day(node.this)) is not None:
        return moved
    if isinstance(node, exp.Lower):
        letters = [exp.Literal.string(text) for text in (LOWERED_FROM, LOWERED_TO)]
        return exp.Lower(this=exp.Anonymous(this="TRANSLATE", expressions=[node.this, *letters]))
    return node


def _moved_day(part: exp.Expr) -> exp.Expr | None:
    """``DATE_ADD`` for a day and a number of days; only they are cast to a date from a sum."""
    from sqlglot import exp

    sum_ = part.unnest()
    if not isinstance(sum_, (exp.Add, exp.Sub)):
        return None
    name = "DATE_ADD" if isinstance(sum_, exp.Add) else "DATE_SUB"
    return exp.Anonymous(this=name, expressions=[sum_.this, sum_.expression])
