"""``config/documents/``: what the documents that a neighbourhood issues hold, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import check_known, text_at
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.definitions.measures import load_measures
from riskstrat.errors import DefinitionError

FOLDER = "documents"
PROFILE_KEYS = ("title", "why", "ages_from", "source")
HIGHLIGHT_KEYS = ("title", "why", "cohorts", "measures", "sections", "source")
SECTION_KEYS = ("title", "prompt", "figures")
FIGURES = ("people", "cohorts", "measures", "lists", "data")


@dataclass(frozen=True)
class ProfileLayout:
    """``profile.yaml``: ``ages_from`` are the ages, in years and rising, from which older people are counted."""

    title: str
    why: str
    ages_from: tuple[int, ...]
    source: str


@dataclass(frozen=True)
class Section:
    """One heading of a highlight report: computed figures, and what the team is asked to write."""

    title: str
    prompt: str
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class HighlightLayout:
    """``highlight.yaml``: the cohorts and measures whose figures stand in the report, and its sections in order.

    ``measures`` is name to title.
    """

    title: str
    why: str
    cohorts: tuple[str, ...]
    measures: Mapping[str, str]
    sections: tuple[Section, ...]
    source: str


def load_profile_layout(config: Path) -> ProfileLayout:
    """Parse ``profile.yaml`` strictly. Raises DefinitionError."""
    path = config / FOLDER / "profile.yaml"
    document = read_mapping(path)
    check_keys(document, allowed=PROFILE_KEYS, required=PROFILE_KEYS, file=path)
    ages = document["ages_from"]
    if not isinstance(ages, list) or not ages or not all(type(age) is int and age > 0 for age in ages):
        raise DefinitionError(
            "must be a list of ages in years.", file=path, column="ages_from", remedy="write [65, 75, 85]."
        )
    if ages != sorted(set(ages)):
        raise DefinitionError("must rise.", file=path, column="ages_from", remedy="write the youngest first.")
    title, why, source = (text_at(document, key, path) for key in ("title", "why", "source"))
    return ProfileLayout(title, why, tuple(ages), source)


def load_highlight_layout(config: Path, cohorts: Iterable[str]) -> HighlightLayout:
    """Parse ``highlight.yaml`` strictly, against the cohorts that there are. Raises DefinitionError."""
    path = config / FOLDER / "highlight.yaml"
    document = read_mapping(path)
    check_keys(document, allowed=HIGHLIGHT_KEYS, required=HIGHLIGHT_KEYS, file=path)
    named = _names(document["cohorts"], path, "cohorts")
    for name in named:
        if name not in cohorts:
            raise DefinitionError(
                f"'{name}' is no cohort of the run.",
                file=path,
                column="cohorts",
                remedy="correct the name, or run again if it was just added (riskstrat cohort list).",
            )
    if not isinstance(document["sections"], list) or not document["sections"]:
        raise DefinitionError("must be a list of sections.", file=path, column="sections")
    sections = tuple(_section(entry, path) for entry in document["sections"])
    title, why, source = (text_at(document, key, path) for key in ("title", "why", "source"))
    return HighlightLayout(title, why, named, _measures(document["measures"], config, path), sections, source)


def _measures(value: Any, config: Path, path: Path) -> dict[str, str]:
    """The measures that are named, with their titles. Raises DefinitionError for one that is not defined."""
    known = load_measures(config / "measures.yaml").by_name
    names = _names(value, path, "measures")
    check_known(names, known, "no measure of config/measures.yaml", path, "measures")
    return {name: known[name].title for name in names}


def _section(entry: Any, path: Path) -> Section:
    check_keys(entry, allowed=SECTION_KEYS, required=("title", "prompt"), file=path, where="sections")
    found: Mapping[str, Any] = entry
    title = text_at(found, "title", path, "sections")
    figures = _names(found.get("figures", []), path, title)
    check_known(figures, FIGURES, "no kind of figure", path, title)
    return Section(title, text_at(found, "prompt", path, title), figures)


def _names(value: Any, path: Path, column: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(set(map(str, value))) != len(value):
        raise DefinitionError("must be a list of names, each once.", file=path, column=column)
    return tuple(str(name) for name in value)
