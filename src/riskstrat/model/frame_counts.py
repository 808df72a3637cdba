"""What is said about a frame: how many people and events each index date has, and what a reader must know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from riskstrat.definitions.model_outcome import Outcome
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import RiskstratError
from riskstrat.model.landmarks import Landmark
from riskstrat.sqltext import literal

Counts = dict[str, dict[str, int]]


def count_frame(engine: DuckDBEngine, outcome: Outcome, landmarks: Sequence[Landmark], table: Path) -> Counts:
    """Index date (ISO) to people, those left out for an opt-out since, labels known, events, deaths and leavings.

    What no label of a horizon tells is left out. Raises RiskstratError where people were lost or invented.
    """
    main = outcome.main.name
    wanted = {
        **{f"labelled_{one.name}": f"count(label_{one.name})" for one in outcome.horizons},
        **{f"events_{one.name}": f"count(*) FILTER (label_{one.name})" for one in outcome.horizons},
        f"died_{main}": f"count(*) FILTER (died_{main})",
        f"left_{main}": f"count(*) FILTER (left_{main})",
        f"over_{main}": f"count(died_{main})",
    }
    found = {
        row[0]: row[1:]
        for row in engine.rows(
            f"SELECT index_date, count(*), {', '.join(wanted.values())} "
            f"FROM read_parquet({literal(str(table))}) GROUP BY index_date"
        )
    }
    counts: Counts = {}
    for one in landmarks:
        people, *others = found[one.index_date]
        if people != one.people:
            raise RiskstratError(
                f"{one.people} people were in the population of {one.index_date} and {people} are in the frame.",
                remedy="this is a fault of riskstrat, not of the data; please report it.",
            )
        values = dict(zip(wanted, map(int, others), strict=True))
        if not values.pop(f"over_{main}"):
            values = {name: value for name, value in values.items() if not name.endswith(f"_{main}")}
        counts[f"{one.index_date}"] = {"people": int(people), "left_out": one.opted_out, **values}
    return counts


def silences_of(silent: Sequence[tuple[date, str, str, date]]) -> list[str]:
    """What makes labels unknown: index date, horizon, provider and its first silent month, in words."""
    return [
        f"The {horizon} labels of {day} are unknown: provider {provider} sent nothing for {month:%B %Y}."
        for day, horizon, provider, month in silent
    ]


def unfinished(outcome: Outcome, days: Sequence[date], complete_to: date) -> list[str]:
    """Which labels are unknown because their horizon is not over."""
    return [
        f"The {horizon.name} labels of {day} are unknown: outcomes end at {complete_to}."
        for day in days
        for horizon in outcome.horizons
        if horizon.end(day) > complete_to
    ]
