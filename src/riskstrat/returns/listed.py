"""The published lists that a return can be about: who is on one, in which area, and what it showed of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from riskstrat.returns.rows import SHOWN, Fault
from riskstrat.runs import RUN_ID, Run

FOLDER = "lists"
ABOUT = ("area_code", "person_id", *SHOWN)


@dataclass(frozen=True)
class Published:
    """One list of one run: its people, each with the areas on whose lists they stand and what these show of them."""

    as_of: date
    people: Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass
class Lists:
    """The lists of the published runs (``runs``, oldest first), read when they are asked for."""

    runs: list[Run]
    accept_for_days: int
    _known: dict[tuple[str, str], Published | Fault] = field(default_factory=dict)

    @property
    def newest(self) -> Run:
        """The run of the latest date."""
        return self.runs[-1]

    def find(self, name: str, run_id: str) -> Published | Fault:
        """The list of a run, or why a return cannot be about it."""
        key = (name, run_id)
        if key not in self._known:
            self._known[key] = self._found(name, run_id)
        return self._known[key]

    def _found(self, name: str, run_id: str) -> Published | Fault:
        oldest = self.newest.as_of - timedelta(days=self.accept_for_days)
        if not RUN_ID.fullmatch(run_id):
            return Fault("list_run", "list_run is no run; it must be as the list gave it.")
        if run_id[:8] < f"{oldest:%Y%m%d}":
            return Fault(
                "list_run",
                f"The list is an old one: it is more than {self.accept_for_days} days older than the newest run.",
            )
        run = self._run(run_id)
        if run is None:
            return Fault("list_run", "The run of this list is not published, or not any more.")
        names = list(run.manifest.get(FOLDER) or {})
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            proposal = f" Did you mean '{near[0]}'?" if near else ""
            return Fault("list", f"That run has no list of this name.{proposal}")
        return _read(run, name)

    def _run(self, run_id: str) -> Run | None:
        """The run of this id, or the one that replaced it when keys were rotated or somebody was erased."""
        for run in self.runs:
            if run.id == run_id:
                return run
        same_day = [run for run in self.runs if run.id[:8] == run_id[:8]]
        return next(
            (run for run in same_day if (run.manifest.get("replaces") or {}).get("run") == run_id), None
        )


def _read(run: Run, name: str) -> Published:
    import pyarrow.parquet as pq

    path = run.folder / FOLDER / f"{name}.parquet"
    there = pq.read_schema(path).names
    people: dict[str, dict[str, dict[str, Any]]] = {}
    for row in pq.read_table(path, columns=[column for column in ABOUT if column in there]).to_pylist():
        shown = {column: row.get(column) for column in SHOWN}
        people.setdefault(row["person_id"], {})[row["area_code"]] = shown
    return Published(run.as_of, people)
