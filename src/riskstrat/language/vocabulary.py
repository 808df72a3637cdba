"""What an expression may hold. Whatever is not listed here is refused.

Names are those of DuckDB's serialised syntax tree. Functions stand in functions.py, casts in casts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

CONJUNCTIONS = frozenset({"CONJUNCTION_AND", "CONJUNCTION_OR"})
EQUALITIES = frozenset(
    {"COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"}
)
COMPARISONS = EQUALITIES | {
    "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO",
}
MEMBERSHIPS = frozenset({"COMPARE_IN", "COMPARE_NOT_IN"})
OPERATORS = MEMBERSHIPS | {"OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE"}
LITERAL_KINDS: Mapping[str, str] = {  # kind in the tree: what it is
    "BOOLEAN": "boolean",
    "INTEGER": "number",
    "NUMERIC": "number",
    "STRING": "text",
    "NULL_LITERAL": "null",
}

REFUSED_CLASSES: Mapping[str, str] = {
    "SUBQUERY": "a query inside the expression is not allowed",
    "WINDOW": "a window function looks at other people's rows and is not allowed",
    "STAR": "* stands for all columns and is not allowed",
    "PARAMETER": "a parameter is not allowed",
    "LAMBDA": "a lambda is not allowed",
    "COLLATE": "COLLATE is not allowed",
}
# functions that people know from elsewhere: what to write here
ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("ifnull", "nvl", "isnull"), "coalesce(a, b), or a IS NULL"),
    **dict.fromkeys(("if", "iif", "decode"), "CASE WHEN condition THEN a ELSE b END"),
    **dict.fromkeys(("datediff", "datesub", "date_sub"), "date_diff('day', earlier, later)"),
    **dict.fromkeys(("len", "char_length"), "length(t)"),
    **dict.fromkeys(("left", "substr", "mid"), "substring(t, 1, 3)"),
    **dict.fromkeys(("to_date", "date"), "DATE '2026-04-01'"),
}
CLOCK_WORDS = frozenset(
    {
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "now",
        "today",
        "getdate",
    }
)
