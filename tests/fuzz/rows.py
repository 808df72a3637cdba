"""Accepted and quarantined rows against the rows that the files hold: none invented, none lost, each on its line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.keys import person_id
from tests.fuzz.probe import Found
from tests.fuzz.reader import Reading, Record

Given = dict[str, str]
DAY = r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})"
ZONE = r"(?:Z|[+-][0-9]{1,2}(?::?[0-9]{2})?)?"  # the clock counts as it is written
TIME = r"(?:[ T]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,6}))?)?" + ZONE + ")?"
MOMENT = re.compile(DAY + TIME)
DAY_AND_MORE = re.compile(DAY + r"(?:[ T][0-9:.+-]*Z?)?")
TRUE, FALSE = {"true", "t", "1", "yes", "y", "on"}, {"false", "f", "0", "no", "n", "off"}
SPACES = " \t\n\r\v\f"
MOST_SHOWN = 2
EARLIEST_YEAR = 1850


def valid_number(text: str) -> str | None:
    """The ten digits of an NHS number, or None: modulus 11, and not ten equal ones."""
    number = re.sub(r"[\s-]", "", text, flags=re.ASCII)
    if not re.fullmatch(r"[0-9]{10}", number) or len(set(number)) == 1:
        return None
    rest = 11 - sum((10 - place) * int(digit) for place, digit in enumerate(number[:9])) % 11
    return number if {11: 0}.get(rest, rest) == int(number[9]) else None


def given_rows(contract: Contract, files: list[Reading]) -> Iterator[tuple[Record, Given]]:
    """Every row of the files whose cells fit its header, by column; empty cells after the last are let pass."""
    known = {column.name for column in contract.columns}
    for file in files:
        places = [(place, name) for place, name in enumerate(file.header) if name in known]
        for record in file.records:
            if len(record.cells) >= len(file.header) and not any(record.cells[len(file.header) :]):
                yield record, {name: record.cells[place] for place, name in places}


def invented_rows(contract: Contract, files: list[Reading], found: Found) -> Iterator[str]:
    """Accepted rows that no row of the files says, value by value."""
    if any(file.ruin for file in files) or any(file.most is None for file in files):
        return  # there is no other reading of these files to hold them against
    own = [column for column in contract.columns if column.key and not column.identifier]
    key = own or [column for column in contract.columns if column.key]
    by_key: dict[Any, list[Given]] = {}
    for record, given in given_rows(contract, files):
        if record.is_text or all(_is_utf_8(given.get(column.name)) for column in _kept(contract)):
            by_key.setdefault(tuple(_typed(column, given.get(column.name, "")) for column in own), []).append(
                given
            )
    shown = 0
    for row in found.accepted[contract.name]:
        if any(isinstance(value, str) and "\0" in value for value in row.values()):
            yield f"{contract.name}: an accepted row holds a NUL"
            return
        candidates = by_key.get(tuple(row[column.name] for column in own), [])
        if any(_says(contract, given, row, found.key) for given in candidates):
            continue
        differing = (_differing(contract, given, row, found.key) for given in candidates)
        nearest = min(differing, key=len, default=None)
        why = f"differs in {nearest}" if nearest else "has an unknown key"
        yield f"{contract.name}: an accepted row is in no file: it {why} ({[column.name for column in key]})"
        shown += 1
        if shown == MOST_SHOWN:
            return


def _kept(contract: Contract) -> list[Column]:
    return [column for column in contract.columns if not column.private]


def _is_utf_8(cell: Any) -> bool:
    return not isinstance(cell, str) or not any("\udc80" <= sign <= "\udcff" for sign in cell)


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
            typed = _typed(column, text)
            is_unread = value is None and _has_odd_space(text)
            if value != typed and not is_unread and not _may_be_unknown(column, typed, value):
                differing.append(f"{column.name} ({text[:40]!r} as {str(value)[:40]!r})")
    return differing


def _may_be_unknown(column: Column, typed: Any, value: Any) -> bool:
    """Whether the contract lets the value stand for one that is missing, is not listed, or cannot be."""
    if value is None and isinstance(typed, date):
        return typed.year < EARLIEST_YEAR
    return value == column.unknown and (value is not None or bool(column.allowed))


@cache
def _pseudonym(key: bytes, number: str) -> str:
    return person_id(key, number)


def _has_odd_space(text: Any) -> bool:
    """Whether a cell begins or ends with white space that is no blank: riskstrat may say that it is no such value."""
    return isinstance(text, str) and text.strip() != text.strip(" ")


def _typed(column: Column, text: Any) -> Any:
    """The value that a cell means under the contract, None where it means none."""
    if not isinstance(text, str):
        return text
    text = text.strip(" " if column.type == "text" else SPACES)
    try:
        return TYPED[column.type](text) if text else None
    except ValueError:
        return None


def _integer(text: str) -> int | None:
    return int(float(text)) if re.fullmatch(r"-?[0-9]+(\.0+)?", text) else None


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        return None
    return number if math.isfinite(number := float(text)) else None


def _boolean(text: str) -> bool | None:
    return True if text.lower() in TRUE else False if text.lower() in FALSE else None


def _date(text: str) -> date | None:
    moment = _moment(text, is_date=True)
    return moment.date() if moment else None


def _moment(text: str, *, is_date: bool) -> datetime | None:
    """What a date or time says: year first, and a time of day after it or none; a date needs none."""
    found = (DAY_AND_MORE if is_date else MOMENT).fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = (*found.groups("0"), *("0" * 7))[:7]
    day_itself = datetime(int(year), int(month), int(day))
    time_of_day = [int(part) for part in (hour, minute, second, fraction.ljust(6, "0"))]
    if time_of_day == [24, 0, 0, 0]:
        return day_itself + timedelta(days=1)
    return day_itself.replace(
        hour=time_of_day[0], minute=time_of_day[1], second=time_of_day[2], microsecond=time_of_day[3]
    )


TYPED: dict[str, Callable[[str], Any]] = {
    "text": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": partial(_moment, is_date=False),
}


def misplaced_rows(contract: Contract, files: list[Reading], found: Found) -> Iterator[str]:
    """Quarantined rows whose file and line hold another row."""
    keys = [
        column.name
        for column in contract.columns
        if column.key and column.type == "text" and not column.identifier
    ]
    names = {file.path.parent.name + "/" + file.path.name: file for file in files}
    spanning = {
        name
        for name, file in names.items()
        if any("\n" in str(cell) for record in file.records for cell in record.cells)
    }
    for row in found.set_aside[contract.name]:
        file = names.get(row["file"])
        if file is None:
            yield f"{contract.name}: a row is quarantined in {row['file']!r}, which is no file of it"
            return
        if file.trouble or file.blanks or row["file"] in spanning:
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
    for record, given in given_rows(contract, files):
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
                or (
                    row[column.name] == _typed(column, given.get(column.name, ""))
                    and not _has_odd_space(given.get(column.name, ""))
                )
                for column in contract.columns
            )
            and valid_number(given.get("nhs_number", ""))
            and given.get("deleted", "") in ("", "false")
        ):
            lost += 1
    if lost:
        yield f"{contract.name}: {lost} rows that were accepted stand there unchanged and are not accepted"
