"""Adding entries to the audit log, and reading them.

``state/audit/log.jsonl`` holds a JSON object a line. Each carries the hash of the one before it, its own hash and the
site's signature of that; ``head.json`` names the newest, so that lines missing at the end are noticed. Its signature
stands nowhere in the log, so no head can be made of an older line. An entry always follows the signed head, never what
happens to stand in the file: what was removed stays visibly missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.audit.telling import told, user
from riskstrat.errors import NotPermittedError, RiskstratError
from riskstrat.site import Site

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOG, HEAD, LOCK = "log.jsonl", "head.json", "lock"
DONE, REFUSED = "done", "refused"
BEGINNING = "0" * 64
FACTS = (
    *("purpose", "cohort", "where_hash", "audience", "area", "recipient", "public_key", "run", "count"),
    *("as_of", "file_sha256", "certificate_sha256", "layer", "reason", "list", "counts"),
    *("manifest_sha256", "replaces", "model", "signed_off_by"),
)
TAIL_BYTES = 65_536
COHORT_NAME = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True)
class Entry:
    """One line of the log as it stands there; ``facts`` is the whole object."""

    line: int
    facts: Mapping[str, Any]


def audit_folder(site: Site) -> Path:
    """Where the log and its head lie."""
    return site.state / "audit"


def append(site: Site, action: str, *, outcome: str = DONE, **facts: object) -> dict[str, Any]:
    """Add an entry and return it. Facts that are None are left out.

    Without a readable signing key the entry is added unsigned, so that a refusal for want of a key leaves a trace too.
    Raises RiskstratError where the entry cannot be written; what it is about must then not happen.
    """
    unknown = facts.keys() - set(FACTS)
    if unknown:
        raise ValueError(f"the audit log has no place for {', '.join(sorted(unknown))}")
    given = {name: told(name, value) for name, value in facts.items() if value is not None}
    try:
        with _locked(audit_folder(site)) as folder:
            return _added(site, folder, {"action": action, **given, "outcome": outcome})
    except OSError as problem:
        raise RiskstratError(
            f"the audit log cannot be written ({problem.strerror or 'the file system failed'}), so nothing is done.",
            file=audit_folder(site) / LOG,
            remedy="check free disk space and permissions.",
        ) from None


def audit_rows(site: Site, what: str, run: str, count: int) -> None:
    """Say that rows about ``count`` people of a run were shown: of a cohort, or for a condition.

    ``what`` is a cohort's name or a condition. A condition may single somebody out, so only a hash of it is kept, made
    with the site key: whoever has the log and the people's pseudonyms cannot try which of them it was.
    """
    is_name = COHORT_NAME.fullmatch(what) is not None
    append(
        site,
        "query",
        cohort=what if is_name else None,
        where_hash=None if is_name else _keyed_hash(site, what),
        run=run,
        count=count,
    )


def audit_person(site: Site, run: str, cohort: str | None = None) -> None:
    """Say that one person of a run was explained; which one is not kept."""
    append(site, "explain", cohort=cohort, run=run, count=1)


def _keyed_hash(site: Site, text: str) -> str | None:
    from riskstrat.keys import read_site_key

    try:
        key = read_site_key(site.keys)
    except NotPermittedError:
        return None  # rows of a published run need no key, and are on record without it
    return hmac.digest(key, b"riskstrat audit condition " + text.encode(), hashlib.sha256).hex()


@contextmanager
def refusal(site: Site | None, action: str, **facts: object) -> Iterator[None]:
    """Whatever is not permitted inside leaves an entry that says so; without a site there is no log."""
    try:
        yield
    except NotPermittedError as problem:
        if site is not None:
            with suppress(RiskstratError):  # the refusal itself is what the caller must hear
                append(site, action, outcome=REFUSED, reason=problem.what, **facts)
        raise


def read_entries(site: Site) -> list[Entry]:
    """Every line that is an entry, oldest first; ``verify`` says whether they are what was written."""
    return [Entry(line, facts) for line, _, facts in parsed_lines(audit_folder(site)) if facts is not None]


def parsed_lines(folder: Path) -> Iterator[tuple[int, bytes, dict[str, Any] | None]]:
    """Number, bytes and entry of each line of the log; None where a line is no entry."""
    path = folder / LOG
    if path.is_file():
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line, parsed(line)


def parsed(line: bytes) -> dict[str, Any] | None:
    """The entry that a whole line holds."""
    try:
        facts = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    is_entry = isinstance(facts, dict) and isinstance(facts.get("n"), int)
    return facts if is_entry else None


def entry_hash(facts: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of an entry without its hash and signature."""
    hashed = {name: value for name, value in facts.items() if name not in ("hash", "signature")}
    return hashlib.sha256(canonical(hashed)).hexdigest()


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The one way in which an entry is written."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def signed_message(number: int, value: str) -> bytes:
    """What the signature of an entry is made of."""
    return f"riskstrat audit entry {number} {value}".encode()


def head_message(number: int, value: str) -> bytes:
    """What the signature of the head is made of; that of an entry is another, and makes no head."""
    return f"riskstrat audit head {number} {value}".encode()


def read_head(folder: Path) -> dict[str, Any] | None:
    """The newest entry's number, hash and signature as ``head.json`` holds them; None where it does not."""
    try:
        head = json.loads((folder / HEAD).read_bytes())
    except (OSError, ValueError):
        return None
    is_head = isinstance(head, dict) and isinstance(head.get("n"), int) and isinstance(head.get("hash"), str)
    return head if is_head else None


def _added(site: Site, folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    from riskstrat.audit.signing import is_signed, sign

    key = _signing_key(site)
    head, last = read_head(folder), _last_entry(folder)
    if (
        key
        and head
        and not is_signed(key.public_key(), head_message(head["n"], head["hash"]), head.get("signature"))
    ):
        head = None
    number, previous, doubt = _place(head, last, log_exists=(folder / LOG).is_file())
    entry: dict[str, Any] = {
        "n": number,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **user(),
        **facts,
        **({"doubt": doubt} if doubt else {}),
        "previous": previous,
    }
    entry["hash"] = entry_hash(entry)
    if key:
        entry["signature"] = sign(key, signed_message(number, entry["hash"]))
    _write_line(folder / LOG, canonical(entry) + b"\n")
    if key:
        head_signature = sign(key, head_message(number, entry["hash"]))
        _write_head(folder, {"n": number, "hash": entry["hash"], "signature": head_signature})
    return entry


def _signing_key(site: Site) -> Ed25519PrivateKey | None:
    """The key that signs entries; None where it is missing, open to others or not that of signing.pub."""
    from riskstrat.keys import is_own_signing_key, read_signing_key

    try:
        key = read_signing_key(site.keys)
        return key if is_own_signing_key(site.keys, key) else None
    except NotPermittedError:
        return None


def _place(
    head: Mapping[str, Any] | None, last: Mapping[str, Any] | None, *, log_exists: bool
) -> tuple[int, str, str | None]:
    """Number of the next entry, the hash that it follows, and what the log's state gives reason to doubt."""
    if head is None:
        if last is None:
            return 1, BEGINNING, "the log could not be read" if log_exists else None
        doubt = "the head was missing or not the site's" if "signature" in last else None
        return last["n"] + 1, str(last.get("hash")), doubt
    if (
        last is not None and last["n"] > head["n"]
    ):  # unsigned entries, or a command that ended between log and head
        return last["n"] + 1, str(last.get("hash")), None
    return head["n"] + 1, head["hash"], None


def _last_entry(folder: Path) -> dict[str, Any] | None:
    try:
        with (folder / LOG).open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL_BYTES))
            lines = stream.read().splitlines(keepends=True)
    except FileNotFoundError:
        return None
    return parsed(lines[-1]) if lines else None


def _write_line(path: Path, line: bytes) -> None:
    """Add a line whole or not at all, and not return before the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and not _ends_with_newline(path, size):
            line = b"\n" + line
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _ends_with_newline(path: Path, size: int) -> bool:
    with path.open("rb") as stream:
        stream.seek(size - 1)
        return stream.read(1) == b"\n"


def _write_head(folder: Path, head: Mapping[str, Any]) -> None:
    partial = folder / f".{HEAD}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(canonical(head) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / HEAD)


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    folder.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


@contextmanager
def still(folder: Path) -> Iterator[None]:
    """Nobody adds an entry meanwhile; a copy that may not be written to, or has no lock, is taken as it is."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
