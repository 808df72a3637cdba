"""The wheel carries the default site, and an installation from it can write a fresh one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from riskstrat.site import DEFINITION_FOLDERS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def _definitions(site: Path) -> dict[str, bytes]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for name in DEFINITION_FOLDERS
        for path in sorted((site / name).rglob("*"))
        if path.is_file()
    }


def test_wheel_carries_every_definition(unpacked: Path):
    assert _definitions(unpacked / "riskstrat" / "default_site") == _definitions(ROOT)


def test_installation_from_the_wheel_writes_a_site(unpacked: Path, tmp_path: Path):
    answer = subprocess.run(
        [sys.executable, "-m", "riskstrat", "init", str(tmp_path / "luton")],
        env=os.environ | {"PYTHONPATH": str(unpacked)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert _definitions(tmp_path / "luton") == _definitions(ROOT)
    assert "/keys/" in (tmp_path / "luton" / ".gitignore").read_text()
