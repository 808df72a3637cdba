"""The rows of ``drift.parquet``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

FEATURE, SCORE, OBSERVED, UNKNOWN = (
    "feature_spread",
    "score_spread",
    "observed_over_expected",
    "unknown_share",
)
MEASURES = (OBSERVED, SCORE, FEATURE, UNKNOWN)
ALL, LIST = "all", "list"
TYPES = {"str": "VARCHAR", "int | None": "BIGINT", "float | None": "DOUBLE", "date | None": "DATE"}


@dataclass(frozen=True)
class Row:
    """One thing that was looked at. ``part`` is all, list (the top of it) or a practice's code.

    ``value`` is a population stability index, a ratio or a share, ``reference`` what it is held against: the index by
    chance, 1, or the share of all other practices. ``note`` says why nothing was judged.
    """

    measure: str
    name: str
    part: str
    band: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    people: int | None = None
    observed: int | None = None
    expected: float | None = None
    model: str = ""
    scored_as_of: date | None = None
    note: str = ""


COLUMNS = tuple((field.name, TYPES[str(field.type)]) for field in fields(Row))
