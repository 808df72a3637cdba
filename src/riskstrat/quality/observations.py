"""What was seen of an extract in a run, as it is stored: everything that limits are held against, and no limit.

It holds counts, dates, file names and codes of organisations, and nothing about a person. Today's limits can be
applied to it long after the landing folder is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Delivered:
    """Rows of one delivery of an extract. ``corrected`` are quarantined rows that a later delivery sent correctly."""

    delivery: date
    files: tuple[str, ...]
    read: int
    accepted: int = 0
    quarantined: int = 0
    corrected: int = 0


@dataclass(frozen=True)
class ProviderMonth:
    """A provider's rows of the newest complete month (its first day), and its mean over up to 12 months before."""

    provider: str
    month: date
    rows: int
    mean: float


@dataclass(frozen=True)
class SilentMonth:
    """A month (its first day) for which a provider of some size sent nothing: what looks back over it is unknown."""

    provider: str
    month: date


@dataclass(frozen=True)
class Observations:
    """One extract in one run. ``failed`` counts rows a rule, for every rule that was applied.

    ``deliveries`` stand oldest first. ``missed`` are the delivery folders that came after its newest delivery without
    it, though each of the ``held`` folders before had it. ``calendar_providers`` are those of its coverage calendar, 0
    for an extract that has none; ``providers`` are those of them that send enough rows to be compared.
    """

    extract: str
    mode: str
    as_of: date
    read: int
    accepted: int
    quarantined: int
    corrected: int
    failed: Mapping[str, int]
    newest_delivery: date | None = None
    deliveries: tuple[Delivered, ...] = ()
    missed: tuple[date, ...] = ()
    held: int = 0
    calendar_providers: int = 0
    providers: tuple[ProviderMonth, ...] = ()
    silent: tuple[SilentMonth, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As stored: dates as ISO text, tuples as lists."""
        stored: dict[str, Any] = _plain(asdict(self))
        return stored


def from_json(stored: Mapping[str, Any]) -> Observations:
    """The observations that ``as_json`` wrote."""
    newest = stored["newest_delivery"]
    return Observations(
        **{
            name: stored[name] for name in ("extract", "mode", "read", "accepted", "quarantined", "corrected")
        },
        as_of=date.fromisoformat(stored["as_of"]),
        failed=dict(stored["failed"]),
        newest_delivery=date.fromisoformat(newest) if newest else None,
        deliveries=tuple(
            Delivered(
                **{**entry, "delivery": date.fromisoformat(entry["delivery"]), "files": tuple(entry["files"])}
            )
            for entry in stored["deliveries"]
        ),
        missed=tuple(date.fromisoformat(day) for day in stored["missed"]),
        held=stored["held"],
        calendar_providers=stored["calendar_providers"],
        providers=tuple(
            ProviderMonth(**{**entry, "month": date.fromisoformat(entry["month"])})
            for entry in stored["providers"]
        ),
        silent=tuple(
            SilentMonth(entry["provider"], date.fromisoformat(entry["month"])) for entry in stored["silent"]
        ),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
