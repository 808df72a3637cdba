"""What the SQL of ``pipelines/70_outcomes`` is told: index dates, horizons, and the rules of the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from riskstrat.definitions.model_outcome import Horizon, Outcome
from riskstrat.engines.duckdb import DuckDBEngine

OUTCOMES_FOLDER = "70_outcomes"


def load_landmarks(engine: DuckDBEngine, outcome: Outcome, landmarks: Sequence[tuple[date, Horizon]]) -> None:
    """Make the tables ``landmarks`` (index_date, horizon, end_date) and ``outcome_rules`` (one row)."""
    engine.load(
        "landmarks",
        (("index_date", "DATE"), ("horizon", "VARCHAR"), ("end_date", "DATE")),
        [(day, horizon.name, horizon.end(day)) for day, horizon in landmarks],
    )
    engine.load(
        "outcome_rules",
        (("death", "VARCHAR"), ("leaving", "VARCHAR"), ("gap_days", "INTEGER")),
        [(outcome.death, outcome.leaving, outcome.gap_days)],
    )
