"""Two versions of a contract: every kind of change is named."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from riskstrat.definitions.contract_changes import changes
from riskstrat.definitions.contracts import Column, Contract, Rule
from tests.small_contract import SLA, SMALL, contract

OUTPUT = ("property: direction, value: in", "property: direction, value: out")
ROW_RULE = SMALL[SMALL.index("    quality:\n") : SMALL.index("    properties:\n")]
VALUE_RULE = SMALL[
    SMALL.index("        quality:\n          - type: custom") : SMALL.index("      - name: deleted")
]
NEW_COLUMN = """\
      - name: ward
        logicalType: string
        physicalType: VARCHAR
        classification: administrative
        description: Ward.
"""
RECORDED = "  - {property: eventDate, value: visited_on}\n  - {property: recordedDate, value: left_on}"
EVENT_DATE = "  - {property: eventDate, value: visited_on}"
KEY = "        primaryKey: true\n        primaryKeyPosition: 1\n"
WARD_IS = """description: Ward.
        customProperties:
          - {{property: {}, value: {}}}
"""
NEW_RULE = """\
        logicalTypeOptions:
          pattern: '^W[0-9]$'
"""
NEW_WARNING = """\
        quality:
          - metric: nullValues
            mustBe: 0
            severity: warn
"""
NEW_LIST = NEW_WARNING.replace("nullValues", "invalidValues\n            arguments: {validValues: [W1]}")


def found(
    tmp_path: Path, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    told = changes(contract(tmp_path / "before", *before), contract(tmp_path / "after", *after))
    assert [change.contract for change in told] == ["visits"] * len(told)
    return [(str(change), change.level) for change in told]


def breaking(what: str) -> list[tuple[str, str]]:
    return [(what, "breaking")]


def compatible(what: str) -> list[tuple[str, str]]:
    return [(what, "compatible")]


def reworded(what: str) -> list[tuple[str, str]]:
    return [(what, "wording")]


ADDED = [(SMALL[-60:], SMALL[-60:] + NEW_COLUMN)]
REQUIRED_WARD = [(SMALL[-60:], SMALL[-60:] + NEW_COLUMN + "        required: true\n")]
REMOVED = "column ward was removed"


def ward_with(more: str) -> list[tuple[str, str]]:
    """Edits that add the column ward, with more about it."""
    return [*ADDED, ("description: Ward.\n", "description: Ward.\n" + more)]


CASES = {
    "nothing": ([], [], []),
    "only the version": ([], [("version: 1.0.0", "version: 1.1.0")], []),
    "column removed": (ADDED, [], breaking(REMOVED)),
    "column renamed": ([], [("- name: area", "- name: place")], breaking("column area was renamed to place")),
    "column renamed beside another that goes": (
        ADDED,
        [("- name: area", "- name: place")],
        breaking("column area was renamed to place") + breaking(REMOVED),
    ),
    "optional column added": ([], ADDED, compatible("column ward is new")),
    "required column added": ([], REQUIRED_WARD, breaking("column ward is new and required")),
    "column added to an output": (
        [OUTPUT],
        [OUTPUT, *REQUIRED_WARD],
        compatible("column ward is new and required"),
    ),
    "type changed": (
        [],
        [
            (
                "logicalType: integer\n        physicalType: INTEGER",
                "logicalType: number\n        physicalType: DOUBLE",
            )
        ],
        breaking("column number is number (DOUBLE), not integer (INTEGER)"),
    ),
    "type wider": (
        [],
        [("physicalType: INTEGER", "physicalType: BIGINT")],
        breaking("column number is integer (BIGINT), not integer (INTEGER)"),
    ),
    "optional column required": (ADDED, REQUIRED_WARD, breaking("column ward is required now")),
    "required column optional": (REQUIRED_WARD, ADDED, compatible("column ward is optional now")),
    "column of an output may be empty": (
        [OUTPUT, *REQUIRED_WARD],
        [OUTPUT, *ADDED],
        breaking("column ward is optional now"),
    ),
    "order": (
        [*ADDED, ("- name: ward", "- name: aisle")],
        [(NEW_COLUMN_AT := "      - name: left_on", NEW_COLUMN.replace("ward", "aisle") + NEW_COLUMN_AT)],
        compatible("the columns stand in another order"),
    ),
    "key": (
        [],
        [
            (KEY, KEY.replace("1", "2")),
            ("        classification: identifiable", KEY + "        classification: identifiable"),
        ],
        breaking("the key is nhs_number, visit_id instead of visit_id"),
    ),
    "event date": (
        [],
        [("eventDate, value: visited_on", "eventDate, value: left_on")],
        breaking("the event date is left_on instead of visited_on"),
    ),
    "recorded date of an old column": (
        [],
        [(EVENT_DATE, RECORDED)],
        breaking("the recorded date is left_on instead of none"),
    ),
    "record key of a new column": (
        [],
        [*ADDED, (EVENT_DATE, EVENT_DATE + "\n  - {property: recordKey, value: ward}")],
        compatible("the record key is ward instead of none") + compatible("column ward is new"),
    ),
    "provider": (
        [],
        [(EVENT_DATE, EVENT_DATE + "\n  - {property: providerColumn, value: area}")],
        breaking("the provider column is area instead of none"),
    ),
    "extract required": (
        [],
        [("presence, value: optional", "presence, value: required")],
        breaking("the contract is required now"),
    ),
    "extract optional": (
        [("presence, value: optional", "presence, value: required")],
        [],
        compatible("the contract is optional now"),
    ),
    "allowed value removed": (
        [],
        [("[home, office, X]", "[home, X]")],
        breaking("column kind no longer allows office"),
    ),
    "allowed value added": (
        [],
        [("[home, office, X]", "[home, office, school, X]")],
        compatible("column kind allows school too"),
    ),
    "list of allowed values begins": (
        ADDED,
        ward_with(NEW_LIST),
        compatible("rule visits.ward.allowed is new and only warns"),
    ),
    "unknown value": (
        [],
        [("property: unknownValue, value: X", "property: unknownValue, value: home")],
        breaking("column kind takes an unknown value for home"),
    ),
    "private": (
        ADDED,
        [*ADDED, ("description: Ward.\n", WARD_IS.format("private", "true"))],
        breaking("column ward is private now"),
    ),
    "unit of a feature": (
        [ADDED[0], ("description: Ward.\n", WARD_IS.format("unit", "days"))],
        [ADDED[0], ("description: Ward.\n", WARD_IS.format("unit", "weeks"))],
        breaking("column ward has unit weeks instead of days"),
    ),
    "pattern": (
        [],
        [("'^[A-Z][0-9]$'", "'^[A-Z][0-9]{2}$'")],
        breaking("rule visits.area.pattern has the pattern ^[A-Z][0-9]{2}$ instead of ^[A-Z][0-9]$"),
    ),
    "range narrower": (
        [],
        [("maximum: 5", "maximum: 4")],
        breaking(
            "rule visits.number.range asks for 1 or more and 4 or less instead of 1 or more and 5 or less"
        ),
    ),
    "range wider": (
        [],
        [("          maximum: 5\n", "")],
        compatible("rule visits.number.range asks for 1 or more instead of 1 or more and 5 or less"),
    ),
    "range of an output wider": (
        [OUTPUT],
        [OUTPUT, ("          maximum: 5\n", "")],
        breaking("rule visits.number.range asks for 1 or more instead of 1 or more and 5 or less"),
    ),
    "new quarantine rule": (
        ADDED,
        ward_with(NEW_RULE),
        breaking("rule visits.ward.pattern is new and sets rows aside"),
    ),
    "new warning": (
        ADDED,
        ward_with(NEW_WARNING),
        compatible("rule visits.ward.required is new and only warns"),
    ),
    "rule dropped": ([], [(ROW_RULE, "")], compatible("rule visits.row.left_before_arrival was dropped")),
    "rule of an output dropped": (
        [OUTPUT],
        [OUTPUT, (ROW_RULE, "")],
        breaking("rule visits.row.left_before_arrival was dropped"),
    ),
    "rule of a value dropped": (
        [],
        [(VALUE_RULE, "")],
        compatible("rule visits.code.snomed_identifier_rounded was dropped"),
    ),
    "severity raised": (
        [],
        [("severity: warn", "severity: quarantine")],
        breaking("rule visits.row.left_before_arrival sets rows aside now"),
    ),
    "severity softened": (
        [],
        [("severity: quarantine", "severity: warn")],
        compatible("rule visits.code.snomed_identifier_rounded only warns now"),
    ),
    "condition of a warning": (
        [],
        [("left_on < visited_on", "left_on <= visited_on")],
        compatible("rule visits.row.left_before_arrival asks for something else"),
    ),
    "condition of a quarantine": (
        [],
        [("kind = 'home'", "kind = 'office'")],
        breaking("rule visits.code.snomed_identifier_rounded asks for something else"),
    ),
    "limits stated": (
        [],
        [("schema:", SLA)],
        compatible("the limits of freshness and volume are stated now"),
    ),
    "limits stricter": (
        [("schema:", SLA)],
        [("schema:", SLA.replace("92", "60").replace("value: 5", "value: 4"))],
        breaking("limit stop_after_days is 60 instead of 92")
        + compatible("limit min_rows is 4 instead of 5"),
    ),
    "limits laxer": (
        [("schema:", SLA)],
        [("schema:", SLA.replace("value: 92", "value: null"))],
        compatible("limit stop_after_days is none instead of 92"),
    ),
    "title": (
        [],
        [("businessName: Visits", "businessName: Calls")],
        reworded("the contract has other words for its title"),
    ),
    "description of a column": (
        [],
        [("Kind of visit.", "What the visit was for.")],
        reworded("column kind has other words for its description"),
    ),
    "remedy": (
        [],
        [("Correct the dates.", "Correct both dates.")],
        reworded("rule visits.row.left_before_arrival has other words for its remedy"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_change_is_named_and_its_reach_known(tmp_path: Path, case: str) -> None:
    before, after, expected = CASES[case]
    assert found(tmp_path, before, after) == expected


def test_deletion_mark_is_a_compatible_change_though_it_spares_rows_from_every_rule(tmp_path: Path) -> None:
    without = SMALL[SMALL.index("      - name: deleted") :]
    assert found(tmp_path, [(without, "")], []) == compatible("column deleted is new")


@pytest.mark.parametrize("kind", [Contract, Column, Rule], ids=lambda kind: kind.__name__)
def test_no_field_of_a_contract_can_change_unseen(tmp_path: Path, kind: type) -> None:
    before = contract(tmp_path, ("schema:", SLA))
    told_elsewhere = {
        Contract: {"name", "version", "has_deleted"},
        Column: {"name", "key", "limits"},  # the rule of its range states them
        Rule: {"id", "extract", "column", "kind", "sql", "when", "message", "remedy"},  # check states them
    }
    for place in fields(kind):
        if place.name not in told_elsewhere[kind]:
            assert changes(before, changed(before, kind, place.name)), place.name


def changed(before: Contract, kind: type, name: str) -> Contract:
    """The contract with another value in one field of itself, of its column kind or of a rule."""
    if kind is Contract:
        return replace(before, **{name: other(getattr(before, name))})
    whole = "columns" if kind is Column else "rules"
    parts: list[Any] = list(getattr(before, whole))
    place = next(
        place
        for place, part in enumerate(parts)
        if getattr(part, "name", None) == "kind" or getattr(part, "kind", None) == "value"
    )
    parts[place] = replace(parts[place], **{name: other(getattr(parts[place], name))})
    return replace(before, **{whole: tuple(parts)})


def other(value: Any) -> Any:
    simple = {True: False, False: True, "in": "out", "quarantine": "warn", None: "area"}
    if isinstance(value, bool | str | None):
        return simple.get(value, "area")
    if isinstance(value, tuple):
        return value[:-1]
    if isinstance(value, dict):
        return {} if value else {"unit": "days"}
    return replace(value, condition="(kind = 'office')")
