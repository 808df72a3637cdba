"""What the rules of a contract say in SQL, and which mistakes in a contract are refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.snomed import has_wrong_check_digit, is_rounded, is_snomed_id
from riskstrat.definitions.value_checks import VALUE_CHECKS
from riskstrat.errors import DefinitionError
from tests.small_contract import SMALL, parsed

RECORD_KEY = """eventDate, value: visited_on}
  - {property: recordKey, value: record_id}"""
RECORD_COLUMN = """\
      - name: record_id
        logicalType: string
        physicalType: VARCHAR
        classification: administrative
        description: The supplier's identifier of the visit.
"""


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return parsed(tmp_path_factory.mktemp("contract"), SMALL)


# --- what a rule says ------------------------------------------------------------------------------------------------

ROW = {
    "visit_id": "'a'",
    "nhs_number": "'9990000018'",
    "person": "CAST(NULL AS BIGINT)",
    "visited_on": "DATE '2026-01-02'",
    "left_on": "DATE '2026-01-03'",
    "number": "1",
    "kind": "'home'",
    "area": "'A1'",
    "code": "'73211009'",
    "deleted": "FALSE",
}


def broken(contract: Contract, **changed: str) -> set[str]:
    """The rules that one row breaks; fails the test when a rule answers neither yes nor no."""
    types = {column.name: column.sql_type for column in contract.columns} | {"person": "BIGINT"}
    given = {name: "NULL" for name in types} | ROW | changed
    row = ", ".join(f"CAST({value} AS {types[name]}) AS {name}" for name, value in given.items())
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO is_valid_nhs_number(given) AS COALESCE(given = '9990000018', FALSE)")
        found = set()
        for rule in contract.rules:
            answer = connection.execute(f"SELECT {rule.sql} FROM (SELECT {row})").fetchone()
            assert answer is not None
            assert answer[0] is not None, rule.id
            if answer[0]:
                found.add(rule.id.removeprefix("visits."))
        return found


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, set()),
        ({"visit_id": "NULL"}, {"visit_id.required"}),
        ({"nhs_number": "NULL"}, {"nhs_number.missing"}),
        ({"nhs_number": "'9990000019'"}, {"nhs_number.invalid"}),
        ({"nhs_number": "'9990000019'", "person": "7"}, set()),
        ({"visited_on": "NULL"}, {"visited_on.required"}),
        ({"number": "0"}, {"number.range"}),
        ({"number": "6"}, {"number.range"}),
        ({"number": "NULL"}, set()),
        ({"kind": "'elsewhere'"}, {"kind.allowed"}),
        ({"kind": "NULL"}, set()),
        ({"area": "'A12'"}, {"area.pattern"}),
        ({"left_on": "DATE '2026-01-01'"}, {"row.left_before_arrival"}),
        ({"left_on": "NULL"}, set()),
        ({"deleted": "NULL", "number": "0"}, {"number.range"}),
    ],
)
def test_rule_is_true_for_a_failing_row_and_never_null(
    visits: Contract, changed: dict[str, str], rules: set[str]
) -> None:
    assert broken(visits, **changed) == rules


def test_deleted_row_needs_only_its_key(visits: Contract) -> None:
    empty = {name: "NULL" for name in ROW if name not in ("visit_id", "deleted")}
    assert broken(visits, **empty, deleted="TRUE") == set()
    assert broken(visits, **empty, deleted="TRUE", visit_id="NULL") == {"visit_id.required"}


def test_record_key_takes_the_place_of_the_key_in_a_deleted_row(tmp_path: Path) -> None:
    contract = parsed(tmp_path, SMALL.replace("eventDate, value: visited_on}", RECORD_KEY, 1) + RECORD_COLUMN)
    assert contract.record_key == "record_id"
    empty = {name: "NULL" for name in ROW if name != "deleted"}
    assert broken(contract, **empty, deleted="TRUE", record_id="'r1'") == set()
    assert broken(contract, **empty, deleted="TRUE") == {"visit_id.required"}
    assert "visit_id.required" in broken(contract, **empty, deleted="FALSE", record_id="'r1'")
    spared = {column.name: contract.spared_rows(column) for column in contract.columns}
    assert spared["visit_id"] == "(COALESCE(deleted, FALSE) AND record_id IS NOT NULL)"
    assert spared["area"] == "COALESCE(deleted, FALSE)"


def test_value_rule_names_a_predicate_and_the_rows_it_is_asked_about(visits: Contract) -> None:
    rule = next(rule for rule in visits.rules if rule.kind == "value")
    assert (rule.id, rule.column) == ("visits.code.snomed_identifier_rounded", "code")
    assert (rule.severity, rule.sql, rule.judge) == ("quarantine", "FALSE", "snomed_identifier_rounded")
    assert rule.when == (
        "code IS NOT NULL AND COALESCE((kind = 'home'), FALSE) AND NOT COALESCE(deleted, FALSE)"
    )
    assert VALUE_CHECKS["snomed_identifier_rounded"]("9.25791E+14")
    assert {rule.kind for rule in visits.rules if rule.when is not None} == {"value"}


@pytest.mark.parametrize(
    "text",
    [
        *("9.25791E+14", "9.25791e+14", "9,25791E+14", "9E+14", "73211009.0", "1022791000000101.00"),
        *("1022791000000100", "39720311000001100", "999022791000000000"),
    ],
)
def test_spreadsheet_damage_is_told_from_a_wrong_check_digit(text: str) -> None:
    assert is_rounded(text)
    assert not has_wrong_check_digit(text)


@pytest.mark.parametrize(
    "text",
    ["73211008", "12345", "1022791000000102", "0073211009", "EMISNQHO12", "12E34X", "١٢٣٤٥٦", "1" * 19],
)
def test_what_is_no_identifier_for_another_reason_has_a_wrong_check_digit(text: str) -> None:
    assert has_wrong_check_digit(text)
    assert not is_rounded(text)


def test_true_identifier_breaks_neither_check_though_it_ends_in_zeros() -> None:
    long = next(text for text in (f"9990000000{place:04d}00" for place in range(100)) if is_snomed_id(text))
    for text in ("73211009", "1022791000000101", long):
        assert not is_rounded(text)
        assert not has_wrong_check_digit(text)


def test_value_that_cannot_be_read_and_line_that_is_no_row_have_rules_of_their_own(visits: Contract) -> None:
    ingest_decides = {rule.id for rule in visits.rules if rule.sql == "FALSE" and rule.judge is None}
    assert ingest_decides == {
        *("visits.visited_on.type", "visits.left_on.type", "visits.number.type", "visits.deleted.type"),
        "visits.row.structure",
    }


def test_properties_reach_the_parsed_contract(visits: Contract) -> None:
    assert (visits.event_date, visits.recorded_date, visits.provider) == ("visited_on", None, None)
    assert visits.has_deleted
    assert not visits.required
    assert visits.key == ("visit_id",)
    kind = visits.column("kind")
    assert (kind.allowed, kind.unknown) == (("home", "office", "X"), "X")
    assert (visits.grain, visits.purpose) == ("One row per visit.", "A contract for tests.")
    assert visits.record_key is None


# --- mistakes that are refused ---------------------------------------------------------------------------------------

UNKNOWN_SEVERITY = "severity: shrug\n        customProperties:\n          - {property: unk"
MISTAKES = [
    ("status: active\n", "status: active\nowner: me\n", "unknown key 'owner'"),
    ("status: active\n", "", "'status' is missing"),
    ("apiVersion: v3.1.0", "apiVersion: v2.0.0", "is not v3.1.0"),
    ("kind: DataContract", "kind: DataProduct", "is not DataContract"),
    ("name: visits\nversion", "name: visit\nversion", "is not visits"),
    ("  - name: visits\n", "  - name: visit\n", "names another table"),
    ("version: 1.0.0", "version: '1'", "is no version"),
    ("value: in}", "value: sideways}", "direction is not in or out"),
    ("eventDate, value: visited_on", "eventDate, value: seen_on", "no date or timestamp column"),
    ("eventDate, value: visited_on", "eventDate, value: area", "no date or timestamp column"),
    ("property: presence", "property: precense", "did you mean 'presence'"),
    ("logicalType: integer", "logicalType: whole", "unknown logicalType"),
    ("physicalType: INTEGER", "physicalType: DOUBLE", "does not fit"),
    ("        description: Kind of visit.\n", "", "'description' is missing"),
    ("description: Kind of visit.", "description: ' '", "has no description"),
    ("        classification: administrative\n        description: Kind", "        description: Kind", "missing"),
    ("- name: area", "- name: kind", "stands twice"),
    ("- name: area", "- name: Area", "is no column name"),
    ("severity: warn\n        customProperties:\n          - {property: unk", UNKNOWN_SEVERITY, "unknown severity"),
    ("property: unknownValue, value: X", "property: unknownValue, value: Y", "none of its validValues"),
    ("value: nhs_number}", "value: passport}", "unknown identifier"),
    ("pattern: '^[A-Z][0-9]$'", "pattern: '[A-Z][0-9]'", "matches a part"),
    ("pattern: '^[A-Z][0-9]$'", "minimum: 1", "unknown key 'minimum'"),
    ("metric: invalidValues", "metric: oddValues", "not understood"),
    ("            mustBe: 0\n", "            mustBe: 3\n", "must be 0"),
    ("engine: riskstrat", "engine: soda", "check snomed_identifier_rounded of column code is not known"),
    ("implementation: snomed_identifier_rounded", "implementation: rounded", "check rounded of column code is not"),
    ("value: kind = 'home'", "value: sort = 'home'", "no condition over these columns"),
    ("property: when, value", "property: where, value", "unknown key 'where'"),
    ("            description: code was rounded.\n", "", "'description' is missing"),
    ("eventDate, value: visited_on", "recordKey, value: visited_on", "which is no text column"),
    ("WHERE left_on < visited_on", "WHERE left_at < visited_on", "no condition over these columns"),
    ("WHERE left_on < visited_on", "WHERE left_on <", "no condition over these columns"),
    ("SELECT COUNT(*) FROM visits", "SELECT * FROM visits", "not understood"),
    ("property: remedy, value: Correct", "property: cure, value: Correct", "unknown key 'cure'"),
    ("        primaryKey: true\n        primaryKeyPosition: 1\n", "", "the key is not stated"),
    ("        primaryKeyPosition: 1\n", "", "part of the key and not fully so"),
    ("        primaryKeyPosition: 1\n", "        primaryKeyPosition: 2\n", "the key is not stated"),
    ("required: true\n        primaryKey: true", "primaryKey: true", "part of the key and not fully so"),
    ("purpose: A contract", "purpose: [A contract]\n  usage: A contract", "no Open Data Contract Standard document"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES, ids=[said for _, _, said in MISTAKES])
def test_mistake_is_refused_by_name(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in SMALL
    with pytest.raises(DefinitionError) as refused:
        parsed(tmp_path, SMALL.replace(right, wrong, 1))
    assert said in str(refused.value)
    assert refused.value.file == str(tmp_path / "visits.yaml")
    assert refused.value.remedy


def test_mistake_in_a_column_names_its_line_and_column(tmp_path: Path) -> None:
    text = SMALL.replace("minimum: 1\n          maximum: 5", "smallest: 1", 1).replace("INTEGER", "DOUBLE", 1)
    with pytest.raises(DefinitionError) as refused:
        parsed(tmp_path, text)
    assert text.splitlines()[(refused.value.row or 0) - 1].strip() == "- name: number"
    assert refused.value.column == "number"


def test_more_rules_than_a_mask_has_bits_are_refused(tmp_path: Path) -> None:
    rule = SMALL.split("    quality:\n", 1)[1].split("    properties:", 1)[0]
    many = "".join(rule.replace("left_before_arrival", f"rule_{place}") for place in range(60))
    with pytest.raises(DefinitionError, match="a row's mask holds 62"):
        parsed(tmp_path, SMALL.replace(rule, many, 1))
