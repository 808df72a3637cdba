"""A site whose lists of two nights came out and are to come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.site import Site
from tests.fake_returns import FIRST, SECOND, write_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return write_site(tmp_path / "site", [FIRST, SECOND])
