"""Rows that are kept for later nights, and rows that an earlier night kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from riskstrat.definitions.contracts import Column
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.ingest.accounting import SourceFile
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.entries import PEOPLE, ROWS, Entry, seal_entry
from riskstrat.stages.ingest.memory import Memory
from riskstrat.stages.ingest.pseudonyms import (
    PERSON_AT,
    PLACE_OF_PERSON,
    PLACE_OF_STRANGER,
    Listed,
    Pseudonyms,
    as_pseudonyms,
    persons_at,
    places_in,
)
from riskstrat.stages.ingest.quarantine import shown
from riskstrat.stages.ingest.staging import Staging

PLACE, PSEUDONYM = "place", "pseudonym"
POSITIONS = ("source_row", "source_order")


@dataclass(frozen=True)
class ReadFeed:
    """A feed that is in the table of incoming rows under ``number``; ``is_fresh`` unless its rows were remembered.

    ``entry`` is the name under which what it left may be kept, ``left_out`` how many lines a filter left out.
    """

    number: int
    feed: Feed
    file: SourceFile
    left_out: int | None
    entry: str | None
    is_fresh: bool


def load_entry(
    engine: DuckDBEngine, staging: Staging, entry: Entry, number: int, memory: Memory
) -> int | None:
    """Add the rows of an entry to the incoming table; how many, or None where the entry cannot be read after all."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    rows = entry.folder / ROWS
    try:
        stored = set(pq.read_schema(rows).names)
        known = as_pseudonyms(pq.read_table(entry.folder / PEOPLE)[PSEUDONYM])
        values = {
            "person": f"{PERSON_AT}({PLACE})",
            "stranger": "NULL",
            "source_file": str(number),
            **{name: name if name in stored else "NULL" for name in POSITIONS},
        }
        listed = ", ".join(values.get(name, name) for name, _ in staging.columns)
        with persons_at(engine, memory.people(engine).persons_of(known)):
            inserted = engine.execute(
                f"INSERT INTO {staging.raw} SELECT {listed} FROM read_parquet({literal(str(rows))})"
            )
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, ArrowException, OSError, ValueError, KeyError):
        memory.forget(entry.folder.name)
        return None
    memory.use(entry)
    return int(inserted[0][0])


def keep_feeds(engine: DuckDBEngine, staging: Staging, feeds: Sequence[ReadFeed], memory: Memory) -> None:
    """Write an entry for every feed that was read tonight and of which one may be kept."""
    for feed in feeds:
        if not feed.is_fresh or feed.entry is None or memory.is_given_up:
            continue
        if _cannot_be_shown(engine, staging, feed.number):
            memory.passed_over += 1
            continue
        folder = memory.begin(feed.entry)
        if folder is None:
            continue
        try:
            _write(engine, staging, feed.number, folder, memory.people(engine))
            seal_entry(
                folder,
                memory.key,
                delivery=feed.feed.delivery,
                rejects=feed.file.rejects,
                left_out=feed.left_out,
            )
        except (duckdb.IOException, duckdb.OutOfMemoryException, OSError):
            memory.give_up()


def _cannot_be_shown(engine: DuckDBEngine, staging: Staging, number: int) -> bool:
    """Whether a quarantined row has a key that may not be written down: tomorrow could not compare it.

    Of a quarantined row nothing is kept that the file of quarantined rows would not show. For its other columns that
    changes nothing, as they serve for nothing else.
    """
    hidden = [
        f"{quoted(name)} IS DISTINCT FROM {shown(column, staging.contract)}"
        for name, column in staging.own_keys.items()
    ]
    if not hidden:
        return False
    found = engine.rows(
        f"SELECT 1 FROM {staging.raw} WHERE {staging.of_file(number)} AND {_is_quarantined(staging)} "
        f"AND ({' OR '.join(hidden)}) LIMIT 1"
    )
    return bool(found)


def _write(engine: DuckDBEngine, staging: Staging, number: int, folder: Path, known: Pseudonyms) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    listed = _people_of(engine, staging, number, known)
    pq.write_table(
        pa.table({PSEUDONYM: pa.array(listed.pseudonyms, pa.binary()).cast(pa.string())}),
        folder / PEOPLE,
        compression="zstd",
    )
    values = {
        **{quoted(column.name): _kept(column, staging) for column in staging.kept_columns},
        "person": f"CASE WHEN person IS NOT NULL THEN {PLACE_OF_PERSON}(person) "
        f"WHEN stranger IS NOT NULL THEN {PLACE_OF_STRANGER}(stranger) END AS {PLACE}",
    }
    left = ("stranger", "source_file")
    columns = ", ".join(values.get(name, name) for name, _ in staging.columns if name not in left)
    with places_in(engine, listed):
        engine.execute(  # a night writes it once and later ones read it: packing it tighter costs both of them more
            f"COPY (SELECT {columns} FROM {staging.raw} WHERE {staging.of_file(number)}) "
            f"TO {literal(str(folder / ROWS))} (FORMAT parquet, COMPRESSION snappy)"
        )


def _people_of(engine: DuckDBEngine, staging: Staging, number: int, known: Pseudonyms) -> Listed:
    """Everybody in a feed, on the register or not."""
    where = f"FROM {staging.raw} WHERE {staging.of_file(number)} AND"
    persons = engine.arrays(f"SELECT DISTINCT person {where} person IS NOT NULL")["person"]
    strangers = engine.connection.sql(
        f"SELECT DISTINCT stranger {where} stranger IS NOT NULL"
    ).to_arrow_table()["stranger"]
    return known.listed(persons, as_pseudonyms(strangers))


def _kept(column: Column, staging: Staging) -> str:
    """What is written of a column: of a quarantined row no more than the file of quarantined rows shows."""
    name, masked = quoted(column.name), shown(column, staging.contract)
    if masked == name or column.name in staging.own_keys:
        return name
    return f"CASE WHEN {_is_quarantined(staging)} THEN {masked} ELSE {name} END AS {name}"


def _is_quarantined(staging: Staging) -> str:
    return f"broken & {staging.mask_of('quarantine')} <> 0"
