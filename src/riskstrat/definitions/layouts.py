"""Supplier layouts: ``config/sources/NAME.yaml``, how a supplier's files become canonical rows, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

MODES = ("full", "delta")
ENCODINGS = ("utf-8", "latin-1", "windows-1252")
LAYOUT_REQUIRED = ("title", "source", "files", "extracts")
LAYOUT_KEYS = (*LAYOUT_REQUIRED, "encoding", "synthetic_numbers_for", "absent", "modes")
FILE_KEYS = (
    *("pattern", "columns", "optional_columns", "optional"),
    *("key", "removed", "order", "unchanging"),
)
EXTRACT_KEYS = ("from", "where", "columns")
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class LayoutFile:
    """A supplier's file: the name pattern that finds it and the columns it has.

    With a ``key`` it serves as a lookup: the newest row of every key over all deliveries, rows that are ``removed``
    (an SQL condition) left out; values of ``unchanging`` columns must be the same in every delivery. ``order`` is an
    SQL expression that is larger for the later of two rows of one delivery.
    """

    name: str
    pattern: str
    columns: tuple[str, ...]
    optional_columns: tuple[str, ...] = ()
    is_optional: bool = False
    key: tuple[str, ...] = ()
    removed: str | None = None
    order: str | None = None
    unchanging: tuple[str, ...] = ()

    @property
    def every_column(self) -> tuple[str, ...]:
        """The columns that mappings may use; one that a delivery lacks is NULL."""
        return self.columns + self.optional_columns


@dataclass(frozen=True)
class LayoutExtract:
    """Rows of one canonical extract as SQL over the supplier's files: FROM clause, filter, an expression a column.

    ``files`` are those that the FROM clause names, the main one first: each of its lines is at most one row.
    """

    from_clause: str
    where: str | None
    columns: Mapping[str, str]
    files: tuple[str, ...]

    @property
    def main(self) -> str:
        """The file whose lines are the rows."""
        return self.files[0]


@dataclass(frozen=True)
class Layout:
    """A supplier's files and how they become canonical extracts.

    ``synthetic_numbers_for`` lists ``(file, column)`` of person identifiers that stand in for NHS numbers in a
    synthetic data set; each distinct value is given a number of the 999 range, in sorted order, in the table
    ``identity.synthetic_numbers``. ``absent`` are required extracts that such a data set cannot give.
    """

    name: str
    title: str
    path: Path
    encoding: str
    files: Mapping[str, LayoutFile]
    extracts: Mapping[str, tuple[LayoutExtract, ...]]
    synthetic_numbers_for: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    absent_because: str = ""
    modes: Mapping[str, str] | None = None


def load_layouts(folder: Path) -> dict[str, Layout]:
    """Every ``config/sources/NAME.yaml``, by name, in name order."""
    return {path.stem: _layout(path) for path in sorted(folder.glob("*.yaml"))}


def _layout(path: Path) -> Layout:
    document = read_mapping(path)
    check_keys(document, allowed=LAYOUT_KEYS, required=LAYOUT_REQUIRED, file=path)
    files = {name: _file(name, entry, path) for name, entry in mapping_at(document, "files", path).items()}
    extracts = {
        name: _mappings(name, entries, files, path)
        for name, entries in mapping_at(document, "extracts", path).items()
    }
    encoding = document.get("encoding", ENCODINGS[0])
    if encoding not in ENCODINGS:
        raise DefinitionError(
            f"the encoding '{encoding}' is not read here.",
            file=path,
            column="encoding",
            remedy=f"use one of {', '.join(ENCODINGS)}.",
        )
    numbered = tuple(_place(text, files, path) for text in document.get("synthetic_numbers_for") or ())
    absent, because = _absent(document, path, is_synthetic=bool(numbered))
    modes = dict(document.get("modes") or {})
    for extract, mode in modes.items():
        if extract not in extracts or mode not in MODES:
            raise DefinitionError(
                f"the mode of {extract} is not understood.",
                file=path,
                column="modes",
                remedy="name an extract of this layout, and full or delta.",
            )
    return Layout(
        path.stem, str(document["title"]), path, encoding, files, extracts, numbered, absent, because, modes
    )


def _file(name: str, entry: Any, path: Path) -> LayoutFile:
    check_keys(entry, allowed=FILE_KEYS, required=("pattern", "columns"), file=path, where=name)
    if not TABLE_NAME.fullmatch(name):
        raise DefinitionError(
            f"'{name}' is no table name.",
            file=path,
            column=name,
            remedy="use lower-case letters, digits and underscores.",
        )
    file = LayoutFile(
        name,
        entry["pattern"],
        tuple(entry["columns"]),
        tuple(entry.get("optional_columns") or ()),
        bool(entry.get("optional", False)),
        tuple(entry.get("key") or ()),
        entry.get("removed"),
        entry.get("order"),
        tuple(entry.get("unchanging") or ()),
    )
    for column in (*file.key, *file.unchanging):
        if column not in file.every_column:
            raise DefinitionError(
                f"{name} has no column '{column}'.",
                file=path,
                column=column,
                remedy="list it under columns or optional_columns.",
            )
    if file.unchanging and not file.key:
        raise DefinitionError(
            f"{name} has unchanging columns and no key.", file=path, column=name, remedy="state its key."
        )
    return file


def _mappings(
    extract: str, entries: Any, files: Mapping[str, LayoutFile], path: Path
) -> tuple[LayoutExtract, ...]:
    if not isinstance(entries, list):
        raise DefinitionError(f"{extract} must be a list of mappings.", file=path, column=extract)
    mappings = []
    for entry in entries:
        check_keys(entry, allowed=EXTRACT_KEYS, required=("from", "columns"), file=path, where=extract)
        used = _used(entry["from"], files)
        if not used:
            raise DefinitionError(
                f"a FROM clause of {extract} names no file of this layout.",
                file=path,
                column="from",
                remedy=f"begin it with one of {', '.join(files)}.",
            )
        columns = {name: str(expression) for name, expression in entry["columns"].items()}
        mappings.append(LayoutExtract(entry["from"], entry.get("where"), columns, used))
    return tuple(mappings)


def _used(clause: str, files: Mapping[str, LayoutFile]) -> tuple[str, ...]:
    """The files that a FROM clause names, in the order of their first mention as a table."""
    tables = re.finditer(r"(?:^|\b(?:FROM|JOIN)\b|,)\s*([a-z][a-z0-9_]*)\b", clause.strip(), re.IGNORECASE)
    return tuple(dict.fromkeys(match[1] for match in tables if match[1] in files))


def _place(text: Any, files: Mapping[str, LayoutFile], path: Path) -> tuple[str, str]:
    file, _, column = str(text).partition(".")
    if file not in files or column not in files[file].every_column:
        raise DefinitionError(
            f"'{text}' is no FILE.COLUMN of a file and column named under files.",
            file=path,
            column="synthetic_numbers_for",
            remedy="write a list such as [patients.Id].",
        )
    return file, column


def _absent(document: Mapping[str, Any], path: Path, *, is_synthetic: bool) -> tuple[tuple[str, ...], str]:
    entry = document.get("absent")
    if entry is None:
        return (), ""
    check_keys(
        entry, allowed=("extracts", "because"), required=("extracts", "because"), file=path, where="absent"
    )
    if not is_synthetic:
        raise DefinitionError(
            "a layout of real data may not declare required extracts absent.",
            file=path,
            column="absent",
            remedy="deliver them, or take this entry away; only synthetic data sets may lack them.",
        )
    extracts: Sequence[str] = entry["extracts"]
    return tuple(extracts), str(entry["because"])
