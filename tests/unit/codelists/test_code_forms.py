"""The forms of codes, and the code system that they tell."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstrat.definitions import code_forms
from riskstrat.definitions.code_forms import normal_form, possible_systems, refusal
from riskstrat.definitions.codelist_formats import read_foreign
from riskstrat.definitions.codelist_import import system_of
from riskstrat.definitions.codelists import CODE_SYSTEMS, CodeList
from riskstrat.errors import MisuseError
from tests.unit.codelists.small_lists import DEMENTIA, WriteFile


@pytest.mark.parametrize(
    ("code_system", "text", "expected"),
    [
        ("snomed", f" {DEMENTIA} ", DEMENTIA),
        ("readv2", "E00", "E00.."),
        ("readv2", "E000.", "E000."),
        ("readv2", "C10..00", "C10.."),
        ("readv2", "C108711", "C1087"),
        ("readv2", "eu01y", "eu01y"),
        ("ctv3", "Xa1", "Xa1.."),
        ("ctv3", "XaMGr", "XaMGr"),
        ("icd10", "f00.1", "F001"),
        ("icd10", "I10X", "I10"),
        ("icd10", "I10.X", "I10"),
        ("icd10", "G30.-", "G30"),
        ("icd10", "E10.3D", "E103"),
        ("icd10", "M01.5†", "M015"),
        ("icd10", "M0690", "M0690"),
    ],
)
def test_a_code_comes_to_the_form_of_lists(code_system: str, text: str, expected: str) -> None:
    assert normal_form(code_system, text) == expected
    assert refusal(code_system, expected) is None


@pytest.mark.parametrize(
    ("code_system", "text", "reason"),
    [
        ("snomed", "1089521000000100", "a spreadsheet rounded it"),
        ("snomed", "1.08952E+15", "a spreadsheet rounded it"),
        ("snomed", f"{DEMENTIA}.0", "a spreadsheet rounded it"),
        ("snomed", "52448007", "check digit is wrong"),
        ("snomed", "EMISNQHO12", "no SNOMED CT identifier"),
        ("snomed", "680946014", "identifies a description"),
        ("readv2", "7.00E+01", "no 5-byte Read code"),
        ("readv2", "C10..1A2", "no 5-byte Read code"),
        ("ctv3", "C10..00", "no 5-byte Read code"),
        ("icd10", "F00-F03", "no ICD-10 prefix"),
        ("icd10", "F00,F01", "no ICD-10 prefix"),
        ("readv2", "", "is empty"),
    ],
)
def test_a_code_that_cannot_be_one_is_refused_with_its_remedy(
    code_system: str, text: str, reason: str
) -> None:
    told = refusal(code_system, normal_form(code_system, text))
    assert told is not None
    assert reason in told
    assert re.search(r"; (download|copy|write) ", told)


@given(st.sampled_from(CODE_SYSTEMS), st.text("ABCDEX019.-adx †", max_size=8))
def test_a_normal_form_is_its_own(code_system: str, text: str) -> None:
    once = normal_form(code_system, text)
    if refusal(code_system, once) is None:
        assert normal_form(code_system, once) == once
        # chapters X and Y are of CTV3 alone: the shape tells it, the check does not rely on it
        assert code_system in possible_systems([once]) or (code_system == "readv2" and once[0] in "XY")


def test_the_examples_of_the_forms_are_true() -> None:
    assert doctest.testmod(code_forms).attempted > 4
    assert doctest.testmod(code_forms).failed == 0


def test_every_shipped_code_is_in_its_normal_form(codelists: dict[str, CodeList]) -> None:
    entries = [entry for codelist in codelists.values() for entry in codelist.entries]
    assert len(entries) > 7_000
    for entry in entries:
        assert normal_form(entry.code_system, entry.code) == entry.code
        assert refusal(entry.code_system, entry.code) is None


@pytest.mark.parametrize("name", ["acsc", "charlson", "cambridge", "efi", "flags"])
def test_the_system_of_shipped_codes_is_told_or_asked_for_and_never_told_wrongly(
    codelists: dict[str, CodeList], name: str
) -> None:
    entries = codelists[name].entries
    for code_system in {entry.code_system for entry in entries}:
        texts = [entry.code for entry in entries if entry.code_system == code_system]
        assert code_system in possible_systems(texts)
        if code_system == "snomed":
            assert possible_systems(texts) == ("snomed",)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([DEMENTIA, "52448007"], "snomed"),
        ([DEMENTIA, "1.08952E+15"], "snomed"),
        (["E000.", "E00..00"], "readv2"),
        (["E000.", "XaMGr"], "ctv3"),
        (["F00.0", "F01"], "icd10"),
    ],
)
def test_the_system_is_told_from_the_shape_of_codes(write: WriteFile, rows: list[str], told: str) -> None:
    path = write("\n".join(["code,term", *(f"{code},x" for code in rows)]))
    assert system_of(path, read_foreign(path)) == told


@pytest.mark.parametrize(
    ("rows", "what", "remedy"),
    [
        (["E000.", "Eu01y"], "could be readv2 or ctv3", "--system readv2 or --system ctv3"),
        (["F00", "F01"], "could be readv2 or ctv3 or icd10", "--system icd10"),
        ([DEMENTIA, "E000."], "no shape in common", "--system snomed, readv2, ctv3 or icd10"),
    ],
)
def test_an_ambiguous_system_is_asked_for(write: WriteFile, rows: list[str], what: str, remedy: str) -> None:
    path = write("\n".join(["code,term", *(f"{code},x" for code in rows)]))
    with pytest.raises(MisuseError, match=what) as caught:
        system_of(path, read_foreign(path))
    assert remedy in str(caught.value.remedy)
    assert system_of(path, read_foreign(path, "readv2")) is None
