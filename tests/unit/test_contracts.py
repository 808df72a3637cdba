"""The shipped contracts: what they promise, what they mark, and what their rules say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import duckdb
import jsonschema
import pytest
import yaml

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.value_checks import VALUE_CHECKS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data_contracts"
INTERFACES = ROOT.parent / "shared" / "INTERFACES.md"
OUTPUTS = {"features", "history", "scores", "cohorts", "register", "worklists"}
OUTPUTS |= {"lists", "lists_eligible", "lists_memory", "measures", "drift"}


# --- the shipped contracts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_contract_is_valid_by_the_json_schema_of_the_standard(path: Path) -> None:
    schema = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text())
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems = [
        f"{list(problem.absolute_path)}: {problem.message}"
        for problem in jsonschema.Draft201909Validator(schema).iter_errors(document)
    ]
    assert not problems


def promised() -> dict[str, tuple[bool, list[tuple[str, bool]], list[str]]]:
    """extract -> (required, [(column, required)], key), read from the table of the interfaces page."""
    if not INTERFACES.is_file():
        pytest.skip("the interfaces page is not beside this checkout")
    text = INTERFACES.read_text(encoding="utf-8")
    keys = {
        name: [part.strip() for part in columns.replace("\n", " ").split(",")]
        for name, columns in re.findall(r"(\w+) \((\w+,[^()]+)\)", text.split("## A site")[0])
    }
    found = {}
    for line in text.split("## Canonical extracts")[1].split("Reference tables")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 2 or cells[0] == "extract" or not re.fullmatch(r"[a-z_]+\??", cells[0]):
            continue
        name = cells[0].rstrip("?")
        listed = re.sub(r"\([^)]*\)", "", cells[1]).split(":")[0]
        listed = listed.replace(
            "diagnosis_01 ... diagnosis_20?",
            ", ".join(f"diagnosis_{place:02d}?" for place in range(1, 21)),
        )
        columns = [part.strip() for part in listed.split(",")]
        named = [(column.rstrip("?"), not column.endswith("?")) for column in columns]
        found[name] = (not cells[0].endswith("?"), named, keys.get(name, [named[0][0]]))
    return found


def test_extracts_have_the_columns_and_keys_that_others_rely_on(contracts: dict[str, Contract]) -> None:
    expected = promised()
    extracts = {name: contract for name, contract in contracts.items() if contract.direction == "in"}
    assert extracts.keys() == expected.keys()
    for name, (required, columns, key) in expected.items():
        contract = extracts[name]
        assert contract.required is required, name
        stated = [(column.name, column.required) for column in contract.columns]
        assert stated[: len(columns)] == columns, name
        added_since = stated[len(columns) :]
        assert not [column for column, required in added_since if required], name
        assert list(contract.key) == key, name


def test_feature_table_has_the_columns_that_others_rely_on(contracts: dict[str, Contract]) -> None:
    if not INTERFACES.is_file():
        pytest.skip("the interfaces page is not beside this checkout")
    text = INTERFACES.read_text(encoding="utf-8").split("## Feature table")[1].split("`")[1]
    promised_names = [name.strip() for name in text.replace("\n", " ").split(",")]
    stated = [column.name for column in contracts["features"].columns]
    assert stated[: len(promised_names)] == promised_names  # what was added since stands behind them


def test_every_output_has_a_contract(contracts: dict[str, Contract]) -> None:
    assert {name for name, contract in contracts.items() if contract.direction == "out"} == OUTPUTS


def test_contracts_of_outputs_name_the_columns_that_the_stages_write(contracts: dict[str, Contract]) -> None:
    definitions = load_definitions(ROOT)
    scores = [column.name for column in contracts["scores"].columns]
    by_rule = ["person_id", "score", *definitions.ranking.components]
    by_model = ["probability_12m", "probability_90d", "model", "score_as_of"]
    assert scores == [*by_rule, *by_model, "model_reasons_fixed", "model_reasons_actionable"]
    features = {column.name for column in contracts["features"].columns} - {"person_id"}
    own = [name for name in definitions.worklist_layout.columns if name not in features]
    assert own == [column.name for column in contracts["worklists"].columns]


def test_names_and_free_text_are_private_and_identifiers_are_marked(contracts: dict[str, Contract]) -> None:
    private = {
        f"{name}.{column.name}"
        for name, contract in contracts.items()
        for column in contract.columns
        if column.private
    }
    assert private == {
        *(
            "gp_patients.given_name",
            "gp_patients.family_name",
            "gp_patients.postcode",
            "gp_patients.usual_gp",
        ),
        "assessments.note",
        *("manual_additions.reason", "manual_additions.added_by"),
    }
    for contract in contracts.values():
        marked = [column.name for column in contract.columns if column.identifier]
        assert marked == ([] if contract.direction == "out" else ["nhs_number"])


def test_every_rule_says_what_and_how_to_mend_it(contracts: dict[str, Contract]) -> None:
    rules = [rule for contract in contracts.values() for rule in contract.rules]
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.message.endswith("."), rule.id
        assert rule.remedy.endswith("."), rule.id


@pytest.mark.parametrize(
    "rule",
    [
        *("gp_events.code_system.allowed", "acute_attendances.attendance_category.allowed"),
        *("acute_adt.event_type.allowed", "community_contacts.attendance_status.allowed"),
        *("acute_episodes.row.discharged_before_admission", "acute_episodes.episode_number.range"),
        *("gp_events.nhs_number.missing", "gp_events.nhs_number.invalid", "gp_events.event_date.required"),
    ],
)
def test_row_that_cannot_be_used_is_quarantined(rule: str, contracts: dict[str, Contract]) -> None:
    assert severity(rule, contracts) == "quarantine"


@pytest.mark.parametrize(
    "rule",
    [
        *("gp_patients.sex.required", "gp_patients.sex.allowed", "gp_patients.ethnic_category.allowed"),
        *("gp_patients.lsoa_code.pattern", "acute_episodes.admission_method.allowed"),
        *("acute_episodes.source_of_admission.allowed", "acute_episodes.discharge_destination.allowed"),
        *("acute_attendances.department_type.allowed", "acute_episodes.patient_classification.allowed"),
    ],
)
def test_value_that_only_describes_is_warned_about(rule: str, contracts: dict[str, Contract]) -> None:
    assert severity(rule, contracts) == "warn"


def severity(rule_id: str, contracts: dict[str, Contract]) -> str:
    rules = contracts[rule_id.partition(".")[0]].rules
    return next(rule.severity for rule in rules if rule.id == rule_id)


# --- the feature catalogue -------------------------------------------------------------------------------------------


def test_every_feature_says_what_an_analyst_must_know(contracts: dict[str, Contract]) -> None:
    for column in contracts["features"].columns:
        needed = {"grain", "unit", "missing", "source", "requires", "sqlTable"}
        assert needed <= column.about.keys(), column.name
        assert column.name == "person_id" or column.about["window"], column.name


def test_the_catalogue_points_at_what_exists(contracts: dict[str, Contract]) -> None:
    lists = {
        path.stem for folder in ("codelists", "scores") for path in (ROOT / "config" / folder).glob("*.csv")
    }
    for column in contracts["features"].columns:
        assert set(column.about["requires"]) <= contracts.keys(), column.name
        assert set(column.about.get("codelists", ())) <= lists, column.name
        sql = (ROOT / column.about["sqlTable"]).read_text(encoding="utf-8")
        assert re.search(rf"\b{column.name}\b", sql), column.name


def test_register_follows_the_suppliers_number_of_a_registration(contracts: dict[str, Contract]) -> None:
    records = {name: contract.record_key for name, contract in contracts.items() if contract.record_key}
    assert records == {"gp_patients": "registration_id"}
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO is_valid_nhs_number(given) AS FALSE")
        contract = contracts["gp_patients"]
        given = {"registration_id": "'r1'", "deleted": "TRUE"}
        row = ", ".join(
            f"CAST({given.get(column.name, 'NULL')} AS {column.sql_type}) AS {column.name}"
            for column in contract.columns
        )
        for rule in contract.rules:
            query = f"SELECT {rule.sql} FROM (SELECT {row}, CAST(NULL AS BIGINT) AS person)"
            assert connection.execute(query).fetchone() == (False,), rule.id


def test_every_shipped_rule_binds_and_holds_for_no_empty_row_by_null(contracts: dict[str, Contract]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO is_valid_nhs_number(given) AS COALESCE(given = '9990000018', FALSE)")
        judged = set()
        for contract in contracts.values():
            nulls = [f"CAST(NULL AS {column.sql_type}) AS {column.name}" for column in contract.columns]
            row = ", ".join([*nulls, "CAST(NULL AS BIGINT) AS person"])
            for rule in contract.rules:
                answer = connection.execute(f"SELECT {rule.sql} FROM (SELECT {row})").fetchone()
                assert answer is not None
                assert answer[0] is not None, rule.id
                if rule.judge is not None:
                    asked = connection.execute(f"SELECT {rule.when} FROM (SELECT {row})").fetchone()
                    assert asked == (False,), rule.id
                    judged.add(rule.judge)
    assert judged == VALUE_CHECKS.keys()


@pytest.mark.parametrize(("extract", "column"), [("gp_events", "code"), ("gp_medications", "dmd_code")])
def test_code_that_a_spreadsheet_rounded_is_set_aside_and_a_mistyped_one_counted(
    extract: str, column: str, contracts: dict[str, Contract]
) -> None:
    severities = {rule.judge: rule.severity for rule in contracts[extract].rules if rule.column == column}
    assert severities["snomed_identifier_rounded"] == "quarantine"
    assert severities["snomed_identifier_check_digit"] == "warn"


def test_parsing_the_module_costs_no_import_of_the_standard() -> None:
    code = (
        "import sys, riskstrat.definitions.contracts; "
        "print([name for name in ('open_data_contract_standard', 'pydantic', 'yaml', 'duckdb') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
