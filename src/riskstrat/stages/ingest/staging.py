"""From delivered text to typed rows with a bit for every rule they break, and from those to the staged table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.contracts import Column, Contract, Rule
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.identity import IDENTITY
from riskstrat.stages.ingest.reading import Scan

# Outside these a date is a typing error or a supplier's filler, not a day in anybody's record.
EARLIEST, LATEST = "1850-01-01", "9999-12-31"
STATUSES = ("accepted", "quarantined", "duplicates", "superseded", "deleted")


@dataclass(frozen=True)
class Staging:
    """Names and column lists of one extract's staging, worked out once from its contract."""

    contract: Contract

    @property
    def raw(self) -> str:
        """The table of rows as they came, typed and judged."""
        return quoted(f"incoming_{self.contract.name}")

    @property
    def judged(self) -> str:
        """The table of rows that are not accepted, each with its status."""
        return quoted(f"judged_{self.contract.name}")

    @property
    def kept_columns(self) -> list[Column]:
        """Columns that survive staging: all but the NHS number, private ones and the deletion mark."""
        return [
            column
            for column in self.contract.columns
            if not (column.identifier or column.private or column.name == "deleted")
        ]

    @property
    def has_person(self) -> bool:
        """Whether rows belong to people."""
        return any(column.identifier for column in self.contract.columns)

    @property
    def is_keyed_by_person(self) -> bool:
        """Whether the NHS number is part of the key."""
        return any(column.identifier and column.name in self.contract.key for column in self.contract.columns)

    @property
    def key_columns(self) -> list[str]:
        """The key as staged columns; the number of somebody on no register is a pseudonym, ``stranger``."""
        keys = [name for name in self.contract.key if not self._column(name).identifier]
        return keys + (["person", "stranger"] if self.is_keyed_by_person else [])

    def _column(self, name: str) -> Column:
        return next(column for column in self.contract.columns if column.name == name)

    def mask_of(self, severity: str) -> int:
        """The bits of all rules of a severity."""
        return sum(1 << place for place, rule in enumerate(self.contract.rules) if rule.severity == severity)


def create_incoming(engine: DuckDBEngine, staging: Staging) -> None:
    """Make the empty table that every feed of the extract is read into."""
    columns = [f"{quoted(column.name)} {column.sql_type}" for column in staging.kept_columns]
    columns += ["deleted BOOLEAN", "person BIGINT", "stranger VARCHAR"]
    columns += ["delivery DATE", "source_file INTEGER", "source_row BIGINT", "broken BIGINT"]
    engine.execute(f"CREATE TABLE {staging.raw} ({', '.join(columns)})")


def insert_statement(staging: Staging, scan: Scan, feed: Feed, source_file: int) -> str:
    """The one statement that reads a feed, types it, links it to a person and judges every row."""
    contract = staging.contract
    cleaned = [f"{_cleaned(column, scan)} AS {quoted(f'given_{column.name}')}" for column in contract.columns]
    typed = [f"{_typed(column)} AS {quoted(column.name)}" for column in contract.columns]
    given = [quoted(f"given_{column.name}") for column in contract.columns if column.type != "text"]
    join, person = "", ""
    if staging.has_person:
        join = f" LEFT JOIN {IDENTITY}.numbers AS numbers ON numbers.nhs_number = typed.nhs_number"
        person = ", numbers.person AS person"
    broken = " + ".join(
        f"CASE WHEN {_failing(rule, contract)} THEN {1 << place} ELSE 0 END"
        for place, rule in enumerate(contract.rules)
    )
    chosen = [_staged_value(column, contract) for column in staging.kept_columns]
    chosen.append("COALESCE(deleted, FALSE)" if contract.has_deleted else "FALSE")
    chosen.append("person" if staging.has_person else "NULL")
    stranger = "CASE WHEN person IS NULL THEN person_key(nhs_number) END"
    chosen.append(stranger if staging.is_keyed_by_person else "NULL")
    chosen += [f"DATE '{feed.delivery}'", str(source_file), "source_row", f"CAST({broken or '0'} AS BIGINT)"]
    return (
        f"INSERT INTO {staging.raw} WITH source AS ({scan.select}), "
        f"cleaned AS (SELECT {', '.join(cleaned)}, source_row FROM source), "
        f"typed AS (SELECT {', '.join(typed + given)}, source_row FROM cleaned), "
        f"linked AS (SELECT typed.*{person} FROM typed{join}) "
        f"SELECT {', '.join(chosen)} FROM linked"
    )


def _cleaned(column: Column, scan: Scan) -> str:
    if column.name not in scan.columns:
        return "CAST(NULL AS VARCHAR)"
    if column.identifier:
        return f"normalised_nhs_number({quoted(column.name)})"
    return f"NULLIF(trim(CAST({quoted(column.name)} AS VARCHAR)), '')"


def _typed(column: Column) -> str:
    given = quoted(f"given_{column.name}")
    if column.type == "text":
        return given
    cast = f"TRY_CAST({given} AS {column.sql_type})"
    if column.type == "integer":  # a cast would round 1.5 and take 0x1F and 1e2
        return f"CASE WHEN regexp_full_match({given}, '-?[0-9]+([.]0+)?') THEN {cast} END"
    if column.type in ("date", "timestamp"):
        return (  # a cast would take words such as epoch
            f"CASE WHEN regexp_matches({given}, '^[0-9]') AND "
            f"{cast} BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}' THEN {cast} END"
        )
    if column.type == "number":
        return f"CASE WHEN isfinite({cast}) THEN {cast} END"
    return cast


def _failing(rule: Rule, contract: Contract) -> str:
    column = next((column for column in contract.columns if column.name == rule.column), None)
    if column is None or column.type == "text":
        return f"({rule.sql})"
    unreadable = f"({quoted(f'given_{column.name}')} IS NOT NULL AND {quoted(column.name)} IS NULL)"
    if rule.kind == "type":
        # A row that the supplier deleted needs its key only.
        spared = contract.has_deleted and not column.key and column.name != "deleted"
        return f"({unreadable} AND NOT COALESCE(deleted, FALSE))" if spared else unreadable
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


def settle_versions(engine: DuckDBEngine, staging: Staging, as_of: date) -> None:
    """Decide for every row whether it is accepted, quarantined, a duplicate, superseded or deleted.

    Among valid rows of one key the latest wins: by delivery, then recorded_date, then file and row; a version that
    was recorded on or after as_of is not known yet and never replaces one that is. Losers equal to the winner are
    exact duplicates. A winner that is marked deleted takes its key with it.
    """
    keys = ", ".join(quoted(name) for name in staging.key_columns)
    quarantine = staging.mask_of("quarantine")
    content = ", ".join(
        ["person", "stranger", "deleted", *(quoted(column.name) for column in staging.kept_columns)]
    )
    recorded_date = staging.contract.recorded_date
    recorded = quoted(recorded_date) if recorded_date else "CAST(NULL AS DATE)"
    valid = f"(SELECT * FROM {staging.raw} WHERE broken & {quarantine} = 0)"
    # One table, looked up three times: as a CTE DuckDB would keep every valid row in memory.
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated_keys AS SELECT hash({keys}) AS key_hash "
        f"FROM {staging.raw} WHERE broken & {quarantine} = 0 GROUP BY ALL HAVING count(*) > 1"
    )
    engine.execute(
        f"CREATE TABLE {staging.judged} AS "
        "WITH contested AS (SELECT source_file, source_row, deleted, row_number() OVER versions AS version, "
        f"row({content}) IS NOT DISTINCT FROM first_value(row({content})) OVER versions AS is_same "
        f"FROM {valid} AS valid SEMI JOIN repeated_keys ON repeated_keys.key_hash = hash({keys}) "
        f"WINDOW versions AS (PARTITION BY {keys} ORDER BY COALESCE({recorded} < DATE '{as_of}', TRUE) DESC, "
        f"delivery DESC, {recorded} DESC NULLS LAST, source_file DESC, source_row DESC)) "
        "SELECT source_file, source_row, CASE WHEN version = 1 THEN 'deleted' WHEN is_same THEN 'duplicates' "
        "ELSE 'superseded' END AS status FROM contested WHERE version > 1 OR deleted "
        f"UNION ALL SELECT source_file, source_row, 'deleted' FROM {valid} AS valid "
        f"ANTI JOIN repeated_keys ON repeated_keys.key_hash = hash({keys}) WHERE deleted "
        f"UNION ALL SELECT source_file, source_row, 'quarantined' FROM {staging.raw} "
        f"WHERE broken & {quarantine} <> 0"
    )


def keep_accepted(engine: DuckDBEngine, staging: Staging) -> None:
    """Make the staged table, named as the extract, of the accepted rows; the incoming rows are dropped."""
    columns = (["person"] if staging.has_person else []) + [
        quoted(column.name) for column in staging.kept_columns
    ]
    engine.execute(
        f"CREATE TABLE {quoted(staging.contract.name)} AS SELECT {', '.join(columns)} FROM {staging.raw} AS incoming "
        f"ANTI JOIN {staging.judged} AS judged USING (source_file, source_row)"
    )
    engine.execute(f"DROP TABLE {staging.raw}")
    engine.execute(f"DROP TABLE {staging.judged}")


def create_absent(engine: DuckDBEngine, contract: Contract) -> None:
    """Make the empty staged table of an optional extract that was not delivered."""
    staging = Staging(contract)
    columns = ["person BIGINT"] if staging.has_person else []
    columns += [f"{quoted(column.name)} {column.sql_type}" for column in staging.kept_columns]
    engine.execute(f"CREATE TABLE {quoted(contract.name)} ({', '.join(columns)})")
