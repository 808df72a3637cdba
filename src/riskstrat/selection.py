"""People of a published run: a cohort that the run selected, or everybody for whom a condition is TRUE.

Imports only the standard library and DuckDB, as ``cohort count`` must start at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from riskstrat.errors import DefinitionError, MisuseError, RiskstratError
from riskstrat.language import Expression, ExpressionError, check_values, compile_expression
from riskstrat.runs import Run, feature_types
from riskstrat.sqltext import literal

MEMBER_COLUMNS = ("rank", "score", "reasons")
USUAL_COLUMNS = (
    "person_id",
    "age",
    "sex",
    "practice_code",
    "neighbourhood_code",
    "frailty_category",
    "unplanned_admissions_12m",
)
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Selection:
    """What to read: SQL after FROM and WHERE, the order of people, and every column that may be asked for.

    ``counted`` is what counting reads instead of ``source``. ``usual`` are the columns that are shown unless
    others are named. ``expression`` is None for a cohort.
    """

    source: str
    counted: str
    condition: str
    order: str
    columns: tuple[str, ...]
    usual: tuple[str, ...]
    expression: Expression | None = None


@dataclass(frozen=True)
class Count:
    """How many people, and how many more could not be decided because a feature is unknown."""

    people: int
    undecided: int


def select_cohort(connection: duckdb.DuckDBPyConnection, run: Run, name: str) -> Selection:
    """The members of a cohort, in its own order. Raises DefinitionError when the run has no such cohort."""
    known = run.cohorts()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        listing = ", ".join(near or known) or "none"
        raise DefinitionError(
            f"the run {run.id} has no cohort '{name}'.",
            remedy=f"use one of: {listing}. A new definition takes part from the next run on.",
        )
    members = literal(str(run.folder.resolve() / "cohorts" / f"{name}.parquet"))
    features = tuple(feature_types(connection))
    return Selection(
        source=f"read_parquet({members}) AS members JOIN features USING (person_id)",
        counted=f"read_parquet({members})",
        condition="TRUE",
        order="members.rank",
        columns=(*MEMBER_COLUMNS, *features),
        usual=("rank", *USUAL_COLUMNS, "score", "reasons"),
    )


def select_where(connection: duckdb.DuckDBPyConnection, text: str) -> Selection:
    """Everybody for whom the condition is TRUE, by person_id. Raises ExpressionError."""
    types = feature_types(connection)
    expression = compile_expression(text, types)
    return Selection(
        source="features",
        counted="features",
        condition=f"COALESCE({expression.sql}, FALSE)",
        order="person_id",
        columns=tuple(types),
        usual=USUAL_COLUMNS,
        expression=expression,
    )


def values_nobody_has(connection: duckdb.DuckDBPyConnection, expression: Expression) -> dict[str, list[str]]:
    """Texts that the expression compares a column with though no person has them: {column: [text]}."""
    asked: dict[str, list[str]] = {}
    for use in expression.values:
        asked.setdefault(use.column, []).append(use.value)
    absent: dict[str, list[str]] = {}
    for column, values in asked.items():
        listed = ", ".join(f"({literal(value)})" for value in dict.fromkeys(values))
        found = connection.execute(
            f"SELECT asked.value FROM (VALUES {listed}) AS asked (value) "
            f'WHERE asked.value NOT IN (SELECT "{column}" FROM features WHERE "{column}" IS NOT NULL) '
            "ORDER BY asked.value"
        ).fetchall()
        if found:
            absent[column] = [str(row[0]) for row in found]
    return absent


def check_absent_values(
    expression: Expression, absent: Mapping[str, Sequence[str]], allowed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Raise ExpressionError for a value that its column can never hold; else say which values nobody has."""
    check_values(expression, {column: allowed[column] for column in absent if column in allowed})
    return [f"nobody has {column} '{value}'." for column, values in absent.items() for value in values]


def count_people(connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection) -> Count:
    """How many people the selection holds."""
    unknown = f"({selection.expression.sql}) IS NULL" if selection.expression else "FALSE"
    query = (
        f"SELECT count(*) FILTER (WHERE {selection.condition}), count(*) FILTER (WHERE {unknown}) "
        f"FROM {selection.counted}"
    )
    people, undecided = next(read_rows(connection, run, selection, query))
    return Count(people, undecided)


def people_query(selection: Selection, columns: Sequence[str], limit: int | None) -> str:
    """SQL for the selection's people. Raises MisuseError for a column that there is not."""
    for name in columns:
        if name not in selection.columns:
            near = difflib.get_close_matches(name, selection.columns, n=3)
            raise MisuseError(
                f"there is no column '{name}'.",
                remedy=f"did you mean {' or '.join(near)}?" if near else "see: riskstrat features list",
            )
    chosen = ", ".join(f'"{name}"' for name in columns)
    ending = f" LIMIT {limit}" if limit is not None else ""
    return (
        f"SELECT {chosen} FROM {selection.source} WHERE {selection.condition} "
        f"ORDER BY {selection.order}{ending}"
    )


def read_rows(
    connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection, query: str
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query over the selection.

    DuckDB's messages may quote a person's value and are not shown.
    """
    try:
        result = connection.execute(query)
        while rows := result.fetchmany(ROWS_AT_ONCE):
            yield from rows
    except duckdb.Error as problem:
        raise failure(run, selection, problem) from None


def failure(run: Run, selection: Selection, problem: duckdb.Error) -> RiskstratError:
    """The error for a query that failed on the run's data."""
    if selection.expression is not None and not isinstance(problem, duckdb.IOException):
        return ExpressionError(
            "the expression cannot be computed for some people (their values do not fit a cast or a sum).",
            selection.expression.text,
            None,
            remedy="use TRY_CAST, or restrict the values before they are converted.",
        )
    return RiskstratError(
        "cannot be read; the published run is damaged.",
        file=run.folder,
        remedy=f"see: riskstrat runs verify {run.id}",
    )
