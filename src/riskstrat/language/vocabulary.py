"""What an expression may hold. Whatever is not listed here is refused.

Names are those of DuckDB's serialised syntax tree. The functions are the ones that mean the same in DuckDB
and Spark and read nothing but their arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

FUNCTIONS = frozenset(
    {
        *("abs", "ceil", "floor", "round"),
        *("greatest", "least", "nullif"),
        *("date_diff", "month", "year"),
        *("length", "lower", "starts_with", "substring", "trim", "upper"),
    }
)
OPERATOR_FUNCTIONS = frozenset(
    {
        *("+", "-", "*", "/", "//", "%", "||"),
        *("~~", "!~~", "~~*", "!~~*"),  # LIKE, NOT LIKE, ILIKE, NOT ILIKE
        *("like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape"),
    }
)
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
CAST_TYPES = frozenset({"BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "DATE"})
LITERAL_KINDS = frozenset({"BOOLEAN", "INTEGER", "NUMERIC", "STRING", "NULL_LITERAL"})
DATE_UNITS = frozenset({"day"})  # other units count boundaries in DuckDB and elapsed time in Spark

NUMBER_TYPES = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"})
TYPE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(NUMBER_TYPES, "a number"),
    "BOOLEAN": "true or false",
    "VARCHAR": "text",
    "DATE": "a date",
    "TIMESTAMP": "a time",
}
OPERATOR_WORDS: Mapping[str, str] = {
    "~~": "LIKE",
    "!~~": "NOT LIKE",
    "~~*": "ILIKE",
    "!~~*": "NOT ILIKE",
}
REFUSED_CLASSES: Mapping[str, str] = {
    "SUBQUERY": "a query inside the expression is not allowed",
    "WINDOW": "a window function looks at other people's rows and is not allowed",
    "STAR": "* stands for all columns and is not allowed",
    "PARAMETER": "a parameter is not allowed",
    "LAMBDA": "a lambda is not allowed",
    "COLLATE": "COLLATE is not allowed",
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
