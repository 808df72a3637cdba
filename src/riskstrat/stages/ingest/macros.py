"""SQL macros for reading text: tidying it, and dates that a supplier writes in its own way."""

from __future__ import annotations

from riskstrat.engines.duckdb import DuckDBEngine

ISO_DATE, ISO_TIME = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"


def make_macros(engine: DuckDBEngine) -> None:
    """Make ``tidy``, ``written_date`` and ``written_time``.

    ``written_date(text, format)`` gives the ISO text of a date that fits a strptime format, or one of a list of
    them; text that does not fit stays as it is, so that the contract's rule on its type names it.
    """
    engine.execute(  # what sorts below the first printable character begins with a space or is empty
        "CREATE TEMP MACRO tidy(given) AS "
        "CASE WHEN given < '!' OR ends_with(given, ' ') THEN NULLIF(trim(given), '') ELSE given END"
    )
    for name, iso in (("written_date", ISO_DATE), ("written_time", ISO_TIME)):
        engine.execute(
            f"CREATE TEMP MACRO {name}(given, format) AS CASE WHEN try_strptime(trim(given), format) IS NULL "
            f"THEN given ELSE strftime(try_strptime(trim(given), format), '{iso}') END"
        )
