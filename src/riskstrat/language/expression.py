"""Compile one condition over the feature table, or say what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from riskstrat.language.parsing import PREFIX, TOO_DEEP, error_place, parse, parser_connection
from riskstrat.language.problems import Source, close_matches, listed
from riskstrat.language.tree import ValueUse, Walk
from riskstrat.language.vocabulary import OPERATOR_WORDS, TYPE_WORDS


@dataclass(frozen=True)
class Expression:
    """A checked condition. ``sql`` is written back from the checked syntax tree and is what queries use.

    ``columns`` are the features it reads, in order of use. ``values`` are the texts it compares columns with.
    The condition may be NULL for a person: unknown. Includes and excludes are true only when TRUE.
    """

    text: str
    sql: str
    columns: tuple[str, ...]
    values: tuple[ValueUse, ...]
    file: str | Path | None = None


def compile_expression(
    text: str,
    columns: Mapping[str, str],
    allowed: Mapping[str, Collection[str]] | None = None,
    *,
    file: str | Path | None = None,
) -> Expression:
    """Check ``text`` against ``columns`` (name: DuckDB type) and the ``allowed`` values of columns, if given.

    Raises ExpressionError (a DefinitionError) with the place, the reason and a proposal.
    """
    source = Source(text, file)
    try:
        parsed = parse(source)
        walk = Walk(source, columns)
        walk.condition(parsed.tree)
    except RecursionError:  # where the caller stands deep itself
        source.refuse(TOO_DEEP, remedy="split it into several conditions.")
    _check_types(source, parsed.sql, columns)
    expression = Expression(text, parsed.sql, tuple(walk.columns), tuple(walk.values), file)
    if allowed:
        check_values(expression, allowed)
    return expression


def check_values(expression: Expression, allowed: Mapping[str, Collection[str]]) -> None:
    """Raise ExpressionError for a text that its column never holds; one not in ``allowed`` may hold any."""
    for use in expression.values:
        known = allowed.get(use.column)
        if known and use.value not in known:
            matches = close_matches(use.value, known, most=1)
            proposal = f"did you mean {listed(matches, quote=chr(39))}? " if matches else ""
            Source(expression.text, expression.file).refuse(
                f"{use.column} is never '{use.value}'.",
                use.place,
                remedy=f"{proposal}It is one of {', '.join(sorted(known))}.",
            )


def _check_types(source: Source, sql: str, columns: Mapping[str, str]) -> None:
    """Compute it for a row of typed NULLs: finds clashes of types and impossible constants."""
    row = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
    connection = parser_connection()
    # the place of an error is right in the text as written; only checked text comes here
    for condition in (source.text, sql):
        try:
            result = connection.execute(f"{PREFIX}{condition}\nFROM (SELECT {row}) AS features")
            kind = str(result.description[0][1]).strip('"')
            result.fetchall()
        except duckdb.Error as problem:
            details = _details(problem)
            if "expression depth" in details["exception_message"]:
                source.refuse(TOO_DEEP, remedy="split it into several conditions.")
            source.refuse(
                f"the types do not fit: {_in_words(details['exception_message'])}",
                error_place(source.text, details),
                remedy="compare numbers with numbers, 'text' with text and DATE '2026-04-01' with dates.",
            )
    if kind == "NULL":
        source.refuse(
            "the expression is unknown for everybody.", remedy="compare something, such as: age >= 65"
        )
    if kind != "BOOLEAN":
        source.refuse(
            f"the expression is {TYPE_WORDS.get(kind, kind.lower())}, not true or false.",
            remedy="compare it with something, such as: age >= 65",
        )


def _details(problem: duckdb.Error) -> dict[str, str]:
    text = str(problem)
    start = text.find("{")
    if start < 0:
        return {"exception_message": text}
    details: dict[str, str] = json.loads(text[start:])
    return details


def _in_words(message: str) -> str:
    """The first sentence of DuckDB's message, with operators as people write them."""
    first = message.splitlines()[0].replace("_LITERAL", "").removesuffix(".").split(" - an explicit cast")[0]
    found = re.search(r"argument types '(?P<name>[^(]+)\((?P<types>.*)\)'", first)
    if found is None:
        return f"{first[:1].lower()}{first[1:]}."
    return f"{OPERATOR_WORDS.get(found['name'], found['name'])} does not work on ({found['types']})."
