"""Counting: who is in a cohort or was on a list, what came back about them, and of how many each measure is true.

A measure is true, false or cannot be decided for each person. Who cannot be decided is counted apart: nobody is taken
for not seen because nobody said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from riskstrat.dates import months_before
from riskstrat.definitions.measures import AREA_COLUMNS, Kind
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.measures.columns import COME_BACK, OF_LISTS, QUESTIONS, Compiled, Vocabulary
from riskstrat.measures.intervals import median, median_interval, wilson
from riskstrat.sqltext import literal, quoted

ALL = "all"
RETURNS, LISTED, EXTRACTS = "measured_returns", "measured_memory", "measured_extracts"
COLUMNS = (
    *(
        ("cohort_or_list", "VARCHAR"),
        ("area_kind", "VARCHAR"),
        ("area_code", "VARCHAR"),
        ("measure", "VARCHAR"),
    ),
    *(("numerator", "BIGINT"), ("denominator", "BIGINT"), ("share", "DOUBLE"), ("low", "DOUBLE")),
    *(("high", "DOUBLE"), ("window_from", "DATE"), ("window_to", "DATE"), ("as_of", "DATE")),
    *(("kind", "VARCHAR"), ("undecided", "BIGINT"), ("median_days", "DOUBLE"), ("returns_from", "DATE")),
)


@dataclass(frozen=True)
class Counting:
    """What is counted from: an engine with ``features``, ``cohort_members``, and the three tables named above.

    ``lists`` is each list's kind of area, ``area_kinds`` those by which cohorts are counted.
    """

    engine: DuckDBEngine
    vocabulary: Vocabulary
    as_of: date
    confidence: float
    area_kinds: Sequence[str]
    lists: Mapping[str, str]

    def rows(self, kind: Kind, measures: Sequence[Compiled]) -> Iterator[tuple[Any, ...]]:
        """The rows of the table about all cohorts, or all lists, in the order of COLUMNS."""
        windows = dict.fromkeys(one.measure.window_months for one in measures)
        for window in windows:
            chosen = [one for one in measures if one.measure.window_months == window]
            start = None if window is None else months_before(self.as_of, window)
            people = f"measured_{kind}_people"
            self.engine.create(people, self._people(kind, chosen, start))
            for group in self._groups(kind):
                counted = [one for one in chosen if one.measure.median_of is None]
                yield from self._shares(kind, people, counted, group, start)
                for one in chosen:
                    if one.measure.median_of is not None:
                        yield from self._medians(kind, people, one, group, start)
            self.engine.execute(f"DROP TABLE {people}")

    def _groups(self, kind: Kind) -> list[tuple[str, str]]:
        """Kind of area and the SQL of its code: all areas together, then each kind."""
        if kind == "list":
            return [(ALL, "CAST(NULL AS VARCHAR)"), ("", "area_code")]
        return [
            (ALL, "CAST(NULL AS VARCHAR)"),
            *((name, quoted(AREA_COLUMNS[name])) for name in self.area_kinds),
        ]

    def _people(self, kind: Kind, measures: Sequence[Compiled], start: date | None) -> str:
        """SQL: one row a person and cohort or list, with a column for each measure, and since when lists come back."""
        first = start or self.as_of
        base = self._members() if kind == "cohort" else self._listed(start)
        features = ", ".join(f"features.{quoted(name)}" for name in self.vocabulary.features)
        delivered = ", ".join(f"{EXTRACTS}.{quoted(name)}" for name in self.vocabulary.delivered)
        values = [f"{self._value(one)} AS {quoted(one.measure.name)}" for one in measures]
        areas = [quoted(column) for column in AREA_COLUMNS.values()]
        return (
            f"WITH base AS ({base}), since AS ({self._since(kind, first)}), "
            f"returned AS ({self._returned(kind, first)}), "
            f"told AS (SELECT base.name, base.area_code AS list_area, base.returns_from, {self._told(kind)}, "
            f"{features}, {delivered}, features.person_id IS NOT NULL AS is_in_population "
            f"FROM (SELECT base.*, {self._earliest(kind)} AS returns_from FROM base) AS base "
            f"CROSS JOIN {EXTRACTS} LEFT JOIN features ON features.person_id = base.person_id "
            f"LEFT JOIN returned ON returned.person_id = base.person_id{self._same_list(kind, 'returned')}) "
            f"SELECT name, list_area AS area_code, {', '.join(areas)}, returns_from, {', '.join(values)} "
            "FROM told AS features"
        )

    def _members(self) -> str:
        return (
            "SELECT cohort_members.cohort AS name, cohort_members.person_id, CAST(NULL AS VARCHAR) AS area_code, "
            "features.neighbourhood_code, features.practice_code, CAST(NULL AS DATE) AS first_listed, "
            "CAST(NULL AS DATE) AS last_listed FROM cohort_members "
            "JOIN features ON features.person_id = cohort_members.person_id"
        )

    def _listed(self, start: date | None) -> str:
        """Whoever was on a list before as_of and in the window, or is on tonight's; each in the area of the latest."""
        known = ", ".join(literal(name) for name in self.lists) or "NULL"
        tonight = f"last_listed = {_day(self.as_of)}"
        before = f"first_listed < {_day(self.as_of)} AND last_listed >= {_day(start)}" if start else tonight
        return (
            "SELECT name, person_id, area_code, CAST(NULL AS VARCHAR) AS neighbourhood_code, "
            "CAST(NULL AS VARCHAR) AS practice_code, first_listed, last_listed FROM ("
            "SELECT list AS name, person_id, area_code, min(first_listed) OVER whole AS first_listed, "
            "max(last_listed) OVER whole AS last_listed, "
            "row_number() OVER (PARTITION BY list, person_id ORDER BY last_listed DESC, area_code) AS place "
            f"FROM {LISTED} WHERE list IN ({known}) WINDOW whole AS (PARTITION BY list, person_id)"
            f") AS placed WHERE place = 1 AND {before}"
        )

    def _since(self, kind: Kind, first: date) -> str:
        """Since which list of the window an area sends lists back."""
        listed = "list" if kind == "list" else "CAST(NULL AS VARCHAR)"
        return (
            f"SELECT {listed} AS name, area_code, min(list_as_of) AS returns_from FROM {RETURNS} "
            f"WHERE outcome_date >= {_day(first)} GROUP BY ALL"
        )

    def _earliest(self, kind: Kind) -> str:
        """SQL: since when the lists of the person's area come back, NULL where they do not."""
        if kind == "list":
            return (
                "(SELECT min(since.returns_from) FROM since WHERE since.name = base.name "
                "AND since.area_code = base.area_code AND since.returns_from <= base.last_listed)"
            )
        return (
            "(SELECT min(since.returns_from) FROM since "
            "WHERE since.area_code IN (base.neighbourhood_code, base.practice_code))"
        )

    def _returned(self, kind: Kind, first: date) -> str:
        """SQL: what came back about each person, on the one list or on any."""
        vocabulary = self.vocabulary
        answered = ", ".join(QUESTIONS)
        reached = ", ".join(literal(name) for name in vocabulary.reached) or "NULL"
        flags = {
            **{f"outcome_{name}": f"outcome = {literal(name)}" for name in vocabulary.outcomes},
            **{
                f"referred_{name}": f"COALESCE(referred_to = {literal(name)}, FALSE)"
                for name in vocabulary.referrals
            },
            "is_reached": f"COALESCE(outcome IN ({reached}), FALSE)",
            "is_referred": "referred_to IS NOT NULL",
            "is_asked": f"COALESCE({answered}) IS NOT NULL",
            "is_given_case_manager": "case_manager IS NOT NULL",
        }
        listed = "list" if kind == "list" else "CAST(NULL AS VARCHAR)"
        chosen = ", ".join(f"bool_or({sql}) AS {quoted(name)}" for name, sql in flags.items())
        return (
            f"SELECT {listed} AS name, person_id, count(*) AS outcomes, {chosen}, min(outcome_date) AS first_outcome "
            f"FROM {RETURNS} WHERE outcome_date >= {_day(first)} GROUP BY ALL"
        )

    def _told(self, kind: Kind) -> str:
        """What came back, NULL where lists do not come back, and nothing where they do and nobody said it."""
        come_back = "base.returns_from IS NOT NULL"
        nothing = {quoted("outcomes"): "0"}
        told = [
            f"CASE WHEN {come_back} THEN COALESCE(returned.{name}, {nothing.get(name, 'FALSE')}) END AS {name}"
            for name in map(quoted, self.vocabulary.returned)
            if name != quoted(COME_BACK)
        ]
        days = "CAST(returned.first_outcome - base.first_listed AS INTEGER)"
        of_lists = {
            "first_listed": "base.first_listed",
            "last_listed": "base.last_listed",
            "days_to_first_outcome": f"CASE WHEN returned.first_outcome >= base.first_listed THEN {days} END",
        }
        if kind == "list":
            told += [f"{of_lists[name]} AS {name}" for name in OF_LISTS]
        return ", ".join([f"{come_back} AS {COME_BACK}", *told])

    def _same_list(self, kind: Kind, table: str) -> str:
        return f" AND {table}.name = base.name" if kind == "list" else ""

    def _value(self, one: Compiled) -> str:
        """SQL of a measure for one person: a flag, or for a median the days, -1 where there are none yet."""
        when = f"({one.when.sql})" if one.when else f"COALESCE({quoted(one.measure.median_of or '')}, -1)"
        conditions = ["is_in_population"] if one.reads_features else []
        if one.known is not None:
            conditions.append(f"({one.known.sql})")
        return f"CASE WHEN {' AND '.join(conditions)} THEN {when} END" if conditions else when

    def _shares(
        self,
        kind: Kind,
        people: str,
        measures: Sequence[Compiled],
        group: tuple[str, str],
        start: date | None,
    ) -> Iterator[tuple[Any, ...]]:
        if not measures:
            return
        area_kind, code = group
        counts = ", ".join(
            f"count(*) FILTER (WHERE {name}), count({name}), count(*) - count({name}), "
            f"min(returns_from) FILTER (WHERE {name} IS NOT NULL)"
            for name in (quoted(one.measure.name) for one in measures)
        )
        where = "" if area_kind == ALL else f" WHERE {code} IS NOT NULL"
        found = self.engine.rows(
            f"SELECT name, {code} AS code, {counts} FROM {people}{where} GROUP BY name, code ORDER BY name, code"
        )
        for name, area, *numbers in found:
            for place, one in enumerate(measures):
                true, decided, undecided, since = numbers[4 * place : 4 * place + 4]
                interval = wilson(true, decided, self.confidence)
                yield self._row(
                    (kind, str(name), area_kind or self.lists.get(str(name), ""), area, one, start),
                    (true, decided, undecided, true / decided if decided else None),
                    interval,
                    since if one.reads_returns else None,
                )

    def _medians(
        self, kind: Kind, people: str, one: Compiled, group: tuple[str, str], start: date | None
    ) -> Iterator[tuple[Any, ...]]:
        area_kind, code = group
        value = quoted(one.measure.name)
        where = "" if area_kind == ALL else f" WHERE {code} IS NOT NULL"
        found = self.engine.rows(
            f"SELECT name, {code} AS code, {value}, returns_from FROM {people}{where} ORDER BY name, code, {value}"
        )
        for (name, area), grouped in groupby(found, key=lambda row: (row[0], row[1])):
            rows = list(grouped)
            decided = [row for row in rows if row[2] is not None]
            days = [row[2] for row in decided if row[2] >= 0]
            yield self._row(
                (kind, str(name), area_kind or self.lists.get(str(name), ""), area, one, start),
                (len(days), len(decided), len(rows) - len(decided), None),
                median_interval(days, self.confidence),
                min((row[3] for row in decided), default=None) if one.reads_returns else None,
                median(days),
            )

    def _row(
        self,
        what: tuple[Kind, str, str, str | None, Compiled, date | None],
        counts: tuple[int, int, int, float | None],
        interval: tuple[float, float] | None,
        returns_from: date | None,
        middle: float | None = None,
    ) -> tuple[Any, ...]:
        kind, name, area_kind, area, one, start = what
        true, decided, undecided, share = counts
        low, high = interval or (None, None)
        end = None if start is None else self.as_of
        return (
            *(
                name,
                area_kind,
                area,
                one.measure.name,
                true,
                decided,
                share,
                low,
                high,
                start,
                end,
                self.as_of,
            ),
            *(kind, undecided, middle, returns_from),
        )


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
