"""The file of quarantined rows: each with every reason it earned, and nothing in it that could be an NHS number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.accounting import SourceFile
from riskstrat.stages.ingest.staging import FILES, Staging

FEWEST_OF_TEN_DIGITS = 1_000_000_000
QUARANTINE_LINES = (
    ("file_number", "INTEGER"),
    ("line", "BIGINT"),
    ("rows_before", "BIGINT"),
    ("lines_moved", "BIGINT"),
)


def write_quarantine(engine: DuckDBEngine, staging: Staging, files: Sequence[SourceFile], path: Path) -> None:
    """Write every quarantined row with all its reasons; text that could be an NHS number is masked."""
    contract = staging.contract
    rejects = [
        (number, reject.line, reject.line - 1 - place, place)
        for number, file in enumerate(files)
        for place, reject in enumerate(file.rejects, start=1)
    ]
    engine.load("quarantine_lines", QUARANTINE_LINES, rejects)
    reasons = ", ".join(
        f"CASE WHEN broken & {1 << place} <> 0 THEN {literal(rule.id)} END"
        for place, rule in enumerate(contract.rules)
        if rule.severity == "quarantine"
    )
    columns = [f"{shown(column, contract)} AS {quoted(column.name)}" for column in staging.kept_columns]
    nulls = [f"CAST(NULL AS {column.sql_type})" for column in staging.kept_columns]
    is_quarantined = f"broken & {staging.mask_of('quarantine')} <> 0"
    # Every rejected line before a row moves it one line down.
    engine.export(
        "WITH moved AS (SELECT file_number, rows_before, max(lines_moved) AS lines_moved "
        "FROM quarantine_lines GROUP BY file_number, rows_before) "
        "SELECT file, place + 1 + COALESCE(moved.lines_moved, 0) AS row, "
        f"list_filter([{reasons}], lambda reason: reason IS NOT NULL) AS reasons, "
        f"corrected.corrected_on, {', '.join(columns)} "
        f"FROM {staging.located(is_quarantined)} AS incoming "
        "ASOF LEFT JOIN moved ON moved.file_number = incoming.file_number "
        "AND moved.rows_before < incoming.place LEFT JOIN corrected ON corrected.row_id = incoming.row_id "
        f"UNION ALL SELECT file, line, [{literal(contract.name + '.row.structure')}], CAST(NULL AS DATE), "
        f"{', '.join(nulls)} FROM quarantine_lines JOIN {FILES} AS files USING (file_number) "
        "ORDER BY file, row",
        path,
    )
    engine.execute("DROP TABLE quarantine_lines")


def shown(column: Column, contract: Contract) -> str:
    """A column of a quarantined row; a text that broke its own rule may be anything, a name too, and is left out."""
    if column.type in ("integer", "number"):  # ten digits could be somebody's number
        return f"CASE WHEN abs({quoted(column.name)}) < {FEWEST_OF_TEN_DIGITS} THEN {quoted(column.name)} END"
    if column.type != "text":
        return quoted(column.name)
    broken = sum(
        1 << place
        for place, rule in enumerate(contract.rules)
        if rule.column == column.name and rule.kind in ("allowed", "pattern")
    )
    return f"CASE WHEN broken & {broken} = 0 THEN {_masked(column.name)} END"


def _masked(name: str) -> str:
    """The text with every run of ten or more digits blotted out; a code of 11 to 18 digits alone is no NHS number."""
    column = quoted(name)
    return (
        f"CASE WHEN regexp_full_match({column}, '[0-9]{{11,18}}') THEN {column} "
        f"ELSE regexp_replace({column}, '[0-9](?:[ -]?[0-9]){{9,}}', '**********', 'g') END"
    )
