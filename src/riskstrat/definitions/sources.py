"""How each extract is delivered: ``config/sources.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.definitions.layouts import MODES
from riskstrat.definitions.limits import UNITS, LimitValue, checked_limit
from riskstrat.errors import DefinitionError

SOURCE_KEYS = ("mode", *UNITS)


@dataclass(frozen=True)
class Source:
    """One extract's delivery: ``full`` replaces what came before, ``delta`` adds to it.

    ``overrides`` holds the limits that this site sets apart from the contract's, by name.
    """

    mode: Literal["full", "delta"]
    overrides: Mapping[str, LimitValue]


@dataclass(frozen=True)
class DeclaredGap:
    """Months (first days) in which a provider's silence is known and accepted; provider ``*`` is all of them."""

    extract: str
    provider: str
    months: tuple[date, ...]
    reason: str


@dataclass(frozen=True)
class Sources:
    """``config/sources.yaml``. ``register`` is the extract that says who is registered where."""

    register: str
    by_extract: Mapping[str, Source]
    declared_gaps: tuple[DeclaredGap, ...]


def load_sources(path: Path) -> Sources:
    """Parse ``config/sources.yaml``: ``register``, ``extracts``, and perhaps ``defaults`` and ``declared_gaps``."""
    document = read_mapping(path)
    check_keys(
        document,
        allowed=("register", "defaults", "extracts", "declared_gaps"),
        required=("register", "extracts"),
        file=path,
    )
    defaults = document.get("defaults") or {}
    check_keys(defaults, allowed=SOURCE_KEYS, file=path, where="defaults")
    sources = {}
    for extract, own in mapping_at(document, "extracts", path).items():
        check_keys(own or {}, allowed=SOURCE_KEYS, file=path, where=extract)
        sources[extract] = _source({**defaults, **(own or {})}, path, extract)
    gaps = tuple(_gap(entry, path) for entry in document.get("declared_gaps") or [])
    register = str(document["register"])
    if register not in sources:
        raise DefinitionError(f"the register '{register}' is no extract here.", file=path, column="register")
    return Sources(register, sources, gaps)


def _source(values: Mapping[str, Any], path: Path, extract: str) -> Source:
    if values.get("mode") not in MODES:
        raise DefinitionError(
            f"the mode of {extract} must be full or delta.",
            file=path,
            column="mode",
            remedy="use one of the two.",
        )
    overrides = {
        name: checked_limit(name, values[name], file=path, extract=extract)
        for name in UNITS
        if name in values
    }
    return Source(values["mode"], overrides)


def _gap(entry: Mapping[str, Any], path: Path) -> DeclaredGap:
    keys = ("extract", "provider", "from", "to", "reason")
    check_keys(entry, allowed=keys, required=keys, file=path, where="declared_gaps")
    try:
        first, last = (date.fromisoformat(f"{entry[end]}-01") for end in ("from", "to"))
    except ValueError:
        raise DefinitionError(
            "the months of a declared gap are not months.",
            file=path,
            column="from",
            remedy="write YYYY-MM in quotes.",
        ) from None
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    months = tuple(
        date(first.year + (first.month - 1 + step) // 12, (first.month - 1 + step) % 12 + 1, 1)
        for step in range(count)
    )
    return DeclaredGap(str(entry["extract"]), str(entry["provider"]), months, str(entry["reason"]))
