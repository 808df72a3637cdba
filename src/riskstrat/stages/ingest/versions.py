"""Versions that later deliveries replaced, kept apart: a day before as_of knew one of them, not today's."""

from __future__ import annotations

from datetime import date

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import quoted
from riskstrat.stages.ingest.staging import Staging

MAIN, PREFIX, FIRST_KEY = "main", "versions_", "key_0"


def set_versions_apart(engine: DuckDBEngine, staging: Staging) -> bool:
    """Move every valid version of a row that was corrected or deleted to ``versions_EXTRACT``, today's among them.

    The rows must be judged. Accepted ones that are moved are marked, so that they go with those that are not accepted.
    Returns whether there are any.
    """
    name = staging.contract.name
    keys = staging.version_key
    numbered = ", ".join(f"{key} AS key_{place}" for place, key in enumerate(keys))
    recorded = staging.contract.recorded_date
    columns = [
        *(["person"] if staging.has_person else []),
        *(quoted(one.name) for one in staging.kept_columns),
    ]
    key_hash = f"hash({', '.join(keys)})"
    changed = (
        f"SELECT {key_hash} FROM {staging.raw} WHERE rowid IN "
        f"(SELECT row_id FROM {staging.judged} WHERE status IN ('superseded', 'deleted'))"
    )
    is_wanted = f"broken & {staging.mask_of('quarantine')} = 0 AND {key_hash} IN ({changed})"
    engine.create(
        f"{PREFIX}{name}",
        f"SELECT {', '.join(columns)}, {numbered}, row_id, {staging.is_deleted} AS version_is_deleted, delivery, "
        f"min(delivery) OVER (PARTITION BY {', '.join(keys)}) AS first_delivery, "
        f"{quoted(recorded) if recorded else 'CAST(NULL AS DATE)'} AS version_recorded, "
        f"source_order, file_number, place FROM {staging.located(is_wanted)} AS changed",
    )
    engine.execute(
        f"INSERT INTO {staging.judged} SELECT row_id, 'apart' FROM {quoted(PREFIX + name)} "
        f"WHERE row_id NOT IN (SELECT row_id FROM {staging.judged})"
    )
    if engine.count(f"{PREFIX}{name}"):
        return True
    engine.execute(f"DROP TABLE {quoted(PREFIX + name)}")
    return False


def versioned_extracts(engine: DuckDBEngine) -> list[str]:
    """The extracts of which versions were set apart, in name order."""
    return [
        str(table).removeprefix(PREFIX)
        for (table,) in engine.rows(
            f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{MAIN}' "
            f"AND starts_with(table_name, '{PREFIX}') ORDER BY table_name"
        )
    ]


def show_as_known(engine: DuckDBEngine, extract: str, day: date) -> int:
    """Make the staged view of an extract as a run as of ``day`` had it, in the current schema; count its rows.

    Of the versions of a row the latest counts that was recorded before ``day`` and, unless it is the first that was
    ever delivered, delivered before it: until then an earlier one stood there. Versions are ordered as
    ``settle_versions`` orders them.
    """
    versions, known = f"{MAIN}.{quoted(PREFIX + extract)}", f"known_{extract}"
    raw = f"{MAIN}.{quoted(f'incoming_{extract}')}"
    listed = [str(name) for name, *_ in engine.rows(f"DESCRIBE {versions}")]
    own = ", ".join(quoted(name) for name in listed[: listed.index(FIRST_KEY)])
    keys = ", ".join(name for name in listed if name.startswith("key_"))
    engine.create(
        known,
        f"SELECT {own} FROM (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY delivery DESC, "
        "version_recorded DESC NULLS LAST, source_order DESC NULLS LAST, file_number DESC, place DESC) AS version "
        f"FROM {versions} WHERE COALESCE(version_recorded < DATE '{day}', TRUE) "
        f"AND (delivery = first_delivery OR delivery < DATE '{day}')) WHERE version = 1 AND NOT version_is_deleted",
    )
    engine.define(extract, f"SELECT {own} FROM {raw} UNION ALL SELECT {own} FROM {quoted(known)}")
    return engine.count(extract)
