"""A condition as analysts type it, as the rules that it joins with AND."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import duckdb

from riskstrat.language import ExpressionError, compile_expression
from riskstrat.reading.published import Criteria, Rule

Token = tuple[int, int, str]


def criteria_of(text: str, types: Mapping[str, str], as_of: date) -> Criteria:
    """Each part that AND joins is a rule. Raises ExpressionError, with its place in the whole text."""
    whole = rule_of(text.strip(), types, as_of)
    try:
        return Criteria(None, tuple(rule_of(part, types, as_of) for part in and_parts(text)))
    except ExpressionError:  # a part that is no condition by itself, such as NULL
        return Criteria(None, (whole,))


def rule_of(text: str, types: Mapping[str, str], as_of: date) -> Rule:
    """One checked rule. Raises ExpressionError."""
    expression = compile_expression(text, types, as_of=as_of)
    return Rule(text, expression.sql, expression.columns)


def and_parts(text: str) -> list[str]:
    """The parts of a condition that AND joins at its top, as they were written; the text is known to parse.

    >>> and_parts("age BETWEEN 65 AND 80 AND (has_copd OR has_dementia)")
    ['age BETWEEN 65 AND 80', '(has_copd OR has_dementia)']
    >>> and_parts("(age >= 65 AND has_copd)"), and_parts("age >= 65 AND has_copd OR has_dementia")
    (['age >= 65', 'has_copd'], ['age >= 65 AND has_copd OR has_dementia'])
    """
    text = text.strip()
    depth = waiting = 0
    cuts: list[tuple[int, int]] = []
    closes = 0  # after which the bracket that opens the text is closed
    for start, end, word in _words(text):
        depth += (word in "([{" or word == "case") - (word in ")]}" or word == "end")
        if depth == 0:
            closes = closes or end
            waiting += word == "between"
            if word == "or":
                return [text]
            if word == "and":
                if not waiting:
                    cuts.append((start, end))
                waiting = max(0, waiting - 1)
    if not cuts:
        is_wrapped = text.startswith("(") and closes == len(text)
        return and_parts(text[1:-1]) if is_wrapped else [text]
    edges = [0, *(place for cut in cuts for place in cut), len(text)]
    return [text[first:last].strip() for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _words(text: str) -> Iterator[Token]:
    """Start, end and lower-case text of each token, in characters; DuckDB's offsets count UTF-8 bytes."""
    encoded = text.encode()
    tokens = duckdb.tokenize(text)
    ends = [start for start, _ in tokens[1:]] + [len(encoded)]
    for (first, kind), last in zip(tokens, ends, strict=True):
        word = encoded[first:last].decode(errors="replace").rstrip()
        start = len(encoded[:first].decode(errors="replace"))
        # text and names in quotes are no words of the language
        is_text = kind == duckdb.token_type.string_const or word.startswith('"')
        yield start, start + len(word), "text" if is_text else word.lower()
