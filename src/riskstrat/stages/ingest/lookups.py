"""Lookups: the newest version of every key of a supplier's file, over all deliveries that the run may know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from riskstrat.definitions.layouts import Layout, LayoutFile
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import ContractBrokenError
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.deliveries import Deliveries, Feed
from riskstrat.stages.ingest.identity import IDENTITY
from riskstrat.stages.ingest.judging import relative_to
from riskstrat.stages.ingest.reading import run_scan
from riskstrat.stages.ingest.rejects import drop_rejects, refuse_open_quotes
from riskstrat.stages.ingest.scans import lookup_table, supplier_file

MOST_LINES = 10**12  # of one file: lines of later files come after
VERSIONS = f"{IDENTITY}.lookup_versions"


def build_lookups(context: Context, deliveries: Deliveries) -> None:
    """Make the table of every file with a key; one that never came is empty.

    Raises ContractBrokenError where a value that may not change has changed between deliveries.
    """
    for layout in deliveries.layouts.values():
        for file in layout.files.values():
            if file.key:
                _build(context, layout, file, deliveries.supplied.get((layout.name, file.name), ()))


def _build(context: Context, layout: Layout, file: LayoutFile, found: Sequence[tuple[date, Path]]) -> None:
    engine = context.engine
    columns = ", ".join(quoted(name) for name in file.every_column)
    keys = ", ".join(quoted(name) for name in file.key)
    order = f"CAST(({file.order}) AS BIGINT)" if file.order else "CAST(NULL AS BIGINT)"
    engine.execute(
        f"CREATE OR REPLACE TABLE {VERSIONS} AS SELECT *, CAST(NULL AS DATE) AS delivery, "
        "CAST(NULL AS BIGINT) AS place, CAST(NULL AS BIGINT) AS line "
        f"FROM ({supplier_file(layout, file, (), '').select})"
    )
    for number, (delivered, path) in enumerate(found):
        source = supplier_file(layout, file, (path,), "rejects_lookup")
        run_scan(
            engine,
            f"INSERT INTO {VERSIONS} SELECT {columns}, DATE '{delivered}', {order}, "
            f"{number * MOST_LINES} + row_number() OVER () "
            f"FROM ({source.select})",
            Feed(file.name, delivered, path, layout),
            source.pipes,
        )
        unread = (
            engine.rows(f"SELECT count(DISTINCT line), min(line) FROM {source.rejects[0]}")[0]
            if source.rejects
            else (0, None)
        )
        if unread[0]:
            context.warn(
                f"{relative_to(path, context.landing)}, row {unread[1]}: {unread[0]} lines of {file.name} could not be "
                "read, so rows of other files that point to them keep what an earlier delivery said, or nothing."
            )
        refuse_open_quotes(engine, source.rejects, path)
        drop_rejects(engine, source.rejects)
    kept = f"WHERE NOT COALESCE(({file.removed}), FALSE)" if file.removed else ""
    for column in file.unchanging:
        _refuse_changed(engine, file, column, kept, found)
    engine.execute(
        f"CREATE OR REPLACE TABLE {lookup_table(layout, file)} AS SELECT {columns} FROM {VERSIONS} {kept} "
        f"QUALIFY row_number() OVER (PARTITION BY {keys} "
        "ORDER BY delivery DESC, place DESC NULLS LAST, line DESC) = 1"
    )
    engine.execute(f"DROP TABLE {VERSIONS}")


def _refuse_changed(
    engine: DuckDBEngine, file: LayoutFile, column: str, kept: str, found: Sequence[tuple[date, Path]]
) -> None:
    keys = ", ".join(quoted(name) for name in file.key)
    changed = engine.rows(
        f"SELECT count(*), min(changed_on) FROM (SELECT {keys}, max(delivery) AS changed_on FROM {VERSIONS} {kept} "
        f"GROUP BY {keys} HAVING count(DISTINCT {quoted(column)}) > 1)"
    )[0]
    if not changed[0]:
        return
    path = next((path for delivered, path in found if delivered == changed[1]), found[-1][1])
    raise ContractBrokenError(
        f"{changed[0]} codes of this file mean something else than in an earlier delivery.",
        file=path,
        column=column,
        remedy="ask the supplier which meaning is right; rows that were coded before would change theirs.",
    )
