"""What each rule of a cohort or a condition answers for one person, and why the person is a member or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from riskstrat.reading.decision import DECISION, decide
from riskstrat.reading.explaining import KEY
from riskstrat.reading.published import Criteria, Rule
from riskstrat.runs import Run
from riskstrat.sqltext import literal

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"


@dataclass(frozen=True)
class Answer:
    """What one rule answers; ``kind`` is include, exclude or gap. ``values`` are the features that it reads.

    ``answer`` is passed (an exclude rule: not excluded), failed or unknown. An unknown exclude rule removes nobody.
    """

    kind: str
    rule: Rule
    answer: str
    values: Mapping[str, Any]
    name: str | None = None


@dataclass(frozen=True)
class Verdict:
    """One person and one cohort; ``why`` are sentences, the decisive one first."""

    is_member: bool
    why: tuple[str, ...]
    answers: tuple[Answer, ...]


def judge_person(
    connection: duckdb.DuckDBPyConnection, run: Run, criteria: Criteria, features: Mapping[str, Any]
) -> Verdict:
    """Every rule's answer for the person whose ``features`` these are, over a run that is open."""
    decide(connection, run, criteria)
    cursor = connection.execute(f"FROM {DECISION} WHERE {KEY} = {literal(str(features[KEY]))}")
    names = [str(column[0]) for column in cursor.description or ()]
    found = dict(zip(names, cursor.fetchall()[0], strict=True))
    answers = [
        _answer("include", rule, found[f"include_{place}"], features)
        for place, rule in enumerate(criteria.include, 1)
    ]
    answers += [
        _answer("exclude", rule, _opposite(found[f"exclude_{place}"]), features)
        for place, rule in enumerate(criteria.exclude, 1)
    ]
    answers += [
        _answer("gap", rule, found[f"gap_{place}"], features, name)
        for place, (name, rule) in enumerate(criteria.gaps, 1)
    ]
    return Verdict(bool(found["is_member"]), tuple(_why(criteria, found, answers)), tuple(answers))


def shown_value(value: Any) -> str:
    """A feature's value in a sentence; unknown is said.

    >>> shown_value(None), shown_value(True), shown_value(0.25)
    ('unknown', 'yes', '0.25')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _answer(
    kind: str, rule: Rule, answer: bool | None, features: Mapping[str, Any], name: str | None = None
) -> Answer:
    word = UNKNOWN if answer is None else PASSED if answer else FAILED
    return Answer(kind, rule, word, {column: features[column] for column in rule.columns}, name)


def _why(criteria: Criteria, found: Mapping[str, Any], answers: list[Answer]) -> list[str]:
    why = ["a professional added the person by hand"] if found["is_added"] else []
    if criteria.undecidable:
        return [*why, f"the rules cannot decide: {criteria.undecidable}"]
    if found["is_matched"]:
        return [*why, _place(criteria, found) if criteria.top_n else "every rule is met"]
    failed = [one for one in answers if one.answer == FAILED and one.kind != "gap"]
    unknown = [one for one in answers if one.answer == UNKNOWN and one.kind == "include"]
    if found["is_undecided"]:
        return [*why, f"undecided: unknown is {_listed(unknown)}"]
    return why + [
        f"excluded by {one.rule.text}" if one.kind == "exclude" else f"not met: {one.rule.text}"
        for one in failed
    ]


def _place(criteria: Criteria, found: Mapping[str, Any]) -> str:
    top = criteria.top_n
    if top is None or found["place"] is None:
        return "every rule is met"
    area = f"{top.per.removesuffix('_code')} {found['area']}"
    if found["place"] <= top.people:
        return f"every rule is met, and number {found['place']} of {area} is among its first {top.people}"
    return f"every rule is met, but number {found['place']} of {area} is not among its first {top.people}"


def _listed(answers: list[Answer]) -> str:
    return "; ".join(one.rule.text for one in answers)
