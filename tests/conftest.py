"""Fixtures that many tests share."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from riskstrat.site import write_default_site
from tests import factories, small_town


@pytest.fixture(scope="session")
def made_up_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the shipped definitions and a made-up geography, so that tests name no shipped place."""
    site = tmp_path_factory.mktemp("made_up_site")
    write_default_site(site)
    small_town.use_one_thread(site)
    geography = site / "config" / "geography"
    geography.mkdir(exist_ok=True)
    factories.write_geography(geography)
    return site


def pytest_configure() -> None:
    """Thousands of tests make little rubbish and hold much: a tenth of their time went into looking for it."""
    gc.set_threshold(50_000, 20, 20)
