"""``reidentify``: whoever holds the recipient's private key opens a sealed file, with a reason, and leaves a trace."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from riskstrat.audit.signing import read_public_key
from riskstrat.errors import NotPermittedError
from riskstrat.exports.identities import read_identities
from riskstrat.exports.manifests import TAMPERED, check_manifest, manifest_path
from riskstrat.exports.sealing import opened, opened_count

TEN_DIGITS = re.compile(r"(?<!\d)(?:\d[ .\-\u2013/]?){9}\d(?!\d)")


@dataclass(frozen=True)
class Opened:
    """A file that was sealed: its bytes, how many people it is about, and its manifest's facts."""

    content: bytes
    rows: int
    facts: dict[str, Any]
    signer: str


def check_reason(reason: str) -> str:
    """The reason on one line. Raises NotPermittedError where there is none, or it holds an NHS number."""
    text = " ".join(reason.split())
    if not text:
        raise NotPermittedError(
            "a reason is required.", remedy="say why the people must be known: --reason TEXT"
        )
    if TEN_DIGITS.search(text):
        raise NotPermittedError(
            "the reason holds a number of ten digits, and the log may name nobody.",
            remedy="say why, not for whom.",
        )
    return text


def open_sealed(
    file: Path,
    key_file: Path,
    *,
    manifest: Path | None = None,
    signer: Path | None = None,
    today: date | None = None,
) -> Opened:
    """What a sealed file holds. ``signer`` is the sender's signing.pub; ``today`` is the day of opening (UTC).

    Raises NotPermittedError for a changed or expired manifest, a changed file, and a key that is not the recipient's.
    """
    checked = check_manifest(manifest or manifest_path(file), read_public_key(signer) if signer else None)
    facts = dict(checked.facts)
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise NotPermittedError(
            f"the file cannot be read ({problem.strerror}).",
            file=file,
            remedy="name the file that ends with .age.",
        ) from None
    if hashlib.sha256(content).hexdigest() != facts["file_sha256"]:
        raise NotPermittedError(
            "the file is not the one that its manifest describes.", file=file, remedy=TAMPERED
        )
    if "public_key" not in facts:
        raise NotPermittedError(
            "the file is not sealed: everybody may read it.", file=file, remedy="open it as it is."
        )
    if (today or datetime.now(UTC).date()) >= checked.expires():
        raise NotPermittedError(
            f"the file might be opened until the day before {facts['expires']}.",
            file=file,
            remedy="ask the sender for a newer list.",
        )
    identities = read_identities(key_file)
    plain = opened(content, identities, str(facts["content"]))
    sealed_rows = facts.get("sealed_rows")
    rows = int(facts["rows"]) if sealed_rows is None else opened_count(str(sealed_rows), identities)
    return Opened(plain, rows, facts, checked.signer)
