"""Features: the SQL of pipelines/ turns staged rows into one row per person."""

from __future__ import annotations

import re

from riskstrat.definitions.contracts import Column
from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.outputs import check_columns

CORE_FOLDER = "30_core"
FEATURE_FOLDERS = (CORE_FOLDER, "40_features")
FEATURES, HISTORY = "features", "history"
# What is read once or twice is worked out when it is read; to store it as well would take as long again.
VIEWS = ("concept_events", FEATURES, HISTORY)


def features(context: Context) -> None:
    """Leave ``features.parquet`` and ``features``, a view of it; name in the manifest which features are unknown.

    The view ``history`` stands ready for the stage of that name. Raises DefinitionError when the table has not the
    columns and types of its contract.
    """
    for folder in FEATURE_FOLDERS:
        context.progress.step(folder)
        run_sql_folder(context.engine, context.definitions.pipelines / folder, views=VIEWS)
    select = f"SELECT * FROM {FEATURES} ORDER BY person_id"
    check_columns(context, FEATURES, select)
    published = context.building / f"{FEATURES}.parquet"
    context.engine.export(select, published)
    context.engine.define(FEATURES, f"SELECT * FROM read_parquet({literal(str(published))})")
    context.manifest["unknown_features"] = _unknown_features(context)


def _unknown_features(context: Context) -> dict[str, str]:
    """Features that nobody or not everybody has, because an extract is absent or a provider was silent."""
    extracts = context.manifest["extracts"]
    columns = context.definitions.contracts[FEATURES].columns
    people = context.engine.count(FEATURES)
    counts = context.engine.rows(
        f"SELECT {', '.join(f'count({quoted(column.name)})' for column in columns)} FROM {FEATURES}"
    )[0]
    reasons = {}
    for column, known in zip(columns, counts, strict=True):
        absent = [name for name in column.about.get("requires", ()) if not extracts[name]["present"]]
        if absent and known < people:
            reasons[column.name] = f"the extract {', '.join(absent)} was not delivered"
        elif known < people and (silence := _silence(context, column)):
            reasons[column.name] = f"{silence} ({people - known} of {people} people)"
    return reasons


def _silence(context: Context, column: Column) -> str | None:
    """The first silent month in the windows of a feature, if it has windows."""
    windows = ", ".join(literal(name) for name in window_names(str(column.about.get("window", ""))))
    for extract in column.about.get("requires", ()):
        found = context.engine.rows(
            "SELECT feed_calendar.provider, feed_calendar.month FROM feed_calendar JOIN run_windows "
            "ON feed_calendar.month_number BETWEEN run_windows.first_month AND run_windows.last_month "
            f"WHERE feed_calendar.extract = {literal(extract)} AND feed_calendar.is_silent "
            f"AND run_windows.window_name IN ({windows}) "
            "ORDER BY feed_calendar.month, feed_calendar.provider LIMIT 1"
        )
        if found:
            provider, month = found[0]
            return f"{extract}: provider {provider} sent nothing for {month:%B %Y}"
    return None


def window_names(window: str) -> tuple[str, ...]:
    """The names in ``run_windows`` of a feature's windows as the catalogue words them.

    >>> window_names("ever; polypharmacy 12 months"), window_names("last calendar year")
    (('12m',), ('last_calendar_year',))
    >>> window_names("12 months; seen 12 months before as_of")
    ('snapshot_12',)
    >>> window_names("12 months; seen on as_of and 12 months before as_of")
    ('12m', 'snapshot_12')
    """
    length = re.search(r"([0-9]+) (month|day)s", window)
    today = f"{length[1]}{length[2][0]}" if length else window.replace(" ", "_")
    seen = re.search(r"; seen (on as_of and )?([0-9]+) months before as_of", window)
    if not seen:
        return (today,)
    return (*((today,) if seen[1] else ()), f"snapshot_{seen[2]}")
