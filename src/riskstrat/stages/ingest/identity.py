"""NHS numbers become dense integers before anything is staged; only an in-memory database ever holds them.

The private columns of the register (names, postcode) lie in the same database, on their way to the vault.

Source: project rules, People (modulus 11, ten equal digits refused); project interfaces, Person key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.erased import ErasedPeople
from riskstrat.keys import hmac_pads
from riskstrat.sqltext import quoted
from riskstrat.stages.ingest.places import place_in

if TYPE_CHECKING:
    import pyarrow as pa

IDENTITY = "identity"
PLACE = "place_on_register"
REGISTER_ROW, PRIVATE_ROWS = "register_row", f"{IDENTITY}.private_rows"
LEAST_OF_TEN_DIGITS = 1_000_000_000
NOBODY = -1


def open_identity(engine: DuckDBEngine, key: bytes) -> None:
    """Attach the in-memory database and make the SQL macros on NHS numbers and the person key."""
    engine.execute(f"ATTACH ':memory:' AS {IDENTITY}")
    # A supplier's file is read past the tables that it is joined to, never the other way round: DuckDB does not know
    # how long it is.
    engine.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    engine.execute(  # ten characters are a number as it should be written, or no number at all
        r"CREATE TEMP MACRO normalised_nhs_number(given) AS CASE WHEN strlen(given) = 10 THEN given "
        r"ELSE NULLIF(regexp_replace(given, '[\s-]', '', 'g'), '') END"
    )
    weighted = " + ".join(
        f"TRY_CAST(substr(number, {place}, 1) AS INTEGER) * {11 - place}" for place in range(1, 10)
    )
    engine.execute(
        "CREATE TEMP MACRO is_valid_nhs_number(number) AS COALESCE("
        "regexp_full_match(number, '[0-9]{10}') AND number <> repeat(substr(number, 1, 1), 10) AND "
        f"(11 - ({weighted}) % 11) % 11 = TRY_CAST(substr(number, 10, 1) AS INTEGER), FALSE)"
    )
    _set_pads(engine, key)
    engine.execute(
        "CREATE TEMP MACRO person_key(number) AS substr(sha256(getvariable('outer_pad') || "
        "unhex(sha256(getvariable('inner_pad') || encode(number)))), 1, 32)"
    )
    engine.execute(f"CREATE TABLE {IDENTITY}.numbers (nhs_number VARCHAR, person BIGINT, person_id VARCHAR)")


def _set_pads(engine: DuckDBEngine, key: bytes) -> None:
    """Let ``person_key`` hash with this key."""
    inner, outer = hmac_pads(key)
    # Variables and not a table: a statement that reads a table beside the file may write its rows in any order.
    engine.execute(
        f"CREATE TABLE {IDENTITY}.pads AS SELECT CAST($inner AS BLOB) AS inner_pad, CAST($outer AS BLOB) AS outer_pad",
        {"inner": inner, "outer": outer},
    )
    for name in ("inner_pad", "outer_pad"):
        engine.execute(f"SET VARIABLE {name} = (SELECT {name} FROM {IDENTITY}.pads)")
    engine.execute(f"DROP TABLE {IDENTITY}.pads")


def find_erased(engine: DuckDBEngine, erased: ErasedPeople | None) -> None:
    """Leave ``erased_people`` (person): those whom the site was told to erase, and suppliers still send.

    From here on ``person_key`` makes their hashes and no person key.
    """
    engine.execute("CREATE TABLE erased_people (person BIGINT)")
    if erased is None:
        return
    _set_pads(engine, erased.key)
    engine.load("erased_hashes", (("hash", "VARCHAR"),), [(one,) for one in sorted(erased.hashes)])
    engine.execute(
        f"INSERT INTO erased_people SELECT person FROM {IDENTITY}.numbers "
        "WHERE person_key(nhs_number) IN (SELECT hash FROM erased_hashes) ORDER BY person"
    )
    engine.execute("DROP TABLE erased_hashes")


def register_people(engine: DuckDBEngine, selects: list[str]) -> None:
    """Give every valid NHS number of ``selects`` (one column, nhs_number) a dense ``person`` and a ``person_id``.

    Leaves the macro ``person_of(number)``, NULL for a number that nobody has. It calls a function and joins nothing,
    because a statement that joins is free to write its rows in any order, and the order tells which line of the file a
    row was.
    """
    union = " UNION ALL ".join(f"({select})" for select in selects)
    # Numbering takes one thread, hashing all of them: so one after the other.
    engine.execute(
        f"CREATE TABLE {IDENTITY}.numbered AS WITH given AS ("
        f"SELECT DISTINCT normalised_nhs_number(nhs_number) AS nhs_number FROM ({union})), "
        "valid AS (SELECT nhs_number FROM given WHERE is_valid_nhs_number(nhs_number)) "
        "SELECT nhs_number, row_number() OVER (ORDER BY nhs_number) AS person FROM valid"
    )
    engine.execute(
        f"INSERT INTO {IDENTITY}.numbers SELECT nhs_number, person, person_key(nhs_number) FROM {IDENTITY}.numbered"
    )
    engine.execute(f"DROP TABLE {IDENTITY}.numbered")
    numbers = engine.arrays(
        f"SELECT CAST(nhs_number AS BIGINT) AS number FROM {IDENTITY}.numbers ORDER BY person"
    )
    engine.add_function(PLACE, "BIGINT", "BIGINT", place_in(numbers["number"]))
    # Ten characters that make an integer of ten digits are those digits, unless they hold an exponent or are
    # hexadecimal, which begins with 0.
    engine.execute(
        f"CREATE TEMP MACRO person_of(number) AS {PLACE}(CASE WHEN strlen(number) = 10 AND "
        f"(TRY_CAST(number AS BIGINT) >= {LEAST_OF_TEN_DIGITS} AND number >= '1' AND NOT contains(number, 'e') AND NOT "
        "contains(number, 'E') OR regexp_full_match(number, '[0-9]{10}')) "
        f"THEN CAST(number AS BIGINT) ELSE {NOBODY} END)"
    )


def keep_private(engine: DuckDBEngine, accepted: str, columns: Sequence[str]) -> None:
    """Keep the private ``columns`` of the register's ``accepted`` rows under their ``register_row``; drop the rest."""
    listed = ", ".join(["person", f"rowid AS {REGISTER_ROW}", *(quoted(name) for name in columns)])
    engine.execute(
        f"CREATE OR REPLACE TABLE {PRIVATE_ROWS} AS SELECT {listed} FROM {accepted} WHERE person IS NOT NULL"
    )
    engine.execute(f"DROP TABLE {accepted}")


def read_identities(engine: DuckDBEngine) -> pa.Table:
    """Every accepted row of the register in the order of ``register_row``: person_id, nhs_number, private columns.

    An Arrow table lies in this process's memory, out of the database's reach when that begins to spill.
    """
    return engine.connection.sql(
        f"SELECT private_rows.{REGISTER_ROW}, numbers.person_id, numbers.nhs_number, "
        f"private_rows.* EXCLUDE (person, {REGISTER_ROW}) FROM {PRIVATE_ROWS} AS private_rows "
        f"JOIN {IDENTITY}.numbers AS numbers ON numbers.person = private_rows.person ORDER BY 1"
    ).to_arrow_table()


def close_identity(engine: DuckDBEngine) -> None:
    """Keep person and person_id, and let the NHS numbers go."""
    engine.execute(
        f"CREATE TABLE person_keys AS SELECT person, person_id FROM {IDENTITY}.numbers ORDER BY person"
    )
    engine.remove_function(PLACE)
    for name in ("inner_pad", "outer_pad"):
        engine.execute(f"RESET VARIABLE {name}")
    engine.execute("DROP MACRO person_of")
    engine.execute(f"DETACH {IDENTITY}")


def number_synthetic_people(engine: DuckDBEngine, selects: list[str]) -> None:
    """Leave ``synthetic_numbers``: a number of the 999 range for each distinct ``source_id`` of ``selects``.

    For synthetic data sets only, which have no NHS number: the sorted identifiers take the valid numbers in order.
    """
    engine.execute(
        f"CREATE OR REPLACE TABLE {IDENTITY}.synthetic_numbers AS "
        f"WITH sources AS (SELECT source_id, row_number() OVER (ORDER BY source_id) AS place FROM "
        f"(SELECT DISTINCT source_id FROM ({' UNION ALL '.join(selects)}) WHERE source_id IS NOT NULL)), "
        "stems AS (SELECT '999' || lpad(CAST(stem AS VARCHAR), 6, '0') AS stem FROM range(1000000) AS stems(stem)), "
        "numbers AS (SELECT stem || CAST(digit AS VARCHAR) AS nhs_number FROM stems, range(10) AS digits(digit) "
        "WHERE is_valid_nhs_number(stem || CAST(digit AS VARCHAR)) LIMIT (SELECT count(*) FROM sources)), "
        "placed AS (SELECT nhs_number, row_number() OVER (ORDER BY nhs_number) AS place FROM numbers) "
        "SELECT sources.source_id, placed.nhs_number FROM sources JOIN placed ON placed.place = sources.place"
    )
