"""Rotating the site key gives everybody a new identifier, and nothing else changes."""

from __future__ import annotations

import json
import re
import shutil
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from riskstrat import audit, replacing, rotation
from riskstrat.audit.accounting import unaccounted
from riskstrat.guards import locked
from riskstrat.keys import key_fingerprint, person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.runs import latest, list_runs, verify_run
from riskstrat.site import load_site
from riskstrat.vault import read_people
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

QUIET = Progress(quiet=True)
STEPS = (
    *("bring_in", "point", "retire", "take_files", "take_vault", "take_returns", "take_key"),
    *("put_on_record", "close"),
)
# In every run of the tests, the moments on both sides of the decision and the last; the others in the slow ones.
OFTEN = ("rewrite", "decide", "bring_in", "take_key", "close")
KILLED_BEFORE = """
import os, signal, sys
from pathlib import Path
from riskstrat import replacing, rewriting, rotation
from riskstrat.progress import Progress
from riskstrat.site import load_site

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "decide":
    rotation.decide = dies
elif sys.argv[2] == "rewrite":
    rewriting.Rewriter.rewrite = dies
else:
    replacing.STEPS = tuple(dies if step.__name__ == sys.argv[2] else step for step in replacing.STEPS)
rotation.rotate(load_site(Path(sys.argv[1])), Progress(quiet=True))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two runs; somebody of the earlier one is not on the later register, so no vault knows them."""
    site = small_town.write_site(tmp_path_factory.mktemp("rotation") / "site")
    earlier = site / "landing" / (small_town.DELIVERY - timedelta(days=1)).isoformat()
    gone = small_town.frail_person(factories.nhs_number(7), 3, 9, factories.PRACTICES[0], factories.BORN)
    for name, rows in small_town.town().items():
        small_town.write_rows(earlier / f"{name}.csv", [*rows, *gone.get(name, [])])
    run(load_site(site), small_town.DELIVERY, progress=QUIET)
    small_town.write_landing(site)
    run(load_site(site), small_town.AS_OF, progress=QUIET)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def _ids(site: Path) -> set[str]:
    """Every person_id of every published run."""
    return {
        one
        for path in (site / "output" / "runs").rglob("*.parquet")
        if "person_id" in pq.read_schema(path).names
        for one in pq.read_table(path, columns=["person_id"])["person_id"].to_pylist()
        if one
    }


def _features(site: Path) -> dict[str, list[tuple]]:
    """The feature tables by date, without the identifiers."""
    return {
        one.id[:8]: duckdb.sql(
            f"SELECT * EXCLUDE (person_id) FROM '{one.folder}/features.parquet' ORDER BY ALL"
        ).fetchall()
        for one in list_runs(site / "output")
    }


def _in_bytes(site: Path, wanted: set[str]) -> list[str]:
    """Files of the site that hold one of the identifiers, in their bytes or, of Parquet, in their values."""
    found = []
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        if wanted & {one.decode() for one in re.findall(rb"[0-9a-f]{32}", content)}:
            found.append(path.relative_to(site).as_posix())
    return found


def test_everybody_has_a_new_identifier_and_the_same_features(site: Path, capsys: pytest.CaptureFixture[str]):
    before, features = _ids(site), _features(site)
    old_key, old_runs = read_site_key(site / "keys"), [one.id for one in list_runs(site / "output")]
    stranger = person_id(old_key, factories.nhs_number(7))
    assert stranger in before
    assert len(_in_bytes(site, before)) > 10, "the search finds what is there"

    answer = riskstrat(capsys, site, "keys", "rotate")

    assert answer.code == 0, answer.err
    key = read_site_key(site / "keys")
    assert key != old_key
    assert stat.S_IMODE((site / "keys" / "site.key").stat().st_mode) == 0o600
    assert _in_bytes(site, before) == []
    assert not any(old_key in path.read_bytes() for path in site.rglob("*") if path.is_file())
    assert _features(site) == features
    runs = list_runs(site / "output")
    assert [one.id[:8] for one in runs] == [one[:8] for one in old_runs]
    assert not {one.id for one in runs} & set(old_runs)
    assert latest(site / "output").id == runs[-1].id
    known = {person_id(key, factories.nhs_number(index)) for index in range(1, 7)}
    after = _ids(site)
    assert known < after
    assert len(after) == len(before) == len(known) + 1
    for one in runs:
        assert verify_run(one) == []
        assert one.manifest["key"] == key_fingerprint(key)
        assert one.manifest["run"] == one.id
        assert one.id in (one.folder / "report" / "index.html").read_text()
        assert stat.S_IMODE((one.folder / "features.parquet").stat().st_mode) == 0o440
    assert answer.out.splitlines() == [f"{old} -> {new.id}" for old, new in zip(old_runs, runs, strict=True)]
    people = read_people(load_site(site)).to_pylist()
    assert {one["person_id"] for one in people} == known
    assert all(one["person_id"] == person_id(key, one["nhs_number"]) for one in people)


def test_files_stand_in_the_order_of_the_new_identifiers_and_lists_in_their_rank(site: Path):
    def ranked() -> list[tuple]:
        return [
            tuple(row[name] for name in ("rank", "score", "reasons"))
            for row in pq.read_table(
                site / "output" / "latest" / "cohorts" / "luton_core.parquet"
            ).to_pylist()
        ]

    before = ranked()
    rotation.rotate(load_site(site), QUIET)
    assert ranked() == before
    for name in ("features", "scores", "history", "register", "evidence/efi"):
        ids = pq.read_table(site / "output" / "latest" / f"{name}.parquet")["person_id"].to_pylist()
        assert ids == sorted(ids), name


def test_commands_work_on_the_new_runs_and_the_next_run_fits_them(
    site: Path, capsys: pytest.CaptureFixture[str]
):
    before = riskstrat(capsys, site, "cohort", "count", "luton_core").out
    assert riskstrat(capsys, site, "keys", "rotate").code == 0
    assert riskstrat(capsys, site, "runs", "verify", "latest").code == 0
    assert riskstrat(capsys, site, "cohort", "count", "luton_core").out == before
    assert riskstrat(capsys, site, "cohort", "diff", "luton_core").code == 0
    rotated = _ids(site)
    outcome = run(load_site(site), small_town.AS_OF, progress=QUIET)
    again = set(pq.read_table(outcome.folder / "features.parquet")["person_id"].to_pylist())
    assert len(again) == 6
    assert again < rotated


def test_somebody_unknown_keeps_one_identifier_across_the_runs(published: Path, tmp_path: Path):
    site = Path(shutil.copytree(published, tmp_path / "site", symlinks=True))
    extracts = small_town.town()
    extracts["gp_patients"] = [
        row for row in extracts["gp_patients"] if row["nhs_number"] != factories.nhs_number(6)
    ]
    small_town.write_landing(site, extracts)
    run(
        load_site(site), small_town.AS_OF, progress=QUIET
    )  # the sixth is now in two runs and not in the vault
    gone = person_id(read_site_key(site / "keys"), factories.nhs_number(6))
    holders = [
        one.id[:8]
        for one in list_runs(site / "output")
        if gone in pq.read_table(one.folder / "features.parquet")["person_id"].to_pylist()
    ]
    assert len(holders) == 2
    rotated = rotation.rotate(load_site(site), QUIET)
    assert rotated.strangers == 2
    assert len(_ids(site)) == 7


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(moment, marks=[] if moment in OFTEN else pytest.mark.slow)
        for moment in ("rewrite", "decide", *STEPS)
    ],
)
def test_interrupted_rotation_changed_nothing_or_is_finished_by_the_next(
    site: Path, tmp_path: Path, moment: str
):
    before, features = _ids(site), _features(site)
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE, str(site), moment], check=False)
    assert ended.returncode == -signal.SIGKILL
    one = load_site(site)
    if moment in ("rewrite", "decide"):
        assert _ids_of_runs(site) == before
        known = {row["person_id"] for row in read_people(one).to_pylist()}
        assert known
        assert known <= before
        assert not rotation.rotate(one, QUIET).was_finished
    else:
        assert _refusal_of_a_run(site) == 5
        assert rotation.rotate(one, QUIET).was_finished
    assert _in_bytes(site, before) == []
    assert _features(site) == features
    assert all(verify_run(found) == [] for found in list_runs(site / "output"))
    assert sorted(path.name for path in (site / "output" / "runs").iterdir()) == sorted(
        found.id for found in list_runs(site / "output")
    )
    assert {path.name for path in (site / "keys").iterdir()} == {
        *("site.key", "vault.key", "signing.key", "signing.pub")
    }
    known = {person_id(read_site_key(site / "keys"), factories.nhs_number(index)) for index in range(1, 7)}
    assert {row["person_id"] for row in read_people(one).to_pylist()} == known
    assert audit.verify(one) == []
    assert unaccounted(one) == []


def test_every_step_is_interrupted_in_the_test_above():
    assert tuple(step.__name__ for step in replacing.STEPS) == STEPS


def _ids_of_runs(site: Path) -> set[str]:
    return {
        one
        for found in list_runs(site / "output")
        for one in pq.read_table(found.folder / "features.parquet")["person_id"].to_pylist()
    }


def _refusal_of_a_run(site: Path) -> int | str:
    """The exit code with which a run is refused while a rotation is half done."""
    from riskstrat.errors import NotPermittedError

    try:
        run(load_site(site), small_town.AS_OF, progress=QUIET)
    except NotPermittedError as problem:
        return problem.exit_code
    return "it ran"


def test_rotation_waits_for_no_run(site: Path, capsys: pytest.CaptureFixture[str]):
    before = _in_bytes(site, _ids(site))
    with locked(load_site(site)):
        answer = riskstrat(capsys, site, "keys", "rotate")
    assert answer.code == 7, answer.err
    assert _in_bytes(site, _ids(site)) == before


def test_rotation_without_a_vault_is_refused_and_changes_nothing(
    site: Path, capsys: pytest.CaptureFixture[str]
):
    (site / "state" / "vault" / "identity.parquet.age").unlink()
    key, runs = read_site_key(site / "keys"), [one.id for one in list_runs(site / "output")]
    answer = riskstrat(capsys, site, "keys", "rotate")
    assert answer.code == 5
    assert "there is no identity vault" in answer.err
    assert read_site_key(site / "keys") == key
    assert [one.id for one in list_runs(site / "output")] == runs


def test_rotation_of_a_damaged_run_is_refused(site: Path, capsys: pytest.CaptureFixture[str]):
    path = latest(site / "output").folder / "features.parquet"
    path.chmod(0o640)
    path.write_bytes(path.read_bytes() + b"x")
    answer = riskstrat(capsys, site, "keys", "rotate")
    assert answer.code == 1
    assert "not what was published" in answer.err
    assert json.loads((latest(site / "output").folder / "manifest.json").read_text())["run"]


def test_file_that_was_sealed_before_still_opens(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    private = tmp_path / "practice.key"
    made = riskstrat(capsys, site, "keys", "recipient", "make", str(private))
    public = re.search(r"age1[0-9a-z]+", made.out)
    assert public, made.err
    practice = factories.PRACTICES[0]
    add = ("keys", "recipient", "add", practice, public[0], "--audience", "gp_practice", "--area", practice)
    assert riskstrat(capsys, site, *add).code == 0
    sealed = tmp_path / "sealed"
    export = ("worklist", "export", "luton_core", "--audience", "gp_practice", "--area", practice)
    answer = riskstrat(capsys, site, *export, "--out", str(sealed))
    assert answer.code == 0, answer.err
    assert riskstrat(capsys, site, "keys", "rotate").code == 0
    (file,) = [*sealed.glob("*.age")] if sealed.is_dir() else [sealed]
    opening = ("reidentify", str(file), "--recipient-key", str(private), "--reason", "test of the rotation")
    answer = riskstrat(capsys, site, *opening)
    assert answer.code == 0, answer.err
