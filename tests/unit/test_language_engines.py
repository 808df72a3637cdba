"""One expression for two engines: how Spark's text differs, and that it still gives the same people."""

from __future__ import annotations

import os
import random
from datetime import date
from typing import Any

import duckdb
import pytest
import sqlglot

from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.language import Expression, compile_expression
from riskstrat.language.engines import portable_sql
from tests.language.people import ALLOWED, AS_OF, COLUMNS, people_table, random_people
from tests.language.sentences import Sentences

LETTERS = "'\u0130\u03a3', 'i\u03c3'"  # dotted capital I and capital sigma
SEED = int(os.environ.get("LANGUAGE_SEED", "12"))


def compiled(text: str) -> Expression:
    return compile_expression(text, COLUMNS, ALLOWED, as_of=date(2026, 4, 1))


@pytest.mark.parametrize(
    ("text", "spark"),
    [
        ("age >= 65 AND band IN ('mild')", "((`age` >= 65) AND (`band` IN ('mild')))"),
        ("AGE / visits > 0.5", "((CAST(`age` AS DOUBLE) / NULLIF(CAST(`visits` AS DOUBLE), 0)) > 0.5)"),
        ("age // 10 = 6", "((CAST(`age` AS BIGINT) DIV 10) = 6)"),
        ("age % visits = 0", "((CAST(`age` AS BIGINT) % NULLIF(`visits`, 0)) = 0)"),
        ("age + visits > 5", "((CAST(`age` AS BIGINT) + `visits`) > 5)"),
        ("score * 2 > 5", "((CAST(`score` AS DOUBLE) * CAST(2 AS DOUBLE)) > 5)"),
        ("round(efi, 2) = 0.24", "((ROUND((CAST(`efi` AS DOUBLE) * 100)) / 100) = 0.24)"),
        ("ceil(efi) = 1", "(CAST(CEIL(CAST(`efi` AS DOUBLE)) AS DOUBLE) = 1)"),
        ("as_of - seen_date > 30", "(DATEDIFF(CAST('2026-04-01' AS DATE), `seen_date`) > 30)"),
        (
            "date_diff('day', seen_date, as_of) > 30",
            "(DATEDIFF(CAST('2026-04-01' AS DATE), `seen_date`) > 30)",
        ),
        ("seen_date + 30 < as_of", "(DATE_ADD(`seen_date`, 30) < CAST('2026-04-01' AS DATE))"),
        (
            "date_diff('day', seen_date - 1, seen_date + 1) = 2",
            "(DATEDIFF(DATE_ADD(`seen_date`, 1), DATE_SUB(`seen_date`, 1)) = 2)",
        ),
        ("seen_date < '2026-01-01'", "(`seen_date` < CAST('2026-01-01' AS DATE))"),
        ("manager = 'O''Brien\\'", "(`manager` = 'O\\'Brien\\\\')"),
        (
            "manager ILIKE 'o%'",
            f"(LOWER(TRANSLATE(`manager`, {LETTERS})) LIKE LOWER(TRANSLATE('o%', {LETTERS})))",
        ),
        (
            "lower(lower(code)) = 'x'",
            f"(LOWER(TRANSLATE(LOWER(TRANSLATE(`code`, {LETTERS})), {LETTERS})) = 'x')",
        ),
        ("manager NOT LIKE 'a_'", "(NOT (`manager` LIKE 'a_'))"),
        ("trim(code) = 'x'", "(TRIM(' ' FROM `code`) = 'x')"),
        (
            "TRY_CAST(code AS INTEGER) = 1",
            "(TRY_CAST(REGEXP_EXTRACT(`code`, '^[+-]?[0-9]{1,9}\\\\z', 0) AS INT) = 1)",
        ),
        ("has_copd IS NOT TRUE", "(`has_copd` IS DISTINCT FROM TRUE)"),
        ("CAST(seen_date AS VARCHAR) = 'x'", "(CAST(`seen_date` AS STRING) = 'x')"),
    ],
)
def test_spark_s_text_says_the_same(text: str, spark: str) -> None:
    assert portable_sql(compiled(text), "spark") == spark


def test_duckdb_s_text_is_the_compiled_one() -> None:
    expression = compiled("age / 2 > 30")
    assert portable_sql(expression, "duckdb") == expression.sql


def test_what_cannot_be_made_the_same_is_refused_with_its_reason() -> None:
    with pytest.raises(
        DefinitionError, match=r"upper does not give the same on spark: letters such as \u00df"
    ):
        portable_sql(compiled("upper(manager) = 'STRASSE'"), "spark")


def test_an_unknown_engine_is_misuse() -> None:
    with pytest.raises(MisuseError, match="there is no engine 'oracle'"):
        portable_sql(compiled("age > 1"), "oracle")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("manager LIKE 'a\\_b'", "starts_with"),
        ("manager LIKE 'a!_b' ESCAPE '!'", "starts_with"),
        ("substring(code, 0, 2) = 'x'", "write the number itself"),
        ("substring(code, -2) = 'x'", "write the number itself"),
        ("CAST(efi AS INTEGER) = 1", "floor(), ceil() or round()"),
        ("CAST(code AS INTEGER) = 1", "TRY_CAST"),
        ("CAST(efi AS VARCHAR) = '1.0'", "compare the number itself"),
        ("efi % 2 = 1", "floor()"),
        ("age > 12345678901234567", "write it like"),
        ("date_diff('month', seen_date, as_of) > 1", "date_diff('day'"),
    ],
)
def test_what_engines_would_answer_differently_is_not_in_the_language(text: str, remedy: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        compiled(text)
    assert remedy in (caught.value.remedy or "")


def test_no_division_by_zero_fails_or_gives_infinity() -> None:
    row = "(SELECT 0 AS age, 0 AS visits, 0.0::DOUBLE AS efi)"
    for text in ("1 / age", "1 / efi", "age // visits", "7 % age", "age / 0"):
        sql = compiled(f"({text}) IS NULL").sql
        assert duckdb.sql(f"SELECT {sql} FROM {row}").fetchall() == [(True,)], text


def test_no_sum_fails_on_the_largest_numbers() -> None:
    row = "(SELECT 2147483647 AS age, CAST(-2147483648 AS INTEGER) AS change, 9223372036854775807 AS score)"
    for text in (
        "age + age",
        "age * change",
        "age * age * change",
        "-change",
        "abs(change)",
        "score + 1",
        "-score",
    ):
        sql = compiled(f"({text}) IS NOT NULL").sql
        assert duckdb.sql(f"SELECT {sql} FROM {row}").fetchall() == [(True,)], text


def answers(connection: duckdb.DuckDBPyConnection, conditions: list[str]) -> list[tuple[Any, ...]]:
    listed = ", ".join(f"({condition})" for condition in conditions)
    return connection.execute(f"SELECT {listed} FROM features ORDER BY number").fetchall()


def test_spark_s_text_brought_back_gives_the_same_people() -> None:
    chance = random.Random(SEED)
    connection = duckdb.connect()
    people_table(connection, random_people(chance, 30))
    sentences = Sentences(chance)
    for _ in range(12):
        rules = [
            compile_expression(sentences.condition().text, COLUMNS, ALLOWED, as_of=AS_OF) for _ in range(25)
        ]
        back = [
            sqlglot.transpile(portable_sql(rule, "spark"), read="spark", write="duckdb")[0] for rule in rules
        ]
        assert answers(connection, back) == answers(connection, [rule.sql for rule in rules])
