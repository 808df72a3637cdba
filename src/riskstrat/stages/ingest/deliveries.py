"""Which files of the landing folder a run reads, for which extract, in which order."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from riskstrat.dates import day_after, iso_date
from riskstrat.definitions.everything import Definitions
from riskstrat.definitions.layouts import Layout, LayoutExtract, LayoutFile
from riskstrat.definitions.limits import Limits
from riskstrat.errors import ContractBrokenError, MisuseError
from riskstrat.stages.ingest.headers import layout_header

SUFFIXES = (".csv", ".csv.gz", ".parquet")
NEAR_MISS_SHARE = 0.6  # of a layout's file patterns: below it, the files are just other files

Files = Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True)
class Feed:
    """One file that delivers rows of an extract: canonical, or a supplier's through a layout's ``mapping``.

    ``beside`` are the files of the same delivery that the mapping may join to, by their names in the layout.
    """

    extract: str
    delivery: date
    path: Path
    layout: Layout | None = None
    mapping: LayoutExtract | None = None
    beside: Files | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that reading the feed opens."""
        joined = [] if self.mapping is None or self.beside is None else self.mapping.files
        others = (path for name in joined for path in (self.beside or {}).get(name, ()))
        return tuple(dict.fromkeys((self.path, *others)))


@dataclass(frozen=True)
class Deliveries:
    """The feeds of each extract, oldest first, and what else was found.

    ``supplied`` holds, per layout and its name of a file, that file of every delivery, oldest first.
    ``unrecognised`` are files that no extract or layout knows; ``near_misses`` say why a layout that nearly fits
    does not. ``absent`` are required extracts that a synthetic data set says it cannot give. ``replaced`` are the feeds
    of a full source's deliveries before the newest, as many as its rows are compared with; they are counted, not used.
    """

    feeds: Mapping[str, tuple[Feed, ...]]
    supplied: Mapping[tuple[str, str], tuple[tuple[date, Path], ...]]
    layouts: Mapping[str, Layout]
    dates: tuple[date, ...]
    unrecognised: tuple[Path, ...] = ()
    near_misses: tuple[str, ...] = ()
    absent: Mapping[str, str] | None = None
    replaced: Mapping[str, tuple[Feed, ...]] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """Every file that the run reads, once."""
        every = [*self.feeds.values(), *self.replaced.values()]
        read = {path for feeds in every for feed in feeds for path in feed.paths}
        return sorted(read | {path for files in self.supplied.values() for _, path in files})

    def only(self, extracts: Iterable[str]) -> Deliveries:
        """The same deliveries as if they held these extracts alone."""
        wanted = set(extracts)
        return replace(
            self,
            feeds={name: feeds for name, feeds in self.feeds.items() if name in wanted},
            replaced={name: feeds for name, feeds in self.replaced.items() if name in wanted},
        )


def delivery_dates(landing: Path) -> list[date]:
    """The dates of all deliveries, oldest first."""
    return [delivered for delivered, _ in _dated_folders(landing)]


def _dated_folders(landing: Path) -> list[tuple[date, Path]]:
    dated = []
    for folder in sorted(landing.iterdir()) if landing.is_dir() else []:
        try:
            delivered = iso_date(folder.name)
        except ValueError:
            continue
        if folder.is_dir() and _files(folder):
            dated.append((delivered, folder))
    return dated


def delivery_folders(landing: Path, as_of: date) -> list[tuple[date, Path]]:
    """The delivery folders dated before ``as_of``, oldest first.

    Raises MisuseError when there is none, or when ``as_of`` lies more than a day after the newest delivery.
    """
    dated = _dated_folders(landing)
    if not dated:
        raise MisuseError(
            "there is no delivery here.",
            file=landing,
            remedy="put extracts into a folder named by date, such as landing/2026-03-31/, or write a synthetic town "
            "with: riskstrat demo",
        )
    newest = dated[-1][0]
    if as_of > day_after(newest):
        raise MisuseError(
            f"as_of {as_of} lies more than a day after the newest delivery ({newest}).",
            file=landing,
            remedy=f"use --as-of {day_after(newest)}, or put a newer delivery there.",
        )
    usable = [(delivered, folder) for delivered, folder in dated if delivered < as_of]
    if not usable:
        raise MisuseError(
            f"as_of {as_of} lies before the data: the first delivery is of {dated[0][0]}.",
            file=landing,
            remedy=f"use --as-of {day_after(dated[0][0])} or later.",
        )
    return usable


def find_deliveries(landing: Path, as_of: date, definitions: Definitions) -> Deliveries:
    """Every feed that a run as of ``as_of`` reads. Raises ContractBrokenError when a required extract is absent."""
    found: dict[str, list[Feed]] = {}
    supplied: dict[tuple[str, str], list[tuple[date, Path]]] = {}
    unrecognised: list[Path] = []
    near_misses: list[str] = []
    used: dict[str, Layout] = {}
    folders = delivery_folders(landing, as_of)
    for delivered, folder in folders:
        others = []
        for path in _files(folder):
            extract = extract_of(path.name, definitions.extract_names)
            if extract is None:
                others.append(path)
            else:
                found.setdefault(extract, []).append(Feed(extract, delivered, path))
        claims, left = _claims(others, definitions)
        for layout, files in claims:
            used[layout.name] = layout
            for feed in _layout_feeds(layout, files, delivered):
                found.setdefault(feed.extract, []).append(feed)
            for name, paths in files.items():
                supplied.setdefault((layout.name, name), []).extend((delivered, path) for path in paths)
        left += _no_files(folder, definitions)
        near_misses += _near_misses(left, definitions)
        unrecognised += left
    feeds = {extract: _in_mode(extract, each, definitions) for extract, each in found.items()}
    absent = {name: layout.absent_because for layout in used.values() for name in layout.absent}
    deliveries = Deliveries(
        feeds,
        {place: tuple(files) for place, files in supplied.items()},
        used,
        tuple(delivered for delivered, _ in folders),
        tuple(unrecognised),
        tuple(near_misses),
        {name: because for name, because in absent.items() if name not in feeds},
        {
            extract: _replaced(each, feeds[extract], definitions.limits[extract])
            for extract, each in found.items()
        },
    )
    _refuse_missing(deliveries, definitions, folders[-1][1])
    return deliveries


def _layout_feeds(layout: Layout, files: Files, delivered: date) -> list[Feed]:
    """One feed for every main file of every mapping."""
    return [
        Feed(extract, delivered, path, layout, mapping, files)
        for extract, mappings in layout.extracts.items()
        for mapping in mappings
        for path in files.get(mapping.main, ())
    ]


def _no_files(folder: Path, definitions: Definitions) -> list[Path]:
    """What is called like an extract and is no file: a folder, a link to nowhere, a pipe."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.is_file() and extract_of(path.name, definitions.extract_names)
    ]


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


def _claims(paths: list[Path], definitions: Definitions) -> tuple[list[tuple[Layout, Files]], list[Path]]:
    """Which layouts the files of a delivery follow, and the files that none knows.

    Of layouts that fit the same files the one that asks for most columns wins them.
    """
    claims: list[tuple[Layout, Files]] = []
    left = list(paths)
    while left:
        fitting = []
        for layout in definitions.layouts.values():
            files = {name: _fitting(layout, file, left) for name, file in layout.files.items()}
            complete = all(files[name] or file.is_optional or file.key for name, file in layout.files.items())
            columns = sum(len(file.columns) for name, file in layout.files.items() if files[name])
            if complete and columns:
                fitting.append((columns, layout.name, files))
        if not fitting:
            break
        _, name, files = max(fitting, key=lambda entry: entry[:2])
        claims.append((definitions.layouts[name], {file: found for file, found in files.items() if found}))
        taken = {path for found in files.values() for path in found}
        left = [path for path in left if path not in taken]
    return claims, left


def _fitting(layout: Layout, file: LayoutFile, paths: list[Path]) -> tuple[Path, ...]:
    return tuple(path for path in paths if _is_named(path, file) and not _lacking(layout, file, path))


def _is_named(path: Path, file: LayoutFile) -> bool:
    return fnmatch.fnmatch(path.name.lower(), file.pattern.lower())


def _lacking(layout: Layout, file: LayoutFile, path: Path) -> list[str]:
    header = {name.lower() for name in layout_header(path, layout.encoding)}
    return [name for name in file.columns if name.lower() not in header]


def _near_misses(paths: list[Path], definitions: Definitions) -> list[str]:
    """Why a layout whose file names are nearly all here does not fit: which file, which column."""
    missed = []
    for layout in definitions.layouts.values():
        named = {
            name: [path for path in paths if _is_named(path, file)] for name, file in layout.files.items()
        }
        needed = [name for name, file in layout.files.items() if not (file.is_optional or file.key)]
        there = [name for name in needed if named[name]]
        if len(there) < max(1, NEAR_MISS_SHARE * len(needed)):
            continue
        absent = [layout.files[name].pattern for name in needed if not named[name]]
        lacking = [
            f"{path.name} has no column {columns[0]}"
            for name in there
            for path in named[name]
            if (columns := _lacking(layout, layout.files[name], path))
        ]
        why = lacking + [f"no file is named {pattern}" for pattern in absent]
        if why:
            missed.append(f"the layout {layout.name} would fit, but {'; '.join(why[:3])}.")
    return missed


def _in_mode(extract: str, feeds: list[Feed], definitions: Definitions) -> tuple[Feed, ...]:
    """The feeds that count: all of a delta source, the newest delivery of a full one, layout by layout."""
    newest: dict[str | None, date] = {}
    for feed in feeds:
        name = feed.layout.name if feed.layout else None
        newest[name] = max(newest.get(name, feed.delivery), feed.delivery)
    return tuple(
        feed
        for feed in feeds
        if mode_of(extract, feed.layout, definitions) == "delta"
        or feed.delivery == newest[feed.layout.name if feed.layout else None]
    )


def _replaced(found: list[Feed], kept: tuple[Feed, ...], limits: Limits) -> tuple[Feed, ...]:
    """The feeds that newer full deliveries replace, of the last ``usual_after`` deliveries that had any."""
    counted = {id(feed) for feed in kept}
    older = [feed for feed in found if id(feed) not in counted]
    dates = sorted({feed.delivery for feed in older}, reverse=True)[: limits.usual_after]
    return tuple(feed for feed in older if feed.delivery in dates)


def mode_of(extract: str, layout: Layout | None, definitions: Definitions) -> str:
    """Whether deliveries of an extract replace each other (full) or add up (delta); a layout may say otherwise."""
    own = (layout.modes or {}).get(extract) if layout else None
    return own or definitions.source(extract).mode


def _refuse_missing(deliveries: Deliveries, definitions: Definitions, newest: Path) -> None:
    missing = [
        name
        for name in definitions.extract_names
        if definitions.contracts[name].required
        and name not in deliveries.feeds
        and name not in (deliveries.absent or {})
    ]
    if not missing:
        return
    unrecognised = deliveries.unrecognised
    hints = list(deliveries.near_misses[:2])
    if not hints and unrecognised:
        hints = [f"Not recognised there: {', '.join(path.name for path in unrecognised[:5])}."]
    raise ContractBrokenError(
        f"the required extract {missing[0]} is missing"
        + (f", as are {', '.join(missing[1:])}" if missing[1:] else "")
        + "."
        + "".join(f" {hint[0].upper()}{hint[1:]}" for hint in hints),
        file=newest / f"{missing[0]}.csv",
        remedy=f"ask the supplier for it and put {missing[0]}.csv (or .csv.gz, .parquet) into the delivery folder.",
    )
