"""Publish: a run becomes visible whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from riskstrat.errors import RiskstratError
from riskstrat.runs import file_hash
from riskstrat.stages.context import Context

LATEST = "latest"
READ_ONLY, READ_ONLY_FOLDER = 0o440, 0o550


def publish(context: Context) -> None:
    """Write the manifest, flush every file, rename the finished folder, then replace the pointer.

    Last, the site's trend page is written anew; it lies beside the runs and none of them depends on it.
    """
    from riskstrat.quality.page import STOPPED_PAGE
    from riskstrat.quality.trend import write_trend_page

    run = str(context.manifest["run"])
    runs = context.building.parent
    context.manifest["files"] = file_hashes(context.building)
    context.manifest["timings"] = dict(sorted(context.progress.timings.items()))
    text = json.dumps(context.manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (context.building / "manifest.json").write_text(text + "\n", encoding="utf-8")
    _flush(context.building)
    target = runs / run
    if target.exists():
        _confirm_same(target, context)
    else:
        context.building.rename(target)
        for folder in (*(path for path in target.rglob("*") if path.is_dir()), target):
            folder.chmod(READ_ONLY_FOLDER)
        _flush_folder(runs)
    point_latest(runs.parent, run)
    (runs.parent / STOPPED_PAGE).unlink(missing_ok=True)
    write_trend_page(runs.parent, context.as_of)


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder`` but the manifest, by relative path."""
    return {
        path.relative_to(folder).as_posix(): file_hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def point_latest(output: Path, run: str) -> None:
    """Replace the relative symlink ``latest`` in one step."""
    pointer = output / f".{LATEST}.{os.getpid()}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(Path("runs") / run)
    pointer.replace(output / LATEST)
    _flush_folder(output)


def _confirm_same(published: Path, context: Context) -> None:
    """A published run never changes: computing it again must give the same bytes."""
    if (published_hashes := file_hashes(published)) != context.manifest["files"]:
        everything = published_hashes.keys() | context.manifest["files"].keys()
        changed = sorted(
            name for name in everything if published_hashes.get(name) != context.manifest["files"].get(name)
        )
        raise RiskstratError(
            f"this run was published before and computing it again gives other bytes in {', '.join(changed[:3])}.",
            file=published,
            remedy="find out who changed it (riskstrat runs verify); remove the folder to publish it afresh.",
        )


def _flush(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(READ_ONLY)
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
