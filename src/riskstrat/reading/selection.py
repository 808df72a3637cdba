"""People of a published run: a cohort that the run selected, or everybody for whom a condition is TRUE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from riskstrat.errors import MisuseError
from riskstrat.language import Expression, NumberUse, ValueUse, check_limits, check_values, compile_expression
from riskstrat.reading.failures import reading
from riskstrat.runs import Run, feature_types
from riskstrat.sqltext import literal

if TYPE_CHECKING:
    from riskstrat.language.uses import Limits
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
    ``reads`` are the features that the rules read, where they are known.
    """

    source: str
    counted: str
    condition: str
    order: str
    columns: tuple[str, ...]
    usual: tuple[str, ...]
    expression: Expression | None = None
    unknown: str = "FALSE"
    reads: tuple[str, ...] = ()


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
        reads=_read_by(shown.criteria) if shown else (),
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
        reads=_read_by(criteria),
    )


def _read_by(criteria: Criteria) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for rule in criteria.rules for column in rule.columns))


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
        reads=expression.columns,
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


def uses_of_nobody(
    connection: duckdb.DuckDBPyConnection, expression: Expression
) -> list[ValueUse | NumberUse]:
    """What the expression compares a column with though no person has it, by which contracts are asked."""
    plain: dict[str, list[ValueUse]] = {}
    for use in expression.values:
        plain.setdefault(use.column if use.is_plain else "", []).append(use)
    several = {column: uses for column, uses in plain.items() if column and len(uses) > FEW_VALUES}
    many = {column: _absent_of_many(connection, column, uses) for column, uses in several.items()}
    found: list[ValueUse | NumberUse] = []
    for use in expression.values:
        listed = many.get(use.column) if use.is_plain else None
        if (use.value in listed) if listed is not None else _is_absent(connection, use):
            found.append(use)
    return [*found, *(use for use in expression.numbers if _is_absent(connection, use))]


def _is_absent(connection: duckdb.DuckDBPyConnection, use: ValueUse | NumberUse) -> bool:
    """A scan ends at the first who has it, and skips what cannot hold it."""
    return not connection.execute(f"SELECT 1 FROM features WHERE {use.sql} LIMIT 1").fetchall()


def _absent_of_many(connection: duckdb.DuckDBPyConnection, column: str, uses: Sequence[ValueUse]) -> set[str]:
    listed = ", ".join(f"({literal(value)})" for value in dict.fromkeys(use.value for use in uses))
    rows = connection.execute(
        f"SELECT asked.value FROM (VALUES {listed}) AS asked (value) "
        f'WHERE asked.value NOT IN (SELECT "{column}" FROM features WHERE "{column}" IS NOT NULL)'
    ).fetchall()
    return {str(row[0]) for row in rows}


def check_absent_values(
    expression: Expression,
    absent: Sequence[ValueUse | NumberUse],
    allowed: Mapping[str, Sequence[str]],
    limits: Limits,
) -> list[str]:
    """Raise ExpressionError for a value that its column can never hold; else say which values nobody has."""
    asked = {*(use.column for use in absent), *(use.column for use in expression.ordered)}
    check_values(expression, {column: allowed[column] for column in asked if column in allowed})
    check_limits(expression, limits)
    plain = [use for use in absent if isinstance(use, ValueUse) and use.is_plain]
    told = sorted({(use.column, use.value) for use in plain})
    return [f"nobody has {column} '{value}'." for column, value in told]


def count_people(connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection) -> Count:
    """How many people the selection holds."""
    query = (
        f"SELECT count(*) FILTER (WHERE {selection.condition}), count(*) FILTER (WHERE {selection.unknown}) "
        f"FROM {selection.counted}"
    )
    people, undecided = next(read_rows(connection, run, selection, query))
    return Count(people, undecided)


def population_of(connection: duckdb.DuckDBPyConnection, code: str | None = None) -> int:
    """How many people the run has, or an area of it. Raises MisuseError."""
    condition = "TRUE" if code is None else area_condition(connection, code)
    return int(connection.execute(f"SELECT count(*) FROM features WHERE {condition}").fetchall()[0][0])


def people_query(selection: Selection, columns: Sequence[str], limit: int | None) -> str:
    """SQL for the selection's people. Raises MisuseError for a column that there is not, or twice."""
    for place, name in enumerate(columns):
        if name in columns[:place]:
            raise MisuseError(f"the column '{name}' is named twice.", remedy="name each column once.")
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
