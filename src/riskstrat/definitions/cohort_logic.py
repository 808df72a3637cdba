"""What follows from a cohort's rules alone: rules that nobody can pass, that everybody passes, that change nothing.

Only what is proved is said; riskstrat.language.analysis tells which rules it can judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from riskstrat.definitions.cohort_findings import Examined, Finding
from riskstrat.definitions.cohort_rules import Rules
from riskstrat.definitions.cohort_trials import answer_for_nobody_known
from riskstrat.definitions.rules import Column
from riskstrat.language import Expression
from riskstrat.language.analysis import contradiction, holds_without_data, only_outcome, redundant


def contradicting(rules: Rules, columns: Mapping[str, Column]) -> tuple[Expression, ...]:
    """The fewest rules that nobody can pass together; none where somebody could be a member."""
    return contradiction(rules.include, rules.exclude, _types(columns), _allowed(columns)) or ()


def _types(columns: Mapping[str, Column]) -> dict[str, str]:
    return {name: column.sql_type for name, column in columns.items()}


def _allowed(columns: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    return {name: column.allowed for name, column in columns.items() if column.allowed}


def _contradictions(examined: Examined) -> Iterator[Finding]:
    """Rules that leave nobody: the definition is impossible."""
    found = contradicting(examined.rules, examined.columns)
    if not found:
        return
    texts = " / ".join(rule.text for rule in found)
    if len(found) > 1:
        yield examined.finding(
            "error", texts, "nobody can pass these together.", "correct or drop one of them."
        )
    elif _outcome_of_anybody(found[0], examined.columns) == "unknown":
        yield examined.finding("error", texts, "is unknown for everybody.", "ask what a feature can answer.")
    elif found[0] in examined.rules.exclude:
        yield examined.finding("error", texts, "leaves everybody out.", "correct or drop it.")
    else:
        yield examined.finding("error", texts, "can be true for nobody.", "correct or drop it.")


def _outcome_of_anybody(rule: Expression, columns: Mapping[str, Column]) -> str:
    return only_outcome(rule, _types(columns), _allowed(columns)).anybody


def _constant_rules(examined: Examined) -> Iterator[Finding]:
    """Inclusions that everybody passes, and exclusions that leave nobody out."""
    for rule in examined.rules.include:
        outcome = only_outcome(rule, _types(examined.columns), _allowed(examined.columns))
        if outcome.anybody == "true":
            yield examined.finding("warning", rule.text, "is true for everybody.", "correct or drop it.")
        elif outcome.known == "true" and answer_for_nobody_known(rule, examined.columns) is None:
            yield examined.finding(
                "warning",
                rule.text,
                "is true for everybody whose features are known.",
                "write IS NOT NULL where that is what it asks; else correct it.",
            )
    for rule in examined.rules.exclude:
        if contradicting(Rules((rule,), ()), examined.columns):
            yield examined.finding("warning", rule.text, "leaves nobody out.", "correct or drop it.")


def _redundant_rules(examined: Examined) -> Iterator[Finding]:
    """Rules without which the same people would be members."""
    rules = examined.rules
    found = redundant(rules.include, rules.exclude, _types(examined.columns), _allowed(examined.columns))
    for one in found:
        because = " and ".join(rule.text for rule in one.because)
        yield examined.finding(
            "warning", one.rule.text, f"changes nothing beside {because}.", "drop it, or correct one of them."
        )


def _without_data(examined: Examined) -> Iterator[Finding]:
    """Cohorts that would hold somebody of whom nothing is known: unknown is no reason to be listed."""
    rules = examined.rules
    if holds_without_data(rules.include, rules.exclude, _types(examined.columns)):
        yield examined.finding(
            "warning",
            "include",
            "somebody of whom nothing is known would be a member.",
            "add a rule that is true only of what is known, such as age >= 18.",
        )


def _gaps(examined: Examined) -> Iterator[Finding]:
    """Gaps that no member can have, and those that every member has."""
    rules = examined.rules
    if contradicting(rules, examined.columns):
        return
    for name, gap in rules.gaps:
        if contradicting(Rules((*rules.include, gap), rules.exclude), examined.columns):
            yield examined.finding(
                "warning", gap.text, f"no member can have the gap '{name}'.", "correct or drop it."
            )
        elif contradicting(Rules(rules.include, (*rules.exclude, gap)), examined.columns):
            yield examined.finding(
                "warning", gap.text, f"every member has the gap '{name}'.", "say it in a reason instead."
            )


LOGIC: tuple[Callable[[Examined], Iterable[Finding]], ...] = (
    _contradictions,
    _constant_rules,
    _redundant_rules,
    _without_data,
    _gaps,
)
