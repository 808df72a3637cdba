"""A site's keys and what is made with them: person identifiers, the vault's seal, and signatures.

Source: project interfaces, Person key. ``site.key`` makes person identifiers that nobody can turn back without it,
``vault.key`` (age, X25519) opens the identity vault, ``signing.key`` (Ed25519) signs what must not be altered.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from riskstrat.errors import MisuseError, NotPermittedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
KEY_FILE, VAULT_KEY_FILE = "site.key", "vault.key"
SIGNING_KEY_FILE, SIGNING_PUBLIC_FILE = "signing.key", "signing.pub"
HMAC_BLOCK_BYTES = 64
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
MAKE_REMEDY = "make one with: riskstrat keys init"
RESTORE_REMEDY = "restore it from its backup; a new site makes its keys with: riskstrat keys init"


def person_id(key: bytes, nhs_number: str) -> str:
    """The first 32 hex digits of HMAC-SHA-256(key, the 10-digit NHS number in ASCII)."""
    return hmac.digest(key, nhs_number.encode("ascii"), hashlib.sha256).hex()[:32]


def key_fingerprint(key: bytes) -> str:
    """A short text that tells two keys apart and reveals neither."""
    return hmac.new(key, b"riskstrat key fingerprint", hashlib.sha256).hexdigest()[:12]


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and outer 64-byte pads of RFC 2104, so that SQL can finish the HMAC for many rows."""
    padded = key.ljust(HMAC_BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def init_keys(folder: Path) -> list[Path]:
    """Make every key that is missing, private ones with mode 0600, and return the new files.

    A key that is there is never replaced. Raises MisuseError when none is missing.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    makers: dict[str, Callable[[], bytes]] = {KEY_FILE: new_site_key, VAULT_KEY_FILE: _new_vault_key}
    made = [path for name, make in makers.items() if (path := _made_once(folder / name, make)) is not None]
    made += _init_signing_keys(folder)
    if not made:
        raise MisuseError(
            "this site has its key already; a second one would give every person a new identifier.",
            file=folder / KEY_FILE,
            remedy="keep it. To give everybody a new identifier, history included: riskstrat keys rotate",
        )
    return made


def init_site_key(folder: Path) -> Path:
    """Make every key that is missing and return the site key's file. Raises MisuseError when none is missing."""
    init_keys(folder)
    return folder / KEY_FILE


def new_site_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def read_site_key(folder: Path) -> bytes:
    """The 32 bytes of the site key. Raises NotPermittedError when missing, open to others or not 32 bytes."""
    path = folder / KEY_FILE
    key = read_private_file(path, "site key")
    if len(key) != KEY_BYTES:
        raise NotPermittedError(
            f"the site key must be {KEY_BYTES} bytes; this file has {len(key)}.",
            file=path,
            remedy="restore it from its backup.",
        )
    return key


def read_vault_key(folder: Path) -> str:
    """The vault's private age identity. Raises NotPermittedError when missing, open to others or no such key."""
    import pyrage

    path = folder / VAULT_KEY_FILE
    text = read_private_file(path, "vault key").decode("ascii", errors="replace").strip()
    try:
        pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise _no_such_key(path, "vault key", "age identity") from None
    return text


def read_signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key that signs. Raises NotPermittedError when missing, open to others or no Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = folder / SIGNING_KEY_FILE
    content = read_private_file(path, "signing key")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_such_key(path, "signing key", "Ed25519 key")
    return key


def check_signing_keys(folder: Path) -> None:
    """Raise NotPermittedError where nothing can be signed, or not so that those who have ``signing.pub`` believe it."""
    key = read_signing_key(folder)
    if not is_own_signing_key(folder, key):
        raise NotPermittedError(
            f"the signing key is not the private half of {SIGNING_PUBLIC_FILE}.",
            file=folder / SIGNING_KEY_FILE,
            remedy="restore both from their backup; readers of the audit log and recipients have the public half.",
        )


def is_own_signing_key(folder: Path, key: Ed25519PrivateKey) -> bool:
    """Whether ``signing.pub`` is the public half of ``key``; where it is missing nothing speaks against it."""
    path = folder / SIGNING_PUBLIC_FILE
    if not path.exists():
        return True
    return _public_key(path).public_bytes_raw() == key.public_key().public_bytes_raw()


def sign(folder: Path, content: bytes) -> str:
    """The site's signature of ``content``, as hexadecimal text. Raises NotPermittedError as the key's reader does."""
    return read_signing_key(folder).sign(content).hex()


def is_signed(folder: Path, content: bytes, signature: str) -> bool:
    """Whether ``signature`` is this site's of ``content``, by ``signing.pub`` alone.

    Raises NotPermittedError when the public half is missing or no key.
    """
    from cryptography.exceptions import InvalidSignature

    key = _public_key(folder / SIGNING_PUBLIC_FILE)
    try:
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_private_file(path: Path, what: str) -> bytes:
    """The bytes of a key that only its owner may read. Raises NotPermittedError with the remedy."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotPermittedError(f"there is no {what}.", file=path, remedy=RESTORE_REMEDY) from None
    except OSError as problem:  # another owner's, or a folder of this name
        raise NotPermittedError(
            f"the {what} cannot be read ({problem.strerror}).",
            file=path,
            remedy="run as its owner, or restore it from its backup.",
        ) from None
    if mode & 0o077:
        raise NotPermittedError(
            f"the {what} can be read by others (mode {mode:04o}).", file=path, remedy=f"chmod 600 {path}"
        )
    return content


def write_private_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, with mode 0600 and flushed to the disk; its folder is for its owner alone."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    try:
        _write_new(beside, content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make what was renamed, made or removed in ``folder`` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _public_key(path: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_such_key(path, "public half of the signing key", "Ed25519 public key")
    return key


def _init_signing_keys(folder: Path) -> list[Path]:
    """Both halves; a public half that is missing is made of the private one."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    made = [_made_once(folder / SIGNING_KEY_FILE, _new_signing_key)]

    def public_half() -> bytes:
        public = read_signing_key(folder).public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    made.append(_made_once(folder / SIGNING_PUBLIC_FILE, public_half))
    return [path for path in made if path is not None]


def _new_vault_key() -> bytes:
    import pyrage

    return f"{pyrage.x25519.Identity.generate()}\n".encode()


def _new_signing_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _made_once(path: Path, make: Callable[[], bytes]) -> Path | None:
    """The file with what ``make`` gives, or None where there is one already."""
    if path.exists():
        return None
    try:
        _write_new(path, make())
    except FileExistsError:  # somebody else made it in this moment
        return None
    return path


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _no_such_key(path: Path, what: str, kind: str) -> NotPermittedError:
    return NotPermittedError(
        f"the {what} is no {kind}.",
        file=path,
        remedy=f"restore it from its backup; where there is none, move it away and {MAKE_REMEDY}",
    )
