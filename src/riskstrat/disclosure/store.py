"""What has left before: ``state/disclosure/`` holds a file for each release, with published values, not true counts.

A file is called after its content, and the audit log names each: a record that was changed or is gone would let what it
hid be worked out, so nothing new leaves without it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.audit import append, read_entries
from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.knowledge import RememberedCell, RememberedRelease
from riskstrat.disclosure.release import Relation, Release
from riskstrat.disclosure.suppression import Effort
from riskstrat.errors import NotPermittedError
from riskstrat.keys import KEY_BYTES, key_fingerprint, new_site_key, read_private_file, write_private_file
from riskstrat.site import Site

KEY_FILE = "disclosure.key"
FOLDER = "disclosure"
ACTION, NAME_DIGITS = "release", 16
RESTORE = "restore it from its backup; without it a reader's earlier knowledge cannot be judged."


def publish_for_site(
    site: Site, release: Release, policy: Policy, effort: Effort | None = None
) -> PublishedRelease:
    """What may leave, given all that left this site before; it is on record before the caller has it.

    Raises NotPermittedError where nothing can be proven safe, or the disclosure key is missing or another.
    """
    if not policy.hides:  # for people who may see rows: nothing is hidden, nothing is released
        return publish_release(release, policy, key=b"")
    with _locked(site):
        key = disclosure_key(site)
        _refuse_forgotten(site)
        names = {cell.name for cell in release.complete().cells}
        published = publish_release(release, policy, earlier_releases(site, names), key=key, effort=effort)
        remember(site, published, key)
    return published


def disclosure_key(site: Site) -> bytes:
    """32 bytes that make the tokens; made once, with mode 0600, before anything has left."""
    path = site.keys / KEY_FILE
    if not path.exists() and not _files(site):
        write_private_file(path, new_site_key())
    if not path.exists():
        raise NotPermittedError("there is no disclosure key.", file=path, remedy=RESTORE)
    key = read_private_file(path, "disclosure key")
    if len(key) != KEY_BYTES:
        raise NotPermittedError(f"the disclosure key must be {KEY_BYTES} bytes.", file=path, remedy=RESTORE)
    return key


def earlier_releases(site: Site, names: Iterable[str]) -> list[RememberedRelease]:
    """Every earlier release that has a cell of these names, or hangs together with one that has, under any policy."""
    key = key_fingerprint(disclosure_key(site))
    waiting = [_read(path, key) for path in _files(site)]
    known = set(names)
    related: list[RememberedRelease] = []
    while True:
        found = [release for release in waiting if known & set(release.cells)]
        if not found:
            return sorted(related, key=lambda release: (release.as_of, release.name))
        related += found
        waiting = [release for release in waiting if release not in found]
        known |= {name for release in found for name in release.cells}


def remember(site: Site, published: PublishedRelease, key: bytes) -> Path:
    """Put a release on record. The same release again leaves the same file."""
    release = published.remembered
    document = {
        "name": release.name,
        "as_of": release.as_of.isoformat(),
        "key": key_fingerprint(key),
        "policy": {
            "name": release.policy.name,
            "smallest_shown": release.policy.smallest_shown,
            "rounded_to": release.policy.rounded_to,
        },
        "method": published.proof.method,
        "cells": {
            name: [cell.token, cell.mark, cell.value, cell.is_small] for name, cell in release.cells.items()
        },
        "relations": [[relation.total, *relation.parts] for relation in release.relations],
    }
    content = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    path = site.state / FOLDER / f"{release.as_of:%Y%m%d}-{_fingerprint(content)}.json"
    if not path.exists():
        append(site, ACTION, as_of=release.as_of.isoformat(), file_sha256=hashlib.sha256(content).hexdigest())
        write_private_file(path, content)
    return path


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:NAME_DIGITS]


def _refuse_forgotten(site: Site) -> None:
    """Raise NotPermittedError where the log names a release of which there is no record."""
    kept = {path.stem.rpartition("-")[2] for path in _files(site)}
    for entry in read_entries(site):
        left = str(entry.facts.get("file_sha256", ""))
        if entry.facts.get("action") == ACTION and left[:NAME_DIGITS] not in kept:
            raise NotPermittedError(
                f"the record of the release of entry {entry.facts['n']} is gone, so nothing new may leave.",
                file=site.state / FOLDER,
                remedy="restore the folder from its backup.",
            )


def _files(site: Site) -> list[Path]:
    return sorted((site.state / FOLDER).glob("*.json"))


def _read(path: Path, fingerprint: str) -> RememberedRelease:
    try:
        content = path.read_bytes()
        if path.stem.rpartition("-")[2] != _fingerprint(content):
            raise ValueError
        document: dict[str, Any] = json.loads(content)
        policy = Policy(title="", **document["policy"])
        cells = {name: RememberedCell(*facts) for name, facts in document["cells"].items()}
        relations = tuple(Relation(total, tuple(parts)) for total, *parts in document["relations"])
        as_of, name, key = date.fromisoformat(document["as_of"]), document["name"], document["key"]
    except (ValueError, TypeError, KeyError):
        raise NotPermittedError(
            "the record of an earlier release was changed or cannot be read, so nothing new may leave.",
            file=path,
            remedy="restore the file from its backup.",
        ) from None
    if key != fingerprint:
        raise NotPermittedError("was made with another disclosure key.", file=path, remedy=RESTORE)
    return RememberedRelease(name, as_of, policy, cells, relations)


@contextmanager
def _locked(site: Site) -> Iterator[None]:
    """One release at a time: two that do not know of each other are not safe together."""
    folder = site.state / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
