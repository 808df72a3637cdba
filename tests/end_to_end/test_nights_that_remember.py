"""A delta night reads only what arrived and publishes, byte for byte, what a night publishes that reads everything."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskstrat.certificates import read_certificate
from riskstrat.keys import person_id, read_site_key
from riskstrat.site import load_site, write_default_site
from riskstrat.stages.ingest import memory
from tests import small_town
from tests.end_to_end.command import Answer, riskstrat
from tests.end_to_end.night_town import done
from tests.factories import nhs_number
from tests.identifiers import Identifiers
from tests.reading_nights import entries, remembered_bytes

FIRST, NIGHTS, PEOPLE = date(2026, 4, 1), 3, 300
FILES = re.compile(r"^files +(\d+) read, (\d+) known from an earlier night", re.MULTILINE)
KILLED_WHILE_IT_KEEPS_ROWS = """
import os, signal, sys
from datetime import date
from pathlib import Path
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from riskstrat.stages.ingest import memory, remembering

memory.LEAST_BYTES = 0
remembering.seal_entry = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
run(load_site(Path(sys.argv[1])), date.fromisoformat(sys.argv[2]), progress=Progress(quiet=True))
"""


@pytest.fixture(autouse=True)
def every_file_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LEAST_BYTES", 0)


def published(site: Path) -> dict[str, Any]:
    """Every published file by its name, the manifests without what may differ: how long a stage took."""
    found: dict[str, Any] = {}
    for path in sorted((site / "output").rglob("*")):
        if path.is_file():
            name = path.relative_to(site).as_posix()
            found[name] = path.read_bytes()
            if path.name == "manifest.json":
                found[name] = json.loads(found[name])
                del found[name]["timings"]
    return found


def read_and_known(answer: Answer) -> tuple[int, int]:
    """How many files each night says it read, and how many it knew; of the last night."""
    assert answer.code == 0, answer.err
    *_, last = FILES.finditer(answer.err)
    return int(last[1]), int(last[2])


def town(site: Path, *arguments: str) -> Path:
    write_default_site(site)
    small_town.keep_few_cohorts(site)
    done(site, "keys", "init")
    done(site, "demo", "--people", str(PEOPLE), "--seed", "7", *arguments)
    return site


def test_nights_publish_the_bytes_of_nights_that_read_everything(tmp_path: Path):
    warm = town(tmp_path / "warm", "--nights", str(NIGHTS))
    cold = Path(shutil.copytree(warm, tmp_path / "cold"))
    for night in (FIRST + timedelta(days=day) for day in range(NIGHTS)):
        known = read_and_known(done(warm, "run", "--as-of", f"{night}"))[1]
        assert (known > 0) == (night > FIRST)
        assert read_and_known(done(cold, "run", "--as-of", f"{night}"))[1] == 0
        shutil.rmtree(cold / "state" / memory.FOLDER)
        assert published(warm) == published(cold)
    assert len(published(warm)) > 400
    read, known = read_and_known(done(warm, "run", "--as-of", f"{night}", "--force"))
    assert known == 0 < read, "--force reads every file, and finds the bytes that are published"


def test_damaged_deliveries_are_remembered_as_they_were_judged_and_nobody_is_named(tmp_path: Path):
    site = town(tmp_path / "site", "--faults")
    first = done(site, "run", "--as-of", f"{FIRST}")
    before = published(site)
    (site / "output").rename(tmp_path / "before")
    again = done(site, "run", "--as-of", f"{FIRST}")
    assert published(site) == before
    read, known = read_and_known(again)
    assert read_and_known(first) == (read + known, 0)
    assert known >= 10
    identifiers = Identifiers.of_landing(site / "landing")
    assert len(identifiers.numbers) > PEOPLE / 2
    for entry in entries(site):
        for path in entry.iterdir():
            assert identifiers.found_in_file(path) == []


def test_killed_night_leaves_no_half_entry(tmp_path: Path):
    site = small_town.write_site(tmp_path / "site")
    small_town.write_landing(site)
    night = small_town.AS_OF.isoformat()
    ended = subprocess.run([sys.executable, "-c", KILLED_WHILE_IT_KEEPS_ROWS, str(site), night], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not entries(site)
    assert list((site / "state" / "scratch").glob(f"*/{memory.FOLDER}/*/*.parquet")), "it was writing one"
    assert read_and_known(done(site, "run", "--as-of", night))[1] == 0
    assert entries(site)
    assert not (site / "state" / "scratch").exists()


@pytest.fixture(scope="module")
def remembering_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = small_town.write_site(tmp_path_factory.mktemp("remembering") / "site")
    small_town.write_landing(site)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory, "LEAST_BYTES", 0)
        done(site, "run", "--as-of", small_town.AS_OF.isoformat())
    return site


@pytest.fixture
def site(remembering_site: Path, tmp_path: Path) -> Path:
    site = Path(shutil.copytree(remembering_site, tmp_path / "site", symlinks=True))
    key = read_site_key(site / "keys")
    theirs = person_id(key, nhs_number(1)).encode()
    assert any(theirs in content for content in remembered_bytes(site)), "there is something to forget"
    return site


def files_of(site: Path) -> list[Path]:
    return [path for path in (site / "state" / memory.FOLDER).rglob("*") if path.is_file()]


def test_erasure_empties_it_and_says_so(site: Path, capsys: pytest.CaptureFixture[str]):
    listed, remembered = site.parent / "erase.txt", len(files_of(site))
    listed.write_text(f"{nhs_number(1)}\n")
    assert riskstrat(capsys, site, "purge", "--person-erased", str(listed)).code == 0
    assert files_of(site) == []
    (certificate,) = (site / "state" / "certificates").glob("*.json")
    assert read_certificate(load_site(site), certificate)["remembered_files_removed"] == remembered
    night = small_town.AS_OF.isoformat()
    assert read_and_known(riskstrat(capsys, site, "run", "--as-of", night))[1] == 0
    known = riskstrat(capsys, site, "run", "--as-of", night, "--force")
    assert known.code == 0, known.err


def test_rotation_of_the_key_empties_it(site: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, site, "keys", "rotate")
    assert answer.code == 0, answer.err
    assert files_of(site) == []


@pytest.mark.parametrize("layer", ["landing", "staging"])
def test_purge_of_deliveries_or_of_staged_rows_empties_it(
    site: Path, layer: str, capsys: pytest.CaptureFixture[str]
):
    remembered = {path.relative_to(site).as_posix() for path in files_of(site)}
    answer = riskstrat(capsys, site, "purge", "--layer", layer, "--before", "2999-01-01")
    assert answer.code == 0, answer.err
    assert not (site / "state" / memory.FOLDER).exists()
    (certificate,) = (site / "state" / "certificates").glob("*.json")
    removed = {one["path"] for one in read_certificate(load_site(site), certificate)["removed"]}
    assert remembered <= removed
