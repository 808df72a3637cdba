"""Files of SNOMED CT Release Format 2 as TRUD has them: simple reference sets, and descriptions for their terms.

Source: SNOMED CT Release File Specifications, 5.2.2.1 (simple reference set) and 4.2.2 (description file).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from riskstrat.errors import DefinitionError, MisuseError

COMMON = ("id", "effectivetime", "active", "moduleid")
REFSET_COLUMNS = ("id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId")
DESCRIPTION_COLUMNS = (
    *("id", "effectiveTime", "active", "moduleId", "conceptId"),
    *("languageCode", "typeId", "term", "caseSignificanceId"),
)
FULLY_SPECIFIED_NAME = "900000000000003001"
SYNONYM = "900000000000013009"
SHOWN_REFSETS = 10


@dataclass(frozen=True)
class Member:
    """The latest row of one member of a reference set."""

    row: int
    effective_time: str
    is_active: bool
    refset: str
    component: str


def is_release_file(text: str) -> bool:
    """Whether the first line has the columns that every file of the format begins with, separated by tabs."""
    return tuple(name.strip().lower() for name in _header(text)[: len(COMMON)]) == COMMON


def read_refset(path: Path, text: str, refset: str | None) -> tuple[list[Member], list[tuple[int, str]]]:
    """The members of a reference set, ended ones too, in the order of the file, and the rows that are none.

    A full release has a row for every change of a member: the one of the latest effectiveTime says what holds now.
    Raises DefinitionError for a file of another kind, MisuseError where ``refset`` must be given or is not there.
    """
    if _named(_header(text)) != _named(REFSET_COLUMNS):
        raise DefinitionError(
            f"is no simple reference set: its columns are {', '.join(_header(text))}.",
            file=path,
            row=1,
            remedy="take a file whose name begins with der2_Refset_Simple.",
        )
    if "delta" in path.name.lower():
        raise DefinitionError(
            "is a delta release: it holds what changed, not what belongs to the set.",
            file=path,
            remedy="import the snapshot of the same release.",
        )
    latest: dict[str, Member] = {}
    refsets: set[str] = set()
    bad: list[tuple[int, str]] = []
    for row, cells in _rows(text):
        if len(cells) != len(REFSET_COLUMNS) or cells[2] not in ("0", "1"):
            bad.append((row, f"no row of a reference set: {len(REFSET_COLUMNS)} fields, the third 0 or 1."))
            continue
        key, effective_time, active, _, set_id, component = cells
        refsets.add(set_id)
        known = latest.get(key)
        if refset in (None, set_id) and (known is None or known.effective_time <= effective_time):
            latest[key] = Member(row, effective_time, active == "1", set_id, component)
    _check_choice(path, refset, refsets)
    return sorted(latest.values(), key=lambda member: member.row), bad


def read_terms(path: Path, concepts: Collection[str]) -> dict[str, str]:
    """The term of each of ``concepts`` that a description file has: its fully specified name, else a synonym.

    Raises DefinitionError for a file of another kind, MisuseError where it cannot be read.
    """
    names: dict[str, tuple[str, bool, str, str, str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(stream, "").rstrip("\r\n").split("\t")
            if _named(header) != _named(DESCRIPTION_COLUMNS):
                raise DefinitionError(
                    f"is no description file: its columns are {', '.join(header)}.",
                    file=path,
                    row=1,
                    remedy="take a file whose name begins with sct2_Description.",
                )
            for line in stream:
                cells = line.rstrip("\r\n").split("\t")
                if len(cells) != len(DESCRIPTION_COLUMNS) or cells[4] not in concepts:
                    continue
                key, effective_time, active, _, concept, _, kind, term, _ = cells
                if key not in names or names[key][0] <= effective_time:
                    names[key] = (effective_time, active == "1", concept, kind, " ".join(term.split()))
    except UnicodeDecodeError:
        raise DefinitionError(
            "is not UTF-8 text.", file=path, remedy="take the file of the release."
        ) from None
    except OSError as problem:
        raise MisuseError(
            f"cannot be read ({problem.strerror}).", file=path, remedy="name a file that can be read."
        ) from None
    chosen: dict[str, str] = {}
    for wanted in (FULLY_SPECIFIED_NAME, SYNONYM):
        for key in sorted(names):
            _, is_active, concept, kind, term = names[key]
            if is_active and kind == wanted and term:
                chosen.setdefault(concept, term)
    return chosen


def _check_choice(path: Path, refset: str | None, refsets: set[str]) -> None:
    listed = ", ".join(sorted(refsets)[:SHOWN_REFSETS]) + (" ..." if len(refsets) > SHOWN_REFSETS else "")
    if refset is None and len(refsets) > 1:
        raise MisuseError(
            f"holds {len(refsets)} reference sets: {listed}.",
            file=path,
            remedy="choose one with --refset ID.",
        )
    if refset is not None and refset not in refsets:
        raise MisuseError(
            f"has no reference set {refset}; it holds {listed or 'none'}.",
            file=path,
            remedy="correct the number after --refset.",
        )


def _header(text: str) -> list[str]:
    return text.partition("\n")[0].rstrip("\r").split("\t")


def _named(columns: Collection[str]) -> list[str]:
    return [name.strip().lower() for name in columns]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every row below the header with its line; the format has no quotes, so a quote in a term is a quote."""
    for row, line in enumerate(text.split("\n"), start=1):
        if row > 1 and line.strip():
            yield row, [cell.strip() for cell in line.rstrip("\r").split("\t")]
