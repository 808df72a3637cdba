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

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.audit import append, refusal
from riskstrat.dates import months_before
from riskstrat.definitions.everything import FEATURES, Definitions, load_definitions
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model import FILES, ModelDefinition
from riskstrat.errors import ContractBrokenError
from riskstrat.guards import locked, private_files
from riskstrat.keys import PRIVATE_FILE, PRIVATE_FOLDER
from riskstrat.model.fitting import KINDS, FittedModel, fit
from riskstrat.model.frame_files import Frames, read_frames
from riskstrat.model.frames import build_frames
from riskstrat.pipeline import code_version
from riskstrat.progress import Progress
from riskstrat.runs import file_hash
from riskstrat.scoring.facts import feature_facts
from riskstrat.scoring.registry import ABOUT, CANDIDATE, Model, models_folder, write_status
from riskstrat.site import Site

LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "pyarrow")
BINS = 10


def train(
    site: Site,
    index_dates: Sequence[date],
    *,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model:
    """Fit every kind of model at every horizon to the frame of these index dates, and register it as a candidate.

    The same deliveries, definitions, code and seed give the same id, and a model that is there is not made again. A
    horizon beside the main one of which too little is known is left out and named. Raises what ``build_frames`` and
    ``fit`` raise.
    """
    progress = progress or Progress()
    with refusal(site, "model train", purpose=RUN_PURPOSE):
        frames = build_frames(site, index_dates, progress=progress)
    definitions = load_definitions(site.root)
    made_of = _made_of(definitions, frames, kinds, seed)
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    name = f"{frames.complete_to:%Y%m%d}-{digest[:10]}"
    model = Model(name, models_folder(site) / name)
    if (model.folder / ABOUT).is_file():
        progress.say(f"the model {name} is there already; nothing that it was made of has changed since.")
        return model
    table = read_frames(frames.path)
    with private_files(), locked(site):
        building = models_folder(site) / f".{name}.partial"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=PRIVATE_FOLDER, parents=True)
        try:
            about = _fitted(table, definitions.model, frames, kinds, seed, building, progress)
            _write(building, name, {**made_of, **about}, definitions.model)
            write_status(Model(name, building), {"stage": CANDIDATE, "sha256": file_hash(building / ABOUT)})
            append(site, "model train", model=name, purpose=RUN_PURPOSE, count=about["people"])
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
    warnings, there = list(frames.warnings), []
    for horizon in horizons:
        try:
            for kind in kinds:
                with progress.stage(f"fit {kind} {horizon}"):
                    model = fit(table, definition, horizon=horizon, kind=kind, seed=seed)
                model.save(folder)
                fits[f"{kind}_{horizon}"] = model.about
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
        "shape": shape_of(table, definition.names),
        "warnings": list(dict.fromkeys(warnings)),
    }


def _warnings(model: FittedModel) -> list[str]:
    return [f"{name} {why} and is not used" for name, why in model.about["left_out"].items()]


def shape_of(table: pa.Table, predictors: Sequence[str]) -> dict[str, Any]:
    """How each predictor was spread over the rows, in shares of them.

    ``unknown``, ``differing`` from the most usual value, and those of its levels, or between ``edges`` (the lower end
    included) where it is a number.
    """
    return {name: _shape(table[name]) for name in predictors if name in table.column_names and table.num_rows}


def _shape(column: pa.ChunkedArray) -> dict[str, Any]:
    rows, known = len(column), column.drop_null()
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(known).to_pylist()}
    usual = max(counts.values(), default=0)
    shape: dict[str, Any] = {"unknown": column.null_count / rows, "differing": (len(known) - usual) / rows}
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = np.sort(known.to_numpy().astype(np.float64))
        places = np.linspace(0, max(len(values) - 1, 0), BINS + 1)[1:-1].astype(int)
        edges = np.unique(values[places]) if len(values) else np.array([])
        inside = np.diff([0, *np.searchsorted(values, edges), len(values)])
        return shape | {"edges": edges.tolist(), "shares": (inside / rows).tolist()}
    levels = {str(value).lower() if isinstance(value, bool) else str(value): n for value, n in counts.items()}
    return shape | {"levels": {name: levels[name] / rows for name in sorted(levels)}}


def _write(folder: Path, name: str, about: Mapping[str, Any], definition: ModelDefinition) -> None:
    for file in FILES:
        shutil.copyfile(definition.folder / file, folder / file)
    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    text = json.dumps({"model": name, "files": files, **about}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / ABOUT).write_text(text + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(PRIVATE_FILE)
