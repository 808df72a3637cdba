"""The shipped clinical knowledge: what must be on the lists and what must not."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from riskstrat.definitions.codelists import CodeList, ValueRule, load_value_rules
from riskstrat.definitions.reference import load_reference
from riskstrat.definitions.scores import ScoreTable
from riskstrat.definitions.snomed import is_snomed_id
from tests.codelist_files import codes

ROOT = Path(__file__).parents[2]
CODELISTS = ROOT / "config" / "codelists"
SCORES = ROOT / "config" / "scores"

# Codes on which a mechanical translation to SNOMED CT is known to go wrong, under the deficit they fell into.
TRAPS = {
    ("ckd", "73211009"),
    ("heart-failure", "53741008"),
    ("heart-failure", "413838009"),
    ("heart-failure", "704097008"),
    ("fragility-fracture", "64859006"),
    ("diabetes", "19429009"),
    ("diabetes", "37231002"),
    ("osteoporosis", "239862000"),
    ("osteoporosis", "391006000"),
    ("parkinsons", "447741000000101"),
    ("respiratory-disease", "447741000000101"),
    ("respiratory-disease", "49727002"),
    ("respiratory-disease", "185729009"),
    ("hypertension", "401047000"),
    ("chd", "302881000000102"),
    ("social-vulnerability", "183944003"),
    ("social-vulnerability", "81877007"),
    ("falls", "271873000"),
    ("hearing-loss", "44376007"),
    ("housebound", "439708006"),
    ("housebound", "185462000"),
    ("care-requirement", "161083000"),
    ("foot-problems", "289974004"),
    ("mobility-problems", "301562008"),
}
FLAGS = {
    "dementia", "copd", "copd_resolved", "lives_alone", "not_living_alone", "housebound", "housebound_ended",
    "care_home_resident", "care_home_left", "end_of_life", "care_plan", "medication_review", "fall",
    "flu_vaccine", "frailty_mild", "frailty_moderate", "frailty_severe", "supplied_efi",
    "copd_rescue_medicine", "type1_dissent", "type1_withdrawal",
}  # fmt: skip
# Items of the Cambridge score that have no diagnosis codes, and the concept that decides them.
DECIDED_BY = {
    "chronic_kidney_disease": "egfr",
    "constipation": "constipation_medicine",
    "painful_condition": "painful_condition_medicine",
}


# What is shipped


def test_every_list_is_sorted_and_value_rules_are_no_code_list(codelists: dict[str, CodeList]) -> None:
    assert set(codelists) == {"acsc", "cambridge", "charlson", "efi", "flags"}
    for codelist in codelists.values():
        keys = [(entry.concept, entry.code_system, entry.code) for entry in codelist.entries]
        assert keys == sorted(keys), codelist.name


def test_each_of_35_deficits_has_at_least_five_snomed_codes(codelists: dict[str, CodeList]) -> None:
    with (ROOT / "config" / "reference" / "efi_deficits.csv").open(encoding="utf-8", newline="") as file:
        deficits = {row["deficit"] for row in csv.DictReader(file)}
    counts = Counter(entry.concept for entry in codelists["efi"].entries if entry.code_system == "snomed")
    assert len(counts) == 35
    assert set(counts) == deficits - {"polypharmacy"}
    assert {deficit: count for deficit, count in counts.items() if count < 5} == {}


@pytest.mark.parametrize("code_system", ["readv2", "ctv3"])
def test_each_deficit_is_found_in_read_codes_too(codelists: dict[str, CodeList], code_system: str) -> None:
    found = {entry.concept for entry in codelists["efi"].entries if entry.code_system == code_system}
    assert found == codelists["efi"].concepts


@pytest.mark.parametrize(("deficit", "code"), sorted(TRAPS))
def test_no_known_trap_counts_as_a_deficit(codelists: dict[str, CodeList], deficit: str, code: str) -> None:
    assert is_snomed_id(code)
    assert code not in codes(codelists["efi"], deficit)


def test_diabetic_cataract_counts_for_diabetes_and_for_vision(codelists: dict[str, CodeList]) -> None:
    assert "43959009" in codes(codelists["efi"], "diabetes") & codes(codelists["efi"], "vision-problems")


@pytest.mark.parametrize(
    "words",
    [
        "declined",
        "refus",
        "did not attend",
        "letter",
        "invit",
        "excepted from",
        "unsuitable",
        "default",
        "observable",
    ],
)
def test_no_deficit_holds_an_administrative_code(codelists: dict[str, CodeList], words: str) -> None:
    assert [entry for entry in codelists["efi"].entries if words in entry.term.lower()] == []


@pytest.mark.parametrize("name", ["efi", "flags"])
def test_housebound_holds_no_visit(codelists: dict[str, CodeList], name: str) -> None:
    terms = {entry.term.lower() for entry in codelists[name].entries if entry.concept == "housebound"}
    assert not [term for term in terms if "visit" in term or "seen in" in term]


def test_a_numeric_code_counts_by_its_value_only(
    codelists: dict[str, CodeList], value_rules: tuple[ValueRule, ...]
) -> None:
    numeric = {(rule.code_system, rule.code) for rule in value_rules}
    listed = {(entry.code_system, entry.code) for entry in codelists["efi"].entries}
    assert numeric & listed == set()
    assert {rule.concept for rule in value_rules} <= codelists["efi"].concepts


def test_value_rules_speak_every_code_system(value_rules: tuple[ValueRule, ...]) -> None:
    systems = {rule.concept: set[str]() for rule in value_rules}
    for rule in value_rules:
        systems[rule.concept].add(rule.code_system)
    assert {concept for concept, found in systems.items() if found != {"snomed", "readv2", "ctv3"}} == set()


def test_haemoglobin_is_read_in_either_unit(value_rules: tuple[ValueRule, ...]) -> None:
    women = {
        (rule.operator, rule.value, rule.max_operator, rule.max_value, rule.unit)
        for rule in value_rules
        if rule.concept == "anaemia" and rule.code == "423.." and rule.sex == "female"
    }
    assert women == {(">=", 0.0, "<", 11.5, "g/dL"), (">", 25.0, "<", 115.0, "g/L")}


def test_a_stroke_risk_score_counts_above_zero(value_rules: tuple[ValueRule, ...]) -> None:
    bounds = {
        (rule.operator, rule.value, rule.max_value)
        for rule in value_rules
        if rule.concept == "atrial-fibrillation"
    }
    assert bounds == {(">", 0.0, None)}


def test_the_flags_are_complete(codelists: dict[str, CodeList]) -> None:
    assert codelists["flags"].concepts == FLAGS
    without_snomed = {concept for concept in FLAGS if not codes(codelists["flags"], concept, "snomed")}
    assert without_snomed == {"type1_withdrawal"}


def test_type_1_dissent_and_withdrawal_have_their_read_codes(codelists: dict[str, CodeList]) -> None:
    flags = codelists["flags"]
    assert codes(flags, "type1_dissent") == {"827241000000103", "9Nu0.", "XaZ89"}
    assert codes(flags, "type1_withdrawal") == {"9Nu1.", "XaZ8A"}


def test_rescue_medicine_is_an_issued_pack_and_no_plan_or_prescription(
    codelists: dict[str, CodeList],
) -> None:
    flags = codelists["flags"]
    assert codes(flags, "copd_rescue_medicine") == {"718241000000107", "XaW9D"}
    assert {entry.term for entry in flags.entries if entry.concept == "copd_rescue_medicine"} == {
        "Issue of chronic obstructive pulmonary disease rescue pack"
    }


def test_unscheduled_contacts_and_home_care_are_lists_of_words_each_once() -> None:
    reference = load_reference(ROOT / "config" / "reference")
    assert dict(reference["reference_unscheduled_contacts"].columns)["kind"] == "VARCHAR"
    assert dict(reference["reference_homecare_services"].columns)["service_type"] == "VARCHAR"
    for name, words in (("unscheduled_contacts", 2), ("homecare_services", 1)):
        listed = [row[:words] for row in reference[f"reference_{name}"].rows]
        assert listed
        assert len({tuple((word or "").lower() for word in one) for one in listed}) == len(listed)
        assert all(row[-1] for row in reference[f"reference_{name}"].rows), "a row without a source"
    extracts = {row[0] for row in reference["reference_unscheduled_contacts"].rows}
    assert extracts == {"acute_attendances", "gp_contacts", "agency_contacts"}


def test_words_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    (tmp_path / "parameters.csv").write_text("name,value\nx,1\n", encoding="utf-8")
    (tmp_path / "unscheduled_contacts.csv").write_text("extract,kind\ngp_contacts,02\n", encoding="utf-8")
    table = load_reference(tmp_path)["reference_unscheduled_contacts"]
    assert (table.columns[1], table.rows) == (("kind", "VARCHAR"), (("gp_contacts", "02"),))


def test_coded_frailty_and_the_supplied_number_are_four_concepts(codelists: dict[str, CodeList]) -> None:
    flags = codelists["flags"]
    assert codes(flags, "frailty_mild") == {"925791000000100"}
    assert codes(flags, "frailty_moderate") == {"925831000000107"}
    assert codes(flags, "frailty_severe") == {"925861000000102"}
    assert codes(flags, "supplied_efi") == {"1084961000000105"}


def test_a_state_and_its_ending_share_no_code(codelists: dict[str, CodeList]) -> None:
    with (ROOT / "config" / "reference" / "states.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["started_by"], row["ended_by"]) for row in csv.DictReader(file)]
    for started_by, ended_by in pairs:
        assert codes(codelists["flags"], started_by), started_by
        if ended_by:
            assert codes(codelists["flags"], ended_by), ended_by
        assert not codes(codelists["flags"], started_by) & codes(codelists["flags"], ended_by)


def test_care_home_residence_is_a_state_and_no_event(codelists: dict[str, CodeList]) -> None:
    terms = {
        entry.term.lower() for entry in codelists["flags"].entries if entry.concept == "care_home_resident"
    }
    assert not [
        word for term in terms for word in ("seen", "visit", "died", "discharge", "referred") if word in term
    ]


def test_hospital_lists_are_icd10_alone_and_gp_lists_have_none(codelists: dict[str, CodeList]) -> None:
    for name, codelist in codelists.items():
        systems = {entry.code_system for entry in codelist.entries}
        assert systems == {"icd10"} if name in ("acsc", "charlson") else "icd10" not in systems


# Lists against scores


def test_hfrs_has_109_codes_in_tenths_of_a_point(scores: dict[str, ScoreTable]) -> None:
    table = scores["hfrs_weights"]
    assert table.key == "icd10_3char"
    assert len(table.rows) == 109
    assert sum(round(points * 10) for points in table.points.values()) == 1732
    assert all(round(points * 10) == pytest.approx(points * 10) for points in table.points.values())


def test_each_charlson_concept_has_points_and_codes(
    codelists: dict[str, CodeList], scores: dict[str, ScoreTable]
) -> None:
    assert len(scores["charlson"].rows) == 17
    assert codelists["charlson"].concepts == set(scores["charlson"].points)


def test_each_cambridge_item_has_points_and_something_that_decides_it(
    codelists: dict[str, CodeList], scores: dict[str, ScoreTable]
) -> None:
    items = set(scores["cambridge"].points)
    assert len(items) == 20
    assert {DECIDED_BY.get(item, item) for item in items} <= codelists["cambridge"].concepts
    medicines = {f"{item}_medicine" for item in items} | {"painful_condition_antiepileptic_medicine"}
    assert codelists["cambridge"].concepts <= items | medicines | {"egfr"}


def test_every_list_and_table_says_where_it_comes_from(
    codelists: dict[str, CodeList], scores: dict[str, ScoreTable]
) -> None:
    shipped = [codelist.metadata for codelist in codelists.values()]
    shipped += [table.metadata for table in scores.values()]
    for metadata in shipped:
        assert metadata.source
        assert metadata.licence
        assert metadata.reviewed_by


def test_rule_for_one_sex_has_a_rule_for_the_other_under_the_same_code():
    rules = load_value_rules(CODELISTS / "efi_values.csv")
    sexes: dict[tuple[str, str, str], set[str]] = {}
    for rule in rules:
        sexes.setdefault((rule.concept, rule.code_system, rule.code), set()).add(rule.sex)
    assert all(found in ({"any"}, {"male", "female"}) for found in sexes.values())
