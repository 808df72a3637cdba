"""The site key and what is made with it: person identifiers that nobody can turn back without the key.

Source: project interfaces, Person key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

from riskstrat.errors import MisuseError, NotPermittedError

KEY_BYTES = 32
KEY_FILE = "site.key"
HMAC_BLOCK_BYTES = 64


def person_id(key: bytes, nhs_number: str) -> str:
    """The first 32 hex digits of HMAC-SHA-256(key, the 10-digit NHS number in ASCII)."""
    return hmac.new(key, nhs_number.encode("ascii"), hashlib.sha256).hexdigest()[:32]


def key_fingerprint(key: bytes) -> str:
    """A short text that tells two keys apart and reveals neither."""
    return hmac.new(key, b"riskstrat key fingerprint", hashlib.sha256).hexdigest()[:12]


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and outer 64-byte pads of RFC 2104, so that SQL can finish the HMAC for many rows."""
    padded = key.ljust(HMAC_BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def init_site_key(folder: Path) -> Path:
    """Write a new random site key with mode 0600. Raises MisuseError when there is one already."""
    path = folder / KEY_FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise MisuseError(
            "this site has its key already; a second one would give every person a new identifier.",
            file=path,
            remedy="keep it. To start afresh, move it away first.",
        ) from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(os.urandom(KEY_BYTES))
    return path


def read_site_key(folder: Path) -> bytes:
    """The 32 bytes of the site key. Raises NotPermittedError when missing, open to others or not 32 bytes."""
    path = folder / KEY_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except FileNotFoundError:
        raise NotPermittedError(
            "there is no site key.", file=path, remedy="make one with: riskstrat keys init"
        ) from None
    except PermissionError:
        raise NotPermittedError(
            "the site key cannot be read.", file=path, remedy="run as its owner."
        ) from None
    if mode & 0o077:
        raise NotPermittedError(
            f"the site key can be read by others (mode {mode:04o}).", file=path, remedy=f"chmod 600 {path}"
        )
    if len(key) != KEY_BYTES:
        raise NotPermittedError(
            f"the site key must be {KEY_BYTES} bytes; this file has {len(key)}.",
            file=path,
            remedy="restore it from its backup.",
        )
    return key
