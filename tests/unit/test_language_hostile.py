"""Conditions made to read, change or stop something: each is refused at once."""

from __future__ import annotations

import pytest

from riskstrat.language import Expression, ExpressionError, compile_expression
from riskstrat.language.parsing import DEEPEST_NESTING, LONGEST_TEXT

COLUMNS = {
    "person_id": "VARCHAR",
    "age": "INTEGER",
    "sex": "VARCHAR",
    "has_copd": "BOOLEAN",
    "case_manager": "VARCHAR",
}
HOSTILE = [
    ("SELECT 1", "begins a statement"),
    ("1 UNION SELECT 2", "this is a query"),
    ("TRUE UNION ALL SELECT TRUE FROM read_csv('/etc/passwd')", "this is a query"),
    ("age > 1 FROM features", "this is a query"),
    ("TRUE FROM read_text('/etc/passwd')", "this is a query"),
    ("age > 1 WHERE TRUE", "this is a query"),
    ("age > 1 ORDER BY age", "this is a query"),
    ("age > 1 LIMIT 1", "this is a query"),
    ("DISTINCT age > 1", "this is a query"),
    ("age > 1 USING SAMPLE 1", "this is a query"),
    ("age > 1 WINDOW w AS ()", "this is a query"),
    ("TRUE) FROM read_csv('/etc/passwd') WHERE (TRUE", "this is not a condition"),
    ("age > 1; DROP TABLE features", "';' is not allowed"),
    ("age > 1; COPY features TO '/tmp/out.csv'", "';' is not allowed"),
    ("age > 1;", "';' is not allowed"),
    ("COPY features TO '/tmp/out.csv'", "begins a statement"),
    ("ATTACH '/tmp/x.db'", "begins a statement"),
    ("PRAGMA database_list", "begins a statement"),
    ("age > 1 -- AND has_copd", "comments are not allowed"),
    ("age > 1 /* AND has_copd */", "comments are not allowed"),
    ("age > 1 /* open", "comments are not allowed"),
    ("age > (SELECT 1)", "a query inside"),
    ("EXISTS (FROM read_csv('/etc/passwd'))", "a query inside"),
    ("age IN (SELECT age FROM features)", "a query inside"),
    ("age = ANY (SELECT 1)", "a query inside"),
    ("age <> ALL ([1, 2])", "a query inside"),
    ("read_text('/etc/passwd') = 'x'", "the function read_text is not allowed"),
    ("getenv('HOME') = 'x'", "the function getenv is not allowed"),
    ("current_setting('threads') = '1'", "the function current_setting is not allowed"),
    ("getvariable('x') IS NULL", "the function getvariable is not allowed"),
    ("pragma_version() IS NULL", "the function pragma_version is not allowed"),
    ("query('SELECT 1') IS NULL", "the function query is not allowed"),
    ("nextval('s') > 0", "the function nextval is not allowed"),
    ("random() < 0.5", "the function random is not allowed"),
    ("regexp_matches(sex, '(a+)+$')", "the function regexp_matches is not allowed"),
    ("repeat('x', 1000000000) = sex", "the function repeat is not allowed"),
    ("main.lower(sex) = 'x'", "this use of lower"),
    ("abs(x := 1) > 0", "this use of abs is not allowed"),
    ("count(*) > 1", "the function count_star is not allowed"),
    ("sum(age) > 1", "the function sum is not allowed"),
    ("sum(age) OVER () > 1", "a window function"),
    ("list_filter([age], lambda x: x > 1) IS NULL", "the function list_filter is not allowed"),
    ("age = $1", "a parameter is not allowed"),
    ("age = ?", "a parameter is not allowed"),
    ("#1", "positional reference is not allowed"),
    ("age << 2 > 1", "the operator << is not allowed"),
    ("age ^ 9 > 1", "the operator ^ is not allowed"),
    ("[age] = [1]", "is not allowed"),
    ("{'a': age} IS NULL", "is not allowed"),
    ("sex IN person_id", "the function contains is not allowed"),
    ("TRY(age > 1)", "try is not allowed"),
    ("DEFAULT", "default is not allowed"),
    ("age\u00a0> 1", "no-break space"),
    ("age > 1\u202e", "right-to-left override"),
    ("\u200bage > 1", "zero width space"),
    ("\ufeffage > 1", "zero width no-break space"),
    ("age > 1\x00", "character number 0"),
    ("age > 1\x1b[2J", "character number 27"),
    ("age > \ud800", "character that is not allowed"),
    ("\u0430ge > 1", "there is no feature"),
]


def compiled(text: str) -> Expression:
    return compile_expression(text, COLUMNS)


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    return caught.value


@pytest.mark.parametrize(("text", "reason"), HOSTILE)
def test_refused_with_its_reason_and_a_remedy(text: str, reason: str) -> None:
    problem = refusal(text)
    assert problem.exit_code == 3
    assert reason in problem.what
    assert problem.remedy
    assert problem.place is not None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2_500,
        "- " * 4_900 + "age > 1",
        "(" * (DEEPEST_NESTING + 1) + "TRUE" + ")" * (DEEPEST_NESTING + 1),
        "NOT " * 2_000 + "TRUE",
        "CASE WHEN " * 900,
        "abs(" * 2_000,
        "[" * LONGEST_TEXT,
        "1+" * 4_000 + "1 > age",
        "x" * 1_000_000,
        "age > 1 OR " * 100_000 + "TRUE",
        "'" * 9_999,
        "/*" * 4_000,
    ],
    ids=lambda text: text[:10],
)
def test_text_made_to_keep_the_parser_busy_is_refused(text: str) -> None:
    problem = refusal(text)
    assert problem.exit_code == 3
    assert problem.remedy


def test_long_and_deep_conditions_within_the_limits_are_understood() -> None:
    codes = ", ".join(f"'P{number:05}'" for number in range(900))
    assert compiled(f"case_manager IN ({codes})").columns == ("case_manager",)
    assert compiled("(" * DEEPEST_NESTING + "has_copd" + ")" * DEEPEST_NESTING).sql == "has_copd"
    assert compiled(" OR ".join(f"age = {number}" for number in range(500))).columns == ("age",)
    assert compiled("1 + " * 90 + "1 > age").columns == ("age",)
