"""Every contract rule that Great Expectations can express counts the same rows in SQL and in native pandas GX.

A run lets Great Expectations judge counts that SQL made, which is fast and proves nothing about the SQL. Here the same
rules are written a second time as native expectations over the rows themselves, and both must count the same failures.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import operator
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from riskstrat.definitions.contracts import Column, Contract, Rule, load_contracts
from riskstrat.definitions.value_checks import VALUE_CHECKS
from riskstrat.sqltext import literal

CONTRACTS = load_contracts(Path(__file__).resolve().parents[2] / "data_contracts")
EXTRACTS = {name: contract for name, contract in CONTRACTS.items() if contract.direction == "in"}
ROWS = 300
FIRST_DAY = dt.date(2025, 1, 1)
PATTERN_SAMPLES = (
    "A81001",
    "E01012345",
    "12345678",
    "I501",
    "300",
    "luton_core",
    "K12",
    "a1",
    "1.23E+17",
    "é81001",
)
# Identifiers as a clinical coder would sort them by hand, so that the checks of Python are not held against themselves.
SORTED_BY_HAND = {
    "snomed_identifier_rounded": (
        "9.25791E+14",  # 925791000000100 in a narrow column
        "1.02279e+15",
        "73211009.0",
        "1022791000000100",  # 1022791000000101 after a spreadsheet
        "39720311000001100",  # 39720311000001101 after a spreadsheet
    ),
    "snomed_identifier_check_digit": (
        *("73211008", "12345", "1022791000000102", "EMISNQHO12"),
        *("9990000018", "see 999 000 0018"),
    ),
    "holds_nhs_number": ("9990000018", "see 999 000 0018"),
    "neither": ("73211009", "1022791000000101", "39720311000001101"),
}
ORDERED = re.compile(r"COALESCE\(\((?P<late>\w+) < (?P<early>\w+)\), FALSE\)")


def generated(contract: Contract, seed: int) -> pd.DataFrame:
    """Rows that break every rule somewhere: a quarter of the values are missing, others lie in and out of range."""
    random = np.random.default_rng(seed)
    judged = {rule.column for rule in contract.rules if rule.judge}
    return pd.DataFrame({column.name: _values(column, random, judged) for column in contract.columns})


def _values(column: Column, random: np.random.Generator, judged: set[str | None]) -> pd.Series[Any]:
    missing = random.random(ROWS) < 0.25
    days = random.integers(0, 400, ROWS)
    match column.type:
        case "date" | "timestamp":
            series = pd.Series(pd.to_datetime(FIRST_DAY) + pd.to_timedelta(days, unit="D"))
        case "integer" | "number":
            series = pd.Series(random.integers(-3, 9, ROWS).astype("float64"))
        case "boolean":
            series = pd.Series(random.random(ROWS) < 0.3)
            if column.name == "deleted":  # SQL takes NULL for FALSE, a Great Expectations condition does not
                return series
            series = series.astype("object")
        case _:
            texts = [*sum(SORTED_BY_HAND.values(), ())] if column.name in judged else _texts(column)
            series = pd.Series(random.choice(texts, ROWS)).astype("object")
    return series.mask(pd.Series(missing))


def _texts(column: Column) -> list[str]:
    return [
        *column.allowed,
        *(value.lower() for value in column.allowed),
        *PATTERN_SAMPLES,
        "snomed",
        "readv2",
        "",
    ]


def expected_suite(gx: Any, contract: Contract) -> Iterator[tuple[Rule, Any]]:
    """Each rule that Great Expectations has a word for, as a native expectation over the rows."""
    from great_expectations.expectations.row_conditions import Column as AnyRow

    for rule in contract.rules:
        native = _native(rule, contract)
        if native is not None:
            word, arguments = native
            conditions = _conditions(rule, contract, AnyRow)
            if conditions:
                arguments["row_condition"] = functools.reduce(operator.and_, conditions)
            yield rule, getattr(gx.expectations, word)(**arguments, meta={"rule": rule.id})


def _conditions(rule: Rule, contract: Contract, row: Any) -> list[Any]:
    """Which rows a rule is asked about: not deleted, or deleted without a record key; of one code system."""
    conditions = []
    if "deleted" in (rule.when or rule.sql):
        standing = operator.eq(row("deleted"), False)
        is_key = rule.column in contract.key
        conditions.append(standing | row(contract.record_key).is_null() if is_key else standing)
    if "code_system = 'snomed'" in (rule.when or ""):
        conditions.append(row("code_system") == "snomed")
    return conditions


def _native(rule: Rule, contract: Contract) -> tuple[str, dict[str, Any]] | None:
    native: tuple[str, dict[str, Any]] | None = None
    if rule.kind == "required" or rule.id.endswith(".missing"):
        native = "ExpectColumnValuesToNotBeNull", {}
    elif rule.kind == "allowed":
        allowed = contract.column(str(rule.column)).allowed
        native = "ExpectColumnValuesToBeInSet", {"value_set": list(allowed)}
    elif rule.kind == "pattern":
        pattern = re.findall(r"regexp_matches\(\w+, '(.*?)'\)", rule.sql)[0]
        native = "ExpectColumnValuesToMatchRegex", {"regex": pattern}
    elif rule.kind == "range":
        ends = {sign: float(end) for sign, end in re.findall(r"([<>]) (-?[\d.]+)", rule.sql)}
        native = "ExpectColumnValuesToBeBetween", {"min_value": ends.get("<"), "max_value": ends.get(">")}
    elif rule.kind == "value":
        native = "ExpectColumnValuesToNotBeInSet", {"value_set": list(SORTED_BY_HAND[str(rule.judge)])}
    elif pair := ORDERED.match(rule.sql):
        columns = {"column_A": pair["late"], "column_B": pair["early"], "or_equal": True}
        return "ExpectColumnPairValuesAToBeGreaterThanB", columns | {
            "ignore_row_if": "either_value_is_missing"
        }
    return native and (native[0], native[1] | {"column": rule.column})


@pytest.fixture(scope="module")
def pandas_source() -> tuple[Any, Any]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return gx, context.data_sources.add_pandas("rows")


def counted_by_gx(gx: Any, source: Any, contract: Contract, rows: pd.DataFrame) -> dict[str, int]:
    suite = gx.ExpectationSuite(name=contract.name)
    asked = [suite.add_expectation(native).meta["rule"] for _, native in expected_suite(gx, contract)]
    batch = source.add_dataframe_asset(contract.name).add_batch_definition_whole_dataframe("all")
    results = batch.get_batch({"dataframe": rows}).validate(suite, result_format="BASIC").results
    assert len(results) == len(asked)
    for result in results:
        assert not result.exception_info.get("raised_exception"), result.exception_info
    return {
        result.expectation_config.meta["rule"]: int(result.result["unexpected_count"]) for result in results
    }


def counted_by_sql(contract: Contract, rows: pd.DataFrame) -> dict[str, int]:
    """Failures a rule, through the one bit mask that ingest writes; a value is judged once, whoever sent it."""
    typed = ", ".join(
        f"CAST({column.name} AS {column.sql_type}) AS {column.name}" for column in contract.columns
    )
    bits = " + ".join(
        f"CASE WHEN {_failing(rule, rows)} THEN {1 << place} ELSE 0 END"
        for place, rule in enumerate(contract.rules)
    )
    counts = ", ".join(
        f"count(*) FILTER (WHERE broken & {1 << place} <> 0)" for place in range(len(contract.rules))
    )
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO is_valid_nhs_number(given) AS FALSE")
        connection.register("given_rows", rows)
        connection.execute(
            f"CREATE TABLE typed AS SELECT {typed}, CAST(NULL AS BIGINT) AS person FROM given_rows"
        )
        found = connection.execute(
            f"SELECT {counts} FROM (SELECT CAST({bits} AS BIGINT) AS broken FROM typed)"
        ).fetchone()
    assert found is not None
    return {rule.id: int(count) for rule, count in zip(contract.rules, found, strict=True)}


def _failing(rule: Rule, rows: pd.DataFrame) -> str:
    if rule.judge is None:
        return rule.sql
    fails = VALUE_CHECKS[rule.judge]
    failing = ", ".join(literal(value) for value in rows[rule.column].dropna().unique() if fails(value))
    return f"{rule.when} AND {rule.column} IN ({failing})"


@pytest.mark.parametrize("name", sorted(EXTRACTS))
def test_sql_mask_and_native_great_expectations_count_the_same_failures(
    name: str, pandas_source: Any
) -> None:
    contract = EXTRACTS[name]
    rows = generated(contract, seed=sorted(EXTRACTS).index(name))
    by_gx = counted_by_gx(*pandas_source, contract, rows)
    by_sql = counted_by_sql(contract, rows)
    assert by_gx
    assert by_gx == {rule: by_sql[rule] for rule in by_gx}
    assert all(by_gx.values()), "rows that break no rule prove nothing"


def test_only_what_great_expectations_has_no_word_for_is_left_out(pandas_source: Any) -> None:
    gx, _ = pandas_source
    written = {rule.id for contract in EXTRACTS.values() for rule, _ in expected_suite(gx, contract)}
    left = {
        rule.id.split(".", 1)[1]
        for contract in EXTRACTS.values()
        for rule in contract.rules
        if rule.id not in written and rule.kind != "type"
    }
    assert left == {
        "nhs_number.invalid",
        "row.structure",
        "row.born_before_1900",
    }
    kinds = {rule.kind for contract in EXTRACTS.values() for rule in contract.rules if rule.id in written}
    assert kinds == {"required", "allowed", "pattern", "range", "value", "row", "nhs_number"}
