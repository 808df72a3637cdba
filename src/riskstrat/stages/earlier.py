"""The published runs that tonight's lists are compared with, and the one whose memory they carry on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from riskstrat.definitions.lists import ListDefinition
from riskstrat.errors import RiskstratError
from riskstrat.runs import Run, file_hash, list_runs

FOLDER = "lists"
ELIGIBLE, MEMORY = "eligible", "memory"  # files beside the lists


def file_of(name: str, ending: str = "parquet") -> str:
    """The path of a file of the lists, within its run.

    >>> file_of("daily_huddle")
    'lists/daily_huddle.parquet'
    """
    return f"{FOLDER}/{name}.{ending}"


@dataclass(frozen=True)
class Earlier:
    """For each list the run to compare with, if there is one, and the run whose memory is carried on.

    ``damaged`` are runs that could not be used, because their files are not what was published.
    """

    compared: Mapping[str, Run] = field(default_factory=dict)
    memory: Run | None = None
    damaged: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The ids of all runs used, in order: they decide what a run says."""
        used = {run.id for run in self.compared.values()}
        return sorted(used | ({self.memory.id} if self.memory else set()))


def find_earlier(output: Path, as_of: date, lists: Mapping[str, ListDefinition]) -> Earlier:
    """The newest run of ``compare_days`` ago or more for each list, and the newest of an earlier date.

    Only runs that have the files count, and a list of the same kind of area, so a list that is new is compared with
    none. A damaged run is passed over: a list without its changes is better than no list.
    """
    runs = list_runs(output)[::-1]
    sound = _Sound()
    compared = {}
    for name, definition in lists.items():
        last = as_of - timedelta(days=definition.compare_days)
        able = (one for one in runs if one.as_of <= last)
        run = sound.first(able, file_of(name), file_of(MEMORY), area=(name, definition.area))
        if run is not None:
            compared[name] = run
    memory = sound.first((run for run in runs if run.as_of < as_of), file_of(MEMORY))
    return Earlier(compared, memory if lists else None, tuple(sorted(sound.damaged)))


class _Sound:
    """Which runs have files that are what was published."""

    def __init__(self) -> None:
        self.damaged: set[str] = set()
        self._known: dict[Path, bool] = {}

    def first(self, runs: Iterable[Run], *files: str, area: tuple[str, str] | None = None) -> Run | None:
        """The first run with sound files; with ``area``, a list and its kind of area, one that made it for these."""
        for run in runs:
            if not all((run.folder / file).is_file() for file in files):
                continue
            if not all(self._is_sound(run, file) for file in files):
                self.damaged.add(run.id)
            elif area is None or run.manifest.get("lists", {}).get(area[0], {}).get("area") == area[1]:
                return run
        return None

    def _is_sound(self, run: Run, file: str) -> bool:
        path = run.folder / file
        if path not in self._known:
            try:
                published = run.manifest.get("files", {}).get(file)
            except RiskstratError:  # no manifest to be read
                published = None
            self._known[path] = published == file_hash(path)
        return self._known[path]
