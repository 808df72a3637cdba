"""The numbers and lists that the town is made from: the CSV files in ``knowledge/``, with their sources.

A constant is ``read`` (printed in its source), ``derived`` (worked out from such figures) or ``assumed``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def read_knowledge(name: str) -> list[dict[str, str]]:
    """The rows of ``knowledge/NAME.csv`` by column name."""
    text = (files("riskstrat.demo") / "knowledge" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def constants() -> dict[str, float]:
    """Every constant of ``calibration.csv`` by name."""
    return {row["name"]: float(row["value"]) for row in read_knowledge("calibration")}


def constant(name: str) -> float:
    """One constant of ``calibration.csv``; KeyError for a name that it does not have."""
    return constants()[name]


@cache
def _curves() -> dict[str, tuple[Floats, Floats]]:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in read_knowledge("curves"):
        points.setdefault(row["curve"], []).append((float(row["x"]), float(row["y"])))
    return {
        name: (np.array([x for x, _ in pairs]), np.array([y for _, y in pairs]))
        for name, pairs in points.items()
    }


def curve(name: str, at: Floats | Integers) -> Floats:
    """A curve of ``curves.csv``, straight between its points and flat beyond them."""
    x, y = _curves()[name]
    return np.asarray(np.interp(at, x, y), dtype=np.float64)


@dataclass(frozen=True)
class Condition:
    """One long-term condition: a yearly-hazard form in age, sex, deprivation and latent frailty."""

    name: str
    is_deficit: bool
    weight: float
    age_slope: float
    female: float
    min_age: float
    deprivation: float
    frailty_power: float


@cache
def conditions() -> tuple[Condition, ...]:
    """All rows of ``conditions.csv``, in file order."""
    return tuple(
        Condition(
            name=row["condition"],
            is_deficit=row["kind"] == "deficit",
            weight=float(row["weight"]),
            age_slope=float(row["age_slope"]),
            female=float(row["female"]),
            min_age=float(row["min_age"]),
            deprivation=float(row["deprivation"]),
            frailty_power=float(row["frailty_power"]),
        )
        for row in read_knowledge("conditions")
    )


@cache
def condition_index() -> dict[str, int]:
    """The place of each condition in ``conditions()``."""
    return {condition.name: place for place, condition in enumerate(conditions())}


@cache
def deficit_columns() -> tuple[int, ...]:
    """The places of the deficits of the frailty index, polypharmacy included."""
    return tuple(place for place, condition in enumerate(conditions()) if condition.is_deficit)


def draw_index(weights: Floats, size: int, generator: np.random.Generator) -> Integers:
    """``size`` places of ``weights``, each as often as its weight says."""
    edges = np.cumsum(weights)
    return np.asarray(
        np.searchsorted(edges, generator.random(size) * edges[-1], side="right"), dtype=np.int64
    )
