"""What is shipped, read once: clinical knowledge and contracts."""

from __future__ import annotations

import pytest

from riskstrat.definitions.codelists import CodeList, ValueRule, load_codelists, load_value_rules
from riskstrat.definitions.contracts import Contract, load_contracts
from riskstrat.definitions.scores import ScoreTable, load_scores
from riskstrat.site import default_site

CONFIG = default_site() / "config"


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return load_contracts(default_site() / "data_contracts")


@pytest.fixture(scope="session")
def codelists() -> dict[str, CodeList]:
    return load_codelists(CONFIG / "codelists")


@pytest.fixture(scope="session")
def scores() -> dict[str, ScoreTable]:
    return load_scores(CONFIG / "scores")


@pytest.fixture(scope="session")
def value_rules() -> tuple[ValueRule, ...]:
    return load_value_rules(CONFIG / "codelists" / "efi_values.csv")
