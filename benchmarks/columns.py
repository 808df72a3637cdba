"""Which columns of the staged extracts the SQL of pipelines/ reads, worked out from the SQL itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope


def needed_columns(folders: Iterable[Path], extracts: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The columns of each of ``extracts`` that a file of ``folders`` names, sorted; no extract that none reads.

    Raises ValueError where the SQL does not say whose a column is. Whether the columns suffice shows when the SQL runs
    on views that have no others.
    """
    found: dict[str, set[str]] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.sql"))):
        tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
        for scope in traverse_scope(tree):
            for extract, column in _columns_of(scope, extracts, path):
                found.setdefault(extract, set()).add(column)
    return {extract: tuple(sorted(found[extract])) for extract in extracts if extract in found}


def _columns_of(scope: Scope, extracts: Collection[str], path: Path) -> list[tuple[str, str]]:
    """(extract, column) for every column of a staged extract that one SELECT names."""
    staged = {
        alias: source.name
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table) and source.name in extracts
    }
    if not staged:
        return []
    if isinstance(scope.expression, exp.Query) and scope.expression.is_star:
        raise ValueError(f"{path.name} takes every column of {', '.join(staged.values())}.")
    unsaid = [column.name for column in scope.columns if not column.table]
    if unsaid and len(scope.sources) > 1:
        raise ValueError(f"{path.name} does not say whose {', '.join(unsaid)} is.")
    return [
        (staged[table], column.name)
        for column in scope.columns
        for table in [column.table or next(iter(staged))]
        if table in staged
    ]
