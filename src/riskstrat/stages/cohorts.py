"""Cohorts: who matches each definition, ranked, with the reasons in plain English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from riskstrat.definitions.cohorts import PLACEHOLDER, Cohort
from riskstrat.engines.duckdb import literal, quoted
from riskstrat.stages.context import Context

RANKING_VIEW = "ranked_features"


def cohorts(context: Context) -> None:
    """Leave ``cohort_members`` (cohort, person_id, rank, score, reasons) and one Parquet file a cohort.

    Includes are true only when true, excludes remove only when true; people whom the rules could not decide are
    counted in the manifest. People added by hand stay, whatever the rules say, and are marked.
    """
    engine = context.engine
    engine.execute(
        f"CREATE VIEW {RANKING_VIEW} AS SELECT features.*, scores.score, scores.score AS risk_score "
        "FROM features JOIN scores ON scores.person_id = features.person_id"
    )
    engine.execute(
        "CREATE TABLE cohort_members (cohort VARCHAR, person_id VARCHAR, rank INTEGER, score BIGINT, reasons VARCHAR)"
    )
    folder = context.building / "cohorts"
    folder.mkdir()
    sizes: dict[str, int] = {}
    undecided: dict[str, int] = {}
    types = {column.name: column.type for column in context.library.contracts["features"].columns}
    for name, cohort in context.library.cohorts.items():
        engine.execute(f"INSERT INTO cohort_members {_members(cohort, context, types)}")
        engine.export(
            f"SELECT person_id, rank, score, reasons FROM cohort_members WHERE cohort = {literal(name)} ORDER BY rank",
            folder / f"{name}.parquet",
        )
        sizes[name] = int(
            engine.rows(f"SELECT count(*) FROM cohort_members WHERE cohort = {literal(name)}")[0][0]
        )
        undecided[name] = int(engine.rows(f"SELECT count(*) FROM features WHERE {_undecided(cohort)}")[0][0])
    context.manifest["cohorts"] = sizes
    context.manifest["cohorts_undecided"] = undecided


def _matches(cohort: Cohort) -> str:
    included = [f"COALESCE(({rule}), FALSE)" for rule in cohort.include]
    excluded = [f"NOT COALESCE(({rule}), FALSE)" for rule in cohort.exclude]
    return " AND ".join([*included, *excluded])


def _undecided(cohort: Cohort) -> str:
    """No rule says no, no exclusion says yes, and at least one rule does not know."""
    possible = [f"COALESCE(({rule}), TRUE)" for rule in cohort.include]
    possible += [f"NOT COALESCE(({rule}), FALSE)" for rule in cohort.exclude]
    unknown = [f"({rule}) IS NULL" for rule in (*cohort.include, *cohort.exclude)]
    return f"{' AND '.join(possible)} AND ({' OR '.join(unknown)}) AND NOT ({_matches(cohort)})"


def _members(cohort: Cohort, context: Context, types: Mapping[str, str]) -> str:
    order = ", ".join(
        f"{quoted(item.column)} {'DESC' if item.descending else 'ASC'} NULLS LAST" for item in cohort.rank_by
    )
    by_rule = [_reason(template, types) for template in cohort.reasons]
    reasons = ", ".join(["CASE WHEN is_added_by_hand THEN 'added by a professional' END", *by_rule])
    return (
        f"WITH added AS ({_added_by_hand(cohort, context)}), "
        f"judged AS (SELECT {RANKING_VIEW}.*, {_matches(cohort)} AS is_matched, "
        f"added.person_id IS NOT NULL AS is_added_by_hand FROM {RANKING_VIEW} "
        f"LEFT JOIN added ON added.person_id = {RANKING_VIEW}.person_id) "
        f"SELECT {literal(cohort.name)}, person_id, "
        f"CAST(row_number() OVER (ORDER BY {order}, person_id) AS INTEGER), score, "
        f"NULLIF(concat_ws('; ', {reasons}), '') FROM judged WHERE is_matched OR is_added_by_hand"
    )


def _added_by_hand(cohort: Cohort, context: Context) -> str:
    if "manual_additions" not in context.library.contracts:
        return "SELECT CAST(NULL AS VARCHAR) AS person_id WHERE FALSE"
    return (
        "SELECT DISTINCT person_keys.person_id FROM manual_additions "
        "JOIN person_keys ON person_keys.person = manual_additions.person "
        f"WHERE manual_additions.cohort = {literal(cohort.name)} "
        f"AND manual_additions.added_on < DATE '{context.as_of}'"
    )


def _reason(template: str, types: Mapping[str, str]) -> str:
    """SQL for one sentence; NULL where a feature in it is unknown."""
    parts = []
    for place, part in enumerate(re.split(PLACEHOLDER, template)):
        if place % 2 == 0:
            parts += [literal(part)] if part else []
        else:
            written = quoted(part)
            if types.get(part) == "date":
                written = f"strftime({written}, '%-d %B %Y')"
            parts.append(f"CAST({written} AS VARCHAR)")
    return " || ".join(parts)
