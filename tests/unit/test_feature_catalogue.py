"""The catalogue of features: complete, true of the SQL, and the same as its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from riskstrat.definitions.codelists import load_codelists
from riskstrat.definitions.contracts import Column, load_contract
from riskstrat.definitions.feature_page import feature_page, undocumented
from tests.fake_people import fake_features

ROOT = Path(__file__).parents[2]
FEATURES = load_contract(ROOT / "data_contracts" / "features.yaml")
EXTRACTS = {path.stem for path in (ROOT / "data_contracts").glob("*.yaml")}
STATEMENTS = {
    path.stem: sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    for path in sorted((ROOT / "pipelines").glob("*/*.sql"))
}

each_feature = pytest.mark.parametrize("column", FEATURES.columns, ids=lambda column: column.name)


def read_by(name: str, seen: set[str] | None = None) -> Iterator[str]:
    """Every table that a SQL file reads, by itself or through the files that it reads."""
    seen = set() if seen is None else seen
    own = {cte.alias for cte in STATEMENTS[name].find_all(exp.CTE)}
    for table in {table.name for table in STATEMENTS[name].find_all(exp.Table)} - own - seen:
        seen.add(table)
        yield table
        if table in STATEMENTS:
            yield from read_by(table, seen)


@each_feature
def test_feature_is_documented(column: Column) -> None:
    assert undocumented(column) == []


def test_a_feature_without_facts_is_told() -> None:
    bare = replace(FEATURES.columns[1], about={}, description="")
    assert undocumented(bare) == [
        "grain",
        "unit",
        "window",
        "when unknown",
        "source",
        "extracts",
        "SQL",
        "meaning",
    ]


@each_feature
def test_feature_is_a_column_of_its_sql_file(column: Column) -> None:
    path = ROOT / str(column.about["sqlTable"])
    assert path.is_file()
    assert column.name in STATEMENTS[path.stem].named_selects


@each_feature
def test_feature_rests_on_the_extracts_and_lists_that_it_names(column: Column) -> None:
    tables = set(read_by(Path(str(column.about["sqlTable"])).stem))
    assert set(column.about["requires"]) <= tables & EXTRACTS
    lists = set(column.about.get("codelists", ()))
    assert lists <= set(load_codelists(ROOT / "config" / "codelists")) | {"efi_values", "hfrs_weights"}
    assert not lists or tables & {"codelist", "efi_values", "hfrs_weights"}


@each_feature
def test_feature_names_evidence_that_runs_publish(column: Column) -> None:
    kind = column.about.get("evidence")
    assert kind is None or (ROOT / "pipelines" / "60_evidence" / f"{kind}_evidence.sql").is_file()


def test_every_kind_of_evidence_stands_behind_a_feature() -> None:
    kinds = {
        path.stem.removesuffix("_evidence") for path in (ROOT / "pipelines" / "60_evidence").glob("*.sql")
    }
    assert kinds == {column.about["evidence"] for column in FEATURES.columns if "evidence" in column.about}


def test_fake_people_have_the_columns_and_types_of_the_contract() -> None:
    arrow = {
        "VARCHAR": "string",
        "INTEGER": "int32",
        "DOUBLE": "double",
        "BOOLEAN": "bool",
        "DATE": "date32[day]",
    }
    assert [(column.name, str(column.type)) for column in fake_features(20, 1).schema] == [
        (column.name, arrow[column.sql_type]) for column in FEATURES.columns
    ]


def test_feature_table_has_the_columns_of_its_contract_in_order() -> None:
    assert STATEMENTS["features"].named_selects == [column.name for column in FEATURES.columns]


def test_page_is_made_of_the_contract() -> None:
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == feature_page(FEATURES), "run: riskstrat features page --out docs/features.md"
