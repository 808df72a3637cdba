"""People whom professionals added to a cohort by hand, as known on as_of."""

from __future__ import annotations

from riskstrat.sqltext import literal
from riskstrat.stages.context import Context

MANUAL_ADDITIONS = "manual_additions"


def gather_additions(context: Context) -> None:
    """Leave ``cohort_additions``: person_id and, for the cohort in place N, the flag ``added_N`` (never NULL).

    Only of cohorts that take additions, and dated before as_of. Additions that cannot count are warned of:
    somebody added to a cohort that the site does not define would be missing without a word.
    """
    names = list(context.definitions.cohorts)
    flags = "".join(
        f", bool_or(additions.cohort = {literal(name)}) AS added_{place}"
        for place, name in enumerate(names)
        if context.definitions.cohorts[name].manual_additions
    )
    if MANUAL_ADDITIONS in context.definitions.contracts and flags:
        _warn_of_lost_additions(context)
        context.engine.create(
            "cohort_additions",
            f"SELECT person_keys.person_id{flags} FROM {MANUAL_ADDITIONS} AS additions "
            "JOIN person_keys ON person_keys.person = additions.person "
            f"WHERE additions.added_on < DATE '{context.as_of}' GROUP BY person_keys.person_id",
        )
    else:
        columns = "".join(f", FALSE AS added_{place}" for place in range(len(names)))
        context.engine.create(
            "cohort_additions", f"SELECT CAST(NULL AS VARCHAR) AS person_id{columns} WHERE FALSE"
        )


def _warn_of_lost_additions(context: Context) -> None:
    for name, people in context.engine.rows(
        f"SELECT cohort, count(*) FROM {MANUAL_ADDITIONS} GROUP BY cohort ORDER BY cohort"
    ):
        if name not in context.definitions.cohorts:
            context.warn(
                f"{people} manual additions are for the cohort {name}, which this site does not define."
            )
        elif not context.definitions.cohorts[name].manual_additions:
            context.warn(f"{people} manual additions are for the cohort {name}, which takes none.")
