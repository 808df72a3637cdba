"""The table of a night, and what of it has to be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.model_drift import ACT, WATCH
from riskstrat.stages.context import Context
from riskstrat.stages.drift.outcomes import observed_rows
from riskstrat.stages.drift.rows import ALL, COLUMNS, FEATURE, MEASURES, OBSERVED, SCORE, UNKNOWN, Row
from riskstrat.stages.drift.spread import spread_row, unknown_rows
from riskstrat.stages.outputs import check_columns

if TYPE_CHECKING:
    from riskstrat.scoring.serving import Served

TABLE, SCORES = "drift", "scores"
MOST_NAMED = 4


def drift(context: Context) -> None:
    """Write ``drift.parquet`` and warn of every band that is crossed, where a model scored tonight's people."""
    served = context.served
    scored = context.manifest.get("scored_by")
    if served is None or served.watch is None or scored is None or not scored["people"]:
        return
    context.progress.step(TABLE)
    model = str(scored["model"])
    rows = sorted(_rows(context, served), key=lambda row: (MEASURES.index(row.measure), row.name, row.part))
    kept = [row if row.model else replace(row, model=model) for row in rows]
    columns = (*COLUMNS, ("as_of", "DATE"))
    numbered = [
        (*astuple(row)[:-1], row.note or None, context.as_of, number) for number, row in enumerate(kept)
    ]
    context.engine.load(TABLE, (*columns, ("place", "INTEGER")), numbered)
    select = f"SELECT {', '.join(name for name, _ in columns)} FROM {TABLE} ORDER BY place"
    check_columns(context, TABLE, select)
    context.engine.export(select, context.building / f"{TABLE}.parquet")
    policy = served.watch.policy
    context.manifest[TABLE] = {
        "title": policy.title,
        "model": model,
        "confidence": policy.observed.confidence,
        "capacity": served.watch.capacity,
        "bands": {
            FEATURE: [policy.spread.watch, policy.spread.act],
            OBSERVED: [list(policy.observed.watch), list(policy.observed.act)],
            UNKNOWN: [policy.unknown.watch, policy.unknown.act],
        },
        "crossed": {band: sum(row.band == band for row in kept) for band in (WATCH, ACT)},
    }
    for warning in _warnings(model, kept):
        context.warn(warning)


def _rows(context: Context, served: Served) -> Iterator[Row]:
    if served.model is None or served.watch is None:
        return
    about, policy, engine = served.model.about, served.watch.policy, context.engine
    predictors = sorted({name for one in served.models.values() for name in one.predictors})
    for name in predictors:
        yield spread_row(
            engine, (FEATURES, name), about["shape"][name], about["rows"], policy.spread, (FEATURE, name)
        )
    for horizon, one in served.models.items():
        column, shape = (SCORES, f"probability_{horizon}"), about["shape_of_risks"][f"{one.kind}_{horizon}"]
        yield spread_row(engine, column, shape, about["rows"], policy.spread, (SCORE, horizon))
    yield from unknown_rows(engine, FEATURES, predictors, policy.unknown)
    yield from observed_rows(context, served.watch, list(served.models))


def _warnings(model: str, rows: Sequence[Row]) -> Iterator[str]:
    """One sentence a measure, those that are furthest off first."""
    for row in _crossed(rows, OBSERVED):
        whom = "everybody" if row.part == ALL else "the people at the top of the list"
        yield (
            f"the model {row.model} said of {whom} scored as of {row.scored_as_of} that {row.expected:,.0f} would be "
            f"admitted within {row.name}, and {row.observed:,} were: observed over expected {row.value:.2f} "
            f"({row.low:.2f} to {row.high:.2f})."
        )
    for measure, what in ((SCORE, "scores"), (FEATURE, "predictors")):
        named = [f"{row.name} {row.value:.2f}" for row in _crossed(rows, measure)]
        if named:
            yield (
                f"{what} of the model {model} are spread otherwise than in training, by population stability index: "
                f"{_listed(named)}."
            )
    named = [
        f"{row.name} at {row.part} ({row.value:.0%}, elsewhere {row.reference:.0%})"
        for row in _crossed(rows, UNKNOWN)
    ]
    if named:
        yield f"predictors of the model {model} are unknown far more often at single practices: {_listed(named)}."


def _crossed(rows: Sequence[Row], measure: str) -> list[Row]:
    found = [row for row in rows if row.measure == measure and row.band in (WATCH, ACT)]
    return sorted(found, key=lambda row: (-_distance(row), row.name, row.part))


def _distance(row: Row) -> float:
    value, reference = row.value or 0.0, row.reference or 0.0
    return abs(value - reference) if row.measure in (OBSERVED, UNKNOWN) else value


def _listed(named: Sequence[str]) -> str:
    more = f", and {len(named) - MOST_NAMED} more" if named[MOST_NAMED:] else ""
    return ", ".join(named[:MOST_NAMED]) + more
