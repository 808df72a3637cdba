"""A folder of SQL is made in the order of its needs, whatever stands in the database already."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder

FILES = {"spells": "SELECT person FROM people", "stays": "SELECT person FROM spells WHERE person > 1"}


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_what_a_table_needs_is_made_anew_in_front_of_what_was_there(tmp_path: Path, kind: str) -> None:
    """An engine that keeps its tables elsewhere leaves views of them; they must not hide what they are called."""
    for name, statement in FILES.items():
        (tmp_path / f"{name}.sql").write_text(statement, encoding="utf-8")
    engine = DuckDBEngine(tmp_path / "run.duckdb", threads=1, memory_limit="1GB")
    engine.load("everybody", (("person", "INTEGER"),), [(1,), (2,)])
    engine.execute("CREATE VIEW people AS SELECT * FROM everybody")
    for name, statement in FILES.items():
        engine.execute(f"CREATE {kind} {name} AS {statement}")
    engine.execute("CREATE SCHEMA other")
    engine.execute("SET search_path = 'other,main'")
    engine.load("people", (("person", "INTEGER"),), [(7,)])
    assert run_sql_folder(engine, tmp_path, only="stays") == ["spells", "stays"]
    assert engine.rows("SELECT person FROM stays") == [(7,)]
    assert engine.rows("SELECT person FROM main.stays") == [(2,)]
    engine.close()
