"""A recipient's private key (an age identity file, as age-keygen writes it): making one and reading one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.keys import read_private_file

if TYPE_CHECKING:
    import pyrage

REMEDY = "give the recipient's own key: --recipient-key FILE"


def make_identity(path: Path) -> str:
    """Write a new private key that only its owner may read, and return the public one. Raises MisuseError."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise MisuseError("there is a file of this name.", file=path, remedy="name a new file.") from None
    except OSError as problem:
        raise MisuseError(
            f"cannot be written ({problem.strerror}).", file=path, remedy="name another file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"# public key: {public}\n{identity}\n")
    return public


def read_identities(path: Path) -> list[pyrage.x25519.Identity]:
    """The private keys in a file. Raises NotPermittedError when missing, open to others, or none; repeats none."""
    import pyrage

    if not path.is_file():
        raise NotPermittedError("there is no recipient's key.", file=path, remedy=REMEDY)
    content = read_private_file(path, "recipient's key").decode("ascii", errors="replace")
    lines = [line.strip() for line in content.splitlines()]
    found: list[Any] = []
    for line in lines:
        if line and not line.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(line))
            except (pyrage.IdentityError, ValueError):
                raise NotPermittedError("is no private age key.", file=path, remedy=REMEDY) from None
    if not found:
        raise NotPermittedError("holds no private age key.", file=path, remedy=REMEDY)
    return found
