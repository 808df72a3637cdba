"""A run from landing to published lists: the stages in order, the lock, and what a crash leaves behind."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat import __version__
from riskstrat.audit import append, refusal
from riskstrat.definitions.everything import FEATURES, Definitions, load_definitions
from riskstrat.definitions.legal_basis import RUN_PURPOSE, Basis
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.engines.spark import SparkEngine, SparkSettings
from riskstrat.erased import read_erased
from riskstrat.errors import ContractBrokenError, MisuseError, RiskstratError
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import check_signing_keys, key_fingerprint, read_site_key, read_vault_key
from riskstrat.progress import Progress
from riskstrat.replacing import clear_undecided
from riskstrat.returns.store import hash_of, read_returns
from riskstrat.runs import MANIFEST, Run, file_hash, verify_run
from riskstrat.scoring.serving import find_served
from riskstrat.site import DEFINITION_FOLDERS, Site, load_site
from riskstrat.stages.cohorts import cohorts, compile_cohorts
from riskstrat.stages.context import Context
from riskstrat.stages.earlier import find_earlier
from riskstrat.stages.evidence import evidence
from riskstrat.stages.features import features
from riskstrat.stages.history import history
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import Deliveries, find_deliveries
from riskstrat.stages.ingest.memory import open_memory
from riskstrat.stages.link import link
from riskstrat.stages.lists import compile_lists, lists
from riskstrat.stages.measures import compiled_measures, measures
from riskstrat.stages.publish import LATEST, point_latest, publish
from riskstrat.stages.report import report
from riskstrat.stages.score import score
from riskstrat.stages.worklists import worklists
from riskstrat.vault import own_site_key, refuse_half_rotated, vault_of

if TYPE_CHECKING:
    import pyarrow as pa

STAGES = (
    ingest,
    link,
    features,
    history,
    evidence,
    score,
    cohorts,
    worklists,
    lists,
    measures,
    report,
    publish,
)
DUCKDB, SPARK = "duckdb", "spark"
TEST_KEY = bytes(range(32))
UNHASHED = ("config/site.yaml",)  # where data lie and how much memory to use change no result


@dataclass(frozen=True)
class Outcome:
    """A published run: its folder and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]


def run(
    site: Site, as_of: date, *, engine: str = DUCKDB, force: bool = False, progress: Progress | None = None
) -> Outcome:
    """Compute and publish the run of ``as_of``.

    ``engine`` makes the tables of ``pipelines/``: duckdb or spark. Their rows are the same; the bytes of the files need
    not be, so a run on Spark has an id of its own. The same inputs, definitions, key, code and engine give the same
    run; one that is published already is only pointed to, unless ``force`` asks to compute it again and compare. Raises
    RiskstratError with the exit code of its kind.
    """
    progress = progress or Progress()
    facts = {"purpose": RUN_PURPOSE, "as_of": as_of.isoformat()}
    with refusal(site, "run", **facts), translated(site), private_files():
        read_site_key(site.keys)
        read_vault_key(site.keys)  # a run that could not seal its identities stops before it reads any
        check_signing_keys(site.keys)  # as does one that could not be put on record
        definitions = load_definitions(site.root)
        compile_cohorts(definitions, as_of)
        compile_lists(definitions, as_of)
        compiled_measures(definitions, as_of)
        with locked(site):
            refuse_half_rotated(site)
            key = own_site_key(site)  # again: a rotation may just have replaced it
            outcome = _runlocked(site, as_of, definitions, key, engine, force=force, progress=progress)
            people = outcome.manifest["population"]["steps"][-1]["people"]
            published = file_hash(outcome.folder / MANIFEST)
            append(site, "run", run=outcome.folder.name, count=people, manifest_sha256=published, **facts)
            return outcome


def _runlocked(
    site: Site,
    as_of: date,
    definitions: Definitions,
    key: bytes,
    engine_name: str,
    *,
    force: bool,
    progress: Progress,
) -> Outcome:
    vault_of(site).known_on()  # a vault that cannot be opened is found before hours of work
    erased = read_erased(site)
    clear_undecided(site)
    _clear_leftovers(site)  # of a run that was killed
    deliveries = find_deliveries(site.landing, as_of, definitions)
    bases = _legal_bases(definitions, deliveries, as_of, progress)
    sizes = sizes_of(deliveries)
    with progress.stage("hash"):
        served = find_served(site, definitions.contracts[FEATURES], as_of)
        earlier = find_earlier(site.output, as_of, definitions.lists)
        returns = read_returns(site.state, as_of)
        returned = hash_of(returns)
        identity = {
            **identity_of(site, as_of, deliveries.paths, key),
            **({} if engine_name == DUCKDB else {"engine": engine_name}),
            **({"model": dict(served.identity)} if served.identity else {}),
            **({"earlier": earlier.ids} if earlier.ids else {}),
            **({"returns": returned} if returned else {}),
        }
    name = f"{as_of:%Y%m%d}-{_digest(identity)[:10]}"
    published = site.output / "runs" / name
    if (published / "manifest.json").is_file() and not force:
        if problems := verify_run(Run(name, published)):
            raise RiskstratError(
                f"run {name} is published already and damaged: {problems[0]}",
                file=published,
                remedy="remove the folder and run again.",
            )
        point_latest(site.output, name)
        progress.say(
            f"run {name} is published already; nothing has changed since, and output/latest points to it."
        )
        return Outcome(published, json.loads((published / "manifest.json").read_text(encoding="utf-8")))
    with _workplace(site, name) as (work, building):
        memory = open_memory(site.state, work, site.landing, identity, key, as_of=as_of, is_cold=force)
        engine = _engine(engine_name, site, work / "run.duckdb")
        try:
            context = Context(
                *(as_of, definitions, engine, deliveries, site.landing, building, key, progress),
                vault=vault_of(site),
                served=served,
                earlier=earlier,
                returns=returns,
                erased=erased,
                memory=memory,
            )
            context.manifest = {"run": name, "engine": DUCKDB, "warnings": [], **identity}
            context.manifest["legal_basis"] = [basis.summary() for basis in bases]
            for warning in definitions.legal_bases.expiring(deliveries.feeds, as_of):
                context.warn(warning)
            for stage in STAGES:
                with progress.stage(stage.__name__):
                    stage(context)
                if stage is ingest:
                    refuse_changed_files(deliveries, sizes)
                    memory.settle()
                    progress.say(memory.account())
        finally:
            engine.close()
    return Outcome(published, context.manifest)


def _engine(name: str, site: Site, database: Path) -> DuckDBEngine:
    """The engine of that name. Raises MisuseError for another name."""
    if name == DUCKDB:
        return DuckDBEngine(database, threads=site.threads, memory_limit=site.memory_limit)
    if name != SPARK:
        raise MisuseError(f"there is no engine '{name}'.", remedy=f"use {DUCKDB} or {SPARK}.")
    settings = SparkSettings.of(site.spark, site.config / "site.yaml")
    return SparkEngine(database, threads=site.threads, memory_limit=site.memory_limit, settings=settings)


def _legal_bases(
    definitions: Definitions, deliveries: Deliveries, as_of: date, progress: Progress
) -> list[Basis]:
    """The bases under which the run uses what was delivered. Raises NotPermittedError where one is missing."""
    delivered = {name for name, feeds in deliveries.feeds.items() if feeds}
    legal = definitions.legal_bases
    used = list(legal.require(delivered, RUN_PURPOSE, as_of, used_by="the run"))
    for cohort in definitions.cohorts.values():
        wanted = delivered.intersection(cohort.requires.extracts)
        for purpose in cohort.requires.legal_basis:
            used += legal.require(wanted, purpose, as_of, used_by=f"the cohort {cohort.name}")
    if any(basis.example for basis in used):
        progress.say(f"legal basis: {legal.file} holds examples; replace them before real data come in.")
    return list(dict.fromkeys(used))


def sizes_of(deliveries: Deliveries) -> dict[Path, tuple[int, int]]:
    """Size and time of the last change of every delivered file."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in deliveries.paths}


def refuse_changed_files(deliveries: Deliveries, sizes: Mapping[Path, tuple[int, int]]) -> None:
    """A file that changed after it was hashed would be published under the wrong hash."""
    for path, now in sizes_of(deliveries).items():
        if now != sizes[path]:
            raise ContractBrokenError(
                "the file changed while it was read.",
                file=path,
                remedy="run again when the delivery is complete.",
            )


def compute_features(
    site_root: Path, extracts: Mapping[str, Sequence[Mapping[str, object]]], as_of: date
) -> pa.Table:
    """The feature table of rows given by hand, through the real ingest, link and features stages.

    ``extracts`` holds canonical rows, NHS numbers of the synthetic 999 range included; nothing is published, no
    threshold stops it, and people are keyed with TEST_KEY. For trying a definition and for tests.
    """
    with tempfile.TemporaryDirectory(prefix="riskstrat-") as folder:
        place = Path(folder)
        delivery = place / "landing" / (as_of - timedelta(days=1)).isoformat()
        delivery.mkdir(parents=True)
        for name, rows in extracts.items():
            _write_rows(delivery / f"{name}.csv", rows)
        building = place / "run"
        building.mkdir()
        site = load_site(site_root)
        engine = DuckDBEngine(place / "run.duckdb", threads=site.threads, memory_limit=site.memory_limit)
        try:
            definitions = load_definitions(site_root)
            context = Context(
                as_of,
                definitions,
                engine,
                find_deliveries(place / "landing", as_of, definitions),
                place / "landing",
                building,
                TEST_KEY,
                Progress(quiet=True),
                judged=False,
            )
            for stage in (ingest, link, features):
                stage(context)
            return engine.connection.sql("SELECT * FROM features ORDER BY person_id").to_arrow_table()
        finally:
            engine.close()


def _write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def identity_of(site: Site, as_of: date, inputs: Sequence[Path], key: bytes) -> dict[str, Any]:
    """Everything that decides a run's bytes: as_of, code, key, input files, definitions and who was erased."""
    erased = read_erased(site)
    definitions = [
        path
        for folder in DEFINITION_FOLDERS
        for path in sorted((site.root / folder).rglob("*"))
        if path.is_file() and path.relative_to(site.root).as_posix() not in UNHASHED
    ]
    with ThreadPoolExecutor(max_workers=site.threads) as pool:
        hashes = list(pool.map(file_hash, [*inputs, *definitions]))
    return {
        "as_of": as_of.isoformat(),
        "code_version": code_version(),
        "key": key_fingerprint(key),
        "inputs": {
            path.relative_to(site.landing).as_posix(): value
            for path, value in zip(inputs, hashes, strict=False)
        },
        "definitions": {
            path.relative_to(site.root).as_posix(): value
            for path, value in zip(definitions, hashes[len(inputs) :], strict=True)
        },
        **({"erased": erased.digest()} if erased is not None else {}),
    }


def code_version() -> str:
    """The package's version and a hash of its source, so that changed code gives a new run."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".j2", ".csv") and "default_site" not in path.parts:
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def _digest(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


@contextmanager
def _workplace(site: Site, name: str) -> Iterator[tuple[Path, Path]]:
    """A work folder for tables and a hidden folder beside the published runs; both go when the run ends."""
    work, building = site.state / "scratch" / name, site.output / "runs" / f".{name}.partial"
    work.mkdir(parents=True)
    building.mkdir(parents=True)
    try:
        yield work, building
    finally:
        _clear_leftovers(site)


def _clear_leftovers(site: Site) -> None:
    for leftover in (site.state / "scratch", *(site.output / "runs").glob(".*.partial")):
        shutil.rmtree(leftover, ignore_errors=True)
    for pointer in site.output.glob(f".{LATEST}.*"):
        pointer.unlink(missing_ok=True)
