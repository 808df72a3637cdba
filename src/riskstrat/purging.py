"""Purge: what is old, or whose it was asks for, goes from a layer, and a signed certificate says what went.

The certificate is written first, as pending, then carried out and only then filed: a purge that was interrupted is
finished by the next one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from riskstrat.audit import append, refusal
from riskstrat.certificates import (
    DECIDED,
    PENDING,
    decided,
    file_certificate,
    heading,
    unfiled,
    write_pending,
)
from riskstrat.definitions.value_checks import is_nhs_number
from riskstrat.erased import erased_file, list_of, read_erased, without_people
from riskstrat.erasure import Erased, erase
from riskstrat.errors import MisuseError
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import check_signing_keys, write_private_file
from riskstrat.places import (
    DELIVERY,
    exports_before,
    frames,
    name_of,
    path_of,
    remembered,
    site_folders,
)
from riskstrat.progress import Progress
from riskstrat.quality.trend import write_trend_page
from riskstrat.replacing import clear_undecided, finish, remove_run
from riskstrat.returns.store import files_before
from riskstrat.runs import file_hash, list_runs
from riskstrat.site import Site
from riskstrat.stages.publish import LATEST, point_latest
from riskstrat.vault import refuse_half_rotated, vault_of

PEOPLE = "people"
NUMBER_HEADER = "nhs_number"
STAYS = {
    "landing": ["what was published from these files, until the layer runs is purged"],
    "staging": [],
    "runs": ["the files that the runs were made of, until the layer landing is purged"],
    "vault": ["published runs, in which nobody can be named any more"],
    "returns": ["lists and measures that were published from these outcomes, until the layer runs is purged"],
    "exports": ["what was sent, which lies with its recipients"],
    "frames": ["models that were trained on them, which hold no row about anybody"],
}
NOT_TOUCHED = (
    "these files may still hold the people, for the reason beside each; later runs leave them out all the same. The "
    "files go with: riskstrat purge --layer landing"
)


@dataclass(frozen=True)
class Purged:
    """What went: the certificate's content, and its file; None where nothing did, or it was only asked."""

    content: Mapping[str, Any]
    path: Path | None = None


def purge_layer(site: Site, layer: str, before: date, *, dry_run: bool = False) -> Purged:
    """Delete everything of a layer that is older than a date.

    Deliveries by their folder's date, runs by as_of, the vault by the date whose people it holds, returns by the run
    that was the newest when they came, exports by when they were written, frames by the day that they are complete
    to, what a killed run left behind and what is remembered of deliveries by when it was written. Where a delivery
    goes, all that is remembered of deliveries does. Raises MisuseError, NotPermittedError and RunLockedError.
    """
    if layer not in OLD_FILES:
        raise MisuseError("there is no such layer.", remedy=f"use one of {', '.join(OLD_FILES)}.")
    with refusal(site, "purge", layer=layer), translated(site), private_files(), locked(site):
        check_signing_keys(site.keys)
        refuse_half_rotated(site)
        _finish_interrupted(site)
        files = sorted(OLD_FILES[layer](site, before))
        content = {
            **heading(layer),
            "before": before.isoformat(),
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "removed": [
                {
                    "path": name_of(site, path),
                    "bytes": path.stat().st_size,
                    "sha256": file_hash(path),
                }
                for path in files
            ],
            "stays": STAYS[layer],
        }
        if dry_run or not files:
            return Purged(content)
        pending = write_pending(site, content)
        _carry_out(site, content)
        return Purged(content, file_certificate(site, pending, content))


def purge_people(site: Site, nhs_numbers: Sequence[str], progress: Progress | None = None) -> Purged:
    """Take people out of every layer, and have every later run leave them out; who they were is in no certificate.

    Raises MisuseError for a text that is no NHS number, by its place alone.
    """
    numbers = parsed_numbers(nhs_numbers)
    with refusal(site, "purge", layer=PEOPLE), translated(site), private_files(), locked(site):
        check_signing_keys(site.keys)
        finish(site)
        _finish_interrupted(site)
        pending: list[tuple[Path, dict[str, Any]]] = []

        def certify(erased: Erased) -> Path:
            content = _content_of_erasure(erased)
            pending.append((write_pending(site, content), content))
            return pending[0][0]

        erase(site, numbers, certify, progress)
        path, content = pending[0]
        return Purged(content, file_certificate(site, decided(path), content))


def readmit_people(site: Site, nhs_numbers: Sequence[str]) -> int:
    """Let later runs read people again who were erased here; how many of the given ones had been.

    What was erased does not come back; the next run has what suppliers send. Raises as ``purge_people``.
    """
    numbers = parsed_numbers(nhs_numbers)
    with refusal(site, "readmit", layer=PEOPLE), translated(site), private_files(), locked(site):
        check_signing_keys(site.keys)
        refuse_half_rotated(site)
        known = read_erased(site)
        left = None if known is None else without_people(known, numbers)
        found = 0 if known is None or left is None else len(known.hashes) - len(left.hashes)
        append(site, "readmit", layer=PEOPLE, count=found)
        if left is not None and found:
            write_private_file(erased_file(site), list_of(left))
        return found


def finish_interrupted(site: Site) -> None:
    """Finish and file what an interrupted purge or erasure left. Raises NotPermittedError and RunLockedError."""
    with private_files(), locked(site):
        finish(site)
        _finish_interrupted(site)


def _finish_interrupted(site: Site) -> None:
    """File what was carried out, carry out what was certified, and forget an erasure that was never decided."""
    clear_undecided(site)
    for path, content in unfiled(site, DECIDED):
        file_certificate(site, path, content)
    for path, content in unfiled(site, PENDING):
        if content["layer"] == PEOPLE:
            path.unlink()
        else:
            _carry_out(site, content)
            file_certificate(site, path, content)


def _content_of_erasure(erased: Erased) -> dict[str, Any]:
    return {
        **heading(PEOPLE),
        "people_given": erased.people_given,
        "runs_replaced": erased.runs,
        "rows_removed": erased.rows,
        "vault_rows_removed": erased.vault_rows,
        "returned_rows_removed": erased.returned_rows,
        "delivered_rows_removed": erased.delivered_rows,
        "deliveries_rewritten": {
            name: {"rows_removed": left.rows, "numbers_crossed_out": left.crossed_out}
            for name, left in erased.deliveries.items()
        },
        "exports_removed": erased.exports,
        "frames_removed": erased.frames,
        "remembered_files_removed": erased.remembered,
        "stays": [
            "hashes of cohort definitions, counts and aggregates, which name nobody",
            "a keyed hash of each person in state/erased/, by which later runs leave them out",
            "files that were sealed and sent, which lie with their recipients",
            "the audit log, which never said who",
        ],
        "not_touched": {"landing": erased.untouched, "why": NOT_TOUCHED if erased.untouched else "nothing"},
    }


def parsed_numbers(lines: Iterable[str]) -> list[str]:
    """The NHS numbers of a list, one a line, spaces and hyphens tolerated; empty lines and a header are passed over.

    Raises MisuseError with the line, never with what stands in it.
    """
    numbers = []
    for place, line in enumerate(lines, start=1):
        text = re.sub(r"[\s\"-]", "", line.lstrip("\ufeff"))
        if not text or (place == 1 and text.lower() == NUMBER_HEADER):
            continue
        if not is_nhs_number(text):
            raise MisuseError(
                "this line is no NHS number.", row=place, remedy="correct the list; nothing was done."
            )
        numbers.append(text)
    if not numbers:
        raise MisuseError("the list holds no NHS number.", remedy="write one a line.")
    return numbers


def _old_deliveries(site: Site, before: date) -> list[Path]:
    folders = [
        path
        for path in site.landing.glob("*")
        if DELIVERY.fullmatch(path.name) and path.name < before.isoformat()
    ]
    delivered = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [*delivered, *remembered(site)] if delivered else []


def _old_leftovers(site: Site, before: date) -> list[Path]:
    left = [site.state / "scratch", site.state / "checks", *(site.output / "runs").glob(".*.partial")]
    files = [path for folder in left for path in folder.rglob("*") if path.is_file()] + remembered(site)
    return [path for path in files if datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date() < before]


def _old_runs(site: Site, before: date) -> list[Path]:
    runs = [run for run in list_runs(site.output) if run.as_of < before]
    return [path for run in runs for path in run.folder.rglob("*") if path.is_file()]


def _old_vault(site: Site, before: date) -> list[Path]:
    known_on = vault_of(site).known_on()
    return [vault_of(site).path] if known_on is not None and known_on < before else []


def _old_frames(site: Site, before: date) -> list[Path]:
    return [path for path in frames(site) if path.parent.name[:8] < f"{before:%Y%m%d}"]


OLD_FILES: Mapping[str, Callable[[Site, date], list[Path]]] = {
    "landing": _old_deliveries,
    "staging": _old_leftovers,
    "runs": _old_runs,
    "vault": _old_vault,
    "returns": lambda site, before: files_before(site.state, before),
    "exports": exports_before,
    "frames": _old_frames,
}


def _carry_out(site: Site, content: Mapping[str, Any]) -> None:
    """Delete what a certificate names, as far as it is still there."""
    paths = [path_of(site, str(one["path"])) for one in content.get("removed", ())]
    if content["layer"] == "runs":
        _remove_runs(site, sorted({path.relative_to(site.output / "runs").parts[0] for path in paths}))
        return
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in sorted({path.parent for path in paths}, reverse=True):
        _remove_if_empty(folder, site)


def _remove_runs(site: Site, runs: Sequence[str]) -> None:
    for run in runs:
        remove_run(site, run)
    left, pointer = list_runs(site.output), site.output / LATEST
    if left and not pointer.exists():
        point_latest(site.output, left[-1].id)
    elif not left:
        pointer.unlink(missing_ok=True)
    if left:
        write_trend_page(site.output, left[-1].as_of)


def _remove_if_empty(folder: Path, site: Site) -> None:
    roots = {*site_folders(site).values(), site.output / "runs"}
    while folder not in roots and folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent
