"""From delivered text to typed rows with a bit for every rule they break, and from those to the staged table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.contracts import Column, Contract, Rule
from riskstrat.definitions.value_checks import BLANKED, VALUE_CHECKS
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import RiskstratError
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.reading import TEXT, Scan

# Outside these a date is a typing error or a supplier's filler, not a day in anybody's record.
EARLIEST, LATEST = "1850-01-01", "9999-12-31"
FILES = "incoming_files"
STATUSES = ("accepted", "quarantined", "duplicates", "superseded", "deleted")


@dataclass(frozen=True)
class Staging:
    """Names, columns and SQL of one extract's staging, worked out once from its contract and its feeds.

    ``has_files`` says whether it has several, ``is_numbered`` and ``is_ordered`` whether their rows say their place.
    Columns that every row would have in common are left out: each costs as much as a column of the extract.
    """

    contract: Contract
    has_files: bool = False
    is_numbered: bool = False
    is_ordered: bool = False

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
        keys = [quoted(name) for name in self.contract.key if not self.contract.column(name).identifier]
        return keys + (["person", "stranger"] if self.is_keyed_by_person else [])

    @property
    def version_key(self) -> list[str]:
        """SQL expressions under which rows are versions of each other: the supplier's record, else the key."""
        record = self.contract.record_key
        if record is None:
            return self.key_columns
        return [
            quoted(record),
            *(f"CASE WHEN {quoted(record)} IS NULL THEN {name} END" for name in self.key_columns),
        ]

    @property
    def has_key(self) -> str:
        """SQL that is true for a row of which it is known whose version it is."""
        keys = [f"{name} IS NOT NULL" for name in self.key_columns if name not in ("person", "stranger")]
        if self.is_keyed_by_person:
            keys.append("COALESCE(CAST(person AS VARCHAR), stranger) IS NOT NULL")
        record = self.contract.record_key
        known = f"({' AND '.join(keys)})"
        return f"({quoted(record)} IS NOT NULL OR {known})" if record else known

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Name and SQL type of every column of the table of incoming rows."""
        columns = [(quoted(column.name), column.sql_type) for column in self.kept_columns]
        optional = (
            ("deleted", "BOOLEAN", self.contract.has_deleted),
            ("person", "BIGINT", self.has_person),
            ("stranger", "VARCHAR", self.is_keyed_by_person),
            ("source_file", "INTEGER", self.has_files),
            ("source_row", "BIGINT", self.is_numbered),
            ("source_order", "BIGINT", self.is_ordered),
        )
        columns += [(name, kind) for name, kind, is_needed in optional if is_needed]
        return [*columns, ("broken", "BIGINT")]

    @property
    def is_deleted(self) -> str:
        """SQL that is true for a row that the supplier withdraws."""
        return "deleted" if self.contract.has_deleted else "FALSE"

    def located(self, condition: str) -> str:
        """A subquery of the incoming rows of a condition, each with where it came from.

        Beside the row's own columns: row_id, file_number, file, delivery, and place among the readable lines of its
        file. A statement without joins keeps rows in the order in which they were read, so that the rowid of a row
        tells its place; rows of any other statement are numbered.
        """
        same_file = "files.file_number = incoming.source_file" if self.has_files else "TRUE"
        place = "incoming.row_id - files.first_row + 1"
        if self.is_numbered:
            place = f"COALESCE(incoming.source_row, {place})"
        order = "" if self.is_ordered else "CAST(NULL AS BIGINT) AS source_order, "
        return (
            f"(SELECT incoming.*, {order}files.file_number, files.file, files.delivery, {place} AS place "
            f"FROM (SELECT *, rowid AS row_id FROM {self.raw} WHERE {condition}) AS incoming "
            f"JOIN {FILES} AS files ON {same_file})"
        )

    def mask_of(self, severity: str) -> int:
        """The bits of all rules of a severity."""
        return sum(1 << place for place, rule in enumerate(self.contract.rules) if rule.severity == severity)


def create_incoming(engine: DuckDBEngine, staging: Staging) -> None:
    """Make the empty tables of an extract: its rows and its files."""
    tables = {
        staging.raw: ", ".join(f"{name} {kind}" for name, kind in staging.columns),
        FILES: "file_number INTEGER, file VARCHAR, delivery DATE, first_row BIGINT",
    }
    for name, columns in tables.items():
        engine.execute(f"DROP TABLE IF EXISTS {name}")
        engine.execute(f"CREATE TABLE {name} ({columns})")


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


def record_file(engine: DuckDBEngine, staging: Staging, number: int, file: str, delivered: date) -> int:
    """Note the next file before its rows come: they begin after those that are there. Returns their first rowid."""
    first = engine.count(staging.raw.strip('"'))
    engine.execute(f"INSERT INTO {FILES} VALUES ({number}, {literal(file)}, DATE '{delivered}', {first})")
    return first


def judge_values(engine: DuckDBEngine, staging: Staging) -> None:
    """Judge the rules on single values, each distinct value once, and mark the rows that hold a failing one."""
    rules = [(place, rule) for place, rule in enumerate(staging.contract.rules) if rule.judge and rule.column]
    for column, when in dict.fromkeys((str(rule.column), rule.when or "TRUE") for _, rule in rules):
        values = engine.rows(f"SELECT DISTINCT {quoted(column)} FROM {staging.raw} WHERE {when}")
        for place, rule in rules:
            if (rule.column, rule.when or "TRUE") != (column, when) or rule.judge is None:
                continue
            failing = [(value,) for (value,) in values if VALUE_CHECKS[rule.judge](value)]
            if not failing:
                continue
            engine.load("failing_values", (("value", "VARCHAR"),), failing)
            blank = f", {quoted(column)} = NULL" if rule.judge in BLANKED else ""
            engine.execute(
                f"UPDATE {staging.raw} SET broken = broken + {1 << place}{blank} "
                f"WHERE {when} AND {quoted(column)} IN (SELECT value FROM failing_values)"
            )
            engine.execute("DROP TABLE failing_values")


def settle_versions(engine: DuckDBEngine, staging: Staging, as_of: date) -> None:
    """Decide for every row whether it is accepted, quarantined, a duplicate, superseded or deleted.

    Among valid rows of one key the latest wins: by delivery, then recorded_date, then the supplier's own order, then
    file and row; a version that was recorded on or after as_of is not known yet and never replaces one that is.
    Losers equal to the winner are exact duplicates. A winner that is marked deleted takes its key with it.
    """
    keys = ", ".join(staging.version_key)
    content = ", ".join(
        name
        for name, _ in staging.columns
        if name not in ("source_file", "source_row", "source_order", "broken")
    )
    recorded_date = staging.contract.recorded_date
    recorded = quoted(recorded_date) if recorded_date else "CAST(NULL AS DATE)"
    is_valid = f"broken & {staging.mask_of('quarantine')} = 0"
    _find_repeated_keys(engine, staging, is_valid)
    is_repeated = f"hash({keys}) IN (SELECT key_hash FROM repeated_keys)"
    deleted = (
        f"UNION ALL SELECT rowid, 'deleted' FROM {staging.raw} WHERE deleted AND {is_valid} AND NOT {is_repeated} "
        if staging.contract.has_deleted
        else ""
    )
    engine.execute(
        f"CREATE TABLE {staging.judged} AS "
        f"WITH contested AS (SELECT row_id, {staging.is_deleted} AS is_deleted, row_number() OVER versions AS version, "
        f"row({content}) IS NOT DISTINCT FROM first_value(row({content})) OVER versions AS is_same "
        f"FROM {staging.located(f'{is_valid} AND {is_repeated}')} AS repeated "
        f"WINDOW versions AS (PARTITION BY {keys} ORDER BY COALESCE({recorded} < DATE '{as_of}', TRUE) DESC, "
        f"delivery DESC, {recorded} DESC NULLS LAST, source_order DESC NULLS LAST, file_number DESC, place DESC)) "
        "SELECT row_id, CASE WHEN version = 1 THEN 'deleted' WHEN is_same THEN 'duplicates' "
        f"ELSE 'superseded' END AS status FROM contested WHERE version > 1 OR is_deleted {deleted}"
        f"UNION ALL SELECT rowid, 'quarantined' FROM {staging.raw} WHERE NOT ({is_valid})"
    )
    engine.execute("DROP TABLE repeated_keys")


def _find_repeated_keys(engine: DuckDBEngine, staging: Staging, is_valid: str) -> None:
    """Leave ``repeated_keys``: hashes of the keys that more than one valid row has.

    Sorting the hashes takes a fifth of the time and memory of grouping by them.
    """
    import numpy as np
    import pyarrow as pa

    keys = ", ".join(staging.version_key)
    found = engine.arrays(f"SELECT hash({keys}) AS key_hash FROM {staging.raw} WHERE {is_valid}")
    hashes = np.sort(np.asarray(found["key_hash"], dtype=np.uint64))
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    engine.connection.register("repeated_hashes", pa.table({"key_hash": repeated}))
    engine.execute("CREATE OR REPLACE TEMP TABLE repeated_keys AS SELECT key_hash FROM repeated_hashes")
    engine.connection.unregister("repeated_hashes")


def find_corrected(engine: DuckDBEngine, staging: Staging) -> None:
    """Leave ``corrected``: quarantined rows (row_id) whose key arrived sound in a later delivery."""
    engine.execute("DROP TABLE IF EXISTS corrected")
    engine.execute("CREATE TEMP TABLE corrected (row_id BIGINT, corrected_on DATE)")
    quarantined = f"broken & {staging.mask_of('quarantine')} <> 0"
    if engine.rows(f"SELECT count(DISTINCT delivery) < 2 FROM {FILES}")[0][0]:
        return
    if not engine.rows(f"SELECT 1 FROM {staging.raw} WHERE {quarantined} LIMIT 1"):
        return
    keys = ", ".join(f"{name} AS key_{place}" for place, name in enumerate(staging.version_key))
    same = " AND ".join(
        f"sound.key_{place} IS NOT DISTINCT FROM unsound.key_{place}"
        for place in range(len(staging.version_key))
    )
    engine.execute(
        "INSERT INTO corrected WITH unsound AS ("
        f"SELECT row_id, delivery, {keys} FROM {staging.located(f'{quarantined} AND {staging.has_key}')}), "
        f"sound AS (SELECT delivery, {keys} FROM {staging.located(f'NOT ({quarantined})')}) "
        f"SELECT unsound.row_id, min(sound.delivery) FROM sound JOIN unsound ON {same} "
        "WHERE sound.delivery > unsound.delivery GROUP BY unsound.row_id"
    )


def keep_accepted(engine: DuckDBEngine, staging: Staging) -> int:
    """Make the staged view, named as the extract, of the accepted rows, the others being deleted; count them.

    Raises RiskstratError where a decided row is not there, or was decided twice.
    """
    columns = (["person"] if staging.has_person else []) + [
        quoted(column.name) for column in staging.kept_columns
    ]
    decided = engine.count(staging.judged.strip('"'))
    ((removed,),) = engine.execute(
        f"DELETE FROM {staging.raw} WHERE rowid IN (SELECT row_id FROM {staging.judged})"
    )
    if removed != decided:
        raise RiskstratError(
            f"{decided} rows of {staging.contract.name} were decided upon and {removed} were there.",
            remedy="this is a fault of riskstrat, not of the data; please report it.",
        )
    for table in (staging.judged, FILES):
        engine.execute(f"DROP TABLE {table}")
    engine.execute(
        f"CREATE VIEW {quoted(staging.contract.name)} AS SELECT {', '.join(columns)} FROM {staging.raw}"
    )
    return engine.count(staging.contract.name)


def create_absent(engine: DuckDBEngine, contract: Contract) -> None:
    """Make the empty staged table of an optional extract that was not delivered."""
    staging = Staging(contract)
    columns = ["person BIGINT"] if staging.has_person else []
    columns += [f"{quoted(column.name)} {column.sql_type}" for column in staging.kept_columns]
    engine.execute(f"CREATE TABLE {quoted(contract.name)} ({', '.join(columns)})")
