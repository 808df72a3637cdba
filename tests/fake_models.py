"""Frames with a known best answer, for tests of whatever learns from one: admissions are Poisson, of rate z mu(x)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from riskstrat.definitions.contracts import load_contract
from riskstrat.definitions.model import ModelDefinition, load_model_definition
from tests.fake_people import fake_features

ROOT = Path(__file__).parents[1]
INDEX_DATE = date(2025, 4, 1)
SHAPE = 0.8
FEATURES = {
    column.name: column for column in load_contract(ROOT / "data_contracts" / "features.yaml").columns
}


def definition(
    folder: Path, predictors: Mapping[str, str] | None = None, **policy: object
) -> ModelDefinition:
    """The shipped definition in ``folder``, texts of either file replaced, and values of its policy set.

    Small towns have few admissions, so by default one for each coefficient is enough.
    """
    shutil.copytree(ROOT / "config" / "model", folder, dirs_exist_ok=True)
    for old, new in (predictors or {}).items():
        replace_text(folder / "predictors.yaml", old, new)
    set_policy(folder / "policy.yaml", **{"least_events": 20, "events_per_coefficient": 1} | policy)
    return load_model_definition(folder, FEATURES)


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edited_copy(folder: Path, shipped: Path, old: str, new: str) -> Path:
    """A copy of a shipped file with one piece of its text exchanged."""
    copy = folder / shipped.name
    shutil.copyfile(shipped, copy)
    replace_text(copy, old, new)
    return copy


def set_policy(path: Path, **values: object) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, value in values.items():
        (place,) = [number for number, line in enumerate(lines) if line.strip().startswith(f"{name}:")]
        lines[place] = f"{lines[place].partition(':')[0]}: {value}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def fake_frame(people: int, seed: int = 1, dates: int = 1) -> tuple[pa.Table, np.ndarray[Any, Any]]:
    """A frame, and the best probability that anybody could give each of its rows."""
    rng = np.random.default_rng(seed)
    tables, best = [], []
    for number in range(dates):
        table = fake_features(people, seed)
        age = table["age"].to_numpy().astype(float)
        deficits = table["efi_deficits"].fill_null(0).to_numpy().astype(float)
        rate = 0.05 * np.exp(0.012 * np.abs(age - 20) + 0.12 * deficits)
        years = rng.poisson((rng.gamma(SHAPE, 1 / SHAPE, people) * rate)[None, :] * np.ones((3, 1)))
        history = years[0] + years[1]
        events = years[2]
        quarter = rng.binomial(events, 0.25)
        chance = 1 - ((SHAPE + 2 * rate) / (SHAPE + 3 * rate)) ** (SHAPE + history)
        for name, values in {
            "unplanned_admissions_24m": history,
            "unplanned_admissions_12m": years[0],
            "unplanned_admissions_90d": rng.binomial(years[0], 0.25),
        }.items():
            table = table.set_column(
                table.schema.get_field_index(name), name, pa.array(values.astype(np.int32))
            )
        index_date = INDEX_DATE.replace(year=INDEX_DATE.year - number)
        columns = {
            "index_date": pa.repeat(pa.scalar(index_date, pa.date32()), people),
            "label_12m": pa.array(events > 0),
            "label_90d": pa.array(quarter > 0),
        }
        for name, values in columns.items():
            table = table.append_column(name, values)
        tables.append(table)
        best.append(chance)
    return pa.concat_tables(tables), np.concatenate(best)
