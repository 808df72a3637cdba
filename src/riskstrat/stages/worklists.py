"""Worklists: one file a neighbourhood and cohort, empty ones included, so that a team sees that there is nobody."""

from __future__ import annotations

from typing import Any

from riskstrat.sqltext import FORMULA_START, literal, quoted
from riskstrat.stages.context import Context


def worklists(context: Context) -> None:
    """Write ``worklists/NEIGHBOURHOOD_CODE/COHORT.csv`` and count people by neighbourhood in the manifest."""
    engine = context.engine
    names = context.definitions.geography.neighbourhoods_on(context.as_of)
    people = dict(
        engine.rows("SELECT neighbourhood_code, count(*) FROM features GROUP BY neighbourhood_code")
    )
    engine.execute(_listed_view(context))
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
        for cohort in context.definitions.cohorts:
            path = folder / f"{cohort}.csv"
            chosen = f"FROM worklist_rows WHERE cohort = {literal(cohort)} AND neighbourhood_code = {literal(code)}"
            columns = ", ".join(quoted(column) for column in context.definitions.worklist_layout.columns)
            engine.execute(
                f"COPY (SELECT {columns} {chosen} ORDER BY cohort_rank) TO {literal(str(path))} "
                "(FORMAT csv, HEADER true)"
            )
            entry["cohorts"][cohort] = int(engine.rows(f"SELECT count(*) {chosen}")[0][0])
            entry["worklists"][cohort] = path.relative_to(context.building).as_posix()
        neighbourhoods[code] = entry
    context.manifest["neighbourhoods"] = neighbourhoods


def _listed_view(context: Context) -> str:
    """Every member with rank in the neighbourhood, rank in the cohort, and text that no spreadsheet would run."""
    capacities = ", ".join(
        f"({literal(name)}, CAST({cohort.capacity or 'NULL'} AS INTEGER))"
        for name, cohort in context.definitions.cohorts.items()
    )
    features = [
        f"{_cell(f'features.{quoted(column.name)}', column.type)} AS {quoted(column.name)}"
        for column in context.definitions.contracts["features"].columns
    ]
    limits = capacities or "(CAST(NULL AS VARCHAR), CAST(NULL AS INTEGER))"
    return (
        "CREATE TABLE worklist_rows AS WITH capacities(cohort, capacity) AS "
        f"(VALUES {limits}), placed AS (SELECT cohort_members.cohort, cohort_members.rank AS cohort_rank, "
        f"cohort_members.score, {_cell('cohort_members.reasons', 'text')} AS reasons, "
        "row_number() OVER (PARTITION BY cohort_members.cohort, features.neighbourhood_code "
        f"ORDER BY cohort_members.rank) AS rank, {', '.join(features)} FROM cohort_members "
        "JOIN features ON features.person_id = cohort_members.person_id) "
        "SELECT placed.*, placed.rank <= COALESCE(capacities.capacity, placed.rank) AS within_capacity "
        "FROM placed JOIN capacities ON capacities.cohort = placed.cohort"
    )


def _cell(column: str, kind: str) -> str:
    """SQL for a cell of a file that somebody will open in a spreadsheet."""
    if kind != "text":
        return column
    formula = f"regexp_matches({column}, {literal(FORMULA_START)})"
    return f"CASE WHEN {formula} THEN {literal(chr(39))} || {column} ELSE {column} END"
