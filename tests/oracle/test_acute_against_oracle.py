"""Generated towns, through the engine and through the oracle: every feature of every person must be equal.

Hypothesis shrinking is off: people do not affect each other, so the person who differs is the example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle.harness import assert_agreement
from tests.oracle.knowledge import Knowledge, load_knowledge
from tests.oracle.strategies import AS_OF_DATES, acute_town, gp_town, seeds

PEOPLE = 300
EVERYDAY = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
THOROUGH = settings(EVERYDAY, max_examples=150, derandomize=False)


@pytest.fixture(scope="module")
def knowledge(made_up_site: Path) -> Knowledge:
    return load_knowledge(made_up_site)


def acute_check(data: st.DataObject, site: Path, knowledge: Knowledge) -> None:
    as_of = data.draw(st.sampled_from(AS_OF_DATES), label="as_of")
    histories = acute_town(data.draw(seeds(PEOPLE), label="seeds"), as_of)
    assert_agreement(histories, site, as_of, knowledge)


def gp_check(data: st.DataObject, site: Path, knowledge: Knowledge) -> None:
    as_of = data.draw(st.sampled_from(AS_OF_DATES), label="as_of")
    histories = gp_town(data.draw(seeds(PEOPLE), label="seeds"), as_of, knowledge)
    assert_agreement(histories, site, as_of, knowledge)


@EVERYDAY
@given(data=st.data())
def test_acute_features_equal_the_oracle(data: Any, made_up_site: Path, knowledge: Knowledge) -> None:
    acute_check(data, made_up_site, knowledge)


@EVERYDAY
@given(data=st.data())
def test_gp_features_equal_the_oracle(data: Any, made_up_site: Path, knowledge: Knowledge) -> None:
    gp_check(data, made_up_site, knowledge)


@pytest.mark.slow
@THOROUGH
@given(data=st.data())
def test_acute_features_equal_the_oracle_on_many_towns(
    data: Any, made_up_site: Path, knowledge: Knowledge
) -> None:
    acute_check(data, made_up_site, knowledge)


@pytest.mark.slow
@THOROUGH
@given(data=st.data())
def test_gp_features_equal_the_oracle_on_many_towns(
    data: Any, made_up_site: Path, knowledge: Knowledge
) -> None:
    gp_check(data, made_up_site, knowledge)
