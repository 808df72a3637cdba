"""The synthetic town, from the command that writes it to the lists that come of it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.site import write_default_site
from tests.end_to_end.command import riskstrat

AS_OF = "2026-04-01"
CORE = "age >= 65 AND frailty_category IN ('moderate', 'severe') AND unplanned_admissions_12m >= 2"


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "site"
    write_default_site(folder)
    for arguments in (
        ("keys", "init"),
        ("demo", "--people", "4000", "--seed", "3", "--faults", "--as-of", AS_OF),
        ("run", "--as-of", AS_OF),
    ):
        answer = riskstrat(capsys, folder, *arguments)
        assert answer.code == 0, answer.err
    return folder


def test_town_goes_from_extracts_to_lists_with_every_fault_accounted_for(
    site: Path, capsys: pytest.CaptureFixture[str]
):
    manifest = json.loads((site / "output" / "latest" / "manifest.json").read_text())
    assert all(status["present"] for status in manifest["extracts"].values())
    assert manifest["unknown_features"] == {}

    with (site / "landing" / "truth" / "faults.csv").open() as stream:
        faults = list(csv.DictReader(stream))
    expected: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        expected[fault["extract"], fault["expected"]] += int(fault["rows"])
    words = {
        "quarantined": "quarantined",
        "duplicates": "duplicate",
        "superseded": "superseded",
        "deleted": "deleted",
    }
    for extract, counts in manifest["conservation"].items():
        for status, word in words.items():
            assert counts[status] == expected[extract, word], (extract, status)

    members = pq.read_table(site / "output" / "latest" / "cohorts" / "luton_core.parquet").to_pylist()
    assert [member["rank"] for member in members] == list(range(1, len(members) + 1))
    assert [member["score"] for member in members] == sorted(
        (member["score"] for member in members), reverse=True
    )
    for selection in (("luton_core",), ("--where", CORE)):
        answer = riskstrat(capsys, site, "cohort", "count", *selection)
        assert answer.out.strip() == str(len(members))
    listed = [
        row["person_id"]
        for path in (site / "output" / "latest" / "worklists").glob("*/luton_core.csv")
        for row in csv.DictReader(path.open())
    ]
    assert sorted(listed) == sorted(member["person_id"] for member in members)
    assert len(members) > 0
