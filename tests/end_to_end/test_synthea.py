"""A data set that nobody here wrote goes the whole way through a layout."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from riskstrat.keys import init_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site, write_default_site

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea_py_dev"

pytestmark = pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the Synthea export is not beside this checkout")


@pytest.mark.parametrize("as_of", [date(2012, 7, 1), date(2020, 1, 1)])
def test_synthea_export_runs_through_its_layout(tmp_path: Path, as_of: date):
    site = tmp_path / "site"
    write_default_site(site)
    init_site_key(site / "keys")
    shutil.copytree(SYNTHEA, site / "landing" / date.fromordinal(as_of.toordinal() - 1).isoformat())
    outcome = run(load_site(site), as_of, progress=Progress(quiet=True))
    conservation = outcome.manifest["conservation"]
    assert conservation["gp_patients"] == {
        "read": 180, "accepted": 180, "quarantined": 0, "duplicates": 0, "superseded": 0, "deleted": 0
    }  # fmt: skip
    assert conservation["acute_episodes"]["read"] == 586
    assert conservation["acute_attendances"]["read"] == 2054
    for counts in conservation.values():
        assert counts["read"] == sum(count for name, count in counts.items() if name != "read")
    assert 50 < outcome.manifest["population"]["steps"][-1]["people"] < 180
