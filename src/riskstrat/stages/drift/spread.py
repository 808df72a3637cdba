"""Tonight's people against those the model learnt from: every predictor and every score, and unknowns by practice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskstrat.definitions.model_drift import SpreadBands, UnknownBands
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.scoring.spread import index_by_chance, stability_index
from riskstrat.sqltext import quoted
from riskstrat.stages.drift.rows import ALL, UNKNOWN, Row

PRACTICE = "practice_code"


def spread_row(
    engine: DuckDBEngine,
    column: tuple[str, str],
    shape: Mapping[str, Any],
    learnt_from: int,
    bands: SpreadBands,
    names: tuple[str, str],
) -> Row:
    """The row of one ``column`` (table and name); ``names`` are the measure and what it is called there.

    ``shape`` is how it was spread over the ``learnt_from`` rows of training.
    """
    counts = _counts(engine, column, shape)
    people = sum(counts.values())
    bins = [*_bins(shape), None]
    before = [*_shares(shape), float(shape["unknown"])]
    if other := sum(count for place, count in counts.items() if place not in bins):
        counts, bins, before = {**counts, _OTHER: other}, [*bins, _OTHER], [*before, 0.0]
    now = [counts.get(place, 0) / people for place in bins]
    index = stability_index(before, now, bands.least_share)
    used = sum(1 for pair in zip(before, now, strict=True) if any(pair))
    chance = index_by_chance(used, learnt_from, people, bands.chance)
    measure, name = names
    return Row(measure, name, ALL, bands.band(index, chance), index, reference=chance, people=people)


_OTHER = "a level that nobody had in training"


def _bins(shape: Mapping[str, Any]) -> Sequence[int | str]:
    return list(shape["levels"]) if "levels" in shape else range(len(shape["shares"]))


def _shares(shape: Mapping[str, Any]) -> list[float]:
    return [float(share) for share in (shape["levels"].values() if "levels" in shape else shape["shares"])]


def _counts(
    engine: DuckDBEngine, column: tuple[str, str], shape: Mapping[str, Any]
) -> dict[int | str | None, int]:
    """People by bin (its place among the edges) or by level; None is unknown."""
    table, name = column
    if "levels" in shape:
        place = f"CAST({quoted(name)} AS VARCHAR)"
    else:
        value = f"CAST({quoted(name)} AS DOUBLE)"
        steps = [f"CAST({value} >= CAST('{float(edge)!r}' AS DOUBLE) AS INTEGER)" for edge in shape["edges"]]
        place = f"CASE WHEN {quoted(name)} IS NOT NULL THEN {' + '.join(['0', *steps])} END"
    rows = engine.rows(f"SELECT {place} AS place, count(*) FROM {quoted(table)} GROUP BY place")
    return {place: int(count) for place, count in rows}


def unknown_rows(
    engine: DuckDBEngine, features: str, predictors: Sequence[str], bands: UnknownBands
) -> Iterator[Row]:
    """A row a predictor and practice: of which share of its people it is unknown, and of all others together."""
    counts = ", ".join(f"count(*) - count({quoted(name)})" for name in predictors)
    found = engine.rows(f"SELECT {PRACTICE}, count(*), {counts} FROM {quoted(features)} GROUP BY {PRACTICE}")
    everybody = sum(row[1] for row in found)
    for place, name in enumerate(predictors, start=2):
        unknown = sum(row[place] for row in found)
        for row in found:
            practice, people, own = row[0], row[1], row[place]
            others = everybody - people
            share = own / people
            elsewhere = (unknown - own) / others if others else share
            band = bands.band(share, elsewhere, people)
            yield Row(
                UNKNOWN, name, str(practice), band, share, reference=elsewhere, people=people, observed=own
            )
