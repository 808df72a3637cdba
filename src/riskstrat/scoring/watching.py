"""What a night looks at to tell whether the model that scores still fits: earlier runs' scores whose time is over.

Found before a run begins, because they are part of what decides its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.definitions.model_drift import FILE, DriftPolicy, load_drift_policy
from riskstrat.definitions.model_evaluation import FILE as EVALUATION_FILE
from riskstrat.definitions.model_evaluation import load_evaluation_plan
from riskstrat.definitions.model_outcome import Horizon, Outcome
from riskstrat.errors import RiskstratError
from riskstrat.runs import Run, file_hash, list_runs
from riskstrat.site import Site

SCORES_FILE = "scores.parquet"


@dataclass(frozen=True)
class Mature:
    """The newest run whose scores of one horizon can be held against what happened, and the model that made them."""

    horizon: Horizon
    run: Run
    model: str

    @property
    def scores(self) -> Path:
        """What the run published of everybody."""
        return self.run.folder / SCORES_FILE


@dataclass(frozen=True)
class Watch:
    """The bands, the rules of the outcome, the share of people whom a team can see, and mature scores by horizon.

    ``damaged`` are runs whose scores are not what was published; they are passed over.
    """

    policy: DriftPolicy
    outcome: Outcome
    capacity: float
    mature: Mapping[str, Mature]
    damaged: tuple[str, ...] = ()

    @property
    def identity(self) -> Mapping[str, str]:
        """Which runs' scores are held against outcomes tonight, by horizon, as the manifest names them."""
        return {f"scores of the {name}": one.run.id for name, one in self.mature.items()}


def find_watch(site: Site, about: Mapping[str, Any], as_of: date) -> Watch:
    """What a run of ``as_of`` is to look at, for a model that was made ``about`` so. Raises DefinitionError."""
    policy = load_drift_policy(site.config / FILE)
    capacity = load_evaluation_plan(site.config / EVALUATION_FILE).team_share
    outcome = outcome_of(about)
    damaged: set[str] = set()
    mature = {
        horizon.name: found
        for horizon in outcome.horizons
        if horizon.name in about["horizons"]
        and (found := _mature(site.output, horizon, as_of, policy.observed.settle_days, damaged)) is not None
    }
    return Watch(policy, outcome, capacity, mature, tuple(sorted(damaged)))


def outcome_of(about: Mapping[str, Any]) -> Outcome:
    """The rules by which a model's labels were made, from its ``model.json``."""
    rules = {name: value for name, value in about["outcome"].items() if name != "file"}
    horizons = tuple(Horizon(str(one["name"]), one["months"], one["days"]) for one in rules["horizons"])
    return Outcome(**{**rules, "horizons": horizons, "extracts": tuple(rules["extracts"])})


def _mature(
    output: Path, horizon: Horizon, as_of: date, settle_days: int, damaged: set[str]
) -> Mature | None:
    latest = horizon.latest_start(as_of - timedelta(days=settle_days))
    for run in reversed(list_runs(output)):
        if run.as_of > latest:
            continue
        try:
            scored, files = run.manifest.get("scored_by"), run.manifest.get("files", {})
            if scored is None:
                continue
            if files.get(SCORES_FILE) == file_hash(run.folder / SCORES_FILE):
                return Mature(horizon, run, str(scored["model"]))
        except (RiskstratError, OSError):
            pass
        damaged.add(run.id)
    return None
