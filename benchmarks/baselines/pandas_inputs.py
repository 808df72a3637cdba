"""What the pandas baseline reads: the columns it needs of the staged files, texts as categories, days as datetime64."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.baselines.knowledge import Knowledge

# What Parquet's reader leaves out, as (column, comparison, value).
Filters = list[tuple[str, str, Any]]


@dataclass(frozen=True)
class Inputs:
    """A folder of staged extracts, and what is known beforehand."""

    folder: Path
    knowledge: Knowledge

    def read(
        self, extract: str, *columns: str, filters: Filters | None = None, categories: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Columns of an extract; those of ``categories`` too, as categories in the order of their texts."""
        frame = pd.read_parquet(
            self.folder / f"{extract}.parquet",
            columns=[*columns, *categories],
            filters=filters,
            read_dictionary=list(categories),
            to_pandas_kwargs={"date_as_object": False},
        )
        for name in categories:
            texts = frame[name].cat
            frame[name] = texts.set_categories(texts.categories.sort_values(), ordered=True)
        return frame

    def dated(
        self,
        extract: str,
        day: str,
        people: pd.DataFrame,
        *columns: str,
        since: Any = None,
        categories: Iterable[str] = (),
    ) -> pd.DataFrame:
        """The rows of the population dated from birth on and before as_of (and ``since``), with ``date`` and birth."""
        filters: Filters = [(day, "<", self.knowledge.windows.as_of)]
        if since is not None:
            filters.append((day, ">=", since))
        frame = self.read(extract, "person", day, *columns, filters=filters, categories=categories)
        frame["date"] = frame[day].dt.floor("D") if day.endswith("_at") else frame[day]
        frame["date_of_birth"] = frame["person"].map(people["date_of_birth"])
        return frame[frame["date"] >= frame["date_of_birth"]]

    def table(self, name: str) -> pd.DataFrame:
        """One table of the definitions."""
        table = self.knowledge.tables[name]
        return pd.DataFrame(list(table.rows), columns=[column for column, _ in table.columns])

    def listed(self, name: str | None = None) -> pd.DataFrame:
        """The numbered codes of the code lists, or of one of them."""
        columns = ["listed", "list", "concept", "code_system", "code"]
        frame = pd.DataFrame(self.knowledge.listed(), columns=columns)
        return frame if name is None else frame[frame["list"] == name]

    def day(self, window: str) -> pd.Timestamp:
        """The first day of a window, or another day of the run, as pandas has it."""
        here = self.knowledge.windows
        return pd.Timestamp(
            getattr(here, window) if hasattr(here, window) else getattr(self.knowledge, window)
        )


def month_of(days: pd.Series) -> pd.Series:
    """Months counted through, as feeds.py numbers them."""
    return days.dt.year * 12 + days.dt.month - 1


def normal(texts: pd.Series) -> pd.Series:
    """Without spaces around, in small letters."""
    return texts.astype("str").str.strip().str.lower()


def numbered(events: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """The events whose system and code are among ``codes``, once for each of its rows, with the rest of its columns."""
    systems, texts = events["code_system"].cat, events["code"].cat
    places = pd.DataFrame(
        {
            "system": systems.categories.get_indexer(codes["code_system"]),
            "text": texts.categories.get_indexer(codes["code"]),
        },
        index=codes.index,
    )
    is_there = (places >= 0).all(axis=1)
    width = len(texts.categories)
    codes = codes[is_there].drop(columns=["code_system", "code"])
    codes["key"] = places["system"][is_there] * width + places["text"][is_there]
    keys = systems.codes.astype("int64") * width + texts.codes
    kept = keys.isin(codes["key"])
    found = events[kept].drop(columns=["code_system", "code"]).assign(key=keys[kept])
    return found.merge(codes, on="key").drop(columns="key")
