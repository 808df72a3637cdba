"""Code lists as others publish them: the formats that are known, the forms of codes, and what is refused."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstrat.definitions import code_forms
from riskstrat.definitions.code_forms import normal_form, possible_systems, refusal
from riskstrat.definitions.codelist_formats import ForeignList, read_foreign
from riskstrat.definitions.codelist_import import (
    Plan,
    Taken,
    list_text,
    plan_import,
    source_note,
    system_of,
    take,
)
from riskstrat.definitions.codelists import CODE_SYSTEMS, CodeEntry, CodeList, load_codelists
from riskstrat.definitions.contradictions import (
    Contradiction,
    check_contradictions,
    contradictory_entries,
    load_contradictions,
)
from riskstrat.definitions.metadata import UNREVIEWED, Metadata, load_metadata
from riskstrat.definitions.metadata_changes import without_signature
from riskstrat.definitions.snomed import is_snomed_id
from riskstrat.definitions.snomed_release import read_terms
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.site import default_site

CODELISTS = default_site() / "config" / "codelists"
DEMENTIA, ALZHEIMERS, COPD, COPD_RESOLVED = "52448006", "26929004", "13645005", "941201000000103"
INHALER = "10514511000001106"
REFSET, OTHER_REFSET = "999012891000230104", "999012771000230100"
REFSET_HEADER = "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId"
DESCRIPTION_HEADER = (
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId"
)
FULL_NAME, SYNONYM = "900000000000003001", "900000000000013009"
LIBRARY_HEADER = (
    "code,description,coding_system,concept_id,concept_version_id,concept_name,"
    "phenotype_id,phenotype_version_id,phenotype_name,code_attributes"
)
METADATA = """title: A list
source: A paper
version: "1"
licence: OGL
reviewed_by: Dr A, GP, 1 March 2026 # signed on paper
next_review: 2027-04-01
"""

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_file(text: str | bytes, name: str = "download.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def member(key: str, concept: str, *, day: str = "20250101", active: int = 1, refset: str = REFSET) -> str:
    return f"{key}\t{day}\t{active}\t999000011000000103\t{refset}\t{concept}"


def refset_file(*members: str) -> str:
    return "\r\n".join([REFSET_HEADER, *members, ""])


def library_row(code: str, words: str, system: str, end: str = "") -> str:
    return f"{code},{words},{system},C714,2563,Dementia,PH1,2,Dementia{end}"


def codes(foreign: ForeignList) -> list[tuple[str | None, str, str]]:
    return [(code.code_system, code.code, code.term) for code in foreign.codes]


def taken(
    foreign: ForeignList, code_system: str | None = None, known: Mapping[tuple[str, str], str] = {}
) -> Taken:
    return take(foreign, "dementia", code_system, known, lambda wanted: {})


# OpenCodelists


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"code,term\r\n{DEMENTIA},Dementia (disorder)\r\n", (None, DEMENTIA, "Dementia (disorder)")),
        (f"id,name\n{DEMENTIA},Dementia\n", (None, DEMENTIA, "Dementia")),
        ("CTV3ID,CTV3PreferredTermDesc\nE000.,Senile dementia\n", ("ctv3", "E000.", "Senile dementia")),
        (f"snomedcode,name\n{DEMENTIA},Dementia\n", ("snomed", DEMENTIA, "Dementia")),
        ("icd10_code,diag_desc\nF00.1,Dementia\n", ("icd10", "F00.1", "Dementia")),
        (
            f"dmd_type,dmd_id,dmd_name,bnf_code\nVMP,{INHALER},Inhaler,0301012A0AAABAB\n",
            ("snomed", INHALER, "Inhaler"),
        ),
        (
            f"code,term,dmd_id,dmd_type,bnf_code\n{INHALER},Inhaler,{INHALER},VMP,0301012A0AAABAB\n",
            ("snomed", INHALER, "Inhaler"),
        ),
        (f"\ufeffCode , Term\n{DEMENTIA},\n", (None, DEMENTIA, "")),
        (f"code,term\n{DEMENTIA},[Unknown]\n", (None, DEMENTIA, "")),
        (f'code,term\n{DEMENTIA},"Dementia, of\nany kind"\n', (None, DEMENTIA, "Dementia, of any kind")),
    ],
)
def test_a_download_of_opencodelists_is_read_by_its_header(
    write: WriteFile, text: str, expected: tuple[str | None, str, str]
) -> None:
    foreign = read_foreign(write(text))
    assert foreign.form == "OpenCodelists download"
    assert codes(foreign) == [expected]
    assert foreign.refused == ()


def test_columns_that_say_more_than_code_and_term_are_named(write: WriteFile) -> None:
    foreign = read_foreign(write(f"code,term,category\n{DEMENTIA},Dementia,1\n"))
    assert foreign.remarks == ("columns that are not used: category",)


def test_a_row_is_counted_from_where_it_begins(write: WriteFile) -> None:
    text = f'code,term\n{DEMENTIA},"of\nany kind"\n\n{ALZHEIMERS},Alzheimer\n'
    assert [code.row for code in read_foreign(write(text)).codes] == [2, 5]


def test_a_row_of_another_length_is_refused_and_the_others_are_read(write: WriteFile) -> None:
    foreign = read_foreign(write(f"code,term\n{DEMENTIA},Dementia, any\n{ALZHEIMERS}\n{COPD},COPD\n"))
    assert [(item.row, item.code) for item in foreign.refused] == [(2, DEMENTIA), (3, ALZHEIMERS)]
    assert "3 fields and the header 2" in foreign.refused[0].reason
    assert codes(foreign) == [(None, COPD, "COPD")]


def test_of_columns_for_several_systems_one_is_chosen(write: WriteFile) -> None:
    path = write(f"CTV3Code,snomedcode,term\nE000.,{DEMENTIA},Dementia\n")
    with pytest.raises(MisuseError, match="several systems in the columns snomedcode, ctv3code") as caught:
        read_foreign(path)
    assert caught.value.remedy == "choose one with --system (ctv3, snomed)."
    assert codes(read_foreign(path, "ctv3")) == [("ctv3", "E000.", "Dementia")]
    assert codes(read_foreign(path, "snomed")) == [("snomed", DEMENTIA, "Dementia")]


# HDR UK Phenotype Library


def test_a_codes_export_of_the_phenotype_library_says_its_systems(write: WriteFile) -> None:
    rows = [
        library_row(DEMENTIA, "Dementia", "SNOMED  CT codes", ',"[{""a"": ""b""}]"'),
        library_row("E000.00", "Senile dementia", "Read codes v2"),
        library_row("XaMG0", "Dementia monitoring", "CTV3 codes"),
        library_row("F00.0", "Dementia in AD", "ICD10 codes"),
    ]
    foreign = read_foreign(write("\r\n".join([LIBRARY_HEADER, *rows, ""])))
    assert [system for system, _, _ in codes(foreign)] == ["snomed", "readv2", "ctv3", "icd10"]
    assert [entry.code for entry in taken(foreign).entries] == [DEMENTIA, "E000.", "XaMG0", "F000"]
    assert foreign.remarks == ("concepts of the file: C714 Dementia (4)",)


def test_codes_of_systems_that_no_extract_sends_are_refused_unless_one_system_is_chosen(
    write: WriteFile,
) -> None:
    rows = [library_row("12345", "Dementia", "Med codes"), library_row("E00..", "Senile", "Read codes v2")]
    path = write("\n".join([LIBRARY_HEADER, *rows]))
    (refused,) = read_foreign(path).refused
    assert (refused.row, refused.code) == (2, "12345")
    assert "no extract sends 'Med codes'" in refused.reason
    chosen = read_foreign(path, "readv2")
    assert (codes(chosen), chosen.refused) == ([("readv2", "E00..", "Senile")], ())
    assert "rows of other systems than readv2, passed over: 1" in chosen.remarks


def test_a_concept_of_the_library_without_codes_is_no_refused_code(write: WriteFile) -> None:
    rows = [library_row("", "", "ICD10 codes"), library_row("F00", "Dementia", "ICD10 codes")]
    foreign = read_foreign(write("\n".join([LIBRARY_HEADER, *rows])))
    assert (len(foreign.codes), foreign.refused) == (1, ())
    assert "concepts without codes: 1" in foreign.remarks


# Reference sets


def test_only_active_members_of_a_reference_set_count(write: WriteFile) -> None:
    text = refset_file(member("a", DEMENTIA), member("b", ALZHEIMERS, active=0))
    foreign = read_foreign(write(text, "der2_Refset_SimpleUKPCSnapshot.txt"))
    assert foreign.form == f"SNOMED CT reference set {REFSET}"
    assert codes(foreign) == [("snomed", DEMENTIA, "")]
    assert foreign.remarks == ("members that are no longer active, passed over: 1",)
    assert [entry.term for entry in taken(foreign).entries] == [f"member of refset {REFSET}"]


@given(
    st.permutations([("20200101", 1), ("20210101", 0), ("20220101", 1), ("20230101", 0)]), st.integers(1, 4)
)
def test_of_a_full_release_the_latest_row_of_a_member_says_what_holds(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int]], length: int
) -> None:
    path = tmp_path_factory.mktemp("full") / "der2_Refset_SimpleUKPCFull.txt"
    rows = [member("a", DEMENTIA, day=day, active=active) for day, active in history[:length]]
    path.write_text(refset_file(*rows, member("b", ALZHEIMERS)), encoding="utf-8")
    latest = max(history[:length])
    expected = [DEMENTIA] * latest[1] + [ALZHEIMERS]
    assert sorted(code for _, code, _ in codes(read_foreign(path))) == sorted(expected)


def test_one_reference_set_of_several_is_chosen(write: WriteFile) -> None:
    text = refset_file(member("a", DEMENTIA), member("b", ALZHEIMERS, refset=OTHER_REFSET))
    path = write(text, "der2_Refset_SimpleUKPCSnapshot.txt")
    with pytest.raises(MisuseError, match=f"2 reference sets: {OTHER_REFSET}, {REFSET}") as caught:
        read_foreign(path)
    assert caught.value.remedy == "choose one with --refset ID."
    assert codes(read_foreign(path, refset=OTHER_REFSET)) == [("snomed", ALZHEIMERS, "")]
    with pytest.raises(MisuseError, match="has no reference set 5; it holds"):
        read_foreign(path, refset="5")


def test_a_damaged_row_of_a_reference_set_is_refused(write: WriteFile) -> None:
    text = refset_file(member("a", DEMENTIA), "b\t20250101\t1\tx", member("c", ALZHEIMERS, active=7))
    foreign = read_foreign(write(text, "refset.txt"))
    assert [item.row for item in foreign.refused] == [3, 4]
    assert codes(foreign) == [("snomed", DEMENTIA, "")]


def test_a_quote_in_a_release_file_is_a_quote(write: WriteFile) -> None:
    path = write(
        f"{DESCRIPTION_HEADER}\n{description('1', DEMENTIA, SYNONYM, 'Dementia of ' + chr(34) + 'any')}"
    )
    assert read_terms(path, {DEMENTIA}) == {DEMENTIA: 'Dementia of "any'}


def description(
    key: str, concept: str, kind: str, term: str, *, day: str = "20250101", active: int = 1
) -> str:
    return f"{key}\t{day}\t{active}\t83821000000107\t{concept}\ten\t{kind}\t{term}\t900000000000448009"


def test_a_term_is_the_full_name_else_a_synonym_and_active(write: WriteFile) -> None:
    rows = [
        description("1", DEMENTIA, SYNONYM, "Dementia"),
        description("2", DEMENTIA, FULL_NAME, "Dementia, old words", day="20100101"),
        description("2", DEMENTIA, FULL_NAME, "Dementia (disorder)"),
        description("3", ALZHEIMERS, FULL_NAME, "Alzheimer (ended)", active=0),
        description("4", ALZHEIMERS, SYNONYM, "Alzheimer's disease"),
        description("5", COPD, FULL_NAME, "COPD (disorder)"),
    ]
    path = write("\r\n".join([DESCRIPTION_HEADER, *rows, ""]), "sct2_Description_Snapshot.txt")
    wanted = {DEMENTIA, ALZHEIMERS}
    assert read_terms(path, wanted) == {DEMENTIA: "Dementia (disorder)", ALZHEIMERS: "Alzheimer's disease"}


# Files that are none of these


@pytest.mark.parametrize(
    ("text", "name", "what", "remedy"),
    [
        ("concept,points\ndementia,1\n", "x.csv", "no column holds codes", "an OpenCodelists CSV"),
        ("", "x.csv", "no column holds codes; the columns are none", "import"),
        (
            f"concept,code_system,code,term\ndementia,snomed,{DEMENTIA},x\n",
            "x.csv",
            "is a code list of a site already",
            "codelist diff",
        ),
        ("code,term\n", "x.csv", "holds no code to take", "check the download"),
        ("code,term,term\n1,2,3\n", "x.csv", "names a column twice", "rename"),
        ('code,term\n1,"never closed\n', "x.csv", "is no readable CSV", "correct the quotes"),
        ("code,term\n1,caf\xe9\n".encode("latin-1"), "x.csv", "is not UTF-8 text", "CSV UTF-8"),
        (f"{REFSET_HEADER}\tmapTarget\n", "x.txt", "is no simple reference set", "der2_Refset_Simple"),
        (f"{DESCRIPTION_HEADER}\n", "x.txt", "is no simple reference set", "der2_Refset_Simple"),
        (
            refset_file(member("a", DEMENTIA)),
            "der2_Refset_SimpleUKPCDelta.txt",
            "is a delta release",
            "import the snapshot",
        ),
        (
            refset_file(member("a", DEMENTIA, active=0)),
            "x.txt",
            "holds no code to take (members that are no longer active, passed over: 1)",
            "check the download",
        ),
    ],
)
def test_another_file_is_refused_with_its_remedy(
    write: WriteFile, text: str | bytes, name: str, what: str, remedy: str
) -> None:
    path = write(text, name)
    with pytest.raises(DefinitionError) as caught:
        read_foreign(path)
    assert caught.value.file == str(path)
    assert what in caught.value.what
    assert remedy in str(caught.value.remedy)


def test_an_option_that_a_file_cannot_have_is_refused(write: WriteFile, tmp_path: Path) -> None:
    download, refset = write(f"code,term\n{DEMENTIA},x\n"), write(refset_file(member("a", DEMENTIA)), "r.txt")
    with pytest.raises(MisuseError, match="only a file of TRUD holds reference sets"):
        read_foreign(download, refset=REFSET)
    with pytest.raises(MisuseError, match="holds SNOMED CT, not readv2"):
        read_foreign(refset, "readv2")
    with pytest.raises(MisuseError, match="is not there"):
        read_foreign(tmp_path / "nothing.csv")
    with pytest.raises(MisuseError, match="cannot be read"):
        read_foreign(tmp_path)
    with pytest.raises(DefinitionError, match="is no description file"):
        read_terms(download, {DEMENTIA})
    with pytest.raises(MisuseError, match="cannot be read"):
        read_terms(tmp_path / "nothing.txt", {DEMENTIA})


# The forms of codes


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


def test_every_shipped_code_is_in_its_normal_form() -> None:
    entries = [entry for codelist in load_codelists(CODELISTS).values() for entry in codelist.entries]
    assert len(entries) > 7_000
    for entry in entries:
        assert normal_form(entry.code_system, entry.code) == entry.code
        assert refusal(entry.code_system, entry.code) is None


@pytest.mark.parametrize("name", ["acsc", "charlson", "cambridge", "efi", "flags"])
def test_the_system_of_shipped_codes_is_told_or_asked_for_and_never_told_wrongly(name: str) -> None:
    entries = load_codelists(CODELISTS)[name].entries
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


# Terms


def test_a_term_is_the_files_else_that_of_a_list_else_that_of_a_release_else_a_placeholder(
    write: WriteFile,
) -> None:
    asked: list[Collection[str]] = []

    def find_terms(wanted: Collection[str]) -> Mapping[str, str]:
        asked.append(wanted)
        return {COPD: "Of the release"}

    rows = [f"{DEMENTIA},Of the file", f"{ALZHEIMERS},", f"{COPD},", f"{COPD_RESOLVED},"]
    foreign = read_foreign(write("\n".join(["code,term", *rows])))
    known = {("snomed", code): f"known {code}" for code in (DEMENTIA, ALZHEIMERS)}
    known["snomed", COPD_RESOLVED] = "member of refset 5"
    found = take(foreign, "dementia", "snomed", known, find_terms)
    assert [entry.term for entry in found.entries] == [
        "Of the file",
        f"known {ALZHEIMERS}",
        "Of the release",
        "term not given in download.csv",
    ]
    assert asked == [{COPD, COPD_RESOLVED}]
    assert (found.unworded, found.worded) == (1, {("snomed", DEMENTIA), ("snomed", COPD)})


# What an import makes of a list


def codelist(*entries: tuple[str, str, str]) -> CodeList:
    about = Metadata("A", "B", "1", "OGL", "Dr A", load_metadata(CODELISTS / "efi.csv").next_review)
    return CodeList(
        "mine",
        about,
        tuple(
            CodeEntry(concept, system, code, f"term of {code}", row)
            for row, (concept, system, code) in enumerate(entries, start=2)
        ),
    )


def imported(found: CodeList, text: str, write: WriteFile, *, replace: bool = False) -> Plan:
    path = write(text)
    foreign = read_foreign(path)
    pairs = (Contradiction("copd_resolved", "copd"),)
    return plan_import(
        found, "copd", take(foreign, "copd", "snomed", {}, lambda wanted: {}), pairs, replace=replace
    )


def test_an_import_adds_what_is_not_there_and_keeps_the_rows_that_are(write: WriteFile) -> None:
    before = codelist(("dementia", "snomed", DEMENTIA), ("copd", "snomed", COPD), ("copd", "readv2", "H3..."))
    plan = imported(
        before, f"code,term\n{COPD},Other words\n{ALZHEIMERS},New\n{ALZHEIMERS},New again\n", write
    )
    assert [(entry.code, entry.term) for entry in plan.added] == [(ALZHEIMERS, "New")]
    assert [entry.code for entry in plan.present] == [COPD]
    assert (plan.removed, plan.reworded, plan.refused) == ((), (), ())
    assert set(plan.entries) == {*before.entries, *plan.added}
    keys = [(entry.concept, entry.code_system, entry.code) for entry in plan.entries]
    assert keys == sorted(keys)


def test_a_replacement_removes_the_concepts_other_codes_of_the_systems_it_holds(write: WriteFile) -> None:
    before = codelist(
        ("copd", "readv2", "H3..."),
        ("copd", "snomed", COPD),
        ("copd", "snomed", DEMENTIA),
        ("dementia", "snomed", DEMENTIA),
    )
    plan = imported(before, f"code,term\n{COPD},Other words\n{ALZHEIMERS},New\n", write, replace=True)
    assert [(entry.concept, entry.code) for entry in plan.removed] == [("copd", DEMENTIA)]
    assert [entry.term for entry in plan.reworded] == ["Other words"]
    assert {(entry.concept, entry.code) for entry in plan.entries} == {
        ("copd", "H3..."),
        ("copd", COPD),
        ("copd", ALZHEIMERS),
        ("dementia", DEMENTIA),
    }


def test_a_replacement_without_terms_keeps_the_words_of_the_list(write: WriteFile) -> None:
    before = codelist(("copd", "snomed", COPD))
    plan = imported(before, f"code\n{COPD}\n", write, replace=True)
    assert (plan.entries, plan.changes) == (before.entries, False)


def test_a_code_of_a_contradictory_concept_is_refused(write: WriteFile) -> None:
    before = codelist(("copd_resolved", "snomed", COPD_RESOLVED), ("dementia", "snomed", DEMENTIA))
    plan = imported(before, f"code,term\n{DEMENTIA},Too\n{COPD_RESOLVED},Resolved\n", write)
    assert [entry.code for entry in plan.added] == [DEMENTIA]
    (refused,) = plan.refused
    assert (refused.row, refused.code) == (3, COPD_RESOLVED)
    assert refused.reason == (f"row 2 of mine has {COPD_RESOLVED} under copd_resolved, which contradicts it.")


SNOMED_IDS = st.builds(
    lambda item, part: next(found for digit in range(10) if is_snomed_id(found := f"{item}{part}{digit}")),
    st.integers(100, 10**12),
    st.sampled_from(["00", "10"]),
)
TERMS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)


@given(
    st.dictionaries(SNOMED_IDS, TERMS, min_size=1, max_size=8),
    st.sets(SNOMED_IDS, max_size=5),
    st.integers(0, 8),
    st.booleans(),
)
def test_an_import_adds_exactly_what_the_file_has_more_and_a_second_one_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    incoming: dict[str, str],
    there: set[str],
    shared: int,
    replace: bool,
) -> None:
    folder = tmp_path_factory.mktemp("import")
    mine = there | set(list(incoming)[:shared])
    before = codelist(*(("copd", "snomed", code) for code in sorted(mine)), ("copd", "readv2", "H3..."))
    path = folder / "download.csv"
    quoted = [f'{code},"{term.replace(chr(34), chr(34) * 2)}"' for code, term in incoming.items()]
    path.write_text("\n".join(["code,term", *quoted]), encoding="utf-8")

    def again(found: CodeList) -> Plan:
        codes_of = take(read_foreign(path), "copd", "snomed", {}, lambda wanted: {})
        return plan_import(found, "copd", codes_of, (), replace=replace)

    plan = again(before)
    assert {entry.code for entry in plan.added} == incoming.keys() - mine
    assert {entry.code for entry in plan.removed} == (mine - incoming.keys() if replace else set())
    (folder / "mine.csv").write_text(list_text(plan.entries), encoding="utf-8", newline="")
    (folder / "mine.yaml").write_text(METADATA, encoding="utf-8")
    path.rename(folder / "download.txt")
    after = load_codelists(folder)["mine"]
    assert after.entries == plan.entries
    path = folder / "download.txt"
    second = again(after)
    assert (second.changes, second.entries) == (False, after.entries)


@pytest.mark.parametrize("name", ["acsc", "charlson", "cambridge", "efi", "flags"])
def test_a_list_is_written_as_the_shipped_ones_are(name: str) -> None:
    path = CODELISTS / f"{name}.csv"
    assert list_text(load_codelists(CODELISTS)[name].entries).encode() == path.read_bytes()


# Sign-offs


@pytest.mark.parametrize("name", ["acsc", "charlson", "cambridge", "efi", "efi_values", "flags"])
def test_a_signature_is_taken_back_and_the_source_noted(tmp_path: Path, name: str) -> None:
    before = (CODELISTS / f"{name}.yaml").read_text(encoding="utf-8").replace(UNREVIEWED, "Dr A, GP")
    note = "Imported into copd: 3 added; file x.csv, SHA-256 " + "a" * 64 + "."
    (tmp_path / "mine.yaml").write_text(without_signature(before, note, Path("x")), encoding="utf-8")
    shipped, after = load_metadata(CODELISTS / f"{name}.csv"), load_metadata(tmp_path / "mine.csv")
    assert after.note == f"{shipped.note}\n{note}"
    assert (after.reviewed_by, after.is_reviewed) == (UNREVIEWED, False)
    assert [after.title, after.source, after.next_review] == [
        shipped.title,
        shipped.source,
        shipped.next_review,
    ]


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        ("", ""),
        ("note: Old.\n", "Old.\n"),
        ("note: 'Old: yes' # a remark\n", "Old: yes\n"),
        ("note: |\n  two\n    lines\n# end\n", "two\n  lines\n"),
        ('note: "a\\n\\n\\nb"\n', "a\n\n\nb\n"),
    ],
)
def test_whatever_the_form_of_a_note_nothing_else_changes(tail: str, kept: str) -> None:
    import yaml

    changed = without_signature(f"# A list of ours\n{METADATA}{tail}", "New.", Path("x"))
    before = yaml.safe_load(METADATA)
    assert yaml.safe_load(changed) == before | {"reviewed_by": UNREVIEWED, "note": f"{kept}New."}
    assert changed.startswith("# A list of ours\ntitle: A list\n")
    assert "# signed on paper" in changed
    assert ("# end" in changed) == ("# end" in tail)


@pytest.mark.parametrize(
    ("reviewed_by", "is_reviewed"),
    [
        (UNREVIEWED, False),
        ("Not reviewed", False),
        ("none", False),
        ("TBC", False),
        ("n/a", False),
        (" - ", False),
        ("Dr N. Other, GP, 2 May 2026", True),
        ("Nonna Tobin, pharmacist", True),
        ("Notting Hill PCN clinical lead", True),
    ],
)
def test_a_list_is_reviewed_when_somebody_is_named(reviewed_by: str, is_reviewed: bool) -> None:
    about = Metadata("A", "B", "1", "OGL", reviewed_by, load_metadata(CODELISTS / "efi.csv").next_review)
    assert about.is_reviewed is is_reviewed


def test_a_source_note_names_bytes_and_no_day(write: WriteFile) -> None:
    plan = imported(codelist(("copd", "snomed", COPD)), f"code,term\n{ALZHEIMERS},New\n52448007,Bad\n", write)
    assert source_note("copd", plan, "OpenCodelists download", "x.csv", "ab12") == (
        "Imported into copd: 1 added, 1 refused; OpenCodelists download, file x.csv, SHA-256 ab12."
    )


# Contradictions


def test_a_code_under_two_contradictory_concepts_is_found_whatever_their_order() -> None:
    found = codelist(
        ("copd", "snomed", COPD), ("dementia", "snomed", COPD), ("copd_resolved", "snomed", COPD)
    )
    for pair in (Contradiction("copd", "copd_resolved"), Contradiction("copd_resolved", "copd")):
        assert list(contradictory_entries(found.entries, [pair])) == [(found.entries[0], found.entries[2])]
    assert list(contradictory_entries(found.entries, [Contradiction("housebound", "copd")])) == []


def test_the_same_letters_in_two_systems_contradict_nothing() -> None:
    found = codelist(("copd", "readv2", "H3..."), ("copd_resolved", "ctv3", "H3..."))
    assert list(contradictory_entries(found.entries, [Contradiction("copd", "copd_resolved")])) == []


@pytest.mark.parametrize(("first", "second"), [("copd", "copd_resolved"), ("copd_resolved", "copd")])
def test_an_icd10_prefix_contradicts_a_longer_one(first: str, second: str) -> None:
    found = codelist((first, "icd10", "J44"), (second, "icd10", "J441"), (second, "icd10", "J45"))
    pairs = list(contradictory_entries(found.entries, [Contradiction("copd", "copd_resolved")]))
    assert pairs == [(found.entries[0], found.entries[1])]


def test_a_contradiction_is_refused_with_file_row_and_remedy(tmp_path: Path) -> None:
    found = codelist(("copd", "snomed", COPD), ("copd_resolved", "snomed", COPD))
    with pytest.raises(DefinitionError) as caught:
        check_contradictions({"mine": found}, [Contradiction("copd", "copd_resolved")], tmp_path)
    assert (caught.value.file, caught.value.row, caught.value.column) == (
        str(tmp_path / "mine.csv"),
        3,
        "code",
    )
    assert caught.value.what == (
        f"{COPD} (snomed) stands under copd_resolved, but row 2 has it under copd, which contradicts copd_resolved."
    )
    assert "delete the row" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("rows", "row", "column", "what"),
    [
        ("copd,copd\n", 2, "contradicts", "no concept contradicts itself"),
        ("copd,copd_resolved\ncopd_resolved,copd\n", 3, "contradicts", "stands above already"),
        ("copd,\n", 2, "contradicts", "'' is no concept name"),
        ("Copd,copd_resolved\n", 2, "concept", "'Copd' is no concept name"),
    ],
)
def test_a_pair_that_says_nothing_is_refused(
    tmp_path: Path, rows: str, row: int, column: str, what: str
) -> None:
    path = tmp_path / "contradictory_concepts.csv"
    path.write_text(f"concept,contradicts\n{rows}", encoding="utf-8")
    with pytest.raises(DefinitionError, match=what) as caught:
        load_contradictions(path)
    assert (caught.value.row, caught.value.column) == (row, column)


def test_every_state_contradicts_its_ending() -> None:
    import csv

    reference = default_site() / "config" / "reference"
    pairs = {pair.pair for pair in load_contradictions(reference / "contradictory_concepts.csv")}
    with (reference / "states.csv").open(encoding="utf-8", newline="") as file:
        endings = {
            frozenset((row["started_by"], row["ended_by"])) for row in csv.DictReader(file) if row["ended_by"]
        }
    assert len(endings) == 5
    assert endings <= pairs
    assert {concept for pair in pairs for concept in pair} <= load_codelists(CODELISTS)["flags"].concepts
