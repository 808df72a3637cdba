"""Names, texts and paths as SQL, and the text that a spreadsheet would run."""

from __future__ import annotations

import re
from pathlib import Path

# What a spreadsheet takes for a formula when a cell begins with it (OWASP, CSV Injection), full-width signs included.
FORMULA_START = "^[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
_GLOB = re.compile(r"[*?\[]")


def quoted(name: str) -> str:
    """An SQL identifier.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal.

    >>> literal("a'b")
    "'a''b'"
    """
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A path as the one file it names: DuckDB would take ``*``, ``?`` and ``[`` in it for a pattern.

    >>> path_literal(Path("gp_events[1].csv"))
    "'gp_events[[]1].csv'"
    """
    return literal(_GLOB.sub(lambda match: f"[{match.group()}]", str(path)))


def harmless(text: str) -> str:
    """Text for a CSV cell that no spreadsheet runs.

    >>> harmless("=1+1"), harmless("1+1"), harmless("\\uff0b1")
    ("'=1+1", '1+1', "'\uff0b1")
    """
    return f"'{text}" if re.match(FORMULA_START, text) else text
