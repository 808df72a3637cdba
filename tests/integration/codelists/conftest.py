"""A site with the shipped lists, and a list that somebody downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.site import write_default_site
from tests.integration.codelists.commands import DOWNLOAD, written


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    write_default_site(folder)
    return folder


@pytest.fixture
def download(tmp_path: Path) -> Path:
    return written(tmp_path / "opensafely-dementia.csv", DOWNLOAD)
