"""Codes that stand under two concepts of which one ends or excludes the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.definitions.codelists import CodeList
from riskstrat.definitions.contradictions import (
    Contradiction,
    check_contradictions,
    contradictory_entries,
    load_contradictions,
)
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site
from tests.unit.codelists.small_lists import COPD, codelist


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


def test_every_state_contradicts_its_ending(codelists: dict[str, CodeList]) -> None:
    import csv

    reference = default_site() / "config" / "reference"
    pairs = {pair.pair for pair in load_contradictions(reference / "contradictory_concepts.csv")}
    with (reference / "states.csv").open(encoding="utf-8", newline="") as file:
        endings = {
            frozenset((row["started_by"], row["ended_by"])) for row in csv.DictReader(file) if row["ended_by"]
        }
    assert len(endings) == 5
    assert endings <= pairs
    assert {concept for pair in pairs for concept in pair} <= codelists["flags"].concepts
