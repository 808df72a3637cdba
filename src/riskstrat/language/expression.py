"""Compile one condition over the feature table, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb

from riskstrat.language.kinds import NOTHING
from riskstrat.language.parsing import (
    PREFIX,
    TOO_DEEP,
    byte_place,
    error_message,
    parse,
    parser_connection,
    parsing_on,
    written_back,
)
from riskstrat.language.problems import ExpressionError, Place, Source, close_matches, listed
from riskstrat.language.tree import Walk
from riskstrat.language.uses import Limits, NumberUse, OrderUse, ValueUse
from riskstrat.sqltext import quoted


@dataclass(frozen=True)
class Expression:
    """A checked condition. ``sql`` is written back from the checked syntax tree and is what queries use.

    ``columns`` are the features it reads, in order of use. ``values`` are the texts it compares columns with,
    ``numbers`` the numbers, ``ordered`` the text columns that it compares by the alphabet.
    The condition may be NULL for a person: unknown. Includes and excludes are true only when TRUE.
    """

    text: str
    sql: str
    columns: tuple[str, ...]
    values: tuple[ValueUse, ...]
    file: str | Path | None = None
    ordered: tuple[OrderUse, ...] = ()
    numbers: tuple[NumberUse, ...] = ()


def compile_expression(
    text: str,
    columns: Mapping[str, str],
    allowed: Mapping[str, Collection[str]] | None = None,
    *,
    file: str | Path | None = None,
    as_of: date | None = None,
    limits: Limits | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Expression:
    """Check ``text`` against ``columns`` (name: DuckDB type) and the ``allowed`` values and ``limits`` of columns.

    ``as_of``, ``months_before(N)`` and the like become days counted from ``as_of``; without it they are refused.
    An open ``connection``, of whatever database, saves the time of opening one to parse on. Raises
    ExpressionError (a DefinitionError) with the place, the reason and a proposal.
    """
    with parsing_on(connection):
        try:
            expression = _compiled(text, *_asked(columns, allowed), as_of)
        except ExpressionError as problem:
            raise ExpressionError(
                problem.what, text, problem.place, remedy=problem.remedy, file=file
            ) from None
        except RecursionError:  # where the caller stands deep itself
            Source(text, file).refuse(
                TOO_DEEP, Place(0, len(text)), remedy="split it into several conditions."
            )
    expression = replace(expression, file=file)
    if allowed:
        check_values(expression, allowed)
    if limits:
        check_limits(expression, limits)
    return expression


Columns = tuple[tuple[str, str], ...]
Allowed = tuple[tuple[str, tuple[str, ...]], ...]


def _asked(
    columns: Mapping[str, str], allowed: Mapping[str, Collection[str]] | None
) -> tuple[Columns, Allowed]:
    return tuple(columns.items()), tuple((name, tuple(values)) for name, values in (allowed or {}).items())


@lru_cache(maxsize=1024)
def _compiled(text: str, columns: Columns, allowed: Allowed, as_of: date | None) -> Expression:
    """The expression of a text, whatever file it stands in: a run asks for most of them more than once."""
    source, types = Source(text), dict(columns)
    parsed = parse(source)
    place = byte_place(source.text, parsed.tree)
    walk = Walk(source, types, as_of, dict(allowed))
    if walk.condition(parsed.tree).family == NOTHING:
        source.refuse(
            "the expression is unknown for everybody.", place, remedy="compare something, such as: age >= 65"
        )
    sql = written_back(parsed)
    _compute(source, sql, {name: types[name] for name in walk.columns}, place)
    return Expression(
        text=source.text,
        sql=sql,
        columns=tuple(walk.columns),
        values=tuple(walk.values),
        ordered=tuple(walk.ordered),
        numbers=tuple(walk.numbers),
    )


def check_values(expression: Expression, allowed: Mapping[str, Collection[str]]) -> None:
    """Raise ExpressionError for a text that its column never holds; one not in ``allowed`` may hold any.

    Also for < and > on values whose order, as ``allowed`` lists them, is not that of the alphabet.
    """
    source = Source(expression.text, expression.file)
    for use in expression.values:
        possible = use.possible(allowed.get(use.column, ()))
        if not possible or use.fits(possible):
            continue
        matches = close_matches(use.value.strip("%"), possible, most=1)
        if use.is_default and not matches:
            continue  # a word of its own for unknown, such as coalesce(category, 'unknown')
        proposal = f"did you mean {listed(matches, quote=chr(39))}? " if matches else ""
        is_never = "never begins with" if use.pattern == "starts_with" else "is never"
        like = " like" if use.pattern in ("like", "ilike") else ""
        source.refuse(
            f"{use.words} {is_never}{like} '{use.value}'.",
            use.place,
            remedy=f"{proposal}It is one of {', '.join(possible)}.",
        )
    for order in expression.ordered:
        listing = allowed.get(order.column, ())
        if isinstance(listing, (list, tuple)) and list(listing) != sorted(listing):
            source.refuse(
                f"{order.column} is text and would be compared by the alphabet: {', '.join(sorted(listing))}.",
                order.place,
                remedy=f"list the values that are meant: {order.column} IN ('{listing[-1]}').",
            )


def check_limits(expression: Expression, limits: Limits) -> None:
    """Raise ExpressionError for a number that its column never reaches, so that the comparison is true for nobody."""
    source = Source(expression.text, expression.file)
    for use in expression.numbers:
        least, most = limits.get(use.column, (None, None))
        if beyond := use.beyond((least, most)):
            span = (
                f"from {least:g} to {most:g}"
                if least is not None and most is not None
                else "within its limits"
            )
            source.refuse(f"{use.column} is {beyond}.", use.place, remedy=f"write a number {span}.")


def _compute(source: Source, sql: str, columns: Mapping[str, str], place: Place | None) -> None:
    """Compute it for a row of typed NULLs: what has passed every check must also run.

    Raises ExpressionError.
    """
    row = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
    try:
        result = parser_connection().execute(f"{PREFIX}{sql}\nFROM (SELECT {row or 'NULL'}) AS features")
        result.fetchall()
    except duckdb.Error as problem:
        message = error_message(problem)
        if "expression depth" in message:
            source.refuse(TOO_DEEP, place, remedy="split it into several conditions.")
        source.refuse(f"it cannot be computed: {message}.", place, remedy="write it in simpler parts.")
