"""Opening what worklist export sealed, without the code that sealed it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyrage

from tests.end_to_end.command import Answer


def paths(answer: Answer) -> list[Path]:
    """The files that an export wrote."""
    assert answer.code == 0, answer.err
    return [Path(line) for line in answer.out.splitlines()]


def unsealed(path: Path, key: Path) -> bytes:
    """As the age tool would open it."""
    identity = pyrage.x25519.Identity.from_str(key.read_text().splitlines()[-1])
    content: bytes = pyrage.decrypt(path.read_bytes(), [identity])
    return content


def rows_of(path: Path, key: Path) -> list[dict[str, str]]:
    """As any reader of CSV would read it, with the padding."""
    return list(csv.DictReader(io.StringIO(unsealed(path, key).decode(), newline="")))


def manifest_of(path: Path) -> dict[str, Any]:
    """The manifest beside a sealed or an open file."""
    name = path.name.removesuffix(".age") + ".manifest.json"
    manifest: dict[str, Any] = json.loads(path.with_name(name).read_text(encoding="utf-8"))
    return manifest
