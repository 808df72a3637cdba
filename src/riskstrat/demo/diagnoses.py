"""Diagnoses of hospital spells: a primary one that fits person and stay, and what they live with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers, read_knowledge
from riskstrat.demo.health import Health
from riskstrat.demo.people import People
from riskstrat.demo.rows import labels
from riskstrat.demo.spells import USES, Spells

POSITIONS = 12
NONE = -1


class DiagnosisTable:
    """The rows of ``diagnoses.csv`` for one use (elective, secondary and so on), as arrays."""

    def __init__(self, use: str) -> None:
        rows = read_knowledge("diagnoses")
        self.places = np.array([place for place, row in enumerate(rows) if row["use"] == use])
        chosen = [rows[place] for place in self.places]
        self.needs = [row["needs"] for row in chosen]
        self.min_age = np.array([float(row["min_age"]) for row in chosen])
        self.max_age = np.array([float(row["max_age"]) for row in chosen])
        self.weight = np.array([float(row["weight"]) for row in chosen])
        self.slope = np.array([float(row["deficit_slope"]) for row in chosen])

    def weights(self, spells: Spells, age: Floats, deficits: Integers, health: Health) -> Floats:
        """Weight of every row for every spell; 0 where age or a condition that it needs is against it."""
        fits = (age[:, None] >= self.min_age) & (age[:, None] < self.max_age)
        for column, need in enumerate(self.needs):
            if need:
                fits[:, column] &= health.since(need)[spells.person] <= spells.discharge
        weights: Floats = fits * self.weight * np.exp(self.slope * deficits[:, None])
        return weights


@cache
def _table(use: str) -> DiagnosisTable:
    return DiagnosisTable(use)


@cache
def _written_codes() -> pa.Array:
    """Codes as the first trust writes them (no dot, filler X), then as the second does (with a dot)."""
    rows = read_knowledge("diagnoses")
    plain = [row["code"].replace(".", "") + row["dagger"] for row in rows]
    dotted = [row["code"].removesuffix("X") + row["dagger"] for row in rows]
    return pa.array(plain + dotted)


def draw_diagnoses(
    spells: Spells, people: People, health: Health, recent_since: int, generator: np.random.Generator
) -> Integers:
    """Places in ``diagnoses.csv``, a row a spell and a column a position; NONE for an empty position.

    Spells before ``recent_since`` go by how ill people were then.
    """
    age = np.maximum((spells.admission - people.birth[spells.person]) / 365.25, 0.0)
    state = np.where(spells.admission < recent_since, spells.admission, people.end.max())
    deficits = health.deficits_of(spells.person, state)
    secondary = _table("secondary")
    chance = np.minimum(secondary.weights(spells, age, deficits, health), 0.95)
    keys = generator.random(chance.shape)
    is_birth = spells.use == USES.index("birth")
    chosen = (generator.random(chance.shape) < chance) & ~is_birth[:, None]
    order = np.argsort(np.where(chosen, keys, 2.0), axis=1)[:, : POSITIONS - 1]
    places = np.where(np.take_along_axis(chosen, order, axis=1), secondary.places[order], NONE)
    primary = np.empty(len(spells), dtype=np.int64)
    for use_place, use in enumerate(USES):
        here = np.flatnonzero(spells.use == use_place)
        table = _table(use)
        weights = table.weights(spells.at(here), age[here], deficits[here], health)
        primary[here] = table.places[_one_each(weights, generator)]
    return np.column_stack([primary, places])


def _one_each(weights: Floats, generator: np.random.Generator) -> Integers:
    """One column for each row, as often as its weight says; the first column where a row has none."""
    edges = np.cumsum(weights, axis=1)
    total = edges[:, -1:] if edges.size else edges
    return np.asarray((edges <= generator.random((len(weights), 1)) * total).sum(axis=1)).clip(
        0, weights.shape[1] - 1
    )


def diagnosis_columns(places: Integers, provider: Integers) -> dict[str, pa.Array]:
    """The text columns diagnosis_01 and so on, written as each trust writes ICD-10."""
    shift = provider * (len(_written_codes()) // 2)
    columns = {}
    for position in range(places.shape[1]):
        empty: Booleans = places[:, position] == NONE
        chosen = np.where(empty, 0, places[:, position] + shift)
        columns[f"diagnosis_{position + 1:02d}"] = labels(_written_codes(), chosen, empty)
    return columns
