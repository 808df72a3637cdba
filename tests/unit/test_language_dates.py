"""Words for days counted from the run: constants once compiled, never a clock."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from riskstrat.dates import months_before
from riskstrat.language import Expression, ExpressionError, compile_expression

COLUMNS = {"seen_date": "DATE", "age": "INTEGER", "manager": "VARCHAR"}
LEAP_END = date(2024, 3, 31)


def compiled(text: str, as_of: date | None = LEAP_END) -> Expression:
    return compile_expression(text, COLUMNS, as_of=as_of)


def refusal(text: str, as_of: date | None = LEAP_END) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compiled(text, as_of)
    return caught.value


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("as_of", date(2024, 3, 31)),
        ("AS_OF", date(2024, 3, 31)),
        ("months_before(0)", date(2024, 3, 31)),
        ("months_before(1)", date(2024, 2, 29)),
        ("Months_Before( 13 )", date(2023, 2, 28)),
        ("months_before(1200)", date(1924, 3, 31)),
        ("days_before(31)", date(2024, 2, 29)),
        ("days_before(40000)", LEAP_END - timedelta(days=40_000)),
        ("calendar_year_start(0)", date(2024, 1, 1)),
        ("calendar_year_start(1)", date(2023, 1, 1)),
        ("calendar_year_start(100)", date(1924, 1, 1)),
    ],
)
def test_word_becomes_the_day_it_names(word: str, day: date) -> None:
    expression = compiled(f"seen_date < {word}")
    assert expression.sql == f"(seen_date < CAST('{day}' AS DATE))"
    assert expression.columns == ("seen_date",)


@pytest.mark.parametrize("months", [0, 1, 11, 12, 13, 1200])
@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2025, 12, 31), date(2026, 1, 1)])
def test_months_are_clamped_as_everywhere_else(as_of: date, months: int) -> None:
    assert str(months_before(as_of, months)) in compiled(f"seen_date = months_before({months})", as_of).sql


def test_words_stand_wherever_a_date_does() -> None:
    text = (
        "seen_date BETWEEN months_before(12) AND as_of OR date_diff('day', seen_date, as_of) > 30 "
        "OR as_of - seen_date > 5 OR seen_date IN (as_of, days_before(1)) OR coalesce(seen_date, as_of) = as_of - 1"
    )
    assert "as_of" not in compiled(text).sql
    assert "before" not in compiled(text).sql


@pytest.mark.parametrize("word", ["as_of", "months_before(12)", "days_before(90)", "calendar_year_start(0)"])
def test_without_a_run_s_date_the_words_are_refused(word: str) -> None:
    problem = refusal(f"seen_date < {word}", None)
    assert "needs a run's date" in problem.what
    assert problem.remedy is not None
    assert "DATE '2026-04-01'" in problem.remedy
    assert problem.place is not None
    assert problem.place.start == len("seen_date < ")


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("seen_date < months_before(1201)", "one whole number from 0 to 1,200", "months_before(12)"),
        ("seen_date < days_before(40001)", "one whole number from 0 to 40,000", "days_before(90)"),
        ("seen_date < calendar_year_start(101)", "one whole number from 0 to 100", "calendar_year_start(0)"),
        ("seen_date < months_before(-1)", "one whole number", "months_before(12)"),
        ("seen_date < months_before(1.5)", "one whole number", "months_before(12)"),
        ("seen_date < months_before('12')", "one whole number", "months_before(12)"),
        ("seen_date < months_before(age)", "one whole number", "months_before(12)"),
        ("seen_date < months_before(1 + 1)", "one whole number", "months_before(12)"),
        ("seen_date < months_before()", "one whole number", "months_before(12)"),
        ("seen_date < months_before(1, 2)", "one whole number", "months_before(12)"),
        ("seen_date < months_before", "takes a number in brackets", "months_before(12)"),
        ("seen_date < as_of()", "takes no brackets", "as_of alone"),
        ("seen_date < month_before(12)", "month_before is not allowed", "use months_before."),
        ("seen_date < as_off", "no feature 'as_off'", "as_of"),
        ("seen_date < run.as_of", "no feature 'run.as_of'", "as_of"),
        ("seen_date < current_date", "no clock decides", "as_of"),
        ("age < as_of", "age is a number, and this part is a date", "numbers"),
        ("manager = months_before(1)", "manager is text, and this part is a date", "text"),
        ("as_of", "this is a date, not true or false", "DATE"),
        ("seen_date < months_before(1) OVER ()", "window function", "comparisons"),
    ],
)
def test_misuse_is_refused_with_a_proposal(text: str, reason: str, remedy: str) -> None:
    problem = refusal(text)
    assert reason in problem.what
    assert remedy in (problem.remedy or "")
    assert problem.place is not None


def test_a_day_before_the_year_1_is_refused_under_its_word() -> None:
    for word in ("months_before(1200)", "days_before(40000)", "calendar_year_start(100)"):
        problem = refusal(f"seen_date < {word}", date(50, 6, 1))
        assert "before the year 1" in problem.what
        assert str(problem).splitlines()[2].count("^") == len(word)
