"""Landmark frames of hand-made deliveries, for tests: a site, its deliveries by date, and the frame as rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from riskstrat.keys import init_site_key
from riskstrat.model.frames import Frames, build_frames, read_frames
from riskstrat.progress import Progress
from riskstrat.site import load_site, write_default_site
from tests import factories
from tests.engine import BYSTANDER
from tests.small_town import use_one_thread, write_rows

PAGE = Path(__file__).resolve().parents[1] / "docs" / "model-frames.md"
RUN_TABLE, ONCE_TABLE = "### Where a run on T differs", "### Where no delivery reaches back to T"
Rows = Iterable[Mapping[str, Any]]


def write_frame_site(folder: Path, **outcome: Any) -> Path:
    """The shipped definitions on the made-up place, with a key; keywords replace keys of outcome.yaml."""
    write_default_site(folder)
    use_one_thread(folder)
    factories.write_geography(folder / "config" / "geography")
    init_site_key(folder / "keys")
    change_outcome(folder, **{"minimum_people": 1, "survivors_from": None} | outcome)
    return folder


def change_outcome(site: Path, **changes: Any) -> None:
    """Replace keys of outcome.yaml; of ``death`` and ``leaving`` only the keys that are given."""
    path = site / "config" / "model" / "outcome.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        document[key] = document[key] | value if isinstance(value, Mapping) else value
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def deliver(site: Path, day: date, extracts: Mapping[str, Rows]) -> None:
    """Write a delivery; required extracts without rows hold one of somebody else."""
    for extract in dict.fromkeys((*factories.REQUIRED_EXTRACTS, *extracts)):
        rows = list(extracts.get(extract, ())) or [factories.MAKERS[extract](BYSTANDER)]
        write_rows(site / "landing" / day.isoformat() / f"{extract}.csv", rows)


def frames_of(site: Path, index_dates: Sequence[date], complete_to: date | None = None) -> Frames:
    return build_frames(load_site(site), index_dates, complete_to=complete_to, progress=Progress(quiet=True))


def frame_rows(frames: Frames) -> dict[tuple[str, date], dict[str, Any]]:
    """(person_id, index date) -> the row of the frame."""
    return {(row["person_id"], row["index_date"]): row for row in read_frames(frames.path).to_pylist()}


def listed(heading: str) -> Iterator[tuple[str, set[str]]]:
    """The rows of a table of docs/model-frames.md: how a look back differs, and in which columns."""
    section = PAGE.read_text(encoding="utf-8").split(heading)[1].split("\n#")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and re.fullmatch(r"[a-z_]+", cells[1]) and cells[1] != "difference":
            yield cells[1], set(re.findall(r"`([a-z_0-9]+)`", cells[3])) or {cells[3]}
