"""People of a cohort by practice, neighbourhood and PCN: one quantity each, however and whenever it is asked for.

The names of the cells are those under which exports give counts by neighbourhood, so that the gate sees what belongs
together: a place that an export hid for the sake of another stays hidden when it is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.release import SEPARATOR, WHOLE, Cell, Relation, Release, cross_table, flat
from riskstrat.disclosure.store import publish_for_site
from riskstrat.site import Site

PRACTICE, NEIGHBOURHOOD, PCN = "practice", "neighbourhood", "pcn"


@dataclass(frozen=True)
class Place:
    """One practice, where it belongs, and how many of its people are in the cohort."""

    practice: str
    neighbourhood: str
    pcn: str
    people: int


def shown_by(
    site: Site, cohort: str, as_of: date, places: Sequence[Place], kind: str, policy: Policy
) -> dict[str, int | None]:
    """Code to people of every place of a kind, as they may be shown; all of a kind leave together.

    ``places`` are all practices of the run, those without members too. Raises NotPermittedError where nothing can be
    shown safely.
    """
    shown = publish_for_site(site, release_by(cohort, as_of, places, kind), policy).counts
    beginning = f"{_name(cohort, kind)}{SEPARATOR}"
    return {
        name.removeprefix(beginning): count
        for name, count in shown.items()
        if name.startswith(beginning) and name != f"{beginning}{WHOLE}"
    }


def release_by(cohort: str, as_of: date, places: Sequence[Place], kind: str) -> Release:
    """Every place of a kind, before anything is hidden."""
    if kind == NEIGHBOURHOOD:
        return _by_neighbourhood(cohort, as_of, places)
    return _by(cohort, as_of, places, kind)


def _name(cohort: str, kind: str) -> str:
    return f"people of {cohort} by {kind}"


def _cell(cohort: str, kind: str, code: str) -> str:
    return f"{_name(cohort, kind)}{SEPARATOR}{code}"


def _by_neighbourhood(cohort: str, as_of: date, places: Iterable[Place]) -> Release:
    people: dict[str, int] = {}
    for place in places:
        people[place.neighbourhood] = people.get(place.neighbourhood, 0) + place.people
    name = _name(cohort, NEIGHBOURHOOD)
    return Release(
        name, as_of, *cross_table(name, {(code,): count for code, count in people.items()}, [flat(people)])
    )


def _by(cohort: str, as_of: date, places: Sequence[Place], kind: str) -> Release:
    """Practices or PCNs, with everything that practices add up to: it is not shown here, and may be elsewhere.

    How many people the cohort has in all is shown wherever a cohort is, and taken as known.
    """
    cells: dict[str, int] = {}
    parts: dict[str, list[str]] = {}
    whole = _cell(cohort, NEIGHBOURHOOD, WHOLE)
    for place in places:
        practice = _cell(cohort, PRACTICE, place.practice)
        cells[practice] = cells.get(practice, 0) + place.people
        for larger, code in ((NEIGHBOURHOOD, place.neighbourhood), (PCN, place.pcn)):
            name = _cell(cohort, larger, code)
            cells[name] = cells.get(name, 0) + place.people
            parts.setdefault(name, []).append(practice)
    cells[whole] = sum(place.people for place in places)
    relations = [Relation(total, tuple(of)) for total, of in parts.items()]
    for larger in (NEIGHBOURHOOD, PCN):
        beginning = _cell(cohort, larger, "")
        relations.append(Relation(whole, tuple(name for name in parts if name.startswith(beginning))))
    shown = _cell(cohort, kind, "")
    return Release(
        _name(cohort, kind),
        as_of,
        tuple(
            Cell(name, count, is_shown=name == whole or name.startswith(shown))
            for name, count in cells.items()
        ),
        tuple(relations),
    )
