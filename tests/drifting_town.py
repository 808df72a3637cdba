"""A small town with an approved model, and earlier runs that published its scores: whatever looks at drift."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskstrat.audit import append
from riskstrat.demo.town import write_town
from riskstrat.keys import init_keys
from riskstrat.model import training
from riskstrat.model.fitting import KINDS
from riskstrat.model.frames import build_frames, read_frames
from riskstrat.model.promotion import approve
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.scoring.persistence import load_model
from riskstrat.scoring.registry import EVALUATE, Model
from riskstrat.site import Site, load_site, write_default_site
from tests.fake_models import set_policy

AS_OF, LEARNT = date(2026, 4, 1), date(2024, 5, 1)
YEAR_AGO = date(2025, 3, 1)  # its 12 months were over four weeks before AS_OF
YEARS = 4
PEOPLE, SEED = 1_500, 3
QUIET = Progress(quiet=True)


def write_site(folder: Path, people: int = PEOPLE) -> Site:
    """A demo town whose model needs no more people than it has."""
    write_default_site(folder)
    init_keys(folder / "keys")
    set_policy(folder / "config" / "model" / "policy.yaml", least_events=20, events_per_coefficient=1)
    site = load_site(folder)
    write_town(
        *(site.landing, site.config / "codelists", site.config / "geography", site.data_contracts),
        people=people,
        seed=SEED,
        as_of=AS_OF,
        years=YEARS,
        progress=QUIET,
    )
    return site


def trained(site: Site, **options: Any) -> Model:
    """A candidate that learnt from LEARNT, of the default kind alone unless ``kinds`` says otherwise."""
    return training.train(site, [LEARNT], progress=QUIET, **{"kinds": ("logistic",), **options})


def approved(site: Site, model: Model) -> None:
    """Approve a candidate on an evaluation in which every gate holds."""
    text = json.dumps({"model_sha256": model.sha256, "horizons": []})
    (model.folder / "evaluation.json").write_text(text, encoding="utf-8")
    append(site, EVALUATE, model=model.id, file_sha256=hashlib.sha256(text.encode()).hexdigest())
    approve(site, model.id, by="Dr A Example", reason="Read by the safety group")


def frame_of(site: Site, *days: date) -> pa.Table:
    """Features and labels of some days, as training sees them."""
    return read_frames(build_frames(site, days, progress=QUIET).path)


def publish_scores(
    site: Site, model: Model, day: date, people: pa.Table, share: Mapping[str, float] | None = None
) -> pa.Table:
    """A run of ``day`` that published the model's scores of ``people``, each multiplied by the horizon's ``share``."""
    folder = site.output / "runs" / f"{day:%Y%m%d}-{hashlib.sha256(str(day).encode()).hexdigest()[:10]}"
    folder.mkdir(parents=True)
    scores = pa.table(
        {
            "person_id": people["person_id"],
            **{
                f"probability_{horizon}": pa.array(
                    load_model(model.folder, horizon=horizon).predict(people)
                    * (share or {}).get(horizon, 1.0)
                )
                for horizon in model.about["horizons"]
            },
        }
    )
    pq.write_table(scores, folder / "scores.parquet")
    digest = hashlib.sha256((folder / "scores.parquet").read_bytes()).hexdigest()
    manifest = {
        "run": folder.name,
        "as_of": day.isoformat(),
        "scored_by": {"model": model.id, "people": people.num_rows},
        "files": {"scores.parquet": digest},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return scores


@dataclass(frozen=True)
class DriftingTown:
    """A site whose model is approved, the people of YEAR_AGO with what became of them, their scores, and the night."""

    site: Site
    model: Model
    then: pa.Table
    scores: pa.Table
    night: Path


def write_drifting_town(folder: Path, told_too_little: float) -> DriftingTown:
    """A night at whose earlier run 12-month scores were multiplied by ``told_too_little``."""
    site = write_site(folder)
    model = trained(site, kinds=KINDS)
    then = frame_of(site, YEAR_AGO)
    scores = publish_scores(site, model, YEAR_AGO, then, {"12m": told_too_little})
    approved(site, model)
    return DriftingTown(
        site, Model(model.id, model.folder), then, scores, run(site, AS_OF, progress=QUIET).folder
    )


def drift_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's drift.parquet."""
    return pq.read_table(folder / "drift.parquet").to_pylist()
