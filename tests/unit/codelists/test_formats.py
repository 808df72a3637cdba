"""Code lists as others publish them: the formats that are known, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstrat.definitions.codelist_formats import ForeignList, read_foreign
from riskstrat.definitions.codelist_import import Taken, take
from riskstrat.definitions.snomed_release import read_terms
from riskstrat.errors import DefinitionError, MisuseError
from tests.unit.codelists.small_lists import ALZHEIMERS, COPD, DEMENTIA, WriteFile

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
