"""Versions of contracts have to say how far a change reaches, and snapshots give every contract back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from riskstrat.definitions.contract_changes import Change, changes_of_all, check_versions
from riskstrat.definitions.contract_snapshots import from_snapshot, read_snapshots, snapshot, snapshots
from riskstrat.definitions.contracts import Contract, load_contracts
from riskstrat.errors import RiskstratError
from riskstrat.site import default_site
from tests.small_contract import SLA, contract


def versioned(
    tmp_path: Path, before: str, after: str, *edits: tuple[str, str]
) -> tuple[dict[str, Contract], dict[str, Contract]]:
    older = contract(tmp_path / "before", ("version: 1.0.0", f"version: {before}"))
    newer = contract(tmp_path / "after", *edits, ("version: 1.0.0", f"version: {after}"))
    return {"visits": older}, {"visits": newer}


REMOVE_AREA = ("      - name: area", "      - name: aria")  # described as before: a new name
ALLOW_MORE = ("[home, office, X]", "[home, office, school, X]")
REWORD = ("Kind of visit.", "What the visit was for.")


@pytest.mark.parametrize(
    ("before", "after", "edits", "said"),
    [
        ("1.2.0", "2.0.0", [REMOVE_AREA], None),
        ("1.2.0", "3.1.0", [REMOVE_AREA], None),
        ("1.2.0", "1.3.0", [ALLOW_MORE, REWORD], None),
        ("1.2.0", "2.0.0", [ALLOW_MORE], None),
        ("1.2.9", "1.2.10", [REWORD], None),
        ("1.2.0", "1.2.0", [], None),
        (
            *("1.2.0", "1.2.1", [REMOVE_AREA, ALLOW_MORE]),
            "visits 1.2.0 -> 1.2.1: breaking: column area was renamed to aria; its version must be 2.0.0 or later",
        ),
        (
            *("1.2.0", "1.9.0", [REMOVE_AREA, ("maximum: 5", "maximum: 4")]),
            "visits 1.2.0 -> 1.9.0: breaking: column area was renamed to aria, rule visits.number.range asks for "
            "1 or more and 4 or less instead of 1 or more and 5 or less; its version must be 2.0.0 or later",
        ),
        (
            *("1.2.0", "1.2.1", [ALLOW_MORE]),
            "visits 1.2.0 -> 1.2.1: compatible: column kind allows school too; its version must be 1.3.0 or later",
        ),
        (
            *("1.2.3", "1.2.3", [REWORD]),
            "visits 1.2.3 -> 1.2.3: wording: column kind has other words for its description; "
            "its version must be 1.2.4 or later",
        ),
        ("1.2.0", "1.1.0", [], "visits 1.2.0 -> 1.1.0: its version must be 1.2.0 or later"),
    ],
)
def test_version_says_how_far_a_change_reaches(
    tmp_path: Path, before: str, after: str, edits: list[tuple[str, str]], said: str | None
) -> None:
    problems = check_versions(*versioned(tmp_path, before, after, *edits))
    assert [str(problem) for problem in problems] == ([said] if said else [])
    assert [problem.breaking for problem in problems] == ([": breaking: " in said] if said else [])


def test_contract_that_comes_or_goes_is_named(tmp_path: Path) -> None:
    visits = {"visits": contract(tmp_path)}
    assert changes_of_all(visits, {}) == [Change("visits", "the contract", "was removed", "breaking")]
    assert changes_of_all({}, visits) == [Change("visits", "the contract", "is new", "compatible")]
    assert changes_of_all(visits, visits) == []
    assert check_versions(visits, {}) == check_versions({}, visits) == []


# --- snapshots -------------------------------------------------------------------------------------------------------


def test_snapshot_gives_every_contract_back(tmp_path: Path) -> None:
    shipped = load_contracts(default_site() / "data_contracts")
    for before in (*shipped.values(), contract(tmp_path, ("schema:", SLA))):
        assert from_snapshot(json.loads(json.dumps(snapshot(before)))) == before
    path = tmp_path / "contracts.json"
    path.write_text(snapshots(shipped), encoding="utf-8")
    assert read_snapshots(path) == shipped
    assert snapshots(dict(reversed(shipped.items()))) == snapshots(shipped)
    assert len(path.read_bytes()) < 300_000


def test_snapshot_of_another_version_of_riskstrat_is_read(tmp_path: Path) -> None:
    before = contract(tmp_path)
    plain = snapshot(before) | {"colour": "blue"}
    del plain["grain"]
    assert from_snapshot(plain) == replace(before, grain="")


@pytest.mark.parametrize("text", ["", "[]", '{"visits": {"name": "visits"}}', '{"visits": 1}'])
def test_damaged_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "contracts.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RiskstratError) as refused:
        read_snapshots(path)
    assert refused.value.remedy
