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
from pathlib import Path

from riskstrat.keys import KEY_BYTES, KEY_FILE, flush_folder
from riskstrat.quality.trend import write_trend_page
from riskstrat.rewriting import Replacement
from riskstrat.runs import list_runs
from riskstrat.site import Site
from riskstrat.stages.publish import LATEST, READ_ONLY, READ_ONLY_FOLDER, point_latest
from riskstrat.vault import half_rotated, vault_of

PLAN = "plan.json"
NEXT = ".next"


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


def clear_undecided(site: Site) -> None:
    """Remove what an attempt left that was never decided. What was decided needs its key and its vault, and stays."""
    if half_rotated(site).exists():
        return
    shutil.rmtree(being_built(site), ignore_errors=True)
    for path in (next_key(site), next_vault(site)):
        _destroy(path)


@contextmanager
def undecided(site: Site) -> Iterator[None]:
    """Begin with nothing left over, and leave nothing when it fails before it is decided."""
    clear_undecided(site)
    being_built(site).mkdir(parents=True)
    try:
        yield
    finally:
        clear_undecided(site)


def decide(site: Site, replacements: Sequence[Replacement]) -> None:
    """Flush everything that was built, then make it the decision in one rename."""
    building = being_built(site)
    pointer = site.output / LATEST
    latest = pointer.readlink().name if pointer.is_symlink() else None
    runs = {made.old.id: made.run for made in replacements}
    plan = {"runs": runs, "latest": runs.get(str(latest))}
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
    plan = json.loads((decided / PLAN).read_text(encoding="utf-8"))
    runs: dict[str, str] = plan["runs"]
    for step in STEPS:
        step(site, runs, plan["latest"])
    return runs


def bring_in(site: Site, runs: Mapping[str, str], _: str | None) -> None:
    """Rename every new run into its place."""
    for new in runs.values():
        built, target = half_rotated(site) / new, site.output / "runs" / new
        if built.exists() and not target.exists():
            built.rename(target)
        if target.exists():
            for folder in (*(path for path in target.rglob("*") if path.is_dir()), target):
                folder.chmod(READ_ONLY_FOLDER)
    flush_folder(site.output / "runs")


def point(site: Site, _: Mapping[str, str], latest: str | None) -> None:
    """Point to the new run of the one that was the latest."""
    if latest is not None:
        point_latest(site.output, latest)


def retire(site: Site, runs: Mapping[str, str], _: str | None) -> None:
    """Delete the runs that were replaced; one that is half deleted is never seen."""
    for old in runs:
        remove_run(site, old)


def take_vault(site: Site, _: Mapping[str, str], __: str | None) -> None:
    """Let the next vault take its place."""
    path = vault_of(site).path
    if next_vault(site).exists():
        next_vault(site).replace(path)
        flush_folder(path.parent)


def take_key(site: Site, _: Mapping[str, str], __: str | None) -> None:
    """Let the next site key take its place, and destroy the one before."""
    if next_key(site).exists():
        _overwrite(site.keys / KEY_FILE)
        next_key(site).replace(site.keys / KEY_FILE)
        flush_folder(site.keys)


def close(site: Site, _: Mapping[str, str], __: str | None) -> None:
    """Write the trend page anew, then forget the decision: all of it is carried out."""
    runs = list_runs(site.output)
    if runs:
        write_trend_page(site.output, runs[-1].as_of)
    aside = being_built(site)
    shutil.rmtree(aside, ignore_errors=True)
    half_rotated(site).rename(aside)  # in one step; what is left of it is nobody's any more
    shutil.rmtree(aside, ignore_errors=True)
    flush_folder(site.output / "runs")


STEPS: tuple[Callable[[Site, Mapping[str, str], str | None], None], ...] = (
    *(bring_in, point, retire),
    *(take_vault, take_key, close),
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
