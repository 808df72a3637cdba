"""A list as a run published it: what the manifest and ``lists/NAME.json`` say of it, and its people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskstrat.definitions.lists import DROPPED_OFF as DROPPED
from riskstrat.errors import MisuseError, RiskstratError
from riskstrat.sqltext import literal, quoted

if TYPE_CHECKING:
    import duckdb

    from riskstrat.runs import Run

__all__ = [
    "DROPPED",
    "PublishedList",
    "check_section",
    "in_area",
    "list_names",
    "of_area",
    "people_of",
    "read_list",
    "section_of",
]

FOLDER = "lists"
PEOPLE_ORDER = "area_code, rank NULLS LAST, person_id"


@dataclass(frozen=True)
class PublishedList:
    """One list of a run. ``about`` is what the manifest says of it, ``definition`` the whole document.

    ``areas`` are all areas that have the list, also those whose list is empty; ``kind`` is what they are.
    """

    name: str
    run: Run
    about: Mapping[str, Any]
    definition: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the list is called."""
        return str(self.about["title"])

    @property
    def kind(self) -> str:
        """neighbourhood or practice."""
        return str(self.about["area"])

    @property
    def areas(self) -> Mapping[str, Mapping[str, Any]]:
        """Code to what the manifest says of the area: name, quota, eligible, listed, new, back, dropped."""
        areas: Mapping[str, Mapping[str, Any]] = self.about["areas"]
        return areas

    @property
    def columns(self) -> tuple[str, ...]:
        """What the list shows, of features and of its own columns."""
        return tuple(map(str, self.definition["columns"]))

    @property
    def sections(self) -> dict[str, str]:
        """Name to title, in order; whoever left the list stands last."""
        return {str(section["name"]): str(section["title"]) for section in self.definition["sections"]}

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The cohorts of which its people are members."""
        return tuple(map(str, self.definition["cohorts"]))

    def source(self) -> str:
        """The rows of the list, as what stands after FROM."""
        path = self.run.folder.resolve() / FOLDER / f"{self.name}.parquet"
        return f"read_parquet({literal(str(path))})"


def list_names(run: Run) -> list[str]:
    """The lists of a run, in the manifest's order."""
    return list(run.manifest.get(FOLDER, {}))


def read_list(run: Run, name: str) -> PublishedList:
    """The list ``name`` of a run that has it. Raises RiskstratError where its files are damaged."""
    path = run.folder / FOLDER / f"{name}.json"
    try:
        published = PublishedList(
            name, run, run.manifest[FOLDER][name], json.loads(path.read_text(encoding="utf-8"))
        )
        readable = (published.title, published.kind, published.areas, published.columns)
        is_whole = DROPPED in published.sections and "empty_cells" in published.definition
        if all(readable) and is_whole and published.cohorts:
            return published
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RiskstratError(
        "cannot be read; the published run is damaged.",
        file=path,
        remedy=f"see: riskstrat runs verify {run.id}",
    )


def people_of(
    connection: duckdb.DuckDBPyConnection, published: PublishedList, condition: str = "TRUE"
) -> list[dict[str, Any]]:
    """The rows of the list for which an SQL condition holds, in the order of area, rank and person_id."""
    from riskstrat.reading.failures import reading

    with reading(published.run):
        result = connection.execute(
            f"SELECT * FROM {published.source()} AS features WHERE {condition} ORDER BY {PEOPLE_ORDER}"
        )
        names = [str(entry[0]) for entry in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def in_area(connection: duckdb.DuckDBPyConnection, published: PublishedList, code: str) -> str:
    """SQL over the rows of a list: those of one of its areas, or registered within another kind of area.

    Raises MisuseError for a code that is no area of the run.
    """
    if code in published.areas:
        return f"area_code = {literal(code)}"
    from riskstrat.reading.selection import area_condition

    return area_condition(connection, code)


def of_area(published: PublishedList, kind: str, code: str) -> str:
    """SQL over the rows of a list for one area of a known kind."""
    column = "area_code" if kind == published.kind else quoted(f"{kind}_code")
    return f"{column} = {literal(code)}"


def section_of(person: Mapping[str, Any]) -> str:
    """The section in which the person stands."""
    return DROPPED if person["rank"] is None else str(person["section"])


def check_section(published: PublishedList, section: str) -> None:
    """Raise MisuseError for a section that the list does not have."""
    if section not in published.sections:
        raise MisuseError(
            f"the list {published.name} has no section '{section}'.",
            remedy=f"use one of: {', '.join(published.sections)}.",
        )
