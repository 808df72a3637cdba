"""A site whose audit log is still empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.site import Site
from tests.integration.audit.logs import new_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "site")
