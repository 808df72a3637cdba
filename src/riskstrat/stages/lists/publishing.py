"""What a run publishes of its lists: every list, everybody eligible, the memory, and a file for each area's team."""

from __future__ import annotations

import json
from typing import Any

from riskstrat.definitions.list_columns import CONTRACT
from riskstrat.definitions.lists import DROPPED_OFF, DROPPED_TITLE, ListDefinition
from riskstrat.sqltext import FORMULA_START, literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.earlier import ELIGIBLE, FOLDER, MEMORY, file_of
from riskstrat.stages.lists.choosing import Quotas
from riskstrat.stages.lists.rows import SECTION_ORDER
from riskstrat.stages.lists.wording import unknown_columns
from riskstrat.stages.outputs import check_columns

ROW_ORDER = f"area_code, {SECTION_ORDER}, rank NULLS LAST, person_id"
FORGOTTEN_AFTER_DAYS = 400
MISSING, UNKNOWN, NONE, RECORDED = "missing", "unknown", "none", "recorded"


def publish_list(context: Context, definition: ListDefinition) -> None:
    """Write a list, and its definition with what an empty cell of each column means in this run."""
    columns = context.definitions.contracts[CONTRACT].columns
    names = ", ".join(quoted(column.name) for column in columns)
    select = f"SELECT {names} FROM list_rows WHERE list = {literal(definition.name)} ORDER BY {ROW_ORDER}"
    check_columns(context, CONTRACT, select)
    context.engine.export(select, context.building / file_of(definition.name))
    text = json.dumps(_document(context, definition), indent=1, ensure_ascii=False)
    (context.building / file_of(definition.name, "json")).write_text(text + "\n", encoding="utf-8")


def publish_eligible(context: Context) -> None:
    """Write everybody who could be listed, with the place, the score and the places of the area."""
    select = (
        "SELECT list, area_code, person_id, place, score, quota AS threshold_place, is_listed, not_listed_because, "
        "is_manual_addition FROM list_places ORDER BY list, area_code, place"
    )
    check_columns(context, f"{CONTRACT}_{ELIGIBLE}", select)
    context.engine.export(select, context.building / file_of(ELIGIBLE))


def publish_memory(context: Context) -> None:
    """Write who was on which list when, tonight included; without those who opted out and those of long ago."""
    columns = "list, area_code, person_id, first_listed, last_listed, last_rank"
    before = (
        f"SELECT {columns} FROM read_parquet({literal(str(context.earlier.memory.folder / file_of(MEMORY)))})"
        if context.earlier.memory
        else "SELECT list, area_code, person_id, CAST(NULL AS DATE) AS first_listed, "
        "CAST(NULL AS DATE) AS last_listed, rank AS last_rank FROM list_ranked WHERE FALSE"
    )
    tonight = f"CAST(DATE '{context.as_of}' AS DATE)"
    select = (
        f"WITH before AS ({before}), hidden AS (SELECT person_keys.person_id FROM hidden_people "
        "JOIN person_keys ON person_keys.person = hidden_people.person), "
        "remembered AS (SELECT COALESCE(list_ranked.list, before.list) AS list, "
        "COALESCE(list_ranked.area_code, before.area_code) AS area_code, "
        "COALESCE(list_ranked.person_id, before.person_id) AS person_id, "
        f"COALESCE(before.first_listed, {tonight}) AS first_listed, "
        f"CASE WHEN list_ranked.list IS NULL THEN before.last_listed ELSE {tonight} END AS last_listed, "
        "COALESCE(list_ranked.rank, before.last_rank) AS last_rank FROM before FULL JOIN list_ranked "
        "ON list_ranked.list = before.list AND list_ranked.area_code = before.area_code "
        "AND list_ranked.person_id = before.person_id) "
        f"SELECT {columns} FROM remembered WHERE date_diff('day', last_listed, {tonight}) <= {FORGOTTEN_AFTER_DAYS} "
        "AND person_id NOT IN (SELECT person_id FROM hidden) ORDER BY person_id, list, area_code"
    )
    check_columns(context, f"{CONTRACT}_{MEMORY}", select)
    context.engine.export(select, context.building / file_of(MEMORY))


def publish_files(context: Context, definition: ListDefinition) -> None:
    """Write ``lists/AREA_CODE/NAME.csv`` for every area with people, or with somebody who dropped off."""
    unknown = unknown_cells(context)
    columns = {column.name: column for column in context.definitions.contracts[CONTRACT].columns}
    shown = list(dict.fromkeys(["section", *definition.columns]))
    cells = ", ".join(_cell(name, columns[name].type, is_unknown=name in unknown) for name in shown)
    name = literal(definition.name)
    codes = context.engine.rows(
        f"SELECT area_code FROM list_areas WHERE list = {name} UNION "
        f"SELECT area_code FROM list_rows WHERE list = {name} ORDER BY area_code"
    )
    for (code,) in codes:
        folder = context.building / FOLDER / str(code)
        folder.mkdir(exist_ok=True)
        context.engine.execute(
            f"COPY (SELECT {cells} FROM list_rows WHERE list = {name} AND area_code = {literal(str(code))} "
            f"ORDER BY {ROW_ORDER}) TO {literal(str(folder / f'{definition.name}.csv'))} (FORMAT csv, HEADER true)"
        )


def unknown_cells(context: Context) -> set[str]:
    """The columns in which an empty cell means that nobody can tell; in the others there is nothing to say."""
    absent = unknown_columns(context)
    says = {
        column.name: column.about.get(MISSING) for column in context.definitions.contracts[CONTRACT].columns
    }
    return {name for name, what in says.items() if what == UNKNOWN or (what == RECORDED and name in absent)}


def summary(context: Context, definition: ListDefinition, quotas: Quotas) -> dict[str, Any]:
    """What the manifest says of a list."""
    run = context.earlier.compared.get(definition.name)
    told: dict[str, Any] = {
        "title": definition.title,
        "area": definition.area,
        "cadence": definition.cadence,
        "capacity": definition.capacity,
        "allocation": definition.allocation if definition.capacity is not None else None,
        "compared_with": run.id if run else None,
        "sha256": definition.sha256,
        "areas": _areas(context, definition),
    }
    if quotas.per_head_because:
        told["shared_per_head_because"] = quotas.per_head_because
    return told


def _areas(context: Context, definition: ListDefinition) -> dict[str, Any]:
    name = literal(definition.name)
    areas: dict[str, Any] = {}
    for code, area_name, quota in context.engine.rows(
        f"SELECT area_code, area_name, quota FROM list_areas WHERE list = {name} UNION "
        f"SELECT area_code, max(area_name), NULL FROM list_dropped WHERE list = {name} AND area_code NOT IN "
        f"(SELECT area_code FROM list_areas WHERE list = {name}) GROUP BY area_code ORDER BY area_code"
    ):
        areas[code] = {"name": area_name, "quota": quota, **dict.fromkeys(COUNTS, 0), "dropped": {}}
    for code, eligible, listed, new, back in context.engine.rows(
        "SELECT list_places.area_code, count(*), count(*) FILTER (list_places.is_listed), "
        "count(*) FILTER (list_ranked.change = 'NEW'), count(*) FILTER (list_ranked.change = 'BACK') "
        "FROM list_places LEFT JOIN list_ranked ON list_ranked.list = list_places.list "
        "AND list_ranked.area_code = list_places.area_code AND list_ranked.person_id = list_places.person_id "
        f"WHERE list_places.list = {name} GROUP BY list_places.area_code"
    ):
        areas[code] |= dict(zip(COUNTS, (eligible, listed, new, back), strict=True))
    for code, because, people in context.engine.rows(
        f"SELECT area_code, because, count(*) FROM list_dropped WHERE list = {name} "
        "GROUP BY area_code, because ORDER BY area_code, because"
    ):
        areas[code]["dropped"][because] = people
    return areas


COUNTS = ("eligible", "listed", "new", "back")


def _document(context: Context, definition: ListDefinition) -> dict[str, Any]:
    review = definition.review
    sections = [{"name": one.name, "title": one.title, "when": one.when} for one in definition.sections]
    unknown = unknown_cells(context)
    return {
        **{
            name: getattr(definition, name)
            for name in ("name", "title", "why", "area", "cadence", "capacity", "source")
        },
        "cohorts": list(definition.cohorts),
        "include": list(definition.include),
        "allocation": definition.allocation if definition.capacity is not None else None,
        "need_feature": definition.need_feature,
        "order_by": [item.text for item in definition.order_by],
        "compare_days": definition.compare_days,
        "rest_days": definition.rest_days,
        "sections": [*sections, {"name": DROPPED_OFF, "title": DROPPED_TITLE, "when": None}],
        "columns": list(definition.columns),
        "empty_cells": {
            column.name: UNKNOWN if column.name in unknown else NONE
            for column in context.definitions.contracts[CONTRACT].columns
            if not column.required
        },
        "review": {
            "author": review.author,
            "signed_off_by": review.signed_off_by,
            "next_review": review.next_review.isoformat(),
        },
        "sha256": definition.sha256,
    }


def _cell(name: str, kind: str, *, is_unknown: bool) -> str:
    """SQL for a cell of a file that somebody opens in a spreadsheet: unknown is written, and no formula runs."""
    column = quoted(name)
    text = f"CAST({column} AS VARCHAR)"
    if kind == "text":
        is_formula = f"regexp_matches({column}, {literal(FORMULA_START)})"
        text = f"CASE WHEN {is_formula} THEN {literal(chr(39))} || {column} ELSE {column} END"
    if is_unknown:
        gone = "COALESCE(dropped_because, '') IN ('died', 'moved')"
        text = f"CASE WHEN {column} IS NULL AND NOT {gone} THEN '{UNKNOWN}' ELSE {text} END"
    return f"{text} AS {column}"
