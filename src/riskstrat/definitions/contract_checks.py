"""What a contract states about its columns and rows, read from ODCS ``quality`` and ``logicalTypeOptions``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riskstrat.definitions.documents import check_keys
from riskstrat.definitions.rules import Check, Column, Rule, Severity
from riskstrat.definitions.value_checks import VALUE_CHECKS
from riskstrat.errors import DefinitionError

SEVERITIES: tuple[Severity, ...] = ("quarantine", "warn", "stop")
OPTIONS = {"text": ("pattern",), "integer": ("minimum", "maximum"), "number": ("minimum", "maximum")}
CHECK_KEYS = (
    *("name", "type", "metric", "arguments", "query", "mustBe", "severity"),
    *("description", "dimension", "customProperties"),
)
VALUE_CHECK_REQUIRED = ("type", "engine", "implementation", "severity", "description", "customProperties")
VALUE_CHECK_KEYS = (*VALUE_CHECK_REQUIRED, "name", "dimension")
ROW_CHECK_KEYS = ("name", "type", "description", "query", "mustBe", "severity", "customProperties")
ROW_QUERY = r"SELECT COUNT\(\*\) FROM {table} WHERE (?P<condition>.+)"
ROW_NAME = re.compile(r"[a-z][a-z0-9_]*")


def misstated(path: Path, near: str, column: str | None, what: str, remedy: str) -> DefinitionError:
    """A DefinitionError at the first line of ``path`` that is, or else begins with, the text ``near``."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    exact = [number for number, line in enumerate(lines, start=1) if line == near]
    close = [number for number, line in enumerate(lines, start=1) if line.startswith(near)]
    return DefinitionError(
        what, file=path, row=next(iter(exact or close), None), column=column, remedy=remedy
    )


def custom_properties(
    entries: Sequence[Mapping[str, Any]], allowed: Sequence[str], path: Path, where: str
) -> dict[str, Any]:
    """Custom properties as a mapping; ODCS writes them as a list of property and value."""
    found: dict[str, Any] = {}
    for entry in entries:
        check_keys(
            entry, allowed=("property", "value"), required=("property", "value"), file=path, where=where
        )
        if entry["property"] in found:
            raise DefinitionError(
                f"'{entry['property']}' stands twice in {where}.", file=path, remedy="keep one."
            )
        found[entry["property"]] = entry["value"]
    check_keys(found, allowed=allowed, file=path, where=where)
    return found


def valid_values(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a column's ``invalidValues`` metric allows; empty when it lists none."""
    for check in entry.get("quality") or []:
        if "validValues" in (check.get("arguments") or {}):
            return tuple(str(value) for value in check["arguments"]["validValues"])
    return ()


def column_checks(entry: Mapping[str, Any], column: Column, path: Path) -> list[Check]:
    """The checks of one column: that it is filled, then its options, then its quality metrics.

    A breach of ``required`` or of an option quarantines; a ``nullValues`` metric may soften the first.
    """
    options = dict(entry.get("logicalTypeOptions") or {})
    where = f"the options of column {column.name}"
    check_keys(options, allowed=OPTIONS.get(column.type, ()), file=path, where=where)
    checks = [
        _value_check(stated, column, path)
        if stated.get("type") == "custom"
        else _metric(stated, column, path)
        for stated in entry.get("quality") or []
    ]
    if "pattern" in options:
        checks.insert(0, Check("pattern", "quarantine", pattern=str(options["pattern"])))
    elif options:
        checks.insert(
            0, Check("range", "quarantine", minimum=options.get("minimum"), maximum=options.get("maximum"))
        )
    if column.required and not any(check.kind == "required" for check in checks):
        checks.insert(0, Check("required", "quarantine"))
    for check in checks:
        if check.pattern is not None and not (check.pattern.startswith("^") and check.pattern.endswith("$")):
            raise _at(
                path, column, "its pattern matches a part of a value.", "start it with ^ and end it with $."
            )
        if check.kind in ("allowed", "pattern", "value") and column.type != "text":
            raise _at(path, column, "lists values though it is not text.", "use minimum and maximum.")
    return checks


def row_checks(table: Mapping[str, Any], path: Path) -> list[Check]:
    """The checks over whole rows: ODCS ``sql`` rules that count the failing rows of the table."""
    checks = []
    for entry in table.get("quality") or []:
        name = str(entry.get("name"))
        where = f"row rule {name}"
        check_keys(entry, allowed=CHECK_KEYS, required=ROW_CHECK_KEYS, file=path, where=where)
        query = " ".join(str(entry["query"]).split())
        found = re.fullmatch(ROW_QUERY.format(table=re.escape(table["name"])), query)
        if entry["type"] != "sql" or entry["mustBe"] != 0 or found is None or not ROW_NAME.fullmatch(name):
            raise misstated(
                path,
                f"- name: {name}",
                None,
                f"{where} is not understood.",
                f"write type: sql, mustBe: 0 and query: SELECT COUNT(*) FROM {table['name']} WHERE CONDITION.",
            )
        severity, words = _severity(entry, path, name), _words(entry, path, where)
        checks.append(Check("row", severity, name=name, condition=f"({found['condition']})", **words))
    return checks


def check_row_conditions(rules: Sequence[Rule], columns: Sequence[Column], path: Path) -> None:
    """Bind every stated condition to an empty table, so that a misspelt column is found here and not in the night."""
    import duckdb

    from riskstrat.language.parsing import parser_connection

    empty = ", ".join(f"CAST(NULL AS {column.sql_type}) AS {column.name}" for column in columns)
    for rule in rules:
        condition = rule.when or rule.sql
        try:
            # a database for each contract would take longer than all the rest of loading it
            parser_connection().execute(
                f"SELECT 1 FROM (SELECT {empty}) AS extract WHERE {condition}"
            ).fetchall()
        except duckdb.Error as problem:
            name = rule.id.rsplit(".", 1)[-1]
            raise misstated(
                path,
                f"- name: {rule.column or name}",
                rule.column,
                f"the rule {name} has no condition over these columns ({str(problem).splitlines()[0]}).",
                "use only columns of this file, and compare values of one type.",
            ) from None


def _metric(entry: Mapping[str, Any], column: Column, path: Path) -> Check:
    where = f"the quality of column {column.name}"
    check_keys(entry, allowed=CHECK_KEYS, required=("metric", "mustBe", "severity"), file=path, where=where)
    if entry["mustBe"] != 0:
        raise _at(
            path,
            column,
            "a quality metric must be 0.",
            "write mustBe: 0; how many rows may be quarantined stands under slaProperties.",
        )
    severity, words = _severity(entry, path, column.name), _words(entry, path, where)
    arguments = entry.get("arguments") or {}
    match entry["metric"], tuple(arguments):
        case "nullValues", ():
            return Check("required", severity, **words)
        case "invalidValues", ("validValues",):
            return Check("allowed", severity, allowed=column.allowed, **words)
        case "invalidValues", ("pattern",):
            return Check("pattern", severity, pattern=str(arguments["pattern"]), **words)
    raise _at(
        path,
        column,
        "has a quality metric that is not understood.",
        "use nullValues, or invalidValues with either validValues or pattern.",
    )


def _value_check(entry: Mapping[str, Any], column: Column, path: Path) -> Check:
    """A check that Python makes of each distinct value: ODCS ``custom`` with the engine ``riskstrat``."""
    name = str(entry.get("implementation"))
    where = f"the check {name} of column {column.name}"
    check_keys(entry, allowed=VALUE_CHECK_KEYS, required=VALUE_CHECK_REQUIRED, file=path, where=where)
    if entry["engine"] != "riskstrat" or name not in VALUE_CHECKS:
        raise _at(
            path,
            column,
            f"{where} is not known.",
            f"write engine: riskstrat and implementation: {' or '.join(VALUE_CHECKS)}.",
        )
    about = custom_properties(entry["customProperties"], ("remedy", "when"), path, where)
    when = " ".join(str(about["when"]).split()) if "when" in about else ""
    words = _words(entry, path, where, beside=("when",))
    severity = _severity(entry, path, column.name)
    return Check("value", severity, name=name, condition=f"({when})" if when else None, **words)


def _severity(entry: Mapping[str, Any], path: Path, name: str) -> Severity:
    for severity in SEVERITIES:
        if entry["severity"] == severity:
            return severity
    raise misstated(
        path, f"- name: {name}", name, "has an unknown severity.", f"use one of {', '.join(SEVERITIES)}."
    )


def _words(entry: Mapping[str, Any], path: Path, where: str, *, beside: Sequence[str] = ()) -> dict[str, Any]:
    about = custom_properties(entry.get("customProperties") or [], ("remedy", *beside), path, where)
    words = {"message": entry.get("description"), "remedy": about.get("remedy")}
    return {key: " ".join(str(text).split()) for key, text in words.items() if text}


def _at(path: Path, column: Column, what: str, remedy: str) -> DefinitionError:
    return misstated(path, f"- name: {column.name}", column.name, what, remedy)
