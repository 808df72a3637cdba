"""Score tables: how many points each concept, or each three-character ICD-10 code, adds to a score."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from riskstrat.definitions.documents import read_table
from riskstrat.definitions.metadata import Metadata, load_metadata
from riskstrat.errors import DefinitionError

CONCEPT, ICD10 = "concept", "icd10_3char"
_KEYS = {
    CONCEPT: (
        re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*"),
        "use lower-case letters and digits, joined by _ or -.",
    ),
    ICD10: (re.compile(r"[A-Z][0-9]{2}"), "write a capital letter and two digits."),
}


@dataclass(frozen=True)
class ScoreTable:
    """``config/scores/NAME.csv``: (key, points) rows in the order of the file, no key twice.

    ``key`` names the first column: concept (codes in the code list of the same name) or icd10_3char.
    """

    name: str
    metadata: Metadata
    key: str
    rows: tuple[tuple[str, float], ...]

    @property
    def points(self) -> Mapping[str, float]:
        """Points by key."""
        return MappingProxyType(dict(self.rows))


def load_scores(folder: Path) -> dict[str, ScoreTable]:
    """Every score table of ``folder`` by name.

    Raises DefinitionError with file, row, column and remedy: another header, a key that is empty, malformed
    or given twice, points that are no number, missing metadata.
    """
    if not folder.is_dir():
        raise DefinitionError("is missing.", file=folder, remedy="restore it from riskstrat init.")
    return {path.stem: _load_score(path) for path in sorted(folder.glob("*.csv"))}


def _load_score(path: Path) -> ScoreTable:
    key = ICD10 if path.read_text(encoding="utf-8-sig", errors="replace").startswith(ICD10) else CONCEPT
    pattern, remedy = _KEYS[key]
    points: dict[str, float] = {}
    for row, cells in read_table(path, (key, "points")):
        name = cells[key]
        if not pattern.fullmatch(name):
            what = f"'{name}' is no {key}." if name else "is empty."
            raise DefinitionError(what, file=path, row=row, column=key, remedy=remedy)
        if name in points:
            raise DefinitionError(
                f"{name} has points twice.",
                file=path,
                row=row,
                column=key,
                remedy="delete one of the two rows.",
            )
        points[name] = _number(path, row, cells["points"])
    return ScoreTable(path.stem, load_metadata(path), key, tuple(points.items()))


def _number(path: Path, row: int, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DefinitionError(
            f"'{text}' is no number.",
            file=path,
            row=row,
            column="points",
            remedy="write a number such as 1.5.",
        )
    return number
