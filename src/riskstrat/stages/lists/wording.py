"""Reasons, gaps and the next action of a person, as SQL over the row that a list shows."""

from __future__ import annotations

from collections.abc import Mapping

from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.list_columns import CONTRACT, QUESTION_COLUMN, condition_columns
from riskstrat.definitions.list_rules import WordingRules
from riskstrat.definitions.reasons import ACTIONABLE, FIXED, GROUPS, ListReason
from riskstrat.language import Expression
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.sentences import SEPARATOR, joined, sentence_sql

MOST_REASONS = 3
MARKS = {FIXED: "f", ACTIONABLE: "a"}  # before a reason while the first three are chosen


def wording_sql(context: Context, rules: WordingRules) -> dict[str, str]:
    """SQL for ``picked_reasons`` and for the columns gaps and suggested_action, by name."""
    columns = condition_columns(
        context.definitions.contracts[FEATURES].columns, context.definitions.contracts[CONTRACT].columns
    )
    types = {name: column.type for name, column in columns.items()}
    unknown = unknown_columns(context)
    reasons = [
        f"CASE WHEN {_guarded(when, unknown)} THEN {literal(_mark(reason))} || {sentence_sql(reason.text, types)} END"
        for reason, when in rules.reasons
    ]
    gaps = [
        f"CASE {_guarded(when, unknown)} WHEN TRUE THEN {literal(gap.text)} "
        f"WHEN FALSE THEN NULL ELSE {literal(gap.unknown)} END"
        for gap, when in rules.gaps
    ]
    return {
        "picked_reasons": f"list_filter([{', '.join(reasons)}], lambda said: said IS NOT NULL)[1:{MOST_REASONS}]",
        "gaps": joined(gaps),
        "suggested_action": _action(context, rules, unknown),
    }


def reasons_of(kind: str) -> str:
    """SQL for the reasons of a kind out of ``picked_reasons``; NULL where there is none."""
    chosen = f"list_filter(picked_reasons, lambda said: said[1] = {literal(MARKS[kind])})"
    texts = f"array_to_string(list_transform({chosen}, lambda said: said[2:]), {literal(SEPARATOR)})"
    return f"NULLIF({texts}, '')"


def _mark(reason: ListReason) -> str:
    return f"{MARKS[reason.kind]}{GROUPS[reason.group]}: "


def _action(context: Context, rules: WordingRules, unknown: Mapping[str, str]) -> str:
    """SQL: what the first situation and the open concerns ask for, else the first gap, else the default. Never NULL."""
    wording = context.definitions.wording
    situations = [
        f"WHEN {_guarded(when, unknown)} THEN {literal(situation.text)}"
        for situation, when in rules.situations
    ]
    now = [f"CASE {' '.join(situations)} END"] if situations else []
    concerns = [
        f"CASE WHEN {QUESTION_COLUMN[action.question]} THEN {literal(action.text)} END"
        for action in wording.actions
    ]
    gaps = [f"CASE WHEN {_guarded(when, unknown)} THEN {literal(gap.action)} END" for gap, when in rules.gaps]
    return f"COALESCE({joined([*now, *concerns])}, {', '.join([*gaps, literal(wording.default_action)])})"


def unknown_columns(context: Context) -> dict[str, str]:
    """Feature -> the extracts that were not delivered, where it is made of no other: empty, it is unknown, not none."""
    extracts = context.manifest["extracts"]
    unknown = {}
    for column in context.definitions.contracts[FEATURES].columns:
        requires = column.about.get("requires", ())
        absent = [name for name in requires if not extracts[name]["present"]]
        if absent and len(absent) == len(requires):
            unknown[column.name] = ", ".join(absent)
    return unknown


def _guarded(when: Expression, unknown: Mapping[str, str]) -> str:
    """SQL for a condition that is unknown where a feature is: no date of an absent extract is no "never"."""
    known = [f"{quoted(name)} IS NOT NULL" for name in when.columns if name in unknown]
    return f"CASE WHEN {' AND '.join(known)} THEN ({when.sql}) END" if known else f"({when.sql})"
