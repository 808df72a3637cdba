"""What an import makes of a list: its terms, what it adds and replaces, and how the list is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstrat.definitions.codelist_formats import read_foreign
from riskstrat.definitions.codelist_import import Plan, list_text, plan_import, source_note, take
from riskstrat.definitions.codelists import CodeList, load_codelists
from riskstrat.definitions.contradictions import Contradiction
from riskstrat.definitions.snomed import is_snomed_id
from tests.unit.codelists.small_lists import (
    ALZHEIMERS,
    CODELISTS,
    COPD,
    COPD_RESOLVED,
    DEMENTIA,
    METADATA,
    WriteFile,
    codelist,
)


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
def test_a_list_is_written_as_the_shipped_ones_are(codelists: dict[str, CodeList], name: str) -> None:
    path = CODELISTS / f"{name}.csv"
    assert list_text(codelists[name].entries).encode() == path.read_bytes()


def test_a_source_note_names_bytes_and_no_day(write: WriteFile) -> None:
    plan = imported(codelist(("copd", "snomed", COPD)), f"code,term\n{ALZHEIMERS},New\n52448007,Bad\n", write)
    assert source_note("copd", plan, "OpenCodelists download", "x.csv", "ab12") == (
        "Imported into copd: 1 added, 1 refused; OpenCodelists download, file x.csv, SHA-256 ab12."
    )
