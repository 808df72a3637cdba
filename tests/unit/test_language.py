"""Conditions over the feature table: what is understood, what is refused, and how the refusal reads."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, ExpressionError, compile_expression

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
    ("age + 1", "this is a number, not true or false"),
    ("'yes'", "'yes' is text, not true or false"),
    ("1", "1 is a number, not true or false"),
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
    ("age > 'old'", "age is a number, and 'old' is text"),
    ("sex = 1", "sex is text, and 1 is a number"),
    ("sex BETWEEN 1 AND 2", "sex is text"),
    ("has_copd = 'perhaps'", "has_copd is true or false"),
    ("has_copd = 1", "has_copd is true or false"),
    ("last_discharge_date > 2026", "last_discharge_date is a date"),
    ("last_discharge_date > DATE '2026-13-01'", "'2026-13-01' is not a date"),
    ("last_discharge_date > age", "last_discharge_date is a date, and age is a number"),
    ("sex + 5 > 1", "+ works on numbers, and sex is text"),
    ("age LIKE '6%'", "LIKE works on text, and age is a number"),
    ("last_discharge_date < current_date", "no clock decides"),
    ("last_discharge_date < today()", "no clock decides"),
    ("last_discharge_date < now()", "no clock decides"),
    ("date_diff('month', last_discharge_date, DATE '2026-04-01') > 1", "date_diff counts days only"),
    ("age = '65'", "age is a number, and '65' is text"),
    ("age IN (1, 'x')", "age is a number, and 'x' is text"),
    ("age BETWEEN 1 AND '2'", "age is a number, and '2' is text"),
    ("age = has_copd", "age is a number, and has_copd is true or false"),
    ("has_copd = 1", "has_copd is true or false, and 1 is a number"),
    ("has_copd > age", "has_copd is true or false, and age is a number"),
    ("CASE WHEN has_copd THEN 'a' ELSE 5 END = 'a'", "'a' is text, and 5 is a number"),
    ("CASE sex WHEN 1 THEN TRUE END", "sex is text, and 1 is a number"),
    ("coalesce(age, 'x') = 1", "age is a number, and 'x' is text"),
    ("greatest(age, last_discharge_date) > 1", "age is a number, and last_discharge_date is a date"),
    ("age IS TRUE", "age is a number, not true or false"),
    ("last_discharge_date IN ('2026-01-01', 'soon')", "last_discharge_date is a date, and 'soon' is not"),
    ("last_discharge_date > '1/4/2026'", "last_discharge_date is a date, and '1/4/2026' is not"),
    ("last_discharge_date + age > last_discharge_date", "what + adds to a date"),
    ("abs(age, 2) = 1", "abs takes 1 value, and there are 2"),
    ("age > 1e400", "at most 15 digits"),
    ("age > 1_000", "at most 15 digits"),
    ("sex LIKE case_manager", "the pattern of LIKE must be text in quotes"),
    ("age >", "this is not a condition"),
    ("age >= 65 AND", "this is not a condition"),
    ("age => 65", "there is no operator =>"),
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


@pytest.mark.parametrize(("text", "reason"), REFUSED)
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


@pytest.mark.parametrize("text", ["hfrs >= 'low'", "hfrs BETWEEN 'low' AND 'high'", "'low' < hfrs"])
def test_values_out_of_alphabetical_order_are_not_compared_by_the_alphabet(text: str) -> None:
    columns = {"hfrs": "VARCHAR", "age_band": "VARCHAR"}
    listed = {"hfrs": ("low", "intermediate", "high"), "age_band": ("0-17", "18-64", "65+")}
    with pytest.raises(ExpressionError, match="hfrs is text and would be compared by the alphabet"):
        compile_expression(text, columns, listed)
    assert compile_expression("age_band >= '18-64'", columns, listed).ordered[0].column == "age_band"


def test_category_that_is_nearly_right_is_proposed_wherever_it_is_compared() -> None:
    for text in (
        "'sever' = frailty_category",
        "frailty_category NOT IN ('fit', 'sever')",
        "frailty_category IS DISTINCT FROM 'sever'",
        "nullif(frailty_category, 'sever') IS NULL",
        "CASE frailty_category WHEN 'sever' THEN TRUE ELSE FALSE END",
    ):
        problem = refusal(text)
        assert problem.remedy is not None
        assert problem.remedy.startswith("did you mean 'severe'?")
        assert problem.place is not None


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("lower(frailty_category) = 'sever'", "did you mean 'severe'?"),
        ("lower(frailty_category) = 'Severe'", "did you mean 'severe'?"),
        ("upper(frailty_category) = 'SEVER'", "did you mean 'SEVERE'?"),
        ("trim(frailty_category) = 'sever'", "did you mean 'severe'?"),
        ("greatest(frailty_category, 'mild') = 'sever'", "did you mean 'severe'?"),
        ("coalesce(frailty_category, 'sever') = 'severe'", "did you mean 'severe'?"),
        ("coalesce(frailty_category, 'sever') = 'sever'", "did you mean 'severe'?"),
        ("coalesce(frailty_category, 'unknown') = 'sever'", "did you mean 'severe'?"),
        ("nullif(frailty_category, 'fit') = 'sever'", "did you mean 'severe'?"),
        ("CASE WHEN has_copd THEN 'sever' ELSE 'fit' END = frailty_category", "did you mean 'severe'?"),
        ("CASE WHEN has_copd THEN frailty_category ELSE 'fit' END = 'sever'", "did you mean 'severe'?"),
        ("frailty_category LIKE 'sever'", "did you mean 'severe'?"),
        ("frailty_category LIKE 'sevr%'", "did you mean 'severe'?"),
        ("frailty_category LIKE 'Sev%'", "did you mean 'severe'?"),
        ("starts_with(frailty_category, 'x')", "It is one of fit, mild, moderate, severe."),
    ],
)
def test_category_is_checked_through_what_hands_it_on(text: str, remedy: str) -> None:
    assert (refusal(text).remedy or "").startswith(remedy)


@pytest.mark.parametrize(
    "text",
    [
        "lower(frailty_category) = 'severe'",
        "upper(frailty_category) IN ('SEVERE', 'MILD')",
        "coalesce(frailty_category, 'none') = 'none'",
        "coalesce(frailty_category, 'unknown') <> 'severe'",
        "CASE WHEN age > 80 THEN 'old' ELSE 'young' END = 'old'",
        "frailty_category LIKE 'm%'",
        "frailty_category ILIKE 'SEV%'",
        "starts_with(frailty_category, 'sev')",
        "substring(frailty_category, 1, 3) = 'sev'",
    ],
)
def test_word_for_unknown_and_part_of_a_category_are_allowed(text: str) -> None:
    assert compiled(text).columns


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("age = 123", "age is never above 122."),
        ("age IN (65, 200)", "age is never above 122."),
        ("age > 122", "age is never above 122."),
        ("130 <= age", "age is never above 122."),
        ("age < 0", "age is never below 0."),
        ("age = -1", "age is never below 0."),
        ("age BETWEEN 123 AND 130", "age is never above 122."),
    ],
)
def test_number_that_its_column_never_reaches_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, COLUMNS, limits={"age": (0, 122)})
    assert caught.value.what == reason
    assert caught.value.remedy == "write a number from 0 to 122."
    assert caught.value.place is not None


@pytest.mark.parametrize(
    "text", ["age >= 122", "age <= 0", "age > 0 AND age < 500", "efi = 7", "age + 200 > 300"]
)
def test_number_at_the_end_of_its_column_is_allowed(text: str) -> None:
    assert compile_expression(text, COLUMNS, limits={"age": (0, 122)}).columns


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ("age = NULL", "NULL"),
        ("has_copd = NULL", "NULL"),
        ("NULL <> age", "NULL"),
        ("age / 0 > 1", "age / 0"),
        ("age BETWEEN 1 AND NULL", "NULL"),
        ("age IN (NULL)", "NULL"),
        ("age + NULL > 3", "age + NULL"),
    ],
)
def test_comparison_with_what_nobody_knows_is_refused_with_its_place(text: str, under: str) -> None:
    problem = refusal(text)
    assert "unknown for everybody" in problem.what
    assert "IS NULL" in (problem.remedy or "")
    assert problem.place is not None
    assert under.startswith(text[problem.place.start : problem.place.start + problem.place.length])


def test_null_in_a_list_and_beside_distinct_is_allowed() -> None:
    for text in ("age IS DISTINCT FROM NULL", "age IN (65, NULL)", "coalesce(age, NULL) > 3"):
        assert compiled(text).columns == ("age",)


@pytest.mark.parametrize(
    ("text", "remedy", "under"),
    [
        ("age \u2265 65", "write >=", "\u2265"),
        ("age\u226565", "write >=", "\u2265"),
        ("age => 65", "write >=", "=>"),
        ("age > 65 && has_copd", "write AND", "&&"),
        ("WHERE age > 3", "leave out WHERE.", "WHERE"),
        ("ATTACH 'x.db'", "give only what would stand after WHERE, such as: age >= 65", "ATTACH"),
        ("frailty = severe", "did you mean frailty_category = 'severe'?", "frailty"),
        ("frailty = 'severe'", "did you mean frailty_category = 'severe'?", "frailty"),
        ("frailty_category = severe", "did you mean frailty_category = 'severe'?", "severe"),
        ("nvl(age, 0) > 3", "write coalesce(a, b), or a IS NULL.", "nvl(age, 0)"),
    ],
)
def test_what_is_written_elsewhere_is_answered_with_what_to_write_here(
    text: str, remedy: str, under: str
) -> None:
    problem = refusal(text)
    assert problem.remedy == remedy
    assert problem.place is not None
    assert text[problem.place.start : problem.place.start + problem.place.length] == under


def test_remedy_for_an_unknown_function_names_all_that_there_are() -> None:
    remedy = refusal("stddev(age) > 3").remedy or ""
    assert all(name in remedy for name in ("coalesce", "CASE", "CAST", "TRY_CAST", "greatest"))


def test_a_lent_connection_is_left_as_it_was() -> None:
    connection = duckdb.connect()
    connection.execute("SELECT unnest([1, 2, 3])")
    assert connection.fetchone() == (1,)
    compile_expression("age > 65", COLUMNS, connection=connection)
    with pytest.raises(ExpressionError):
        compile_expression("agee > 65", COLUMNS, connection=connection)
    assert connection.fetchall() == [(2,), (3,)]
    connection.close()
    assert compile_expression("age > 65", COLUMNS).sql == "(age > 65)"


def test_compiled_condition_is_frozen() -> None:
    with pytest.raises(AttributeError):
        compiled("age > 65").text = "TRUE"  # type: ignore[misc]
