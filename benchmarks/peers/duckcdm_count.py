"""The question asked of DuckCDM: Circe's JSON to OHDSI SQL to DuckDB's dialect, then run on an OMOP database.

    python duckcdm_count.py COHORT.json CDM.duckdb

These are the steps of the package's own server when it generates a cohort, without the statistics of each rule.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
from duckcdm.circe import build_cohort_query
from duckcdm.sqlrender import render, split_sql, translate

COHORT_TABLE = (
    "CREATE TEMP TABLE cohort (cohort_definition_id INTEGER, subject_id BIGINT, "
    "cohort_start_date DATE, cohort_end_date DATE)"
)

definition, database = sys.argv[1:]
started = time.perf_counter()
sql = build_cohort_query(
    Path(definition).read_text(encoding="utf-8"),
    cdm_schema="main",
    vocabulary_schema="main",
    result_schema="main",
    target_table="cohort",
    cohort_id=1,
    generate_stats=False,
)
statements = [one for one in split_sql(translate(render(sql), "duckdb")) if one.strip()]
translated = time.perf_counter()
connection = duckdb.connect(database, config={"threads": 2})
connection.execute(COHORT_TABLE)
for statement in statements:
    connection.execute(statement)
people = connection.execute("SELECT count(DISTINCT subject_id) FROM cohort").fetchall()[0][0]
ended = time.perf_counter()
print(
    json.dumps(
        {"people": people, "translate_seconds": translated - started, "query_seconds": ended - translated}
    )
)
