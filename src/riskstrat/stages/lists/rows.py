"""The rows of a list as it is published: who is on it under which heading, and who has dropped off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskstrat.definitions.list_columns import CONTRACT
from riskstrat.definitions.list_rules import ListRules
from riskstrat.definitions.lists import DROPPED_OFF, ListDefinition
from riskstrat.definitions.reasons import ACTIONABLE, FIXED
from riskstrat.language import Expression
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.lists.dropping import GONE, OPTED_OUT
from riskstrat.stages.lists.knowing import KEPT
from riskstrat.stages.lists.wording import reasons_of

SECTION_ORDER = "section_order"


def create_rows(context: Context) -> None:
    """Make ``list_rows`` empty: the columns of the contract, and the place of the section among its list's."""
    columns = [(column.name, column.sql_type) for column in context.definitions.contracts[CONTRACT].columns]
    context.engine.load("list_rows", [*columns, (SECTION_ORDER, "INTEGER")], [])


def add_rows(
    context: Context, definition: ListDefinition, rules: ListRules, wording: Mapping[str, str]
) -> None:
    """Add the rows of one list to ``list_rows``."""
    context.engine.execute(f"INSERT INTO list_rows {_of_people(context, definition, rules, wording)}")
    context.engine.execute(f"INSERT INTO list_rows {_of_the_gone(context, definition)}")


def _of_people(
    context: Context, definition: ListDefinition, rules: ListRules, wording: Mapping[str, str]
) -> str:
    """SELECT of the people of the area: those listed, and those who have dropped off."""
    name, gone = literal(definition.name), ", ".join(literal(reason) for reason in (*GONE, OPTED_OUT))
    names = [literal(section.name) for section in definition.sections]
    places = [str(place) for place in range(len(names))]
    worded = ", ".join(f"{sql} AS {column}" for column, sql in wording.items())
    columns = _columns(
        context,
        {
            "list": name,
            "section": _by_section(rules, names, literal(DROPPED_OFF)),
            "reasons_fixed": reasons_of(FIXED),
            "reasons_actionable": reasons_of(ACTIONABLE),
            SECTION_ORDER: _by_section(rules, places, str(len(names))),
        },
    )
    return (
        "WITH shown AS (SELECT list_people.*, list_ranked.area_code, list_ranked.rank, list_ranked.change, "
        "NULL AS dropped_because, list_ranked.is_manual_addition, list_ranked.rest_overridden "
        "FROM list_ranked JOIN list_people ON list_people.person_id = list_ranked.person_id "
        f"WHERE list_ranked.list = {name} UNION ALL "
        "SELECT list_people.*, list_dropped.area_code, NULL, NULL, list_dropped.because, FALSE, FALSE "
        "FROM list_dropped JOIN list_people ON list_people.person_id = list_dropped.person_id "
        f"WHERE list_dropped.list = {name} AND list_dropped.because NOT IN ({gone})), "
        f"worded AS (SELECT shown.*, list_areas.area_name, {worded} FROM shown "
        f"JOIN list_areas ON list_areas.list = {name} AND list_areas.area_code = shown.area_code) "
        f"SELECT {columns} FROM worded"
    )


def _of_the_gone(context: Context, definition: ListDefinition) -> str:
    """SELECT of those who have died or moved: of them the list says what the one before said, and nothing newer."""
    known = {name: name for name in ("area_code", "area_name", "person_id", *KEPT)}
    nothing = {column.name: "NULL" for column in context.definitions.contracts[CONTRACT].columns}
    columns = _columns(
        context,
        {
            **nothing,
            **known,
            "list": "list",
            "section": literal(DROPPED_OFF),
            "dropped_because": "because",
            **dict.fromkeys(("is_manual_addition", "rest_overridden"), "FALSE"),
            SECTION_ORDER: str(len(definition.sections)),
        },
    )
    gone = ", ".join(literal(reason) for reason in GONE)
    return (
        f"SELECT {columns} FROM list_dropped WHERE list = {literal(definition.name)} AND because IN ({gone})"
    )


def _columns(context: Context, sources: Mapping[str, str]) -> str:
    """The columns of ``list_rows`` in order, each from its source, by default the column of its name."""
    names = [*(column.name for column in context.definitions.contracts[CONTRACT].columns), SECTION_ORDER]
    return ", ".join(f"{sources.get(name, quoted(name))} AS {quoted(name)}" for name in names)


def _by_section(rules: ListRules, values: Sequence[str], of_dropped: str) -> str:
    """SQL: the value of the first section whose condition is TRUE; the last has none and takes everybody left."""
    cases = [
        f"WHEN {_condition(rule)} THEN {value}" for rule, value in zip(rules.sections, values, strict=True)
    ]
    return f"CASE WHEN dropped_because IS NOT NULL THEN {of_dropped} {' '.join(cases)} END"


def _condition(rule: Expression | None) -> str:
    return f"({rule.sql})" if rule else "TRUE"
