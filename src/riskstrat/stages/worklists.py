"""Worklists: one file a neighbourhood and cohort, empty ones included, so that a team sees that there is nobody."""

from __future__ import annotations

from typing import Any

from riskstrat.definitions.cohorts import Cohort
from riskstrat.sqltext import FORMULA_START, literal, quoted
from riskstrat.stages.context import Context

# Columns that stand in the lists of those cohorts only that have something to say in them.
GAPS = "gaps"


def worklists(context: Context) -> None:
    """Write ``worklists/NEIGHBOURHOOD_CODE/COHORT.csv`` and count people by neighbourhood in the manifest."""
    engine = context.engine
    names = context.definitions.geography.neighbourhoods_on(context.as_of)
    people = dict(
        engine.rows("SELECT neighbourhood_code, count(*) FROM features GROUP BY neighbourhood_code")
    )
    engine.execute(_listed_table(context))
    sizes = {
        (code, cohort): int(count)
        for code, cohort, count in engine.rows(
            "SELECT neighbourhood_code, cohort, count(*) FROM worklist_rows GROUP BY neighbourhood_code, cohort"
        )
    }
    neighbourhoods: dict[str, Any] = {}
    for code, name in names.items():
        folder = context.building / "worklists" / code
        folder.mkdir(parents=True)
        entry: dict[str, Any] = {
            "name": name,
            "people": int(people.get(code, 0)),
            "cohorts": {},
            "worklists": {},
        }
        for cohort, definition in context.definitions.cohorts.items():
            path = folder / f"{cohort}.csv"
            columns = ", ".join(quoted(column) for column in worklist_columns(context, definition))
            engine.execute(
                f"COPY (SELECT {columns} FROM worklist_rows WHERE cohort = {literal(cohort)} "
                f"AND neighbourhood_code = {literal(code)} ORDER BY cohort_rank) TO {literal(str(path))} "
                "(FORMAT csv, HEADER true)"
            )
            entry["cohorts"][cohort] = sizes.get((code, cohort), 0)
            entry["worklists"][cohort] = path.relative_to(context.building).as_posix()
        neighbourhoods[code] = entry
    context.manifest["neighbourhoods"] = neighbourhoods


def worklist_columns(context: Context, cohort: Cohort) -> list[str]:
    """The columns of a cohort's lists: those of every list (``gaps`` where it has some), then its own."""
    usual = context.definitions.worklist_layout.columns
    columns = [name for name in usual if name != GAPS or cohort.gaps]
    return list(dict.fromkeys([*columns, *cohort.columns]))


def _listed_table(context: Context) -> str:
    """Every member with rank in the neighbourhood, rank in the cohort, and text that no spreadsheet would run.

    In the order of the lists, so that writing one list does not read all of them.
    """
    capacities = ", ".join(
        f"({literal(name)}, CAST({cohort.capacity or 'NULL'} AS INTEGER))"
        for name, cohort in context.definitions.cohorts.items()
    )
    wanted = {
        "neighbourhood_code",
        *(name for one in context.definitions.cohorts.values() for name in worklist_columns(context, one)),
    }
    features = [
        f"{_cell(f'features.{quoted(column.name)}', column.type)} AS {quoted(column.name)}"
        for column in context.definitions.contracts["features"].columns
        if column.name in wanted
    ]
    limits = capacities or "(CAST(NULL AS VARCHAR), CAST(NULL AS INTEGER))"
    return (
        "CREATE TABLE worklist_rows AS WITH capacities(cohort, capacity) AS "
        f"(VALUES {limits}), placed AS (SELECT cohort_members.cohort, cohort_members.rank AS cohort_rank, "
        f"cohort_members.score, {_cell('cohort_members.reasons', 'text')} AS reasons, "
        f"{_cell('cohort_members.gaps', 'text')} AS gaps, cohort_members.is_manual_addition, "
        "row_number() OVER (PARTITION BY cohort_members.cohort, features.neighbourhood_code "
        "ORDER BY cohort_members.rank) AS rank, "
        "row_number() OVER (PARTITION BY cohort_members.cohort, features.neighbourhood_code, "
        "cohort_members.is_manual_addition ORDER BY cohort_members.rank) AS place, "
        f"{', '.join(features)} FROM cohort_members "
        "JOIN features ON features.person_id = cohort_members.person_id) "
        # a professional's addition is within capacity and takes nobody's place
        "SELECT placed.* EXCLUDE (place), placed.is_manual_addition "
        "OR placed.place <= COALESCE(capacities.capacity, placed.place) AS within_capacity "
        "FROM placed JOIN capacities ON capacities.cohort = placed.cohort "
        "ORDER BY placed.cohort, placed.neighbourhood_code, placed.rank"
    )


def _cell(column: str, kind: str) -> str:
    """SQL for a cell of a file that somebody will open in a spreadsheet."""
    if kind != "text":
        return column
    formula = f"regexp_matches({column}, {literal(FORMULA_START)})"
    return f"CASE WHEN {formula} THEN {literal(chr(39))} || {column} ELSE {column} END"
