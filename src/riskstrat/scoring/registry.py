"""The registry of models: ``state/models/MODEL/``, what each was made of, and whether it may be used.

``model.json`` says what a model was made of and lists its files by hash; it never changes. ``status.json`` says which
stage it has reached, with the hash of ``model.json``. An approval counts only where the audit log says the same.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from riskstrat.audit import DONE, read_entries
from riskstrat.errors import NothingPublishedError, RiskstratError
from riskstrat.keys import PRIVATE_FILE
from riskstrat.runs import file_hash
from riskstrat.site import Site

ABOUT, STATUS, EVALUATION = "model.json", "status.json", "evaluation.json"
MODEL_ID = re.compile(r"\d{8}-[0-9a-f]{10}")
CANDIDATE, APPROVED, RETIRED = "candidate", "approved", "retired"
EVALUATE, APPROVE, RETIRE = "model evaluate", "model approve", "model retire"  # actions of the audit log
TRAIN_REMEDY = "train one with: riskstrat model train --as-of DATE"


@dataclass(frozen=True)
class Model:
    """One folder of the registry."""

    id: str
    folder: Path

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """What the model was made of. Raises RiskstratError where that cannot be read."""
        return _mapping(self.folder / ABOUT)

    @cached_property
    def status(self) -> Mapping[str, Any]:
        """The stage that it has reached, and who said so. Raises RiskstratError where that cannot be read."""
        return _mapping(self.folder / STATUS)

    @property
    def stage(self) -> str:
        """candidate, approved or retired."""
        return str(self.status["stage"])

    @property
    def sha256(self) -> str:
        """The hash of ``model.json``, and so of every file that it lists."""
        return file_hash(self.folder / ABOUT)

    def damage(self) -> str | None:
        """Which of its files is not what was trained; None where all are."""
        if self.sha256 != self.status.get("sha256"):
            return ABOUT
        for name, digest in self.about["files"].items():
            path = self.folder / name
            if not path.is_file() or file_hash(path) != digest:
                return str(name)
        return None


def models_folder(site: Site) -> Path:
    """Where a site's models lie."""
    return site.state / "models"


def list_models(site: Site) -> list[Model]:
    """Every model, in the order of their ids, which begin with a date."""
    return [
        Model(path.name, path)
        for path in sorted(models_folder(site).glob("*"))
        if MODEL_ID.fullmatch(path.name) and (path / ABOUT).is_file()
    ]


def find_model(site: Site, name: str) -> Model:
    """The model of this id, or the newest for ``latest``. Raises NothingPublishedError where there is none."""
    known = {model.id: model for model in list_models(site)}
    if not known:
        raise NothingPublishedError("no model has been trained yet.", remedy=TRAIN_REMEDY)
    if name == "latest":
        return known[max(known)]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or list(known)[-3:]
        raise NothingPublishedError(f"there is no model '{name}'.", remedy=f"use one of {', '.join(near)}.")
    return known[name]


def write_status(model: Model, content: Mapping[str, Any]) -> None:
    """Replace ``status.json`` in one step."""
    partial = model.folder / f".{STATUS}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(model.folder / STATUS)


def decision_on_record(site: Site) -> Mapping[str, Any] | None:
    """The newest approval in the audit log that no retirement of the same model followed; None where there is none."""
    standing: dict[str, Mapping[str, Any]] = {}
    for entry in read_entries(site):
        facts = entry.facts
        if facts.get("outcome") == DONE and facts.get("action") in (APPROVE, RETIRE):
            standing.pop(str(facts.get("model")), None)
            if facts["action"] == APPROVE:
                standing[str(facts.get("model"))] = facts
    return list(standing.values())[-1] if standing else None


def is_on_record(site: Site, model: Model) -> bool:
    """Whether the audit log has the approval of this very model, with its hash and kind."""
    decision = decision_on_record(site) or {}
    approved = approval_hash(model.sha256, str(model.status.get("kind")))
    return (decision.get("model"), decision.get("file_sha256")) == (model.id, approved)


def approval_hash(sha256: str, kind: str) -> str:
    """What the audit log keeps of an approval: which model, and which kind of it."""
    return hashlib.sha256(f"{sha256} {kind}".encode()).hexdigest()


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise RiskstratError(
            "cannot be read; the model is damaged.",
            file=path,
            remedy="restore the folder from its backup, or train and approve a model again.",
        )
    return content
