"""What a night is to cost at most, and whether it does: the figures come from the result files alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.growth import Power, fitted

MILLION, FIVE_MILLION = 1_000_000, 5_000_000
MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"
# A run's start does not grow with people; below this it is most of a night and would flatter the exponent.
FITTED_FROM = 100_000

Result = Mapping[str, Any]
# A figure for each number of people for which it was measured.
BySize = Mapping[int, float]


@dataclass(frozen=True)
class Results:
    """Result files by what they are about: nights by format and people, the others by people."""

    nights: Mapping[str, Mapping[int, Result]] = field(default_factory=dict)
    features: Mapping[int, Result] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Every result of a folder."""
        nights: dict[str, dict[int, Result]] = {}
        for path in sorted(folder.glob("night-*.json")):
            result = json.loads(path.read_text(encoding="utf-8"))
            nights.setdefault(result["format"], {})[result["people"]] = result
        features = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("features-*.json")]
        return cls(
            {name: dict(sorted(each.items())) for name, each in sorted(nights.items())},
            dict(sorted((result["people"], result) for result in features)),
        )

    def of_nights(self, measured: Callable[[Result], float], file_format: str = "csv") -> BySize:
        """A figure of every night of a format."""
        return {people: measured(result) for people, result in self.nights.get(file_format, {}).items()}

    def growth(self, key: str, file_format: str = "csv") -> Power | None:
        """How a measure of the whole night grows with people, from FITTED_FROM on."""
        measured = self.of_nights(lambda result: float(result["median"]["night"][key]), file_format)
        return fitted({people: value for people, value in measured.items() if people >= FITTED_FROM})

    def times_faster(self, peer: str) -> BySize:
        """How many times as long as riskstrat's features another way of computing them takes."""
        return {
            people: _times(result, peer, "features")
            for people, result in self.features.items()
            if peer in result["median"]
        }


@dataclass(frozen=True)
class Target:
    """A figure that is to be at most ``limit``, or at least, for so many ``people``; None means any.

    A figure of another number of people is shown for what it is, unless it grows with them.
    """

    name: str
    limit: float
    unit: str
    people: int | None
    measured: Callable[[Results], BySize]
    is_least: bool = False
    grows: bool = False


@dataclass(frozen=True)
class Row:
    """A target, the figure nearest to what it asks for, for how many people, and whether that meets it."""

    target: Target
    figure: float | None
    people: int | None
    is_met: bool | None

    @property
    def said(self) -> str:
        """Met, missed or not measured; another size than the target's decides nothing, and is named."""
        if self.figure is None:
            return NOT_MEASURED
        verdict = MET if self.is_met else MISSED
        return (
            verdict if self.target.people in (None, self.people) else f"{verdict} at {self.people:,} people"
        )

    @property
    def share(self) -> float | None:
        """The figure as a part of the limit: up to 1 is met."""
        if self.figure is None:
            return None
        return self.target.limit / self.figure if self.target.is_least else self.figure / self.target.limit


def _times(result: Result, above: str, below: str) -> float:
    return float(result["median"][above]["seconds"] / result["median"][below]["seconds"])


def _of_nights(above: str, below: str) -> Callable[[Results], BySize]:
    return lambda results: results.of_nights(lambda result: _times(result, above, below))


def _scans(results: Results) -> BySize:
    return {people: _times(result, "features", "scan") for people, result in results.features.items()}


def _delta_share(results: Results) -> BySize:
    return results.of_nights(lambda result: 100 * _times(result, "delta", "night"))


def _peak(results: Results) -> BySize:
    """The most that any night of a size held, whatever its files were."""
    peaks: dict[int, float] = {}
    for nights in results.nights.values():
        for people, result in nights.items():
            held = (float(result["median"][name]["peak_gb"]) for name in ("night", "delta"))
            peaks[people] = max(peaks.get(people, 0.0), *held)
    return peaks


def _count(results: Results) -> BySize:
    return results.of_nights(lambda result: float(result["median"]["count"]["seconds"]))


def _exponent(results: Results) -> BySize:
    """Of the format that was measured up to the largest town."""
    fits = {max(sizes): results.growth("seconds", name) for name, sizes in results.nights.items()}
    return {people: power.exponent for people, power in fits.items() if power is not None}


TARGETS = (
    Target("The whole night, of typed CSV decode", 5, "times", MILLION, _of_nights("night", "parse")),
    Target("From staged tables to features, of Parquet decode", 6, "times", MILLION, _scans),
    Target(
        *("Features in pandas, of these", 6, "times", MILLION),
        lambda results: results.times_faster("pandas"),
        is_least=True,
    ),
    Target(
        *("Features in polars, of these", 1, "times", MILLION),
        lambda results: results.times_faster("polars"),
        is_least=True,
    ),
    Target("A night with 1% new rows, of a whole night", 35, "%", MILLION, _delta_share),
    Target("Peak memory at a million people", 4, "GB", MILLION, _peak, grows=True),
    Target("Peak memory at five million people", 8, "GB", FIVE_MILLION, _peak, grows=True),
    Target("Exponent of time against people", 1.05, "", None, _exponent),
    Target("`cohort count --where`, whole process", 0.35, "s", MILLION, _count),
    Target("`cohort count --where`, of the bare query's process", 2, "times", MILLION, _of_nights("count", "bare")),
)  # fmt: skip


def judged(results: Results) -> list[Row]:
    """Every target and what was measured of it."""
    return [_row(target, target.measured(results)) for target in TARGETS]


def _row(target: Target, measured: BySize) -> Row:
    people = target.people
    if people not in measured and not target.grows:
        people = max(measured, default=None)
    if people is None or people not in measured:
        return Row(target, None, None, None)
    figure = measured[people]
    is_met = figure >= target.limit if target.is_least else figure <= target.limit
    return Row(target, figure, people, is_met)


def table(rows: list[Row]) -> str:
    """The targets as Markdown."""
    lines = ["| target | limit | measured | met |", "|---|---:|---:|---|"]
    for row in rows:
        bound = "at least" if row.target.is_least else "at most"
        figure = NOT_MEASURED if row.figure is None else f"{row.figure:.2f} {row.target.unit}".rstrip()
        limit = f"{bound} {row.target.limit:g} {row.target.unit}".rstrip()
        lines.append(f"| {row.target.name} | {limit} | {figure} | {row.said} |")
    return "\n".join([*lines, ""])
