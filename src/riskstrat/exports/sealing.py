"""Sealing bytes to one recipient (age, X25519), padded so that the size of a file does not tell how long a list is."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskstrat.errors import NotPermittedError
from riskstrat.exports.formats import XLSX

if TYPE_CHECKING:
    import pyrage

BLOCK_BYTES = 32_768
PADDED_PART = "docProps/app.xml"
COUNT_DIGITS = 12


def sealed(content: bytes, public_key: str, form: str) -> bytes:
    """The content, padded, as only the owner of the private key can read it."""
    import pyrage

    result: bytes = pyrage.encrypt(padded(content, form), [pyrage.x25519.Recipient.from_str(public_key)])
    return result


def opened(content: bytes, identities: Sequence[pyrage.x25519.Identity], form: str) -> bytes:
    """What was sealed, without the padding. Raises NotPermittedError with another key or for a damaged file."""
    import pyrage

    try:
        plain: bytes = pyrage.decrypt(content, list(identities))
    except pyrage.DecryptError:
        raise NotPermittedError(
            "the file cannot be opened with this key.",
            remedy="use the private key of the recipient that it is for.",
        ) from None
    return unpadded(plain, form)


def padded(content: bytes, form: str) -> bytes:
    """Text gets empty lines at its end, a workbook spaces at the end of one of its parts: both stay what they are.

    A comment at the end of a ZIP archive would do for Excel and not for LibreOffice, which does not open such a file.
    """
    if form != XLSX:
        return content + b"\n" * (-len(content) % BLOCK_BYTES)
    plain = _with_spaces(content, 0)
    return _with_spaces(content, -len(plain) % BLOCK_BYTES)


def _with_spaces(workbook: bytes, spaces: int) -> bytes:
    """The workbook with so many spaces after the XML of its properties, which are not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(stream, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == PADDED_PART:
                part.compress_type = zipfile.ZIP_STORED
                content += b" " * spaces
            new.writestr(part, content)
    return stream.getvalue()


def unpadded(content: bytes, form: str) -> bytes:
    r"""Content as it was before ``padded``; a text ends with the line that it ended with.

    >>> unpadded(padded(b"a,b\n1,2\n", "csv"), "csv")
    b'a,b\n1,2\n'
    """
    if form == XLSX:
        return content
    body = content.rstrip(b"\n")
    return body + b"\n" if body else b""


def sealed_count(count: int, public_key: str) -> str:
    """A number for the recipient alone, in Base64; every number takes the same room."""
    import pyrage

    text = f"{count:0{COUNT_DIGITS}d}".encode("ascii")
    return base64.b64encode(pyrage.encrypt(text, [pyrage.x25519.Recipient.from_str(public_key)])).decode(
        "ascii"
    )


def opened_count(text: str, identities: Sequence[pyrage.x25519.Identity]) -> int:
    """The number that ``sealed_count`` sealed. Raises NotPermittedError."""
    import pyrage

    try:
        return int(pyrage.decrypt(base64.b64decode(text, validate=True), list(identities)))
    except (pyrage.DecryptError, ValueError):
        raise NotPermittedError("the manifest's count cannot be opened with this key.") from None
