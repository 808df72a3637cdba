"""Where SQL runs. An engine is small on purpose, so that another one can take its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol


class Engine(Protocol):
    """What the stages need of a database."""

    def load(self, table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
        """Make ``table`` with (name, SQL type) columns and fill it."""

    def create(self, table: str, select: str) -> None:
        """Make ``table`` from one SELECT."""

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""

    def export(self, select: str, path: Path) -> None:
        """Write one SELECT to a Parquet file, in the SELECT's order."""

    def count(self, table: str) -> int:
        """Number of rows of ``table``."""

    def tables_of(self, select: str) -> set[str]:
        """Names of the tables that a SELECT reads."""
