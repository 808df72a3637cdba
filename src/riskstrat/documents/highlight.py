"""The monthly highlight report of a neighbourhood: its figures, in every section, beside places for its own words.

Every figure is published for all neighbourhoods at once and shown for one, so that the reports of two neighbourhoods
cannot be set against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.dates import months_before
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.issued import HighlightLayout
from riskstrat.disclosure.release import SEPARATOR, WHOLE, Cell, Rate, Relation, Release, cross_table, flat
from riskstrat.disclosure.store import publish_for_site
from riskstrat.documents.page import Page, Part
from riskstrat.documents.profile import profile_of
from riskstrat.documents.tables import NONE, Table, change, counted, share
from riskstrat.errors import MisuseError, NothingPublishedError
from riskstrat.reading.decision import members_of
from riskstrat.reading.failures import reading
from riskstrat.reading.published import read_cohort
from riskstrat.runs import Run, list_runs, open_run
from riskstrat.site import Site
from riskstrat.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

Counts = dict[str, int]


@dataclass(frozen=True)
class Month:
    """The run that ends a month and the newest at least a month older; None where nothing that old is published."""

    now: Run
    before: Run | None


@dataclass(frozen=True)
class Report:
    """What a highlight report is made from. ``names`` are all neighbourhoods by code, ``area`` the one it is about."""

    site: Site
    month: Month
    layout: HighlightLayout
    policy: Policy
    names: Mapping[str, str]
    area: str
    ages_from: tuple[int, ...]


def month_of(output: Path, now: Run) -> Month:
    """The month that ends with a run."""
    start = months_before(now.as_of, 1)
    earlier = [run for run in list_runs(output) if run.as_of <= start]
    return Month(now, earlier[-1] if earlier else None)


def end_of_month(output: Path, month: str) -> Run:
    """The newest run that was made for a day of ``month`` (YYYY-MM) or for the first day of the next.

    Raises MisuseError for what is no month, NothingPublishedError where there is none.
    """
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise MisuseError(f"'{month}' is no month.", column="--month", remedy="write YYYY-MM.") from None
    following = months_before(first, -1)
    found = [run for run in list_runs(output) if first < run.as_of <= following]
    if not found:
        raise NothingPublishedError(
            f"no run was published for {month}.", remedy="see: riskstrat runs list, or leave --month out."
        )
    return found[-1]


def highlight(report: Report) -> Page:
    """The whole report. Raises MisuseError for an unknown neighbourhood, NotPermittedError as the gate does."""
    if report.area not in report.names:
        raise MisuseError(
            f"'{report.area}' is no neighbourhood of the run.",
            column="--area",
            remedy=f"use one of {', '.join(report.names)}.",
        )
    month, layout = report.month, report.layout
    makers: dict[str, Callable[[Report], Table | None]] = {
        "people": _people,
        "cohorts": _cohorts,
        "measures": _measures,
        "lists": _lists,
        "data": _data,
    }
    parts = []
    for section in layout.sections:
        tables = tuple(table for kind in section.figures if (table := makers[kind](report)) is not None)
        parts.append(Part(section.title, tables, section.prompt))
    before = f", beside {_day(month.before.as_of)}" if month.before else ""
    subtitle = f"{report.names[report.area]} ({report.area}), as of {_day(month.now.as_of)}{before}"
    return Page(layout.title, subtitle, tuple(parts), _footer(report))


def _footer(report: Report) -> tuple[str, ...]:
    hidden = f" * is a number that is hidden ({report.policy.title})." if report.policy.hides else ""
    runs = [report.month.now.id, *([report.month.before.id] if report.month.before else [])]
    return (
        f"Figures are computed from run {' and '.join(runs)}; the words are the neighbourhood's own.{hidden}",
        "Figures describe who is on which list. They say nothing about what caused a change.",
    )


def _people(report: Report) -> Table:
    found = {}
    for run in _runs(report):
        with _opened(report, run) as connection:
            found[run] = profile_of(
                *(report.site, run, connection, report.policy),
                kind="neighbourhood",
                ages_from=report.ages_from,
                names=report.names,
            )
    labels = ["Registered people", *(f"aged {age} and over" for age in report.ages_from)]
    rows = []
    for place, label in enumerate(labels):
        values = []
        for run in _runs(report):
            area = next(one for one in found[run].areas if one.code == report.area)
            values.append(area.people if place == 0 else area.older[place - 1])
        rows.append((label, *_now_and_before(values)))
    return Table("People", ("", *_dated(report)), tuple(rows), "Counted where they are registered.")


def _cohorts(report: Report) -> Table:
    rows = []
    for name in report.layout.cohorts:
        values = [_members(report, run, name) for run in _runs(report)]
        title = str(read_cohort(report.month.now, name).about["title"])
        rows.append((f"{title} ({name})", *_now_and_before(values)))
    return Table("People of each cohort", ("Cohort", *_dated(report)), tuple(rows))


def _members(report: Report, run: Run, cohort: str) -> int | None:
    """People of a cohort in the area, as they may be shown; a cohort that a run does not have is not counted."""
    if cohort not in run.cohorts():
        return None
    select = (
        f"SELECT features.neighbourhood_code, count(*) FROM {members_of(run, cohort)} AS members "
        "JOIN features USING (person_id) GROUP BY features.neighbourhood_code"
    )
    return _counted(report, run, f"people of {cohort} by neighbourhood", select)


def _lists(report: Report) -> Table | None:
    """Who is on each list now, and who came on it for the first time in the month."""
    now = report.month.now
    lists: Mapping[str, Any] = now.manifest.get("lists", {})
    since = months_before(now.as_of, 1)
    rows = []
    for name, about in lists.items():
        listed = (
            f"SELECT features.neighbourhood_code, count(*) FROM {_file(now, f'{name}.parquet')} AS listed "
            "JOIN features USING (person_id) WHERE listed.rank IS NOT NULL GROUP BY features.neighbourhood_code"
        )
        first = (
            f"SELECT features.neighbourhood_code, count(*) FROM {_file(now, 'memory.parquet')} AS memory "
            f"JOIN features USING (person_id) WHERE memory.list = {literal(name)} "
            f"AND memory.first_listed > DATE '{since}' GROUP BY features.neighbourhood_code"
        )
        rows.append(
            (
                str(about["title"]),
                counted(_counted(report, now, f"people on {name} by neighbourhood", listed)),
                counted(
                    _counted(report, now, f"people first on {name} within a month by neighbourhood", first)
                ),
            )
        )
    if not rows:
        return None
    columns = ("List", "On the list now", f"First listed after {_day(since)}")
    return Table("People on the lists", columns, tuple(rows), "People who are still registered here.")


def _measures(report: Report) -> Table | None:
    """Numerators and denominators of the run's measures; a share is of the numbers that are shown."""
    now = report.month.now
    published = now.folder.resolve() / "measures.parquet"
    if not published.is_file():
        return None
    with _opened(report, now) as connection, reading(now):
        found = connection.execute(
            "SELECT cohort_or_list, measure, area_code, numerator, denominator, window_from, window_to "
            f"FROM read_parquet({literal(str(published))}) WHERE kind = 'cohort' AND area_kind = 'neighbourhood'"
        ).fetchall()
    by_place = {row[:3]: row[3:] for row in found}
    rows = []
    for cohort in report.layout.cohorts:
        for measure, title in report.layout.measures.items():
            of = {code: by_place.get((cohort, measure, code)) for code in report.names}
            counted_at = next((row for row in of.values() if row is not None), None)
            if counted_at is None:
                continue
            parts = {code: (int(row[0]), int(row[1])) if row else (0, 0) for code, row in of.items()}
            numerator, denominator, percentage = _rate(report, f"{measure} of {cohort}", parts)
            start, end = counted_at[2:4]
            window = f"{_day(start)} to {_day(end)}" if start else f"on {_day(now.as_of)}"
            rows.append((cohort, title, counted(numerator), counted(denominator), percentage, window))
    if not rows:
        return None
    columns = ("Cohort", "Measure", "People", "Of", "Share", "Counted")
    note = "Of: the people of the cohort of whom it is known. The last day of a window is not counted."
    return Table("Coverage", columns, tuple(rows), note, (False, False, True, True, True, False))


def _rate(
    report: Report, name: str, parts: Mapping[str, tuple[int, int]]
) -> tuple[int | None, int | None, str]:
    """A numerator, its denominator and the share in the area, all neighbourhoods published together."""
    done, of = f"{name} by neighbourhood", f"{name} by neighbourhood, of"
    cells: list[Cell] = []
    relations: list[Relation] = []
    for table, place in ((done, 0), (of, 1)):
        made = cross_table(table, {(code,): pair[place] for code, pair in parts.items()}, [flat(parts)])
        cells += made[0]
        relations += made[1]
    rates = tuple(
        Rate(f"{name} | {code}", f"{done}{SEPARATOR}{code}", f"{of}{SEPARATOR}{code}")
        for code in (*parts, WHOLE)
    )
    release = Release(name, report.month.now.as_of, tuple(cells), tuple(relations), rates)
    shown = publish_for_site(report.site, release, report.policy).counts
    numerator = shown[f"{done}{SEPARATOR}{report.area}"]
    denominator = shown[f"{of}{SEPARATOR}{report.area}"]
    return numerator, denominator, share(numerator, denominator)


def _data(report: Report) -> Table:
    """What came in: facts about files and rows, none about people."""
    manifest = report.month.now.manifest
    rows = []
    for name, about in sorted(manifest["extracts"].items()):
        books = manifest["conservation"].get(name, {})
        read = int(books.get("read", 0))
        rows.append(
            (
                name,
                str(about["newest_delivery"]) if about["present"] else "not delivered",
                f"{read:,}" if about["present"] else NONE,
                f"{100 * int(books.get('quarantined', 0)) / read:.1f}%" if read else NONE,
            )
        )
    unknown = ", ".join(sorted(manifest["unknown_features"]))
    note = f"Unknown for everybody or for some: {unknown}." if unknown else "Every feature is known."
    return Table("Data", ("Extract", "Newest delivery", "Rows", "Turned away"), tuple(rows), note)


def _counted(report: Report, run: Run, name: str, select: str) -> int | None:
    """A count of people by neighbourhood, published for all of them; that of the area."""
    with _opened(report, run) as connection, reading(run):
        found: Counts = {str(code): int(count) for code, count in connection.execute(select).fetchall()}
    people = dict.fromkeys(report.names, 0) | found
    cells, relations = cross_table(name, {(code,): count for code, count in people.items()}, [flat(people)])
    release = Release(name, run.as_of, cells, relations)
    return publish_for_site(report.site, release, report.policy).counts[f"{name}{SEPARATOR}{report.area}"]


@contextmanager
def _opened(report: Report, run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_run(run, report.site.threads) as connection:
        yield connection


def _file(run: Run, name: str) -> str:
    return f"read_parquet({literal(str(run.folder.resolve() / 'lists' / name))})"


def _runs(report: Report) -> list[Run]:
    return [run for run in (report.month.before, report.month.now) if run is not None]


def _dated(report: Report) -> tuple[str, ...]:
    dates = [_day(run.as_of) for run in _runs(report)]
    return (*dates, "Change") if len(dates) == 2 else tuple(dates)


def _now_and_before(values: list[int | None]) -> tuple[str, ...]:
    if len(values) == 1:
        return (counted(values[0]),)
    return counted(values[0]), counted(values[1]), change(values[0], values[1])


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
