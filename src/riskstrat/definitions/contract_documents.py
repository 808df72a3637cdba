"""The form of a contract's file: a valid Open Data Contract Standard document with the keys that are read here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskstrat.definitions.contract_checks import misstated
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

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
TOP_KEYS = (*TOP_REQUIRED, "domain", "dataProduct", "tags", "authoritativeDefinitions", "slaProperties")
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


def read_document(path: Path) -> Mapping[str, Any]:
    """The document of one table, its form checked. Raises DefinitionError with the place and the remedy."""
    document = read_mapping(path)
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
    return document


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


def table_of(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The one table that a document describes. Raises DefinitionError."""
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
