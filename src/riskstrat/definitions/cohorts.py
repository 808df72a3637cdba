"""Cohorts: short files that say in SQL expressions over the feature table whom to include and whom to leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

REQUIRED_KEYS = ("title", "why", "include", "rank_by", "source", "review")
COHORT_KEYS = (*REQUIRED_KEYS, "exclude", "capacity", "cadence", "reasons")
REVIEW_KEYS = ("author", "signed_off_by", "next_review")
RANK_ITEM = re.compile(r"([a-z_0-9]+)(?:\s+(ASC|DESC))?")
PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)\}")


@dataclass(frozen=True)
class RankItem:
    """A column to rank by; people without a value come last."""

    column: str
    descending: bool


@dataclass(frozen=True)
class Cohort:
    """``config/cohorts/NAME.yaml``. ``reasons`` are sentences with ``{feature}`` placeholders; one whose feature
    is unknown is left out for that person. ``capacity`` is people per neighbourhood and list.
    """

    name: str
    title: str
    why: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    rank_by: tuple[RankItem, ...]
    reasons: tuple[str, ...]
    capacity: int | None
    cadence: str | None
    source: str


def load_cohorts(folder: Path) -> dict[str, Cohort]:
    """Every ``NAME.yaml`` of the folder, in name order. Raises DefinitionError."""
    return {path.stem: _cohort(path) for path in sorted(folder.glob("*.yaml"))}


def _cohort(path: Path) -> Cohort:
    document = read_mapping(path)
    check_keys(document, allowed=COHORT_KEYS, required=REQUIRED_KEYS, file=path)
    if not re.fullmatch(r"[a-z0-9_]{1,60}", path.stem):
        raise DefinitionError("the file name must be lower case letters, digits and underscores.", file=path)
    check_keys(document["review"], allowed=REVIEW_KEYS, required=REVIEW_KEYS, file=path, where="review")
    include = _texts(document, "include", path)
    if not include:
        raise DefinitionError(
            "include names no rule.", file=path, column="include", remedy="give at least one."
        )
    capacity = document.get("capacity")
    if capacity is not None and (not isinstance(capacity, int) or capacity < 1):
        raise DefinitionError("must be a whole number of 1 or more.", file=path, column="capacity")
    rank_by = _texts(document, "rank_by", path)
    if not rank_by:
        raise DefinitionError(
            "rank_by names no column.", file=path, column="rank_by", remedy="give at least one."
        )
    return Cohort(
        name=path.stem,
        title=str(document["title"]),
        why=str(document["why"]),
        include=include,
        exclude=_texts(document, "exclude", path),
        rank_by=tuple(_rank_item(text, path) for text in rank_by),
        reasons=tuple(_reason(text, path) for text in _texts(document, "reasons", path)),
        capacity=capacity,
        cadence=document.get("cadence"),
        source=str(document["source"]),
    )


def _texts(document: Any, key: str, path: Path) -> tuple[str, ...]:
    values = document.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise DefinitionError(
            "must be a list of texts.", file=path, column=key, remedy="one rule a line, each after '- '."
        )
    return tuple(values)


def _reason(text: str, path: Path) -> str:
    if "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
        raise DefinitionError(
            f"a brace in '{text}' is no placeholder.",
            file=path,
            column="reasons",
            remedy="write {feature}, lower case.",
        )
    return text


def _rank_item(text: str, path: Path) -> RankItem:
    match = RANK_ITEM.fullmatch(text.strip())
    if match is None:
        raise DefinitionError(
            f"'{text}' is not a column with ASC or DESC.",
            file=path,
            column="rank_by",
            remedy="write e.g. 'age DESC'.",
        )
    return RankItem(match.group(1), match.group(2) == "DESC")
