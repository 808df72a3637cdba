"""riskstrat doctor: is everything in place for the next run?"""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from riskstrat.commands.state import State
from riskstrat.errors import NotPermittedError, RiskstratError
from riskstrat.site import Site

if TYPE_CHECKING:
    from riskstrat.definitions.everything import Definitions

Level = Literal["ok", "warn", "fail"]
OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2 * 1024**3
# The tables of a run, what spills and what it publishes, as times the files that it reads: 1.5 times CSV, and as CSV
# the benchmarks' files are 12 times their Parquet (docs/benchmarks.md); text packed by gzip grows less.
ROOM_FOR_CSV, ROOM_FOR_PACKED = 2, {".parquet": 20, ".gz": 12}
GIGABYTE = 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``exit_code`` counts only where ``level`` is fail."""

    level: Level
    what: str
    remedy: str | None = None
    exit_code: int = 1


def doctor(context: typer.Context) -> None:
    """Check the installation, the site, its definitions, keys, deliveries, disk and published runs.

    Prints a line for each; ends with 0, or with the exit code of the first failure.

    Example: riskstrat doctor
    """
    state: State = context.obj
    findings = []
    for finding in examine(state):
        findings.append(finding)
        typer.echo(f"{finding.level:<5} {finding.what}")
        if finding.remedy:
            typer.echo(f"      Remedy: {finding.remedy}")
    failures = [finding for finding in findings if finding.level == "fail"]
    warnings = sum(finding.level == "warn" for finding in findings)
    typer.echo(f"{len(findings)} checks, {warnings} warnings, {len(failures)} failures", err=True)
    if failures:
        raise typer.Exit(failures[0].exit_code)


def examine(state: State) -> Iterator[Finding]:
    """Every finding, in the order in which a reader would put things right."""
    yield from check_python()
    yield from check_packages()
    try:
        site = state.site()
    except RiskstratError as problem:
        yield failed("site", problem)
        return
    yield Finding("ok", f"site: {site.root}")
    for check in SITE_CHECKS:
        yield from check(site)


def failed(subject: str, problem: RiskstratError) -> Finding:
    """A failure as a finding."""
    where = ", ".join(str(part) for part in (problem.file, problem.column) if part)
    what = f"{where}: {problem.what}" if where else problem.what
    return Finding("fail", f"{subject}: {what}", problem.remedy, problem.exit_code)


def check_python() -> Iterator[Finding]:
    """Whether this Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Finding("fail", f"Python {version} is too old", "install Python 3.11 or newer.")
    else:
        yield Finding("ok", f"Python {version}")


def check_packages() -> Iterator[Finding]:
    """Whether every package that riskstrat needs is installed in a version that it was tried with."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    wrong = []
    needed = [Requirement(text) for text in requires("riskstrat") or []]
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    for requirement in needed:
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} is not {requirement.specifier}")
    if wrong:
        yield Finding("fail", f"packages: {'; '.join(wrong)}", "install from the lock file again.")
    else:
        yield Finding("ok", f"packages: {len(needed)} as required")


def check_definitions(site: Site) -> Iterator[Finding]:
    """Whether every file under config/ and data_contracts/ loads and they fit each other."""
    from riskstrat.definitions.everything import load_definitions

    try:
        definitions = load_definitions(site.root)
    except RiskstratError as problem:
        yield failed("definitions", problem)
        return
    yield Finding(
        "ok",
        f"definitions: {len(definitions.contracts)} contracts, {len(definitions.codelists)} code lists, "
        f"{len(definitions.cohorts)} cohorts",
    )
    yield from check_cohorts(definitions)


def check_cohorts(definitions: Definitions) -> Iterator[Finding]:
    """Whether every rule and gap of every cohort is a condition over the features."""
    from riskstrat.definitions.cohort_rules import compile_cohort

    rules = 0
    for cohort in definitions.cohorts.values():
        path = definitions.root / "config" / "cohorts" / f"{cohort.name}.yaml"
        try:
            # any day will do: what is asked here is whether the words that count days from as_of are right
            compiled = compile_cohort(
                cohort, definitions.contracts["features"].columns, cohort.review.next_review, path
            )
        except RiskstratError as problem:
            rule = getattr(problem, "text", "")
            yield Finding(
                "fail", f"cohort: {path}: {rule}: {problem.what}", problem.remedy, problem.exit_code
            )
            return
        rules += len(compiled.include) + len(compiled.exclude) + len(compiled.gaps)
    yield Finding("ok", f"cohorts: {rules} rules are conditions over the features")


def check_keys(site: Site) -> Iterator[Finding]:
    """Whether the site's keys are there and only their owner can read them."""
    from riskstrat.keys import read_signing_key, read_site_key, read_vault_key

    for read in (read_site_key, read_vault_key, read_signing_key):
        try:
            read(site.keys)
        except NotPermittedError as problem:
            yield failed("keys", problem)
            return
    open_keys = [path for path in sorted(site.keys.glob("*.key")) if path.stat().st_mode & 0o077]
    if site.keys.stat().st_mode & 0o077:
        yield Finding("warn", f"keys: others can look into {site.keys}", f"chmod 700 {site.keys}")
    elif open_keys:
        names = ", ".join(path.name for path in open_keys)
        yield Finding("fail", f"keys: others can read {names}", f"chmod 600 {site.keys}/*.key")
    else:
        yield Finding("ok", "keys: all there, and only their owner can read them")


def check_audit(site: Site) -> Iterator[Finding]:
    """Whether the audit log is what was written."""
    from riskstrat.audit import verify
    from riskstrat.audit.accounting import unaccounted

    try:
        problems = [*verify(site), *unaccounted(site)]
    except RiskstratError as problem:
        yield failed("audit", problem)
        return
    if problems:
        yield Finding("fail", f"audit: {problems[0]}", "find out who changed the log: riskstrat audit verify")
    else:
        yield Finding("ok", "audit: no entry was changed, removed or moved, and all runs are on record")


def check_landing(site: Site) -> Iterator[Finding]:
    """Whether anything was delivered, and when."""
    newest = newest_delivery(site)
    if newest is None:
        yield Finding(
            "warn",
            f"landing: no delivery in {site.landing}",
            "put extracts into landing/YYYY-MM-DD/, or write a synthetic town with: riskstrat demo",
        )
        return
    files = [path for path in newest.iterdir() if path.is_file()]
    if not files:
        yield Finding("warn", f"landing: the newest delivery, {newest.name}, is empty", "deliver it again.")
    else:
        yield Finding("ok", f"landing: the newest delivery is {newest.name}, {len(files)} files")


def check_disk(site: Site) -> Iterator[Finding]:
    """Whether the disk has room for a run's tables and outputs."""
    needed = max(
        LEAST_FREE_BYTES,
        sum(
            path.stat().st_size * ROOM_FOR_PACKED.get(path.suffix, ROOM_FOR_CSV)
            for path in files_of_a_run(site)
        ),
    )
    place = next(folder for folder in (site.output, *site.output.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    what = f"disk: {free / GIGABYTE:.1f} GB free, {needed / GIGABYTE:.1f} GB wanted"
    if free < needed:
        yield Finding("warn", what, f"free some space under {place}.")
    else:
        yield Finding("ok", what)


def files_of_a_run(site: Site) -> Iterator[Path]:
    """The files that a run of the day after the newest delivery reads, of that and of earlier ones.

    Where none of them makes a whole run, the newest delivery's.
    """
    from riskstrat.definitions.everything import load_definitions
    from riskstrat.stages.ingest.deliveries import find_deliveries

    newest = newest_delivery(site)
    if newest is None:
        return
    try:
        after = date.fromisoformat(newest.name) + timedelta(days=1)
        found = find_deliveries(site.landing, after, load_definitions(site.root))
        yield from replace(found, replaced={}).paths  # what was replaced is counted, and never lies in tables
    except RiskstratError:
        yield from (path for path in newest.rglob("*") if path.is_file())


def check_published(site: Site) -> Iterator[Finding]:
    """Whether the latest run can be read and is what was published."""
    from riskstrat.runs import latest, list_runs, verify_run

    if not list_runs(site.output) and not (site.output / "latest").is_symlink():
        yield Finding("warn", "runs: nothing has been published yet", "riskstrat run --as-of DATE")
        return
    try:
        run = latest(site.output)
        problems = verify_run(run)
    except RiskstratError as problem:
        yield failed("runs", problem)
        return
    if problems:
        yield Finding(
            "fail",
            f"runs: {len(problems)} files of {run.id} are not what was published: {problems[0]}",
            f"riskstrat runs verify {run.id}",
        )
    else:
        yield Finding("ok", f"runs: {run.id} is the latest, and is what was published")


def check_leftovers(site: Site) -> Iterator[Finding]:
    """Whether a run is going on, and whether a broken one left folders behind."""
    lock = site.state / "run.lock"
    if is_held(lock):
        yield Finding("warn", f"lock: a run is going on ({lock})", "wait until it has ended.")
        return
    yield Finding("ok", "lock: no run is going on")
    works = [*(site.state / "scratch").glob("*"), *(site.output / "runs").glob(".*.partial")]
    if works:
        names = ", ".join(path.name for path in sorted(works))
        yield Finding(
            "warn",
            f"leftovers: an earlier run did not end: {names}",
            "the next run removes them; nothing else to do.",
        )
    else:
        yield Finding("ok", "leftovers: none")


def is_held(lock: Path) -> bool:
    """Whether a process holds the lock file."""
    if not lock.is_file():
        return False
    with lock.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def newest_delivery(site: Site) -> Path | None:
    """The newest delivery folder, or None."""
    dated = []
    for folder in site.landing.iterdir() if site.landing.is_dir() else []:
        try:
            dated.append((date.fromisoformat(folder.name), folder))
        except ValueError:
            continue
    return max(dated)[1] if dated else None


SITE_CHECKS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    check_definitions,
    check_keys,
    check_audit,
    check_landing,
    check_disk,
    check_published,
    check_leftovers,
)
