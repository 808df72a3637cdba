"""Throughput and coverage as the report shows them: one table of cohorts and one of lists, for all areas together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from riskstrat.sqltext import path_literal

FILE = "measures.parquet"
KINDS = {"list": "List", "cohort": "Cohort"}


@dataclass(frozen=True)
class Value:
    """One measure of one cohort or list: what stands first, and below it, a line each, how that was counted."""

    main: str
    below: Sequence[str]


@dataclass(frozen=True)
class MeasureTable:
    """``headings`` are (heading, title); a row is a name and a value for each, None where it is not measured.

    ``what`` is what a row stands for.
    """

    what: str
    headings: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, Sequence[Value | None]]]


def measure_tables(run_folder: Path, about: Mapping[str, Any] | None) -> list[MeasureTable]:
    """The tables of a run; none where it measured nothing. ``about`` is the manifest's entry on measures."""
    path = run_folder / FILE
    if about is None or not path.is_file():
        return []
    with duckdb.connect() as connection:
        cursor = connection.execute(
            "SELECT kind, cohort_or_list, measure, numerator, denominator, undecided, share, low, high, median_days "
            f"FROM read_parquet({path_literal(path)}) WHERE area_code IS NULL"
        )
        names = [entry[0] for entry in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [table for kind, what in KINDS.items() if (table := _table(kind, what, rows, about)) is not None]


def _table(
    kind: str, what: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> MeasureTable | None:
    of_kind = [row for row in rows if row["kind"] == kind]
    measured = {row["measure"] for row in of_kind}
    columns = [one for one in about["shown"] if one["name"] in measured]
    found = {(row["cohort_or_list"], row["measure"]): _value(row) for row in of_kind}
    listed = sorted({row["cohort_or_list"] for row in of_kind})
    if not listed:
        return None
    return MeasureTable(
        what,
        [(one["heading"], one["title"]) for one in columns],
        [(name, [found.get((name, one["name"])) for one in columns]) for name in listed],
    )


def _value(row: Mapping[str, Any]) -> Value:
    unknown = f"{row['undecided']:,} unknown" if row["undecided"] else ""
    if row["denominator"] == 0:
        return Value("unknown" if unknown else "nobody", _said(unknown))
    counted = f"{row['numerator']:,} of {row['denominator']:,}"
    if row["share"] is not None:
        main, spread = f"{row['share']:.0%}", f"{100 * row['low']:.0f}\u2013{row['high']:.0%}"
    elif row["median_days"] is not None:
        main, spread = f"{row['median_days']:g} days", _days(row["low"], row["high"])
    else:
        main, spread = "none yet", ""
    return Value(main, _said(counted, spread, unknown))


def _said(*lines: str) -> list[str]:
    return [line for line in lines if line]


def _days(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g}\u2013{high:g} days"
