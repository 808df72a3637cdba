"""Training: a landmark frame becomes a candidate in the registry, with everything that it was made of written down."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pyarrow as pa

from riskstrat.audit import append, refusal
from riskstrat.audit.telling import masked
from riskstrat.dates import months_before
from riskstrat.definitions.everything import FEATURES, Definitions, load_definitions
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model import FILES, ModelDefinition
from riskstrat.definitions.model_outcome import FILE as OUTCOME_FILE
from riskstrat.definitions.model_outcome import load_outcome
from riskstrat.errors import ContractBrokenError
from riskstrat.guards import locked, private_files
from riskstrat.keys import PRIVATE_FILE, PRIVATE_FOLDER
from riskstrat.model.fitting import KINDS, FittedModel, fit
from riskstrat.model.frame_files import Frames, read_frames
from riskstrat.model.frames import build_frames
from riskstrat.model.offers import marked, read_offers, refuse_naive_refit
from riskstrat.pipeline import code_version
from riskstrat.progress import Progress
from riskstrat.runs import file_hash
from riskstrat.scoring.facts import feature_facts
from riskstrat.scoring.registry import ABOUT, CANDIDATE, Model, models_folder, write_status
from riskstrat.scoring.spread import shape_of, shape_of_risks
from riskstrat.site import Site

LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "pyarrow")


def train(
    site: Site,
    index_dates: Sequence[date],
    *,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    despite_offers: str | None = None,
    progress: Progress | None = None,
) -> Model:
    """Fit every kind of model at every horizon to the frame of these index dates, and register it as a candidate.

    The same deliveries, definitions, code and seed give the same id, and a model that is there is not made again. A
    horizon beside the main one of which too little is known is left out and named. Raises what ``build_frames`` and
    ``fit`` raise, and NotPermittedError where people were offered something within a horizon, unless
    ``despite_offers`` says why they may be learnt from.
    """
    progress = progress or Progress()
    with refusal(site, "model train", purpose=RUN_PURPOSE):
        offers, outcome = read_offers(site), load_outcome(site.config / OUTCOME_FILE)
        refuse_naive_refit(offers, outcome, index_dates, despite_offers)
        frames = build_frames(site, index_dates, progress=progress)
    definitions = load_definitions(site.root)
    table = read_frames(frames.path)
    treated = marked(table, offers, outcome)
    if treated and despite_offers:
        treated["despite"] = masked(despite_offers)
    made_of = {**_made_of(definitions, frames, kinds, seed), "offers": treated}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    name = f"{frames.complete_to:%Y%m%d}-{digest[:10]}"
    model = Model(name, models_folder(site) / name)
    if (model.folder / ABOUT).is_file():
        progress.say(f"the model {name} is there already; nothing that it was made of has changed since.")
        return model
    with private_files(), locked(site):
        building = models_folder(site) / f".{name}.partial"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=PRIVATE_FOLDER, parents=True)
        try:
            about = _fitted(table, definitions.model, frames, kinds, seed, building, progress)
            _write(building, name, {**made_of, **about}, definitions.model)
            write_status(Model(name, building), {"stage": CANDIDATE, "sha256": file_hash(building / ABOUT)})
            reason = treated.get("despite")
            append(site, "model train", model=name, purpose=RUN_PURPOSE, count=about["people"], reason=reason)
            building.rename(model.folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return model


def _made_of(definitions: Definitions, frames: Frames, kinds: Sequence[str], seed: int) -> dict[str, Any]:
    """Everything that decides a model."""
    return {
        "frame": {"id": frames.id, "sha256": frames.about["sha256"]},
        "index_dates": [f"{day}" for day in frames.index_dates],
        "complete_to": f"{frames.complete_to}",
        "definition": dict(definitions.model.hashes),
        "features": feature_facts(definitions.root, definitions.contracts[FEATURES], definitions.model.names),
        "code_version": code_version(),
        "libraries": {"python": python_version(), **{name: version(name) for name in LIBRARIES}},
        "kinds": list(kinds),
        "seed": seed,
    }


def _fitted(
    table: pa.Table,
    definition: ModelDefinition,
    frames: Frames,
    kinds: Sequence[str],
    seed: int,
    folder: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Fit, write the models, and tell what came of it."""
    outcome = frames.about["outcome"]
    horizons = [str(one["name"]) for one in outcome["horizons"]]
    fits: dict[str, Mapping[str, Any]] = {}
    risks: dict[str, Mapping[str, Any]] = {}
    warnings, there = list(frames.warnings), []
    for horizon in horizons:
        try:
            for kind in kinds:
                with progress.stage(f"fit {kind} {horizon}"):
                    model = fit(table, definition, horizon=horizon, kind=kind, seed=seed)
                model.save(folder)
                fits[f"{kind}_{horizon}"] = model.about
                risks[f"{kind}_{horizon}"] = shape_of_risks(model.predict(table))
                warnings += _warnings(model)
        except ContractBrokenError as problem:
            if horizon == horizons[0]:
                raise
            warnings.append(f"there is no {horizon} model: {problem.what}")
            continue
        there.append(horizon)
    for warning in dict.fromkeys(warnings):
        progress.say(f"warning: {warning}")
    expires = months_before(frames.complete_to, -definition.serving.expires_after_months)
    return {
        "outcome": dict(outcome),
        "horizons": there,
        "people": max(int(one["people"]) for one in fits.values()),
        "expires_on": f"{expires}",
        "fits": fits,
        "rows": table.num_rows,
        "shape": shape_of(table, definition.names),
        "shape_of_risks": risks,
        "warnings": list(dict.fromkeys(warnings)),
    }


def _warnings(model: FittedModel) -> list[str]:
    return [f"{name} {why} and is not used" for name, why in model.about["left_out"].items()]


def _write(folder: Path, name: str, about: Mapping[str, Any], definition: ModelDefinition) -> None:
    for file in FILES:
        shutil.copyfile(definition.folder / file, folder / file)
    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    text = json.dumps({"model": name, "files": files, **about}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / ABOUT).write_text(text + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(PRIVATE_FILE)
