"""Purge: what is old, or whose it was asks for, goes from a layer, and a signed certificate says what went.

The certificate is written first, as pending, then carried out and only then filed: a purge that was interrupted is
finished by the next one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from riskstrat import __version__
from riskstrat.audit import append, refusal
from riskstrat.errors import MisuseError, NotPermittedError, RiskstratError
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import flush_folder, is_signed, sign, write_private_file
from riskstrat.progress import Progress
from riskstrat.quality.trend import write_trend_page
from riskstrat.replacing import finish, remove_run
from riskstrat.rotation import Erased, erase
from riskstrat.runs import file_hash, list_runs
from riskstrat.site import Site
from riskstrat.stages.publish import LATEST, point_latest
from riskstrat.vault import refuse_half_rotated, vault_of

LAYERS = ("landing", "staging", "runs", "vault")
PEOPLE = "people"
FOLDER, PENDING = "certificates", ".pending"
DELIVERY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER_HEADER = "nhs_number"
STAYS = {
    "landing": ["what was published from these files, until the layer runs is purged"],
    "staging": [],
    "runs": ["the files that the runs were made of, until the layer landing is purged"],
    "vault": ["published runs, in which nobody can be named any more"],
}


@dataclass(frozen=True)
class Purged:
    """What went: the certificate's content, and its file; None where nothing did, or it was only asked."""

    content: Mapping[str, Any]
    path: Path | None = None


def purge_layer(site: Site, layer: str, before: date, *, dry_run: bool = False) -> Purged:
    """Delete everything of a layer that is older than a date.

    Deliveries by their folder's date, runs by as_of, the vault by the date whose people it holds, what a killed run
    left behind by when it was written. Raises MisuseError, NotPermittedError and RunLockedError.
    """
    if layer not in LAYERS:
        raise MisuseError("there is no such layer.", remedy=f"use one of {', '.join(LAYERS)}.")
    with refusal(site, "purge", layer=layer), translated(site), private_files(), locked(site):
        refuse_half_rotated(site)
        finish_pending(site)
        files = sorted(_old_files(site, layer, before))
        content = {
            **_heading(layer),
            "before": before.isoformat(),
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "removed": [
                {
                    "path": _named(site, path),
                    "bytes": path.stat().st_size,
                    "sha256": file_hash(path),
                }
                for path in files
            ],
            "stays": STAYS[layer],
        }
        if dry_run or not files:
            return Purged(content)
        pending = _pending(site, content)
        _carry_out(site, content)
        return Purged(content, _filed(site, pending, content))


def purge_people(site: Site, nhs_numbers: Sequence[str], progress: Progress | None = None) -> Purged:
    """Take people out of every published run and the vault; who they were is in no certificate.

    Raises MisuseError for a text that is no NHS number, by its place alone.
    """
    numbers = parsed_numbers(nhs_numbers)
    with refusal(site, "purge", layer=PEOPLE), translated(site), private_files(), locked(site):
        finish(site)
        finish_pending(site)
        deliveries = sorted(path.name for path in site.landing.glob("*") if DELIVERY.fullmatch(path.name))
        pending: list[tuple[Path, dict[str, Any]]] = []

        def certify(erased: Erased) -> None:
            content = _content_of_erasure(erased, deliveries)
            pending.append((_pending(site, content), content))

        erase(site, numbers, certify, progress)
        path, content = pending[0]
        return Purged(content, _filed(site, path, content))


def _content_of_erasure(erased: Erased, deliveries: Sequence[str]) -> dict[str, Any]:
    return {
        **_heading(PEOPLE),
        "people_given": erased.people_given,
        "runs_replaced": erased.runs,
        "rows_removed": erased.rows,
        "vault_rows_removed": erased.vault_rows,
        "stays": [
            "hashes of cohort definitions, counts and aggregates, which name nobody",
            "files that were sealed and sent, which lie with their recipients",
            "the audit log, which never said who",
        ],
        "not_touched": {
            "landing": list(deliveries),
            "why": "delivered files are the supplier's: the next run reads these people again until the supplier "
            "leaves them out and the layer landing is purged.",
        },
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


def is_nhs_number(text: str) -> bool:
    """Ten digits, not all equal, of which the last is the modulus 11 check of the others.

    >>> is_nhs_number("9990000018"), is_nhs_number("9990000019"), is_nhs_number("9999999999")
    (True, False, False)
    """
    if not re.fullmatch(r"[0-9]{10}", text) or len(set(text)) == 1:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(text[9])


def finish_pending(site: Site) -> None:
    """Carry out and file what an interrupted purge had certified; forget an erasure that was never decided.

    Raises NotPermittedError for a certificate that is not the site's.
    """
    for path in sorted((site.state / FOLDER).glob(f"*{PENDING}")):
        content = read_certificate(site, path)
        replaced = content.get("runs_replaced", {})
        if content["layer"] == PEOPLE and not _are_replaced(site, replaced):
            path.unlink()
            continue
        _carry_out(site, content)
        _filed(site, path, content)


def _are_replaced(site: Site, runs: Mapping[str, str]) -> bool:
    return bool(runs) and all((site.output / "runs" / new).exists() for new in runs.values())


def read_certificate(site: Site, path: Path) -> dict[str, Any]:
    """What a certificate says. Raises NotPermittedError where the site did not sign it, or not like this."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        content, signature = document["certificate"], document["signature"]
    except (OSError, ValueError, KeyError, TypeError):
        raise NotPermittedError(
            "is no certificate.", file=path, remedy="restore it from its backup."
        ) from None
    if not isinstance(content, dict) or not is_signed(site.keys, _canonical(content), str(signature)):
        raise NotPermittedError(
            "the certificate was changed, or is not this site's.",
            file=path,
            remedy="restore it from its backup.",
        )
    return content


def _heading(layer: str) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"what": "purge", "layer": layer, "at": at, "version": __version__}


def _pending(site: Site, content: Mapping[str, Any]) -> Path:
    """Sign what is to be done and write it down before it is."""
    stamp = re.sub(r"[^0-9T]", "", str(content["at"]).split("+")[0])
    signature = sign(site.keys, _canonical(content))
    path = site.state / FOLDER / f"{stamp}-{content['layer']}-{signature[:8]}.json{PENDING}"
    document = {"certificate": content, "signature": signature}
    write_private_file(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def _filed(site: Site, pending: Path, content: Mapping[str, Any]) -> Path:
    count = content.get("files", content.get("people_given"))
    append(site, "purge", layer=content["layer"], count=count, certificate_sha256=file_hash(pending))
    path = pending.with_name(pending.name.removesuffix(PENDING))
    pending.rename(path)
    flush_folder(path.parent)
    return path


def _old_files(site: Site, layer: str, before: date) -> list[Path]:
    if layer == "landing":
        folders = [
            path
            for path in site.landing.glob("*")
            if DELIVERY.fullmatch(path.name) and path.name < before.isoformat()
        ]
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    if layer == "runs":
        runs = [run for run in list_runs(site.output) if run.as_of < before]
        return [path for run in runs for path in run.folder.rglob("*") if path.is_file()]
    if layer == "staging":
        left = [site.state / "scratch", site.state / "checks", *(site.output / "runs").glob(".*.partial")]
        files = [path for folder in left for path in folder.rglob("*") if path.is_file()]
        return [
            path for path in files if datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date() < before
        ]
    known_on = vault_of(site).known_on()
    return [vault_of(site).path] if known_on is not None and known_on < before else []


def _carry_out(site: Site, content: Mapping[str, Any]) -> None:
    """Delete what a certificate names, as far as it is still there."""
    paths = [_path(site, str(one["path"])) for one in content.get("removed", ())]
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
    roots = {site.landing, site.state, site.output, site.output / "runs"}
    while folder not in roots and folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent


def _roots(site: Site) -> dict[str, Path]:
    return {"landing": site.landing, "state": site.state, "output": site.output}


def _named(site: Site, path: Path) -> str:
    """The path below one of the site's folders, wherever these lie."""
    for name, root in _roots(site).items():
        if path.is_relative_to(root):
            return f"{name}/{path.relative_to(root).as_posix()}"
    raise RiskstratError("this file is in no folder of the site.", file=path)


def _path(site: Site, name: str) -> Path:
    root, _, below = name.partition("/")
    path = _roots(site)[root] / below
    if ".." in path.parts:
        raise NotPermittedError("a certificate names a file outside the site.", file=name)
    return path


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
