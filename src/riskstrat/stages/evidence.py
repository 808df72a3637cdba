"""Evidence: the records behind each person's scores, published beside the feature table so that it can be explained."""

from __future__ import annotations

from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context

FOLDER, PUBLISHED, ENDING = "60_evidence", "evidence", "_evidence"
# A reader asks for one person: small groups of rows, in the order of people, are found without reading the others.
# They are whole vectors of DuckDB (2,048 rows).
ROWS_A_GROUP = 20_480


def evidence(context: Context) -> None:
    """Write ``evidence/NAME.parquet`` for every ``NAME_evidence.sql``, sorted by person_id and then by every column."""
    folder = context.building / PUBLISHED
    folder.mkdir()
    statements = context.definitions.pipelines / FOLDER
    read_once = [
        path.stem for path in statements.glob("*.sql")
    ]  # so views: what is published is not stored as well
    for table in run_sql_folder(context.engine, statements, views=read_once):
        name = table.removesuffix(ENDING)
        context.progress.step(f"evidence {name}")
        context.engine.export(
            f"SELECT * FROM {quoted(table)} ORDER BY ALL",
            folder / f"{name}.parquet",
            rows_a_group=ROWS_A_GROUP,
        )
