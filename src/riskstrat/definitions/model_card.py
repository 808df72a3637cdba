"""``config/model/card.yaml``: the words of a model card, and where it speaks of each item of TRIPOD+AI."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import text_at, texts_at
from riskstrat.definitions.cohorts import review_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

FILE = Path("model") / "card.yaml"
KEYS = ("title", "intended_purpose", "hazard_log", "sections", "hazards", "tripod", "review")
SECTIONS = (
    *("summary", "purpose", "outcome", "people", "predictors", "making", "performance", "fairness"),
    *("life", "hazards", "limits"),
)
"""What a card has, each once; the file gives the order."""
ITEMS = tuple(str(number) for number in range(1, 28))
"""The items of TRIPOD+AI."""


@dataclass(frozen=True)
class Section:
    """One part of a card: its title and what is said before the figures."""

    name: str
    title: str
    text: tuple[str, ...]


@dataclass(frozen=True)
class Hazard:
    """An entry of the hazard log, and why it concerns a risk score."""

    hazard: str
    title: str
    why: str


@dataclass(frozen=True)
class Item:
    """An item of TRIPOD+AI: the ``section`` of the card that speaks of it, or what the ``site`` has to state."""

    item: str
    topic: str
    section: str | None
    site: str | None


@dataclass(frozen=True)
class CardPlan:
    """The words of a card. ``sha256`` is the hash of the file."""

    file: Path
    title: str
    intended_purpose: str
    hazard_log: str
    sections: tuple[Section, ...]
    hazards: tuple[Hazard, ...]
    tripod: tuple[Item, ...]
    sha256: str


def load_card_plan(path: Path) -> CardPlan:
    """Parse the file strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    review_at(document, path)
    sections = mapping_at(document, "sections", path)
    check_keys(sections, allowed=SECTIONS, required=SECTIONS, file=path, where="sections")
    plan = CardPlan(
        file=path,
        title=text_at(document, "title", path),
        intended_purpose=text_at(document, "intended_purpose", path),
        hazard_log=text_at(document, "hazard_log", path),
        sections=tuple(_section(str(name), entry, path) for name, entry in sections.items()),
        hazards=tuple(_hazard(entry, path) for entry in document["hazards"] or ()),
        tripod=tuple(_item(entry, path) for entry in document["tripod"] or ()),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    if tuple(item.item for item in plan.tripod) != ITEMS:
        raise DefinitionError(
            "tripod must have the items 1 to 27, each once and in order.",
            file=path,
            column="tripod",
            remedy="an item that no file can speak to says what the site has to state.",
        )
    return plan


def _section(name: str, entry: Any, path: Path) -> Section:
    check_keys(entry, allowed=("title", "text"), required=("title", "text"), file=path, where=name)
    texts = texts_at(entry, "text", path, each="paragraph", where=name)
    return Section(name, text_at(entry, "title", path, name), tuple(" ".join(text.split()) for text in texts))


def _hazard(entry: Any, path: Path) -> Hazard:
    keys = ("hazard", "title", "why")
    check_keys(entry, allowed=keys, required=keys, file=path, where="hazards")
    return Hazard(*(text_at(entry, key, path, "hazards") for key in keys))


def _item(entry: Mapping[str, Any], path: Path) -> Item:
    check_keys(
        entry,
        allowed=("item", "topic", "section", "site"),
        required=("item", "topic"),
        file=path,
        where="tripod",
    )
    section, site = entry.get("section"), entry.get("site")
    if (section is None) == (site is None) or (section is not None and section not in SECTIONS):
        raise DefinitionError(
            f"item {entry['item']} must name a section of the card, or what the site has to state.",
            file=path,
            column="tripod",
            remedy=f"write section: one of {', '.join(SECTIONS)}; or site: text.",
        )
    return Item(
        text_at(entry, "item", path, "tripod"),
        text_at(entry, "topic", path, "tripod"),
        None if section is None else str(section),
        None if site is None else text_at(entry, "site", path, "tripod"),
    )
