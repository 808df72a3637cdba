"""What becomes of every row: values judged, versions settled, corrections found, and the accepted rows kept."""

from __future__ import annotations

from datetime import date

from riskstrat.definitions.value_checks import BLANKED, VALUE_CHECKS
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import RiskstratError
from riskstrat.sqltext import quoted
from riskstrat.stages.ingest.identity import REGISTER_ROW, keep_private
from riskstrat.stages.ingest.staging import FILES, Staging

MOST_SORTED_AT_ONCE = 40_000_000  # hashes of rows: 0.3 GB


def judge_values(engine: DuckDBEngine, staging: Staging, fresh: str) -> None:
    """Judge the rules on single values, each distinct value once, and mark the rows that hold a failing one.

    Only rows of which the condition ``fresh`` is true: the others were judged before they were kept.
    """
    rules = [(place, rule) for place, rule in enumerate(staging.contract.rules) if rule.judge and rule.column]
    for column, when in dict.fromkeys((str(rule.column), rule.when or "TRUE") for _, rule in rules):
        values = engine.rows(
            f"SELECT DISTINCT {quoted(column)} FROM {staging.raw} WHERE {fresh} AND ({when})"
        )
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
                f"WHERE {fresh} AND ({when}) AND {quoted(column)} IN (SELECT value FROM failing_values)"
            )
            engine.execute("DROP TABLE failing_values")


def settle_versions(engine: DuckDBEngine, staging: Staging, as_of: date) -> None:
    """Decide for every row whether it is accepted, quarantined, a duplicate, superseded or deleted.

    Among valid rows of one key the latest wins: by delivery, then recorded_date, then the supplier's own order, then
    file and row; a version that was recorded on or after as_of is not known yet and never replaces one that is.
    Losers equal to the winner are exact duplicates. A winner that is marked deleted takes its key with it.
    """
    keys = ", ".join(staging.version_key)
    content = ", ".join(staging.compared_columns)
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

    Sorting the hashes takes a fifth of the time and memory of grouping by them. They lie outside the database's own
    memory, so of a long table one part after the other is sorted.
    """
    import numpy as np
    import pyarrow as pa

    key_hash = f"hash({', '.join(staging.version_key)})"
    parts = 1 + int(engine.rows(f"SELECT count(*) FROM {staging.raw}")[0][0]) // MOST_SORTED_AT_ONCE
    repeated = []
    for part in range(parts):
        mine = "TRUE" if parts == 1 else f"{key_hash} % {parts} = {part}"
        found = engine.arrays(f"SELECT {key_hash} AS key_hash FROM {staging.raw} WHERE {is_valid} AND {mine}")
        hashes = np.asarray(found.pop("key_hash"), dtype=np.uint64)
        hashes.sort()
        repeated.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    engine.connection.register("repeated_hashes", pa.table({"key_hash": np.concatenate(repeated)}))
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

    The register becomes a table with ``register_row``; its private columns stay in memory under the same number.
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
    accepted = quoted(staging.contract.name)
    if staging.is_register:
        listed = ", ".join([*columns, f"rowid AS {REGISTER_ROW}"])
        engine.execute(f"CREATE TABLE {accepted} AS SELECT {listed} FROM {staging.raw}")
        keep_private(engine, staging.raw, [column.name for column in staging.private_columns])
    else:
        engine.execute(f"CREATE VIEW {accepted} AS SELECT {', '.join(columns)} FROM {staging.raw}")
    return engine.count(staging.contract.name)
