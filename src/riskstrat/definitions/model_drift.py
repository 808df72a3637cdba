"""``config/model/drift.yaml``: when a model is said to fit no longer, and how far its level may be moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import check_known, count_at, names_at, text_at
from riskstrat.definitions.cohorts import review_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.definitions.model_policy import is_number
from riskstrat.errors import DefinitionError

FILE = Path("model") / "drift.yaml"  # below config/
KEYS = ("title", "spread", "observed", "unknown", "recalibration", "offers", "review")
STEADY, WATCH, ACT, NOT_JUDGED = "steady", "watch", "act", "not_judged"


@dataclass(frozen=True)
class SpreadBands:
    """Of the population stability index. ``chance`` is the share of nights in which an index may be above it."""

    watch: float
    act: float
    least_share: float
    chance: float

    def band(self, index: float, by_chance: float) -> str:
        """Which band an index is in; one that chance alone gives is steady."""
        if index <= by_chance:
            return STEADY
        return _rising(index, self.watch, self.act)


@dataclass(frozen=True)
class ObservedBands:
    """Of observed over expected; ``settle_days`` pass between the end of a horizon and the night that looks back."""

    watch: tuple[float, float]
    act: tuple[float, float]
    confidence: float
    fewest_admitted: int
    settle_days: int

    def band(self, ratio: float, low: float, high: float, admitted: int) -> str:
        """Which band a ratio is in; one whose interval holds 1 is steady."""
        if admitted < self.fewest_admitted:
            return NOT_JUDGED
        if low <= 1.0 <= high:
            return STEADY
        for name, (least, most) in ((ACT, self.act), (WATCH, self.watch)):
            if not least <= ratio <= most:
                return name
        return STEADY


@dataclass(frozen=True)
class UnknownBands:
    """Of the share of a practice's people of whom a predictor is unknown, less that of the other practices."""

    watch: float
    act: float
    fewest_people: int

    def band(self, share: float, elsewhere: float, people: int) -> str:
        """Which band a practice is in."""
        return NOT_JUDGED if people < self.fewest_people else _rising(share - elsewhere, self.watch, self.act)


@dataclass(frozen=True)
class Shift:
    """What moving the intercept takes, and how far it may go, in log-odds."""

    fewest_admitted: int
    furthest_shift: float


@dataclass(frozen=True)
class DriftPolicy:
    """Everything that a site decides about a model's drift. ``offers`` are outcomes of lists that came back."""

    file: Path
    title: str
    spread: SpreadBands
    observed: ObservedBands
    unknown: UnknownBands
    recalibration: Shift
    offers: tuple[str, ...]


def load_drift_policy(path: Path) -> DriftPolicy:
    """Parse the file strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    review_at(document, path)
    offers = _part(document, "offers", ("outcomes",), path)
    return DriftPolicy(
        file=path,
        title=text_at(document, "title", path),
        spread=_spread(document, path),
        observed=_observed(document, path),
        unknown=_unknown(document, path),
        recalibration=_recalibration(document, path),
        offers=names_at(offers, "outcomes", path, where="offers"),
    )


def check_offers(policy: DriftPolicy, outcomes: Collection[str]) -> None:
    """Raise DefinitionError where an offer is no outcome that a list may come back with."""
    check_known(policy.offers, outcomes, "no outcome of config/returns.yaml", policy.file, "offers")


def _rising(value: float, watch: float, act: float) -> str:
    return ACT if value >= act else WATCH if value >= watch else STEADY


def _part(document: Mapping[str, Any], key: str, names: tuple[str, ...], path: Path) -> Mapping[str, Any]:
    part = mapping_at(document, key, path)
    check_keys(part, allowed=(*names, "source"), required=(*names, "source"), file=path, where=key)
    text_at(part, "source", path, key)
    return part


def _spread(document: Mapping[str, Any], path: Path) -> SpreadBands:
    part = _part(document, "spread", ("watch", "act", "least_share", "chance"), path)
    watch, act = _two_bands(part, "spread", path)
    return SpreadBands(watch, act, _share(part, "least_share", path), _share(part, "chance", path))


def _unknown(document: Mapping[str, Any], path: Path) -> UnknownBands:
    part = _part(document, "unknown", ("watch", "act", "fewest_people"), path)
    return UnknownBands(*_two_bands(part, "unknown", path), _count(part, "fewest_people", path))


def _observed(document: Mapping[str, Any], path: Path) -> ObservedBands:
    names = ("watch", "act", "confidence", "fewest_admitted", "settle_days")
    part = _part(document, "observed", names, path)
    watch, act = _around_one(part, "watch", path), _around_one(part, "act", path)
    if act[0] > watch[0] or act[1] < watch[1]:
        raise DefinitionError(
            "act must not be narrower than watch.",
            file=path,
            column="observed",
            remedy="write the wider band under act.",
        )
    return ObservedBands(
        watch,
        act,
        _share(part, "confidence", path),
        _count(part, "fewest_admitted", path),
        _count(part, "settle_days", path),
    )


def _recalibration(document: Mapping[str, Any], path: Path) -> Shift:
    part = _part(document, "recalibration", ("fewest_admitted", "furthest_shift"), path)
    return Shift(_count(part, "fewest_admitted", path), _above_zero(part, "furthest_shift", path))


def _two_bands(part: Mapping[str, Any], where: str, path: Path) -> tuple[float, float]:
    watch, act = (_above_zero(part, name, path) for name in ("watch", "act"))
    if act < watch:
        raise DefinitionError(
            "act must not be below watch.", file=path, column=where, remedy="write the higher one under act."
        )
    return watch, act


def _above_zero(part: Mapping[str, Any], name: str, path: Path) -> float:
    value = part[name]
    if not is_number(value) or value <= 0:
        raise DefinitionError(
            f"{name} must be above 0.", file=path, column=name, remedy="write a number such as 0.1."
        )
    return float(value)


def _share(part: Mapping[str, Any], name: str, path: Path) -> float:
    value = _above_zero(part, name, path)
    if value >= 1:
        raise DefinitionError(f"{name} must be below 1.", file=path, column=name, remedy="write a share.")
    return value


def _count(part: Mapping[str, Any], name: str, path: Path) -> int:
    value = count_at(part, name, path)
    if value is None:
        raise DefinitionError("is empty.", file=path, column=name, remedy="write a number.")
    return value


def _around_one(part: Mapping[str, Any], name: str, path: Path) -> tuple[float, float]:
    value = part[name]
    ends = value if isinstance(value, list) and len(value) == 2 and all(map(is_number, value)) else ()
    if not ends or not 0 < ends[0] < 1 < ends[1]:
        raise DefinitionError(
            f"{name} must be two numbers with 1 between them.",
            file=path,
            column=name,
            remedy="write a band such as [0.9, 1.1].",
        )
    return float(ends[0]), float(ends[1])
