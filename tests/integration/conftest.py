"""Fixtures of tests that type commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drifting_town import DriftingTown, write_drifting_town
from tests.integration.reading_sites import write_compared_site, write_reading_site

TOLD = 0.4  # of what should have been expected, in the town whose model has drifted


@pytest.fixture
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 100 columns, and no site but the one that a command names."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("RISKSTRAT_SITE", raising=False)


@pytest.fixture(scope="session")
def reading_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one fake run; nobody may change it."""
    site = tmp_path_factory.mktemp("reading_site")
    write_reading_site(site)
    return site


@pytest.fixture(scope="session")
def compared_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two fake runs a month apart; nobody may change it."""
    site = tmp_path_factory.mktemp("compared_site")
    write_compared_site(site)
    return site


@pytest.fixture(scope="session")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> DriftingTown:
    """A town whose model expected far too few a year ago; nobody may change it."""
    return write_drifting_town(tmp_path_factory.mktemp("drifting") / "site", TOLD)
