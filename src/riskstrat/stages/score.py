"""Score: a sum of named components that anybody can check by hand."""

from __future__ import annotations

from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context


def score(context: Context) -> None:
    """Leave ``scores`` and ``scores.parquet``: person_id, score and each component's points (whole numbers).

    A person whose component is unknown has no score: unknown is not zero.
    """
    points = {
        name: f"CAST({quoted(component.feature)} AS BIGINT) * {component.points_per_unit}"
        for name, component in context.definitions.ranking.components.items()
    }
    listed = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in points.items())
    total = " + ".join(quoted(name) for name in points)
    context.engine.create(
        "scores",
        f"WITH components AS (SELECT person_id, {listed} FROM features) "
        f"SELECT person_id, {total} AS score, {', '.join(quoted(name) for name in points)} FROM components",
    )
    context.engine.export("SELECT * FROM scores ORDER BY person_id", context.building / "scores.parquet")
