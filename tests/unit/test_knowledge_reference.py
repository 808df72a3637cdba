"""The shipped clinical knowledge agrees with what others publish, where their files are beside the checkout."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from riskstrat.definitions.codelists import CodeList, ValueRule
from riskstrat.definitions.scores import ScoreTable

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


def reference_rows(name: str) -> list[dict[str, str]]:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"the reference file {name} is not beside this checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_snomed_deficits_are_codes_that_two_lists_agree_on(codelists: dict[str, CodeList]) -> None:
    rows = [row for row in reference_rows("efi_codes.csv") if row["code_system"] == "SNOMED CT"]
    agreed = {(row["deficit"], row["code"]) for row in rows if row["efi2_list_match"] == "same_deficit"}
    ours = {
        (entry.concept, entry.code) for entry in codelists["efi"].entries if entry.code_system == "snomed"
    }
    assert len(ours & agreed) > 0.9 * len(agreed)
    assert len(ours - agreed) <= 10


def test_no_reference_trap_is_on_the_list(codelists: dict[str, CodeList]) -> None:
    warnings = {(row["deficit"], row["code"]) for row in reference_rows("efi_snomed_mapping_warnings.csv")}
    ours = {(entry.concept, entry.code) for entry in codelists["efi"].entries}
    assert ours & warnings == {("diabetes", "43959009")}


@pytest.mark.parametrize(("code_system", "label"), [("readv2", "Read v2"), ("ctv3", "CTV3")])
def test_read_deficits_are_published_codes(
    codelists: dict[str, CodeList], code_system: str, label: str
) -> None:
    published = {
        (row["deficit"], row["code"])
        for row in reference_rows("efi_codes.csv")
        if row["code_system"] == label
    }
    ours = {
        (entry.concept, entry.code) for entry in codelists["efi"].entries if entry.code_system == code_system
    }
    assert ours <= published


def test_value_rules_cover_every_reference_rule(value_rules: tuple[ValueRule, ...]) -> None:
    ours = {(rule.concept, rule.code, rule.sex) for rule in value_rules}
    for row in reference_rows("efi_value_rules.csv"):
        for code in row["read_ctv3_codes_pipe"].split("|"):
            assert (row["deficit"], code, row["sex"]) in ours


def test_weights_are_those_of_the_reference(scores: dict[str, ScoreTable]) -> None:
    hfrs = {row["icd10_3char"]: float(row["points"]) for row in reference_rows("hfrs_weights.csv")}
    assert dict(scores["hfrs_weights"].points) == hfrs
    charlson = Counter(float(row["charlson_1987"]) for row in reference_rows("charlson_weights.csv"))
    assert Counter(scores["charlson"].points.values()) == charlson


def test_acsc_and_charlson_codes_are_those_of_the_reference(codelists: dict[str, CodeList]) -> None:
    acsc = {
        row["icd10_prefix"]
        for row in reference_rows("acsc_icd10.csv")
        if row["indicator"].startswith("NHSOF 2")
    }
    assert {entry.code for entry in codelists["acsc"].entries} == acsc
    quan = [row for row in reference_rows("charlson_icd10.csv") if row["scheme"] == "quan_2005"]
    assert {entry.code for entry in codelists["charlson"].entries} == {row["icd10_prefix"] for row in quan}
    assert len(codelists["charlson"].entries) == len(quan)
