"""Data contracts: ``data_contracts/NAME.yaml``, one Open Data Contract Standard v3.1.0 document a table.

The files are the only place where columns, types, keys, allowed values and quality rules are stated. What the
standard has no field for stands in ``customProperties``; docs/adr and the files themselves say what each means.
Source: Bitol, Open Data Contract Standard 3.1.0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.definitions.rules import SQL_TYPES, Check, Column, ColumnType, Rule, column_rules, row_rules
from riskstrat.errors import DefinitionError

__all__ = ["Column", "Contract", "Rule", "load_contract", "load_contracts"]

STANDARD = "v3.1.0"
MOST_RULES = 62  # a rule is a bit of a BIGINT mask
SEVERITIES = ("quarantine", "warn")
COLUMN_TYPES: Mapping[str, ColumnType] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}
OPTIONS = {"string": ("pattern",), "integer": ("minimum", "maximum"), "number": ("minimum", "maximum")}

TOP_REQUIRED = ("apiVersion", "kind", "id", "name", "version", "status", "description", "customProperties", "schema")
TOP_KEYS = (*TOP_REQUIRED, "domain", "dataProduct", "tags", "authoritativeDefinitions")
DESCRIPTION_KEYS = ("purpose", "usage", "limitations")
SCHEMA_REQUIRED = ("name", "logicalType", "businessName", "description", "dataGranularityDescription", "properties")
SCHEMA_KEYS = (*SCHEMA_REQUIRED, "physicalType", "quality")
COLUMN_REQUIRED = ("name", "logicalType", "physicalType", "classification", "description")
COLUMN_KEYS = (
    *COLUMN_REQUIRED,
    *("businessName", "required", "primaryKey", "primaryKeyPosition", "logicalTypeOptions", "quality"),
    *("customProperties", "examples"),
)
CHECK_KEYS = (
    "name",
    *("type", "metric", "arguments", "query", "mustBe", "severity", "description", "dimension", "customProperties"),
)
CONTRACT_PROPERTIES = ("direction", "presence", "eventDate", "recordedDate", "providerColumn")
COLUMN_PROPERTIES = ("identifier", "private", "unknownValue")
FEATURE_PROPERTIES = ("grain", "unit", "window", "missing", "source", "requires", "codelists", "sqlTable")

NAME = re.compile(r"[a-z][a-z0-9_]*")
ROW_QUERY = r"SELECT COUNT\(\*\) FROM {extract} WHERE (?P<condition>.+)"


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
    """Parse one contract strictly. Raises DefinitionError with the file, the line and the remedy."""
    document = read_mapping(path)
    _check_standard(document, path)
    check_keys(document, allowed=TOP_KEYS, required=TOP_REQUIRED, file=path)
    check_keys(document["description"], allowed=DESCRIPTION_KEYS, required=("purpose",), file=path, where="description")
    _check_header(document, path)
    about = _properties(document["customProperties"], CONTRACT_PROPERTIES, path, None)
    table = _only(document["schema"], path)
    check_keys(table, allowed=SCHEMA_KEYS, required=SCHEMA_REQUIRED, file=path, where="schema")
    if table["name"] != document["name"]:
        raise DefinitionError("the schema's name is not the contract's.", file=path, remedy="give both the same name.")
    entries = table["properties"]
    columns = tuple(_column(entry, path) for entry in entries)
    direction = _choice(about, "direction", ("in", "out"), path)
    named = {column.name: column for column in columns}
    has_deleted = "deleted" in named and named["deleted"].type == "boolean"
    rules: list[Rule] = []
    for entry, column in zip(entries, columns, strict=True):
        checks = _column_checks(entry, column, path)
        own = column_rules(table["name"], column, checks, has_deleted=has_deleted)
        # outputs are written typed, so only extracts can break a type or a line
        rules += own if direction == "in" else [rule for rule in own if rule.kind != "type"]
    over_rows = row_rules(table["name"], _row_checks(table, path), has_deleted=has_deleted)
    rules += over_rows if direction == "in" else over_rows[1:]
    _check_rules(rules, columns, path)
    return Contract(
        name=document["name"],
        version=document["version"],
        title=table["businessName"],
        direction="in" if direction == "in" else "out",
        required=_choice(about, "presence", ("required", "optional"), path) == "required",
        columns=columns,
        key=_key(entries, path),
        rules=tuple(rules),
        event_date=_names_column(about, "eventDate", named, ("date", "timestamp"), path),
        recorded_date=_names_column(about, "recordedDate", named, ("date", "timestamp"), path),
        provider=_names_column(about, "providerColumn", named, ("text",), path),
        has_deleted=has_deleted,
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
            f"is no Open Data Contract Standard document: {first['msg'].lower()} at {place}.",
            file=path,
            column=place,
            remedy="compare it with the other files of data_contracts/.",
        ) from None


def _check_header(document: Mapping[str, Any], path: Path) -> None:
    for key, expected in (("apiVersion", STANDARD), ("kind", "DataContract"), ("name", path.name.split(".")[0])):
        if document[key] != expected:
            raise DefinitionError(
                f"must be {expected}.",
                file=path,
                row=_line(path, f"{key}:"),
                column=key,
                remedy="rename the file or correct the key." if key == "name" else f"write {key}: {expected}.",
            )
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(document["version"])):
        raise DefinitionError(
            "is no version of three numbers.",
            file=path,
            row=_line(path, "version:"),
            column="version",
            remedy="write MAJOR.MINOR.PATCH, such as 1.0.0.",
        )


def _only(schema: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(schema, list) or len(schema) != 1:
        raise DefinitionError("must describe exactly one table.", file=path, column="schema", remedy="one file a table.")
    table: Mapping[str, Any] = schema[0]
    return table


def _column(entry: Mapping[str, Any], path: Path) -> Column:
    name = str(entry.get("name"))
    line = _line(path, f"- name: {name}")
    check_keys(entry, allowed=COLUMN_KEYS, required=COLUMN_REQUIRED, file=path, where=f"column {name}")
    if not NAME.fullmatch(name):
        raise _wrong(path, line, name, "is no column name.", "use lower-case letters, digits and underscores.")
    if entry["logicalType"] not in COLUMN_TYPES:
        raise _wrong(path, line, name, "has an unknown logicalType.", f"use one of {', '.join(COLUMN_TYPES)}.")
    kind = COLUMN_TYPES[entry["logicalType"]]
    if entry["physicalType"] != SQL_TYPES[kind]:
        raise _wrong(path, line, name, "its physicalType does not fit its logicalType.", f"write {SQL_TYPES[kind]}.")
    if not str(entry["description"] or "").strip():
        raise _wrong(path, line, name, "has no description.", "say what the column means.")
    about = _properties(
        entry.get("customProperties") or [], (*COLUMN_PROPERTIES, *FEATURE_PROPERTIES), path, name
    )
    allowed = next(
        (tuple(str(value) for value in check["arguments"]["validValues"]) for check in entry.get("quality") or []
         if "validValues" in (check.get("arguments") or {})),
        (),
    )  # fmt: skip
    unknown = about.pop("unknownValue", None)
    if unknown is not None and unknown not in allowed:
        raise _wrong(path, line, name, "its unknownValue is not one of its validValues.", "list it there.")
    return Column(
        name=name,
        type=kind,
        required=bool(entry.get("required", False)),
        key=bool(entry.get("primaryKey", False)),
        identifier=about.pop("identifier", None) == "nhs_number",
        private=bool(about.pop("private", False)),
        description=" ".join(str(entry["description"]).split()),
        allowed=allowed,
        unknown=unknown,
        about=about,
    )


def _column_checks(entry: Mapping[str, Any], column: Column, path: Path) -> list[Check]:
    line = _line(path, f"- name: {column.name}")
    options = dict(entry.get("logicalTypeOptions") or {})
    check_keys(
        options, allowed=OPTIONS.get(entry["logicalType"], ()), file=path, where=f"the options of column {column.name}"
    )
    stated = [_library_check(check, column, path) for check in entry.get("quality") or []]
    if "pattern" in options:
        stated.append(Check("pattern", "quarantine", pattern=str(options["pattern"])))
    if "minimum" in options or "maximum" in options:
        stated.append(
            Check("range", "quarantine", minimum=options.get("minimum"), maximum=options.get("maximum"))
        )
    if column.required and not any(check.kind == "required" for check in stated):
        stated.insert(0, Check("required", "quarantine"))
    for check in stated:
        if check.pattern is not None and not (check.pattern.startswith("^") and check.pattern.endswith("$")):
            raise _wrong(path, line, column.name, "its pattern matches a part of a value.", "start it with ^, end it with $.")
        if check.kind in ("allowed", "pattern") and column.type != "text":
            raise _wrong(path, line, column.name, "lists values of a column that is not text.", "use minimum and maximum.")
    return stated


def _library_check(entry: Mapping[str, Any], column: Column, path: Path) -> Check:
    line = _line(path, f"- name: {column.name}")
    where = f"the quality of column {column.name}"
    check_keys(entry, allowed=CHECK_KEYS, required=("metric", "mustBe", "severity"), file=path, where=where)
    if entry["mustBe"] != 0:
        raise _wrong(path, line, column.name, "a quality metric must be 0.", "write mustBe: 0; limits are in config/sources.yaml.")
    severity = _severity(entry, path, line, column.name)
    arguments = entry.get("arguments") or {}
    words = _words(entry, path, column.name)
    if entry["metric"] == "nullValues" and not arguments:
        return Check("required", severity, **words)
    if entry["metric"] == "invalidValues" and set(arguments) == {"validValues"}:
        return Check("allowed", severity, allowed=column.allowed, **words)
    if entry["metric"] == "invalidValues" and set(arguments) == {"pattern"}:
        return Check("pattern", severity, pattern=str(arguments["pattern"]), **words)
    raise _wrong(
        path,
        line,
        column.name,
        "has a quality metric that is not understood.",
        "use nullValues, or invalidValues with validValues or with pattern.",
    )


def _row_checks(table: Mapping[str, Any], path: Path) -> list[Check]:
    checks = []
    for entry in table.get("quality") or []:
        name = str(entry.get("name"))
        line = _line(path, f"- name: {name}")
        needed = ("name", "type", "description", "query", "mustBe", "severity", "customProperties")
        check_keys(entry, allowed=CHECK_KEYS, required=needed, file=path, where=f"row rule {name}")
        query = " ".join(str(entry["query"]).split())
        found = re.fullmatch(ROW_QUERY.format(extract=re.escape(table["name"])), query)
        if entry["type"] != "sql" or entry["mustBe"] != 0 or found is None or not NAME.fullmatch(name):
            raise _wrong(
                path,
                line,
                None,
                f"row rule '{name}' is not understood.",
                f"write type: sql, mustBe: 0 and query: SELECT COUNT(*) FROM {table['name']} WHERE CONDITION.",
            )
        words = _words(entry, path, None)
        severity = _severity(entry, path, line, None)
        checks.append(Check("row", severity, name=name, condition=f"({found['condition']})", **words))
    return checks


def _words(entry: Mapping[str, Any], path: Path, column: str | None) -> dict[str, str]:
    about = _properties(entry.get("customProperties") or [], ("remedy",), path, column)
    words = {"message": entry.get("description"), "remedy": about.get("remedy")}
    return {key: " ".join(str(text).split()) for key, text in words.items() if text}


def _properties(entries: Sequence[Mapping[str, Any]], allowed: Sequence[str], path: Path, column: str | None) -> dict[str, Any]:
    """Custom properties as a mapping; ODCS writes them as a list of property and value."""
    where = f"the custom properties of column {column}" if column else "customProperties"
    found: dict[str, Any] = {}
    for entry in entries:
        check_keys(entry, allowed=("property", "value"), required=("property", "value"), file=path, where=where)
        if entry["property"] in found:
            raise DefinitionError(f"'{entry['property']}' stands twice in {where}.", file=path, remedy="keep one.")
        found[entry["property"]] = entry["value"]
    check_keys(found, allowed=allowed, file=path, where=where)
    return found


def _key(entries: Sequence[Mapping[str, Any]], path: Path) -> tuple[str, ...]:
    placed = sorted(
        (entry.get("primaryKeyPosition", 0), entry["name"]) for entry in entries if entry.get("primaryKey")
    )
    if not placed or [place for place, _ in placed] != list(range(1, len(placed) + 1)):
        raise DefinitionError(
            "the key is not stated.",
            file=path,
            column="primaryKeyPosition",
            remedy="give the key's columns primaryKey: true and primaryKeyPosition 1, 2 and so on.",
        )
    strays = [entry["name"] for entry in entries if "primaryKeyPosition" in entry and not entry.get("primaryKey")]
    optional = [entry["name"] for entry in entries if entry.get("primaryKey") and not entry.get("required")]
    for name in (*strays, *optional):
        raise _wrong(
            path,
            _line(path, f"- name: {name}"),
            name,
            "has a place in the key but is not both primaryKey and required.",
            "write primaryKey: true and required: true, or take primaryKeyPosition away.",
        )
    return tuple(name for _, name in placed)


def _names_column(
    about: Mapping[str, Any], what: str, named: Mapping[str, Column], types: Sequence[str], path: Path
) -> str | None:
    name = about.get(what)
    if name is None:
        return None
    if name not in named or named[name].type not in types:
        raise DefinitionError(
            f"{what} names '{name}', which is no {' or '.join(types)} column here.",
            file=path,
            row=_line(path, f"value: {name}"),
            column=what,
            remedy="name one of the columns of this file, or take the property away.",
        )
    return str(name)


def _choice(about: Mapping[str, Any], key: str, choices: Sequence[str], path: Path) -> str:
    if about.get(key) not in choices:
        raise DefinitionError(
            f"must be {' or '.join(choices)}.", file=path, column=key, remedy=f"add the custom property {key}."
        )
    return str(about[key])


def _severity(entry: Mapping[str, Any], path: Path, line: int | None, column: str | None) -> Any:
    if entry["severity"] not in SEVERITIES:
        raise _wrong(path, line, column, "has an unknown severity.", f"use one of {', '.join(SEVERITIES)}.")
    return entry["severity"]


def _check_rules(rules: Sequence[Rule], columns: Sequence[Column], path: Path) -> None:
    for what, names in (("column", [column.name for column in columns]), ("rule", [rule.id for rule in rules])):
        for name, times in Counter(names).items():
            if times > 1:
                raise DefinitionError(f"the {what} '{name}' stands twice.", file=path, remedy="keep one of them.")
    if len(rules) > MOST_RULES:
        raise DefinitionError(
            f"has {len(rules)} rules, and a row's mask holds {MOST_RULES}.",
            file=path,
            remedy="join row rules, or drop the ones that nobody reads.",
        )
    _check_row_conditions([rule for rule in rules if rule.kind == "row"], columns, path)


def _check_row_conditions(rules: Sequence[Rule], columns: Sequence[Column], path: Path) -> None:
    """Bind every row rule to an empty table, so that a misspelt column is found here and not in the night."""
    import duckdb

    empty = ", ".join(f"CAST(NULL AS {column.sql_type}) AS {column.name}" for column in columns)
    with duckdb.connect() as connection:
        for rule in rules:
            try:
                connection.execute(f"SELECT 1 FROM (SELECT {empty}) AS bound WHERE {rule.sql}").fetchall()
            except duckdb.Error as problem:
                name = rule.id.rsplit(".", 1)[-1]
                raise _wrong(
                    path,
                    _line(path, f"- name: {name}"),
                    None,
                    f"row rule '{name}' is no condition over these columns ({str(problem).splitlines()[0]}).",
                    "use only columns of this file and compare values of one type.",
                ) from None


def _wrong(path: Path, row: int | None, column: str | None, what: str, remedy: str) -> DefinitionError:
    return DefinitionError(what, file=path, row=row, column=column, remedy=remedy)


def _line(path: Path, text: str) -> int | None:
    """The number of the first line that holds just ``text``, or that begins with it, for an error's place."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    exact = [number for number, line in enumerate(lines, start=1) if line == text]
    near = [number for number, line in enumerate(lines, start=1) if line.startswith(text)]
    return next(iter(exact or near), None)
