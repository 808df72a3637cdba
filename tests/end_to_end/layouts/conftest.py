"""Fixtures of the layout tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import small_town


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return small_town.write_site(tmp_path / "site")
