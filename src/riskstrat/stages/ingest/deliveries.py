"""Which files of the landing folder a run reads, for which extract, in which order."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from riskstrat.dates import iso_date
from riskstrat.definitions.everything import Definitions
from riskstrat.definitions.sources import Layout, LayoutExtract
from riskstrat.errors import ContractBrokenError, MisuseError
from riskstrat.stages.ingest.headers import read_header

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Feed:
    """One canonical file, or one supplier's set of files through a layout, that delivers rows of an extract.

    ``files`` maps a layout's file names to paths; a canonical file stands there alone under the extract's name.
    ``mapping`` says how the layout's files become rows.
    """

    extract: str
    delivery: date
    files: Mapping[str, tuple[Path, ...]]
    layout: Layout | None = None
    mapping: LayoutExtract | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file of the feed."""
        return tuple(path for paths in self.files.values() for path in paths)

    @property
    def used(self) -> tuple[str, ...]:
        """The files that the rows come from, the first one's lines being the rows."""
        if self.mapping is None:
            return tuple(self.files)
        clause = self.mapping.from_clause
        named = {name: re.search(rf"\b{re.escape(name)}\b", clause) for name in self.files}
        places = {name: match.start() for name, match in named.items() if match}
        return tuple(sorted(places, key=places.__getitem__))

    @property
    def main_path(self) -> Path:
        """The file whose lines are the rows."""
        return self.files[self.used[0]][0]


@dataclass(frozen=True)
class Deliveries:
    """The feeds of each extract, oldest first, and the files that no extract or layout recognised."""

    feeds: Mapping[str, tuple[Feed, ...]]
    unrecognised: tuple[Path, ...]

    @property
    def paths(self) -> list[Path]:
        """Every file that the run reads, once."""
        return sorted({path for feeds in self.feeds.values() for feed in feeds for path in feed.paths})


def delivery_folders(landing: Path, as_of: date) -> list[tuple[date, Path]]:
    """The delivery folders dated before ``as_of``, oldest first.

    Raises MisuseError when there is none, or when ``as_of`` lies more than a day after the newest delivery.
    """
    dated = []
    for folder in sorted(landing.iterdir()) if landing.is_dir() else []:
        try:
            delivered = iso_date(folder.name)
        except ValueError:
            continue
        if folder.is_dir() and _files(folder):
            dated.append((delivered, folder))
    if not dated:
        raise MisuseError(
            "there is no delivery here.",
            file=landing,
            remedy="put extracts into a folder named by date, such as landing/2026-03-31/, or write a synthetic town "
            "with: riskstrat demo",
        )
    newest = dated[-1][0]
    if as_of > newest + timedelta(days=1):
        raise MisuseError(
            f"as_of {as_of} lies more than a day after the newest delivery ({newest}).",
            file=landing,
            remedy=f"use --as-of {newest + timedelta(days=1)}, or put a newer delivery there.",
        )
    usable = [(delivered, folder) for delivered, folder in dated if delivered < as_of]
    if not usable:
        raise MisuseError(
            f"as_of {as_of} lies before the data: the first delivery is of {dated[0][0]}.",
            file=landing,
            remedy=f"use --as-of {dated[0][0] + timedelta(days=1)} or later.",
        )
    return usable


def find_deliveries(landing: Path, as_of: date, definitions: Definitions) -> Deliveries:
    """Every feed that a run as of ``as_of`` reads. Raises ContractBrokenError when a required extract is absent."""
    found: dict[str, list[Feed]] = {}
    unrecognised: list[Path] = []
    folders = delivery_folders(landing, as_of)
    for delivered, folder in folders:
        others = []
        for path in _files(folder):
            extract = extract_of(path.name, definitions.extract_names)
            if extract is None:
                others.append(path)
            else:
                found.setdefault(extract, []).append(Feed(extract, delivered, {extract: (path,)}))
        if others:
            layout, files = _layout_of(others, definitions)
            unrecognised += [path for path in others if not any(path in paths for paths in files.values())]
            for extract, mappings in layout.extracts.items() if layout else ():
                found.setdefault(extract, []).extend(
                    Feed(extract, delivered, files, layout, mapping) for mapping in mappings
                )
    feeds = {
        extract: _in_mode(definitions.source(extract).mode, entries) for extract, entries in found.items()
    }
    _refuse_missing(feeds, definitions, folders[-1][1], unrecognised)
    return Deliveries(feeds, tuple(unrecognised))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def extract_of(file_name: str, extracts: tuple[str, ...]) -> str | None:
    """The extract that a file name belongs to: ``EXTRACT[_anything].csv``, ``.csv.gz`` or ``.parquet``.

    >>> extract_of("gp_events_A81001.csv.gz", ("gp_events",)), extract_of("gp_eventful.csv", ("gp_events",))
    ('gp_events', None)
    """
    for suffix in SUFFIXES:
        if file_name.endswith(suffix):
            stem = file_name.removesuffix(suffix)
            fitting = [name for name in extracts if stem == name or stem.startswith(f"{name}_")]
            return max(fitting, key=len) if fitting else None
    return None


def _layout_of(
    paths: list[Path], definitions: Definitions
) -> tuple[Layout | None, dict[str, tuple[Path, ...]]]:
    fitting = []
    for layout in definitions.layouts.values():
        files = {
            name: tuple(path for path in paths if fnmatch.fnmatch(path.name, entry.pattern))
            for name, entry in layout.files.items()
        }
        if all(files.values()) and all(
            set(layout.files[name].columns) <= set(read_header(path))
            for name, group in files.items()
            for path in group
        ):
            fitting.append((sum(len(entry.columns) for entry in layout.files.values()), layout, files))
    if not fitting:
        return None, {}
    _, layout, files = max(fitting, key=lambda entry: entry[0])
    return layout, files


def _in_mode(mode: str, feeds: list[Feed]) -> tuple[Feed, ...]:
    newest = max(feed.delivery for feed in feeds)
    return tuple(feed for feed in feeds if mode == "delta" or feed.delivery == newest)


def _refuse_missing(
    feeds: Mapping[str, tuple[Feed, ...]], definitions: Definitions, newest: Path, unrecognised: list[Path]
) -> None:
    missing = [
        name
        for name in definitions.extract_names
        if definitions.contracts[name].required and name not in feeds
    ]
    if missing:
        hint = (
            f" Not recognised there: {', '.join(path.name for path in unrecognised[:5])}."
            if unrecognised
            else ""
        )
        raise ContractBrokenError(
            f"the required extract {missing[0]} is missing"
            + (f", as are {', '.join(missing[1:])}" if missing[1:] else "")
            + f".{hint}",
            file=newest / f"{missing[0]}.csv",
            remedy=f"ask the supplier for it and put {missing[0]}.csv (or .csv.gz, .parquet) into the delivery folder.",
        )
