"""Observations and limits for tests of data quality: one healthy extract, and whatever a test changes about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract, load_contract
from riskstrat.definitions.limits import Limits
from riskstrat.quality.expectations import judge_all
from riskstrat.quality.measures import measure
from riskstrat.quality.observations import Delivered, Observations
from riskstrat.quality.store import write_verdicts

AS_OF = date(2026, 4, 1)
CONTRACTS = Path(__file__).resolve().parents[1] / "data_contracts"
STATUSES = ("accepted", "quarantined", "duplicates", "superseded", "deleted")
LIMITS = Limits(
    stale_after_days=35,
    stop_after_days=92,
    max_quarantined_share=0.05,
    max_quarantined_rows=20,
    min_rows=0,
    small_share=0.5,
    stop_small_share=0.1,
    usual_after=3,
    usual_min_rows=20,
    month_small_share=0.5,
)


def contract_of(extract: str = "gp_events") -> Contract:
    return load_contract(CONTRACTS / f"{extract}.yaml")


def seen(extract: str = "gp_events", **changed: Any) -> Observations:
    """What was seen of one delivery of 100 sound rows, the day before as_of."""
    healthy = Observations(
        extract=extract,
        mode="delta",
        as_of=AS_OF,
        read=100,
        accepted=100,
        quarantined=0,
        corrected=0,
        failed={rule.id: 0 for rule in contract_of(extract).rules},
        newest_delivery=AS_OF - timedelta(days=1),
        deliveries=(Delivered(AS_OF - timedelta(days=1), (f"2026-03-31/{extract}.csv",), 100, 100),),
        held=1,
    )
    failed = {**healthy.failed, **changed.pop("failed", {})}
    return replace(healthy, failed=failed, **changed)


def delivered(*rows: int, newest: date = AS_OF - timedelta(days=1)) -> tuple[Delivered, ...]:
    """One delivery a day, oldest first, of so many rows each."""
    days = [newest - timedelta(days=back) for back in range(len(rows) - 1, -1, -1)]
    return tuple(
        Delivered(day, (f"{day}/gp_events.csv",), count, count) for day, count in zip(days, rows, strict=True)
    )


def judged(observations: Observations, limits: Limits = LIMITS) -> dict[str, Any]:
    """The verdict of Great Expectations on one extract."""
    contract = contract_of(observations.extract)
    verdicts, _ = judge_all({contract.name: measure(observations, contract, limits)})
    return verdicts[contract.name]


def outcomes(verdict: dict[str, Any]) -> dict[tuple[str, str], bool]:
    """(check without its extract, severity) -> success."""
    return {
        (result["check"].partition(".")[2], result["severity"]): result["success"]
        for result in verdict["results"]
    }


def failures(verdict: dict[str, Any]) -> set[tuple[str, str]]:
    return {check for check, success in outcomes(verdict).items() if not success}


def write_summary(run_folder: Path, extract: str, counts: list[int], **changed: Any) -> None:
    """One extract's ``summary.json`` as ingest leaves it; ``counts`` in the order of STATUSES."""
    summary = {
        "extract": extract,
        "title": f"Title of {extract}",
        "files": ["2026-03-31/events.csv"],
        "conservation": {"read": sum(counts), **dict(zip(STATUSES, counts, strict=True))},
        "corrected": 0,
        "unlinked": 0,
        "before_birth": 0,
        "after_as_of": 0,
        "implausible": 0,
        "checks": [],
        "first_failures": [],
    }
    folder = run_folder / "quality" / extract
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary | changed), encoding="utf-8")


def write_judged(run_folder: Path, observations: Observations, limits: Limits = LIMITS) -> dict[str, Any]:
    """One extract's summary, and its verdict with what it came from."""
    counts = [observations.accepted, observations.quarantined, 0, 0, 0]
    write_summary(run_folder, observations.extract, counts)
    verdict = judged(observations, limits)
    write_verdicts(run_folder, {observations.extract: observations}, {observations.extract: verdict})
    return verdict


def write_run(output: Path, as_of: date, *extracts: Observations, letter: str = "a") -> Path:
    """A published run that holds nothing but its quality, for whatever compares runs."""
    folder = output / "runs" / f"{as_of:%Y%m%d}-{letter * 10}"
    folder.mkdir(parents=True)
    for observations in extracts:
        write_judged(folder, replace(observations, as_of=as_of, newest_delivery=as_of - timedelta(days=1)))
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    pointer = output / "latest"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(Path("runs") / folder.name)
    return folder
