"""``config/model/outcome.yaml``: what a model predicts, over which horizons, and what death and leaving mean for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.dates import months_before
from riskstrat.definitions.cohort_values import choice_at, count_at, day_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

FILE = Path("model") / "outcome.yaml"  # below config/
KEYS = (
    *("title", "why", "horizons", "extracts", "death", "leaving"),
    *("short_history", "minimum_people", "survivors_from", "source", "review"),
)
HORIZON_KEYS = ("name", "months", "days")
REVIEW_KEYS = ("author", "signed_off_by", "next_review")
DEATH_RULES = ("no_event", "event", "exclude")
HISTORY_RULES = ("refuse", "keep")
LEAVING_RULES = ("exclude_without_event", "exclude", "no_event")


@dataclass(frozen=True)
class Horizon:
    """How far a label looks ahead: a number of calendar months or of days."""

    name: str
    months: int | None
    days: int | None

    def end(self, index_date: date) -> date:
        """The first day after the horizon.

        >>> Horizon("12m", 12, None).end(date(2024, 2, 29)), Horizon("90d", None, 90).end(date(2026, 1, 1))
        (datetime.date(2025, 2, 28), datetime.date(2026, 4, 1))
        """
        if self.months is not None:
            return months_before(index_date, -self.months)
        return index_date + timedelta(days=self.days or 0)

    def latest_start(self, complete_to: date) -> date:
        """The last index date of which the horizon ends by ``complete_to``.

        >>> Horizon("12m", 12, None).latest_start(date(2026, 4, 1))
        datetime.date(2025, 4, 1)
        """
        if self.months is not None:
            return months_before(complete_to, self.months)
        return complete_to - timedelta(days=self.days or 0)


@dataclass(frozen=True)
class Outcome:
    """The rules of a label. ``horizons`` has the main one first; ``gap_days`` may lie between two registrations.

    ``extracts`` are those that labels are made of. Where of ``survivors_from`` people or more nobody died, the dead are
    missing (None: that is not judged). ``sha256`` is the hash of the file.
    """

    title: str
    horizons: tuple[Horizon, ...]
    extracts: tuple[str, ...]
    death: str
    leaving: str
    gap_days: int
    short_history: str
    minimum_people: int
    survivors_from: int | None
    sha256: str

    @property
    def main(self) -> Horizon:
        """The horizon that a model is judged by."""
        return self.horizons[0]


def load_outcome(path: Path) -> Outcome:
    """Parse the file strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    death, leaving, review = document["death"], document["leaving"], document["review"]
    check_keys(death, allowed=("rule", "why"), required=("rule", "why"), file=path, where="death")
    keys = ("rule", "gap_days", "why")
    check_keys(leaving, allowed=keys, required=keys, file=path, where="leaving")
    check_keys(review, allowed=REVIEW_KEYS, required=REVIEW_KEYS, file=path, where="review")
    for document_of, key in ((document, "why"), (document, "source"), (death, "why"), (leaving, "why")):
        text_at(document_of, key, path)
    day_at(review, "next_review", path, "review")
    return Outcome(
        title=text_at(document, "title", path),
        horizons=_horizons(document["horizons"], path),
        extracts=_extracts(document, path),
        death=choice_at(death, "rule", DEATH_RULES, path, "death"),
        leaving=choice_at(leaving, "rule", LEAVING_RULES, path, "leaving"),
        gap_days=_gap(leaving, path),
        short_history=choice_at(document, "short_history", HISTORY_RULES, path),
        minimum_people=count_at(document, "minimum_people", path) or 1,
        survivors_from=count_at(document, "survivors_from", path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _horizons(entries: Any, path: Path) -> tuple[Horizon, ...]:
    if not isinstance(entries, list) or not entries:
        raise DefinitionError(
            "must list at least one horizon.",
            file=path,
            column="horizons",
            remedy="write - {name: 12m, months: 12}.",
        )
    horizons = tuple(_horizon(entry, path) for entry in entries)
    names = [horizon.name for horizon in horizons]
    if len(set(names)) < len(names):
        raise DefinitionError(
            "a horizon stands twice.", file=path, column="horizons", remedy="keep one of them."
        )
    return horizons


def _horizon(entry: Any, path: Path) -> Horizon:
    check_keys(entry, allowed=HORIZON_KEYS, required=("name",), file=path, where="horizons")
    months, days = (count_at(entry, key, path, "horizons") for key in ("months", "days"))
    name = text_at(entry, "name", path, "horizons")
    if (months is None) == (days is None) or name != (f"{months}m" if months else f"{days}d"):
        raise DefinitionError(
            f"the horizon {name} must have months or days, and be named by them.",
            file=path,
            column="horizons",
            remedy="write {name: 12m, months: 12} or {name: 90d, days: 90}.",
        )
    return Horizon(name, months, days)


def _extracts(document: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    names = names_at(document, "extracts", path)
    if not names:
        raise DefinitionError(
            "names no extract.",
            file=path,
            column="extracts",
            remedy="name the extracts that labels are made of.",
        )
    return names


def _gap(leaving: Mapping[str, Any], path: Path) -> int:
    value = leaving["gap_days"]
    if type(value) is not int or value < 0:
        raise DefinitionError(
            "gap_days must be a whole number of 0 or more.",
            file=path,
            column="leaving",
            remedy="write it in digits.",
        )
    return value
