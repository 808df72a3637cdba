"""Data contracts: ``data_contracts/NAME.yaml``, one Open Data Contract Standard v3.1.0 document a table.

The files are the only place where columns, types, keys, allowed values and quality rules are stated. Custom
properties hold what the standard has no field for: ``direction`` (in, out), ``presence`` (required, optional),
``eventDate``, ``recordedDate`` and ``providerColumn`` of a contract; ``identifier``, ``private`` and
``unknownValue`` of a column; ``remedy`` of a check. Source: Bitol, Open Data Contract Standard 3.1.0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.contract_checks import (
    check_row_conditions,
    column_checks,
    custom_properties,
    misstated,
    row_checks,
    valid_values,
)
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.definitions.rules import SQL_TYPES, Column, ColumnType, Rule, column_rules, row_rules
from riskstrat.errors import DefinitionError

__all__ = ["Column", "Contract", "Rule", "load_contract", "load_contracts"]

MOST_RULES = 62  # a rule is a bit of a BIGINT mask
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")
COLUMN_TYPES: Mapping[str, ColumnType] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

TOP_REQUIRED = (
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "description",
    "customProperties",
    "schema",
)
TOP_KEYS = (*TOP_REQUIRED, "domain", "dataProduct", "tags", "authoritativeDefinitions")
DESCRIPTION_KEYS = ("purpose", "usage", "limitations")
SCHEMA_REQUIRED = (
    "name",
    "logicalType",
    "businessName",
    "description",
    "dataGranularityDescription",
    "properties",
)
SCHEMA_KEYS = (*SCHEMA_REQUIRED, "physicalType", "quality")
COLUMN_REQUIRED = ("name", "logicalType", "physicalType", "classification", "description")
COLUMN_KEYS = (
    *(*COLUMN_REQUIRED, "businessName", "required", "primaryKey", "primaryKeyPosition"),
    *("logicalTypeOptions", "quality", "customProperties", "examples"),
)
CONTRACT_PROPERTIES = ("direction", "presence", "eventDate", "recordedDate", "providerColumn")
COLUMN_PROPERTIES = ("identifier", "private", "unknownValue")
FEATURE_PROPERTIES = ("grain", "unit", "window", "missing", "source", "requires", "codelists", "sqlTable")


@dataclass(frozen=True)
class Contract:
    """One extract (``in``) or output (``out``): its columns in order, its key and its rules.

    ``event_date``, ``recorded_date`` and ``provider`` name columns or are None. ``has_deleted`` means that a row
    whose ``deleted`` is true removes its key. ``required`` says whether a run needs the extract.
    """

    name: str
    version: str
    title: str
    direction: Literal["in", "out"]
    required: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    event_date: str | None
    recorded_date: str | None
    provider: str | None
    has_deleted: bool

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of ``folder`` by name, in name order. Raises DefinitionError on the first mistake."""
    return {path.stem: load_contract(path) for path in sorted(folder.glob("*.yaml"))}


def load_contract(path: Path) -> Contract:
    """Parse one contract strictly. Raises DefinitionError with the file, the place and the remedy."""
    document = read_mapping(path)
    _check_document(document, path)
    about = custom_properties(document["customProperties"], CONTRACT_PROPERTIES, path, "customProperties")
    direction = _choice(about, "direction", ("in", "out"), path)
    table = _table(document, path)
    entries = table["properties"]
    columns = tuple(_column(entry, path) for entry in entries)
    named = {column.name: column for column in columns}
    has_deleted = "deleted" in named and named["deleted"].type == "boolean"
    return Contract(
        name=document["name"],
        version=document["version"],
        title=table["businessName"],
        direction="in" if direction == "in" else "out",
        required=_choice(about, "presence", ("required", "optional"), path) == "required",
        columns=columns,
        key=_key(entries, path),
        rules=_rules(table, columns, path, is_extract=direction == "in", has_deleted=has_deleted),
        event_date=_named(about, "eventDate", named, ("date", "timestamp"), path),
        recorded_date=_named(about, "recordedDate", named, ("date", "timestamp"), path),
        provider=_named(about, "providerColumn", named, ("text",), path),
        has_deleted=has_deleted,
    )


def _check_document(document: Mapping[str, Any], path: Path) -> None:
    check_keys(document, allowed=TOP_KEYS, required=TOP_REQUIRED, file=path)
    _check_standard(document, path)
    where = "description"
    check_keys(
        document["description"], allowed=DESCRIPTION_KEYS, required=("purpose",), file=path, where=where
    )
    expected = {"apiVersion": "v3.1.0", "kind": "DataContract", "name": path.stem}
    for key, value in expected.items():
        if document[key] != value:
            raise misstated(
                path, f"{key}:", key, f"is not {value}.", f"write {key}: {value}, or rename the file."
            )
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(document["version"])):
        raise misstated(
            path, "version:", "version", "is no version.", "write three numbers with points, such as 1.0.0."
        )


def _check_standard(document: Mapping[str, Any], path: Path) -> None:
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        OpenDataContractStandard(**document)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DefinitionError(
            f"is no Open Data Contract Standard document: {first['msg'].lower()}.",
            file=path,
            column=place,
            remedy="compare that place with the other files of data_contracts/.",
        ) from None


def _table(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    schema = document["schema"]
    if len(schema) != 1:
        raise misstated(
            path, "schema:", "schema", "describes not exactly one table.", "write one file for each table."
        )
    table: Mapping[str, Any] = schema[0]
    check_keys(table, allowed=SCHEMA_KEYS, required=SCHEMA_REQUIRED, file=path, where="schema")
    if table["name"] != document["name"]:
        raise misstated(path, "schema:", "schema", "names another table.", f"write name: {document['name']}.")
    return table


def _column(entry: Mapping[str, Any], path: Path) -> Column:
    name = str(entry.get("name"))
    where = f"column {name}"

    def wrong(what: str, remedy: str) -> DefinitionError:
        return misstated(path, f"- name: {name}", name, what, remedy)

    check_keys(entry, allowed=COLUMN_KEYS, required=COLUMN_REQUIRED, file=path, where=where)
    if not COLUMN_NAME.fullmatch(name):
        raise wrong("is no column name.", "use lower-case letters, digits and underscores.")
    if entry["logicalType"] not in COLUMN_TYPES:
        raise wrong("has an unknown logicalType.", f"use one of {', '.join(COLUMN_TYPES)}.")
    kind = COLUMN_TYPES[entry["logicalType"]]
    if entry["physicalType"] not in SQL_TYPES[kind]:
        fitting = " or ".join(SQL_TYPES[kind])
        raise wrong("has a physicalType that does not fit its logicalType.", f"write {fitting}.")
    if not str(entry["description"] or "").strip():
        raise wrong("has no description.", "say what the column means.")
    custom = entry.get("customProperties") or []
    about = custom_properties(custom, (*COLUMN_PROPERTIES, *FEATURE_PROPERTIES), path, where)
    allowed, unknown = valid_values(entry), about.pop("unknownValue", None)
    identifier = about.pop("identifier", None)
    if unknown is not None and unknown not in allowed:
        raise wrong("has an unknownValue that is none of its validValues.", "list it there.")
    if identifier not in (None, "nhs_number"):
        raise wrong("has an unknown identifier.", "write nhs_number, or take the property away.")
    return Column(
        name=name,
        type=kind,
        required=bool(entry.get("required", False)),
        key=bool(entry.get("primaryKey", False)),
        identifier=identifier is not None,
        private=bool(about.pop("private", False)),
        description=" ".join(str(entry["description"]).split()),
        allowed=allowed,
        unknown=unknown,
        about=about,
        sql_type=entry["physicalType"],
    )


def _rules(
    table: Mapping[str, Any], columns: Sequence[Column], path: Path, *, is_extract: bool, has_deleted: bool
) -> tuple[Rule, ...]:
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise misstated(path, f"- name: {name}", name, "stands twice.", "keep one of them.")
    name = table["name"]
    rules: list[Rule] = []
    for entry, column in zip(table["properties"], columns, strict=True):
        rules += column_rules(name, column, column_checks(entry, column, path), has_deleted=has_deleted)
    rules += row_rules(name, row_checks(table, path), has_deleted=has_deleted)
    if not is_extract:  # outputs are written typed, so nothing can break a type or a line
        rules = [rule for rule in rules if rule.sql != "FALSE"]
    for rule_id, times in Counter(rule.id for rule in rules).items():
        if times > 1:
            raise DefinitionError(f"the rule {rule_id} stands twice.", file=path, remedy="keep one of them.")
    if len(rules) > MOST_RULES:
        raise DefinitionError(
            f"has {len(rules)} rules, and a row's mask holds {MOST_RULES}.",
            file=path,
            remedy="join row rules, or drop those that nobody acts on.",
        )
    check_row_conditions([rule for rule in rules if rule.kind == "row"], columns, path)
    return tuple(rules)


def _key(entries: Sequence[Mapping[str, Any]], path: Path) -> tuple[str, ...]:
    for entry in entries:
        stated = (bool(entry.get("primaryKey")), "primaryKeyPosition" in entry)
        if any(stated) and not (all(stated) and entry.get("required")):
            name = entry["name"]
            raise misstated(
                path,
                f"- name: {name}",
                name,
                "is a part of the key and not fully so.",
                "write required: true, primaryKey: true and its primaryKeyPosition.",
            )
    placed = sorted(
        (entry["primaryKeyPosition"], entry["name"]) for entry in entries if entry.get("primaryKey")
    )
    if not placed or [place for place, _ in placed] != list(range(1, len(placed) + 1)):
        raise DefinitionError(
            "the key is not stated.",
            file=path,
            column="primaryKeyPosition",
            remedy="give the key's columns primaryKey: true and the positions 1, 2 and so on.",
        )
    return tuple(name for _, name in placed)


def _named(
    about: Mapping[str, Any], what: str, named: Mapping[str, Column], types: Sequence[str], path: Path
) -> str | None:
    name = about.get(what)
    if name is None:
        return None
    if name not in named or named[name].type not in types:
        raise misstated(
            path,
            f"- {{property: {what}",
            what,
            f"names '{name}', which is no {' or '.join(types)} column of this file.",
            "name one, or take the property away.",
        )
    return str(name)


def _choice(about: Mapping[str, Any], key: str, choices: Sequence[str], path: Path) -> str:
    if about.get(key) not in choices:
        raise misstated(
            path,
            f"- {{property: {key}",
            key,
            f"the custom property {key} is not {' or '.join(choices)}.",
            f"write - {{property: {key}, value: {choices[0]}}}.",
        )
    return str(about[key])
