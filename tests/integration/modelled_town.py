"""A synthetic town with a model that is trained, evaluated and approved, and a run at every step."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.audit import append
from riskstrat.definitions.contracts import load_contract
from riskstrat.demo.town import write_town
from riskstrat.keys import init_keys
from riskstrat.model import training
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.scoring.registry import EVALUATE, Model, find_model, write_status
from riskstrat.scoring.serving import Served, find_served
from riskstrat.site import Site, load_site, write_default_site
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_models import ROOT, set_policy

AS_OF, THEN = date(2026, 4, 1), date(2025, 4, 1)
PEOPLE = 2_500
MODEL = "MODEL"  # stands for the town's model in the words of a command
QUIET = Progress(quiet=True)
FEATURES = load_contract(ROOT / "data_contracts" / "features.yaml")


@dataclass(frozen=True)
class Town:
    """A site with a model, and its runs: with a candidate alone, with the model approved, with its file damaged."""

    site: Site
    model: Model
    before: Path
    scored: Path
    damaged: Path


def write_modelled_town(folder: Path) -> Town:
    """Train a model of a synthetic town and run its nights: takes half a minute."""
    write_default_site(folder)
    init_keys(folder / "keys")
    policy = folder / "config" / "model" / "policy.yaml"
    set_policy(policy, least_events=20, events_per_coefficient=1)
    site = load_site(folder)
    write_town(
        *(site.landing, site.config / "codelists", site.config / "geography", site.data_contracts),
        people=PEOPLE,
        seed=3,
        as_of=AS_OF,
        progress=QUIET,
    )
    model = training.train(site, [THEN], progress=QUIET)
    before = run(site, AS_OF, progress=QUIET).folder
    put_evaluation(site, model)
    approve(site, model)
    scored = run(site, AS_OF, progress=QUIET).folder
    kept = (model.folder / "logistic_12m.json").read_bytes()
    (model.folder / "logistic_12m.json").write_bytes(kept[:-20])
    damaged = run(site, AS_OF, progress=QUIET).folder
    (model.folder / "logistic_12m.json").write_bytes(kept)
    return Town(site, Model(model.id, model.folder), before, scored, damaged)


def put_evaluation(site: Site, model: Model, *failed: str, on_record: bool = True) -> None:
    """Write an evaluation in which every gate holds but those that ``failed``, and put it on record."""
    gates = [
        {"name": name, "title": f"Gate {name}", "decides": decides, "passed": name not in failed}
        | {"found": [0.91, 0.9, 0.92], "wanted": "something else"}
        for decides, name in (("approval", "not_suspicious"), ("approval", "slope"), ("promotion", "better"))
    ]
    content = {"model_sha256": model.sha256, "horizons": [{"horizon": "12m", "gates": gates}]}
    text = json.dumps(content)
    (model.folder / "evaluation.json").write_text(text, encoding="utf-8")
    if on_record:
        append(site, EVALUATE, model=model.id, file_sha256=hashlib.sha256(text.encode()).hexdigest())


def approve(site: Site, model: Model) -> None:
    from riskstrat.model.promotion import approve as approve_model

    approve_model(site, model.id, by="Dr A Example", reason="Read by the safety group")


def with_own_state(town: Town, folder: Path) -> tuple[Site, Model]:
    """The same site with a registry and an audit log of its own, whose model is approved."""
    for room in ("models", "audit"):
        shutil.copytree(
            town.site.state / room, folder / room, ignore=shutil.ignore_patterns("frames", ".*.partial")
        )
    site = replace(town.site, state=folder)
    return site, find_model(site, town.model.id)


def copy_definitions(town: Town, folder: Path) -> None:
    for room in ("config", "data_contracts", "pipelines"):
        shutil.copytree(town.site.root / room, folder / room)


def command_on(
    town: Town, folder: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[Answer, Site, Model]:
    """Run a command on a copy of the registry whose model is a candidate again."""
    site, model = with_own_state(town, folder / "state")
    write_status(model, {"stage": "candidate", "sha256": model.sha256})
    root = folder / "root"
    copy_definitions(town, root)
    (root / "config" / "site.yaml").write_text(f"state: {site.state}\nkeys: {site.keys}\n", encoding="utf-8")
    named = [model.id if word == MODEL else word for word in words]
    return riskstrat(capsys, root, "model", *named), site, Model(model.id, model.folder)


def served_on(site: Site, as_of: date = AS_OF) -> Served:
    return find_served(site, FEATURES, as_of)


def manifest(folder: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def scores(folder: Path) -> pa.Table:
    return pq.read_table(folder / "scores.parquet")
