"""Practices, their networks and neighbourhoods over time, and the areas people live in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.documents import read_table
from riskstrat.errors import DefinitionError

PRACTICE_COLUMNS = (
    "practice_code",
    "practice_name",
    "pcn_code",
    "pcn_name",
    "neighbourhood_code",
    "neighbourhood_name",
    "valid_from",
    "valid_to",
)
AREA_COLUMNS = ("lsoa_code", "imd_decile")
SAFE_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Practice:
    """One dated membership: a practice in a network and a neighbourhood, both ends inclusive, None is open."""

    practice_code: str
    practice_name: str
    pcn_code: str
    pcn_name: str
    neighbourhood_code: str
    neighbourhood_name: str
    valid_from: date | None
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Whether the membership holds on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True)
class Geography:
    """``config/geography/``: practices over time and the deprivation decile (1 most deprived) of each area."""

    practices: tuple[Practice, ...]
    areas: tuple[tuple[str, int], ...]

    def neighbourhoods_on(self, day: date) -> dict[str, str]:
        """Neighbourhood code to name, of every neighbourhood with a practice on ``day``, in code order."""
        return self.names_on(day, "neighbourhood")

    def names_on(self, day: date, kind: str) -> dict[str, str]:
        """Code to name of every ``practice``, or every ``neighbourhood`` with one, on ``day``, in code order."""
        valid = [practice for practice in self.practices if practice.is_valid_on(day)]
        pairs = {getattr(practice, f"{kind}_code"): getattr(practice, f"{kind}_name") for practice in valid}
        return dict(sorted(pairs.items()))


def load_geography(folder: Path) -> Geography:
    """Parse ``practices.csv`` and ``areas.csv``. Raises DefinitionError with file, row and column."""
    practices = tuple(
        _practice(row, line, folder / "practices.csv") for line, row in _rows(folder, "practices")
    )
    if not practices:
        raise DefinitionError(
            "names no practice.", file=folder / "practices.csv", remedy="list the practices in scope."
        )
    areas: dict[str, int] = {}
    for line, row in _rows(folder, "areas"):
        if row["imd_decile"] not in {str(decile) for decile in range(1, 11)}:
            raise DefinitionError(
                "must be 1 to 10.",
                file=folder / "areas.csv",
                row=line,
                column="imd_decile",
                remedy="1 is most deprived.",
            )
        if row["lsoa_code"] in areas:
            raise DefinitionError(
                "this area stands twice.",
                file=folder / "areas.csv",
                row=line,
                column="lsoa_code",
                remedy="keep one.",
            )
        areas[row["lsoa_code"]] = int(row["imd_decile"])
    return Geography(practices, tuple(areas.items()))


def _rows(folder: Path, name: str) -> list[tuple[int, dict[str, str]]]:
    columns = PRACTICE_COLUMNS if name == "practices" else AREA_COLUMNS
    return list(read_table(folder / f"{name}.csv", columns))


def _practice(row: dict[str, str], line: int, path: Path) -> Practice:
    for column in ("practice_code", "pcn_code", "neighbourhood_code"):
        if not SAFE_CODE.fullmatch(row[column]):
            raise DefinitionError(
                "must be 1 to 40 letters, digits, dashes or underscores.",
                file=path,
                row=line,
                column=column,
                remedy="correct the code.",
            )
    dates = {}
    for column in ("valid_from", "valid_to"):
        try:
            dates[column] = date.fromisoformat(row[column]) if row[column] else None
        except ValueError:
            raise DefinitionError(
                "is not a date.",
                file=path,
                row=line,
                column=column,
                remedy="write YYYY-MM-DD or leave it empty.",
            ) from None
    names = {column: row[column] for column in PRACTICE_COLUMNS if column not in dates}
    return Practice(**names, **dates)  # type: ignore[arg-type]
