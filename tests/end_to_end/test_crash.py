"""A run that is killed leaves the last published one as it was, and the next one works."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from riskstrat.pipeline import STAGES, run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import small_town

KILLED_AT_THE_END_OF = """
import os, signal, sys
from datetime import date
from pathlib import Path
from riskstrat import pipeline
from riskstrat.progress import Progress
from riskstrat.site import load_site

def dying(stage):
    def then_dies(context):
        stage(context)
        os.kill(os.getpid(), signal.SIGKILL)
    then_dies.__name__ = stage.__name__
    return then_dies

site, name = load_site(Path(sys.argv[1])), sys.argv[2]
if name == "publish":
    pipeline.publish.__globals__["point_latest"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    pipeline.STAGES = tuple(dying(stage) if stage.__name__ == name else stage for stage in pipeline.STAGES)
pipeline.run(site, date.fromisoformat(sys.argv[3]), progress=Progress(quiet=True))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town.write_site_of_last_night(tmp_path_factory.mktemp("crash") / "site")


# In every run of the tests, the stages that leave most behind; the others in the slow ones.
OFTEN = ("ingest", "score", "publish")


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(stage.__name__, marks=[] if stage.__name__ in OFTEN else pytest.mark.slow)
        for stage in STAGES
    ],
)
def test_killed_run_leaves_the_last_one_readable_and_the_next_succeeds(
    published: Path, tmp_path: Path, stage: str
):
    site = tmp_path / "site"
    shutil.copytree(published, site, symlinks=True)
    pointer = (site / "output" / "latest").readlink()
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_AT_THE_END_OF, str(site), stage, small_town.AS_OF.isoformat()],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert any((site / "state" / "scratch").iterdir()), "it leaves something for the next run to clear"
    assert (site / "output" / "latest").readlink() == pointer
    assert (site / "output" / "latest" / "features.parquet").is_file()
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    assert (site / "output" / "latest").resolve() == outcome.folder
    assert outcome.folder.name != pointer.name
    assert sorted(path.name for path in (site / "output" / "runs").iterdir()) == sorted(
        {pointer.name, outcome.folder.name}
    )
    assert not (site / "state" / "scratch").exists()
