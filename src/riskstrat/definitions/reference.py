"""Reference tables: ``config/reference/NAME.csv``, small facts that SQL joins to instead of naming codes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.errors import DefinitionError

# Codes look like numbers and are not: 01 is a department type, 21 an admission method. Suppliers' own words for a
# kind or a type of service may be numbers too.
CODE_ENDINGS = (
    "code",
    "method",
    "destination",
    "classification",
    "status",
    "category",
    "source",
    "department_type",
    "service_type",
    "kind",
)
PARAMETERS = "parameters"


@dataclass(frozen=True)
class ReferenceTable:
    """One CSV file as (name, SQL type) columns and rows of values; an empty cell is None."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]


def load_reference(folder: Path) -> dict[str, ReferenceTable]:
    """Every reference table by name; ``parameters`` becomes one row with a column a parameter."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        header, rows = _read(path)
        table = _parameters(path, header, rows) if path.stem == PARAMETERS else _typed(header, rows)
        tables[PARAMETERS if path.stem == PARAMETERS else f"reference_{path.stem}"] = table
    if PARAMETERS not in tables:
        raise DefinitionError(
            "is missing.", file=folder / f"{PARAMETERS}.csv", remedy="restore it from riskstrat init."
        )
    return tables


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    if not lines or len(set(lines[0])) != len(lines[0]):
        raise DefinitionError(
            "has no header, or a column twice.", file=path, row=1, remedy="correct the header."
        )
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            raise DefinitionError(
                f"this row has {len(line)} fields; the header has {len(lines[0])}.",
                file=path,
                row=number,
                remedy="correct the row; text with commas needs double quotes.",
            )
    return lines[0], lines[1:]


def _parameters(path: Path, header: list[str], rows: list[list[str]]) -> ReferenceTable:
    try:
        named = {row[header.index("name")]: int(row[header.index("value")]) for row in rows}
    except ValueError:
        raise DefinitionError(
            "every parameter needs a name and a whole number.",
            file=path,
            column="value",
            remedy="correct the row.",
        ) from None
    return ReferenceTable(tuple((name, "INTEGER") for name in named), (tuple(named.values()),))


def _typed(header: list[str], rows: list[list[str]]) -> ReferenceTable:
    columns, values = [], []
    for place, name in enumerate(header):
        texts = [row[place].strip() or None for row in rows]
        kind, convert = (
            ("VARCHAR", str) if name.endswith(CODE_ENDINGS) else _kind_of([text for text in texts if text])
        )
        columns.append((name, kind))
        values.append([None if text is None else convert(text) for text in texts])
    return ReferenceTable(tuple(columns), tuple(zip(*values, strict=True)))


def _kind_of(texts: list[str]) -> tuple[str, Callable[[str], Any]]:
    kinds: Mapping[str, Callable[[str], Any]] = {
        "INTEGER": int,
        "DOUBLE": float,
        "BOOLEAN": _boolean,
        "DATE": date.fromisoformat,
    }
    for kind, convert in kinds.items():
        try:
            for text in texts:
                convert(text)
        except ValueError:
            continue
        if texts:
            return kind, convert
    return "VARCHAR", str


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"
