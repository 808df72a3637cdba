"""How each extract is delivered, and how a supplier's layout becomes the canonical columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

MODES = ("full", "delta")
SOURCE_KEYS = ("mode", "stale_after_days", "max_quarantined_share", "max_quarantined_rows", "min_rows")
LAYOUT_KEYS = ("title", "source", "files", "synthetic_numbers_for", "extracts")
FILE_KEYS = ("pattern", "columns")
EXTRACT_KEYS = ("from", "where", "columns")


@dataclass(frozen=True)
class Source:
    """One extract's delivery: ``full`` replaces what came before, ``delta`` adds to it.

    A run stops when more than ``max_quarantined_rows`` rows and more than ``max_quarantined_share`` of the rows
    read are quarantined, when every row is, or when fewer than ``min_rows`` are accepted. An extract older than
    ``stale_after_days`` (from its newest delivery to as_of) is warned about.
    """

    mode: Literal["full", "delta"]
    stale_after_days: int
    max_quarantined_share: float
    max_quarantined_rows: int
    min_rows: int


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


@dataclass(frozen=True)
class LayoutFile:
    """A supplier's file: the name pattern that finds it and the columns it must have."""

    pattern: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class LayoutExtract:
    """Rows of one canonical extract as SQL over the supplier's files: FROM clause, filter, an expression a column."""

    from_clause: str
    where: str | None
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """``config/sources/NAME.yaml``: a supplier's files and how they become canonical extracts.

    ``synthetic_numbers_for`` is ``(file, column)`` of a person identifier that has no NHS number; each distinct
    value is given a number of the synthetic 999 range, in sorted order, in the table ``synthetic_numbers``.
    """

    name: str
    title: str
    files: Mapping[str, LayoutFile]
    extracts: Mapping[str, tuple[LayoutExtract, ...]]
    synthetic_numbers_for: tuple[str, str] | None = field(default=None)


def load_sources(path: Path) -> Sources:
    """Parse ``config/sources.yaml``: ``defaults``, ``extracts`` and ``declared_gaps``."""
    document = read_mapping(path)
    check_keys(
        document,
        allowed=("register", "defaults", "extracts", "declared_gaps"),
        required=("register", "defaults", "extracts"),
        file=path,
    )
    defaults = dict(mapping_at(document, "defaults", path))
    check_keys(defaults, allowed=SOURCE_KEYS, required=SOURCE_KEYS, file=path, where="defaults")
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
    if values["mode"] not in MODES:
        raise DefinitionError(
            f"the mode of {extract} must be full or delta.",
            file=path,
            column="mode",
            remedy="use one of the two.",
        )
    for name in ("stale_after_days", "max_quarantined_rows", "min_rows"):
        if not isinstance(values[name], int) or values[name] < 0:
            raise DefinitionError(
                f"{name} of {extract} must be a whole number, 0 or more.", file=path, column=name
            )
    share = values["max_quarantined_share"]
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise DefinitionError(
            f"max_quarantined_share of {extract} must lie between 0 and 1.",
            file=path,
            column="max_quarantined_share",
        )
    return Source(**values)


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


def load_layouts(folder: Path) -> dict[str, Layout]:
    """Every ``config/sources/NAME.yaml``, by name, in name order."""
    return {path.stem: _layout(path) for path in sorted(folder.glob("*.yaml"))}


def _layout(path: Path) -> Layout:
    document = read_mapping(path)
    check_keys(document, allowed=LAYOUT_KEYS, required=("title", "files", "extracts"), file=path)
    files = {}
    for name, entry in mapping_at(document, "files", path).items():
        check_keys(entry, allowed=FILE_KEYS, required=FILE_KEYS, file=path, where=name)
        files[name] = LayoutFile(entry["pattern"], tuple(entry["columns"]))
    extracts = {}
    for name, entries in mapping_at(document, "extracts", path).items():
        if not isinstance(entries, list):
            raise DefinitionError(f"{name} must be a list of mappings.", file=path, column=name)
        for entry in entries:
            check_keys(entry, allowed=EXTRACT_KEYS, required=("from", "columns"), file=path, where=name)
        extracts[name] = tuple(
            LayoutExtract(entry["from"], entry.get("where"), dict(entry["columns"])) for entry in entries
        )
    numbered = document.get("synthetic_numbers_for")
    pair = None
    if numbered is not None:
        pair = tuple(str(numbered).split("."))
        if len(pair) != 2 or pair[0] not in files or pair[1] not in files[pair[0]].columns:
            raise DefinitionError(
                "must be FILE.COLUMN of a file and column named under files.",
                file=path,
                column="synthetic_numbers_for",
            )
    return Layout(path.stem, str(document["title"]), files, extracts, pair)  # type: ignore[arg-type]
