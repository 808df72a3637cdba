"""People of a published run: a cohort that the run selected, or everybody for whom a condition is TRUE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from riskstrat.errors import MisuseError
from riskstrat.language import Expression, check_values, compile_expression
from riskstrat.reading.failures import reading
from riskstrat.runs import Run, feature_types
from riskstrat.sqltext import literal

if TYPE_CHECKING:
    from riskstrat.reading.published import Criteria

MEMBER_COLUMNS = ("rank", "score", "reasons", "gaps", "is_manual_addition")
AREA_COLUMNS = ("practice_code", "pcn_code", "neighbourhood_code")
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
FEW_VALUES = 8


@dataclass(frozen=True)
class Selection:
    """What to read: SQL after FROM and WHERE, the order of people, and every column that may be asked for.

    ``counted`` is what counting reads instead of ``source``. ``usual`` are the columns that are shown unless
    others are named. ``expression`` is None for a cohort. ``unknown`` is SQL for those who could not be decided.
    """

    source: str
    counted: str
    condition: str
    order: str
    columns: tuple[str, ...]
    usual: tuple[str, ...]
    expression: Expression | None = None
    unknown: str = "FALSE"


@dataclass(frozen=True)
class Count:
    """How many people, and how many more could not be decided because a feature is unknown."""

    people: int
    undecided: int


def select_cohort(connection: duckdb.DuckDBPyConnection, run: Run, name: str) -> Selection:
    """The members of a cohort, in its own order. Raises DefinitionError when the run has no such cohort."""
    from riskstrat.reading.decision import members_of
    from riskstrat.reading.published import definition_path, read_cohort, unknown_cohort

    known = run.cohorts()
    if name not in known:
        raise unknown_cohort(name, known, f"the run {run.id}")
    members = members_of(run, name)
    described = connection.execute(f"DESCRIBE FROM {members}").fetchall()
    own = [str(row[0]) for row in described if row[0] in MEMBER_COLUMNS]
    features = tuple(feature_types(connection))
    shown = read_cohort(run, name) if definition_path(run, name).is_file() else None
    extra = [column for column in shown.columns if column in features] if shown else []
    gaps = ["gaps"] if shown and shown.criteria.gaps else []
    return Selection(
        source=f"{members} AS members JOIN features USING (person_id)",
        counted=members,
        condition="TRUE",
        order="members.rank",
        columns=(*own, *features),
        usual=tuple(dict.fromkeys(("rank", *USUAL_COLUMNS, *extra, "score", *gaps, "reasons"))),
    )


def select_draft(
    connection: duckdb.DuckDBPyConnection, run: Run, criteria: Criteria, extra: Sequence[str]
) -> Selection:
    """Whom a definition that the run does not carry would select, in its order; they have no reasons yet."""
    from riskstrat.reading.decision import DECISION, decide, scores_of

    decide(connection, run, criteria)
    features = tuple(feature_types(connection))
    return Selection(
        source=(
            f"{DECISION} JOIN features USING (person_id) "
            f"JOIN (SELECT person_id, score, score AS risk_score FROM {scores_of(run)}) AS scores USING (person_id)"
        ),
        counted=DECISION,
        condition="is_member",
        order=criteria.rank_sql,
        columns=("score", *features),
        usual=tuple(dict.fromkeys((*USUAL_COLUMNS, *extra, "score"))),
        unknown="is_undecided",
    )


def select_where(connection: duckdb.DuckDBPyConnection, run: Run, text: str) -> Selection:
    """Everybody for whom the condition is TRUE, by person_id. Raises ExpressionError."""
    types = feature_types(connection)
    expression = compile_expression(text, types, as_of=run.as_of)
    return Selection(
        source="features",
        counted="features",
        condition=f"COALESCE({expression.sql}, FALSE)",
        order="person_id",
        columns=tuple(types),
        usual=USUAL_COLUMNS,
        expression=expression,
        unknown=f"({expression.sql}) IS NULL",
    )


def within_area(connection: duckdb.DuckDBPyConnection, selection: Selection, code: str) -> Selection:
    """Those of the selection who belong to a practice, a PCN or a neighbourhood. Raises MisuseError."""
    condition = area_condition(connection, code)
    return replace(
        selection,
        counted=selection.source,
        condition=f"({selection.condition}) AND {condition}",
        unknown=f"({selection.unknown}) AND {condition}",
    )


def area_condition(connection: duckdb.DuckDBPyConnection, code: str) -> str:
    """SQL over ``features`` for the people of a practice, a PCN or a neighbourhood. Raises MisuseError."""
    known: set[str] = set()
    for column in AREA_COLUMNS:
        found = connection.execute(
            f"SELECT DISTINCT {column} FROM features WHERE {column} IS NOT NULL"
        ).fetchall()
        codes = {str(row[0]) for row in found}
        if code in codes:
            return f"features.{column} = {literal(code)}"
        known |= codes
    import difflib

    near = difflib.get_close_matches(code, known, n=3)
    raise MisuseError(
        f"nobody of the run belongs to an area '{code}'.",
        remedy=f"use one of: {', '.join(near or sorted(known)[:8])}.",
    )


def values_nobody_has(connection: duckdb.DuckDBPyConnection, expression: Expression) -> dict[str, list[str]]:
    """Texts that the expression compares a column with though no person has them: {column: [text]}."""
    asked: dict[str, list[str]] = {}
    for use in expression.values:
        asked.setdefault(use.column, []).append(use.value)
    absent: dict[str, list[str]] = {}
    for column, values in asked.items():
        several = dict.fromkeys(values)
        find = _absent_of_few if len(several) <= FEW_VALUES else _absent_of_many
        if found := find(connection, column, list(several)):
            absent[column] = sorted(found)
    return absent


def _absent_of_few(connection: duckdb.DuckDBPyConnection, column: str, values: Sequence[str]) -> list[str]:
    """One value after another: a scan ends at the first who has it, and skips what cannot hold it."""
    return [
        value
        for value in values
        if not connection.execute(
            f'SELECT 1 FROM features WHERE "{column}" = {literal(value)} LIMIT 1'
        ).fetchall()
    ]


def _absent_of_many(connection: duckdb.DuckDBPyConnection, column: str, values: Sequence[str]) -> list[str]:
    listed = ", ".join(f"({literal(value)})" for value in values)
    rows = connection.execute(
        f"SELECT asked.value FROM (VALUES {listed}) AS asked (value) "
        f'WHERE asked.value NOT IN (SELECT "{column}" FROM features WHERE "{column}" IS NOT NULL)'
    ).fetchall()
    return [str(row[0]) for row in rows]


def check_absent_values(
    expression: Expression, absent: Mapping[str, Sequence[str]], allowed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Raise ExpressionError for a value that its column can never hold; else say which values nobody has."""
    asked = {*absent, *(use.column for use in expression.ordered)}
    check_values(expression, {column: allowed[column] for column in asked if column in allowed})
    return [f"nobody has {column} '{value}'." for column, values in absent.items() for value in values]


def count_people(connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection) -> Count:
    """How many people the selection holds."""
    query = (
        f"SELECT count(*) FILTER (WHERE {selection.condition}), count(*) FILTER (WHERE {selection.unknown}) "
        f"FROM {selection.counted}"
    )
    people, undecided = next(read_rows(connection, run, selection, query))
    return Count(people, undecided)


def people_query(selection: Selection, columns: Sequence[str], limit: int | None) -> str:
    """SQL for the selection's people. Raises MisuseError for a column that there is not."""
    for name in columns:
        if name not in selection.columns:
            import difflib

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
    with reading(run, selection.expression.text if selection.expression else None):
        result = connection.execute(query)
        while rows := result.fetchmany(ROWS_AT_ONCE):
            yield from rows
