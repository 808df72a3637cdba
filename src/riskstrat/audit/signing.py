"""Signatures in Base64, and public signing keys that come from elsewhere than the site's own folder of keys."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from riskstrat.errors import NotPermittedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key in PEM. Raises NotPermittedError when it is missing or none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise NotPermittedError(
            "is not there or no public signing key.", file=path, remedy="take the sender's signing.pub."
        )
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """The 32 bytes of a public key in Base64."""
    return base64.b64encode(key.public_bytes_raw()).decode("ascii")


def public_from_text(text: str) -> Ed25519PublicKey:
    """The key that ``public_text`` wrote. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


def fingerprint(key: Ed25519PublicKey) -> str:
    """16 hex digits by which two people tell on the telephone that they mean the same key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature of ``message``."""
    return base64.b64encode(key.sign(message)).decode("ascii")


def is_signed(key: Ed25519PublicKey, message: bytes, signature: object) -> bool:
    """Whether ``signature`` is that of ``message``."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(base64.b64decode(str(signature), validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True
