"""How much room on the disk riskstrat doctor asks for: enough for every file that the next run reads."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest

from riskstrat.commands import doctor
from riskstrat.site import load_site
from tests import small_town

GIGABYTE = 1024**3
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = small_town.write_site(tmp_path / "site")
    small_town.write_landing(root)
    return root


def holds(path: Path, size: int) -> Path:
    """The file, made that long without taking room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, size)
    return path


def wanted(site: Path) -> float:
    """The gigabytes that doctor says a run wants."""
    (finding,) = doctor.check_disk(load_site(site))
    return float(finding.what.split(" GB free, ")[1].split(" GB wanted")[0])


def test_small_delivery_asks_for_the_least(site: Path):
    assert wanted(site) == 2.0


@pytest.mark.parametrize(("ending", "gigabytes"), [("csv", 3 * 2), ("csv.gz", 3 * 12), ("parquet", 3 * 20)])
def test_packed_files_ask_for_the_room_of_what_is_in_them(site: Path, ending: str, gigabytes: int):
    delivery = site / "landing" / small_town.DELIVERY.isoformat()
    (delivery / "gp_medications.csv").unlink()
    holds(delivery / f"gp_medications.{ending}", 3 * GIGABYTE)
    assert wanted(site) == pytest.approx(gigabytes, abs=0.1)


def test_earlier_deliveries_that_a_run_reads_count_and_replaced_ones_do_not(site: Path):
    first = site / "landing" / small_town.DELIVERY.isoformat()
    holds(first / "gp_events.csv", 4 * GIGABYTE)
    holds(first / "gp_patients.csv", 9 * GIGABYTE)
    second = site / "landing" / (small_town.DELIVERY + timedelta(days=1)).isoformat()
    holds(second / "gp_events.csv", 1)
    holds(second / "gp_patients.csv", GIGABYTE)
    assert wanted(site) == pytest.approx((4 + 1) * 2, abs=0.1)


def test_delivery_that_makes_no_run_counts_by_itself(site: Path):
    shutil.rmtree(site / "landing")
    holds(site / "landing" / small_town.DELIVERY.isoformat() / "gp_medications.csv", 5 * GIGABYTE)
    assert wanted(site) == 10.0


def test_too_little_room_is_a_warning_with_its_remedy(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(0, 0, GIGABYTE))
    (finding,) = doctor.check_disk(load_site(site))
    assert (finding.level, finding.what) == ("warn", "disk: 1.0 GB free, 2.0 GB wanted")
    assert "free some space" in str(finding.remedy)
