"""The books of one extract: every row read is accepted, quarantined, a duplicate, superseded or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Column, Contract, Rule
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import RiskstratError
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.staging import STATUSES, Staging


@dataclass(frozen=True)
class Place:
    """Where a rule was first broken: the file, its line (1 is the header) and the column, if one is to blame."""

    file: str
    row: int
    column: str | None


@dataclass
class Books:
    """Counts of one extract in one run. ``failed`` counts rows a rule; a row may break several."""

    contract: Contract
    files: tuple[str, ...]
    read: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    first: dict[str, Place] = field(default_factory=dict)
    unlinked: int = 0
    after_as_of: int = 0
    before_birth: int = 0

    @property
    def conservation(self) -> dict[str, int]:
        """Rows read, and the five ways they end."""
        return {"read": self.read, **{status: self.statuses.get(status, 0) for status in STATUSES}}

    def check_balance(self) -> None:
        """Raise RiskstratError when a row was lost or invented."""
        parts = sum(self.statuses.get(status, 0) for status in STATUSES)
        if parts != self.read:
            raise RiskstratError(
                f"the rows of {self.contract.name} do not balance: {self.read} read, {parts} accounted for.",
                remedy="this is a fault of riskstrat, not of the data; please report it.",
            )

    def summary(self) -> dict[str, Any]:
        """What ``quality/EXTRACT/summary.json`` holds."""
        return {
            "extract": self.contract.name,
            "title": self.contract.title,
            "files": list(self.files),
            "conservation": self.conservation,
            "unlinked": self.unlinked,
            "before_birth": self.before_birth,
            "after_as_of": self.after_as_of,
            "checks": [self._check(rule) for rule in self.contract.rules],
            "first_failures": [
                {"check": rule, "file": place.file, "row": place.row, "column": place.column}
                for rule, place in sorted(self.first.items())
            ],
        }

    def _check(self, rule: Rule) -> dict[str, Any]:
        failed = self.failed.get(rule.id, 0)
        return {
            "id": rule.id,
            "column": rule.column,
            "kind": rule.kind,
            "severity": rule.severity,
            "failed": failed,
            "share": round(failed / self.read, 6) if self.read else 0.0,
            "message": rule.message,
            "remedy": rule.remedy,
        }


def keep_books(
    engine: DuckDBEngine,
    staging: Staging,
    files: Sequence[str],
    unread: Mapping[int, list[tuple[int, str | None, str]]],
) -> Books:
    """Count every row once, and every broken rule. ``unread`` holds, per file, the lines that were no row at all."""
    contract = staging.contract
    books = Books(contract, tuple(files))
    typed = engine.count(staging.raw.strip('"'))
    lines = sum(len(found) for found in unread.values())
    books.read = typed + lines
    decided = dict(engine.rows(f"SELECT status, count(*) FROM {staging.judged} GROUP BY status"))
    books.statuses = {status: int(decided.get(status, 0)) for status in STATUSES}
    books.statuses["quarantined"] += lines
    books.statuses["accepted"] = typed - sum(int(count) for count in decided.values())
    _count_rules(engine, staging, books, unread)
    structure = f"{contract.name}.row.structure"
    if lines:
        first_file = min(number for number, found in unread.items() if found)
        line, column, _ = unread[first_file][0]
        books.failed[structure] = lines
        books.first[structure] = Place(files[first_file], line, column)
    return books


def _count_rules(
    engine: DuckDBEngine,
    staging: Staging,
    books: Books,
    unread: Mapping[int, list[tuple[int, str | None, str]]],
) -> None:
    rules = staging.contract.rules
    counted = ", ".join(
        f"count(*) FILTER (WHERE broken & {1 << place} <> 0), "
        f"min(row(source_file, source_row)) FILTER (WHERE broken & {1 << place} <> 0)"
        for place in range(len(rules))
    )
    if not rules:
        return
    found = engine.rows(f"SELECT {counted} FROM {staging.raw} WHERE broken <> 0")[0]
    for place, rule in enumerate(rules):
        count, first = found[2 * place], found[2 * place + 1]
        if count:
            number, row = first.values() if isinstance(first, dict) else first
            books.failed[rule.id] = int(count)
            books.first[rule.id] = Place(
                books.files[number], _line(int(row), unread.get(number, [])), rule.column
            )


def _line(row: int, unread: list[tuple[int, str | None, str]]) -> int:
    """The file's line of the ``row``-th readable row: the header and every unreadable line before it count too."""
    line = row + 1
    for unread_line, _, _ in sorted(unread):
        if unread_line <= line:
            line += 1
    return line


def write_quarantine(
    engine: DuckDBEngine,
    staging: Staging,
    books: Books,
    unread: Mapping[int, list[tuple[int, str | None, str]]],
    path: Path,
) -> None:
    """Write every quarantined row with all its reasons; text that could be an NHS number is masked."""
    contract = staging.contract
    engine.execute("CREATE OR REPLACE TEMP TABLE quarantine_files (source_file INTEGER, file VARCHAR)")
    for number, name in enumerate(books.files):
        engine.execute(f"INSERT INTO quarantine_files VALUES ({number}, {literal(name)})")
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE quarantine_lines (source_file INTEGER, line BIGINT, rows_before BIGINT)"
    )
    for number, found in unread.items():
        for place, (line, _, _) in enumerate(sorted(found), start=1):
            engine.execute(f"INSERT INTO quarantine_lines VALUES ({number}, {line}, {line - 1 - place})")
    reasons = ", ".join(
        f"CASE WHEN broken & {1 << place} <> 0 THEN {literal(rule.id)} END"
        for place, rule in enumerate(contract.rules)
        if rule.severity == "quarantine"
    )
    columns = [f"{_kept(column, contract)} AS {quoted(column.name)}" for column in staging.kept_columns]
    nulls = [f"CAST(NULL AS {column.sql_type})" for column in staging.kept_columns]
    engine.export(
        "SELECT file, source_row + 1 + (SELECT count(*) FROM quarantine_lines WHERE "
        "quarantine_lines.source_file = incoming.source_file AND rows_before < incoming.source_row) AS row, "
        f"list_filter([{reasons}], lambda reason: reason IS NOT NULL) AS reasons, {', '.join(columns)} "
        f"FROM {staging.raw} AS incoming JOIN quarantine_files USING (source_file) "
        f"WHERE broken & {staging.mask_of('quarantine')} <> 0 "
        f"UNION ALL SELECT file, line, [{literal(contract.name + '.row.structure')}], {', '.join(nulls)} "
        "FROM quarantine_lines JOIN quarantine_files USING (source_file) ORDER BY file, row",
        path,
    )


def _kept(column: Column, contract: Contract) -> str:
    """A column of a quarantined row; a text that broke its own rule may be anything, a name too, and is left out."""
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
