"""Accepted and quarantined rows against the rows that the files hold: none invented, none lost, each on its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.keys import person_id
from tests.fuzz.probe import Found
from tests.fuzz.reader import Reading, Record

Given = dict[str, str]
DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?)?")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z?)?")
TRUE, FALSE = {"true", "t", "1", "yes", "y", "on"}, {"false", "f", "0", "no", "n", "off"}
MOST_SHOWN = 2


def valid_number(text: str) -> str | None:
    """The ten digits of an NHS number, or None: modulus 11, and not ten equal ones."""
    number = re.sub(r"[\s-]", "", text, flags=re.ASCII)
    if not re.fullmatch(r"[0-9]{10}", number) or len(set(number)) == 1:
        return None
    rest = 11 - sum((10 - place) * int(digit) for place, digit in enumerate(number[:9])) % 11
    return number if {11: 0}.get(rest, rest) == int(number[9]) else None


def given_rows(files: list[Reading]) -> Iterator[tuple[Reading, Record, Given]]:
    """Every row of the files whose cells fit its header, by column."""
    for file in files:
        for record in file.records:
            if len(record.cells) == len(file.header):
                yield file, record, dict(zip(file.header, record.cells, strict=True))


def invented_rows(contract: Contract, files: list[Reading], found: Found) -> Iterator[str]:
    """Accepted rows that no row of the files says, value by value."""
    if any(file.ruin for file in files) or any(file.most is None for file in files):
        return  # there is no other reading of these files to hold them against
    own = [column for column in contract.columns if column.key and not column.identifier]
    key = own or [column for column in contract.columns if column.key]
    by_key: dict[Any, list[Given]] = {}
    for _, record, given in given_rows(files):
        if record.is_text:
            by_key.setdefault(tuple(_typed(column, given.get(column.name, "")) for column in own), []).append(
                given
            )
    shown = 0
    for row in found.accepted[contract.name]:
        candidates = by_key.get(tuple(row[column.name] for column in own), [])
        if any(_says(contract, given, row, found.key) for given in candidates):
            continue
        why = (
            f"differs in {_differing(contract, candidates[0], row, found.key)}"
            if candidates
            else "has an unknown key"
        )
        yield f"{contract.name}: an accepted row is in no file: it {why} ({[column.name for column in key]})"
        shown += 1
        if shown == MOST_SHOWN:
            return


def _says(contract: Contract, given: Given, row: dict[str, Any], key: bytes) -> bool:
    return not _differing(contract, given, row, key)


def _differing(contract: Contract, given: Given, row: dict[str, Any], key: bytes) -> list[str]:
    differing = []
    for column in contract.columns:
        text = given.get(column.name, "")
        if column.identifier:
            number = valid_number(text) if isinstance(text, str) else None
            if row["person_id"] is not None and (
                number is None or _pseudonym(key, number) != row["person_id"]
            ):
                differing.append(column.name)
        elif column.name in row and not isinstance(text, bytes | list | dict):
            value = row[column.name]
            is_unknown = (value is None and not column.required) or (
                value == column.unknown and value is not None
            )
            if not is_unknown and value != _typed(column, text):
                differing.append(f"{column.name} ({text[:40]!r} as {str(value)[:40]!r})")
    return differing


@cache
def _pseudonym(key: bytes, number: str) -> str:
    return person_id(key, number)


def _typed(column: Column, text: Any) -> Any:
    """The value that a cell means under the contract, None where it means none."""
    if not isinstance(text, str):
        return text
    text = text.strip(" ")
    if not text:
        return None
    try:
        if column.type == "date":
            match = DATE.fullmatch(text)
            return date.fromisoformat(match[1]) if match else None
        if column.type == "timestamp":
            match = TIME.fullmatch(text)
            return datetime.fromisoformat(text.removesuffix("Z")) if match else None
        if column.type == "integer":
            return int(float(text)) if re.fullmatch(r"-?[0-9]+(\.0+)?", text) else None
        if column.type == "number":
            return (
                float(text)
                if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text)
                else None
            )
        if column.type == "boolean":
            return True if text.lower() in TRUE else False if text.lower() in FALSE else None
    except ValueError:
        return None
    return text


def misplaced_rows(contract: Contract, files: list[Reading], found: Found) -> Iterator[str]:
    """Quarantined rows whose file and line hold another row."""
    keys = [
        column.name
        for column in contract.columns
        if column.key and column.type == "text" and not column.identifier
    ]
    names = {file.path.parent.name + "/" + file.path.name: file for file in files}
    for row in found.set_aside[contract.name]:
        file = names.get(row["file"])
        if file is None:
            yield f"{contract.name}: a row is quarantined in {row['file']!r}, which is no file of it"
            return
        if (
            file.trouble
            or file.blanks
            or any("\n" in str(cell) for record in file.records for cell in record.cells)
        ):
            continue
        if not 2 <= row["row"] <= len(file.records) + 1:
            yield f"{contract.name}: row {row['row']} is quarantined, the file has {len(file.records) + 1} lines"
            return
        record = file.records[row["row"] - 2]
        given = dict(zip(file.header, record.cells, strict=False))
        for name in keys:
            if (
                row[name] is not None
                and "*" not in row[name]
                and row[name] != str(given.get(name, "")).strip(" ")
            ):
                yield f"{contract.name}: row {row['row']} is quarantined and another row stands there"
                return


def lost_rows(contract: Contract, files: list[Reading], found: Found, sound: Found) -> Iterator[str]:
    """Rows that the sound delivery accepted, that are still there as they were, alone under their key, and are gone."""
    own = [column for column in contract.columns if column.key]
    if not all(column.type == "text" and not column.identifier for column in own) or any(
        file.trouble or file.ruin for file in files
    ):
        return
    name = own[0].name
    seen: dict[str, list[Given]] = {}
    for _, record, given in given_rows(files):
        if record.is_text:
            seen.setdefault(given.get(name, "").strip(" "), []).append(given)
    accepted = {row[name] for row in found.accepted[contract.name]}
    lost = 0
    for row in sound.accepted[contract.name]:
        there = seen.get(row[name], [])
        if len(there) != 1 or row[name] in accepted:
            continue
        given = there[0]
        if (
            all(
                column.identifier
                or column.name not in row
                or row[column.name] == _typed(column, given.get(column.name, ""))
                for column in contract.columns
            )
            and valid_number(given.get("nhs_number", ""))
            and given.get("deleted", "") in ("", "false")
        ):
            lost += 1
    if lost:
        yield f"{contract.name}: {lost} rows that were accepted stand there unchanged and are not accepted"
