"""What is purged is gone, what stays is named, and a signed certificate says both."""

from __future__ import annotations

import json
import re
import shutil
import signal
import stat
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskstrat import audit
from riskstrat.certificates import read_certificate
from riskstrat.guards import locked
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.runs import latest, list_runs
from riskstrat.site import load_site
from riskstrat.vault import read_people, vault_of
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

QUIET = Progress(quiet=True)
EARLIER = small_town.DELIVERY - timedelta(days=1)
PERSON, OTHER = factories.nhs_number(1), factories.nhs_number(2)
KILLED_BEFORE = """
import os, signal, sys
from datetime import date
from pathlib import Path
from riskstrat import purging
from riskstrat.site import load_site

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(purging, sys.argv[2], dies)
purging.purge_layer(load_site(Path(sys.argv[1])), "landing", date.fromisoformat(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two deliveries and two runs."""
    site = small_town.write_site(tmp_path_factory.mktemp("purge") / "site")
    for name, rows in small_town.town().items():
        small_town.write_rows(site / "landing" / EARLIER.isoformat() / f"{name}.csv", rows)
    run(load_site(site), small_town.DELIVERY, progress=QUIET)
    small_town.write_landing(site)
    run(load_site(site), small_town.AS_OF, progress=QUIET)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def _certificate(site: Path) -> dict:
    (path,) = (site / "state" / "certificates").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return read_certificate(load_site(site), path)


def test_old_deliveries_go_and_the_certificate_names_each_file(
    site: Path, capsys: pytest.CaptureFixture[str]
):
    old = sorted((site / "landing" / EARLIER.isoformat()).iterdir())
    hashes = {f"landing/{EARLIER}/{path.name}" for path in old}
    answer = riskstrat(
        capsys, site, "purge", "--layer", "landing", "--before", small_town.DELIVERY.isoformat()
    )
    assert answer.code == 0, answer.err
    assert [path.name for path in (site / "landing").iterdir()] == [small_town.DELIVERY.isoformat()]
    content = _certificate(site)
    assert {one["path"] for one in content["removed"]} == hashes
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in content["removed"])
    assert (content["layer"], content["files"], content["before"]) == (
        "landing",
        len(old),
        small_town.DELIVERY.isoformat(),
    )
    entry = audit.read_entries(load_site(site))[-1].facts
    assert (entry["action"], entry["layer"], entry["count"]) == ("purge", "landing", len(old))
    assert audit.verify(load_site(site)) == []


def test_old_runs_go_and_latest_stays(site: Path, capsys: pytest.CaptureFixture[str]):
    newest = latest(site / "output").id
    assert (
        riskstrat(capsys, site, "purge", "--layer", "runs", "--before", small_town.AS_OF.isoformat()).code
        == 0
    )
    assert [one.id for one in list_runs(site / "output")] == [newest]
    assert latest(site / "output").id == newest
    assert _certificate(site)["files"] > 60


def test_when_every_run_goes_nothing_is_published(site: Path, capsys: pytest.CaptureFixture[str]):
    assert riskstrat(capsys, site, "purge", "--layer", "runs", "--before", "2030-01-01").code == 0
    assert riskstrat(capsys, site, "runs", "list").code == 6
    assert riskstrat(capsys, site, "cohort", "count", "luton_core").code == 6
    assert not (site / "output" / "latest").is_symlink()


def test_vault_goes_when_the_people_it_knows_are_older(site: Path, capsys: pytest.CaptureFixture[str]):
    path = vault_of(load_site(site)).path
    for before, is_there in ((small_town.AS_OF, True), (small_town.AS_OF + timedelta(days=1), False)):
        answer = riskstrat(capsys, site, "purge", "--layer", "vault", "--before", before.isoformat())
        assert answer.code == 0, answer.err
        assert path.exists() is is_there
    assert _certificate(site)["removed"][0]["path"] == "state/vault/identity.parquet.age"


def test_leftovers_of_a_killed_run_go(site: Path, capsys: pytest.CaptureFixture[str]):
    left = site / "state" / "scratch" / "20260401-abcdef" / "run.duckdb"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"rows")
    riskstrat(capsys, site, "purge", "--layer", "staging", "--before", "2020-01-01")
    assert left.exists()
    assert riskstrat(capsys, site, "purge", "--layer", "staging", "--before", "2099-01-01").code == 0
    assert not left.parent.exists()


def test_exports_go_by_the_day_on_which_they_were_written(site: Path, capsys: pytest.CaptureFixture[str]):
    made = riskstrat(capsys, site, "keys", "recipient", "make", str(site.parent / "practice.key"))
    riskstrat(capsys, site, "keys", "recipient", "add", factories.PRACTICES[0], made.out.strip())
    answer = riskstrat(capsys, site, "worklist", "export", "luton_core", "--audience", "gp_practice")
    assert answer.code == 0, answer.err
    sealed = Path(answer.out.strip())
    manifest = sealed.with_name(sealed.name.removesuffix(".age") + ".manifest.json")
    written = date.fromisoformat(json.loads(manifest.read_text())["written_at"][:10])
    for before, are_there in ((written, True), (written + timedelta(days=1), False)):
        answer = riskstrat(capsys, site, "purge", "--layer", "exports", "--before", before.isoformat())
        assert answer.code == 0, answer.err
        assert (sealed.exists(), manifest.exists()) == (are_there, are_there)
    assert {one["path"] for one in _certificate(site)["removed"]} == {
        f"exports/{sealed.name}",
        f"exports/{manifest.name}",
    }


def test_frames_go_by_the_day_that_they_are_complete_to(site: Path, capsys: pytest.CaptureFixture[str]):
    folder = site / "state" / "models" / "frames"
    for name in ("20260301-0123456789", "20260401-0123456789"):
        (folder / name).mkdir(parents=True)
        (folder / name / "frames.parquet").write_bytes(b"rows")
    answer = riskstrat(capsys, site, "purge", "--layer", "frames", "--before", "2026-04-01")
    assert answer.code == 0, answer.err
    assert [path.name for path in folder.iterdir()] == ["20260401-0123456789"]
    assert _certificate(site)["layer"] == "frames"


def test_dry_run_deletes_and_certifies_nothing(site: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, site, "purge", "--layer", "runs", "--before", "2030-01-01", "--dry-run")
    assert answer.code == 0
    assert "Nothing was deleted" in answer.err
    assert len(list_runs(site / "output")) == 2
    assert not (site / "state" / "certificates").exists()


@pytest.mark.parametrize("moment", ["_carry_out", "_remove_if_empty", "file_certificate"])
def test_interrupted_purge_is_finished_by_the_next(
    site: Path, moment: str, capsys: pytest.CaptureFixture[str]
):
    arguments = [str(site), moment, small_town.DELIVERY.isoformat()]
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert riskstrat(capsys, site, "purge", "--layer", "staging", "--before", "2020-01-01").code == 0
    assert not (site / "landing" / EARLIER.isoformat()).exists()
    assert _certificate(site)["layer"] == "landing"


def test_changed_certificate_is_seen(site: Path, capsys: pytest.CaptureFixture[str]):
    riskstrat(capsys, site, "purge", "--layer", "landing", "--before", small_town.DELIVERY.isoformat())
    (path,) = (site / "state" / "certificates").iterdir()
    assert riskstrat(capsys, site, "purge", "--check", str(path)).code == 0
    path.write_text(path.read_text().replace("gp_events", "gp_others"))
    answer = riskstrat(capsys, site, "purge", "--check", str(path))
    assert answer.code == 5
    assert "was changed" in answer.err


def test_without_the_signing_key_nothing_is_deleted(site: Path, capsys: pytest.CaptureFixture[str]):
    (site / "keys" / "signing.key").unlink()
    assert riskstrat(capsys, site, "purge", "--layer", "runs", "--before", "2030-01-01").code == 5
    list_of = site.parent / "list.txt"
    list_of.write_text(PERSON)
    assert riskstrat(capsys, site, "purge", "--person-erased", str(list_of)).code == 5
    assert len(list_runs(site / "output")) == 2
    assert PERSON in read_people(load_site(site))["nhs_number"].to_pylist()
    assert not any((site / "output" / "runs").glob(".*"))


@pytest.mark.parametrize("given", [PERSON, f"{PERSON[:3]} {PERSON[3:6]} {PERSON[6:]}"])
def test_number_as_an_argument_is_refused_and_not_repeated(
    site: Path, capsys: pytest.CaptureFixture[str], given: str
):
    answer = riskstrat(capsys, site, "purge", "--person-erased", given)
    assert answer.code == 2
    assert given not in answer.out + answer.err


def test_list_with_a_wrong_number_is_refused_by_its_line(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    wrong = f"{PERSON[:-1]}{(int(PERSON[-1]) + 1) % 10}"
    wanted = tmp_path / "erase.txt"
    wanted.write_text(f"{OTHER}\n{wrong}\n")
    answer = riskstrat(capsys, site, "purge", "--person-erased", str(wanted))
    assert answer.code == 2
    assert "row 2" in answer.err
    assert wrong not in answer.err
    assert read_people(load_site(site)).num_rows == 6


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--layer", "runs"),
        ("--layer", "runs", "--before", "soon"),
        ("--layer", "runs", "--person-erased", "x"),
    ],
)
def test_half_a_command_is_refused(
    site: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
):
    assert riskstrat(capsys, site, "purge", *arguments).code == 2
    assert len(list_runs(site / "output")) == 2


def test_purge_during_a_run_is_refused(site: Path, capsys: pytest.CaptureFixture[str]):
    with locked(load_site(site)):
        assert riskstrat(capsys, site, "purge", "--layer", "runs", "--before", "2030-01-01").code == 7
    assert len(list_runs(site / "output")) == 2
