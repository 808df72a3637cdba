"""Every example of docs/expressions.md is compiled against the shipped features."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from riskstrat.definitions.contracts import load_contract
from riskstrat.language import Expression, ExpressionError, compile_expression
from riskstrat.language.date_words import DATE_WORDS
from riskstrat.language.functions import FUNCTIONS

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "expressions.md").read_text(encoding="utf-8")
FEATURES = load_contract(REPOSITORY / "data_contracts" / "features.yaml").columns
TYPES = {column.name: column.sql_type for column in FEATURES}
ALLOWED = {column.name: column.allowed for column in FEATURES if column.allowed}
LIMITS = {column.name: column.limits for column in FEATURES if column.limits != (None, None)}
BLOCKS = re.findall(r"```(sql|text)\n(.*?)\n```", PAGE, re.DOTALL)
SPANS = [
    span
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    if set(re.findall(r"\w+", span)) & set(TYPES)
]


def compiled(text: str) -> Expression:
    return compile_expression(text, TYPES, ALLOWED, as_of=date(2026, 4, 1), limits=LIMITS)


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "sql"])
def test_example_is_a_condition(text: str) -> None:
    assert compiled(text).columns


@pytest.mark.parametrize("span", SPANS)
def test_example_within_a_sentence_is_part_of_the_language(span: str) -> None:
    assert compiled(f"({span}) IS NOT NULL").columns


@pytest.mark.parametrize("shown", [text for kind, text in BLOCKS if kind == "text"])
def test_error_reads_as_shown(shown: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(shown.splitlines()[1].strip())
    assert str(caught.value) == shown


def test_page_names_every_function_and_date_word() -> None:
    assert len(SPANS) > 10
    for name in (*FUNCTIONS, *DATE_WORDS):
        assert f"`{name}" in PAGE, name
