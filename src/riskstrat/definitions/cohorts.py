"""Cohorts: short files that say in SQL expressions over the feature table whom to include and whom to leave out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_examples import Example, read_examples
from riskstrat.definitions.cohort_values import (
    choice_at,
    count_at,
    day_at,
    flag_at,
    names_at,
    text_at,
    texts_at,
)
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

REQUIRED_KEYS = ("title", "why", "include", "rank_by", "source", "review")
OPTIONAL_KEYS = (
    *("exclude", "reasons", "gaps", "capacity", "cadence", "top_n", "requires"),
    *("manual_additions", "columns", "examples"),
)
COHORT_KEYS = (*REQUIRED_KEYS, *OPTIONAL_KEYS)
REASON_KEYS = ("text", "when")
REVIEW_KEYS = ("author", "signed_off_by", "next_review")
REQUIRES_KEYS = ("extracts", "legal_basis")
TOP_N_KEYS = ("people", "per")
AREAS = ("practice_code", "pcn_code", "neighbourhood_code")
CADENCES = ("daily", "weekly", "fortnightly", "monthly", "quarterly", "seasonal", "yearly", "on request")
COHORT_NAME = re.compile(r"[a-z0-9_]{1,60}")
RANK_ITEM = re.compile(r"([a-z_0-9]+)(?:\s+(ASC|DESC))?(?:\s+NULLS (FIRST|LAST))?")
PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)(?::[0-9])?\}")  # {feature}, or with so many decimals {feature:1}
DECIMALS = re.compile(r"\{([a-z_0-9]+):[0-9]\}")
GAP_NAME = re.compile(r"[^;\s](?:[^;]*[^;\s])?")  # published joined by '; '


@dataclass(frozen=True)
class RankItem:
    """A column to rank by; people without a value come last unless they are to come first."""

    column: str
    descending: bool
    unknown_first: bool = False

    @property
    def text(self) -> str:
        """As a file writes it."""
        first = " NULLS FIRST" if self.unknown_first else ""
        return f"{self.column} {'DESC' if self.descending else 'ASC'}{first}"


@dataclass(frozen=True)
class Reason:
    """A sentence with ``{feature}`` placeholders; with ``when``, said only of those for whom that is TRUE."""

    text: str
    when: str | None = None


@dataclass(frozen=True)
class Gap:
    """Something that a member still needs: ``name`` is said of those for whom ``condition`` is TRUE."""

    name: str
    condition: str


@dataclass(frozen=True)
class TopN:
    """Only the first ``people`` of each area (``per`` is the feature that names it), by rank."""

    people: int
    per: str


@dataclass(frozen=True)
class Requires:
    """What the cohort cannot do without: extracts that must be delivered, and legal bases that must be live."""

    extracts: tuple[str, ...] = ()
    legal_basis: tuple[str, ...] = ()


@dataclass(frozen=True)
class Review:
    """Who wrote the definition, who answers for it (None: nobody yet), and until when."""

    author: str
    signed_off_by: str | None
    next_review: date


@dataclass(frozen=True)
class Cohort:
    """``config/cohorts/NAME.yaml``.

    A reason with a feature that is unknown is left out for that person. ``capacity`` is people per neighbourhood and
    list, a mark on the list: nobody is dropped. ``columns`` are features that its tables and worklists show besides
    the usual. ``sha256`` is the hash of the file.
    """

    name: str
    title: str
    why: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    rank_by: tuple[RankItem, ...]
    reasons: tuple[Reason, ...]
    gaps: tuple[Gap, ...]
    capacity: int | None
    cadence: str | None
    top_n: TopN | None
    requires: Requires
    manual_additions: bool
    columns: tuple[str, ...]
    examples: tuple[Example, ...]
    source: str
    review: Review
    sha256: str


def load_cohorts(folder: Path) -> dict[str, Cohort]:
    """Every ``NAME.yaml`` of the folder, in name order. Raises DefinitionError."""
    return {path.stem: load_cohort(path) for path in sorted(folder.glob("*.yaml"))}


def load_cohort(path: Path) -> Cohort:
    """Parse one definition strictly. Raises DefinitionError with the file, the key and the remedy."""
    document = read_mapping(path)
    check_keys(document, allowed=COHORT_KEYS, required=REQUIRED_KEYS, file=path)
    if not COHORT_NAME.fullmatch(path.stem):
        raise DefinitionError(
            "the file name must be lower case letters, digits and underscores, at most 60.",
            file=path,
            remedy="rename it, such as frail_and_alone.yaml.",
        )
    return Cohort(
        name=path.stem,
        title=text_at(document, "title", path),
        why=text_at(document, "why", path),
        include=_some(texts_at(document, "include", path), "include", "rule", path),
        exclude=texts_at(document, "exclude", path),
        rank_by=_rank_items(document, path),
        reasons=_reasons(document, path),
        gaps=_gaps(document, path),
        capacity=count_at(document, "capacity", path),
        cadence=None if document.get("cadence") is None else choice_at(document, "cadence", CADENCES, path),
        top_n=_top_n(document, path),
        requires=_requires(document, path),
        manual_additions=flag_at(document, "manual_additions", path, default=True),
        columns=names_at(document, "columns", path),
        examples=read_examples(document, path),
        source=text_at(document, "source", path),
        review=review_at(document, path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _some(values: tuple[str, ...], key: str, what: str, path: Path) -> tuple[str, ...]:
    if not values:
        raise DefinitionError(f"{key} names no {what}.", file=path, column=key, remedy="give at least one.")
    return values


def _rank_items(document: Mapping[str, Any], path: Path) -> tuple[RankItem, ...]:
    texts = _some(texts_at(document, "rank_by", path, each="column"), "rank_by", "column", path)
    items = tuple(rank_item(text, path) for text in texts)
    names = [item.column for item in items]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(
                f"rank_by names {name} twice.", file=path, column="rank_by", remedy="keep the first."
            )
    return items


def rank_item(text: str, path: Path, key: str = "rank_by") -> RankItem:
    """A column to order by, as a file writes it under ``key``. Raises DefinitionError."""
    match = RANK_ITEM.fullmatch(text)
    if match is None:
        raise DefinitionError(
            f"'{text}' is not a column with ASC or DESC.",
            file=path,
            column=key,
            remedy="write e.g. 'age DESC'.",
        )
    return RankItem(match[1], match[2] == "DESC", unknown_first=match[3] == "FIRST")


def _reasons(document: Mapping[str, Any], path: Path) -> tuple[Reason, ...]:
    """Each is a text, or a mapping of a text and when it is said."""
    entries = document.get("reasons")
    if not isinstance(entries, list):
        texts_at(document, "reasons", path, each="sentence")  # raises for what is neither a list nor nothing
        return ()
    plain = [entry["text"] if _has_condition(entry, path) else entry for entry in entries]
    texts = texts_at({"reasons": plain}, "reasons", path, each="sentence")
    whens = [
        text_at(entry, "when", path, "reasons") if isinstance(entry, Mapping) else None for entry in entries
    ]
    return tuple(Reason(sentence(text, path), when) for text, when in zip(texts, whens, strict=True))


def _has_condition(entry: Any, path: Path) -> bool:
    if not isinstance(entry, Mapping):
        return False
    check_keys(entry, allowed=REASON_KEYS, required=REASON_KEYS, file=path, where="reasons")
    return True


def sentence(text: str, path: Path, key: str = "reasons") -> str:
    """A sentence whose braces all name a feature. Raises DefinitionError."""
    if "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
        raise DefinitionError(
            f"a brace in '{text}' is no placeholder.",
            file=path,
            column=key,
            remedy="write {feature}, lower case.",
        )
    return text


def _gaps(document: Mapping[str, Any], path: Path) -> tuple[Gap, ...]:
    entries = document.get("gaps")
    if entries is None:
        return ()
    if not isinstance(entries, Mapping) or not all(
        isinstance(name, str) and isinstance(condition, str) and condition.strip()
        for name, condition in entries.items()
    ):
        raise DefinitionError(
            "gaps must hold a name and a condition each.",
            file=path,
            column="gaps",
            remedy="write e.g. 'flu vaccine: NOT flu_vaccine_this_season'.",
        )
    for name in entries:
        if not GAP_NAME.fullmatch(name):
            raise DefinitionError(
                f"'{name}' is no name for a gap.",
                file=path,
                column="gaps",
                remedy="use a few words without ';', which separates gaps on a list.",
            )
    return tuple(Gap(name, condition.strip()) for name, condition in entries.items())


def _top_n(document: Mapping[str, Any], path: Path) -> TopN | None:
    entry = document.get("top_n")
    if entry is None:
        return None
    check_keys(entry, allowed=TOP_N_KEYS, required=TOP_N_KEYS, file=path, where="top_n")
    people = count_at(entry, "people", path, "top_n")
    if people is None:
        raise DefinitionError(
            "people of top_n is empty.", file=path, column="top_n", remedy="write a whole number."
        )
    return TopN(people, choice_at(entry, "per", AREAS, path, "top_n"))


def _requires(document: Mapping[str, Any], path: Path) -> Requires:
    entry = document.get("requires")
    if entry is None:
        return Requires()
    check_keys(entry, allowed=REQUIRES_KEYS, file=path, where="requires")
    return Requires(
        extracts=names_at(entry, "extracts", path, where="requires"),
        legal_basis=names_at(entry, "legal_basis", path, where="requires"),
    )


def review_at(document: Mapping[str, Any], path: Path) -> Review:
    """Who stands behind a definition, under ``review``. Raises DefinitionError."""
    entry = document["review"]
    check_keys(entry, allowed=REVIEW_KEYS, required=REVIEW_KEYS, file=path, where="review")
    signed = entry["signed_off_by"]
    return Review(
        author=text_at(entry, "author", path, "review"),
        signed_off_by=None if signed is None else text_at(entry, "signed_off_by", path, "review"),
        next_review=day_at(entry, "next_review", path, "review"),
    )
