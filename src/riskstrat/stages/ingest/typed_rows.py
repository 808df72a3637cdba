"""The statement that reads a feed: delivered text becomes typed rows, each with a bit for every rule it breaks."""

from __future__ import annotations

from riskstrat.definitions.contracts import Column, Contract, Rule
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.scans import TEXT, Scan
from riskstrat.stages.ingest.staging import Staging

# Outside these a date is a typing error or a supplier's filler, not a day in anybody's record.
EARLIEST, LATEST = "1850-01-01", "9999-12-31"


def insert_statement(staging: Staging, scan: Scan, source_file: int) -> str:
    """The one statement that reads a feed, types it, links it to a person and judges every row."""
    contract = staging.contract
    places = [
        name
        for name, is_there in (("source_row", scan.is_numbered), ("source_order", scan.is_ordered))
        if is_there
    ]
    cleaned = [f"{_cleaned(column, scan)} AS {quoted(f'given_{column.name}')}" for column in contract.columns]
    typed = [f"{_typed(column, scan)} AS {quoted(column.name)}" for column in contract.columns]
    given = [quoted(f"given_{column.name}") for column in contract.columns if column.type != "text"]
    cast = [
        f"{_cast(column, scan)} AS {quoted(f'cast_{column.name}')}"
        for column in contract.columns
        if column.type != "text"
    ]
    person = ", person_of(typed.nhs_number) AS person" if staging.has_person else ""
    values = {
        **{quoted(column.name): _staged_value(column, contract) for column in staging.kept_columns},
        "deleted": "COALESCE(deleted, FALSE)",
        "stranger": "CASE WHEN person IS NULL THEN person_key(nhs_number) END",
        "source_file": str(source_file),
        "source_row": "source_row" if "source_row" in places else "NULL",
        "source_order": "source_order" if "source_order" in places else "NULL",
        "broken": _mask(contract),
    }
    return (
        f"INSERT INTO {staging.raw} WITH source AS ({scan.select}), "
        f"cleaned AS (SELECT {', '.join(cleaned + places)} FROM source), "
        f"cast_values AS (SELECT {', '.join(['*', *cast])} FROM cleaned), "
        f"typed AS (SELECT {', '.join(typed + given + places)} FROM cast_values), "
        f"linked AS (SELECT typed.*{person} FROM typed) "
        f"SELECT {', '.join(values.get(name, name) for name, _ in staging.columns)} FROM linked"
    )


def _mask(contract: Contract) -> str:
    """The bits of the rules that a row breaks; a row that breaks none is told at once."""
    failing = {place: _failing(rule, contract) for place, rule in enumerate(contract.rules)}
    judged = {place: sql for place, sql in failing.items() if sql != "(FALSE)"}
    if not judged:
        return "CAST(0 AS BIGINT)"
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << place} ELSE 0 END" for place, sql in judged.items())
    return f"CASE WHEN {' OR '.join(judged.values())} THEN CAST({bits} AS BIGINT) ELSE 0 END"


def _cleaned(column: Column, scan: Scan) -> str:
    if column.name not in scan.types:
        return "CAST(NULL AS VARCHAR)"
    name, kind = quoted(column.name), scan.types[column.name]
    text = name if kind == TEXT else f"CAST({name} AS VARCHAR)"
    if column.identifier:
        return f"normalised_nhs_number({text})"
    return name if kind == column.sql_type != TEXT else f"tidy({text})"


def _cast(column: Column, scan: Scan) -> str:
    """The value of a column that is no text, cast once; ``_typed`` looks at it more than once."""
    given = quoted(f"given_{column.name}")
    is_typed = scan.types.get(column.name) == column.sql_type
    return given if is_typed else f"TRY_CAST({given} AS {column.sql_type})"


def _typed(column: Column, scan: Scan) -> str:
    given, value = quoted(f"given_{column.name}"), quoted(f"cast_{column.name}")
    if column.type == "text":
        return given
    is_typed = scan.types.get(column.name) == column.sql_type
    if column.type == "integer":  # a cast would round 1.5 and take 0x1F and 1e2
        return f"CASE WHEN regexp_full_match({given}, '-?[0-9]+([.]0+)?') THEN {value} END"
    if column.type in ("date", "timestamp"):
        begins = (
            "" if is_typed else f" AND {given} BETWEEN '0' AND ':'"
        )  # a cast would take words such as epoch
        return f"CASE WHEN {value} BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'{begins} THEN {value} END"
    if column.type == "number":  # a cast would take 1_000
        plain = "" if is_typed else f" AND NOT contains({given}, '_')"
        return f"CASE WHEN isfinite({value}){plain} THEN {value} END"
    return value


def _failing(rule: Rule, contract: Contract) -> str:
    column = next((column for column in contract.columns if column.name == rule.column), None)
    if column is None or column.type == "text":
        return f"({rule.sql})"
    unreadable = f"({quoted(f'given_{column.name}')} IS NOT NULL AND {quoted(column.name)} IS NULL)"
    if rule.kind == "type":
        spared = contract.spared_rows(column) if column.name != "deleted" else None
        return f"({unreadable} AND NOT {spared})" if spared else unreadable
    # A value that could not be read is one failure, of its type; it is not missing as well.
    return f"(({rule.sql}) AND NOT {unreadable})" if rule.kind == "required" else f"({rule.sql})"


def becomes_unknown(rule: Rule, contract: Contract) -> bool:
    """Whether a value that breaks the rule is staged as unknown: one that cannot be read, or that only describes."""
    if rule.severity != "warn" or rule.column is None:
        return False
    column = contract.column(rule.column)
    return rule.kind == "type" or (
        rule.kind == "allowed" and (column.unknown is not None or not column.required)
    )


def _staged_value(column: Column, contract: Contract) -> str:
    unknown = [
        rule.sql
        for rule in contract.rules
        if rule.column == column.name and rule.kind != "type" and becomes_unknown(rule, contract)
    ]
    value = quoted(column.name)
    if unknown:
        value = f"CASE WHEN NOT ({' OR '.join(f'({sql})' for sql in unknown)}) THEN {value} END"
    return f"COALESCE({value}, {literal(column.unknown)})" if column.unknown is not None else value
