"""Who entered, left or moved within a cohort between two runs, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from riskstrat.language import ExpressionError
from riskstrat.reading.answers import shown_value
from riskstrat.reading.conditions import rule_of
from riskstrat.reading.decision import added_by_hand, decision_query, members_of, scores_of
from riskstrat.reading.published import Criteria, Rule, definition_path
from riskstrat.runs import Run, feature_types
from riskstrat.sqltext import literal, quoted

ENTERED, LEFT, MOVED = "entered", "left", "moved"
REGISTER = "register.parquet"
NEW_PERSON = "newly in the population"
GONE = "opted out, or no longer in the register"
ADDED, NO_LONGER_ADDED = "added by hand", "no longer added by hand"
DEFINITION = "the definition changed"
PLACES = "the first of the area by rank"
NEVER = Rule("a rule over features that the earlier run does not have", "FALSE", ())


@dataclass(frozen=True)
class Change:
    """One person: ``because`` groups people of one cause, ``why`` tells it with the person's values.

    Ranks are None for a condition, and where the person is no member.
    """

    kind: str
    person_id: str
    rank_before: int | None
    rank_after: int | None
    because: str
    why: str


@dataclass(frozen=True)
class Changes:
    """Two runs compared. ``definition_changed`` is None for a condition, and where the earlier run keeps none.

    ``ranked`` is false for a condition, whose people have no order.
    """

    before: int
    after: int
    people: tuple[Change, ...]
    definition_changed: bool | None
    ranked: bool

    @property
    def told(self) -> tuple[Change, ...]:
        """Who may be named: somebody in neither population nor register may have opted out, and is only counted."""
        return tuple(change for change in self.people if change.because != GONE)

    def count(self, kind: str) -> int:
        """How many people entered, left or moved."""
        return sum(change.kind == kind for change in self.people)

    def causes(self, kind: str) -> dict[str, int]:
        """Cause to people, the commonest first."""
        return dict(Counter(change.because for change in self.people if change.kind == kind).most_common())


def compare(connection: duckdb.DuckDBPyConnection, earlier: Run, later: Run, criteria: Criteria) -> Changes:
    """Compare the members of two runs that are both open; ``criteria`` are those of the later run.

    The later run's rules are asked of both runs, each counting from its own date, so that a person's change and
    a definition's change are told apart.
    """
    types = feature_types(connection, "earlier_features")
    then = replace(
        criteria,
        include=tuple(_as_of(rule, types, earlier.as_of, "FALSE") for rule in criteria.include),
        exclude=tuple(_as_of(rule, types, earlier.as_of, "TRUE") for rule in criteria.exclude),
        gaps=(),
    )
    now = replace(criteria, gaps=())
    is_kept = criteria.name is None or definition_path(earlier, criteria.name).is_file()
    added = added_by_hand(earlier, criteria) if is_kept else None
    for view, query in (
        ("then", decision_query(then, features="earlier_features", scores=scores_of(earlier), added=added)),
        ("now", decision_query(now, scores=scores_of(later), added=added_by_hand(later, criteria))),
    ):
        connection.execute(f"CREATE TEMPORARY TABLE {view}_judged AS {query}")
    rows = list(_rows(connection, earlier, later, criteria, types))
    before = sum(row["was_member"] for row in rows)
    after = sum(row["now_member"] for row in rows)
    people = tuple(change for row in rows if (change := _change(criteria, row)) is not None)
    return Changes(before, after, people, _definition_changed(earlier, criteria), criteria.name is not None)


def _as_of(rule: Rule, types: Mapping[str, str], as_of: date, otherwise: str) -> Rule:
    """The rule counting from another run's date; a feature that run does not have makes it say no."""
    try:
        return rule_of(rule.text, types, as_of)
    except ExpressionError:
        return replace(NEVER, text=rule.text, sql=otherwise)


def _definition_changed(earlier: Run, criteria: Criteria) -> bool | None:
    from riskstrat.reading.published import read_cohort

    if criteria.name is None or not definition_path(earlier, criteria.name).is_file():
        return None
    return read_cohort(earlier, criteria.name).criteria.sha256 != criteria.sha256


def _rows(
    connection: duckdb.DuckDBPyConnection,
    earlier: Run,
    later: Run,
    criteria: Criteria,
    types: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Everybody who was or is a member, by name of what is known of them in both runs."""
    names = [f"include_{place}" for place in range(1, len(criteria.include) + 1)]
    names += [f"exclude_{place}" for place in range(1, len(criteria.exclude) + 1)]
    names += ["is_matched", "is_member", "is_added", "place"]
    columns = dict.fromkeys(column for rule in criteria.rules for column in rule.columns)
    chosen = [f"then_judged.{name} AS then_{name}, now_judged.{name} AS now_{name}" for name in names]
    chosen += [f"features.{quoted(name)} AS {quoted('new ' + name)}" for name in columns]
    chosen += [
        f"earlier_features.{quoted(name)} AS {quoted('old ' + name)}" for name in columns if name in types
    ]
    register = later.folder.resolve() / REGISTER
    outside = (
        f"read_parquet({literal(str(register))})"
        if register.is_file()
        else "(SELECT CAST(NULL AS VARCHAR) AS person_id, CAST(NULL AS VARCHAR) AS status)"
    )
    query = (
        f"WITH was AS ({_members(earlier, criteria, 'then_judged')}), "
        f"became AS ({_members(later, criteria, 'now_judged')}) "
        "SELECT COALESCE(was.person_id, became.person_id) AS person_id, was.rank AS rank_before, "
        "became.rank AS rank_after, was.person_id IS NOT NULL AS was_member, "
        "became.person_id IS NOT NULL AS now_member, then_judged.person_id IS NOT NULL AS was_here, "
        f"now_judged.person_id IS NOT NULL AS is_here, outside.status, {', '.join(chosen)} "
        "FROM was FULL JOIN became ON became.person_id = was.person_id "
        "LEFT JOIN then_judged ON then_judged.person_id = COALESCE(was.person_id, became.person_id) "
        "LEFT JOIN now_judged ON now_judged.person_id = COALESCE(was.person_id, became.person_id) "
        "LEFT JOIN features ON features.person_id = now_judged.person_id "
        "LEFT JOIN earlier_features ON earlier_features.person_id = then_judged.person_id "
        f"LEFT JOIN {outside} AS outside ON outside.person_id = was.person_id "
        "ORDER BY rank_after, rank_before, 1"
    )
    cursor = connection.execute(query)
    heads = [str(column[0]) for column in cursor.description or ()]
    while rows := cursor.fetchmany(10_000):
        yield from (dict(zip(heads, row, strict=True)) for row in rows)


def _members(run: Run, criteria: Criteria, judged: str) -> str:
    if criteria.name is not None:
        return f"SELECT person_id, rank FROM {members_of(run, criteria.name)}"
    return f"SELECT person_id, CAST(NULL AS INTEGER) AS rank FROM {judged} WHERE is_member"


def _change(criteria: Criteria, row: Mapping[str, Any]) -> Change | None:
    if row["was_member"] and row["now_member"]:
        before, after = row["rank_before"], row["rank_after"]
        if before == after:
            return None
        return Change(MOVED, row["person_id"], before, after, "rank", f"rank {before} -> {after}")
    kind = ENTERED if row["now_member"] else LEFT
    because, why = _entered(criteria, row) if kind == ENTERED else _left(criteria, row)
    return Change(kind, row["person_id"], row["rank_before"], row["rank_after"], because, why)


def _entered(criteria: Criteria, row: Mapping[str, Any]) -> tuple[str, str]:
    if not row["was_here"]:
        return NEW_PERSON, NEW_PERSON
    if row["now_is_added"] and not _is_selected(criteria, row, "now"):
        return ADDED, ADDED
    return _rules(criteria, row, came=True) or _places(criteria, row) or (DEFINITION, DEFINITION)


def _left(criteria: Criteria, row: Mapping[str, Any]) -> tuple[str, str]:
    if not row["is_here"]:
        reason = row["status"] or GONE
        return reason, reason
    if criteria.undecidable:
        return criteria.undecidable, f"nobody can be decided: {criteria.undecidable}"
    if row["then_is_added"] and not _is_selected(criteria, row, "then"):
        return NO_LONGER_ADDED, NO_LONGER_ADDED
    return (
        _rules(criteria, row, came=False)
        or _places(criteria, row)
        or (DEFINITION, _newly_failed(criteria, row))
    )


def _is_selected(criteria: Criteria, row: Mapping[str, Any], side: str) -> bool:
    """Whether the rules and the place by rank made the person a member, whoever named them."""
    if criteria.top_n is None:
        return bool(row[f"{side}_is_matched"])
    return bool(row[f"{side}_is_matched"]) and row[f"{side}_place"] <= criteria.top_n.people


def _rules(criteria: Criteria, row: Mapping[str, Any], *, came: bool) -> tuple[str, str] | None:
    """The rules that let the person in (``came``) or out, with the values that changed their answer."""
    changed = []
    for side, rules in (("include", criteria.include), ("exclude", criteria.exclude)):
        for place, rule in enumerate(rules, 1):
            then, now = (_holds(side, row[f"{run}_{side}_{place}"]) for run in ("then", "now"))
            if (now and not then) if came else (then and not now):
                text = rule.text if side == "include" else f"excluded: {rule.text}"
                changed.append((text, f"{text} ({_values(rule, row)})"))
    if not changed:
        return None
    return changed[0][0], "; ".join(why for _, why in changed)


def _holds(side: str, answer: bool | None) -> bool:
    return answer is True if side == "include" else answer is not True


def _values(rule: Rule, row: Mapping[str, Any]) -> str:
    """The features of a rule that differ, old and new; a rule may also change its answer as its date moves on."""
    changed = [name for name in rule.columns if row.get(f"old {name}") != row[f"new {name}"]]
    if not changed:
        kept = ", ".join(f"{name} {shown_value(row[f'new {name}'])}" for name in rule.columns)
        return f"{kept} in both runs, counted from another date"
    return ", ".join(
        f"{name} {shown_value(row.get(f'old {name}'))} -> {shown_value(row[f'new {name}'])}"
        for name in changed
    )


def _places(criteria: Criteria, row: Mapping[str, Any]) -> tuple[str, str] | None:
    top = criteria.top_n
    if top is None or row["then_place"] is None or row["now_place"] is None:
        return None
    if (row["then_place"] <= top.people) == (row["now_place"] <= top.people):
        return None
    moved = f"place {row['then_place']} -> {row['now_place']} in the area"
    return PLACES, f"{moved}, of which the first {top.people} are listed"


def _newly_failed(criteria: Criteria, row: Mapping[str, Any]) -> str:
    for side, rules in (("include", criteria.include), ("exclude", criteria.exclude)):
        for place, rule in enumerate(rules, 1):
            if not _holds(side, row[f"now_{side}_{place}"]):
                return f"{DEFINITION}: {rule.text}"
    return DEFINITION
