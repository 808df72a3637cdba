"""What the polars baseline reads: lazy scans of the staged files, and the definitions as frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.baselines.knowledge import Knowledge

TYPES = {
    "VARCHAR": pl.String,
    "INTEGER": pl.Int32,
    "BIGINT": pl.Int64,
    "DOUBLE": pl.Float64,
    "DATE": pl.Date,
    "BOOLEAN": pl.Boolean,
}
# A category, the least number in it, and the first above it (None: no end).
Band = tuple[str, float, float | None]


@dataclass(frozen=True)
class Inputs:
    """A folder of staged extracts, and what is known beforehand."""

    folder: Path
    knowledge: Knowledge

    def scan(self, extract: str) -> pl.LazyFrame:
        """The rows of an extract."""
        return pl.scan_parquet(self.folder / f"{extract}.parquet")

    def table(self, name: str) -> pl.DataFrame:
        """One table of the definitions."""
        table = self.knowledge.tables[name]
        return pl.DataFrame(
            table.rows, schema={column: TYPES[kind] for column, kind in table.columns}, orient="row"
        )

    def listed(self) -> pl.DataFrame:
        """The numbered codes of the code lists."""
        schema = {
            "listed": pl.Int32,
            "list": pl.String,
            "concept": pl.String,
            "code_system": pl.String,
            "code": pl.String,
        }
        return pl.DataFrame(self.knowledge.listed(), schema=schema, orient="row")

    def dated(self, extract: str, day: str, people: pl.DataFrame) -> pl.LazyFrame:
        """The rows of the population dated from birth on and before as_of, ``day`` by the name of ``date``."""
        born = people.lazy().select("person", "date_of_birth")
        return (
            self.scan(extract)
            .with_columns(pl.col(day).cast(pl.Date).alias("date"))
            .filter(pl.col("date") < self.knowledge.windows.as_of)
            .join(born, on="person")
            .filter(pl.col("date") >= pl.col("date_of_birth"))
        )


def collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """The rows, by the engine that takes files in batches."""
    return frame.collect(engine="streaming")


def month_of(day: str) -> pl.Expr:
    """Months counted through, as feeds.py numbers them."""
    return pl.col(day).dt.year().cast(pl.Int32) * 12 + pl.col(day).dt.month().cast(pl.Int32) - 1


def known_day() -> pl.Expr:
    """When an entry of a GP record could be known at the earliest."""
    return pl.coalesce("recorded_date", "event_date")


def band(column: pl.Expr, bands: Iterable[Band]) -> pl.Expr:
    """The category that a number falls in."""
    found = pl.lit(None, pl.String)
    for category, lower, below in bands:
        inside = column >= lower if below is None else column.is_between(lower, below, closed="left")
        found = pl.when(inside).then(pl.lit(category)).otherwise(found)
    return found
