"""``cohort sql``: the statement is the one that selects the people."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import sqlglot

from tests.integration.typed import answered

pytestmark = pytest.mark.usefixtures("usual_terminal")

WHERE = "age >= 65 AND (has_copd OR NOT lives_alone) AND medication_review_last_date < months_before(6)"


def ran(site: Path, statement: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The statement's rows, run by plain DuckDB in the run's folder."""
    monkeypatch.chdir(site / "output" / "latest")
    with duckdb.connect() as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize("name", ["luton_core", "care_home_frail", "first_of_area"])
def test_statement_gives_the_members_of_the_run_in_their_order(
    compared_site: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    statement = answered(compared_site, "cohort", "sql", name)
    with duckdb.connect() as connection:
        path = compared_site / "output" / "latest" / "cohorts" / f"{name}.parquet"
        expected = connection.execute(
            f"SELECT person_id, rank FROM read_parquet('{path}') ORDER BY rank"
        ).fetchall()
    assert ran(compared_site, statement, monkeypatch) == expected != []


def test_statement_of_a_condition_gives_the_people_of_the_query(
    compared_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = answered(compared_site, "cohort", "sql", "--where", WHERE)
    assert "DATE" in statement
    asked = ["cohort", "query", "--where", WHERE, "--columns", "person_id", "--format", "json"]
    expected = [(row["person_id"],) for row in json.loads(answered(compared_site, *asked))]
    assert ran(compared_site, statement, monkeypatch) == expected != []


@pytest.mark.parametrize("asked", [["luton_core"], ["first_of_area"], ["--where", WHERE]], ids=str)
def test_statement_for_spark_parses_and_reads_the_same_files_and_columns(
    compared_site: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    spark = answered(compared_site, "cohort", "sql", *asked, "--engine", "spark")
    assert "parquet.`features.parquet`" in spark
    assert "read_parquet" not in spark
    back = sqlglot.transpile(spark, read="spark", write="duckdb")[0]
    back = back.replace('parquet."', '"')  # DuckDB reads a file that stands where a table does
    duck = answered(compared_site, "cohort", "sql", *asked)
    assert ran(compared_site, back, monkeypatch) == ran(compared_site, duck, monkeypatch) != []


def test_statement_of_a_draft_is_that_of_the_definition_as_it_stands(
    compared_site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True))
    path = site / "config" / "cohorts" / "luton_core.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("age >= 65", "age >= 85"), encoding="utf-8")
    drafted = ran(site, answered(site, "cohort", "sql", "luton_core", "--draft"), monkeypatch)
    published = ran(site, answered(site, "cohort", "sql", "luton_core"), monkeypatch)
    assert 0 < len(drafted) < len(published)
    assert f"{len(drafted)}\n" == answered(site, "cohort", "count", "luton_core", "--draft")
