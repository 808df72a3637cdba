"""Labels: what became of everybody of the frame, by the SQL of pipelines/70_outcomes and the rules of the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from riskstrat.definitions.model_outcome import Outcome
from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.model.landmarks import FRAME_PEOPLE, PEOPLE, standing_on
from riskstrat.stages.context import Context
from riskstrat.stages.features import CORE_FOLDER
from riskstrat.stages.link import LINK_FOLDER
from riskstrat.stages.outcomes import OUTCOMES_FOLDER, load_landmarks


@contextmanager
def outcomes_known(
    context: Context, outcome: Outcome, index_dates: Sequence[date], complete_to: date
) -> Iterator[None]:
    """Leave ``outcomes`` and ``outcome_coverage`` while it lasts: all that was known before ``complete_to``.

    The stays are those of 30_core on that day, of everybody in the frame: who has died or left since is among them.
    """
    engine, pipelines = context.engine, context.definitions.pipelines
    with standing_on(engine, complete_to):
        run_sql_folder(engine, pipelines / LINK_FOLDER, only="registrations")
        engine.create(
            PEOPLE, f"SELECT person, min(date_of_birth) AS date_of_birth FROM {FRAME_PEOPLE} GROUP BY person"
        )
        for table in ("cips", "feed_rows"):
            run_sql_folder(engine, pipelines / CORE_FOLDER, only=table)
        load_landmarks(
            engine, outcome, [(day, horizon) for day in index_dates for horizon in outcome.horizons]
        )
        run_sql_folder(engine, pipelines / OUTCOMES_FOLDER)
        yield


def label_columns(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Horizon, column of ``outcomes`` and name in the frame of everything that is added to the features, in order."""
    main = outcome.main.name
    return [
        *(
            (horizon.name, column, f"{column}_{horizon.name}")
            for horizon in outcome.horizons
            for column in ("label", "follow_up_days")
        ),
        (main, "died", f"died_{main}"),
        (main, "has_left", f"left_{main}"),
        (main, "events", f"admissions_{main}"),
        (main, "first_event_date", "first_admission_date"),
    ]


def labelled(outcome: Outcome, features: str) -> str:
    """A SELECT of the frame: ``features`` (a SELECT with person_id and index_date) and the labels, in its order."""
    listed = ", ".join(f'"{horizon}".{column} AS {name}' for horizon, column, name in label_columns(outcome))
    joined = " ".join(
        f'JOIN outcomes AS "{name}" ON "{name}".person = person_keys.person '
        f'AND "{name}".index_date = features_then.index_date AND "{name}".horizon = \'{name}\''
        for name in (horizon.name for horizon in outcome.horizons)
    )
    return (
        f"SELECT features_then.*, {listed} FROM ({features}) AS features_then "
        f"JOIN person_keys ON person_keys.person_id = features_then.person_id {joined} "
        "ORDER BY features_then.index_date, features_then.person_id"
    )
