"""A condition is taken apart at the ANDs that join its parts, and at no others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from riskstrat.errors import RiskstratError
from riskstrat.language import ExpressionError
from riskstrat.reading.conditions import and_parts, criteria_of
from riskstrat.reading.failures import reading
from riskstrat.runs import Run

TYPES = {"age": "INTEGER", "has_copd": "BOOLEAN", "has_dementia": "BOOLEAN", "sex": "VARCHAR"}
AS_OF = date(2026, 4, 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("age >= 65", ["age >= 65"]),
        ("age >= 65 AND has_copd", ["age >= 65", "has_copd"]),
        ("age >= 65 and has_copd aNd has_dementia", ["age >= 65", "has_copd", "has_dementia"]),
        ("age BETWEEN 65 AND 80 AND has_copd", ["age BETWEEN 65 AND 80", "has_copd"]),
        ("NOT age BETWEEN 1 AND 2 AND age BETWEEN 3 AND 4", ["NOT age BETWEEN 1 AND 2", "age BETWEEN 3 AND 4"]),
        ("has_copd AND (age < 5 OR age > 80 AND has_dementia)", ["has_copd", "(age < 5 OR age > 80 AND has_dementia)"]),
        ("has_copd OR age > 80 AND has_dementia", ["has_copd OR age > 80 AND has_dementia"]),
        ("(age > 80 AND has_copd)", ["age > 80", "has_copd"]),
        ("(age > 80) AND (has_copd)", ["(age > 80)", "(has_copd)"]),
        ("CASE WHEN age > 5 AND has_copd THEN TRUE END AND has_dementia", [
            "CASE WHEN age > 5 AND has_copd THEN TRUE END", "has_dementia"]),
        ("sex = 'black AND white' AND has_copd", ["sex = 'black AND white'", "has_copd"]),
        ("sex = 'é AND ü' AND \"age\" > 5", ["sex = 'é AND ü'", '"age" > 5']),
        ("age > 80\n  AND has_copd\n", ["age > 80", "has_copd"]),
    ],
)  # fmt: skip
def test_parts_are_those_that_and_joins(text: str, parts: list[str]) -> None:
    assert and_parts(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "age BETWEEN 20 AND 80 AND has_copd AND NOT (has_dementia OR age > 70)",
        "(age >= 40 AND (has_copd OR has_dementia)) AND age < 90",
        "CASE WHEN age > 50 AND has_copd THEN has_dementia ELSE age > 60 AND age < 80 END AND age <> 70",
        "age > 50 OR has_copd AND has_dementia",
    ],
)
def test_parts_together_say_what_the_whole_says(text: str) -> None:
    parts = criteria_of(text, TYPES, AS_OF).include
    together = " AND ".join(f"({part.sql})" for part in parts)
    with duckdb.connect() as connection:
        people = (
            "FROM (SELECT NULLIF(CAST(number AS INTEGER), 99) AS age FROM range(0, 100) AS ages(number)), "
            "(VALUES (TRUE), (FALSE), (NULL)) AS copd(has_copd), (VALUES (TRUE), (FALSE), (NULL)) AS d(has_dementia)"
        )
        differing = connection.execute(
            f"SELECT count(*) {people} WHERE ({text}) IS DISTINCT FROM ({together})"
        ).fetchall()
    assert differing == [(0,)]


def test_wrong_part_is_shown_in_the_whole_text() -> None:
    with pytest.raises(ExpressionError) as caught:
        criteria_of("age >= 65 AND has_copt", TYPES, AS_OF)
    assert "age >= 65 AND has_copt" in str(caught.value)


def test_days_count_from_the_date_of_the_run() -> None:
    rule = criteria_of("DATE '2026-01-01' < months_before(1)", TYPES, AS_OF).include[0]
    assert "2026-03-01" in rule.sql


def test_values_in_messages_of_the_database_are_not_shown(tmp_path: Path) -> None:
    run = Run("20260401-abcdef", tmp_path)
    for condition in (None, "age > 5"):
        with pytest.raises(RiskstratError) as caught, reading(run, condition):
            duckdb.sql(
                "SELECT CAST(secret AS INTEGER) FROM (VALUES ('9990000107')) AS rows(secret)"
            ).fetchall()
        assert "9990000107" not in str(caught.value)
        assert caught.value.exit_code == (1 if condition is None else 3)
