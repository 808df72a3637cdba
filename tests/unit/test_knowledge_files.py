"""The strictness of what reads lists of codes, rules about values and tables of scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from riskstrat.definitions.codelists import load_codelists, load_value_rules
from riskstrat.definitions.scores import load_scores
from riskstrat.definitions.snomed import is_snomed_id
from riskstrat.errors import DefinitionError
from tests.codelist_files import codes

# Mistakes in a file

METADATA = """title: A list
source: A paper
version: "1"
licence: OGL
reviewed_by: A clinician
next_review: 2027-04-01
"""
HEADER = "concept,code_system,code,term\n"
GOOD = "diabetes,snomed,73211009,Diabetes mellitus\n"
VALUE_HEADER = "concept,code_system,code,sex,operator,value,max_operator,max_value,unit\n"

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_table(text: str, metadata: str | None = METADATA) -> Path:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        if metadata is not None:
            path.with_suffix(".yaml").write_text(metadata, encoding="utf-8")
        return path

    return write_table


def test_a_good_list_is_read(write: WriteFile) -> None:
    codelist = load_codelists(write(HEADER + GOOD).parent)["mine"]
    assert codelist.concepts == {"diabetes"}
    assert codelist.entries[0].term == "Diabetes mellitus"
    assert codelist.metadata.next_review.isoformat() == "2027-04-01"


@pytest.mark.parametrize(
    ("row", "column", "what", "remedy"),
    [
        (
            "diabetes,snomed,73211008,Diabetes",
            "code",
            "check digit is wrong",
            "spreadsheets round identifiers",
        ),
        ("diabetes,snomed,1.02279E+15,TSH", "code", "no SNOMED CT identifier", "to 15 digits"),
        (
            "diabetes,snomed,1022791000000100,TSH",
            "code",
            "no SNOMED CT identifier",
            "copy the identifier again",
        ),
        ("diabetes,snomed,,Diabetes", "code", "is empty", "write the code"),
        ("diabetes,readv2,C10,Diabetes", "code", "no 5-byte Read code", "filled up with dots to 5"),
        ("diabetes,readv2,C10..00,Diabetes", "code", "no 5-byte Read code", "without the term code"),
        ("diabetes,ctv3,C1.0.,Diabetes", "code", "no 5-byte Read code", "filled up with dots to 5"),
        ("diabetes,icd10,E10.1,Diabetes", "code", "no ICD-10 prefix", "without the dot"),
        (
            "diabetes,snomedct,73211009,Diabetes",
            "code_system",
            "unknown code system 'snomedct'",
            "use one of snomed",
        ),
        (",snomed,73211009,Diabetes", "concept", "is empty", "name the concept"),
        ("Type 2,snomed,73211009,Diabetes", "concept", "no concept name", "lower-case"),
        ("diabetes,snomed,44054006,", "term", "is empty", "what the code means"),
        (
            "diabetes,snomed,73211009,Diabetes again",
            "code",
            "listed twice under diabetes, first in row 2",
            "delete one",
        ),
    ],
)
def test_a_wrong_row_is_named_with_its_remedy(
    write: WriteFile, row: str, column: str, what: str, remedy: str
) -> None:
    path = write(HEADER + GOOD + row + "\n")
    with pytest.raises(DefinitionError) as caught:
        load_codelists(path.parent)
    error = caught.value
    assert (error.file, error.row, error.column) == (str(path), 3, column)
    assert what in error.what
    assert error.remedy is not None
    assert remedy in error.remedy
    assert f"{path}, row 3, column {column}: " in str(error)


def test_read_codes_keep_their_case(write: WriteFile) -> None:
    rows = "copd,ctv3,Xaa9G,One\ncopd,ctv3,XAA9g,Another\n"
    assert codes(load_codelists(write(HEADER + rows).parent)["mine"], "copd") == {"Xaa9G", "XAA9g"}


def test_one_code_may_stand_under_two_concepts(write: WriteFile) -> None:
    rows = GOOD + "vision-problems,snomed,73211009,Diabetes mellitus\n"
    assert len(load_codelists(write(HEADER + rows).parent)["mine"].entries) == 2


def test_another_column_is_refused(write: WriteFile) -> None:
    path = write("concept,code_system,code,term,comment\n")
    with pytest.raises(
        DefinitionError, match="the columns must be concept, code_system, code, term"
    ) as caught:
        load_codelists(path.parent)
    assert caught.value.row == 1


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "mine.yaml: is missing"),
        (METADATA + "author: me\n", "unknown key 'author'"),
        (METADATA.replace("licence: OGL\n", ""), "the key 'licence' is missing"),
        (METADATA.replace("A clinician", "''"), "column reviewed_by: must be text that is not empty"),
        (METADATA.replace("2027-04-01", "next spring"), "column next_review: is no date"),
    ],
)
def test_a_list_without_its_metadata_is_refused(write: WriteFile, metadata: str | None, message: str) -> None:
    path = write(HEADER + GOOD, metadata)
    with pytest.raises(DefinitionError, match=message):
        load_codelists(path.parent)


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ("ckd,snomed,80274001,both,<,60,,,", "sex", "'both' is unknown"),
        ("ckd,snomed,80274001,any,below,60,,,", "operator", "'below' cannot stand with value '60'"),
        ("ckd,snomed,80274001,any,<,,,,", "value", "'' is no number"),
        ("ckd,snomed,80274001,any,<,nan,,,", "value", "'nan' is no number"),
        ("ckd,snomed,80274001,any,,,>,60,", "max_operator", "'>' cannot stand with max_value '60'"),
        ("ckd,snomed,80274001,any,,,,,", "value", "the rule has no bound"),
        ("ckd,snomed,80274001,any,>=,60,<,60,", "max_value", "is not above value"),
        ("ckd,snomed,80274002,any,<,60,,,", "code", "no SNOMED CT identifier"),
        ("ckd,ctv3,451E.,any,>=,0,<,60,mL", "code", "repeats the rule of row 2"),
    ],
)
def test_a_wrong_value_rule_is_named(write: WriteFile, row: str, column: str, what: str) -> None:
    path = write(VALUE_HEADER + "ckd,ctv3,451E.,any,>=,0,<,60,mL\n" + row + "\n")
    with pytest.raises(DefinitionError) as caught:
        load_value_rules(path)
    assert (caught.value.row, caught.value.column) == (3, column)
    assert what in caught.value.what


def test_a_value_rule_may_have_an_upper_bound_alone(write: WriteFile) -> None:
    path = write(VALUE_HEADER + "osteoporosis,snomed,391068001,any,,,<=,-2.5,SD\n")
    rule = load_value_rules(path)[0]
    assert (rule.operator, rule.value, rule.max_operator, rule.max_value) == (None, None, "<=", -2.5)
    assert load_codelists(path.parent) == {}


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("concept,points\ndementia,one\n", "points", "'one' is no number"),
        ("concept,points\ndementia,1\ndementia,1\n", "concept", "dementia has points twice"),
        ("concept,points\n,1\n", "concept", "is empty"),
        ("icd10_3char,points\nF0,1\n", "icd10_3char", "'F0' is no icd10_3char"),
    ],
)
def test_a_wrong_score_row_is_named(write: WriteFile, text: str, column: str, what: str) -> None:
    path = write(text)
    with pytest.raises(DefinitionError) as caught:
        load_scores(path.parent)
    assert (caught.value.file, caught.value.column) == (str(path), column)
    assert what in caught.value.what


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="codelists: is missing"):
        load_codelists(tmp_path / "codelists")
    with pytest.raises(DefinitionError, match="scores: is missing"):
        load_scores(tmp_path / "scores")


@pytest.mark.parametrize("text", ["", "12345", "073211009", "7321100\uff19", "73211009.0", "1" * 19])
def test_no_snomed_identifier(text: str) -> None:
    assert not is_snomed_id(text)
