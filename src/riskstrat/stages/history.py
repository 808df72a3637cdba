"""History: what a run on the same day of each earlier month would have said of today's population."""

from __future__ import annotations

from riskstrat.stages.context import Context
from riskstrat.stages.outputs import check_columns

HISTORY = "history"
# People are put in order once: comparing the texts of all rows would take most of the time.
PUBLISHED = (
    "SELECT in_order.person_id, history.* EXCLUDE (person) FROM history JOIN "
    "(SELECT person, person_id, row_number() OVER (ORDER BY person_id) AS place FROM person_keys) AS in_order "
    "ON in_order.person = history.person ORDER BY in_order.place, history.months_before"
)


def history(context: Context) -> None:
    """Write the view ``history`` to ``history.parquet``, sorted by person_id and months_before.

    Raises DefinitionError when it has not the columns and types of its contract.
    """
    check_columns(context, HISTORY, PUBLISHED)
    context.engine.export(PUBLISHED, context.building / f"{HISTORY}.parquet")
