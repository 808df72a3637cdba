"""A town whose run has lists, in place of the one that has none."""

from __future__ import annotations

import pytest

from tests.fake_exports import Town
from tests.fake_lists import write_listed_town
from tests.integration.exports.rooms import keep


@pytest.fixture(scope="session")
def written_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = write_listed_town(tmp_path_factory.mktemp("town"))
    keep(town.site.root)
    return town
