"""One command takes extracts to ranked neighbourhood worklists, and leaves a trail."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import STAGES, run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town
from tests.end_to_end.books import balanced_books
from tests.end_to_end.command import riskstrat


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_town.write_site(tmp_path_factory.mktemp("site") / "town")
    small_town.write_landing(folder)
    run(load_site(folder), small_town.AS_OF, progress=Progress(quiet=True))
    return folder


def _latest(site: Path) -> Path:
    return (site / "output" / "latest").resolve()


def _manifest(site: Path) -> dict:
    return json.loads((_latest(site) / "manifest.json").read_text())


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_stages_read_aloud():
    names = [stage.__name__ for stage in STAGES]
    assert names == [
        "ingest",
        "link",
        "features",
        "history",
        "evidence",
        "score",
        "cohorts",
        "worklists",
        "lists",
        "measures",
        "report",
        "publish",
    ]


def test_the_right_people_stand_on_the_right_list(site: Path):
    key = read_site_key(site / "keys")
    expected = {
        "TN1": [person_id(key, factories.nhs_number(1))],
        "TN2": [person_id(key, factories.nhs_number(2))],
    }
    for neighbourhood, people in expected.items():
        with (_latest(site) / "worklists" / neighbourhood / "luton_core.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert [row["person_id"] for row in rows] == people
        assert [row["rank"] for row in rows] == [str(place + 1) for place in range(len(people))]
    members = pq.read_table(_latest(site) / "cohorts" / "luton_core.parquet").to_pylist()
    assert [member["rank"] for member in members] == [1, 2]
    assert (
        members[0]["reasons"]
        == "unplanned admissions in 12 months: 3; moderate frailty (9 of 36 deficits); aged 86"
    )


def test_score_is_the_sum_of_its_components(site: Path):
    rows = pq.read_table(_latest(site) / "scores.parquet").to_pylist()
    assert len(rows) == 6
    for row in rows:
        parts = [value for name, value in row.items() if name.endswith("_points")]
        assert row["score"] == sum(parts)


def test_rows_read_are_all_accounted_for(site: Path):
    assert balanced_books(_manifest(site)).keys() == small_town.town().keys()


def test_absent_optional_extract_is_named_as_the_reason_of_an_unknown_feature(site: Path):
    assert "care_plans" in _manifest(site)["unknown_features"]["has_care_plan"]


def test_manifest_hashes_every_file_of_the_run(site: Path):
    files = _manifest(site)["files"]
    assert files == {
        name: hashlib.sha256(content).hexdigest() for name, content in _bytes(_latest(site)).items()
    }


def test_no_identifier_is_in_any_byte_that_a_run_leaves(site: Path):
    numbers = [factories.nhs_number(index).encode() for index in range(1, 7)]
    left = [path for folder in ("output", "state") for path in (site / folder).rglob("*") if path.is_file()]
    assert len(left) > 20
    for path in left:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        assert not any(number in content for number in numbers), path


def test_latest_is_a_relative_link_and_files_are_read_only(site: Path):
    pointer = site / "output" / "latest"
    assert pointer.is_symlink()
    assert pointer.readlink() == Path("runs") / _manifest(site)["run"]
    assert stat.S_IMODE((_latest(site) / "features.parquet").stat().st_mode) == 0o440


def test_work_folder_is_gone_after_publishing(site: Path):
    assert sorted(path.name for path in (site / "state").iterdir()) == ["audit", "read", "run.lock", "vault"]
    assert [path.name for path in (site / "output" / "runs").iterdir()] == [_manifest(site)["run"]]


def test_same_inputs_give_the_same_run_and_the_same_bytes(site: Path, tmp_path: Path):
    twin = tmp_path / "twin"
    for name in ("config", "data_contracts", "pipelines", "landing", "keys"):
        shutil.copytree(site / name, twin / name)
    outcome = run(load_site(twin), small_town.AS_OF, progress=Progress(quiet=True))
    assert outcome.folder.name == _latest(site).name
    assert _bytes(outcome.folder) == _bytes(_latest(site))


def test_same_command_again_changes_nothing(site: Path, capsys: pytest.CaptureFixture[str]):
    before = {path: path.stat().st_mtime_ns for path in _latest(site).rglob("*")}
    for extra in ((), ("--force",)):
        answer = riskstrat(capsys, site, "run", "--as-of", small_town.AS_OF.isoformat(), *extra)
        assert answer.code == 0, answer.err
    assert {path: path.stat().st_mtime_ns for path in _latest(site).rglob("*")} == before


def test_summary_names_people_cohorts_and_worklists(site: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, site, "run", "--as-of", small_town.AS_OF.isoformat())
    assert "people       6" in answer.out
    assert any(line.split()[:2] == ["luton_core", "2"] for line in answer.out.splitlines())
    assert str(site / "output" / "latest" / "worklists") in answer.out


def test_published_folders_cannot_be_written_and_nothing_is_open_to_others(site: Path):
    folders = [path for path in _latest(site).rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*folders, _latest(site))} == {0o550}
    assert not stat.S_IMODE((site / "state").stat().st_mode) & 0o007


def test_opt_out_without_its_list_is_warned_about_and_one_without_a_date_is_applied(tmp_path: Path):
    site = small_town.write_site(tmp_path / "site")
    extracts = small_town.town()
    small_town.write_landing(site, extracts)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    assert any("national_opt_out" in warning for warning in outcome.manifest["warnings"])
    assert outcome.manifest["cohorts"]["luton_core"] == 2
    extracts["national_opt_out"] = [
        factories.national_opt_out(factories.nhs_number(1), checked_on="01/03/2026"),
        factories.national_opt_out(factories.nhs_number(2)),
    ]
    small_town.write_landing(site, extracts)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    assert not any("national_opt_out" in warning for warning in outcome.manifest["warnings"])
    assert outcome.manifest["cohorts"]["luton_core"] == 0


def test_quarantined_row_keeps_no_number_that_could_be_a_patients(tmp_path: Path):
    site = small_town.write_site(tmp_path / "site")
    extracts = small_town.town()
    number = factories.nhs_number(1)
    bad = factories.community_contact(
        number,
        contact_id=f"C-{number}-1",
        service_type=f"call {number[:3]} {number[3:6]} {number[6:]}",
        contact_date="x",
    )
    extracts["community_contacts"].append(bad)
    small_town.write_landing(site, extracts)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    (row,) = pq.read_table(
        outcome.folder / "quality" / "community_contacts" / "quarantine.parquet"
    ).to_pylist()
    assert row["contact_id"] == "C-**********"
    assert row["service_type"] is None
    assert row["reasons"] == [
        "community_contacts.contact_date.type",
        "community_contacts.service_type.holds_nhs_number",
    ]


def test_people_added_by_hand_are_on_the_list_marked_and_within_capacity(tmp_path: Path):
    site = small_town.write_site(tmp_path / "site")
    definition = site / "config" / "cohorts" / "luton_core.yaml"
    definition.write_text(definition.read_text().replace("capacity: 25", "capacity: 1"))
    extracts = small_town.town()
    numbers = [factories.nhs_number(place) for place in (5, 6)]
    extracts["manual_additions"] = [
        {
            "nhs_number": number,
            "cohort": "luton_core",
            "reason": "worried daughter",
            "added_on": "2026-03-01",
            "added_by": "matron",
        }
        for number in numbers
    ]
    small_town.write_landing(site, extracts)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    members = pq.read_table(outcome.folder / "cohorts" / "luton_core.parquet").to_pylist()
    key = read_site_key(site / "keys")
    added = {person_id(key, number) for number in numbers}
    marked = [member for member in members if member["is_manual_addition"]]
    assert {member["person_id"] for member in marked} == added
    assert len(members) > len(marked)
    assert all(member["reasons"].startswith("added by a professional") for member in marked)
    found = 0
    for path in (outcome.folder / "worklists").glob("*/luton_core.csv"):
        with path.open() as stream:
            rows = list(csv.DictReader(stream))
        assert all(row["within_capacity"] == "true" for row in rows if row["person_id"] in added)
        by_rule = [row["within_capacity"] for row in rows if row["person_id"] not in added]
        assert by_rule == ["true", "false", "false"][: len(by_rule)]
        found += len(by_rule)
    assert found == len(members) - len(added) == 2


def test_text_that_a_spreadsheet_would_run_is_neutralised(tmp_path: Path):
    site = small_town.write_site(tmp_path / "site")
    extracts = small_town.town()
    extracts["community_caseload"] = [
        factories.caseload_entry(
            factories.nhs_number(1), case_manager='=HYPERLINK("x")', from_date="2025-10-01"
        )
    ]
    small_town.write_landing(site, extracts)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    with (outcome.folder / "worklists" / "TN1" / "luton_core.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row["case_manager"] == '\'=HYPERLINK("x")'
