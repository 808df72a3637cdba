"""The exact statement that selects the people of a cohort or a condition, to be run in a published run's folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from riskstrat.reading.decision import MANUAL_FLAG
from riskstrat.reading.published import COHORTS, Criteria, Rule

RANKED = re.compile(r'"([a-z_0-9]+)" (?:ASC|DESC)')
FROM_SCORES = ("score", "risk_score")


@dataclass(frozen=True)
class Dialect:
    """How an engine writes a name, a Parquet file and a rule; all else is the same SQL."""

    name: Callable[[str], str]
    file: Callable[[str], str]
    rule: Callable[[Rule], str]


def duckdb_dialect() -> Dialect:
    """DuckDB's way of writing."""
    return Dialect(
        name=lambda name: f'"{name}"', file=lambda path: f"read_parquet('{path}')", rule=lambda rule: rule.sql
    )


def spark_dialect() -> Dialect:
    """Spark's way of writing. Its rules raise DefinitionError where Spark would not give the same people."""
    from riskstrat.language import Expression
    from riskstrat.language.engines import portable_sql

    return Dialect(
        name=lambda name: f"`{name}`",
        file=lambda path: f"parquet.`{path}`",
        rule=lambda rule: portable_sql(Expression(rule.text, rule.sql, rule.columns, ()), "spark"),
    )


def selecting_sql(criteria: Criteria, dialect: Dialect, *, takes_additions: bool = True) -> str:
    """The statement, with file names relative to the run's folder.

    It gives person_id and, for a cohort, rank, in the order of the cohort. ``takes_additions`` says whether people
    whom professionals named are members too.
    """
    features = f"FROM {dialect.file('features.parquet')} AS features"
    if criteria.name is None:
        condition = "\n  AND ".join(f"({dialect.rule(rule)})" for rule in criteria.include)
        return f"SELECT person_id\n{features}\nWHERE {condition}\nORDER BY person_id\n"
    order = RANKED.sub(
        lambda item: item.group().replace(f'"{item[1]}"', dialect.name(item[1])), criteria.rank_sql
    )
    ranked = [name for name in dict.fromkeys(RANKED.findall(criteria.rank_sql)) if name != "person_id"]
    steps = [f"WITH judged AS (\n{_judged(criteria, dialect, ranked, features, takes_additions)}\n)"]
    source, chosen = "judged", "is_match OR is_added"
    if criteria.top_n:
        columns = ", ".join(["person_id", *map(dialect.name, ranked), "is_match", "is_added"])
        steps.append(
            f"placed AS (\n  SELECT {columns}\n       , row_number() OVER (PARTITION BY is_match, area "
            f"ORDER BY {order}) AS place\n  FROM judged\n)"
        )
        source, chosen = "placed", f"(is_match AND place <= {criteria.top_n.people}) OR is_added"
    return (
        ", ".join(steps)
        + f"\nSELECT person_id\n     , row_number() OVER (ORDER BY {order}) AS rank\n"
        + f"FROM {source}\nWHERE {chosen}\nORDER BY rank\n"
    )


def _judged(
    criteria: Criteria, dialect: Dialect, ranked: list[str], features: str, takes_additions: bool
) -> str:
    """One row a person: what ranks the person, whether every rule is met, and whether somebody added the person."""
    columns = ["person_id"]
    columns += [
        f"score AS {dialect.name(name)}" if name in FROM_SCORES else dialect.name(name) for name in ranked
    ]
    columns += [f"{dialect.name(criteria.top_n.per)} AS area"] if criteria.top_n else []
    held = [f"COALESCE(({dialect.rule(rule)}), FALSE)" for rule in criteria.include]
    held += [f"NOT COALESCE(({dialect.rule(rule)}), FALSE)" for rule in criteria.exclude]
    matched = "\n         AND ".join(held) if criteria.undecidable is None else "FALSE"
    added = "added_person IS NOT NULL" if takes_additions else "FALSE"
    shown = "\n       , ".join([*columns, f"({matched}) AS is_match", f"{added} AS is_added"])
    joined = f"  JOIN {dialect.file('scores.parquet')} AS scores USING (person_id)"
    if takes_additions:
        members = dialect.file(f"{COHORTS}/{criteria.name}.parquet")
        joined += (
            f"\n  LEFT JOIN (SELECT person_id AS added_person FROM {members} WHERE {MANUAL_FLAG}) AS additions"
            "\n    ON added_person = person_id"
        )
    return f"  SELECT {shown}\n  {features}\n{joined}"
