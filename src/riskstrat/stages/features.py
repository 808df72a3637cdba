"""Features: the SQL of pipelines/ turns staged rows into one row per person."""

from __future__ import annotations

import re

from riskstrat.definitions.contracts import Column
from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.errors import DefinitionError
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context

CORE_FOLDER = "30_core"
FEATURE_FOLDERS = (CORE_FOLDER, "40_features", "50_history")
FEATURES = "features"


def features(context: Context) -> None:
    """Leave the table ``features`` and ``features.parquet``; name in the manifest what is unknown, and why.

    Raises DefinitionError when the table has not the columns and types of its contract.
    """
    for folder in FEATURE_FOLDERS:
        if (context.definitions.pipelines / folder).is_dir():
            context.progress.step(folder)
            run_sql_folder(context.engine, context.definitions.pipelines / folder)
    _check_columns(context)
    context.engine.export(
        f"SELECT * FROM {FEATURES} ORDER BY person_id", context.building / "features.parquet"
    )
    context.manifest["unknown_features"] = _unknown_features(context)


def _check_columns(context: Context) -> None:
    contract = context.definitions.contracts[FEATURES]
    expected = [(column.name, column.sql_type) for column in contract.columns]
    found = [(name, kind) for name, kind, *_ in context.engine.rows(f"DESCRIBE {FEATURES}")]
    if found != expected:
        wrong = next(
            (pair for pair in zip(expected, found, strict=False) if pair[0] != pair[1]),
            (expected[-1], found[-1]),
        )
        raise DefinitionError(
            f"the feature table has {wrong[1][0]} {wrong[1][1]} where its contract says {wrong[0][0]} {wrong[0][1]}.",
            file=context.definitions.pipelines / "40_features" / "features.sql",
            column=wrong[1][0],
            remedy="correct the SQL, or change data_contracts/features.yaml with it.",
        )


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
    """The first silent month in the window of a feature, if it has a window."""
    window = _window_name(str(column.about.get("window", "")))
    for extract in column.about.get("requires", ()):
        found = context.engine.rows(
            "SELECT feed_calendar.provider, feed_calendar.month FROM feed_calendar JOIN run_windows "
            "ON feed_calendar.month_number BETWEEN run_windows.first_month AND run_windows.last_month "
            f"WHERE feed_calendar.extract = {literal(extract)} AND feed_calendar.is_silent "
            f"AND run_windows.window_name = {literal(window)} "
            "ORDER BY feed_calendar.month, feed_calendar.provider LIMIT 1"
        )
        if found:
            provider, month = found[0]
            return f"{extract}: provider {provider} sent nothing for {month:%B %Y}"
    return None


def _window_name(window: str) -> str:
    """The name in ``run_windows`` of a window as the catalogue words it.

    >>> _window_name("ever; polypharmacy 12 months"), _window_name("last calendar year")
    ('12m', 'last_calendar_year')
    """
    length = re.search(r"([0-9]+) (month|day)s", window)
    return f"{length[1]}{length[2][0]}" if length else window.replace(" ", "_")
