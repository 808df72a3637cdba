"""Parts of a condition that no person can pass together, whoever is in the run."""

from __future__ import annotations

import duckdb

from riskstrat.language import compile_expression
from riskstrat.language.analysis import contradiction
from riskstrat.reading.conditions import criteria_of
from riskstrat.runs import Run, feature_types


def contradicting_parts(connection: duckdb.DuckDBPyConnection, run: Run, where: str) -> tuple[str, ...]:
    """The fewest parts that AND joins of which nobody passes all; none where nothing is proved."""
    types = feature_types(connection)
    parts = criteria_of(where, types, run.as_of).include
    rules = [compile_expression(part.text, types, as_of=run.as_of) for part in parts]
    return tuple(rule.text for rule in contradiction(rules, [], types, {}) or ())
