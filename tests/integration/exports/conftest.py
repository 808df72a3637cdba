"""A town whose lists leave it sealed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fake_exports import Town, write_town
from tests.integration.exports.rooms import keep, put_back


@pytest.fixture(scope="session")
def written_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = write_town(tmp_path_factory.mktemp("town"))
    keep(town.site.root)
    return town


@pytest.fixture
def town(written_town: Town) -> Iterator[Town]:
    """The town, with config, keys and state as they were at the beginning, and no exports."""
    yield written_town
    put_back(written_town.site.root)
