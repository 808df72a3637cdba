"""The rules that a contract's columns and checks imply, each as SQL that is true for a row that fails.

A rule's SQL reads the extract's typed columns. For the identifier it also reads ``person`` (NULL when the number is
not on the register) and the SQL macro ``is_valid_nhs_number``; whoever runs the rules supplies both. Some rules are
no SQL: whether a value could be read and a line was a row is seen while reading, and a rule of kind ``value`` calls
a predicate of Python once for every distinct value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from riskstrat.sqltext import literal

ColumnType = Literal["text", "integer", "number", "date", "timestamp", "boolean"]
Kind = Literal["type", "required", "allowed", "pattern", "range", "value", "nhs_number", "row"]
Severity = Literal["quarantine", "warn", "stop"]

SQL_TYPES: Mapping[ColumnType, tuple[str, ...]] = {
    "text": ("VARCHAR",),
    "integer": ("INTEGER", "BIGINT"),
    "number": ("DOUBLE",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
    "boolean": ("BOOLEAN",),
}
WRITTEN_AS = {
    "integer": "a whole number",
    "number": "a number with a decimal point and no thousands separator",
    "date": "a date written YYYY-MM-DD, not before 1850",
    "timestamp": "a time written YYYY-MM-DD HH:MM:SS",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Column:
    """One column of an extract or output.

    ``required`` means that the header must have it; its rules say what an empty value means. ``private`` columns are
    read for their contract and never staged. ``unknown`` stands in for an empty value and for one outside
    ``allowed``. ``about`` holds the column's remaining custom properties (the feature catalogue's).
    ``sql_type`` is its DuckDB type, ``limits`` the least and the most that it holds,
    ``national_term`` what the NHS Data Dictionary calls it ('' where it does not).
    """

    name: str
    type: ColumnType
    required: bool
    key: bool
    identifier: bool
    private: bool
    description: str
    allowed: tuple[str, ...] = ()
    unknown: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    sql_type: str = "VARCHAR"
    limits: tuple[float | None, float | None] = (None, None)
    national_term: str = ""


@dataclass(frozen=True)
class Rule:
    """One check of one row: ``sql`` is TRUE when the row fails and never NULL.

    A row that fails a ``quarantine`` rule is set aside; a ``warn`` rule only counts it; one row that fails a ``stop``
    rule ends the run. A rule of kind ``value`` has the SQL FALSE: ``judge`` names the predicate of
    ``value_checks.VALUE_CHECKS`` that is True for a value that fails, and ``when``, never NULL and over the typed
    columns, says which rows' values it is asked about. ``check`` is what the contract states, where it states more
    than a column's type and that it is filled.
    """

    id: str
    extract: str
    column: str | None
    kind: Kind
    severity: Severity
    sql: str
    message: str
    remedy: str
    judge: str | None = None
    when: str | None = None
    check: Check | None = None


@dataclass(frozen=True)
class Check:
    """What a contract states about a column or a row, before it is SQL.

    ``name`` and ``condition`` belong to row checks, where the condition is true for a failing row, and to checks of a
    value, where it says which rows are asked; ``message`` and ``remedy`` replace the usual wording.
    """

    kind: Kind
    severity: Severity
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    name: str | None = None
    condition: str | None = None
    message: str | None = None
    remedy: str | None = None


def spared_rows(column: Column, *, has_deleted: bool, record_key: str | None) -> str | None:
    """SQL, never NULL, that is true for rows which need nothing in a column; None where every row needs it.

    A row that the supplier deleted needs only what says which record it was: its record key, or else its key.
    """
    if not has_deleted:
        return None
    if not column.key:
        return "COALESCE(deleted, FALSE)"
    return f"(COALESCE(deleted, FALSE) AND {record_key} IS NOT NULL)" if record_key else None


def column_rules(extract: str, column: Column, checks: Iterable[Check], spared: str | None) -> list[Rule]:
    """The rules of one column, in the order type, then as checked; ``spared`` rows (see spared_rows) break none."""
    guard = f" AND NOT {spared}" if spared else ""
    rules = []
    checks = list(checks)
    if column.type != "text":
        is_spared = any(check.kind == "required" and check.severity == "warn" for check in checks)
        rules.append(_type_rule(extract, column, is_spared=is_spared))
    for check in checks:
        if column.identifier and check.kind == "required":
            rules += _number_rules(extract, column, guard)
        elif check.kind == "value":
            rules.append(_value_rule(extract, column, check, guard))
        else:
            rules.append(_checked(extract, column, check, guard))
    return rules


def row_rules(extract: str, checks: Iterable[Check], *, has_deleted: bool) -> list[Rule]:
    """The rules over whole rows: first the structure of a line, then the contract's own."""
    guard = " AND NOT COALESCE(deleted, FALSE)" if has_deleted else ""
    structure = Rule(
        f"{extract}.row.structure",
        extract,
        None,
        "row",
        "quarantine",
        "FALSE",
        "The line has another number of fields than the header, an unclosed quote, or bytes that are not UTF-8, "
        "or is too long.",
        "Ask for the file again as UTF-8 CSV, with text that holds commas, quotes or line breaks in double quotes.",
    )
    own = [
        Rule(
            f"{extract}.row.{check.name}",
            extract,
            None,
            "row",
            check.severity,
            f"COALESCE({check.condition}, FALSE){guard}",
            check.message or "",
            check.remedy or "",
            check=check,
        )
        for check in checks
    ]
    return [structure, *own]


def _type_rule(extract: str, column: Column, *, is_spared: bool) -> Rule:
    """A value that cannot be read sets the row aside.

    Not so where the row means something without it: an optional measurement, whose code still counts, and a column
    (``is_spared``) of which the contract says that an empty value only warns.
    """
    written = WRITTEN_AS[column.type]
    is_measurement = column.type == "number" and not column.required
    severity: Severity = "warn" if is_measurement or is_spared else "quarantine"
    return Rule(
        f"{extract}.{column.name}.type",
        extract,
        column.name,
        "type",
        severity,
        "FALSE",
        f"{column.name} is not {written}.",
        f"Send {column.name} as {written}, or leave it empty where the column may be.",
    )


def _number_rules(extract: str, column: Column, guard: str) -> list[Rule]:
    name = column.name
    return [
        Rule(
            f"{extract}.{name}.missing",
            extract,
            name,
            "nhs_number",
            "quarantine",
            f"{name} IS NULL{guard}",
            "The NHS number is empty, so the row cannot be linked to a person.",
            "Ask the supplier to trace the person and send the row again with an NHS number.",
        ),
        Rule(
            f"{extract}.{name}.invalid",
            extract,
            name,
            "nhs_number",
            "quarantine",
            f"{name} IS NOT NULL AND person IS NULL AND NOT is_valid_nhs_number({name}){guard}",
            "The NHS number has not ten digits, fails its modulus 11 check digit, or repeats one digit ten times.",
            "Ask the supplier to correct or trace the number and send the row again.",
        ),
    ]


def _checked(extract: str, column: Column, check: Check, guard: str) -> Rule:
    sql, message, remedy = _SENTENCES[check.kind](column, check)
    return Rule(
        f"{extract}.{column.name}.{check.kind}",
        extract,
        column.name,
        check.kind,
        check.severity,
        f"{sql}{guard}",
        check.message or message,
        check.remedy or remedy,
        check=check,
    )


def _value_rule(extract: str, column: Column, check: Check, guard: str) -> Rule:
    asked = f"{column.name} IS NOT NULL"
    if check.condition:
        asked += f" AND COALESCE({check.condition}, FALSE)"
    return Rule(
        f"{extract}.{column.name}.{check.name}",
        extract,
        column.name,
        "value",
        check.severity,
        "FALSE",
        check.message or "",
        check.remedy or "",
        judge=check.name,
        when=f"{asked}{guard}",
        check=check,
    )


def _required(column: Column, _: Check) -> tuple[str, str, str]:
    return (
        f"{column.name} IS NULL",
        f"{column.name} is empty.",
        f"Ask the supplier to fill {column.name} in every row.",
    )


def _allowed(column: Column, check: Check) -> tuple[str, str, str]:
    listed = ", ".join(literal(value) for value in check.allowed)
    return (
        f"{column.name} IS NOT NULL AND {column.name} NOT IN ({listed})",
        f"{column.name} is not one of the values that the contract lists.",
        f"Send one of {', '.join(check.allowed)}, or translate local values in the layout under config/sources/.",
    )


def _pattern(column: Column, check: Check) -> tuple[str, str, str]:
    return (
        f"{column.name} IS NOT NULL AND NOT regexp_matches({column.name}, {literal(str(check.pattern))})",
        f"{column.name} has not the form that the contract states.",
        f"Send {column.name} in the form {check.pattern}.",
    )


def _range(column: Column, check: Check) -> tuple[str, str, str]:
    ends = [
        (f"{column.name} < {check.minimum}", f"{check.minimum} or more", check.minimum),
        (f"{column.name} > {check.maximum}", f"{check.maximum} or less", check.maximum),
    ]
    stated = [(test, words) for test, words, end in ends if end is not None]
    words = " and ".join(words for _, words in stated)
    return (
        f"{column.name} IS NOT NULL AND ({' OR '.join(test for test, _ in stated)})",
        f"{column.name} is not {words}.",
        f"Send {column.name} as {words}.",
    )


_SENTENCES = {"required": _required, "allowed": _allowed, "pattern": _pattern, "range": _range}
