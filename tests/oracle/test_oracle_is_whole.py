"""The oracle says something about every column of the feature table, and a difference cannot hide."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat import pipeline
from tests import factories
from tests.engine import engine_features
from tests.oracle.features import features_for, person_key
from tests.oracle.harness import compare
from tests.oracle.knowledge import load_knowledge

AS_OF = factories.AS_OF
NUMBER = factories.nhs_number(1)
CONTRACT = Path(__file__).parents[2] / "data_contracts" / "features.yaml"


def columns_of_the_contract() -> list[str]:
    document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return [column["name"] for column in document["schema"][0]["properties"]]


@pytest.fixture(scope="module")
def expected(made_up_site: Path) -> dict[str, Any]:
    knowledge = load_knowledge(made_up_site)
    features = features_for({"gp_patients": [factories.patient(NUMBER)]}, AS_OF, knowledge)
    assert features is not None
    return {"person_id": person_key(pipeline.TEST_KEY, NUMBER), **features}


def test_every_column_of_the_contract_is_compared(expected: dict[str, Any]) -> None:
    assert sorted(expected) == sorted(columns_of_the_contract())


def test_engine_writes_the_columns_that_the_oracle_knows(
    expected: dict[str, Any], made_up_site: Path
) -> None:
    extracts = {"gp_patients": [factories.patient(NUMBER)]}
    (person,) = engine_features(made_up_site, extracts, AS_OF).values()
    assert list(person) == columns_of_the_contract()
    assert person["person_id"] == expected["person_id"]
    assert compare(expected, person) == {}


@pytest.mark.parametrize("feature", [name for name in columns_of_the_contract() if name != "person_id"])
def test_a_difference_in_any_column_is_told(feature: str, expected: dict[str, Any]) -> None:
    for wrong in ("wrong", None if expected[feature] is not None else 0):
        assert list(compare(expected, expected | {feature: wrong})) == [feature]
    missing = {name: value for name, value in expected.items() if name != feature}
    assert list(compare(expected, missing)) == [feature]
    assert list(compare(missing, expected)) == [feature]


def test_zero_unknown_and_no_are_three_values() -> None:
    for one, other in ((0, None), (0, False), (1, True), (False, None), (0.0, None), ("", None)):
        assert compare({"feature": one}, {"feature": other})
        assert compare({"feature": other}, {"feature": one})
    assert not compare({"feature": 0.1 + 0.2}, {"feature": 0.3})
    assert compare({"feature": date(2026, 3, 31)}, {"feature": date(2026, 3, 30)})


def test_somebody_whom_only_one_side_knows_is_told(expected: dict[str, Any]) -> None:
    assert compare(None, expected)
    assert compare(expected, None)
    assert not compare(None, None)
