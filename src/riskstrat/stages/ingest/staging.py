"""One extract's staging: the names, columns and SQL of its table of incoming rows, and the empty tables themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.identity import IDENTITY, REGISTER_ROW

FILES = "incoming_files"
STATUSES = ("accepted", "quarantined", "duplicates", "superseded", "deleted")


@dataclass(frozen=True)
class Staging:
    """Names, columns and SQL of one extract's staging, worked out once from its contract and its feeds.

    ``has_files`` says whether it has several, ``is_numbered`` and ``is_ordered`` whether their rows say their place.
    ``has_strangers`` says whether rows of people on no register have their pseudonym, so that they can be kept.
    The rows of the register (``is_register``) come into the in-memory database, private columns and all; what is
    accepted of them leaves it without these. Columns that every row would have in common are left out: each costs as
    much as a column of the extract.
    """

    contract: Contract
    has_files: bool = False
    is_numbered: bool = False
    is_ordered: bool = False
    is_register: bool = False
    has_strangers: bool = False

    @property
    def raw(self) -> str:
        """The table of rows as they came, typed and judged."""
        name = quoted(f"incoming_{self.contract.name}")
        return f"{IDENTITY}.{name}" if self.is_register else name

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
    def private_columns(self) -> list[Column]:
        """Columns that may be held in memory only, on their way to the vault."""
        return [column for column in self.contract.columns if column.private and self.is_register]

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
    def own_keys(self) -> dict[str, Column]:
        """The columns of the extract's own, by name, that tell whose version a row is."""
        record = self.contract.record_key
        names = dict.fromkeys((*self.contract.key, *([record] if record else [])))
        columns = [self.contract.column(name) for name in names]
        return {column.name: column for column in columns if not column.identifier}

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
        columns = [
            (quoted(column.name), column.sql_type) for column in (*self.kept_columns, *self.private_columns)
        ]
        optional = (
            ("deleted", "BOOLEAN", self.contract.has_deleted),
            ("person", "BIGINT", self.has_person),
            ("stranger", "VARCHAR", self.is_keyed_by_person or (self.has_strangers and self.has_person)),
            ("source_file", "INTEGER", self.has_files),
            ("source_row", "BIGINT", self.is_numbered),
            ("source_order", "BIGINT", self.is_ordered),
        )
        columns += [(name, kind) for name, kind, is_needed in optional if is_needed]
        return [*columns, ("broken", "BIGINT")]

    @property
    def compared_columns(self) -> list[str]:
        """What two versions have in common when one is an exact duplicate of the other."""
        left_out = {
            *("source_file", "source_row", "source_order", "broken"),
            *(quoted(column.name) for column in self.private_columns),
            *(() if self.is_keyed_by_person else ("stranger",)),
        }
        return [name for name, _ in self.columns if name not in left_out]

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

    def of_file(self, number: int) -> str:
        """SQL that is true for the rows of one file."""
        return f"source_file = {number}" if self.has_files else "TRUE"

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


def record_file(engine: DuckDBEngine, staging: Staging, number: int, file: str, delivered: date) -> int:
    """Note the next file before its rows come: they begin after those that are there. Returns their first rowid."""
    first = int(engine.rows(f"SELECT count(*) FROM {staging.raw}")[0][0])
    engine.execute(f"INSERT INTO {FILES} VALUES ({number}, {literal(file)}, DATE '{delivered}', {first})")
    return first


def create_absent(engine: DuckDBEngine, contract: Contract, *, is_register: bool = False) -> None:
    """Make the empty staged table of an optional extract that was not delivered."""
    staging = Staging(contract, is_register=is_register)
    columns = ["person BIGINT"] if staging.has_person else []
    columns += [f"{quoted(column.name)} {column.sql_type}" for column in staging.kept_columns]
    columns += [f"{REGISTER_ROW} BIGINT"] if is_register else []
    engine.execute(f"CREATE TABLE {quoted(contract.name)} ({', '.join(columns)})")
