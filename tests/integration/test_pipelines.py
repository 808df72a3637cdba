"""Every SQL file of pipelines/ binds and runs on an empty database, and keeps the house's form."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from riskstrat.dates import Windows
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.model_outcome import FILE, load_outcome
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.errors import DefinitionError
from riskstrat.model.landmarks import FRAME_PEOPLE, FRAME_PEOPLE_COLUMNS
from riskstrat.site import default_site
from riskstrat.stages.ingest.identity import find_erased
from riskstrat.stages.ingest.knowledge import load_knowledge
from riskstrat.stages.ingest.staging import create_absent
from riskstrat.stages.lists.knowing import load_returns
from riskstrat.stages.outcomes import load_landmarks

PIPELINES = default_site() / "pipelines"
FILES = sorted(PIPELINES.rglob("*.sql"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> DuckDBEngine:
    """All tables of a run on which no extract has a row."""
    engine = DuckDBEngine(tmp_path_factory.mktemp("empty") / "run.duckdb", threads=1, memory_limit="1GB")
    definitions = load_definitions(default_site())
    load_knowledge(engine, definitions, Windows.ending_before(date(2026, 4, 1)))
    for name in definitions.extract_names:
        is_register = name == definitions.register_extract
        create_absent(engine, definitions.contracts[name], is_register=is_register)
    engine.load(
        "extract_status",
        (("extract", "VARCHAR"), ("is_present", "BOOLEAN")),
        [(name, True) for name in definitions.extract_names],
    )
    engine.load("person_keys", (("person", "BIGINT"), ("person_id", "VARCHAR")), [])
    find_erased(engine, None)
    # what the stage of the lists finds out first
    load_returns(engine, None)
    engine.load("list_candidates", (("person", "BIGINT"),), [])
    engine.load("list_settling_services", (("question", "INTEGER"), ("referred_to", "VARCHAR")), [])
    engine.load("list_score_extracts", (("extract", "VARCHAR"),), [])
    # and what a landmark frame says first
    engine.load(FRAME_PEOPLE, FRAME_PEOPLE_COLUMNS, [])
    outcome = load_outcome(default_site() / "config" / FILE)
    load_landmarks(engine, outcome, [(date(2025, 4, 1), outcome.main)])
    for folder in sorted(path for path in PIPELINES.iterdir() if path.is_dir()):
        run_sql_folder(engine, folder)
    return engine


def test_every_file_makes_its_table(empty: DuckDBEngine):
    made = {name for (name,) in empty.rows("SELECT table_name FROM duckdb_tables()")}
    assert {path.stem for path in FILES} <= made


def test_feature_table_of_nobody_has_every_column_of_its_contract(empty: DuckDBEngine):
    contract = load_definitions(default_site()).contracts["features"]
    assert [(name, kind) for name, kind, *_ in empty.rows("DESCRIBE features")] == [
        (column.name, column.sql_type) for column in contract.columns
    ]
    assert empty.count("features") == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_says_what_it_means_and_names_its_columns(path: Path):
    text = path.read_text()
    header = [line for line in text.splitlines() if line.startswith("--")]
    for part in ("Meaning:", "Grain:", "Missing:", "Source:"):
        assert any(part in line for line in header), part
    statement = re.sub(r"--.*", "", text)
    assert not re.search(r"SELECT\s+\*", statement)
    assert not re.search(r"\bAS\s+[a-z]\b", statement)
    assert len(text.splitlines()) <= 140


def test_files_that_need_each_other_in_a_circle_are_refused(tmp_path: Path):
    (tmp_path / "one.sql").write_text("SELECT 1 AS a FROM two")
    (tmp_path / "two.sql").write_text("SELECT 1 AS a FROM one")
    engine = DuckDBEngine(tmp_path / "x.duckdb", threads=1, memory_limit="1GB")
    with pytest.raises(DefinitionError, match="circle: one, two"):
        run_sql_folder(engine, tmp_path)


# Functions that run elsewhere and silently mean something else, or need an order they do not state.
UNPORTABLE = {
    "STRFTIME",
    "HASH",
    "ANY_VALUE",
    "ARG_MIN",
    "ARG_MAX",
    "FIRST",
    "LAST",
    "QUANTILE_CONT",
    "MEDIAN",
    "MODE",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_stays_in_the_portable_subset(path: Path):
    (tree,) = sqlglot.parse(path.read_text(), read="duckdb")
    assert tree is not None
    assert not list(tree.find_all(exp.Interval, exp.Pivot))
    for difference in tree.find_all(exp.DateDiff):
        assert str(difference.args.get("unit") or "day").upper() in ("DAY", "'DAY'")
    used = {function.sql_name().upper() for function in tree.find_all(exp.Func)}
    used |= {function.name.upper() for function in tree.find_all(exp.Anonymous)}
    assert not used & UNPORTABLE
    for division in tree.find_all(exp.Div):
        assert isinstance(division.left, exp.Cast), division.sql()
    assert sqlglot.transpile(
        tree.sql("duckdb"), read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
    )
