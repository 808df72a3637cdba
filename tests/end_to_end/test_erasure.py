"""Somebody who is erased leaves every layer and stays away; counts and definitions stay, and it is all certified."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat import audit
from riskstrat.audit.accounting import unaccounted
from riskstrat.certificates import read_certificate
from riskstrat.erased import read_erased
from riskstrat.keys import init_keys, person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.runs import latest, list_runs, verify_run
from riskstrat.site import load_site
from riskstrat.vault import read_people
from tests import factories, small_town
from tests.end_to_end.command import Answer, riskstrat
from tests.end_to_end.night_town import done

QUIET = Progress(quiet=True)
EARLIER = small_town.DELIVERY - timedelta(days=1)
PERSON, OTHER, NOBODY = factories.nhs_number(1), factories.nhs_number(2), factories.nhs_number(99)
STEPS = (
    *("bring_in", "point", "retire", "take_files", "take_vault", "take_returns", "take_key"),
    *("put_on_record", "close"),
)
BEFORE, AFTER = ("begin_list", "write_pending", "decide"), ("file_certificate", "append")
# Everyday moments: before, within and after what is decided. A rotation takes the same STEPS, and every one every day.
OFTEN = {
    *(("decide", "runs and all"), ("write_without", "runs and all"), ("bring_in", "runs and all")),
    *(("take_vault", "runs and all"), ("put_on_record", "runs and all"), ("append", "runs and all")),
    *(("decide", "the vault alone"), ("take_vault", "the vault alone")),
}
KILLED_BEFORE = """
import os, signal, sys
from pathlib import Path
from riskstrat import certificates, erasure, purging, replacing
from riskstrat.site import load_site

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
if moment in ("begin_list", "rewrite", "write_without", "decide"):
    setattr(erasure, moment, dies)
elif moment in ("write_pending", "file_certificate"):
    setattr(purging, moment, dies)
elif moment == "append":
    certificates.append = dies
else:
    replacing.STEPS = tuple(dies if step.__name__ == moment else step for step in replacing.STEPS)
purging.purge_people(load_site(Path(sys.argv[1])), [sys.argv[3]])
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two deliveries and two runs."""
    site = small_town.write_site(tmp_path_factory.mktemp("erasure") / "site")
    for name, rows in small_town.town().items():
        small_town.write_rows(site / "landing" / EARLIER.isoformat() / f"{name}.csv", rows)
    run(load_site(site), small_town.DELIVERY, progress=QUIET)
    small_town.write_landing(site)
    run(load_site(site), small_town.AS_OF, progress=QUIET)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def _erase(capsys: pytest.CaptureFixture[str], site: Path, *numbers: str, option: str = "erased") -> Answer:
    listed = site.parent / "erase.txt"
    listed.write_text("nhs_number\n" + "".join(f"{one[:3]} {one[3:6]} {one[6:]}\n\n" for one in numbers))
    return riskstrat(capsys, site, "purge", f"--person-{option}", str(listed))


def _certificates(site: Path) -> list[dict]:
    paths = sorted((site / "state" / "certificates").glob("*"))
    assert all(path.suffix == ".json" for path in paths), paths
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in paths)
    return [read_certificate(load_site(site), path) for path in paths]


def _holders(site: Path, wanted: str) -> list[str]:
    """Files of any layer that hold a text, in their bytes or, of Parquet and packed ones, in what these unpack to."""
    found = []
    for path in sorted(path for path in site.rglob("*") if path.is_file() and path.parent.name != "config"):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        if path.suffix == ".gz":
            content += gzip.decompress(content)
        if wanted.encode() in content:
            found.append(path.relative_to(site).as_posix())
    return found


def _sealed_to(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    made = riskstrat(capsys, site, "keys", "recipient", "make", str(site.parent / "practice.key"))
    practice = factories.PRACTICES[0]
    assert riskstrat(capsys, site, "keys", "recipient", "add", practice, made.out.strip()).code == 0
    answer = riskstrat(capsys, site, "worklist", "export", "luton_core", "--audience", "commissioner")
    assert answer.code == 0, answer.err


def test_erased_people_leave_every_layer_and_aggregates_stay(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = read_site_key(site / "keys")
    gone, stays = person_id(key, PERSON), person_id(key, OTHER)
    before = {one.id: one.manifest for one in list_runs(site / "output")}
    rest = pq.read_table(site / "output" / "latest" / "features.parquet").to_pylist()
    delivered = {path: path.read_text().splitlines() for path in sorted((site / "landing").rglob("*.csv"))}
    _sealed_to(capsys, site)
    frame = site / "state" / "models" / "frames" / "20260401-0123456789" / "frames.parquet"
    frame.parent.mkdir(parents=True)
    pq.write_table(pa.table({"person_id": [gone, stays]}), frame)
    assert len(_holders(site, gone)) > 10, "the search finds what is there"
    assert len(_holders(site, PERSON)) >= 8

    answer = _erase(capsys, site, PERSON)

    assert answer.code == 0, answer.err
    assert _holders(site, gone) == []
    assert _holders(site, PERSON) == []
    assert PERSON not in answer.out + answer.err
    assert _holders(site, stays)
    assert not list((site / "exports").glob("*.age"))
    assert len(list((site / "exports").glob("*commissioner-counts*"))) == 2, "aggregates stay"
    for path, lines in delivered.items():
        assert path.read_text().splitlines() == [line for line in lines if PERSON not in line], path
    runs = list_runs(site / "output")
    assert len(runs) == 2
    assert not {one.id for one in runs} & before.keys()
    assert all(verify_run(one) == [] for one in runs)
    assert latest(site / "output").id == runs[-1].id
    left = pq.read_table(site / "output" / "latest" / "features.parquet").to_pylist()
    assert left == [row for row in rest if row["person_id"] != gone]
    for one, manifest in zip(runs, before.values(), strict=True):
        for name in ("cohorts", "definitions", "population", "conservation", "neighbourhoods"):
            assert one.manifest[name] == manifest[name], name
    assert PERSON not in read_people(load_site(site))["nhs_number"].to_pylist()
    assert read_people(load_site(site)).num_rows == 5
    (content,) = _certificates(site)
    assert (content["people_given"], content["vault_rows_removed"], content["frames_removed"]) == (1, 1, 1)
    assert content["exports_removed"] == 2
    assert content["delivered_rows_removed"] == sum(
        PERSON in line for lines in delivered.values() for line in lines
    )
    assert content["runs_replaced"] == dict(zip(before, [one.id for one in runs], strict=True))
    assert content["not_touched"]["landing"] == {}
    assert gone not in json.dumps(content)
    assert riskstrat(capsys, site, "cohort", "list").code == 0
    assert riskstrat(capsys, site, "audit", "verify").code == 0


def test_erased_people_do_not_come_back_when_the_supplier_sends_them_again(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _erase(capsys, site, PERSON, OTHER).code == 0
    small_town.write_landing(site)
    outcome = run(load_site(site), small_town.AS_OF, progress=QUIET)
    steps = {one["step"]: one["people"] for one in outcome.manifest["population"]["steps"]}
    assert (steps["on the GP register"], steps["erased at this site"], steps["in the population"]) == (
        6,
        2,
        4,
    )
    key = read_site_key(site / "keys")
    for number in (PERSON, OTHER):
        held = [one for one in _holders(site, person_id(key, number)) if not one.startswith("landing/")]
        assert held == []
        assert number not in read_people(load_site(site))["nhs_number"].to_pylist()
    assert outcome.manifest["opt_outs"] == {}
    assert len(read_erased(load_site(site)).hashes) == 2
    # another key, the same people: the list outlives a rotation
    assert riskstrat(capsys, site, "keys", "rotate").code == 0
    again = run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert pq.read_table(again.folder / "features.parquet").num_rows == 4


def test_who_was_erased_by_mistake_can_be_read_again(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _erase(capsys, site, PERSON, OTHER).code == 0
    small_town.write_landing(site)
    first = run(load_site(site), small_town.AS_OF, progress=QUIET)
    answer = _erase(capsys, site, PERSON, NOBODY, option="readmitted")
    assert (answer.code, answer.out.split()) == (0, ["people", "found", "1"])
    entry = audit.read_entries(load_site(site))[-1].facts
    assert (entry["action"], entry["count"]) == ("readmit", 1)
    second = run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert second.folder != first.folder
    assert pq.read_table(second.folder / "features.parquet").num_rows == 5
    assert PERSON in read_people(load_site(site))["nhs_number"].to_pylist()


def _changed(site: Path) -> None:
    path = site / "state" / "erased" / "erased.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"erased": document["erased"][:1]}))


def _another_key(site: Path) -> None:
    (site / "keys" / "erasure.key").write_bytes(b"k" * 32)


@pytest.fixture(scope="module")
def erased_site(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site after two were erased, and delivered again with everybody."""
    site = Path(shutil.copytree(published, tmp_path_factory.mktemp("erased") / "site", symlinks=True))
    numbers = site.parent / "erase.txt"
    numbers.write_text(f"nhs_number\n{PERSON}\n{OTHER}\n")
    done(site, "purge", "--person-erased", str(numbers))
    small_town.write_landing(site)
    return site


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "the list is gone": (lambda site: (site / "state" / "erased" / "erased.json").unlink(), "is gone"),
    "the list was changed": (_changed, "was changed"),
    "the list is no list": (
        lambda site: (site / "state" / "erased" / "erased.json").write_text("[]"),
        "cannot be read",
    ),
    "the key is gone": (lambda site: (site / "keys" / "erasure.key").unlink(), "there is no erasure key"),
    "the key is another": (_another_key, "was changed, or is of another"),
    "others can read the key": (
        lambda site: (site / "keys" / "erasure.key").chmod(0o640),
        "can be read by others",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_without_its_list_no_run_brings_erased_people_back(
    erased_site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    site = Path(shutil.copytree(erased_site, tmp_path / "site", symlinks=True))
    spoil, expected = SPOILT[how]
    spoil(site)
    runs = [one.id for one in list_runs(site / "output")]
    answer = riskstrat(capsys, site, "run", "--as-of", small_town.AS_OF.isoformat())
    assert answer.code == 5
    assert expected in answer.err.splitlines()[-1]
    assert [one.id for one in list_runs(site / "output")] == runs
    entry = audit.read_entries(load_site(site))[-1].facts
    assert (entry["action"], entry["outcome"]) == ("run", "refused")


def test_with_another_site_key_nobody_is_erased_and_nothing_certified(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init_keys(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "site.key", site / "keys" / "site.key")
    answer = _erase(capsys, site, PERSON)
    assert answer.code == 5
    assert "is not the one that run" in answer.err
    assert not (site / "state" / "certificates").exists()
    assert _holders(site, PERSON)


def test_somebody_in_no_run_changes_no_run_and_is_left_out_from_now_on(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [one.id for one in list_runs(site / "output")]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{NOBODY}\n"))
    answer = riskstrat(capsys, site, "purge", "--person-erased", "-")
    assert answer.code == 0, answer.err
    assert [one.id for one in list_runs(site / "output")] == before
    assert _certificates(site)[0]["runs_replaced"] == {}
    assert not any((site / "output" / "runs").glob(".*"))
    assert len(read_erased(load_site(site)).hashes) == 1


def test_files_that_cannot_be_rewritten_are_named(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    delivery = site / "landing" / small_town.DELIVERY.isoformat()
    supplier = delivery / "291_Admin_Patient_20260331.csv"
    supplier.write_text(f"PatientGuid,OrganisationGuid,NhsNumber\nguid,org,{PERSON}\n")
    (delivery / "notes.txt").write_text(f"asked about {PERSON}\n")
    damaged = delivery / "gp_contacts.csv.gz"
    damaged.write_bytes(gzip.compress(b"contact_id,nhs_number\n" * 1000)[:-9])
    kept = supplier.read_bytes(), damaged.read_bytes()
    answer = _erase(capsys, site, PERSON)
    assert answer.code == 0, answer.err
    assert (supplier.read_bytes(), damaged.read_bytes()) == kept
    named = _certificates(site)[0]["not_touched"]["landing"]
    folder = f"landing/{small_town.DELIVERY}"
    assert named == {
        f"{folder}/{supplier.name}": "its rows name people by another identifier of the supplier's",
        f"{folder}/{damaged.name}": "it is damaged",
        f"{folder}/notes.txt": "it is no extract and fits no layout, so nothing says whose its rows are",
    }
    assert all(name in answer.err for name in named)


MOMENTS = [
    *((moment, "runs and all") for moment in (*BEFORE, "rewrite", "write_without", *STEPS, *AFTER)),
    *((moment, "the vault alone") for moment in ("decide", "take_vault", "put_on_record", *AFTER)),
]


@pytest.mark.parametrize(
    ("moment", "of"),
    [pytest.param(*one, marks=[] if one in OFTEN else pytest.mark.slow) for one in MOMENTS],
)
def test_interrupted_erasure_did_nothing_or_is_finished_and_certified(
    site: Path, capsys: pytest.CaptureFixture[str], moment: str, of: str
) -> None:
    """Wherever it ends: either nothing has changed, or the next purge finishes it and files its certificate, once."""
    if of == "the vault alone":
        shutil.rmtree(site / "landing")
        assert riskstrat(capsys, site, "purge", "--layer", "runs", "--before", "2099-01-01").code == 0
    others = len(_certificates(site))
    gone = person_id(read_site_key(site / "keys"), PERSON)
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE, str(site), moment, PERSON], check=False)
    assert ended.returncode == -signal.SIGKILL
    if moment in STEPS:
        assert riskstrat(capsys, site, "keys", "rotate").code == 0
    else:
        assert riskstrat(capsys, site, "purge", "--layer", "staging", "--before", "2020-01-01").code == 0
    is_done = moment in (*STEPS, *AFTER)
    one = load_site(site)
    assert (PERSON not in read_people(one)["nhs_number"].to_pylist()) is is_done
    assert (read_erased(one) is not None) is is_done
    assert len(_certificates(site)) - others == is_done
    entries = [entry.facts for entry in audit.read_entries(one)]
    assert sum(entry["action"] == "purge" and entry["layer"] == "people" for entry in entries) == is_done
    if is_done:
        assert _holders(site, gone) == []
        assert _holders(site, PERSON) == []
    else:
        assert not any(site.rglob(".replacing*"))
        assert _erase(capsys, site, PERSON).code == 0
        assert _holders(site, PERSON) == []
    assert audit.verify(one) == []
    assert unaccounted(one) == []


def test_every_step_is_interrupted_in_the_test_above() -> None:
    from riskstrat import replacing

    assert tuple(step.__name__ for step in replacing.STEPS) == STEPS


def test_run_that_names_a_replaced_one_names_its_successor(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody who left before the newest run is in the older one only; both are replaced where one names the other."""
    newest = latest(site / "output")
    older = list_runs(site / "output")[0]
    manifest = newest.folder / "manifest.json"
    told = {**json.loads(manifest.read_text()), "earlier": [older.id]}
    manifest.chmod(0o640)
    manifest.write_text(json.dumps(told))
    assert _erase(capsys, site, PERSON).code == 0
    first, second = list_runs(site / "output")
    assert second.manifest["earlier"] == [first.id]
    assert second.manifest["replaces"]["run"] == newest.id
    assert _erase(capsys, site, OTHER).code == 0
    assert list_runs(site / "output")[1].manifest["replaces"]["before"] == [newest.id]
