"""Conditions over the feature table: what is understood, what is refused, and how the refusal reads."""

from __future__ import annotations

import time
from datetime import date

import duckdb
import pytest

from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, ExpressionError, compile_expression
from riskstrat.language.parsing import DEEPEST_NESTING, LONGEST_TEXT

COLUMNS = {
    "person_id": "VARCHAR",
    "age": "INTEGER",
    "sex": "VARCHAR",
    "frailty_category": "VARCHAR",
    "efi": "DOUBLE",
    "unplanned_admissions_12m": "INTEGER",
    "has_copd": "BOOLEAN",
    "is_end_of_life": "BOOLEAN",
    "last_discharge_date": "DATE",
    "case_manager": "VARCHAR",
}
ALLOWED = {"frailty_category": ("fit", "mild", "moderate", "severe")}
PEOPLE = [
    ("a1", 64, "female", "fit", 0.05, 0, False, False, None, "O'Brien"),
    ("b2", 65, "male", "moderate", 0.30, 2, True, False, date(2026, 3, 1), "Ng"),
    ("c3", 90, "female", "severe", 0.50, 5, True, True, date(2025, 1, 1), "O\u2019Brien"),
    ("d4", 80, "male", None, None, None, None, None, None, None),
]

TRUE_FOR = [
    ("age >= 65", "bcd"),
    ("AGE >= 65", "bcd"),
    ('"age" >= 65', "bcd"),
    ("age >= 65 AND frailty_category IN ('moderate', 'severe') AND unplanned_admissions_12m >= 2", "bc"),
    ("frailty_category = 'severe'", "c"),
    ("frailty_category <> 'severe'", "ab"),
    ("frailty_category NOT IN ('fit', 'mild')", "bc"),
    ("frailty_category IS NULL", "d"),
    ("frailty_category IS NOT NULL AND NOT has_copd", "a"),
    ("frailty_category IS DISTINCT FROM 'fit'", "bcd"),
    ("age BETWEEN 65 AND 80", "bd"),
    ("age NOT BETWEEN 65 AND 80", "ac"),
    ("has_copd", "bc"),
    ("NOT has_copd", "a"),
    ("has_copd IS TRUE", "bc"),
    ("has_copd IS NOT TRUE", "ad"),
    ("has_copd = FALSE OR age > 85", "ac"),
    ("efi >= .24", "bc"),
    ("efi * 36 > 10", "bc"),
    ("-age < -70", "cd"),
    ("age % 2 = 1", "b"),
    ("coalesce(unplanned_admissions_12m, 0) = 0", "ad"),
    ("CASE WHEN has_copd THEN age > 70 ELSE age > 60 END", "acd"),
    ("CAST(age AS DOUBLE) / 2 > 42", "c"),
    ("age::VARCHAR LIKE '9%'", "c"),
    ("case_manager = 'O''Brien'", "a"),
    ("case_manager = 'O\u2019Brien'", "c"),
    ("case_manager LIKE 'O%'", "ac"),
    ("case_manager NOT LIKE 'O%'", "b"),
    ("case_manager ILIKE 'ng'", "b"),
    ("lower(sex) = 'female' OR starts_with(case_manager, 'N')", "abc"),
    ("length(trim(sex)) = 4", "bd"),
    ("last_discharge_date >= DATE '2026-01-01'", "b"),
    ("last_discharge_date < '2026-01-01'", "c"),
    ("date_diff('day', last_discharge_date, DATE '2026-04-01') <= 31", "b"),
    ("year(last_discharge_date) = 2025", "c"),
    ("greatest(age, 70) = 70 AND least(age, 70) = 65", "b"),
    ("abs(age - 66) <= 2", "ab"),
    ("nullif(sex, 'male') IS NULL", "bd"),
    ("TRUE", "abcd"),
    ("TRY_CAST(sex AS INTEGER) IS NULL", "abcd"),
    ("age > 60\n  AND age < 65", "a"),
    ("((((age > 85))))", "c"),
    ("case_manager = '; DROP TABLE features -- /* */ ('", ""),
]

REFUSED = [
    ("", "the expression is empty"),
    (" \n\t", "the expression is empty"),
    ("age", "age is a number, not true or false"),
    ("age + 1", "the expression is a number, not true or false"),
    ("'yes'", "this value is not true or false"),
    ("1", "this value is not true or false"),
    ("NULL", "unknown for everybody"),
    ("has_copd AND age", "age is a number"),
    ("NOT frailty_category", "frailty_category is text"),
    ("agee > 65", "there is no feature 'agee'"),
    ("features.age > 65", "names a table"),
    ("other.thing > 65", "there is no feature 'other.thing'"),
    ("frailty_category = 'sever'", "frailty_category is never 'sever'"),
    ("frailty_category IN ('severe', 'Severe')", "frailty_category is never 'Severe'"),
    ('frailty_category = "severe"', "in double quotes is a column"),
    ("frailty_category = severe", "there is no feature 'severe'"),
    ("frailty_category = \u2018severe\u2019", "curly quote"),
    ("age > 'old'", "age is a number, and old is not"),
    ("sex = 1", "sex is text, and 1 is not"),
    ("sex BETWEEN 1 AND 2", "sex is text"),
    ("has_copd = 'perhaps'", "has_copd is true or false"),
    ("has_copd = 1", "has_copd is true or false"),
    ("last_discharge_date > 2026", "last_discharge_date is a date"),
    ("last_discharge_date > DATE '2026-13-01'", "'2026-13-01' is not a date"),
    ("last_discharge_date > age", "the types do not fit"),
    ("sex + 5 > 1", "+ does not work on (VARCHAR, INTEGER)"),
    ("age LIKE '6%'", "LIKE does not work on (INTEGER, STRING)"),
    ("last_discharge_date < current_date", "no clock decides"),
    ("last_discharge_date < today()", "no clock decides"),
    ("last_discharge_date < now()", "no clock decides"),
    ("date_diff('month', last_discharge_date, DATE '2026-04-01') > 1", "date_diff counts days only"),
    ("age >", "this is not a condition"),
    ("age >= 65 AND", "this is not a condition"),
    ("age => 65", "is not allowed"),
    ("age = 65 = TRUE", "this is not a condition"),
    ("age >= 65 has_copd", "a name or a second word"),
    ("age >= 65 AS over", "a name or a second word"),
    ("over: age >= 65", "a name or a second word"),
    ("age >= 65, has_copd", "more than one expression"),
    ("*", "* stands for all columns"),
    ("COLUMNS('.*') > 1", "* stands for all columns"),
    ("sex COLLATE nocase = 'x'", "COLLATE is not allowed"),
    ("CAST(age AS STRUCT(a INTEGER)) IS NULL", "a cast to this type"),
    ("CAST(sex AS no_such_type) IS NULL", "a cast to this type"),
    ("case_manager = E'a\\x01b'", "cannot be seen"),
]

HOSTILE = [
    ("SELECT 1", "this is not a condition"),
    ("1 UNION SELECT 2", "this is a query"),
    ("TRUE UNION ALL SELECT TRUE FROM read_csv('/etc/passwd')", "this is a query"),
    ("age > 1 FROM features", "this is a query"),
    ("TRUE FROM read_text('/etc/passwd')", "this is a query"),
    ("age > 1 WHERE TRUE", "this is a query"),
    ("age > 1 ORDER BY age", "this is a query"),
    ("age > 1 LIMIT 1", "this is a query"),
    ("DISTINCT age > 1", "this is a query"),
    ("age > 1 USING SAMPLE 1", "this is a query"),
    ("TRUE) FROM read_csv('/etc/passwd') WHERE (TRUE", "this is not a condition"),
    ("age > 1; DROP TABLE features", "';' is not allowed"),
    ("age > 1; COPY features TO '/tmp/out.csv'", "';' is not allowed"),
    ("age > 1;", "';' is not allowed"),
    ("COPY features TO '/tmp/out.csv'", "this is not a condition"),
    ("ATTACH '/tmp/x.db'", "a cast to this type"),
    ("PRAGMA database_list", "a name or a second word"),
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
    return compile_expression(text, COLUMNS, ALLOWED)


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    return caught.value


@pytest.fixture(scope="module")
def people() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    names = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE features ({names})")
    connection.executemany(f"INSERT INTO features VALUES ({', '.join('?' * len(COLUMNS))})", PEOPLE)
    return connection


@pytest.mark.parametrize(("text", "who"), TRUE_FOR)
def test_condition_is_true_for_exactly_these_people(
    people: duckdb.DuckDBPyConnection, text: str, who: str
) -> None:
    query = "SELECT left(person_id, 1) FROM features WHERE COALESCE(({}), FALSE) ORDER BY 1"
    from_tree = people.execute(query.format(compiled(text).sql)).fetchall()
    from_text = people.execute(query.format(text)).fetchall()
    assert "".join(row[0] for row in from_tree) == who
    assert from_tree == from_text


@pytest.mark.parametrize(("text", "reason"), REFUSED + HOSTILE)
def test_refused_with_its_reason_and_a_remedy(text: str, reason: str) -> None:
    problem = refusal(text)
    assert isinstance(problem, DefinitionError)
    assert problem.exit_code == 3
    assert reason in problem.what
    assert problem.remedy
    assert "Traceback" not in str(problem)


def test_caret_stands_under_the_place() -> None:
    assert str(refusal("age >= 65 AND frailty_category = 'sever'")).splitlines() == [
        "frailty_category is never 'sever'.",
        "  age >= 65 AND frailty_category = 'sever'",
        "                                   ^^^^^^^",
        "Remedy: did you mean 'severe'? It is one of fit, mild, moderate, severe.",
    ]


def test_caret_counts_characters_not_bytes() -> None:
    lines = str(refusal("case_manager = '\u00e9\u00e9\u00e9' AND agee > 65")).splitlines()
    assert lines[1].index("agee") == lines[2].index("^")
    assert lines[2].strip() == "^^^^"


def test_caret_stands_under_its_own_line_of_several() -> None:
    lines = str(refusal("age > 65\n  AND agee > 1\n  AND has_copd")).splitlines()
    assert lines[1:3] == ["    AND agee > 1", "        ^^^^"]


def test_long_lines_are_cut_around_the_place() -> None:
    lines = str(refusal(" AND ".join(["age > 65"] * 50) + " AND agee > 1")).splitlines()
    assert len(lines[1]) <= 110
    assert lines[1].index("agee") == lines[2].index("^")


def test_unknown_feature_proposes_the_nearest() -> None:
    assert refusal("unplaned_admissions_12m >= 2").remedy == "did you mean unplanned_admissions_12m?"


def test_error_names_the_file_of_the_definition() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("agee > 65", COLUMNS, file="config/cohorts/one.yaml")
    assert str(caught.value).startswith("config/cohorts/one.yaml: there is no feature 'agee'.")


def test_columns_are_named_once_in_order_of_use_and_in_their_own_spelling() -> None:
    assert compiled("HAS_COPD AND age > 65 AND (Age < 90 OR efi > 0.2)").columns == ("has_copd", "age", "efi")


def test_values_are_unchecked_where_their_column_may_hold_any() -> None:
    values = compiled("sex = 'anything' AND frailty_category IN ('fit', 'mild')").values
    assert [(use.column, use.value) for use in values] == [
        ("sex", "anything"),
        ("frailty_category", "fit"),
        ("frailty_category", "mild"),
    ]


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
def test_text_made_to_keep_the_parser_busy_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    refusal(text)
    assert time.perf_counter() - started < 2


def test_long_and_deep_conditions_within_the_limits_are_understood() -> None:
    codes = ", ".join(f"'P{number:05}'" for number in range(900))
    assert compiled(f"case_manager IN ({codes})").columns == ("case_manager",)
    assert compiled("(" * DEEPEST_NESTING + "has_copd" + ")" * DEEPEST_NESTING).sql == "has_copd"
    assert compiled(" OR ".join(f"age = {number}" for number in range(500))).columns == ("age",)
    assert compiled("1 + " * 90 + "1 > age").columns == ("age",)


def test_compiled_condition_is_frozen() -> None:
    with pytest.raises(AttributeError):
        compiled("age > 65").text = "TRUE"  # type: ignore[misc]
