"""A site with a trained model, made from a fabricated frame: for tests of whatever judges a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.model.frame_files import ABOUT, TABLE, Frames, frames_folder, open_frames
from riskstrat.model.training import train
from riskstrat.runs import file_hash
from riskstrat.scoring.registry import Model
from riskstrat.site import Site, load_site, write_default_site
from tests.fake_models import fake_frame, replace_text, set_policy

FRAME = "20260401-0123456789"
PLAN = Path("config") / "model" / "evaluation.yaml"


def frame_of(people: int, seed: int = 1, dates: int = 2) -> pa.Table:
    """A fabricated frame with deaths and leavings; the newest index date is 1 April 2025, each other a year earlier."""
    table, _ = fake_frame(people, seed, dates)
    rng = np.random.default_rng(seed)
    for name, share in (("died_12m", 0.02), ("left_12m", 0.03)):
        table = table.append_column(name, pa.array(rng.random(table.num_rows) < share))
    return table.sort_by([("index_date", "ascending"), ("person_id", "ascending")])


def fake_site(folder: Path, plan: Mapping[str, str] | None = None) -> Site:
    """A site of its own; small towns have few admissions, so one for each coefficient is enough.

    ``plan`` replaces texts of evaluation.yaml.
    """
    write_default_site(folder)
    set_policy(folder / "config" / "model" / "policy.yaml", least_events=20, events_per_coefficient=1)
    for old, new in ({"resamples: 300": "resamples: 50"} | dict(plan or {})).items():
        replace_text(folder / PLAN, old, new)
    return load_site(folder)


def write_frames(site: Site, table: pa.Table) -> Frames:
    """Put a frame where ``build_frames`` would have put it."""
    folder = frames_folder(site) / FRAME
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / TABLE)
    dates = sorted(set(table["index_date"].to_pylist()))
    horizons = [{"name": "12m", "months": 12, "days": None}, {"name": "90d", "months": None, "days": 90}]
    about: dict[str, Any] = {
        "frame": FRAME,
        "index_dates": [f"{day}" for day in dates],
        "complete_to": "2026-04-01",
        "sha256": file_hash(folder / TABLE),
        "outcome": {
            "file": "config/model/outcome.yaml",
            "title": "An unplanned admission",
            "horizons": horizons,
            "extracts": ["gp_patients", "acute_episodes"],
            "death": "no_event",
            "leaving": "exclude_without_event",
            "gap_days": 30,
            "minimum_people": 100,
            "sha256": "0" * 64,
        },
        "counts": {},
        "unknown_features": {f"{day}": {"gp_contacts_12m": "gp_contacts was not delivered"} for day in dates},
        "warnings": [],
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return open_frames(folder)


def trained(site: Site, table: pa.Table, kinds: tuple[str, ...] = ("logistic",)) -> Model:
    """A candidate that learnt from a frame."""
    frames = write_frames(site, table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("riskstrat.model.training.build_frames", lambda *_, **__: frames)
        return train(site, [date(2025, 4, 1)], kinds=kinds)
