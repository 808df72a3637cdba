"""Looking back: the tables of a run as of an earlier day, made from rows that were staged once.

The same SQL makes them that serves the nightly run. They stand in a schema of their own, in front of what ingest left,
and go when the next day's turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.dates import Windows, months_before
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model_outcome import Outcome
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.errors import MisuseError
from riskstrat.sqltext import literal
from riskstrat.stages.context import Context
from riskstrat.stages.features import CORE_FOLDER, FEATURES, features, window_names
from riskstrat.stages.ingest.knowledge import load_run
from riskstrat.stages.ingest.versions import MAIN, show_as_known, versioned_extracts
from riskstrat.stages.link import LINK_FOLDER

SCHEMA, KEEP = "landmark", "keep"
PEOPLE, FRAME_PEOPLE, OPTED_OUT_SINCE = "people", "landmark_people", "opted_out_since"
FRAME_PEOPLE_COLUMNS = (("person", "BIGINT"), ("index_date", "DATE"), ("date_of_birth", "DATE"))


@dataclass(frozen=True)
class Landmark:
    """One index date of a frame: its feature table, and how many people are in it or opted out since then."""

    index_date: date
    features: Path
    people: int
    opted_out: int
    unknown_features: dict[str, str]


@contextmanager
def standing_on(engine: DuckDBEngine, day: date) -> Iterator[None]:
    """Make ``run`` and the staged extracts what a run as of ``day`` had; what is made meanwhile goes at the end."""
    engine.execute(f"CREATE SCHEMA {SCHEMA}")
    engine.execute(f"SET search_path = '{SCHEMA},{MAIN}'")
    try:
        load_run(engine, Windows.ending_before(day))
        for extract in versioned_extracts(engine):
            show_as_known(engine, extract, day)
        yield
    finally:
        engine.execute(f"SET search_path = '{MAIN}'")
        engine.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def begin_frame(engine: DuckDBEngine) -> None:
    """Make the empty table of the frame's people, and who has opted out by the day of ``run``: nobody may use them."""
    engine.create(
        OPTED_OUT_SINCE,
        "SELECT DISTINCT opted_out.person FROM opted_out JOIN reference_opt_outs_applied AS applied "
        f"ON applied.opt_out = opted_out.opt_out WHERE applied.purpose = {literal(RUN_PURPOSE)} AND applied.applied",
    )
    engine.load(FRAME_PEOPLE, FRAME_PEOPLE_COLUMNS, [])


def add_landmark(context: Context, outcome: Outcome, day: date, folder: Path) -> Landmark:
    """Compute the features of ``day`` into ``folder`` and add its people to the frame's.

    ``context`` is that of the staged rows. Raises MisuseError where too few people were registered on ``day``.
    """
    engine = context.engine
    folder.mkdir()
    manifest: dict[str, Any] = {"extracts": context.manifest["extracts"]}
    with standing_on(engine, day):
        run_sql_folder(engine, context.definitions.pipelines / LINK_FOLDER)
        ((people, opted_out),) = engine.rows(
            f"SELECT count(*) FILTER (since.person IS NULL), count(since.person) FROM {PEOPLE} "
            f"LEFT JOIN {OPTED_OUT_SINCE} AS since ON since.person = {PEOPLE}.person"
        )
        _refuse_few_people(outcome, day, int(people))
        features(replace(context, as_of=day, building=folder, manifest=manifest))
        engine.execute(
            f"INSERT INTO {MAIN}.{FRAME_PEOPLE} SELECT person, DATE '{day}', date_of_birth FROM {PEOPLE} "
            f"WHERE person NOT IN (SELECT person FROM {OPTED_OUT_SINCE})"
        )
    return Landmark(
        *(day, folder / f"{FEATURES}.parquet", int(people), int(opted_out)),
        unknown_features=manifest["unknown_features"],
    )


def _refuse_few_people(outcome: Outcome, day: date, people: int) -> None:
    if people < outcome.minimum_people:
        raise MisuseError(
            f"{people} people were registered and alive on {day}; a frame needs {outcome.minimum_people}.",
            remedy="name a later index date, or set another minimum_people in config/model/outcome.yaml.",
        )


def refuse_short_history(context: Context, outcome: Outcome, oldest: date) -> None:
    """A window that begins before the data do would make what is counted over it unknown, or too small.

    Judged for the features made of the extracts that labels are made of. Raises MisuseError with the first day that can
    be an index date, unless the outcome keeps such dates.
    """
    if outcome.short_history == KEEP:
        return
    engine, pipelines = context.engine, context.definitions.pipelines
    with standing_on(engine, oldest):
        run_sql_folder(engine, pipelines / LINK_FOLDER, only="registrations")
        run_sql_folder(engine, pipelines / CORE_FOLDER, only="feed_coverage")
        found = engine.rows(
            "WITH begun AS (SELECT extract, min(month_number) AS month_number FROM feed_rows GROUP BY extract) "
            "SELECT run_windows.first_day, begun.extract, begun.month_number - run_windows.first_month "
            "FROM feed_coverage JOIN run_windows ON run_windows.window_name = feed_coverage.window_name "
            "JOIN begun ON begun.extract = feed_coverage.extract AND begun.month_number > run_windows.first_month "
            f"WHERE NOT feed_coverage.is_covered AND {_windows_of(context, outcome.extracts)} "
            "ORDER BY run_windows.first_month, begun.extract LIMIT 1"
        )
    for first_day, extract, months in found:
        begins = months_before(oldest.replace(day=1), -int(months))
        raise MisuseError(
            f"features as of {oldest} look back to {first_day}, and the history of {extract} begins after it.",
            remedy=f"name no index date before {begins}.",
        )


def _windows_of(context: Context, extracts: Sequence[str]) -> str:
    """SQL that is true for a window that a feature made of one of the extracts looks back over."""
    used = {
        (extract, window)
        for column in context.definitions.contracts[FEATURES].columns
        for extract in column.about.get("requires", ())
        if extract in extracts
        for window in window_names(str(column.about.get("window", "")))
    }
    pairs = ", ".join(f"({literal(extract)}, {literal(window)})" for extract, window in sorted(used))
    return f"(feed_coverage.extract, run_windows.window_name) IN ({pairs})" if pairs else "FALSE"
