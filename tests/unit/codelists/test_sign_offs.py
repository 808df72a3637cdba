"""A changed list has no signature, and nothing else about it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.definitions.metadata import UNREVIEWED, Metadata, load_metadata
from riskstrat.definitions.metadata_changes import without_signature
from tests.unit.codelists.small_lists import CODELISTS, METADATA


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
