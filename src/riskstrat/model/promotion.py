"""From candidate to approved to retired: whether runs rely on a model is somebody's decision, kept in the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskstrat.audit import append, read_entries, refusal
from riskstrat.errors import MisuseError, NotPermittedError, RiskstratError
from riskstrat.guards import locked
from riskstrat.model.evaluation.gates import APPROVAL, PROMOTION, failed_gates
from riskstrat.runs import file_hash
from riskstrat.scoring.boosting import BoostingModel
from riskstrat.scoring.logistic import LogisticModel
from riskstrat.scoring.registry import (
    APPROVE,
    APPROVED,
    CANDIDATE,
    EVALUATE,
    EVALUATION,
    RETIRE,
    RETIRED,
    Model,
    approval_hash,
    find_model,
    list_models,
    write_status,
)
from riskstrat.site import Site


def approve(site: Site, name: str, *, by: str, reason: str, kind: str = LogisticModel.kind) -> Model:
    """Let nightly runs score with a candidate, from now on, once every gate of its evaluation holds.

    ``kind`` may be the challenger where the gates of its promotion hold as well. Raises MisuseError where the model is
    no candidate or another is approved, NotPermittedError where it was not evaluated or a gate does not hold.
    """
    _check_signed(by, "--by")
    _check_signed(reason, "--reason")
    with locked(site):
        model = find_model(site, name)
        if model.stage != CANDIDATE:
            raise MisuseError(
                f"the model {model.id} is {model.stage}.",
                remedy="train a new candidate: riskstrat model train",
            )
        others = [one.id for one in list_models(site) if one.stage == APPROVED]
        if others:
            raise MisuseError(
                f"the model {others[0]} is approved, and a run scores with one.",
                remedy=f"retire it first: riskstrat model retire {others[0]}",
            )
        if damaged := model.damage():
            raise RiskstratError(
                "is not what was trained.", file=model.folder / damaged, remedy="train the model again."
            )
        _check_kind(model, kind)
        with refusal(site, APPROVE, model=model.id):
            _check_evaluation(site, model, kind)
        return _decided(site, model, APPROVED, APPROVE, by=by, reason=reason, kind=kind)


def retire(site: Site, name: str, *, by: str, reason: str) -> Model:
    """Let no run score with a model any more; it stays in the registry. Raises MisuseError where it is retired."""
    _check_signed(by, "--by")
    _check_signed(reason, "--reason")
    with locked(site):
        model = find_model(site, name)
        if model.stage == RETIRED:
            raise MisuseError(f"the model {model.id} is retired already.", remedy="nothing is left to do.")
        return _decided(site, model, RETIRED, RETIRE, by=by, reason=reason, kind=model.status.get("kind"))


def read_evaluation(model: Model) -> Mapping[str, Any]:
    """What the evaluation of a model found. Raises NotPermittedError where there is none of this very model."""
    path = model.folder / EVALUATION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        content = None
    except ValueError:
        raise RiskstratError("cannot be read.", file=path, remedy="evaluate the model again.") from None
    if not isinstance(content, dict) or content.get("model_sha256") != model.sha256:
        raise NotPermittedError(
            f"the model {model.id} has not been evaluated.",
            file=path,
            remedy=f"evaluate it first: riskstrat model evaluate {model.id}",
        )
    return content


def _check_kind(model: Model, kind: str) -> None:
    if kind not in model.about["kinds"]:
        known = ", ".join(model.about["kinds"])
        raise MisuseError(f"the model {model.id} has no {kind}.", remedy=f"use one of {known}.")


def _check_evaluation(site: Site, model: Model, kind: str) -> None:
    evaluation = read_evaluation(model)
    if file_hash(model.folder / EVALUATION) not in _evaluations_on_record(site, model):
        raise NotPermittedError(
            "is not what the audit log says was found.",
            file=model.folder / EVALUATION,
            remedy=f"evaluate the model again: riskstrat model evaluate {model.id}",
        )
    wanted = (APPROVAL, PROMOTION) if kind == BoostingModel.kind else (APPROVAL,)
    failed = [
        f"{horizon['horizon']}: {problem}"
        for horizon in evaluation["horizons"]
        for decides in wanted
        for problem in failed_gates(horizon["gates"], decides)
    ]
    if failed:
        more = f" ({len(failed) - 1} more)" if failed[1:] else ""
        raise NotPermittedError(
            f"a gate of its evaluation does not hold: {failed[0]}{more}.",
            file=model.folder / EVALUATION,
            remedy="find out why; the gates stand in config/model/evaluation.yaml.",
        )


def _evaluations_on_record(site: Site, model: Model) -> set[str]:
    """The hashes of all that evaluations of the model ever wrote."""
    return {
        str(entry.facts.get("file_sha256"))
        for entry in read_entries(site)
        if (entry.facts.get("action"), entry.facts.get("model")) == (EVALUATE, model.id)
    }


def _check_signed(text: str, option: str) -> None:
    if not text.strip():
        raise MisuseError(f"{option} is empty.", remedy="say who signs, and why; both are kept.")


def _decided(
    site: Site, model: Model, stage: str, action: str, *, by: str, reason: str, kind: str | None
) -> Model:
    """Put a decision on record, then in force. What stands in the log is what counts."""
    evaluation = model.folder / EVALUATION
    entry = append(
        site,
        action,
        model=model.id,
        file_sha256=approval_hash(model.sha256, str(kind)),
        signed_off_by=by,
        reason=reason,
    )
    status = {
        **model.status,
        "stage": stage,
        "kind": kind,
        "evaluation_sha256": file_hash(evaluation) if evaluation.is_file() else None,
        stage: {
            "by": by,
            "reason": entry["reason"],
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "entry": entry["n"],
        },
    }
    write_status(model, status)
    return Model(model.id, model.folder)
