"""Nights of a made-up place through the real stages, from rows to published lists, without the pages of a run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.keys import person_id
from riskstrat.pipeline import TEST_KEY
from riskstrat.progress import Progress
from riskstrat.returns.store import schema as returns_schema
from riskstrat.runs import file_hash
from riskstrat.stages.cohorts import cohorts
from riskstrat.stages.context import Context
from riskstrat.stages.earlier import find_earlier
from riskstrat.stages.features import features
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import find_deliveries
from riskstrat.stages.link import link
from riskstrat.stages.lists import lists
from riskstrat.stages.score import score
from tests import factories
from tests.engine import BYSTANDER
from tests.small_town import write_rows

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
STAGES = (ingest, link, features, score, cohorts, lists)


@dataclass
class Night:
    """A published night: its folder, its manifest, and rows of its files by name."""

    folder: Path
    manifest: Mapping[str, Any]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a file of the lists, in its order."""
        return pq.read_table(self.folder / "lists" / f"{name}.parquet").to_pylist()

    def of(self, name: str, number: str) -> dict[str, Any] | None:
        """The row of a person on a list, None where there is none."""
        found = [row for row in self.rows(name) if row["person_id"] == key(number)]
        assert len(found) < 2
        return found[0] if found else None


def key(number: str) -> str:
    """The pseudonym of an NHS number."""
    return person_id(TEST_KEY, number)


def returned(number: str, **columns: Any) -> dict[str, Any]:
    """A row that came back: seen on the daily list unless told otherwise."""
    row: dict[str, Any] = dict.fromkeys(returns_schema().names)
    row |= {"return_id": "R", "row_number": 1, "return_number": 1, "list": "huddle", "person_id": key(number)}
    return row | {"outcome": "seen", "list_as_of": columns.get("outcome_date")} | columns


@dataclass
class Place:
    """A site with its definitions, and the nights published so far."""

    site: Path
    place: Path
    nights: list[Night] = field(default_factory=list)

    def night(
        self,
        as_of: date,
        extracts: Rows,
        returns: Sequence[Mapping[str, Any]] = (),
        *,
        name: str = "",
        people: object = None,
    ) -> Night:
        """Deliver everything that is known, afresh, and publish the lists of one night.

        A first night follows from what is delivered alone, so that of ``people`` whom another test had is copied.
        """
        number = f"{as_of:%Y%m%d}-{name or f'{len(self.nights):04x}'}"
        output, kept = self.place / "output", self._kept(number, people)
        if kept and kept.is_dir():
            return self._published(Path(shutil.copytree(kept, output / "runs" / number)))
        work = self.place / "work" / number
        delivery = work / "landing" / (as_of - timedelta(days=1)).isoformat()
        for extract in dict.fromkeys((*factories.REQUIRED_EXTRACTS, *extracts)):
            rows = list(extracts.get(extract, ())) or [factories.MAKERS[extract](BYSTANDER)]
            write_rows(delivery / f"{extract}.csv", rows)
        definitions = definitions_of(self.site)
        building = output / "runs" / f".{number}.partial"
        building.mkdir(parents=True)
        engine = DuckDBEngine(work / "run.duckdb", threads=1, memory_limit="1GB")
        try:
            context = Context(
                as_of,
                definitions,
                engine,
                find_deliveries(work / "landing", as_of, definitions),
                work / "landing",
                building,
                TEST_KEY,
                Progress(quiet=True),
                judged=False,
                earlier=find_earlier(output, as_of, definitions.lists),
                returns=pa.Table.from_pylist(list(returns), returns_schema()) if returns else None,
            )
            context.manifest = {"run": number, "as_of": as_of.isoformat(), "warnings": []}
            for stage in STAGES:
                stage(context)
        finally:
            engine.close()
        context.manifest["files"] = {
            path.relative_to(building).as_posix(): file_hash(path)
            for path in sorted(building.rglob("*"))
            if path.is_file()
        }
        (building / "manifest.json").write_text(json.dumps(context.manifest, default=str))
        if kept:
            shutil.copytree(building, kept)
        return self._published(building.rename(output / "runs" / number))

    def _kept(self, number: str, people: object) -> Path | None:
        """Where the first night of these people is kept for other tests."""
        if self.nights or people is None:
            return None
        told = hashlib.sha256(repr((number, people)).encode()).hexdigest()
        return self.site.parent / "first_nights" / told

    def _published(self, folder: Path) -> Night:
        night = Night(folder, json.loads((folder / "manifest.json").read_text()))
        self.nights.append(night)
        return night


@cache
def definitions_of(site: Path) -> Definitions:
    return load_definitions(site)
