"""What became of the people whom earlier runs scored, by the rules of the model's labels: observed over expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from riskstrat.dates import day_after
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model_drift import NOT_JUDGED
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.scoring.observed import observed_over_expected
from riskstrat.scoring.watching import Mature, Watch
from riskstrat.sqltext import literal
from riskstrat.stages.context import Context
from riskstrat.stages.drift.rows import ALL, LIST, OBSERVED, Row
from riskstrat.stages.features import CORE_FOLDER
from riskstrat.stages.outcomes import OUTCOMES_FOLDER, load_landmarks

SCHEMA, MAIN = "drift_outcomes", "main"
STAYS = "person, cips, admission_date, is_unplanned"
# Sums of these do not depend on the order in which threads add them up.
PARTS_PER_ONE = 1_000_000_000


def observed_rows(context: Context, watch: Watch, horizons: Sequence[str]) -> Iterator[Row]:
    """Two rows a horizon: everybody whom the newest mature run scored, and the list of the team's capacity."""
    for horizon in horizons:
        if horizon not in watch.mature:
            note = f"no earlier run has scores whose {horizon} are over and settled"
            yield Row(OBSERVED, horizon, ALL, NOT_JUDGED, note=note)
    known, judged = _known_before(context, watch), []
    for name, one in watch.mature.items():
        if one.horizon.end(one.run.as_of) > known:
            yield _row(one, ALL, NOT_JUDGED, note=_known_only_before(known))
        else:
            judged.append((name, one))
    if judged:
        with _outcomes_of(context, watch, [one for _, one in judged]) as engine:
            for _, one in judged:
                yield from _held_against(engine, watch, one)


def _known_before(context: Context, watch: Watch) -> date:
    """The day before which outcomes are known: every extract of labels was delivered up to it."""
    feeds = context.deliveries.feeds
    newest = [
        max((feed.delivery for feed in feeds.get(extract, ())), default=None)
        for extract in watch.outcome.extracts
    ]
    known = [day for day in newest if day is not None]
    # Of an extract that never came nothing is known, however new the others are.
    return min(context.as_of, day_after(min(known))) if known and len(known) == len(newest) else date.min


def _known_only_before(known: date) -> str:
    return (
        "an extract of outcomes is absent" if known == date.min else f"outcomes are known before {known} only"
    )


@contextmanager
def _outcomes_of(context: Context, watch: Watch, mature: Sequence[Mature]) -> Iterator[DuckDBEngine]:
    """Leave ``scored_then`` and ``outcomes`` while it lasts, in a schema of their own.

    Stays of tonight's population are those of this run; of who has died or left since they are made by the same SQL.
    """
    engine, pipelines = context.engine.embedded, context.definitions.pipelines
    engine.execute(f"CREATE SCHEMA {SCHEMA}")
    engine.execute(f"SET search_path = '{SCHEMA},{MAIN}'")
    try:
        engine.create(
            "scored_then", " UNION ALL ".join(_scored(engine, one, watch.capacity) for one in mature)
        )
        engine.create(
            "landmark_people",
            "SELECT DISTINCT person, index_date FROM scored_then WHERE person IS NOT NULL AND person NOT IN "
            "(SELECT opted_out.person FROM opted_out JOIN reference_opt_outs_applied AS applied ON applied.opt_out "
            f"= opted_out.opt_out WHERE applied.purpose = {literal(RUN_PURPOSE)} AND applied.applied)",
        )
        engine.create(
            "people",
            f"SELECT person, min(date_of_birth) AS date_of_birth FROM {MAIN}.gp_patients WHERE person IN "
            f"(SELECT person FROM landmark_people) AND person NOT IN (SELECT person FROM {MAIN}.people) "
            "GROUP BY person",
        )
        run_sql_folder(engine, pipelines / CORE_FOLDER, only="cips")
        engine.execute("ALTER TABLE cips RENAME TO cips_of_others")
        engine.create("cips", f"SELECT {STAYS} FROM {MAIN}.cips UNION ALL SELECT {STAYS} FROM cips_of_others")
        load_landmarks(engine, watch.outcome, [(one.run.as_of, one.horizon) for one in mature])
        run_sql_folder(engine, pipelines / OUTCOMES_FOLDER)
        yield engine
    finally:
        engine.execute(f"SET search_path = '{MAIN}'")
        engine.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _scored(engine: DuckDBEngine, one: Mature, capacity: float) -> str:
    """SQL: everybody whom a run scored, and whether on the list; people of whom nothing is known now have no person."""
    name, risk = one.horizon.name, f'"probability_{one.horizon.name}"'
    scored = f"read_parquet({literal(str(one.scores))}) WHERE {risk} IS NOT NULL"
    ((people,),) = engine.rows(f"SELECT count(*) FROM {scored}")
    places = max(1, math.floor(people * capacity + 0.5))
    top = f"SELECT person_id FROM {scored} ORDER BY {risk} DESC, person_id LIMIT {places}"
    return (
        f"SELECT person_keys.person, DATE '{one.run.as_of}' AS index_date, {literal(name)} AS horizon, scored.risk, "
        f"scored.person_id IN ({top}) AS is_listed FROM (SELECT person_id, {risk} AS risk FROM {scored}) AS scored "
        "LEFT JOIN person_keys ON person_keys.person_id = scored.person_id"
    )


def _held_against(engine: DuckDBEngine, watch: Watch, one: Mature) -> Iterator[Row]:
    day, name = one.run.as_of, literal(one.horizon.name)
    ((silent,),) = engine.rows(
        f"SELECT first_silent_month FROM outcome_coverage WHERE horizon = {name} AND index_date = DATE '{day}'"
    )
    if silent is not None:
        yield _row(one, ALL, NOT_JUDGED, note=f"a provider sent nothing for {silent:%B %Y}")
        return
    found = engine.rows(
        "SELECT is_listed, count(*), count(*) FILTER (outcomes.died), count(label), count(*) FILTER (label), "
        f"sum(CAST(round(risk * {PARTS_PER_ONE}) AS BIGINT)) FILTER (label IS NOT NULL) FROM scored_then "
        "LEFT JOIN outcomes ON outcomes.person = scored_then.person "
        "AND outcomes.index_date = scored_then.index_date AND outcomes.horizon = scored_then.horizon "
        f"WHERE scored_then.horizon = {name} GROUP BY is_listed"
    )
    scored, died = (sum(int(row[place]) for row in found) for place in (1, 2))
    floor = watch.outcome.survivors_from
    if floor and scored >= floor and not died and one.horizon == watch.outcome.main:
        yield _row(
            one, ALL, NOT_JUDGED, note="nobody died since, so the register seems to hold the living alone"
        )
        return
    bands = watch.policy.observed
    for part, chosen in ((ALL, found), (LIST, [row for row in found if row[0]])):
        people, observed, parts = (sum(int(row[place] or 0) for row in chosen) for place in (3, 4, 5))
        expected = parts / PARTS_PER_ONE
        if not expected:
            yield _row(one, part, NOT_JUDGED, note="nobody's outcome is known")
            continue
        ratio = observed_over_expected(observed, expected, bands.confidence)
        band = bands.band(ratio.value, ratio.low, ratio.high, observed)
        note = f"fewer than {bands.fewest_admitted} admitted" if band == NOT_JUDGED else ""
        yield Row(
            *(OBSERVED, one.horizon.name, part, band, ratio.value, ratio.low, ratio.high, 1.0),
            *(people, observed, expected, one.model, day, note),
        )


def _row(one: Mature, part: str, band: str, note: str) -> Row:
    return Row(OBSERVED, one.horizon.name, part, band, model=one.model, scored_as_of=one.run.as_of, note=note)
