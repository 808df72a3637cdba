"""``riskstrat model evaluate``: a registered model is judged, and what may leave is written into its folder.

What is judged is the way in which the model was made: it is fitted again, by the definitions in its own folder, without
the time and the people that it is judged on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from threadpoolctl import threadpool_limits

from riskstrat.audit import append, refusal
from riskstrat.charts import standalone
from riskstrat.definitions.contracts import Column, load_contract
from riskstrat.definitions.disclosure import Policy, load_disclosure
from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.model import ModelDefinition, load_model_definition
from riskstrat.definitions.model_evaluation import (
    FILE,
    EvaluationPlan,
    check_features,
    load_evaluation_plan,
)
from riskstrat.definitions.model_outcome import Horizon
from riskstrat.disclosure.store import publish_for_site
from riskstrat.errors import DefinitionError, MisuseError, RiskstratError
from riskstrat.guards import locked
from riskstrat.keys import PRIVATE_FILE
from riskstrat.model.evaluation.assembling import horizon_figures
from riskstrat.model.evaluation.figures import all_figures
from riskstrat.model.evaluation.gates import APPROVAL, NO_FIGURE, Gate
from riskstrat.model.evaluation.judging import CHALLENGER, MODEL, judge
from riskstrat.model.evaluation.page import render_page
from riskstrat.model.evaluation.splits import Fit
from riskstrat.model.fitting import KINDS, FittedModel, fit
from riskstrat.model.frame_files import Frames, frames_folder, open_frames, read_frames
from riskstrat.model.frames import build_frames
from riskstrat.pipeline import code_version
from riskstrat.progress import Progress
from riskstrat.scoring.registry import EVALUATION, Model, find_model
from riskstrat.site import Site

PAGE, FIGURES = "evaluation.html", "figures"
SCHEMA = 1
THREADS = 1
"""Sums in another order differ in the last digit, so the number of threads is part of the result."""
TITLES = {KINDS[0]: "Model (logistic)", KINDS[1]: "Challenger (boosted trees)"}
ACTION = "model evaluate"


@dataclass(frozen=True)
class Evaluated:
    """A model with what was found, as ``evaluation.json`` holds it, and the page."""

    model: Model
    evaluation: Mapping[str, Any]
    page: Path


def evaluate(
    site: Site,
    name: str,
    *,
    test_dates: Sequence[date] = (),
    old_dates: Sequence[date] = (),
    allow_random: bool = False,
    progress: Progress | None = None,
) -> Evaluated:
    """Judge a model of the registry and write evaluation.json, the charts and the page beside it.

    ``test_dates`` are the index dates to be judged on, by default the newest that allow it; ``old_dates`` further ones,
    whose scores are judged by their age. Raises NothingPublishedError where there is no such model, MisuseError where
    the dates allow no test, NotPermittedError where so little may leave that nothing could be said.
    """
    progress = progress or Progress()
    model = find_model(site, name)
    if damaged := model.damage():
        raise RiskstratError(
            "is not what was trained.", file=model.folder / damaged, remedy="train the model again."
        )
    features = load_contract(site.data_contracts / f"{FEATURES}.yaml")
    columns = {column.name: column for column in features.columns}
    plan = load_evaluation_plan(site.config / FILE)
    check_features(plan, columns)
    policy = policy_of(site, plan)
    frames = _frames(site, model, {*test_dates, *old_dates}, progress)
    work = _Work(site, model, load_model_definition(model.folder, columns), plan, policy, progress)
    table = read_frames(frames.path)
    with refusal(site, ACTION, model=model.id, audience=plan.audience), threadpool_limits(THREADS):
        horizons = [work.horizon(one, table, test_dates, allow_random) for one in horizons_of(model)]
    content = _document(model, frames, plan, columns, policy, horizons)
    with progress.stage("page"), locked(site):
        return _written(site, model, plan, content)


def policy_of(site: Site, plan: EvaluationPlan) -> Policy:
    """The policy of the audience that pages and cards leave for. Raises DefinitionError where it hides nothing."""
    audiences = load_disclosure(site.config / "disclosure.yaml").audiences
    policy = audiences.get(plan.audience)
    if policy is None or not policy.hides:
        raise DefinitionError(
            f"'{plan.audience}' has no policy that hides small counts, and the evaluation leaves.",
            file=plan.file,
            column="audience",
            remedy=f"use one of {', '.join(sorted(one for one, its in audiences.items() if its.hides))}.",
        )
    return policy


def horizons_of(model: Model) -> list[Horizon]:
    """The horizons at which the model was fitted, the main one first."""
    listed = [
        Horizon(str(one["name"]), one["months"], one["days"]) for one in model.about["outcome"]["horizons"]
    ]
    return [one for one in listed if one.name in model.about["horizons"]]


def _frames(site: Site, model: Model, dates: set[date], progress: Progress) -> Frames:
    """The frame that the model was made of, or one with more dates where they are asked for."""
    learnt = {date.fromisoformat(day) for day in model.about["index_dates"]}
    folder = frames_folder(site) / str(model.about["frame"]["id"])
    if dates <= learnt and folder.is_dir():
        return open_frames(folder)
    return build_frames(site, sorted(learnt | dates), progress=progress)


@dataclass(frozen=True)
class _Work:
    """What judging every horizon of a model needs."""

    site: Site
    model: Model
    definition: ModelDefinition
    plan: EvaluationPlan
    policy: Policy
    progress: Progress

    def horizon(
        self, horizon: Horizon, table: pa.Table, test_dates: Sequence[date], allow_random: bool
    ) -> dict[str, Any]:
        """The figures of one horizon; one beside the main one that cannot be judged says why, and fails its gate."""
        is_main = horizon.name == self.model.about["horizons"][0]
        publish = partial(publish_for_site, self.site, policy=self.policy)
        try:
            with self.progress.stage(f"judge {horizon.name}"):
                judged = judge(
                    table,
                    self.plan,
                    horizon,
                    self.fits(horizon),
                    asked=test_dates,
                    allow_random=allow_random,
                    in_full=is_main,
                    say=self.progress.step,
                )
            with self.progress.stage(f"gate {horizon.name}"):
                return horizon_figures(judged, self.plan, self.policy, publish)
        except MisuseError as problem:
            if is_main:
                raise
            gate = Gate(
                "judged", f"The {horizon.name} score was judged", APPROVAL, False, NO_FIGURE, "a test by time"
            )
            return {"horizon": horizon.name, "left_out": problem.what, "gates": [asdict(gate)]}

    def fits(self, horizon: Horizon) -> dict[str, tuple[str, Fit]]:
        """How the model was fitted, and the challenger where there is one; each at the level that it was moved to."""
        seed = int(self.model.about["seed"])
        moved = self.model.about.get("recalibrated", {}).get("horizons", {}).get(horizon.name, {})

        def fitted(table: pa.Table, kind: str) -> FittedModel:
            model = fit(table, self.definition, horizon=horizon.name, kind=kind, seed=seed)
            shift = float(moved.get("shifts", {}).get(kind, 0.0))
            return replace(model, intercept=model.intercept + shift)

        def fit_of(kind: str) -> Fit:
            return lambda table: fitted(table, kind)

        names = dict(zip(KINDS, (MODEL, CHALLENGER), strict=True))
        kinds = [kind for kind in KINDS if kind in self.model.about["kinds"]]
        return {names[kind]: (TITLES[kind], fit_of(kind)) for kind in kinds}


def _document(
    model: Model,
    frames: Frames,
    plan: EvaluationPlan,
    columns: Mapping[str, Column],
    policy: Policy,
    horizons: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "model": model.id,
        "model_sha256": model.sha256,
        "frames": {
            "id": frames.id,
            "sha256": frames.about["sha256"],
            "index_dates": [day.isoformat() for day in frames.index_dates],
            "complete_to": frames.complete_to.isoformat(),
        },
        "outcome": {"title": model.about["outcome"]["title"]},
        "plan": {
            "file": f"config/{FILE.as_posix()}",
            "sha256": hashlib.sha256(plan.file.read_bytes()).hexdigest(),
            "team_share": plan.team_share,
            "team_source": plan.team_source,
            "rule": plan.rule,
            "confidence": plan.confidence,
            "resamples": plan.resamples,
            "seed": plan.seed,
            "person_folds": plan.person_folds,
            "prior_admissions": plan.prior_admissions,
            "comparators": [
                {
                    "title": one.title,
                    "feature": one.feature,
                    "at_least": one.at_least,
                    "meaning": columns[one.feature].description,
                }
                for one in plan.comparators
            ],
            "gates": asdict(plan.gates),
            "anchors": [asdict(anchor) for anchor in plan.anchors],
        },
        "policy": {"audience": plan.audience, "name": policy.name, "title": policy.title},
        "code_version": code_version(),
        "threads": THREADS,
        "horizons": list(horizons),
    }


def _written(site: Site, model: Model, plan: EvaluationPlan, content: Mapping[str, Any]) -> Evaluated:
    """Write everything, the JSON last: whoever finds it finds the page that goes with it."""
    charts = all_figures(content["horizons"][0], plan.team_share)
    page = render_page(content, charts, plan.causal_words)
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    folder = model.folder / FIGURES
    folder.mkdir(mode=0o750, exist_ok=True)
    for old in set(folder.glob("*.svg")) - {folder / f"{name}.svg" for name in charts}:
        old.unlink()
    for name, chart in charts.items():
        _replace(folder / f"{name}.svg", standalone(chart))
    _replace(model.folder / PAGE, page)
    append(
        site,
        ACTION,
        model=model.id,
        audience=plan.audience,
        as_of=max(content["horizons"][0]["split"]["test_dates"]),
        file_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
    _replace(model.folder / EVALUATION, text)
    return Evaluated(model, content, model.folder / PAGE)


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, for its owner alone."""
    partial_path = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    partial_path.replace(path)
