"""Landmark frames on disk: one Parquet file, and beside it what it was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.errors import MisuseError, RiskstratError
from riskstrat.places import FRAMES
from riskstrat.runs import file_hash
from riskstrat.site import Site

if TYPE_CHECKING:
    import pyarrow as pa

TABLE, ABOUT = "frames.parquet", "frames.json"
REMEDY = "remove the folder; the next training makes the frames again."


@dataclass(frozen=True)
class Frames:
    """A frame of landmarks: one row per person and index date, sorted by both, at ``path`` (Parquet).

    ``about`` is the content of the file beside it: ``outcome`` (the rules of the labels and the hash of their file),
    ``identity`` (hashes of inputs and definitions, code version, key fingerprint), ``counts`` by index date (people,
    left_out, and of each horizon labelled and events; died and left), ``unknown_features`` by index date, and
    ``warnings``.
    """

    id: str
    path: Path
    index_dates: tuple[date, ...]
    complete_to: date
    about: Mapping[str, Any]

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Index date (ISO) to counts of people and events."""
        counts: Mapping[str, Mapping[str, int]] = self.about["counts"]
        return counts

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the labels must know."""
        return tuple(self.about["warnings"])


def frames_folder(site: Site) -> Path:
    """Where a site's frames lie, one folder each; they are made from deliveries and can be made again."""
    return site.state / FRAMES


def open_frames(folder: Path) -> Frames:
    """The frame of a folder, its table being what was written. Raises RiskstratError where it is damaged."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        sound = file_hash(folder / TABLE) == about["sha256"]
    except (OSError, ValueError, KeyError):
        sound, about = False, {}
    if not sound:
        raise RiskstratError("this landmark frame is damaged.", file=folder, remedy=REMEDY)
    return Frames(
        folder.name,
        folder / TABLE,
        tuple(date.fromisoformat(text) for text in about["index_dates"]),
        date.fromisoformat(about["complete_to"]),
        about,
    )


def read_frames(path: Path) -> pa.Table:
    """The whole table of a frame, sorted by index_date and person_id. Raises MisuseError where there is none."""
    import pyarrow.parquet as pq

    table = path / TABLE if path.is_dir() else path
    if not table.is_file():
        raise MisuseError(
            "there is no landmark frame here.", file=path, remedy="train a model first: riskstrat model train"
        )
    return pq.read_table(table)
