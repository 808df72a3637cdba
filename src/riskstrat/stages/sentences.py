"""Sentences with the person's own values in them, as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from riskstrat.definitions.rules import ColumnType
from riskstrat.sqltext import literal, quoted

SEPARATOR = "; "
VALUE = re.compile(r"\{([a-z_0-9]+(?::[0-9])?)\}")


def sentence_sql(template: str, types: Mapping[str, ColumnType]) -> str:
    """SQL for a sentence whose ``{feature}`` stand for values; NULL where one of them is unknown."""
    parts = []
    for place, part in enumerate(re.split(VALUE, template)):
        if place % 2:
            name, _, decimals = part.partition(":")
            parts.append(written(quoted(name), types[name], decimals))
        elif part:
            parts.append(literal(part))
    return " || ".join(parts)


def joined(parts: Iterable[str]) -> str:
    """SQL for the texts that are known, with a separator between; NULL where there is none."""
    texts = list(parts)
    if not texts:
        return "CAST(NULL AS VARCHAR)"
    return f"NULLIF(concat_ws({literal(SEPARATOR)}, {', '.join(texts)}), '')"


def written(column: str, kind: ColumnType, decimals: str = "") -> str:
    """SQL for a value as people write it, rounded where ``decimals`` are asked for; NULL where it is unknown."""
    if decimals:
        return f"printf('%.{decimals}f', CAST({column} AS DOUBLE))"
    if kind == "date":
        return f"strftime({column}, '%-d %B %Y')"
    if kind == "boolean":
        return f"CASE {column} WHEN TRUE THEN 'yes' WHEN FALSE THEN 'no' END"
    return f"CAST({column} AS VARCHAR)"
