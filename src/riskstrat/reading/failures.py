"""What DuckDB says when a query fails on a run's data is not shown: it may quote a person's value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from riskstrat.errors import RiskstratError
from riskstrat.language import ExpressionError
from riskstrat.runs import Run


@contextmanager
def reading(run: Run, condition: str | None = None) -> Iterator[None]:
    """Turn DuckDB's errors into those that a user may see; ``condition`` is what was typed, if anything."""
    try:
        yield
    except duckdb.IOException:
        raise damaged(run) from None
    except duckdb.Error:
        if condition is None:
            raise damaged(run) from None
        raise ExpressionError(
            "the expression cannot be computed for some people (their values do not fit a cast or a sum).",
            condition,
            None,
            remedy="use TRY_CAST, or restrict the values before they are converted.",
        ) from None


def damaged(run: Run) -> RiskstratError:
    """The error for a run whose files cannot be read."""
    return RiskstratError(
        "cannot be read; the published run is damaged.",
        file=run.folder,
        remedy=f"see: riskstrat runs verify {run.id}",
    )
