"""The staged extracts of a demo town as Parquet files, and an engine that sees them as a run would."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.columns import needed_columns
from riskstrat.dates import Windows
from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.demo.town import write_town
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.progress import Progress
from riskstrat.site import Site, load_site, write_default_site
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.features import FEATURE_FOLDERS
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import Deliveries, find_deliveries
from riskstrat.stages.ingest.identity import close_identity, find_erased
from riskstrat.stages.ingest.knowledge import load_knowledge
from riskstrat.stages.link import LINK_FOLDER

THREADS, MEMORY_LIMIT = 2, "4GB"
KEY = bytes(range(32))
# Tables that ingest leaves beside the extracts, and that no definition holds.
BESIDE = ("extract_status", "person_keys", "erased_people")


class TimedEngine(DuckDBEngine):
    """An engine that notes how long making each table took."""

    def __init__(self, database: Path) -> None:
        super().__init__(database, threads=THREADS, memory_limit=MEMORY_LIMIT)
        self.seconds: dict[str, float] = {}

    def create(self, table: str, select: str) -> None:
        """Make ``table`` from one SELECT, and note the seconds."""
        started = time.perf_counter()
        super().create(table, select)
        self.seconds[table] = time.perf_counter() - started


@dataclass(frozen=True)
class Staged:
    """Staged extracts as views: the columns of each that the SQL needs, and no others."""

    context: Context
    engine: TimedEngine
    columns: Mapping[str, tuple[str, ...]]

    @property
    def pipelines(self) -> Path:
        """The folder of numbered rooms of SQL."""
        return self.context.definitions.pipelines


def prepare(folder: Path, as_of: date, *, people: int, faults: bool = False) -> dict[str, int]:
    """Write a site, a town and its staged extracts into ``folder``; the rows of each extract are returned."""
    write_default_site(folder / "site")
    site = load_site(folder / "site")
    write_town(
        site.landing,
        site.config / "codelists",
        site.config / "geography",
        site.data_contracts,
        people=people,
        seed=1,
        as_of=as_of,
        faults=faults,
        progress=Progress(),
    )
    rows = _stage(site, folder, as_of)
    shutil.rmtree(site.landing)
    return rows


def _stage(site: Site, folder: Path, as_of: date) -> dict[str, int]:
    definitions = load_definitions(site.root)
    deliveries = find_deliveries(site.landing, as_of, definitions)
    work, staged = folder / "ingest", folder / "staged"
    for made in (work, staged):
        made.mkdir()
    engine = TimedEngine(work / "run.duckdb")
    try:
        context = _context(definitions, engine, deliveries, site.landing, work, as_of)
        with context.progress.stage("ingest"):
            ingest(context)
            find_erased(engine, None)
            close_identity(engine)
        for table in (*definitions.extract_names, *BESIDE):
            engine.export(f"SELECT * FROM {quoted(table)}", staged / f"{table}.parquet")
        return {name: engine.count(name) for name in definitions.extract_names}
    finally:
        engine.close()
        shutil.rmtree(work)


def read_staged(folder: Path, place: Path, as_of: date) -> Staged:
    """What link and features find when they begin: views of the staged files, and the site's knowledge as tables.

    The engine's database and what it spills lie in ``place``.
    """
    site = load_site(folder / "site")
    definitions = load_definitions(site.root)
    sql = [definitions.pipelines / name for name in (LINK_FOLDER, *FEATURE_FOLDERS)]
    columns = needed_columns(sql, definitions.extract_names)
    engine = TimedEngine(place / "run.duckdb")
    engine.allow_spilling()
    load_knowledge(engine, definitions, Windows.ending_before(as_of))
    for table in (*columns, *BESIDE):
        names = ", ".join(map(quoted, columns.get(table, ()))) or "*"
        path = literal(str(folder / "staged" / f"{table}.parquet"))
        engine.execute(f"CREATE VIEW {quoted(table)} AS SELECT {names} FROM read_parquet({path})")
    context = _context(definitions, engine, Deliveries({}, {}, {}, ()), site.landing, place, as_of)
    context.manifest["extracts"] = {
        name: {"present": present}
        for name, present in engine.rows("SELECT extract, is_present FROM extract_status")
    }
    return Staged(context, engine, columns)


def _context(
    definitions: Definitions,
    engine: TimedEngine,
    deliveries: Deliveries,
    landing: Path,
    building: Path,
    as_of: date,
) -> Context:
    return Context(as_of, definitions, engine, deliveries, landing, building, KEY, Progress(), judged=False)
