"""The signed manifest beside an exported file: what it is, for whom, why, from which run; nothing about a patient."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.audit.signing import fingerprint, is_signed, public_from_text, public_text, sign
from riskstrat.errors import NotPermittedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "riskstrat export 1"
PREFIX = b"riskstrat export manifest\n"
SEALED_SUFFIX, MANIFEST_SUFFIX = ".age", ".manifest.json"
TAMPERED = "ask the sender for the file and its manifest again."
NOTE = "A prompt for professional review. It is no decision about anybody, and being absent from it is none either."


@dataclass(frozen=True)
class Checked:
    """A manifest whose signature is good: its facts, and the fingerprint of who signed it."""

    facts: Mapping[str, Any]
    signer: str

    def expires(self) -> date:
        """The first day on which the file may no longer be opened."""
        return date.fromisoformat(str(self.facts["expires"]))


def manifest_path(file: Path) -> Path:
    """The manifest of an exported file: the same name, .manifest.json instead of .age."""
    name = file.name.removesuffix(SEALED_SUFFIX)
    return file.with_name(name + MANIFEST_SUFFIX)


def signed_manifest(facts: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The manifest as it is written: format, facts, who signs, and the signature over all of it."""
    public = key.public_key()
    signer = {"public_key": public_text(public), "fingerprint": fingerprint(public)}
    document = {"format": FORMAT, **facts, "note": NOTE, "signer": signer}
    document["signature"] = sign(key, _message(document))
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def check_manifest(path: Path, signer: Ed25519PublicKey | None = None) -> Checked:
    """Read a manifest and check its signature, by ``signer`` where one is given, else by the key that it names.

    Raises NotPermittedError where it is missing, changed, or signed by somebody else.
    """
    try:
        document = json.loads(path.read_bytes())
        key = public_from_text(document["signer"]["public_key"])
        if document["format"] != FORMAT:
            raise ValueError
    except OSError:
        raise NotPermittedError("the file has no manifest beside it.", file=path, remedy=TAMPERED) from None
    except (ValueError, KeyError, TypeError):
        raise NotPermittedError("is no manifest of an export.", file=path, remedy=TAMPERED) from None
    if not is_signed(key, _message(document), document.get("signature")):
        raise NotPermittedError(
            "the manifest was changed: its signature is wrong.", file=path, remedy=TAMPERED
        )
    if signer is not None and public_text(signer) != public_text(key):
        raise NotPermittedError(
            f"the manifest was signed by {fingerprint(key)}, not by the sender {fingerprint(signer)}.",
            file=path,
            remedy="ask the sender whether the file is theirs.",
        )
    return Checked(document, fingerprint(key))


def people(count: int) -> str:
    """How many people, for a sentence.

    >>> people(1), people(1200)
    ('1 person', '1,200 people')
    """
    return f"{count:,} {'person' if count == 1 else 'people'}"


def _message(document: Mapping[str, Any]) -> bytes:
    signed = {name: value for name, value in document.items() if name != "signature"}
    return PREFIX + json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
