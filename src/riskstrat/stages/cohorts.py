"""Cohorts: who matches each definition, ranked, with the reasons in plain English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from riskstrat.definitions.cohorts import PLACEHOLDER, Cohort
from riskstrat.definitions.everything import Definitions
from riskstrat.language import compile_expression
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context

RANKING_VIEW = "ranked_features"
MANUAL_ADDITIONS = "manual_additions"


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
    rules = compile_cohorts(context.definitions)
    for name, cohort in context.definitions.cohorts.items():
        engine.execute(f"INSERT INTO cohort_members {_members(cohort, rules[name], context)}")
        engine.export(
            f"SELECT person_id, rank, score, reasons FROM cohort_members WHERE cohort = {literal(name)} ORDER BY rank",
            folder / f"{name}.parquet",
        )
        sizes[name] = int(
            engine.rows(f"SELECT count(*) FROM cohort_members WHERE cohort = {literal(name)}")[0][0]
        )
        undecided[name] = int(
            engine.rows(f"SELECT count(*) FROM features WHERE {rules[name].undecided}")[0][0]
        )
    _warn_of_unknown_cohorts(context)
    context.manifest["cohorts"] = sizes
    context.manifest["cohorts_undecided"] = undecided


def _warn_of_unknown_cohorts(context: Context) -> None:
    """Somebody added to a cohort that the site does not define would be missing without a word."""
    if MANUAL_ADDITIONS not in context.definitions.contracts:
        return
    for name, people in context.engine.rows(
        f"SELECT cohort, count(*) FROM {MANUAL_ADDITIONS} GROUP BY cohort ORDER BY cohort"
    ):
        if name not in context.definitions.cohorts:
            context.warn(
                f"{people} manual additions are for the cohort {name}, which this site does not define."
            )


@dataclass(frozen=True)
class Rules:
    """A cohort's checked rules as SQL conditions over the feature table; each may be NULL for a person."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def matches(self) -> str:
        """Includes hold only when true, excludes remove only when true."""
        included = [f"COALESCE(({rule}), FALSE)" for rule in self.include]
        excluded = [f"NOT COALESCE(({rule}), FALSE)" for rule in self.exclude]
        return " AND ".join([*included, *excluded])

    @property
    def undecided(self) -> str:
        """No rule says no, no exclusion says yes, and at least one rule does not know."""
        possible = [f"COALESCE(({rule}), TRUE)" for rule in self.include]
        possible += [f"NOT COALESCE(({rule}), FALSE)" for rule in self.exclude]
        unknown = [f"({rule}) IS NULL" for rule in (*self.include, *self.exclude)]
        return f"{' AND '.join(possible)} AND ({' OR '.join(unknown)}) AND NOT ({self.matches})"


def compile_cohorts(definitions: Definitions) -> dict[str, Rules]:
    """Check every rule of every cohort against the feature table. Raises DefinitionError with the place."""
    features = definitions.contracts["features"].columns
    columns = {column.name: column.sql_type for column in features}
    allowed = {column.name: column.allowed for column in features if column.allowed}

    def checked(cohort: Cohort, rules: tuple[str, ...]) -> tuple[str, ...]:
        path = definitions.root / "config" / "cohorts" / f"{cohort.name}.yaml"
        return tuple(compile_expression(rule, columns, allowed, file=path).sql for rule in rules)

    return {
        name: Rules(checked(cohort, cohort.include), checked(cohort, cohort.exclude))
        for name, cohort in definitions.cohorts.items()
    }


def _members(cohort: Cohort, rules: Rules, context: Context) -> str:
    types = {column.name: column.type for column in context.definitions.contracts["features"].columns}
    order = ", ".join(
        f"{quoted(item.column)} {'DESC' if item.descending else 'ASC'} NULLS LAST" for item in cohort.rank_by
    )
    by_rule = [_reason(template, types) for template in cohort.reasons]
    reasons = ", ".join(["CASE WHEN is_added_by_hand THEN 'added by a professional' END", *by_rule])
    return (
        f"WITH added AS ({_added_by_hand(cohort, context)}), "
        f"judged AS (SELECT {RANKING_VIEW}.*, {rules.matches} AS is_matched, "
        f"added.person_id IS NOT NULL AS is_added_by_hand FROM {RANKING_VIEW} "
        f"LEFT JOIN added ON added.person_id = {RANKING_VIEW}.person_id) "
        f"SELECT {literal(cohort.name)}, person_id, "
        f"CAST(row_number() OVER (ORDER BY {order}, person_id) AS INTEGER), score, "
        f"NULLIF(concat_ws('; ', {reasons}), '') FROM judged WHERE is_matched OR is_added_by_hand"
    )


def _added_by_hand(cohort: Cohort, context: Context) -> str:
    if MANUAL_ADDITIONS not in context.definitions.contracts:
        return "SELECT CAST(NULL AS VARCHAR) AS person_id WHERE FALSE"
    return (
        f"SELECT DISTINCT person_keys.person_id FROM {MANUAL_ADDITIONS} AS additions "
        "JOIN person_keys ON person_keys.person = additions.person "
        f"WHERE additions.cohort = {literal(cohort.name)} AND additions.added_on < DATE '{context.as_of}'"
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
