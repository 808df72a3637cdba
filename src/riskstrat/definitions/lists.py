"""The lists that a run ends in: short files that say for whom, in which order, for how many, under which headings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import choice_at, count_at, names_at, text_at, texts_at
from riskstrat.definitions.cohorts import CADENCES, COHORT_NAME, RankItem, Review, rank_item, review_at
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

REQUIRED_KEYS = (
    *("title", "why", "cohorts", "area", "cadence", "order_by", "compare_days", "rest_days"),
    *("sections", "columns", "source", "review"),
)
LIST_KEYS = (*REQUIRED_KEYS, "include", "capacity", "allocation", "need_feature")
SECTION_KEYS = ("name", "title", "when")
AREA_KINDS: Mapping[str, str] = {"neighbourhood": "neighbourhood_code", "practice": "practice_code"}
BY_NEED, CITY_WIDE, PER_HEAD = "need", "city_wide", "per_head"
ALLOCATIONS = (BY_NEED, CITY_WIDE, PER_HEAD)
DROPPED_OFF = "dropped_off"
DROPPED_TITLE = "Dropped off and why"
RESERVED_NAMES = ("eligible", "memory")  # files beside the lists


@dataclass(frozen=True)
class Section:
    """A heading; under it stand those for whom ``when`` is the first to be TRUE, None for everybody who is left."""

    name: str
    title: str
    when: str | None


@dataclass(frozen=True)
class ListDefinition:
    """``config/lists/NAME.yaml``.

    A member of any of ``cohorts`` is eligible where every ``include`` is TRUE. ``area`` is a key of AREA_KINDS.
    ``capacity`` is people per area and list, None for no limit; ``allocation`` says how the areas share the places of
    all, ``need_feature`` the feature whose sum over an area's people is its need. ``compare_days`` is how far back the
    list lies with which it is compared, ``rest_days`` how long somebody rests of whom a team has just done something.
    ``sha256`` is the hash of the file.
    """

    name: str
    title: str
    why: str
    cohorts: tuple[str, ...]
    area: str
    cadence: str
    include: tuple[str, ...]
    capacity: int | None
    allocation: str
    need_feature: str | None
    order_by: tuple[RankItem, ...]
    compare_days: int
    rest_days: int
    sections: tuple[Section, ...]
    columns: tuple[str, ...]
    source: str
    review: Review
    sha256: str

    @property
    def area_column(self) -> str:
        """The feature that names a person's area."""
        return AREA_KINDS[self.area]


def load_lists(folder: Path) -> dict[str, ListDefinition]:
    """Every ``NAME.yaml`` of the folder, in name order. Raises DefinitionError."""
    return {path.stem: load_list(path) for path in sorted(folder.glob("*.yaml"))}


def load_list(path: Path) -> ListDefinition:
    """Parse one definition strictly. Raises DefinitionError with the file, the key and the remedy."""
    document = read_mapping(path)
    check_keys(document, allowed=LIST_KEYS, required=REQUIRED_KEYS, file=path)
    _check_name(path)
    allocation, need_feature = _sharing(document, path)
    return ListDefinition(
        name=path.stem,
        title=text_at(document, "title", path),
        why=text_at(document, "why", path),
        cohorts=_some_names(document, "cohorts", path),
        area=choice_at(document, "area", AREA_KINDS, path),
        cadence=choice_at(document, "cadence", CADENCES, path),
        include=texts_at(document, "include", path),
        capacity=count_at(document, "capacity", path),
        allocation=allocation,
        need_feature=need_feature,
        order_by=_order(document, path),
        compare_days=_days(document, "compare_days", path, least=1),
        rest_days=_days(document, "rest_days", path, least=0),
        sections=_sections(document, path),
        columns=_some_names(document, "columns", path),
        source=text_at(document, "source", path),
        review=review_at(document, path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _check_name(path: Path) -> None:
    if not COHORT_NAME.fullmatch(path.stem) or path.stem in RESERVED_NAMES:
        raise DefinitionError(
            f"a list has a name of lower case letters, digits and underscores, and not {' or '.join(RESERVED_NAMES)}.",
            file=path,
            remedy="rename it, such as daily_huddle.yaml.",
        )


def _some_names(document: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    names = names_at(document, key, path)
    if not names:
        raise DefinitionError(f"{key} is empty.", file=path, column=key, remedy="give at least one.")
    return names


def _sharing(document: Mapping[str, Any], path: Path) -> tuple[str, str | None]:
    """How places are shared, and by which need; a list without a capacity has none to share."""
    named = [key for key in ("allocation", "need_feature") if document.get(key) is not None]
    if document.get("capacity") is None:
        if named:
            raise DefinitionError(
                f"{named[0]} shares places, and a list without a capacity has no limit to them.",
                file=path,
                column=named[0],
                remedy="set capacity, or take the key away.",
            )
        return PER_HEAD, None
    allocation = choice_at({"allocation": BY_NEED, **document}, "allocation", ALLOCATIONS, path)
    is_by_need, is_named = allocation == BY_NEED, document.get("need_feature") is not None
    if is_by_need != is_named:
        raise DefinitionError(
            "allocation: need takes a need_feature, and no other allocation does.",
            file=path,
            column="need_feature",
            remedy="name the feature whose sum is the need of an area, such as unplanned_admissions_12m."
            if is_by_need
            else "take need_feature away.",
        )
    return allocation, text_at(document, "need_feature", path) if is_by_need else None


def _order(document: Mapping[str, Any], path: Path) -> tuple[RankItem, ...]:
    texts = texts_at(document, "order_by", path, each="column")
    items = tuple(rank_item(text, path, "order_by") for text in texts)
    names = [item.column for item in items]
    twice = [name for name in names if names.count(name) > 1]
    if twice or not names:
        what = f"names {twice[0]} twice" if twice else "names no column"
        raise DefinitionError(
            f"order_by {what}.", file=path, column="order_by", remedy="write e.g. [score DESC]."
        )
    return items


def _days(document: Mapping[str, Any], key: str, path: Path, *, least: int) -> int:
    value = document[key]
    if type(value) is not int or value < least:
        raise DefinitionError(
            f"{key} must be a whole number of days, {least} or more.",
            file=path,
            column=key,
            remedy="write it in digits.",
        )
    return value


def _sections(document: Mapping[str, Any], path: Path) -> tuple[Section, ...]:
    entries = document["sections"]
    if not isinstance(entries, list) or not entries:
        raise DefinitionError(
            "sections must be a list.",
            file=path,
            column="sections",
            remedy="one a line: {name, title, when}.",
        )
    sections = tuple(_section(entry, path) for entry in entries)
    names = [section.name for section in sections]
    for name in names:
        if names.count(name) > 1 or name == DROPPED_OFF or not COHORT_NAME.fullmatch(name):
            raise DefinitionError(
                f"'{name}' is no name for a section: it stands twice, is {DROPPED_OFF}, or has other characters than "
                "lower case letters, digits and underscores.",
                file=path,
                column="sections",
                remedy="give every section a name of its own.",
            )
    if any(section.when is None for section in sections[:-1]) or sections[-1].when is not None:
        raise DefinitionError(
            "the last section, and no other, takes everybody who is left.",
            file=path,
            column="sections",
            remedy="leave 'when' out of the last section alone.",
        )
    return sections


def _section(entry: Any, path: Path) -> Section:
    check_keys(entry, allowed=SECTION_KEYS, required=("name", "title"), file=path, where="sections")
    return Section(
        name=text_at(entry, "name", path, "sections"),
        title=text_at(entry, "title", path, "sections"),
        when=None if entry.get("when") is None else text_at(entry, "when", path, "sections"),
    )
