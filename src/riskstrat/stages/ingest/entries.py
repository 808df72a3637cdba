"""An entry: what reading one delivered file left, in a folder of its own under a keyed seal.

``rows.parquet`` holds the rows as they were typed and judged, in the order of the file, ``people.parquet`` whose they
are, ``about.json`` what else was counted and the seal over all of it. Who can write to the folder and has not the
site key cannot change what a run takes from it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.keys import PRIVATE_FILE
from riskstrat.runs import file_hash
from riskstrat.stages.ingest.rejects import Reject

ROWS, PEOPLE, ABOUT = "rows.parquet", "people.parquet", "about.json"
SEALED_AS = b"riskstrat: what reading a file left\n"


@dataclass(frozen=True)
class Entry:
    """What a file left: the folder of its rows, and what was counted when it was read."""

    folder: Path
    rejects: tuple[Reject, ...]
    left_out: int | None


def seal_entry(
    folder: Path, key: bytes, *, delivery: date, rejects: tuple[Reject, ...], left_out: int | None
) -> None:
    """Write what was counted and the seal beside the rows; the folder's name is part of what is sealed."""
    about = {
        "name": folder.name,
        "delivery": delivery.isoformat(),
        "rejects": [astuple(reject) for reject in rejects],
        "left_out": left_out,
        "sha256": {name: file_hash(folder / name) for name in (ROWS, PEOPLE)},
    }
    document = {**about, "seal": _seal(key, about)}
    (folder / ABOUT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(PRIVATE_FILE)


def open_entry(folder: Path, key: bytes) -> Entry | None:
    """The entry of a folder; None where there is none, or where anything about it is not as it was sealed."""
    try:
        about = dict(json.loads((folder / ABOUT).read_bytes()))
        seal = str(about.pop("seal"))
        if not hmac.compare_digest(seal, _seal(key, about)) or about["name"] != folder.name:
            return None
        if any(file_hash(folder / name) != known for name, known in about["sha256"].items()):
            return None
        rejects = tuple(Reject(*reject) for reject in about["rejects"])
        return Entry(folder, rejects, about["left_out"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def delivered_on(folder: Path) -> date | None:
    """The date of the delivery that an entry was made of; None where it does not say."""
    try:
        return date.fromisoformat(str(json.loads((folder / ABOUT).read_bytes())["delivery"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seal(key: bytes, about: Mapping[str, Any]) -> str:
    return hmac.digest(key, SEALED_AS + json.dumps(about, sort_keys=True).encode(), hashlib.sha256).hex()
