"""Great Expectations judges what was counted: rows read, rules broken, rows quarantined, against their limits.

It validates one row of counts an extract, never the rows themselves, and its verdict decides whether a run stops.
Nothing that changes from run to run (clock, run name, path) is kept, so the same counts give the same bytes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import RiskstratError

ROWS_READ, ROWS_ACCEPTED, QUARANTINED_BEYOND_FREE = "rows_read", "rows_accepted", "quarantined_share"


@dataclass(frozen=True)
class Limits:
    """What an extract may come to. Up to ``max_quarantined_rows`` rows never stop a run, unless every row is."""

    max_quarantined_share: float
    max_quarantined_rows: int
    min_rows: int = 0


@dataclass(frozen=True)
class Counts:
    """What was counted of an extract: rows, and rows a broken rule."""

    read: int
    accepted: int
    quarantined: int
    failed: Mapping[str, int]


def judge_all(extracts: Sequence[tuple[Contract, Counts, Limits]]) -> dict[str, dict[str, Any]]:
    """The verdict on each extract, by name: ``success``, and every expectation with what was observed.

    A rule that only warns is reported and never fails an extract. Raises RiskstratError when Great Expectations
    returns fewer results than expectations were asked for: a check that did not run must not look like a pass.
    """
    with _quiet():
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_pandas("counts")
        return {
            contract.name: _judge(gx, context, source, contract, counts, limits)
            for contract, counts, limits in extracts
        }


def _judge(
    gx: Any, context: Any, source: Any, contract: Contract, counts: Counts, limits: Limits
) -> dict[str, Any]:
    import pandas as pd

    expected = _expectations(contract, counts, limits)
    frame = pd.DataFrame([{column: observed for column, _, observed, _, _ in expected}])
    suite = gx.ExpectationSuite(name=contract.name)
    for column, _, _, low, high in expected:
        suite.add_expectation(
            gx.expectations.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
        )
    batch = source.add_dataframe_asset(contract.name).add_batch_definition_whole_dataframe("all")
    validated = context.validation_definitions.add(
        gx.ValidationDefinition(name=contract.name, data=batch, suite=context.suites.add(suite))
    ).run(batch_parameters={"dataframe": frame}, result_format="BASIC")
    verdicts = {
        result.expectation_config.kwargs["column"]: bool(result.success) for result in validated.results
    }
    if verdicts.keys() != {column for column, *_ in expected}:
        raise RiskstratError(
            f"Great Expectations judged {len(verdicts)} of {len(expected)} checks of {contract.name}.",
            remedy="the installation is damaged; make setup installs what the lock file names.",
        )
    results = [
        {
            "expectation": "expect_column_values_to_be_between",
            "check": column,
            "severity": severity,
            "observed": observed,
            "minimum": low,
            "maximum": high,
            "success": verdicts[column],
        }
        for column, severity, observed, low, high in expected
    ]
    stopped = [result for result in results if result["severity"] == "stop" and not result["success"]]
    return {"great_expectations": gx.__version__, "success": not stopped, "results": results}


def _expectations(
    contract: Contract, counts: Counts, limits: Limits
) -> list[tuple[str, str, float, float | None, float | None]]:
    """(check, severity, observed, minimum, maximum) of an extract; severity ``stop`` ends the run."""
    few = counts.quarantined <= limits.max_quarantined_rows
    share = counts.quarantined / counts.read if counts.read else 0.0
    nothing_left = counts.read > 0 and counts.quarantined == counts.read
    largest = 1.0 if few and not nothing_left else limits.max_quarantined_share
    return [
        (ROWS_READ, "warn", counts.read, 1, None),
        (ROWS_ACCEPTED, "stop", counts.accepted, limits.min_rows, None),
        (QUARANTINED_BEYOND_FREE, "stop", round(share, 6), 0, largest),
        *((rule.id, "warn", counts.failed.get(rule.id, 0), 0, 0) for rule in contract.rules),
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """No analytics, no progress bars, and no chatter on a user's terminal."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("TQDM_DISABLE", "1")
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
