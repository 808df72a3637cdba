"""A place for the nights of one story; all share one site, as reading its definitions takes long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.lists.nights import Place
from tests.spec.lists.sites import write_list_site


@pytest.fixture(scope="session")
def list_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_list_site(tmp_path_factory.mktemp("lists") / "site")


@pytest.fixture
def place(list_site: Path, tmp_path: Path) -> Place:
    return Place(list_site, tmp_path)
