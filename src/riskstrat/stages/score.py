"""Score: a sum of named components that anybody can check by hand, and beside it what an approved model says."""

from __future__ import annotations

from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.drift import drift
from riskstrat.stages.model_scores import model_columns, scored_people

SCORED = "scored_people"


def score(context: Context) -> None:
    """Leave ``scores`` and ``scores.parquet``: person_id, score, each component's points, and the model's columns.

    A person whose component is unknown has no score: unknown is not zero. The score, and with it every cohort, is the
    same with and without a model, whose columns are NULL where none is used. Whether a model that is used still fits
    stands in ``drift.parquet``.
    """
    engine = context.engine
    points = {
        name: f"CAST({quoted(component.feature)} AS BIGINT) * {component.points_per_unit}"
        for name, component in context.definitions.ranking.components.items()
    }
    listed = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in points.items())
    total = " + ".join(quoted(name) for name in points)
    scored = scored_people(context)
    source = "" if scored is None else f"{SCORED}."
    added = ", ".join(
        f"CAST({f'{source}{quoted(name)}' if source else 'NULL'} AS {kind}) AS {quoted(name)}"
        for name, kind in model_columns(context)
    )
    joined = f" JOIN {SCORED} ON {SCORED}.person_id = components.person_id" if source else ""
    if scored is not None:
        engine.connection.register(SCORED, scored)
    engine.create(
        "scores",
        f"WITH components AS (SELECT person_id, {listed} FROM features) "
        f"SELECT components.person_id, {total} AS score, {', '.join(quoted(name) for name in points)}, {added} "
        f"FROM components{joined}",
    )
    if scored is not None:
        engine.connection.unregister(SCORED)
    engine.export("SELECT * FROM scores ORDER BY person_id", context.building / "scores.parquet")
    drift(context)
