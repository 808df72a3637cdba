"""Whether the audit log is what was written: nothing changed, removed, added, moved or cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.audit.entries import (
    BEGINNING,
    HEAD,
    REFUSED,
    audit_folder,
    canonical,
    entry_hash,
    head_message,
    parsed_lines,
    read_head,
    signed_message,
    still,
)
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.keys import SIGNING_PUBLIC_FILE
from riskstrat.site import Site

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(site: Site, kept_head: Path | None = None) -> list[str]:
    """What is wrong with the log, the first bad entry first; nothing where it is whole.

    ``kept_head`` is a copy of ``head.json`` that somebody put away earlier: the log must still lead to it. Raises
    MisuseError where it is none.
    """
    folder = audit_folder(site)
    with still(folder):
        head = read_head(folder)
        entries = list(parsed_lines(folder))
    if not entries and head is None and kept_head is None and not (folder / HEAD).exists():
        return []
    key, problems = _public_key(site)
    problems += _problems_of_entries(entries, key)
    signed = [facts for _, _, facts in entries if facts is not None and "signature" in facts]
    problems += _problems_of_head(folder, head, signed, key)
    if kept_head is not None:
        problems += _problems_of_kept(kept_head, signed)
    return problems


def _public_key(site: Site) -> tuple[Ed25519PublicKey | None, list[str]]:
    """The key that signatures are checked with; the site's own, so that an exchanged signing.pub is noticed."""
    from riskstrat.audit.signing import public_text, read_public_key
    from riskstrat.keys import read_signing_key

    try:
        public = read_public_key(site.keys / SIGNING_PUBLIC_FILE)
    except NotPermittedError as problem:
        return None, [f"signatures cannot be checked: {problem}"]
    try:
        own = read_signing_key(site.keys).public_key()
    except NotPermittedError:
        return public, []  # an auditor needs the public half only
    differs = public_text(own) != public_text(public)
    return own, [
        f"{SIGNING_PUBLIC_FILE} is not the public half of the site's signing key."
    ] if differs else []


def _problems_of_entries(
    entries: list[tuple[int, bytes, dict[str, Any] | None]], key: Ed25519PublicKey | None
) -> list[str]:
    problems = []
    expected, previous = 1, BEGINNING
    for line, content, facts in entries:
        if facts is None:
            problems.append(f"line {line}: is no entry; entry {expected} should stand here.")
            continue
        wrong = list(_wrong(facts, expected, previous, key))
        if not wrong and content != canonical(facts) + b"\n":
            wrong.append("was changed: it is not written as it was.")
        problems += [f"entry {facts['n']} (line {line}): {what}" for what in wrong]
        expected, previous = facts["n"] + 1, str(facts.get("hash"))
    return problems


def _wrong(
    facts: Mapping[str, Any], expected: int, previous: str, key: Ed25519PublicKey | None
) -> Iterator[str]:
    from riskstrat.audit.signing import is_signed

    number = facts["n"]
    if number > expected:
        gone = f"entry {expected} is" if number == expected + 1 else f"entries {expected} to {number - 1} are"
        yield f"{gone} missing before it."
    elif number < expected:
        yield f"stands where entry {expected} should: it was moved or stands twice."
    if entry_hash(facts) != facts.get("hash"):
        yield "was changed."
    elif number == expected and facts.get("previous") != previous:
        yield "does not follow the entry before it, which was exchanged."
    if "signature" not in facts:
        if facts.get("outcome") != REFUSED:
            yield "is not signed: there was no signing key, or somebody else wrote it."
    elif key and not is_signed(key, signed_message(number, str(facts.get("hash"))), facts["signature"]):
        yield "does not carry the site's signature."
    if facts.get("doubt"):
        yield f"says that {facts['doubt']} when it was written; entries before it may be gone."


def _problems_of_head(
    folder: Path,
    head: Mapping[str, Any] | None,
    signed: list[dict[str, Any]],
    key: Ed25519PublicKey | None,
) -> list[str]:
    from riskstrat.audit.signing import is_signed

    if head is None:
        is_due = bool(signed) or (folder / HEAD).exists()
        return [f"{HEAD} is missing or unreadable: entries at the end may be gone."] if is_due else []
    if key and not is_signed(key, head_message(head["n"], head["hash"]), head.get("signature")):
        return [f"{HEAD} does not carry the site's signature: it was changed."]
    newest = signed[-1] if signed else None
    if newest is None or newest["n"] < head["n"]:
        after = f"after entry {newest['n']}" if newest else "from the beginning"
        return [f"the log ends early: {HEAD} names entry {head['n']}, and entries {after} are gone."]
    if newest["n"] > head["n"]:
        return [
            f"{HEAD} names entry {head['n']} and not the newest, {newest['n']}: it was exchanged for an older one, "
            "or a command ended before it was written."
        ]
    return (
        [] if newest.get("hash") == head["hash"] else [f"entry {head['n']} is not the one that {HEAD} names."]
    )


def _problems_of_kept(path: Path, signed: list[dict[str, Any]]) -> list[str]:
    try:
        kept = json.loads(path.read_bytes())
        number, value = int(kept["n"]), str(kept["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        raise MisuseError(
            "is no copy of the head of an audit log.",
            file=path,
            remedy=f"keep one with: cp state/audit/{HEAD} FILE",
        ) from None
    if any(facts["n"] == number and facts.get("hash") == value for facts in signed):
        return []
    return [f"entry {number}, which the kept head names, is not in the log as it was."]
