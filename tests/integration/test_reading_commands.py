"""The commands that read a published run, its features and the state of a site, as a person types them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from riskstrat.audit import append
from riskstrat.keys import init_site_key
from riskstrat.runs import file_hash
from riskstrat.site import load_site
from tests.fake_run import RUN
from tests.integration.reading_sites import manifest
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture(scope="module")
def site(reading_site: Path) -> Path:
    return reading_site


@pytest.fixture
def own_site(site: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage, without what commands of other tests left in its audit log."""
    return Path(
        shutil.copytree(site, tmp_path / "site", symlinks=True, ignore=shutil.ignore_patterns("state"))
    )


def test_older_run_is_read_by_its_id_and_by_its_date(own_site: Path) -> None:
    older = own_site / "output" / "runs" / "20260301-aaaaaaaa"
    shutil.copytree(own_site / "output" / "runs" / RUN, older)
    for option in (["--run", older.name], ["--as-of", "2026-03-01"]):
        result = typed(own_site, "cohort", "count", "luton_core", *option)
        assert result.exit_code == 0
        assert "run 20260301-aaaaaaaa, as of 2026-03-01" in result.stderr
    listing = answered(own_site, "runs", "list").splitlines()
    assert listing[-2].startswith("20260301-aaaaaaaa")
    assert listing[-1].startswith(RUN)
    assert listing[-1].endswith("latest")


def test_dates_and_runs_that_are_not_there(site: Path) -> None:
    refused(site, 6, "cohort", "count", "luton_core", "--run", "20200101-abcdef")
    refused(site, 6, "cohort", "count", "luton_core", "--as-of", "2020-01-01")
    refused(site, 2, "cohort", "count", "luton_core", "--as-of", "01/01/2020")
    refused(site, 2, "cohort", "count", "luton_core", "--as-of", "2026-04-01", "--run", RUN)


def test_nothing_published_ends_with_six(own_site: Path) -> None:
    shutil.rmtree(own_site / "output")
    for arguments in (
        ["cohort", "list"],
        ["cohort", "count", "luton_core"],
        ["cohort", "query", "--where", "TRUE"],
        ["runs", "list"],
        ["runs", "show", "latest"],
        ["runs", "verify", "latest"],
    ):
        assert "riskstrat run --as-of DATE" in str(refused(own_site, 6, *arguments))


def test_runs_show_tells_the_run(site: Path) -> None:
    shown = answered(site, "runs", "show", "latest")
    for text in (RUN, "in the population", "luton_core", "gp_events", "agency_contacts was not delivered"):
        assert text in shown
    assert json.loads(answered(site, "runs", "show", RUN, "--json")) == manifest(site)


def test_runs_verify_finds_a_changed_file(own_site: Path) -> None:
    assert "are what was published" in answered(own_site, "runs", "verify", "latest")
    (own_site / "output" / "runs" / RUN / "scores.parquet").write_bytes(b"changed")
    assert "scores.parquet: is not what was published." in str(
        refused(own_site, 1, "runs", "verify", "latest")
    )


def test_damaged_features_are_said_without_a_traceback(own_site: Path) -> None:
    (own_site / "output" / "runs" / RUN / "features.parquet").write_bytes(b"PAR1")
    assert "damaged" in str(refused(own_site, 1, "cohort", "count", "--where", "TRUE"))


def test_features_list_and_show_tell_the_contract(site: Path) -> None:
    assert "unplanned_admissions_12m" in answered(site, "features", "list")
    shown = answered(site, "features", "show", "frailty_category")
    assert "The meaning of frailty_category." in shown
    assert "12 months before as_of" in shown
    assert "fit, mild, moderate, severe" in shown
    assert f"of 1,000 people in run {RUN}" in shown
    assert "agency_contacts was not delivered" in answered(site, "features", "show", "agencies_90d")
    assert "did you mean efi" in str(refused(site, 3, "features", "show", "effi"))


def test_features_are_shown_before_the_first_run(own_site: Path) -> None:
    shutil.rmtree(own_site / "output")
    assert "The meaning of efi." in answered(own_site, "features", "show", "efi")


def test_doctor_names_what_is_wrong_and_ends_with_the_first_failure(own_site: Path) -> None:
    result = typed(own_site, "doctor")
    assert result.exit_code == 3
    assert "fail  definitions:" in result.stdout
    assert "fail  keys:" in result.stdout
    assert "riskstrat keys init" in result.stdout
    assert f"ok    runs: {RUN} is the latest, and is what was published" in result.stdout


def test_doctor_without_a_site_ends_with_two(tmp_path: Path) -> None:
    result = typed(tmp_path, "doctor")
    assert result.exit_code == 2
    assert "fail  site:" in result.stdout


def test_doctor_sees_damage_leftovers_and_a_running_run(own_site: Path) -> None:
    (own_site / "output" / "runs" / RUN / "scores.parquet").write_bytes(b"changed")
    (own_site / "output" / "runs" / ".20260402-abcdef.partial").mkdir()
    shown = typed(own_site, "doctor").stdout
    assert "fail  runs: 1 files" in shown
    assert "warn  leftovers: an earlier run did not end: .20260402-abcdef.partial" in shown
    (own_site / "state").mkdir(exist_ok=True)
    with (own_site / "state" / "run.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert "warn  lock: a run is going on" in typed(own_site, "doctor").stdout


def test_doctor_sees_an_open_key(own_site: Path) -> None:
    key = init_site_key(own_site / "keys")
    assert "ok    keys:" in typed(own_site, "doctor").stdout
    for name in (key.name, "vault.key", "signing.key"):
        (own_site / "keys" / name).chmod(0o644)
        assert "chmod 600" in typed(own_site, "doctor").stdout
        (own_site / "keys" / name).chmod(0o600)


def test_doctor_sees_an_audit_log_that_was_changed(own_site: Path) -> None:
    init_site_key(own_site / "keys")
    answered(own_site, "cohort", "query", "luton_core", "--limit", "1")
    assert f"fail  audit: run {RUN} is published and no entry says so" in typed(own_site, "doctor").stdout
    published = file_hash(own_site / "output" / "runs" / RUN / "manifest.json")
    append(load_site(own_site), "run", run=RUN, manifest_sha256=published)
    assert "ok    audit:" in typed(own_site, "doctor").stdout
    log = own_site / "state" / "audit" / "log.jsonl"
    log.write_text(log.read_text().replace('"count":1', '"count":2').replace('"count": 1', '"count": 2'))
    assert "fail  audit:" in typed(own_site, "doctor").stdout


def test_doctor_is_content_with_a_whole_site(made_up_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(made_up_site, tmp_path / "site"))
    shutil.rmtree(site / "keys", ignore_errors=True)
    init_site_key(site / "keys")
    result = typed(site, "doctor")
    assert result.exit_code == 0, result.output
    assert "rules are conditions over the features" in result.stdout
    assert "warn  runs: nothing has been published yet" in result.stdout


def test_process_ends_with_one_line_and_the_exit_code(site: Path) -> None:
    def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "riskstrat", "--site", str(site), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env=os.environ
        )

    right = ended("cohort", "count", "luton_core")
    assert (right.returncode, right.stdout) == (0, f"{manifest(site)['cohorts']['luton_core']}\n")
    wrong = ended("cohort", "count", "--where", "agee > 65")
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "error: there is no feature 'agee'." in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert ended("cohort", "count", "--no-such-option").returncode == 2
    assert ended("cohort", "query", "luton_core", "--format", "xml").returncode == 2
