"""Judging a published run again by today's limits, from its stored observations alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.everything import Definitions
from riskstrat.quality.expectations import judge_all
from riskstrat.quality.measures import measure, unobserved
from riskstrat.quality.store import stored_observations, stored_verdicts
from riskstrat.quality.wording import sentence

PASSES, FAILS, NOT_JUDGED = "passes", "fails", "not judged"


@dataclass(frozen=True)
class Change:
    """A check that today's limits judge otherwise: ``was`` and ``now`` are "passes", "fails" or "not judged".

    ``says`` explains a failure now; it is empty where the check passes or is judged no more.
    """

    check: str
    severity: str
    was: str
    now: str
    says: str


@dataclass(frozen=True)
class Rejudged:
    """An extract under today's limits. ``unobserved`` are rules that the run did not apply: only a new run can."""

    extract: str
    was_success: bool
    success: bool
    changes: tuple[Change, ...]
    unobserved: tuple[str, ...]
    results: tuple[Mapping[str, Any], ...]


def rejudge(run_folder: Path, definitions: Definitions) -> dict[str, Rejudged]:
    """Every extract of a run, by name, judged by the limits and rule severities that ``definitions`` hold now.

    Great Expectations judges the numbers that the run stored; no extract is read and nothing is written. Extracts
    that have no contract any more are left out. Raises RiskstratError when the run stored no observations.
    """
    stored = {
        name: verdict for name, verdict in stored_verdicts(run_folder).items() if name in definitions.limits
    }
    seen = {name: stored_observations(verdict, run_folder) for name, verdict in stored.items()}
    verdicts, _ = judge_all(
        {name: measure(seen[name], definitions.contracts[name], definitions.limits[name]) for name in stored}
    )
    return {
        name: Rejudged(
            extract=name,
            was_success=bool(stored[name]["success"]),
            success=bool(verdicts[name]["success"]),
            changes=_changes(stored[name]["results"], verdicts[name]["results"]),
            unobserved=tuple(unobserved(seen[name], definitions.contracts[name])),
            results=tuple(verdicts[name]["results"]),
        )
        for name in stored
    }


def _changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> tuple[Change, ...]:
    was, now = _by_check(before), _by_check(after)
    return tuple(
        Change(
            check=check,
            severity=severity,
            was=_outcome(was.get((check, severity))),
            now=_outcome(result := now.get((check, severity))),
            says=sentence(result) if result and not result["success"] else "",
        )
        for check, severity in sorted(was.keys() | now.keys())
        if _outcome(was.get((check, severity))) != _outcome(now.get((check, severity)))
    )


def _by_check(results: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(result["check"], result["severity"]): result for result in results}


def _outcome(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return NOT_JUDGED
    return PASSES if result["success"] else FAILS
