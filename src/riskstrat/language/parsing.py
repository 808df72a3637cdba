"""From text to DuckDB's own syntax tree, after cheap checks that keep hostile text away from the parser."""

from __future__ import annotations

import functools
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import duckdb

from riskstrat.language.problems import Place, Source

LONGEST_TEXT = 10_000
DEEPEST_NESTING = 50
DEEPEST_EXPRESSION = 4 * DEEPEST_NESTING
LONGEST_SIGN_RUN = 10  # the parser needs quadratic time for long runs of signs
PREFIX = "SELECT "
TOO_DEEP = "the expression is nested too deeply."
UNKNOWN_PLACE = 2**63
SIGNS = frozenset({"-", "+", "~", "!", "@", "not"})
CLAUSES = frozenset(
    {
        *(
            "from",
            "where",
            "group",
            "having",
            "qualify",
            "window",
            "order",
            "limit",
            "offset",
            "using",
            "into",
        ),
        *("union", "intersect", "except", "distinct", "for", "with", "fetch", "pivot", "unpivot"),
    }
)
# what people write elsewhere, and what it is here
OPERATORS_ELSEWHERE = {
    "=>": ">=",
    "=<": "<=",
    "&&": "AND",
    "&": "AND",
    "|": "OR",
    "\u2265": ">=",
    "\u2264": "<=",
    "\u2260": "<>",
    "\u2212": "-",
    "\u2013": "-",
    "\u00d7": "*",
    "\u00f7": "/",
}
SIGNS_ELSEWHERE = re.compile("[\u2265\u2264\u2260\u2212\u2013\u00d7\u00f7]")
STATEMENTS = frozenset(
    {
        *("alter", "attach", "begin", "call", "checkpoint", "copy", "create", "delete", "describe", "detach"),
        *("drop", "execute", "explain", "export", "import", "insert", "install", "load", "pragma", "prepare"),
        *("reset", "select", "set", "show", "summarize", "update", "use", "vacuum", "with"),
    }
)
CURLY_QUOTES = re.compile("[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00b4`]")


@dataclass(frozen=True)
class Parsed:
    """One expression: its syntax tree as DuckDB serialises it, and the document that the tree is a part of."""

    tree: dict[str, Any]
    document: dict[str, Any]


_lent: ContextVar[duckdb.DuckDBPyConnection | None] = ContextVar("_lent", default=None)


def parser_connection() -> duckdb.DuckDBPyConnection:
    """The connection that parses: a lent one, or else one of an empty database."""
    return _lent.get() or _own_connection()


@functools.cache
def _own_connection() -> duckdb.DuckDBPyConnection:
    """An empty in-memory database that can reach nothing: no file, no network, no setting."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def parsing_on(connection: duckdb.DuckDBPyConnection | None) -> Iterator[None]:
    """Parse on a cursor of this connection meanwhile: another database would cost tens of milliseconds."""
    if connection is None:
        yield
        return
    with connection.cursor() as cursor:
        token = _lent.set(cursor)
        try:
            yield
        finally:
            _lent.reset(token)


def parse(source: Source) -> Parsed:
    """The one expression of the text. Raises ExpressionError when it is none, or more than one."""
    check_characters(source)
    check_tokens(source)
    check_start(source)
    document = _serialise(source)
    statements = document["statements"]
    if len(statements) != 1:
        source.refuse("there is more than one statement.", remedy="give one condition, without ';'.")
    items = statements[0]["node"].get("select_list", [])
    clause = _first_clause(source.text)
    # a WINDOW clause that nothing uses leaves no trace in the tree
    if _around(statements[0]) != _around_one_expression() or (clause and clause[0] == "window"):
        source.refuse(
            "this is a query, not a condition.",
            clause[1] if clause else Place(0, len(source.text)),
            remedy="give only what would stand after WHERE, such as: age >= 65",
        )
    if len(items) != 1:
        place = byte_place(source.text, items[1])
        source.refuse(
            "there is more than one expression.", place, remedy="join the conditions with AND or OR."
        )
    if items[0].get("alias"):
        source.refuse(
            "the expression has a name or a second word after it.",
            byte_place(source.text, items[0]),
            remedy="join conditions with AND or OR; put text in single quotes.",
        )
    return Parsed(tree=items[0], document=document)


def written_back(parsed: Parsed) -> str:
    """SQL of the tree as it is now."""
    answer = parser_connection().execute(
        "SELECT json_deserialize_sql(CAST($tree AS JSON))", {"tree": json.dumps(parsed.document)}
    )
    return str(answer.fetchall()[0][0]).removeprefix(PREFIX)


def check_characters(source: Source) -> None:
    """Refuse empty or very long text, and characters that cannot be seen or look like others."""
    if not source.text.strip():
        source.refuse("the expression is empty.", remedy="give a condition, such as: age >= 65")
    if len(source.text) > LONGEST_TEXT:
        source.refuse(
            f"the expression is {len(source.text):,} characters long; {LONGEST_TEXT:,} are allowed.",
            Place(LONGEST_TEXT, 1),
            remedy="put long lists of values into a code list or a feature.",
        )
    for index, character in enumerate(source.text):
        category = unicodedata.category(character)
        if character not in " \n\t" and category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}:
            name = unicodedata.name(character, f"character number {ord(character)}").lower()
            source.refuse(
                f"there is a character that is not allowed here ({name}).",
                Place(index, 1),
                remedy="type it again with ordinary letters and spaces.",
            )


def check_tokens(source: Source) -> None:
    """Refuse comments, ';', curly quotes outside text, and nesting that would keep the parser busy."""
    depth = signs = 0
    for place, kind, word in _tokens(source.text):
        if kind == duckdb.token_type.comment:
            source.refuse("comments are not allowed.", place, remedy="explain the rule in the cohort's why.")
        if word == ";":
            source.refuse("';' is not allowed.", place, remedy="give one condition.")
        if kind != duckdb.token_type.string_const and (curly := CURLY_QUOTES.search(word)):
            source.refuse(
                "there is a curly quote.",
                Place(place.start + curly.start(), 1),
                remedy="put text in straight single quotes: 'like this'.",
            )
        _check_operator(source, place, kind, word)
        depth += (word in "([{") - (word in ")]}")
        signs = signs + 1 if word.lower() in SIGNS else 0
        if depth > DEEPEST_NESTING or signs > LONGEST_SIGN_RUN:
            source.refuse(TOO_DEEP, place, remedy=f"use at most {DEEPEST_NESTING} levels of brackets.")


def check_start(source: Source) -> None:
    """Refuse what begins like a query or another statement."""
    words = [(place, kind, word) for place, kind, word in itertools.islice(_tokens(source.text), 2)]
    place, kind, word = words[0]
    if kind in (duckdb.token_type.string_const, duckdb.token_type.operator):
        return
    if word.lower() == "where":
        source.refuse("the condition begins with WHERE.", place, remedy="leave out WHERE.")
    if word.lower() in STATEMENTS and len(words) == 2 and words[1][1] != duckdb.token_type.operator:
        source.refuse(
            f"{word.upper()} begins a statement, and only a condition is allowed.",
            place,
            remedy="give only what would stand after WHERE, such as: age >= 65",
        )


def _check_operator(source: Source, place: Place, kind: Any, word: str) -> None:
    if kind == duckdb.token_type.string_const or word.startswith('"'):
        return
    odd = SIGNS_ELSEWHERE.search(word)
    written = odd.group() if odd else word
    if written in OPERATORS_ELSEWHERE:
        source.refuse(
            f"there is no operator {written}.",
            Place(place.start + (odd.start() if odd else 0), len(written)),
            remedy=f"write {OPERATORS_ELSEWHERE[written]}",
        )


def _tokens(text: str) -> Iterator[tuple[Place, Any, str]]:
    """Place, kind and text of each token; DuckDB's offsets count UTF-8 bytes."""
    encoded = text.encode()
    tokens = duckdb.tokenize(text)
    ends = [start for start, _ in tokens[1:]] + [len(encoded)]
    for (start, kind), end in zip(tokens, ends, strict=True):
        word = encoded[start:end].decode(errors="replace").rstrip()
        yield Place(len(encoded[:start].decode(errors="replace")), len(word)), kind, word


def _first_clause(text: str) -> tuple[str, Place] | None:
    """The first word that makes a query of an expression, and where it stands."""
    depth, before = 0, ""
    for place, kind, word in _tokens(text):
        lowered = word.lower()
        is_clause = kind == duckdb.token_type.keyword and lowered in CLAUSES and depth == 0
        if is_clause and not (lowered in ("from", "distinct") and before in ("distinct", "is", "not")):
            return lowered, place
        depth += (word in "([{") - (word in ")]}")
        before = lowered
    return None


def _serialise(source: Source) -> dict[str, Any]:
    answer = parser_connection().execute(
        "SELECT json_serialize_sql(CAST($query AS VARCHAR))", {"query": PREFIX + source.text}
    )
    document: dict[str, Any] = json.loads(answer.fetchall()[0][0])
    if document["error"]:
        message = str(document["error_message"])
        place = error_place(source.text, document)
        if "expression depth" in message:
            source.refuse(TOO_DEEP, place, remedy="split it into several conditions.")
        source.refuse(
            f"this is not a condition: {message}.",
            place,
            remedy="write comparisons joined by AND, OR and NOT, such as: age >= 65 AND NOT has_copd",
        )
    return document


def expression_of(text: str) -> dict[str, Any]:
    """The syntax tree of one expression that is known to be right."""
    item: dict[str, Any] = _serialise(Source(text))["statements"][0]["node"]["select_list"][0]
    return item


@functools.cache
def _around_one_expression() -> dict[str, Any]:
    return _around(_serialise(Source("TRUE"))["statements"][0])


def _around(statement: dict[str, Any]) -> dict[str, Any]:
    """What surrounds the selected expressions; parameters are refused where they stand in the tree."""
    node = {key: value for key, value in statement["node"].items() if key != "select_list"}
    return {key: value for key, value in statement.items() if key != "named_param_map"} | {"node": node}


def byte_place(text: str, node: dict[str, Any]) -> Place | None:
    """Where a node of the syntax tree stands in the text, or None when DuckDB does not say."""
    location = node.get("query_location", UNKNOWN_PLACE)
    if location >= UNKNOWN_PLACE:
        return None
    encoded = text.encode()
    first = max(0, location - len(PREFIX))
    last = first + node.get("query_location_length", 0)
    start = len(encoded[:first].decode(errors="replace"))
    return Place(start, len(encoded[first:last].decode(errors="replace")))


def error_place(text: str, details: dict[str, Any]) -> Place:
    """Where DuckDB's error (as JSON) lies in the text, or all of it when it does not say."""
    everything = Place(0, len(text))
    if "location" not in details:
        return everything
    location, length = json.loads(details["location"])
    node = {"query_location": location, "query_location_length": length}
    return byte_place(text, node) or everything


def error_message(problem: duckdb.Error) -> str:
    """The first sentence of DuckDB's message."""
    first = str(problem).splitlines()[0].removesuffix(".")
    return f"{first[:1].lower()}{first[1:]}"
