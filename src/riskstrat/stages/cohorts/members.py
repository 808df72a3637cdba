"""The members of one cohort as one SELECT over ``judged``: who, in which order, why, and what they still need."""

from __future__ import annotations

from collections.abc import Mapping

from riskstrat.definitions.cohort_rules import Rules, rank_sql
from riskstrat.definitions.cohorts import PLACEHOLDER, Cohort
from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.rules import ColumnType
from riskstrat.language import Expression
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.cohorts.judging import undecidable_gaps
from riskstrat.stages.context import Context
from riskstrat.stages.sentences import joined, sentence_sql

ADDED_REASON = "added by a professional"


def members(context: Context, cohort: Cohort, rules: Rules, place: int) -> str:
    """SQL for the rows of ``cohort_members`` of the cohort in ``place``.

    Those whom the rules find, of each area the first N where the cohort has a top_n, and everybody added by hand.
    An addition whom no rule finds takes nobody's place among the first N.
    """
    types = {column.name: column.type for column in context.definitions.contracts[FEATURES].columns}
    order = rank_sql(cohort.rank_by)
    is_member = f"found_{place}"
    if cohort.top_n is None:
        within = "TRUE"
    else:
        area = quoted(cohort.top_n.per)
        within = (
            f"row_number() OVER (PARTITION BY {is_member}, {area} ORDER BY {order}) <= {cohort.top_n.people}"
        )
    by_rule = [_reason(text, when, types, is_member) for text, when in rules.reasons]
    reasons = [f"CASE WHEN added_{place} THEN {literal(ADDED_REASON)} END", *by_rule]
    unknown = undecidable_gaps(context, rules)
    gaps = [
        f"CASE WHEN ({gap.sql}) THEN {literal(name)} END" for name, gap in rules.gaps if name not in unknown
    ]
    return (
        f"WITH candidates AS (SELECT *, score AS risk_score FROM judged WHERE {is_member} OR added_{place}), "
        f"found AS (SELECT *, {is_member} AND {within} AS is_within FROM candidates) "
        f"SELECT {literal(cohort.name)}, person_id, CAST(row_number() OVER (ORDER BY {order}) AS INTEGER), score, "
        f"{joined(reasons)}, {joined(gaps)}, added_{place} FROM found WHERE is_within OR added_{place}"
    )


def _reason(template: str, when: Expression | None, types: Mapping[str, ColumnType], is_member: str) -> str:
    """SQL for one sentence; NULL where a feature in it is unknown, or ``when`` is not TRUE.

    A sentence without either repeats the rules, so it is said of nobody whom no rule found.
    """
    if when is None and not PLACEHOLDER.search(template):
        return f"CASE WHEN {is_member} THEN {literal(template)} END"
    said = sentence_sql(template, types)
    return said if when is None else f"CASE WHEN ({when.sql}) THEN {said} END"
