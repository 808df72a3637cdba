"""SQL that says, for everybody of a run, what each rule answers, who is a member, and who cannot be decided."""

from __future__ import annotations

import duckdb

from riskstrat.reading.published import COHORTS, Criteria, Rule
from riskstrat.runs import Run
from riskstrat.sqltext import literal, quoted

FEATURES = "features"
DECISION = "decision"
MANUAL_FLAG = "is_manual_addition"


def answers(criteria: Criteria) -> dict[str, Rule]:
    """Column of the decision to the rule that it answers: ``include_1`` ..., ``exclude_1`` ..., ``gap_1`` ..."""
    named = {f"include_{place}": rule for place, rule in enumerate(criteria.include, 1)}
    named |= {f"exclude_{place}": rule for place, rule in enumerate(criteria.exclude, 1)}
    return named | {f"gap_{place}": rule for place, (_, rule) in enumerate(criteria.gaps, 1)}


def matches(criteria: Criteria) -> str:
    """SQL over the columns of ``answers``: includes hold only when true, excludes remove only when true."""
    if criteria.undecidable:
        return "FALSE"
    held = [f"COALESCE(include_{place}, FALSE)" for place in range(1, len(criteria.include) + 1)]
    return " AND ".join([*held, *_not_excluded(criteria)])


def undecided(criteria: Criteria) -> str:
    """SQL: no include rule says no, one at least does not know, and no exclude rule says yes."""
    if criteria.undecidable:
        return "TRUE"
    possible = [f"COALESCE(include_{place}, TRUE)" for place in range(1, len(criteria.include) + 1)]
    return " AND ".join([*possible, *_not_excluded(criteria), f"NOT ({matches(criteria)})"])


def _not_excluded(criteria: Criteria) -> list[str]:
    return [f"NOT COALESCE(exclude_{place}, FALSE)" for place in range(1, len(criteria.exclude) + 1)]


def decision_query(
    criteria: Criteria, *, features: str = FEATURES, scores: str | None = None, added: str | None = None
) -> str:
    """One row per person: person_id, the answers, is_matched, is_undecided, place, is_added, is_member.

    ``features``, ``scores`` (person_id, score) and ``added`` (person_id of people named by hand) are what stands
    after FROM. ``place`` is the person's place by rank in the area among those who match, NULL without ``top_n``.
    ``is_undecided`` is what the rules say, also of somebody who was added by hand.
    """
    judged = ", ".join(f"({rule.sql}) AS {name}" for name, rule in answers(criteria).items())
    top = criteria.top_n
    area = f", {quoted(top.per)} AS area" if top else ""
    ordered = f", row_number() OVER (ORDER BY {criteria.rank_sql}) AS ordinal" if top and scores else ""
    ranked = (
        f"(SELECT features.*, scores.score, scores.score AS risk_score FROM {features} AS features "
        f"JOIN {scores} AS scores USING (person_id))"
        if top and scores
        else features
    )
    place = (
        "CASE WHEN is_matched THEN row_number() OVER (PARTITION BY area, is_matched ORDER BY ordinal) END"
        if top and scores
        else "CAST(NULL AS BIGINT)"
    )
    is_first = f"is_matched AND place <= {top.people}" if top and scores else "is_matched"
    is_added = f"person_id IN (SELECT person_id FROM {added})" if added else "FALSE"
    return (
        f"WITH judged AS (SELECT person_id{area}{ordered}, {judged} FROM {ranked} AS features), "
        f"matched AS (SELECT judged.*, {matches(criteria)} AS is_matched, {undecided(criteria)} AS is_undecided, "
        f"{is_added} AS is_added FROM judged), "
        f"placed AS (SELECT matched.*, {place} AS place FROM matched) "
        f"SELECT placed.*, ({is_first}) OR is_added AS is_member FROM placed"
    )


def decide(connection: duckdb.DuckDBPyConnection, run: Run, criteria: Criteria, view: str = DECISION) -> str:
    """Make the temporary view ``view`` of the decision over a run that is open, and return its name."""
    query = decision_query(criteria, scores=scores_of(run), added=added_by_hand(run, criteria))
    connection.execute(f"CREATE OR REPLACE TEMPORARY VIEW {view} AS {query}")
    return view


def scores_of(run: Run) -> str:
    """The run's scores, as what stands after FROM."""
    return f"read_parquet({literal(str(run.folder.resolve() / 'scores.parquet'))})"


def members_of(run: Run, name: str) -> str:
    """The members of a cohort of the run, as what stands after FROM."""
    return f"read_parquet({literal(str(run.folder.resolve() / COHORTS / f'{name}.parquet'))})"


def added_by_hand(run: Run, criteria: Criteria) -> str | None:
    """The people whom professionals named for the cohort, as what stands after FROM; None where none can be."""
    if criteria.name is None or criteria.name not in run.cohorts():
        return None
    return f"(SELECT person_id FROM {members_of(run, criteria.name)} WHERE {MANUAL_FLAG})"
