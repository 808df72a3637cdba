"""``config/measures.yaml``: what is counted of cohorts and lists after every run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.cohort_values import check_known, count_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

FILE = "measures.yaml"
Kind = Literal["cohort", "list"]
KINDS: Mapping[str, Kind] = {"cohorts": "cohort", "lists": "list"}
AREA_COLUMNS: Mapping[str, str] = {
    "neighbourhood": "neighbourhood_code",
    "pcn": "pcn_code",
    "practice": "practice_code",
}
KEYS = ("title", "confidence", "area_kinds", "measures")
MEASURE_REQUIRED = ("title", "of", "window_months", "source")
MEASURE_KEYS = (*MEASURE_REQUIRED, "when", "known", "median_of", "short")
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Measure:
    """One line of the table. Either ``when`` is a condition, or ``median_of`` a column of days.

    ``known``, a condition or None, says who can be decided. ``window_months`` is None for what is so on the day.
    ``short`` is its heading in the run report, None where it is not shown there.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    window_months: int | None
    when: str | None
    known: str | None
    median_of: str | None
    short: str | None
    source: str


@dataclass(frozen=True)
class Measures:
    """All measures in the order of the file, the confidence of their intervals, and the kinds of areas."""

    file: Path
    title: str
    confidence: float
    area_kinds: tuple[str, ...]
    by_name: Mapping[str, Measure]


def load_measures(path: Path) -> Measures:
    """Parse the measures strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    confidence = document["confidence"]
    if not isinstance(confidence, float) or not 0.5 <= confidence < 1:
        raise DefinitionError(
            "must be a share of 0.5 or more and below 1.",
            file=path,
            column="confidence",
            remedy="write 0.95.",
        )
    measures = mapping_at(document, "measures", path)
    return Measures(
        file=path,
        title=text_at(document, "title", path),
        confidence=confidence,
        area_kinds=_among(document, "area_kinds", AREA_COLUMNS, path, None),
        by_name={str(name): _measure(str(name), entry, path) for name, entry in measures.items()},
    )


def _measure(name: str, entry: Any, path: Path) -> Measure:
    check_keys(entry, allowed=MEASURE_KEYS, required=MEASURE_REQUIRED, file=path, where=name)
    if not NAME.fullmatch(name):
        raise DefinitionError(
            f"'{name}' is no name of a measure.",
            file=path,
            column=name,
            remedy="use lower-case letters, digits and underscores.",
        )
    said = [key for key in ("when", "median_of") if entry.get(key) is not None]
    if len(said) != 1:
        raise DefinitionError(
            f"{name} has {'both when and median_of' if said else 'neither when nor median_of'}.",
            file=path,
            column=name,
            remedy="give one of them.",
        )
    texts = {key: _text(entry, key, path, name) for key in ("when", "known", "median_of", "short")}
    return Measure(
        name=name,
        title=text_at(entry, "title", path, name),
        kinds=tuple(KINDS[kind] for kind in _among(entry, "of", KINDS, path, name)),
        window_months=count_at(entry, "window_months", path, name),
        source=text_at(entry, "source", path, name),
        **texts,
    )


def _text(entry: Mapping[str, Any], key: str, path: Path, name: str) -> str | None:
    return None if entry.get(key) is None else text_at(entry, key, path, name)


def _among(
    entry: Mapping[str, Any], key: str, known: Mapping[str, str], path: Path, name: str | None
) -> tuple[str, ...]:
    names = names_at(entry, key, path, where=name)
    check_known(names, known, f"none of the words for {key}", path, name or key)
    return names
