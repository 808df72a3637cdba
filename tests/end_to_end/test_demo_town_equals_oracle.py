"""The synthetic town, damaged rows and all: every published feature of every person equals the plain oracle.

The oracle reads the delivered files by itself, so that reading, cleaning and linking are held against it as well.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.site import write_default_site
from tests.end_to_end.command import riskstrat
from tests.oracle.features import person_key
from tests.oracle.harness import compare, expected_features
from tests.oracle.knowledge import load_knowledge
from tests.oracle.minimal import describe
from tests.oracle.reader import histories_of, read_delivery
from tests.oracle.towns import Story, Town

AS_OF = date(2026, 4, 1)
PEOPLE = 3_000
SHOWN = 3


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "site"
    write_default_site(folder)
    for arguments in (
        ("keys", "init"),
        ("demo", "--people", f"{PEOPLE}", "--seed", "11", "--faults", "--as-of", f"{AS_OF}"),
        ("run", "--as-of", f"{AS_OF}"),
    ):
        answer = riskstrat(capsys, folder, *arguments)
        assert answer.code == 0, answer.err
    return folder


def test_every_feature_of_the_demo_town_equals_the_oracle(site: Path) -> None:
    (delivery,) = (folder for folder in (site / "landing").iterdir() if folder.name.startswith("20"))
    people = histories_of(read_delivery(delivery))
    town = Town(AS_OF, [Story(number, history) for number, history in people.items()])
    key = (site / "keys" / "site.key").read_bytes()
    expected = {
        person_key(key, number): (number, features)
        for number, features in expected_features(town, load_knowledge(site)).items()
    }
    published = {
        row["person_id"]: row
        for row in pq.read_table(site / "output" / "latest" / "features.parquet").to_pylist()
    }
    assert len(published) > PEOPLE * 0.9
    assert set(published) <= set(expected)
    told = []
    for person_id, (number, features) in expected.items():
        differences = compare(features, published.get(person_id))
        if differences:
            told.append(f"{differences}\n{describe(people[number])}")
    shown = "\n\n".join(sorted(told, key=len)[:SHOWN])
    assert not told, f"{len(told)} of {len(expected)} people differ:\n{shown}"
