"""Signed certificates of what was purged: written as pending before it is done, filed and logged once it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riskstrat import __version__
from riskstrat.audit import append, read_entries
from riskstrat.audit.accounting import CERTIFICATES
from riskstrat.errors import NotPermittedError
from riskstrat.keys import flush_folder, is_signed, sign, write_private_file
from riskstrat.runs import file_hash
from riskstrat.site import Site

PENDING = ".pending"  # to be done, or never decided
DECIDED = ".decided"  # done, and not on record yet


def heading(layer: str) -> dict[str, Any]:
    """How every certificate begins."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"what": "purge", "layer": layer, "at": at, "version": __version__}


def write_pending(site: Site, content: Mapping[str, Any]) -> Path:
    """Sign what is to be done and write it down before it is."""
    stamp = re.sub(r"[^0-9T]", "", str(content["at"]).split("+")[0])
    signature = sign(site.keys, _canonical(content))
    path = site.state / CERTIFICATES / f"{stamp}-{content['layer']}-{signature[:8]}.json{PENDING}"
    document = {"certificate": content, "signature": signature}
    write_private_file(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def unfiled(site: Site, ending: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Certificates that a purge left behind when it was interrupted, oldest first. Raises NotPermittedError."""
    for path in sorted((site.state / CERTIFICATES).glob(f"*{ending}")):
        yield path, read_certificate(site, path)


def mark_decided(path: Path) -> None:
    """Say of a pending certificate that it was carried out; may be said again."""
    if path.exists():
        path.rename(decided(path))
        flush_folder(path.parent)


def decided(path: Path) -> Path:
    """A pending certificate once it was carried out."""
    return path.with_name(path.name.removesuffix(PENDING) + DECIDED)


def file_certificate(site: Site, path: Path, content: Mapping[str, Any]) -> Path:
    """Log what was done, once, and file its certificate."""
    fingerprint = file_hash(path)
    if not any(entry.facts.get("certificate_sha256") == fingerprint for entry in read_entries(site)):
        count = content.get("files", content.get("people_given"))
        append(site, "purge", layer=content["layer"], count=count, certificate_sha256=fingerprint)
    filed = path.with_name(path.name.removesuffix(PENDING).removesuffix(DECIDED))
    path.rename(filed)
    flush_folder(filed.parent)
    return filed


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


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
