"""Whether the risk model still fits, as the run report and the command line show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from riskstrat.sqltext import path_literal

FILE = "drift.parquet"
OBSERVED, SCORE, FEATURE, UNKNOWN = (
    "observed_over_expected",
    "score_spread",
    "feature_spread",
    "unknown_share",
)
PARTS = {"all": "Everybody scored", "list": "Top of the list"}
BANDS = {"steady": "as before", "watch": "watch", "act": "act", "not_judged": "not judged"}
CROSSED = ("watch", "act")
MOST_SHOWN = 8


@dataclass(frozen=True)
class DriftTable:
    """``headings`` of the columns, the first being text; ``rest`` says what is not shown."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    rest: str = ""


def drift_rows(run_folder: Path) -> list[dict[str, Any]]:
    """The rows of ``drift.parquet`` in their order; none where the run has none."""
    path = run_folder / FILE
    if not path.is_file():
        return []
    with duckdb.connect() as connection:
        cursor = connection.execute(f"SELECT * FROM read_parquet({path_literal(path)})")
        names = [entry[0] for entry in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def drift_tables(run_folder: Path, *, most: int | None = MOST_SHOWN) -> list[DriftTable]:
    """Outcomes, scores, predictors and practices: those that are furthest off first, ``most`` of each (None: all)."""
    rows = drift_rows(run_folder)
    if not rows:
        return []
    by_measure = {measure: [row for row in rows if row["measure"] == measure] for measure in _MEASURES}
    tables = [
        DriftTable(
            "Observed over expected",
            ("Scores of", "Whom", "People", "Admitted", "Expected", "O:E", "Band"),
            [_outcome(row) for row in by_measure[OBSERVED]],
        )
    ]
    spread = [*by_measure[SCORE], *_by_distance(by_measure[FEATURE])]
    tables.append(
        _table(
            "Spread against training",
            ("Score or predictor", "Index", "By chance", "Band"),
            [(_spread(row), row["band"]) for row in spread],
            most,
        )
    )
    tables.append(
        _table(
            "Unknown at a practice more often than elsewhere",
            ("Predictor", "Practice", "People", "Unknown", "Elsewhere", "Band"),
            [
                (_unknown(row), row["band"])
                for row in _by_distance(by_measure[UNKNOWN])
                if row["band"] in CROSSED
            ],
            most,
        )
    )
    return tables


_MEASURES = (OBSERVED, SCORE, FEATURE, UNKNOWN)


def _table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[tuple[Sequence[str], str]],
    most: int | None,
) -> DriftTable:
    """All rows whose band is crossed, and others up to ``most``."""
    crossed = sum(band in CROSSED for _, band in rows)
    shown = len(rows) if most is None else max(most, min(crossed, 3 * most))
    left = len(rows) - len(rows[:shown])
    rest = f"{FILE} has the rest ({left})." if left else ""
    return DriftTable(title, headings, [cells for cells, _ in rows[:shown]], rest)


def _by_distance(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(
        rows,
        key=lambda row: (
            -(row["value"] - (row["reference"] if row["measure"] == UNKNOWN else 0)),
            row["name"],
            row["part"],
        ),
    )


def _outcome(row: Mapping[str, Any]) -> list[str]:
    scored = f"{row['name']}, {row['scored_as_of']}" if row["scored_as_of"] else str(row["name"])
    band = BANDS[row["band"]] + (f": {row['note']}" if row["note"] else "")
    if row["value"] is None:
        return [scored, PARTS[row["part"]], "", "", "", "", band]
    ratio = f"{row['value']:.2f} ({row['low']:.2f}\u2013{row['high']:.2f})"
    counts = [f"{row['people']:,}", f"{row['observed']:,}", f"{row['expected']:,.1f}"]
    return [scored, PARTS[row["part"]], *counts, ratio, band]


def _spread(row: Mapping[str, Any]) -> list[str]:
    name = f"score {row['name']}" if row["measure"] == SCORE else str(row["name"])
    return [name, f"{row['value']:.3f}", f"{row['reference']:.3f}", BANDS[row["band"]]]


def _unknown(row: Mapping[str, Any]) -> list[str]:
    return [
        *(str(row["name"]), str(row["part"]), f"{row['people']:,}", f"{row['value']:.0%}"),
        *(f"{row['reference']:.0%}", BANDS[row["band"]]),
    ]
