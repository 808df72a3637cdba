"""The profile of a place: practices, registered people and how many of them are older, by area.

Attribution is by registered practice, never by residence. People who opted out are in no figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.release import SEPARATOR, WHOLE, Hierarchy, Release, cross_table
from riskstrat.disclosure.store import publish_for_site
from riskstrat.documents.tables import Table, counted, share
from riskstrat.errors import MisuseError
from riskstrat.reading.failures import reading
from riskstrat.runs import Run
from riskstrat.site import Site

# The same name in every run: the gate protects one night's counts together with those of the nights before.
RELEASE = "people by age"
KINDS = ("neighbourhood", "pcn")
UNKNOWN = "age unknown"


@dataclass(frozen=True)
class AreaProfile:
    """One area. ``people`` and ``older`` (people of each age and over) are None where they may not be shown."""

    code: str
    name: str
    practices: int
    people: int | None
    older: tuple[int | None, ...]


@dataclass(frozen=True)
class Profile:
    """The areas of one kind by code, and ``whole``, everybody."""

    kind: str
    ages_from: tuple[int, ...]
    areas: tuple[AreaProfile, ...]
    whole: AreaProfile

    def table(self, title: str, note: str) -> Table:
        """As the founding profile was printed: practices, population, older people and their share."""
        columns = ["Area", "Practices", "Registered people"]
        for age in self.ages_from:
            columns += [f"{age} and over", f"% {age} and over"]
        rows = [
            self._row(area, f"{area.name} ({area.code})" if area.code else area.name) for area in self._all
        ]
        return Table(title, tuple(columns), tuple(rows), note)

    @property
    def _all(self) -> Sequence[AreaProfile]:
        return (*self.areas, self.whole)

    def _row(self, area: AreaProfile, label: str) -> tuple[str, ...]:
        cells = [label, str(area.practices), counted(area.people)]
        for older in area.older:
            cells += [counted(older), share(older, area.people)]
        return tuple(cells)


def profile_of(
    site: Site,
    run: Run,
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    *,
    kind: str,
    ages_from: Sequence[int],
    names: Mapping[str, str],
) -> Profile:
    """Count people by area and age, and pass the counts through the gate under ``policy``.

    ``names`` are the areas of the kind that the geography knows on the run's date. Raises MisuseError for an unknown
    kind, NotPermittedError where nothing can be shown safely.
    """
    if kind not in KINDS:
        raise MisuseError(f"areas are {' or '.join(KINDS)}, not '{kind}'.", column="--by")
    youngest = _band(0, ages_from[0])
    oldest_first = reversed(_ages(ages_from))
    cases = " ".join(f"WHEN age >= {int(age)} THEN '{_band(age, end)}'" for age, end in oldest_first)
    with reading(run):
        rows = connection.execute(
            f"SELECT practice_code, {kind}_code, CASE WHEN age IS NULL THEN '{UNKNOWN}' {cases} "
            f"ELSE '{youngest}' END AS band, count(*) FROM features GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    counts: dict[tuple[str, ...], int] = {}
    areas: dict[str, str] = {}
    for practice, area, band, people in rows:
        areas[str(practice)] = str(area)
        counts[str(practice), str(band)] = int(people)
    codes = sorted({*names, *areas.values()})
    release = _release(run, counts, areas, codes, ages_from)
    shown = publish_for_site(site, release, policy).counts

    def at(code: str) -> AreaProfile:
        held = [practice for practice, area in areas.items() if code in (WHOLE, area)]
        older = tuple(shown[SEPARATOR.join((RELEASE, code, _from(age)))] for age in ages_from)
        people = shown[SEPARATOR.join((RELEASE, code, WHOLE))]
        name = "All" if code == WHOLE else names.get(code, code)
        return AreaProfile("" if code == WHOLE else code, name, len(held), people, older)

    return Profile(kind, tuple(ages_from), tuple(at(code) for code in codes), at(WHOLE))


def _release(
    run: Run,
    counts: Mapping[tuple[str, ...], int],
    areas: Mapping[str, str],
    codes: Sequence[str],
    ages_from: Sequence[int],
) -> Release:
    """Areas by age, with practices below them: not shown, but protected, because areas of two kinds overlap."""
    places = Hierarchy({**areas, **dict.fromkeys(codes, WHOLE)})
    cells, relations = cross_table(RELEASE, counts, [places, _age_hierarchy(ages_from)])
    hidden = set(areas)
    shown = tuple(
        replace(cell, is_shown=False) if cell.name.split(SEPARATOR)[1] in hidden else cell for cell in cells
    )
    return Release(RELEASE, run.as_of, shown, relations)


def _age_hierarchy(ages_from: Sequence[int]) -> Hierarchy:
    """65 and over holds 65 to 74 and 75 and over, and so on; the youngest and unknown ages stand beside."""
    parents = {_band(0, ages_from[0]): WHOLE, UNKNOWN: WHOLE}
    above = WHOLE
    for age, end in _ages(ages_from):
        parents[_from(age)] = above
        above = _from(age)
        if end is not None:
            parents[_band(age, end)] = above
    return Hierarchy(parents)


def _ages(ages_from: Sequence[int]) -> list[tuple[int, int | None]]:
    """Each age with the next one, youngest first; the last has no end."""
    return list(zip(ages_from, [*ages_from[1:], None], strict=True))


def _from(age: int) -> str:
    return f"{age} and over"


def _band(start: int, end: int | None) -> str:
    """The name of an age band in completed years.

    >>> _band(0, 65), _band(65, 75), _band(85, None)
    ('under 65', '65 to 74', '85 and over')
    """
    if end is None:
        return _from(start)
    return f"{start} to {end - 1}" if start else f"under {end}"
