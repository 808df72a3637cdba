"""What surrounds everything that works on a site: its lock, private files, and what a full disk means."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from riskstrat.engines.duckdb import is_disk_full
from riskstrat.errors import RiskstratError, RunLockedError
from riskstrat.site import Site

LOCK_TRIES, LOCK_PAUSE_SECONDS = 10, 0.1


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Hold the site's lock; the operating system lets go of it when the process ends, however it ends."""
    site.state.mkdir(parents=True, exist_ok=True)
    path = site.state / "run.lock"
    with path.open("a") as stream:
        for patience in range(LOCK_TRIES, 0, -1):  # riskstrat doctor holds it for a moment to look at it
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if patience == 1:
                    raise RunLockedError(
                        "another run of this site is going on.",
                        file=path,
                        remedy="wait until it has ended, then try again.",
                    ) from None
                time.sleep(LOCK_PAUSE_SECONDS)
        yield


@contextmanager
def private_files() -> Iterator[None]:
    """Everything that a run writes is for its owner and group alone."""
    before = os.umask(0o027)
    try:
        yield
    finally:
        os.umask(before)


def _free_bytes(folder: Path) -> int:
    """Room on the disk of a folder, which need not be there yet."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free


@contextmanager
def translated(site: Site) -> Iterator[None]:
    """Say what a full disk or too little memory means; a database message may quote data and is not shown."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise RiskstratError(
            f"the run needs more memory than its limit ({site.memory_limit}).",
            file=site.root / "config" / "site.yaml",
            column="memory_limit",
            remedy="raise the limit, or free disk space for spilling.",
        ) from None
    except duckdb.Error as problem:
        if not is_disk_full(problem):
            raise
        raise RiskstratError(
            "the disk is full.",
            file=min((site.state, site.output), key=_free_bytes),
            remedy="free some space and run again; the last published run is untouched.",
        ) from None
    except OSError as problem:
        raise RiskstratError(
            f"{problem.strerror or 'the file system failed'}.",
            file=problem.filename,
            remedy="check free disk space and permissions; the last published run is untouched.",
        ) from None
