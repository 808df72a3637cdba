"""A site whose latest run was published for the people of the benchmark: the files that cohort commands read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.cohorts.features import feature_table
from benchmarks.cohorts.people import AS_OF, People
from benchmarks.cohorts.question import COHORT, INCLUDE, REASONS
from riskstrat import __version__
from riskstrat.definitions.contracts import load_contract
from riskstrat.language import compile_expression
from riskstrat.site import load_site, write_default_site
from riskstrat.sqltext import literal

RUN = f"{AS_OF:%Y%m%d}-0be9c4a1"
# As riskstrat writes the files of a run.
WRITTEN = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"


def write_published_run(root: Path, people: People, seed: int) -> Path:
    """Write a fresh site into ``root`` with one published run; returns the run's folder."""
    write_default_site(root)
    site = load_site(root)
    folder = site.output / "runs" / RUN
    (folder / "cohorts").mkdir(parents=True)
    columns = load_contract(site.data_contracts / "features.yaml").columns
    types = {column.name: column.sql_type for column in columns}
    with duckdb.connect(config={"threads": 2}) as database:
        _write_tables(database, folder, feature_table(people, columns, seed))
        counts = _write_cohort(database, folder, types)
    manifest = _manifest(len(people), counts)
    manifest["files"] = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")
    (site.output / "latest").symlink_to(Path("runs") / RUN)
    return folder


def _write_tables(database: duckdb.DuckDBPyConnection, folder: Path, features: pa.Table) -> None:
    database.register("made", features)
    database.execute("CREATE TABLE features AS SELECT * FROM made ORDER BY person_id")
    database.execute(
        "CREATE TABLE scores AS SELECT person_id, CAST(10000 * unplanned_admissions_12m + age AS BIGINT) AS score, "
        "CAST(10000 * unplanned_admissions_12m AS BIGINT) AS unplanned_admissions_points, "
        "CAST(age AS BIGINT) AS age_points FROM features ORDER BY person_id"
    )
    for table in ("features", "scores"):
        path = literal(str(folder / f"{table}.parquet"))
        database.execute(f"COPY (SELECT * FROM {table} ORDER BY person_id) TO {path} ({WRITTEN})")


def _write_cohort(database: duckdb.DuckDBPyConnection, folder: Path, types: dict[str, str]) -> dict[str, int]:
    """The members of the cohort and its compiled definition; returns members and people who cannot be decided."""
    rules = [compile_expression(rule, types).sql for rule in INCLUDE]
    decided = " AND ".join(f"COALESCE(({rule}), FALSE)" for rule in rules)
    possible = " AND ".join(f"COALESCE(({rule}), TRUE)" for rule in rules)
    unknown = " OR ".join(f"({rule}) IS NULL" for rule in rules)
    path = literal(str(folder / "cohorts" / f"{COHORT}.parquet"))
    database.execute(
        f"COPY (SELECT person_id, CAST(row_number() OVER (ORDER BY score DESC, person_id) AS INTEGER) AS rank, score, "
        "CAST(unplanned_admissions_12m AS VARCHAR) || ' unplanned admissions in 12 months' AS reasons, "
        "CAST(NULL AS VARCHAR) AS gaps, FALSE AS is_manual_addition "
        f"FROM features JOIN scores USING (person_id) WHERE {decided} ORDER BY rank) TO {path} ({WRITTEN})"
    )
    (folder / "cohorts" / f"{COHORT}.json").write_text(
        json.dumps(_compiled(rules, types), indent=2), encoding="utf-8"
    )
    found = database.execute(
        f"SELECT count(*) FILTER (WHERE {decided}), count(*) FILTER (WHERE {possible} AND ({unknown})) FROM features"
    ).fetchall()
    return {"people": found[0][0], "undecided": found[0][1]}


def _compiled(rules: list[str], types: dict[str, str]) -> dict[str, Any]:
    """What a run says of the cohort's definition, in the shape that its commands read."""
    include = [
        {"text": text, "sql": sql, "columns": [name for name in types if name in text.split()]}
        for text, sql in zip(INCLUDE, rules, strict=True)
    ]
    return {
        "name": COHORT,
        "title": "Frail people with repeated unplanned admissions",
        "why": "The question that the benchmark asks.",
        "source": "the benchmark",
        "cadence": "weekly",
        "capacity": None,
        "top_n": None,
        "include": include,
        "exclude": [],
        "gaps": [],
        "rank_by": ["risk_score DESC", "person_id"],
        "rank_sql": '"risk_score" DESC NULLS LAST, "person_id" ASC NULLS LAST',
        "reasons": list(REASONS),
        "columns": [],
        "requires": {"extracts": [], "legal_basis": []},
        "manual_additions": False,
        "review": {"author": "riskstrat", "signed_off_by": None, "next_review": "2027-04-01"},
        "undecidable": None,
        "sha256": hashlib.sha256("\n".join(INCLUDE).encode()).hexdigest(),
    }


def _manifest(people: int, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "run": RUN,
        "as_of": AS_OF.isoformat(),
        "engine": f"duckdb {duckdb.__version__}",
        "code_version": __version__,
        "inputs": {},
        "definitions": {},
        "extracts": {},
        "conservation": {},
        "population": {"steps": [{"step": "in the population", "people": people}]},
        "unknown_features": {},
        "cohorts": {COHORT: counts["people"]},
        "cohorts_undecided": {COHORT: counts["undecided"]},
        "neighbourhoods": {},
        "warnings": [],
        "timings": {},
    }
