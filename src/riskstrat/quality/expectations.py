"""Great Expectations judges what was measured: every observed number against its limits, in one pass.

It validates one small table with a row for each check, never the rows of an extract, and its verdict decides whether
a run stops. Nothing that changes from run to run (clock, run name, path) is kept: same numbers, same bytes.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from riskstrat.errors import RiskstratError
from riskstrat.quality.measures import Measurement

KEY = ["check", "severity"]
EXPECTATIONS = 4
MISSING_LIMIT = "either_value_is_missing"  # a check without that limit is not held against it


@dataclass(frozen=True)
class Judgement:
    """What Great Expectations said: its version, its raw results, and the (check, severity) pairs that failed."""

    version: str
    raw: tuple[Mapping[str, Any], ...]
    failed: frozenset[tuple[str, str]]

    def results(self, measurements: Iterable[Measurement]) -> list[dict[str, Any]]:
        """The measurements as results, each with its ``success``."""
        return [
            {
                "check": one.check,
                "severity": one.severity,
                "observed": one.observed,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "success": (one.check, one.severity) not in self.failed,
                "about": dict(one.about),
            }
            for one in measurements
        ]


def judge_all(extracts: Mapping[str, Sequence[Measurement]]) -> tuple[dict[str, dict[str, Any]], Judgement]:
    """The verdict on each extract, by name, and the judgement of all in one pass."""
    judgement = judge([measurement for measurements in extracts.values() for measurement in measurements])
    verdicts = {
        name: verdict(judgement.results(measurements), judgement.version)
        for name, measurements in extracts.items()
    }
    return verdicts, judgement


def verdict(results: Sequence[Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The verdict that an extract's results come to; only a failed check of severity ``stop`` fails it."""
    stopped = any(result["severity"] == "stop" and not result["success"] for result in results)
    return {"great_expectations": version, "success": not stopped, "results": list(results)}


def judge(measurements: Sequence[Measurement]) -> Judgement:
    """Validate a table of measurements: each check once, observed, at least its minimum and at most its maximum.

    Raises RiskstratError when Great Expectations did not look at every check: one that did not run is no pass.
    """
    with _quiet():
        import great_expectations as gx
        import pandas as pd
        from great_expectations.data_context.types.base import ProgressBarsConfig

        table = pd.DataFrame(
            [
                (one.check, one.severity, float(one.observed), _number(one.minimum), _number(one.maximum))
                for one in measurements
            ],
            columns=[*KEY, "observed", "minimum", "maximum"],
        )
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("quality").add_dataframe_asset("measurements")
        suite = gx.ExpectationSuite(name="limits")
        for expectation in _expectations(gx.expectations):
            suite.add_expectation(expectation)
        validated = context.validation_definitions.add(
            gx.ValidationDefinition(
                name="limits",
                data=asset.add_batch_definition_whole_dataframe("all"),
                suite=context.suites.add(suite),
            )
        ).run(
            batch_parameters={"dataframe": table},
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": KEY},
        )
        return _judgement(measurements, validated.results, gx.__version__)


def _expectations(available: Any) -> list[Any]:
    return [
        available.ExpectCompoundColumnsToBeUnique(column_list=KEY),
        available.ExpectColumnValuesToNotBeNull(column="observed"),
        available.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="observed", column_B="minimum", or_equal=True, ignore_row_if=MISSING_LIMIT
        ),
        available.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="maximum", column_B="observed", or_equal=True, ignore_row_if=MISSING_LIMIT
        ),
    ]


def _judgement(measurements: Sequence[Measurement], results: Sequence[Any], version: str) -> Judgement:
    """What came back, once it is sure that each of the four expectations looked at every check that it concerns."""
    unlimited = {
        "minimum": sum(one.minimum is None for one in measurements),
        "maximum": sum(one.maximum is None for one in measurements),
    }
    raw, failed, is_whole = [], set(), len(results) == EXPECTATIONS
    for result in results:
        said, kwargs = result.result, result.expectation_config.kwargs
        skipped = sum(unlimited.get(kwargs.get(end), 0) for end in ("column_A", "column_B"))
        broken = {(row["check"], row["severity"]) for row in said.get("unexpected_index_list") or ()}
        is_whole &= said.get("element_count") == len(measurements) and said.get("missing_count", 0) == skipped
        is_whole &= bool(result.success) is not bool(broken)
        failed |= broken
        raw.append(_raw(result, broken))
    if not is_whole:
        raise RiskstratError(
            f"Great Expectations did not judge all of {len(measurements)} checks.",
            remedy="the installation is damaged; make setup installs what the lock file names.",
        )
    return Judgement(version, tuple(sorted(raw, key=lambda one: str(one["kwargs"]))), frozenset(failed))


def _raw(result: Any, broken: set[tuple[str, str]]) -> dict[str, Any]:
    counts = ("element_count", "missing_count", "unexpected_count")
    kwargs = {name: value for name, value in result.expectation_config.kwargs.items() if name != "batch_id"}
    return {
        "expectation": result.expectation_config.type,
        "kwargs": kwargs,
        "success": bool(result.success),
        **{name: int(result.result[name]) for name in counts if name in result.result},
        "unexpected": [{"check": check, "severity": severity} for check, severity in sorted(broken)],
    }


def _number(limit: float | None) -> float:
    return float("nan") if limit is None else float(limit)


def load_early() -> None:
    """Begin to import Great Expectations, which takes seconds, while the caller does something else."""

    def load() -> None:
        with _quiet():
            importlib.import_module("great_expectations")

    threading.Thread(target=load, daemon=True).start()


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
