"""Who was on the list that tonight's is compared with and is not on it any more, and why."""

from __future__ import annotations

from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.lists.knowing import KEPT

OPTED_OUT = "opted out"
# Of these a list shows what it said before and nothing newer: they are not, or no longer, the area's people.
GONE = ("died", "moved")


def find_dropped(context: Context) -> None:
    """Leave ``list_dropped``: list, area, person, ``because``, and what the list before said of where the person is.

    Somebody on no register any more has moved. People of whom an opt-out is applied are in it, to be counted and not
    published; of people who were erased nothing is left to be said.
    """
    areas = " ".join(
        f"WHEN {literal(name)} THEN list_people.{quoted(definition.area_column)}"
        for name, definition in context.definitions.lists.items()
    )
    here = f"CASE earlier_lists.list {areas} END" if areas else "NULL"
    kept = ", ".join(f"earlier_lists.{name}" for name in KEPT)
    same = "{0}.list = earlier_lists.list AND {0}.person_id = earlier_lists.person_id"
    within = same + " AND {0}.area_code = earlier_lists.area_code"
    context.engine.create(
        "list_dropped",
        "SELECT earlier_lists.list, earlier_lists.area_code, earlier_lists.area_name, earlier_lists.person_id, "
        f"{kept}, CASE WHEN hidden_people.has_opted_out THEN '{OPTED_OUT}' "
        "WHEN outside_population.status = 'died' THEN 'died' "
        f"WHEN list_people.person_id IS NULL OR {here} <> earlier_lists.area_code THEN 'moved' "
        "WHEN list_places.not_listed_because IS NOT NULL THEN list_places.not_listed_because "
        "WHEN list_members.person_id IS NULL THEN 'below threshold' ELSE 'no recent event' END AS because "
        "FROM earlier_lists "
        f"LEFT JOIN list_ranked ON {within.format('list_ranked')} "
        f"LEFT JOIN list_places ON {within.format('list_places')} "
        f"LEFT JOIN list_members ON {same.format('list_members')} "
        "LEFT JOIN list_people ON list_people.person_id = earlier_lists.person_id "
        "LEFT JOIN person_keys ON person_keys.person_id = earlier_lists.person_id "
        "LEFT JOIN outside_population ON outside_population.person = person_keys.person "
        "LEFT JOIN hidden_people ON hidden_people.person = person_keys.person "
        "WHERE list_ranked.person_id IS NULL AND COALESCE(hidden_people.has_opted_out, TRUE)",
    )
