"""Who is eligible for a list, how many places each area has, and who is on the list with which rank and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from riskstrat.definitions.cohort_rules import rank_sql
from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.list_rules import ListRules
from riskstrat.definitions.lists import BY_NEED, CITY_WIDE, ListDefinition
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.lists.quotas import Area, share

ELIGIBLE_TABLE = (
    "CREATE TABLE list_eligible (list VARCHAR, area_code VARCHAR, person_id VARCHAR, score BIGINT, "
    "is_manual_addition BOOLEAN, is_resting BOOLEAN, rest_overridden BOOLEAN, place INTEGER, "
    "competing_place INTEGER, city_place INTEGER)"
)
AREA_COLUMNS = (
    *(("list", "VARCHAR"), ("area_code", "VARCHAR"), ("area_name", "VARCHAR"), ("quota", "INTEGER")),
)


@dataclass(frozen=True)
class Quotas:
    """Places by area, None where the list has no limit. ``per_head_because`` says why need could not decide."""

    places: Mapping[str, int | None]
    per_head_because: str | None = None


def find_eligible(context: Context, definition: ListDefinition, rules: ListRules) -> None:
    """Add everybody who is eligible to ``list_eligible``, in the order of each area.

    Somebody added by hand is, whatever the inclusions say. Of those who compete for places, neither added by hand nor
    resting, ``competing_place`` is the place within the area, ``city_place`` that over all areas.
    """
    name, order = literal(definition.name), rank_sql(definition.order_by)
    days = f"date_diff('day', actioned_people.actioned_date, DATE '{context.as_of}')"
    is_new = " OR ".join(
        f"COALESCE(list_people.{day} >= actioned_people.actioned_date, FALSE)"
        for day in ("event_date", "last_admission_date")
    )
    context.engine.execute(
        "INSERT INTO list_eligible WITH considered AS (SELECT list_people.*, list_members.is_manual_addition, "
        f"list_people.{quoted(definition.area_column)} AS area_code, "
        f"COALESCE({days} <= {definition.rest_days}, FALSE) AS would_rest, ({is_new}) AS has_something_new "
        "FROM list_people JOIN list_members ON list_members.person_id = list_people.person_id "
        f"AND list_members.list = {name} LEFT JOIN actioned_people ON actioned_people.person = list_people.person "
        f"AND actioned_people.list = {name}), "
        "judged AS (SELECT *, would_rest AND NOT has_something_new AND NOT is_manual_addition AS is_resting, "
        "would_rest AND has_something_new AND NOT is_manual_addition AS rest_overridden "
        f"FROM considered WHERE is_manual_addition OR ({rules.matches})), "
        "competing AS (SELECT *, NOT is_manual_addition AND NOT is_resting AS competes FROM judged) "
        f"SELECT {name}, area_code, person_id, score, is_manual_addition, is_resting, rest_overridden, "
        f"row_number() OVER (PARTITION BY area_code ORDER BY {order}), "
        f"CASE WHEN competes THEN row_number() OVER (PARTITION BY competes, area_code ORDER BY {order}) END, "
        f"CASE WHEN competes THEN row_number() OVER (PARTITION BY competes ORDER BY {order}) END FROM competing"
    )


def set_quotas(context: Context, definition: ListDefinition) -> Quotas:
    """The places of each area with people in the population; with the areas' names in ``list_areas`` too."""
    quotas = _quotas(context, definition)
    names = context.definitions.geography.names_on(context.as_of, definition.area)
    for code, places in quotas.places.items():
        context.engine.execute(
            "INSERT INTO list_areas VALUES ($list, $code, $name, $places)",
            {"list": definition.name, "code": code, "name": names.get(code), "places": places},
        )
    return quotas


def _quotas(context: Context, definition: ListDefinition) -> Quotas:
    areas, because = _areas(context, definition)
    if definition.capacity is None:
        return Quotas(dict.fromkeys(areas))
    places = definition.capacity * len(areas)
    if definition.allocation == CITY_WIDE:
        taken = {
            str(code): int(count)
            for code, count in context.engine.rows(
                f"SELECT area_code, count(*) FROM list_eligible WHERE list = {literal(definition.name)} "
                f"AND city_place <= {places} GROUP BY area_code"
            )
        }
        return Quotas({code: taken.get(code, 0) for code in areas})
    return Quotas(dict(share(places, areas)), because)


def _areas(context: Context, definition: ListDefinition) -> tuple[dict[str, Area], str | None]:
    """Every area with people, and why need could not be its weight, None where it is or was not asked for."""
    need, area = definition.need_feature, quoted(definition.area_column)
    amount = f"CAST({quoted(need)} AS DECIMAL(18, 6))" if need else "NULL"
    takers = {
        str(code): int(count)
        for code, count in context.engine.rows(
            f"SELECT area_code, count(*) FROM list_eligible WHERE list = {literal(definition.name)} "
            "AND competing_place IS NOT NULL GROUP BY area_code"
        )
    }
    rows = context.engine.rows(
        f"SELECT {area}, count(*), count({amount}), CAST(COALESCE(sum({amount}), 0) AS VARCHAR) "
        f"FROM {FEATURES} GROUP BY {area} ORDER BY {area}"
    )
    because = None
    if definition.allocation == BY_NEED:
        if any(not known for _, _, known, _ in rows):
            because = f"{need} is unknown for everybody of an area"
        elif not any(Fraction(amount) for *_, amount in rows):
            because = f"{need} is 0 for everybody"
    by_head = definition.allocation != BY_NEED or because is not None
    return {
        str(code): Area(
            # whom nothing is known of counts as the others of the area do
            weight=Fraction(people) if by_head else Fraction(amount) * people / known,
            people=int(people),
            takers=takers.get(str(code), 0),
        )
        for code, people, known, amount in rows
    }, because


def rank_listed(context: Context) -> None:
    """Leave ``list_places``, everybody eligible with what became of it, and ``list_ranked``, the lists with changes.

    BACK is whoever was on a list before the run that is compared with, and not on that one.
    """
    context.engine.create(
        "list_places",
        "SELECT judged.*, CASE WHEN judged.is_listed THEN NULL WHEN judged.is_resting THEN 'resting' "
        "ELSE 'over capacity' END AS not_listed_because FROM (SELECT list_eligible.*, list_areas.quota, "
        "list_eligible.is_manual_addition OR (NOT list_eligible.is_resting AND (list_areas.quota IS NULL "
        "OR list_eligible.competing_place <= list_areas.quota)) AS is_listed FROM list_eligible "
        "JOIN list_areas ON list_areas.list = list_eligible.list "
        "AND list_areas.area_code = list_eligible.area_code) AS judged",
    )
    same = "list = ranked.list AND {0}.area_code = ranked.area_code AND {0}.person_id = ranked.person_id"
    context.engine.create(
        "list_ranked",
        "SELECT ranked.*, CASE WHEN earlier_lists.rank IS NULL THEN "
        "CASE WHEN earlier_memory.person_id IS NULL THEN 'NEW' ELSE 'BACK' END "
        "WHEN ranked.rank < earlier_lists.rank THEN 'UP' WHEN ranked.rank > earlier_lists.rank THEN 'DOWN' "
        "ELSE 'SAME' END AS change FROM (SELECT list, area_code, person_id, is_manual_addition, rest_overridden, "
        "CAST(row_number() OVER (PARTITION BY list, area_code ORDER BY place) AS INTEGER) AS rank "
        "FROM list_places WHERE is_listed) AS ranked "
        f"LEFT JOIN earlier_lists ON earlier_lists.{same.format('earlier_lists')} "
        f"LEFT JOIN earlier_memory ON earlier_memory.{same.format('earlier_memory')}",
    )
