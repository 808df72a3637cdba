"""Code lists and value rules: which recorded codes, and which recorded values, stand for a concept."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from riskstrat.definitions.documents import read_table
from riskstrat.definitions.metadata import Metadata, load_metadata
from riskstrat.definitions.snomed import is_snomed_id
from riskstrat.errors import DefinitionError

CODE_SYSTEMS = ("snomed", "readv2", "ctv3", "icd10")
CODE_COLUMNS = ("concept", "code_system", "code", "term")
VALUE_COLUMNS = (
    "concept",
    "code_system",
    "code",
    "sex",
    "operator",
    "value",
    "max_operator",
    "max_value",
    "unit",
)
SEXES = ("any", "male", "female")
OPERATORS = (">", ">=", "<", "<=", "=")
MAX_OPERATORS = ("<", "<=")

_CONCEPT = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_READ = re.compile(r"(?=.{5}$)[0-9A-Za-z]+\.*")
_ICD10 = re.compile(r"[A-Z][0-9]{1,4}")


@dataclass(frozen=True)
class CodeEntry:
    """One code of a concept. ICD-10 codes are prefixes without a dot; the others match exactly.

    ``row`` is the line of the file that it came from, so that a later check can name it; 0 where there is none.
    """

    concept: str
    code_system: str
    code: str
    term: str
    row: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CodeList:
    """``config/codelists/NAME.csv`` with its metadata, entries in the order of the file."""

    name: str
    metadata: Metadata
    entries: tuple[CodeEntry, ...]

    @property
    def concepts(self) -> frozenset[str]:
        """The concepts that have at least one code."""
        return frozenset(entry.concept for entry in self.entries)


@dataclass(frozen=True)
class ValueRule:
    """A numeric code counts for its concept when the value passes every bound that is given.

    ``operator``/``value`` and ``max_operator``/``max_value`` are pairs: both given or both None.
    ``sex`` is any, male or female; ``unit`` says what the bounds are in and is not compared.
    """

    concept: str
    code_system: str
    code: str
    sex: str
    operator: str | None
    value: float | None
    max_operator: str | None
    max_value: float | None
    unit: str


def load_codelists(folder: Path) -> dict[str, CodeList]:
    """Every code list of ``folder`` by name; files of value rules are left to ``load_value_rules``.

    Raises DefinitionError with file, row, column and remedy: another header, an unknown code system, a code
    that cannot be one of its system, an empty cell, a code that a concept has twice, missing metadata.
    """
    return {path.stem: load_codelist(path) for path in list_files(folder) if not holds_value_rules(path)}


def list_files(folder: Path) -> list[Path]:
    """The files of code lists and of value rules in ``folder``, by name. Raises DefinitionError where it is none."""
    if not folder.is_dir():
        raise DefinitionError("is missing.", file=folder, remedy="restore it from riskstrat init.")
    return sorted(folder.glob("*.csv"))


def load_codelist(path: Path) -> CodeList:
    """One code list with its metadata. Raises DefinitionError as ``load_codelists`` does."""
    entries, problems = examine_codelist(path)
    if problems:
        raise problems[0]
    return CodeList(path.stem, load_metadata(path), tuple(entries))


def examine_codelist(path: Path) -> tuple[list[CodeEntry], list[DefinitionError]]:
    """The sound rows of a code list, and what is wrong with each of the others, in the order of the file.

    A header or a row of another form ends the reading: what stands below cannot be told.
    """
    rows: dict[tuple[str, str, str], int] = {}
    entries: list[CodeEntry] = []
    problems: list[DefinitionError] = []
    try:
        for row, cells in read_table(path, CODE_COLUMNS):
            try:
                _check_row(path, row, cells, rows)
            except DefinitionError as problem:
                problems.append(problem)
            else:
                entries.append(CodeEntry(**cells, row=row))
    except DefinitionError as problem:
        problems.append(problem)
    return entries, problems


def load_value_rules(path: Path) -> tuple[ValueRule, ...]:
    """The value rules of one file, in its order. Raises DefinitionError as ``load_codelists`` does."""
    load_metadata(path)
    rules: dict[ValueRule, int] = {}
    for row, cells in read_table(path, VALUE_COLUMNS):
        _check_code(path, row, cells)
        rule = _value_rule(path, row, cells)
        if rule in rules:
            raise _wrong(
                path, row, "code", f"repeats the rule of row {rules[rule]}.", "delete one of the two."
            )
        rules[rule] = row
    return tuple(rules)


def _check_row(path: Path, row: int, cells: dict[str, str], rows: dict[tuple[str, str, str], int]) -> None:
    """Refuse a row that cannot be right or that a concept has already; ``rows`` is what was read so far."""
    _check_code(path, row, cells)
    if not cells["term"]:
        raise _wrong(path, row, "term", "is empty.", "write what the code means.")
    key = (cells["concept"], cells["code_system"], cells["code"])
    if key in rows:
        what = f"{key[2]} ({key[1]}) is listed twice under {key[0]}, first in row {rows[key]}."
        raise _wrong(path, row, "code", what, "delete one of the two rows.")
    rows[key] = row


def holds_value_rules(path: Path) -> bool:
    """Whether a file holds numeric rules instead of codes: its header says so."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return set(next(csv.reader(stream), [])) == set(VALUE_COLUMNS)


def _check_code(path: Path, row: int, cells: dict[str, str]) -> None:
    """Refuse a concept, code system or code that cannot be right."""
    if not cells["concept"]:
        raise _wrong(path, row, "concept", "is empty.", "name the concept that the code stands for.")
    if not is_concept_name(cells["concept"]):
        what = f"'{cells['concept']}' is no concept name."
        raise _wrong(path, row, "concept", what, "use lower-case letters and digits, joined by _ or -.")
    if cells["code_system"] not in CODE_SYSTEMS:
        what = f"unknown code system '{cells['code_system']}'."
        raise _wrong(path, row, "code_system", what, f"use one of {', '.join(CODE_SYSTEMS)}.")
    for problem, remedy in code_problems(cells["code_system"], cells["code"]):
        raise _wrong(path, row, "code", problem, remedy)


def is_concept_name(text: str) -> bool:
    """Whether ``text`` may name a concept: lower-case letters and digits, joined by _ or -."""
    return _CONCEPT.fullmatch(text) is not None


def code_problems(code_system: str, code: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a code of a list, and the remedy; nothing where it can be one of its system."""
    if not code:
        yield "is empty.", "write the code."
    elif code_system == "snomed" and not is_snomed_id(code):
        yield (
            f"'{code}' is no SNOMED CT identifier: it is not 6 to 18 digits, or its check digit is wrong.",
            "copy the identifier again as text; spreadsheets round identifiers to 15 digits.",
        )
    elif code_system in ("readv2", "ctv3") and not _READ.fullmatch(code):
        yield (
            f"'{code}' is no 5-byte Read code.",
            "write letters and digits filled up with dots to 5, without the term code.",
        )
    elif code_system == "icd10" and not _ICD10.fullmatch(code):
        yield f"'{code}' is no ICD-10 prefix.", "write a capital letter and 1 to 4 digits, without the dot."


def _value_rule(path: Path, row: int, cells: dict[str, str]) -> ValueRule:
    if cells["sex"] not in SEXES:
        raise _wrong(path, row, "sex", f"'{cells['sex']}' is unknown.", f"use one of {', '.join(SEXES)}.")
    operator, value = _bound(path, row, cells)
    max_operator, max_value = _bound(path, row, cells, "max_")
    if value is None and max_value is None:
        raise _wrong(path, row, "value", "the rule has no bound.", "give a value, a max_value or both.")
    if value is not None and max_value is not None and value >= max_value:
        raise _wrong(path, row, "max_value", "is not above value.", "correct one of the two.")
    return ValueRule(
        concept=cells["concept"],
        code_system=cells["code_system"],
        code=cells["code"],
        sex=cells["sex"],
        operator=operator,
        value=value,
        max_operator=max_operator,
        max_value=max_value,
        unit=cells["unit"],
    )


def _bound(path: Path, row: int, cells: dict[str, str], prefix: str = "") -> tuple[str | None, float | None]:
    """One bound of a rule: its operator and number, or two Nones when both cells are empty."""
    operator, text = cells[f"{prefix}operator"], cells[f"{prefix}value"]
    if not operator and not text:
        return None, None
    allowed = MAX_OPERATORS if prefix else OPERATORS
    if operator not in allowed:
        what = f"'{operator}' cannot stand with {prefix}value '{text}'."
        remedy = f"use one of {', '.join(allowed)}, or empty both cells."
        raise _wrong(path, row, f"{prefix}operator", what, remedy)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(path, row, f"{prefix}value", f"'{text}' is no number.", "write a number such as 5.5.")
    return operator, number


def _wrong(path: Path, row: int, column: str, what: str, remedy: str) -> DefinitionError:
    return DefinitionError(what, file=path, row=row, column=column, remedy=remedy)
