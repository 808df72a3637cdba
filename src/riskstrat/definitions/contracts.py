"""Data contracts: ``data_contracts/NAME.yaml``, one Open Data Contract Standard v3.1.0 document a table.

The files are the only place where columns, types, keys, allowed values, quality rules and the limits of freshness
and volume (``slaProperties``; ``limits.py`` lists them) are stated. Custom properties hold what the standard has no
field for: ``direction`` (in, out, back), ``presence`` (required, optional), ``eventDate``, ``recordedDate``,
``providerColumn`` and ``recordKey`` of a contract; ``identifier``, ``private``, ``unknownValue`` and ``codeSystem`` of
a column; ``remedy`` and ``when`` of a check. Source: Bitol, Open Data Contract Standard 3.1.0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from riskstrat.definitions.contract_checks import (
    check_row_conditions,
    column_checks,
    custom_properties,
    misstated,
    row_checks,
    valid_values,
)
from riskstrat.definitions.contract_documents import read_document, table_of
from riskstrat.definitions.documents import check_keys
from riskstrat.definitions.limits import LimitValue, sla_limits
from riskstrat.definitions.rules import (
    SQL_TYPES,
    Column,
    ColumnType,
    Rule,
    column_rules,
    row_rules,
    spared_rows,
)
from riskstrat.errors import DefinitionError

__all__ = ["Column", "Contract", "Rule", "load_contract", "load_contracts"]

Direction = Literal["in", "out", "back"]
DIRECTIONS: tuple[Direction, ...] = ("in", "out", "back")
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

COLUMN_REQUIRED = ("name", "logicalType", "physicalType", "classification", "description")
COLUMN_KEYS = (
    *(*COLUMN_REQUIRED, "businessName", "required", "primaryKey", "primaryKeyPosition"),
    *("logicalTypeOptions", "quality", "customProperties", "examples"),
)
CONTRACT_PROPERTIES = ("direction", "presence", "eventDate", "recordedDate", "providerColumn", "recordKey")
COLUMN_PROPERTIES = ("identifier", "private", "unknownValue", "codeSystem")
FEATURE_PROPERTIES = (
    *("grain", "unit", "window", "missing", "source", "requires"),
    *("codelists", "sqlTable", "evidence", "evidence_concepts"),
)


@dataclass(frozen=True)
class Contract:
    """One extract (``in``), output (``out``) or filled-in output (``back``): its columns in order, key and rules.

    ``event_date``, ``recorded_date`` and ``provider`` name columns or are None. ``has_deleted`` means that a row
    whose ``deleted`` is true removes its key. ``record_key`` names an optional column, the supplier's own identifier
    of the record: a row that fills it is a version of that record, whatever its key. ``required`` says whether a
    run needs the extract. ``grain`` is what one row is; ``purpose``, ``usage`` and ``limitations`` are prose.
    ``limits`` are those of freshness and volume that the contract states.
    """

    name: str
    version: str
    title: str
    direction: Direction
    required: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    event_date: str | None
    recorded_date: str | None
    provider: str | None
    has_deleted: bool
    record_key: str | None = None
    grain: str = ""
    purpose: str = ""
    usage: str = ""
    limitations: str = ""
    limits: Mapping[str, LimitValue] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]

    def spared_rows(self, column: Column) -> str | None:
        """SQL, never NULL, true for deleted rows that need nothing in ``column``; None where every row does."""
        return spared_rows(column, has_deleted=self.has_deleted, record_key=self.record_key)


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of ``folder`` by name, in name order. Raises DefinitionError on the first mistake."""
    return {path.stem: load_contract(path) for path in sorted(folder.glob("*.yaml"))}


def load_contract(path: Path) -> Contract:
    """Parse one contract strictly. Raises DefinitionError with the file, the place and the remedy."""
    document = read_document(path)
    about = custom_properties(document["customProperties"], CONTRACT_PROPERTIES, path, "customProperties")
    direction = cast("Direction", _choice(about, "direction", DIRECTIONS, path))
    table = table_of(document, path)
    entries = table["properties"]
    columns = tuple(_column(entry, path) for entry in entries)
    named = {column.name: column for column in columns}
    has_deleted = "deleted" in named and named["deleted"].type == "boolean"
    record_key = _named(about, "recordKey", named, ("text",), path)
    spared = {
        column.name: spared_rows(column, has_deleted=has_deleted, record_key=record_key) for column in columns
    }
    prose = {name: " ".join(str(text).split()) for name, text in document["description"].items()}
    return Contract(
        name=document["name"],
        version=document["version"],
        title=table["businessName"],
        direction=direction,
        required=_choice(about, "presence", ("required", "optional"), path) == "required",
        columns=columns,
        key=_key(entries, path),
        rules=_rules(table, columns, path, is_read=direction != "out", spared=spared),
        event_date=_named(about, "eventDate", named, ("date", "timestamp"), path),
        recorded_date=_named(about, "recordedDate", named, ("date", "timestamp"), path),
        provider=_named(about, "providerColumn", named, ("text",), path),
        has_deleted=has_deleted,
        record_key=record_key,
        grain=" ".join(str(table["dataGranularityDescription"]).split()),
        limits=sla_limits(document.get("slaProperties") or [], path),
        **prose,
    )


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
    options = dict(entry.get("logicalTypeOptions") or {})
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
        limits=(options.get("minimum"), options.get("maximum")),
        national_term=str(entry.get("businessName") or ""),
    )


def _rules(
    table: Mapping[str, Any],
    columns: Sequence[Column],
    path: Path,
    *,
    is_read: bool,
    spared: Mapping[str, str | None],
) -> tuple[Rule, ...]:
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise misstated(path, f"- name: {name}", name, "stands twice.", "keep one of them.")
    name = table["name"]
    rules: list[Rule] = []
    for entry, column in zip(table["properties"], columns, strict=True):
        rules += column_rules(name, column, column_checks(entry, column, path), spared[column.name])
    rules += row_rules(name, row_checks(table, path), has_deleted=any(spared.values()))
    if not is_read:  # outputs are written typed, so nothing can break a type or a line
        rules = [rule for rule in rules if rule.sql != "FALSE" or rule.judge]
    for rule_id, times in Counter(rule.id for rule in rules).items():
        if times > 1:
            raise DefinitionError(f"the rule {rule_id} stands twice.", file=path, remedy="keep one of them.")
    if len(rules) > MOST_RULES:
        raise DefinitionError(
            f"has {len(rules)} rules, and a row's mask holds {MOST_RULES}.",
            file=path,
            remedy="join row rules, or drop those that nobody acts on.",
        )
    check_row_conditions([rule for rule in rules if rule.kind in ("row", "value")], columns, path)
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
