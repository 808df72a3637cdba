"""Published runs replaced by others, whole or not at all: the machinery of key rotation and erasure.

Everything is built beside what is published. Renaming ``output/runs/.replacing.partial`` to ``.replacing`` decides:
before it nothing has changed, and what is left lying is cleared; after it only finishing is possible, which is a
handful of renames that may be done again from any point.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskstrat.audit import append, read_entries
from riskstrat.certificates import mark_decided
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import NotPermittedError
from riskstrat.keys import KEY_BYTES, KEY_FILE, flush_folder, key_fingerprint
from riskstrat.places import name_of, path_of
from riskstrat.progress import Progress
from riskstrat.quality.trend import write_trend_page
from riskstrat.returns.store import forget_next, take_next
from riskstrat.rewriting import Replacement, Rewriter
from riskstrat.runs import MANIFEST, Run, damage, file_hash, list_runs, verify_run
from riskstrat.site import Site
from riskstrat.stages.publish import LATEST, READ_ONLY, READ_ONLY_FOLDER, point_latest
from riskstrat.vault import half_rotated, vault_of

PLAN = "plan.json"
NEXT = ".next"
BUILT = ".replacing"
Plan = Mapping[str, Any]


@dataclass(frozen=True)
class Beside:
    """What changes with the runs: files with those that take their places, files to delete, the certificate of it."""

    files: dict[Path, Path] = field(default_factory=dict)
    deleted: list[Path] = field(default_factory=list)
    certificate: Path | None = None


def being_built(site: Site) -> Path:
    """The folder in which replacements are built; a run clears it away as it clears its own leftovers."""
    return half_rotated(site).with_name(".replacing.partial")


def next_key(site: Site) -> Path:
    """The site key that takes the present one's place."""
    return site.keys / f"{KEY_FILE}{NEXT}"


def next_vault(site: Site) -> Path:
    """The vault that takes the present one's place."""
    path = vault_of(site).path
    return path.with_name(f"{path.name}{NEXT}")


def building_place(folder: Path) -> Path:
    """Where files that are to lie below ``folder`` are built: on the same disk, and no delivery or run."""
    return folder / BUILT


def clear_undecided(site: Site) -> None:
    """Remove what an attempt left that was never decided. What was decided needs its key and its vault, and stays."""
    if half_rotated(site).exists():
        return
    for folder in (being_built(site), building_place(site.landing), building_place(site.state)):
        shutil.rmtree(folder, ignore_errors=True)
    for path in (next_key(site), next_vault(site)):
        _destroy(path)
    forget_next(site.state)


@contextmanager
def undecided(site: Site) -> Iterator[None]:
    """Begin with nothing left over, and leave nothing when it fails before it is decided."""
    clear_undecided(site)
    being_built(site).mkdir(parents=True)
    try:
        yield
    finally:
        clear_undecided(site)


def sound_runs(site: Site, key: bytes, progress: Progress) -> list[Run]:
    """Every published run, oldest first, each as it was published and with identifiers that ``key`` made.

    To rewrite a changed file would make its change look published, and with another key nobody would be found.
    """
    runs = list_runs(site.output)
    for run in runs:
        progress.step(f"verify {run.id}")
        if problems := verify_run(run):
            raise damage(run, problems)
        if run.manifest.get("key") != key_fingerprint(key):
            raise NotPermittedError(
                f"the run {run.id} was made with another site key, so nobody can be found in it.",
                file=run.folder,
                remedy="delete it: riskstrat purge --layer runs, or remove its folder.",
            )
    return runs


def rewrite(
    site: Site, rewriter: Rewriter, runs: Sequence[Run], key: bytes, because: str, progress: Progress
) -> list[Replacement]:
    """Build the replacements of those runs that the rewriter changes, under ``key``; runs come oldest first."""
    made = []
    for run in runs:
        if rewriter.touches(run):
            progress.step(f"rewrite {run.id}")
            made.append(rewriter.rewrite(run, being_built(site), key_fingerprint(key), because))
    return made


@contextmanager
def rewriter_of(site: Site, find_new: Callable[[str], str] | None) -> Iterator[Rewriter]:
    """A rewriter with a work folder, which goes with it."""
    work = site.state / "scratch" / "replacing"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    engine = DuckDBEngine(work / "replacing.duckdb", threads=site.threads, memory_limit=site.memory_limit)
    try:
        engine.allow_spilling()  # identifiers alone are in it, and they go with the folder
        yield Rewriter(engine, find_new)
    finally:
        engine.close()
        shutil.rmtree(work.parent, ignore_errors=True)


def decide(site: Site, replacements: Sequence[Replacement], beside: Beside | None = None) -> None:
    """Flush everything that was built, then make it the decision in one rename."""
    beside = beside or Beside()
    building = being_built(site)
    pointer = site.output / LATEST
    latest = pointer.readlink().name if pointer.is_symlink() else None
    runs = {made.old.id: made.run for made in replacements}
    plan = {
        "runs": runs,
        "latest": runs.get(str(latest)),
        "files": {name_of(site, path): name_of(site, built) for path, built in beside.files.items()},
        "deleted": [name_of(site, path) for path in beside.deleted],
        "certificate": name_of(site, beside.certificate) if beside.certificate else None,
    }
    (building / PLAN).write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
    for path in sorted(building.rglob("*")):
        if path.is_file():
            path.chmod(READ_ONLY)
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            flush_folder(path)
    flush_folder(building)
    building.rename(half_rotated(site))
    flush_folder(site.output / "runs")


def finish(site: Site) -> dict[str, str] | None:
    """Carry out what was decided, from wherever it stopped; old run -> new run, None where nothing was decided."""
    decided = half_rotated(site)
    if not decided.exists():
        return None
    plan: dict[str, Any] = json.loads((decided / PLAN).read_text(encoding="utf-8"))
    for step in STEPS:
        step(site, plan)
    return dict(plan["runs"])


def bring_in(site: Site, plan: Plan) -> None:
    """Rename every new run into its place."""
    for new in plan["runs"].values():
        built, target = half_rotated(site) / new, site.output / "runs" / new
        if built.exists() and not target.exists():
            built.rename(target)
        if target.exists():
            for folder in (*(path for path in target.rglob("*") if path.is_dir()), target):
                folder.chmod(READ_ONLY_FOLDER)
    flush_folder(site.output / "runs")


def point(site: Site, plan: Plan) -> None:
    """Point to the new run of the one that was the latest."""
    if plan["latest"] is not None:
        point_latest(site.output, plan["latest"])


def retire(site: Site, plan: Plan) -> None:
    """Delete the runs that were replaced; one that is half deleted is never seen."""
    for old in plan["runs"]:
        remove_run(site, old)


def take_files(site: Site, plan: Plan) -> None:
    """Let files take their places, and delete what is to go."""
    for name, built in plan["files"].items():
        target, source = path_of(site, name), path_of(site, built)
        if source.exists():
            source.replace(target)
            flush_folder(target.parent)
    for path in (path_of(site, name) for name in plan["deleted"]):
        path.unlink(missing_ok=True)
    for folder in (site.landing, site.state):
        shutil.rmtree(building_place(folder), ignore_errors=True)


def take_vault(site: Site, _: Plan) -> None:
    """Let the next vault take its place."""
    path = vault_of(site).path
    if next_vault(site).exists():
        next_vault(site).replace(path)
        flush_folder(path.parent)


def take_returns(site: Site, _: Plan) -> None:
    """Let the next returns take their places."""
    take_next(site.state)


def take_key(site: Site, _: Plan) -> None:
    """Let the next site key take its place, and destroy the one before."""
    if next_key(site).exists():
        _overwrite(site.keys / KEY_FILE)
        next_key(site).replace(site.keys / KEY_FILE)
        flush_folder(site.keys)


def put_on_record(site: Site, plan: Plan) -> None:
    """Log every new run with what it replaces, once, and mark the certificate as carried out."""
    known = {(facts.facts.get("run"), facts.facts.get("manifest_sha256")) for facts in read_entries(site)}
    for old, new in plan["runs"].items():
        published = file_hash(site.output / "runs" / new / MANIFEST)
        if (new, published) not in known:
            append(site, "run replaced", run=new, replaces=old, manifest_sha256=published)
    if plan["certificate"] is not None:
        mark_decided(path_of(site, plan["certificate"]))


def close(site: Site, _: Plan) -> None:
    """Write the trend page anew, then forget the decision: all of it is carried out."""
    runs = list_runs(site.output)
    if runs:
        write_trend_page(site.output, runs[-1].as_of)
    aside = being_built(site)
    shutil.rmtree(aside, ignore_errors=True)
    half_rotated(site).rename(aside)  # in one step; what is left of it is nobody's any more
    shutil.rmtree(aside, ignore_errors=True)
    flush_folder(site.output / "runs")


STEPS: tuple[Callable[[Site, Plan], None], ...] = (
    *(bring_in, point, retire, take_files),
    *(take_vault, take_returns, take_key, put_on_record, close),
)


def remove_run(site: Site, run: str) -> None:
    """Delete a published run. It is hidden first, so that nobody reads half of it."""
    folder = site.output / "runs" / run
    hidden = folder.with_name(f".{run}.partial")
    if folder.exists():
        folder.chmod(0o750)
        folder.rename(hidden)
    if hidden.exists():
        for path in (hidden, *hidden.rglob("*")):
            if path.is_dir():
                path.chmod(0o750)
        shutil.rmtree(hidden)
    flush_folder(site.output / "runs")


def _destroy(path: Path) -> None:
    with suppress(FileNotFoundError):
        _overwrite(path)
        path.unlink()


def _overwrite(path: Path) -> None:
    """Put random bytes where a secret was: the most that a program can do about a file's blocks."""
    with path.open("r+b") as stream:
        stream.write(os.urandom(max(KEY_BYTES, path.stat().st_size)))
        stream.flush()
        os.fsync(stream.fileno())
