"""The routine update: a model's level is moved to what was observed since, and nothing else of it.

Everybody's log-odds move by the same amount, so ranks, effects and reasons stay. The result is a candidate of its own,
which has to be evaluated and signed; it expires on the day on which its parent does, because what it knows of people is
as old.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from riskstrat.audit import append, refusal
from riskstrat.definitions.contracts import load_contract
from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model import FILES
from riskstrat.definitions.model_drift import FILE, DriftPolicy, load_drift_policy
from riskstrat.definitions.model_outcome import FILE as OUTCOME_FILE
from riskstrat.definitions.model_outcome import Outcome, load_outcome
from riskstrat.errors import ContractBrokenError, MisuseError, NotPermittedError, RiskstratError
from riskstrat.guards import locked, private_files
from riskstrat.keys import PRIVATE_FILE, PRIVATE_FOLDER
from riskstrat.model.design import People
from riskstrat.model.evaluation.regression import fit_logistic, log_odds
from riskstrat.model.frame_files import Frames, read_frames
from riskstrat.model.frames import build_frames
from riskstrat.model.offers import marked, read_offers, treated_rows
from riskstrat.pipeline import code_version
from riskstrat.progress import Progress
from riskstrat.runs import file_hash
from riskstrat.scoring.facts import changes, feature_facts
from riskstrat.scoring.logistic import LogisticModel, probability
from riskstrat.scoring.observed import observed_over_expected
from riskstrat.scoring.persistence import FittedModel, load_estimator, load_model
from riskstrat.scoring.registry import (
    ABOUT,
    CANDIDATE,
    RETIRED,
    Model,
    find_model,
    models_folder,
    write_status,
)
from riskstrat.scoring.watching import outcome_of
from riskstrat.site import Site

ACTION = "model recalibrate"


def recalibrate(
    site: Site, name: str, index_dates: Sequence[date], *, progress: Progress | None = None
) -> Model:
    """Register the model with its intercepts moved to the outcomes of ``index_dates``, which it did not learn from.

    Raises MisuseError where a date is not later than what it learnt from or its main horizon is not over, the model is
    retired, or its features or outcome mean something else by now; ContractBrokenError where too few people had the
    outcome; NotPermittedError where the level would have to move further than drift of the level explains.
    """
    progress = progress or Progress()
    parent = find_model(site, name)
    policy = load_drift_policy(site.config / FILE)
    outcome = _checked(site, parent, index_dates)
    with refusal(site, ACTION, model=parent.id, purpose=RUN_PURPOSE):
        frames = build_frames(site, index_dates, progress=progress)
        _refuse_immature(outcome, frames)
        table, offers = read_frames(frames.path), read_offers(site)
        treated = treated_rows(table, offers, outcome).to_numpy() > 0
        moved, told, warnings = {}, {}, []
        for horizon in parent.about["horizons"]:
            try:
                for kind in parent.about["kinds"]:
                    model = load_model(parent.folder, horizon=horizon, kind=kind)
                    moved[kind, horizon], found = _moved(model, table, treated, policy)
                    if kind == parent.about["kinds"][0]:
                        told[horizon] = found
                    told[horizon]["shifts"] = {**told[horizon].get("shifts", {}), kind: found["shift"]}
            except ContractBrokenError as problem:
                if horizon == parent.about["horizons"][0]:
                    raise
                warnings.append(f"the level of the {horizon} score stays: {problem.what}")
    offered = marked(table, offers, outcome)
    warnings += _doubts(told, offered)
    about = {
        "parent": {"model": parent.id, "sha256": parent.sha256},
        "frame": {"id": frames.id, "sha256": frames.about["sha256"]},
        "index_dates": [f"{day}" for day in frames.index_dates],
        "complete_to": f"{frames.complete_to}",
        "horizons": told,
        "offers": offered,
        "policy": asdict(policy.recalibration),
        "code_version": code_version(),
        "warnings": warnings,
    }
    return _registered(site, parent, about, moved, People(table["person_id"]).count)


def _checked(site: Site, parent: Model, index_dates: Sequence[date]) -> Outcome:
    if damaged := parent.damage():
        raise RiskstratError(
            "is not what was trained.", file=parent.folder / damaged, remedy="train the model again."
        )
    if parent.stage == RETIRED:
        raise MisuseError(f"the model {parent.id} is retired.", remedy="recalibrate the one that is in use.")
    learnt = max(date.fromisoformat(day) for day in parent.about["index_dates"])
    if early := [day for day in index_dates if day <= learnt]:
        raise MisuseError(
            f"the model learnt from people as of {learnt}, so its level on {min(early)} is what it learnt.",
            remedy=f"name index dates after {learnt}.",
        )
    features = load_contract(site.data_contracts / f"{FEATURES}.yaml")
    now = feature_facts(site.root, features, parent.about["features"]["columns"])
    if found := changes(parent.about["features"], now):
        raise MisuseError(f"{found[0]}.", remedy="another level cannot mend that; train a model again.")
    outcome = outcome_of(parent.about)
    if load_outcome(site.config / OUTCOME_FILE).sha256 != outcome.sha256:
        raise MisuseError(
            "the rules of the outcome changed since the model was trained.",
            file=site.config / OUTCOME_FILE,
            remedy="train a model by the new rules, or restore the old ones.",
        )
    return outcome


def _refuse_immature(outcome: Outcome, frames: Frames) -> None:
    for day in frames.index_dates:
        if outcome.main.end(day) > frames.complete_to:
            raise MisuseError(
                f"what happened in the {outcome.main.name} from {day} on is not known yet: outcomes end at "
                f"{frames.complete_to}.",
                remedy=f"name no index date after {outcome.main.latest_start(frames.complete_to)}.",
            )


def _moved(
    model: FittedModel, table: pa.Table, treated: np.ndarray[Any, np.dtype[np.bool_]], policy: DriftPolicy
) -> tuple[FittedModel, dict[str, Any]]:
    """The model at its new level, and what is told of it."""
    label = table[f"label_{model.horizon}"]
    known = label.is_valid().to_numpy()
    rows, outcome = table.filter(pa.array(known)), label.drop_null().to_numpy().astype(bool)
    had = People(rows["person_id"]).among(outcome) if len(outcome) else 0
    if had < policy.recalibration.fewest_admitted:
        raise ContractBrokenError(
            f"{had} people had the outcome and {policy.recalibration.fewest_admitted} are needed to move a level.",
            remedy="give more index dates or wait for more people.",
        )
    risk = model.predict(rows)
    odds = log_odds(risk)
    shift = float(fit_logistic(np.ones((len(odds), 1)), outcome, offset=odds)[0])
    if abs(shift) > policy.recalibration.furthest_shift:
        raise NotPermittedError(
            f"the {model.horizon} log-odds would move by {shift:+.2f}; a drift of the level explains "
            f"{policy.recalibration.furthest_shift} at most.",
            file=policy.file,
            remedy="find out what changed: a feed, a code list, how admissions are recorded. Then train again.",
        )

    def ratio(risks: Any, chosen: Any) -> list[float]:
        observed, expected = float(outcome[chosen].sum()), float(risks[chosen].sum())
        return list(astuple(observed_over_expected(observed, expected, policy.observed.confidence)))

    everybody, spared = np.ones(len(outcome), bool), ~treated[known]
    told = {
        "rows": len(outcome),
        "observed": int(outcome.sum()),
        "before": ratio(risk, everybody),
        "after": ratio(probability(odds + shift), everybody),
        "before_without_treated": ratio(risk, spared) if spared.any() else None,
        "shift": shift,
    }
    return replace(model, intercept=model.intercept + shift, about={**model.about, "shift": shift}), told


def _doubts(told: Mapping[str, Mapping[str, Any]], offered: Mapping[str, Any]) -> list[str]:
    """What whoever signs has to know."""
    found = [
        f"the interval of the {horizon} score's observed over expected holds 1, so nothing speaks for another level"
        for horizon, one in told.items()
        if one["before"][1] <= 1 <= one["before"][2]
    ]
    treated = sum(int(one["rows"]) for one in offered.get("treated", {}).values())
    if treated:
        found.append(
            f"{treated} of the rows are of people who were offered something within the horizon, and the new level "
            "holds what that did; before_without_treated has the ratio without them"
        )
    return found


def _registered(
    site: Site,
    parent: Model,
    recalibrated: Mapping[str, Any],
    moved: Mapping[tuple[str, str], FittedModel],
    people: int,
) -> Model:
    """Write the model with its parent's files, but for those that moved."""
    digest = hashlib.sha256(json.dumps(recalibrated, sort_keys=True).encode()).hexdigest()
    name = f"{recalibrated['complete_to'].replace('-', '')}-{digest[:10]}"
    model = Model(name, models_folder(site) / name)
    if (model.folder / ABOUT).is_file():
        return model
    with private_files(), locked(site):
        building = models_folder(site) / f".{name}.partial"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=PRIVATE_FOLDER, parents=True)
        try:
            for file in (*FILES, *(one for one in parent.about["files"] if one not in FILES)):
                shutil.copyfile(parent.folder / file, building / file)
            for (kind, horizon), one in moved.items():
                replace(one, estimator=_estimator(parent.folder / f"{kind}_{horizon}.skops", one)).save(
                    building
                )
            about = {
                **parent.about,
                "model": name,
                "complete_to": recalibrated["complete_to"],
                "fits": {**parent.about["fits"], **{f"{k}_{h}": one.about for (k, h), one in moved.items()}},
                "shape_of_risks": _risks_moved(parent.about["shape_of_risks"], moved),
                "warnings": [*parent.about["warnings"], *recalibrated["warnings"]],
                "recalibrated": dict(recalibrated),
                "files": {path.name: file_hash(path) for path in sorted(building.iterdir())},
            }
            text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False)
            (building / ABOUT).write_text(text + "\n", encoding="utf-8")
            for path in building.iterdir():
                path.chmod(PRIVATE_FILE)
            write_status(Model(name, building), {"stage": CANDIDATE, "sha256": file_hash(building / ABOUT)})
            append(
                site,
                ACTION,
                model=name,
                replaces=parent.id,
                as_of=max(recalibrated["index_dates"]),
                purpose=RUN_PURPOSE,
                count=people,
            )
            building.rename(model.folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return model


def _estimator(path: Path, model: FittedModel) -> Any:
    """scikit-learn's estimator at the new level; the challenger's line stands beside its trees."""
    estimator = load_estimator(path)
    if isinstance(model, LogisticModel):
        estimator.intercept_ = estimator.intercept_ + model.about["shift"]
    return estimator


def _risks_moved(
    shapes: Mapping[str, Mapping[str, Any]], moved: Mapping[tuple[str, str], FittedModel]
) -> dict[str, Any]:
    """How the moved scores would have been spread over the people of training: the same shares, other edges."""
    found: dict[str, Any] = {name: dict(shape) for name, shape in shapes.items()}
    for (kind, horizon), model in moved.items():
        shape = found[f"{kind}_{horizon}"]
        edges = probability(log_odds(np.array(shape["edges"])) + float(model.about["shift"]))
        shape["edges"] = edges.tolist()
    return found
