"""Code lists as others publish them: which format a file has, and the codes that it holds.

Formats: a CSV download of OpenCodelists (medicines of dm+d too), a codes export of the HDR UK Phenotype Library, and
a simple reference set of SNOMED CT Release Format 2 as TRUD has it (``snomed_release``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions import snomed_release
from riskstrat.errors import DefinitionError, MisuseError

# The columns that hold the codes in OpenCodelists downloads, the plainest first, with the system that each tells of.
CODE_COLUMNS = {
    "code": None,
    "dmd_id": "snomed",
    "dmd": "snomed",
    "snomedct_id": "snomed",
    "snomedcode": "snomed",
    "snomed_id": "snomed",
    "ctv3id": "ctv3",
    "ctv3code": "ctv3",
    "ctv3_id": "ctv3",
    "icd10": "icd10",
    "icd10_code": "icd10",
    "icd_code": "icd10",
    "icd code": "icd10",
    "icd": "icd10",
    "id": None,
}
TERM_COLUMNS = (
    *("term", "dmd_name", "name", "description", "nm", "diag_desc", "readterm", "ctvterm", "ctv3term"),
    *("ctv3preferredtermdesc", "readterm/ctv3preferredtermdesc", "ctv3_description", "ctv3_name"),
)
NO_TERMS = ("", "unknown", "[unknown]")
# What stands for a term that nothing gives; a later import knows it again by its beginning.
MEMBER, NOT_GIVEN = "member of refset", "term not given in"
# The names of the HDR UK Phenotype Library, single-spaced and in lower case, for the systems that extracts send.
LIBRARY_SYSTEMS = {
    "snomed ct codes": "snomed",
    "read codes v2": "readv2",
    "read codes v3": "ctv3",
    "ctv3 codes": "ctv3",
    "icd10 codes": "icd10",
}
LIBRARY_COLUMNS = ("code", "description", "coding_system")
OUR_COLUMNS = {"concept", "code_system", "code", "term"}
FORMATS = (
    "an OpenCodelists CSV (columns code and term), a codes export of the HDR UK Phenotype Library (code, description, "
    "coding_system), or a simple reference set of TRUD (id, effectiveTime, active, moduleId, refsetId, "
    "referencedComponentId, separated by tabs)"
)


@dataclass(frozen=True)
class ForeignCode:
    """One code as a file has it. ``code_system`` is None where the file does not say which; ``term`` may be ''."""

    row: int
    code: str
    term: str
    code_system: str | None


@dataclass(frozen=True)
class Refusal:
    """A code, or a whole row, that cannot be taken, and why."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True)
class ForeignList:
    """What a file holds. ``placeholder`` stands for terms that nothing gives; ``remarks`` are for the reader."""

    form: str
    codes: tuple[ForeignCode, ...]
    refused: tuple[Refusal, ...]
    placeholder: str
    remarks: tuple[str, ...] = ()


def read_foreign(path: Path, code_system: str | None = None, refset: str | None = None) -> ForeignList:
    """The codes of ``path``, whichever of the three formats it has.

    ``code_system`` picks the column or the rows of that system; ``refset`` picks a reference set of several. Raises
    DefinitionError for a file that is none of these or holds no code, MisuseError for an option it cannot have.
    """
    text = _text_of(path)
    if snomed_release.is_release_file(text):
        found = _refset(path, text, code_system, refset)
    elif refset is not None:
        raise MisuseError(
            "only a file of TRUD holds reference sets.", file=path, remedy="leave out --refset."
        )
    else:
        found = _csv(path, text, code_system)
    if not found.codes and not found.refused:
        remarks = f" ({'; '.join(found.remarks)})" if found.remarks else ""
        raise DefinitionError(f"holds no code to take{remarks}.", file=path, remedy="check the download.")
    return found


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MisuseError("is not there.", file=path, remedy="name a file that is.") from None
    except UnicodeDecodeError:
        raise DefinitionError(
            "is not UTF-8 text.", file=path, remedy="import the download itself, or save it as CSV UTF-8."
        ) from None
    except OSError as problem:
        raise MisuseError(
            f"cannot be read ({problem.strerror}).", file=path, remedy="name a file that can be read."
        ) from None


def _refset(path: Path, text: str, code_system: str | None, refset: str | None) -> ForeignList:
    if code_system not in (None, "snomed"):
        raise MisuseError(
            f"a reference set holds SNOMED CT, not {code_system}.", file=path, remedy="leave out --system."
        )
    members, bad = snomed_release.read_refset(path, text, refset)
    chosen = members[0].refset if members else refset or "of no member"
    ended = sum(not member.is_active for member in members)
    return ForeignList(
        form=f"SNOMED CT reference set {chosen}",
        codes=tuple(
            ForeignCode(member.row, member.component, "", "snomed") for member in members if member.is_active
        ),
        refused=tuple(Refusal(row, "", reason) for row, reason in bad),
        placeholder=f"{MEMBER} {chosen}",
        remarks=(f"members that are no longer active, passed over: {ended:,}",) if ended else (),
    )


def _csv(path: Path, text: str, code_system: str | None) -> ForeignList:
    header, rows = _rows(path, text)
    placeholder = f"{NOT_GIVEN} {path.name}"
    if set(header) >= set(LIBRARY_COLUMNS):
        return _library(header, rows, code_system, placeholder)
    if set(header) == OUR_COLUMNS:
        raise DefinitionError(
            "is a code list of a site already.",
            file=path,
            remedy="copy it, or some of its rows, to config/codelists/, and see: riskstrat codelist diff",
        )
    return _download(path, header, rows, code_system, placeholder)


def _rows(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header in lower case, and every row that is not blank with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, begins = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, [" ".join(cell.split()) for cell in cells]))
            begins = reader.line_num + 1
    except csv.Error as problem:
        raise DefinitionError(
            f"is no readable CSV ({problem}).",
            file=path,
            row=begins,
            remedy="correct the quotes of that row, or download the file again.",
        ) from None
    header = [name.lower() for name in rows[0][1]] if rows else []
    named = [name for name in header if name]
    if len(set(named)) != len(named):
        raise DefinitionError(
            "names a column twice.", file=path, row=rows[0][0], remedy="rename one of them."
        )
    return header, rows[1:]


def _library(
    header: list[str], rows: Sequence[tuple[int, list[str]]], code_system: str | None, placeholder: str
) -> ForeignList:
    """A phenotype's codes. The library leaves the last cell out where there is nothing to put in it."""
    codes, refused, empty, others = [], [], 0, 0
    concepts: dict[str, int] = {}
    for row, cells in rows:
        found = dict(zip(header, cells, strict=False))
        name, code = found.get("coding_system", ""), found.get("code", "")
        system = LIBRARY_SYSTEMS.get(name.lower())
        if code_system is not None and system != code_system:
            others += 1
        elif len(cells) > len(header):
            refused.append(Refusal(row, code, _too_long(cells, header)))
        elif not code and not found.get("description"):
            empty += 1  # how the library writes a concept without codes
        elif system is None:
            refused.append(
                Refusal(row, code, f"no extract sends '{name}'; choose the codes of one with --system.")
            )
        else:
            concept = f"{found.get('concept_id', '')} {found.get('concept_name', '')}".strip()
            concepts[concept] = concepts.get(concept, 0) + 1
            codes.append(ForeignCode(row, code, found.get("description", ""), system))
    named = ", ".join(f"{concept} ({count:,})" for concept, count in concepts.items() if concept)
    remarks = [f"concepts of the file: {named}"] if named else []
    remarks += [f"rows of other systems than {code_system}, passed over: {others:,}"] if others else []
    remarks += [f"concepts without codes: {empty:,}"] if empty else []
    form = "codes export of the HDR UK Phenotype Library"
    return ForeignList(form, tuple(codes), tuple(refused), placeholder, tuple(remarks))


def _download(
    path: Path,
    header: list[str],
    rows: Sequence[tuple[int, list[str]]],
    code_system: str | None,
    placeholder: str,
) -> ForeignList:
    column = _code_column(path, header, code_system)
    told = "snomed" if "dmd_id" in header or "dmd_type" in header else CODE_COLUMNS[column]
    term = next((name for name in TERM_COLUMNS if name in header), None)
    codes, refused = [], []
    for row, cells in rows:
        found = dict(zip(header, cells, strict=False))
        code = found.get(column, "")
        if len(cells) != len(header):
            refused.append(Refusal(row, code, _too_long(cells, header)))
            continue
        words = found[term] if term else ""
        words = "" if words.lower() in NO_TERMS else words
        codes.append(ForeignCode(row, code, words, code_system or told))
    same = {column, term} | {name for name in header if name in CODE_COLUMNS}
    unused = [name for name in header if name and name not in same]
    remarks = (f"columns that are not used: {', '.join(unused)}",) if unused else ()
    return ForeignList("OpenCodelists download", tuple(codes), tuple(refused), placeholder, remarks)


def _code_column(path: Path, header: list[str], code_system: str | None) -> str:
    """The column that holds the codes. Raises where there is none, or one for each of several systems."""
    found = [name for name in CODE_COLUMNS if name in header]
    if not found:
        raise DefinitionError(
            f"no column holds codes; the columns are {', '.join(header) or 'none'}.",
            file=path,
            row=1,
            remedy=f"import {FORMATS}.",
        )
    systems = {CODE_COLUMNS[name] for name in found} - {None}
    if code_system is not None:
        found = [name for name in found if CODE_COLUMNS[name] == code_system] or found
    elif len(systems) > 1:
        raise MisuseError(
            f"has codes of several systems in the columns {', '.join(found)}.",
            file=path,
            row=1,
            remedy=f"choose one with --system ({', '.join(sorted(filter(None, systems)))}).",
        )
    return found[0]


def _too_long(cells: list[str], header: list[str]) -> str:
    return f"the row has {len(cells)} fields and the header {len(header)}; text with a comma needs double quotes."
