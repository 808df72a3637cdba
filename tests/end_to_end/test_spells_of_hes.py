"""Provider spells and continuous spells of the HES layout are those that the slow oracle makes of the raw file.

The artificial HES says nothing of its own about spells that could be compared: its columns were drawn apart
(SPELDUR_CALC is discharge less admission in 35 of 994 rows), and it has no spell number. So the file is read here with
csv, as HES says what its fields mean, and grouped by the oracle.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.test_third_party import DATA_SETS, run_data_set
from tests.oracle.spells import continuous_spells, provider_spells

HES = next(data for data in DATA_SETS if data.layout == "hes_artificial_apc")
# HES data dictionary, admitted patient care: days that stand for no date.
NO_DATE = {"", "1582-10-15", "1600-12-31", "1800-01-01", "1801-01-01", "1900-01-01"}
NOT_APPLICABLE_OR_KNOWN = {"98", "99"}
# What the evidence says of an episode that no spell was made of.
UNUSED = {"before birth", "on or after as_of", "recorded on or after as_of"}

Row = dict[str, Any]


def test_spells_of_the_hes_layout_are_those_of_the_oracle(tmp_path: Path) -> None:
    if not HES.path.exists():
        pytest.skip(f"{HES.source} is not beside this checkout")
    stays = pq.read_table(run_data_set(HES, tmp_path).folder / "evidence" / "stays.parquet").to_pylist()
    published = {stay["episode_id"]: stay for stay in stays if stay["verdict"] not in UNUSED}
    unused = {stay["episode_id"] for stay in stays if stay["verdict"] in UNUSED}

    expected: dict[str, tuple[Any, ...]] = {}
    for episodes in _by_person(set(published) | unused):
        known = [row for row in episodes if row["episode_id"] not in unused]
        spells = provider_spells(known, HES.as_of)
        numbers = {
            id(spell): number
            for number, stay in enumerate(continuous_spells(spells), start=1)
            for spell in stay.spells
        }
        for spell in spells:
            first = spell.episodes[0]["episode_id"]
            expected[first] = (spell.provider, spell.admitted, spell.discharged, numbers.get(id(spell)))

    assert len(expected) > 900
    assert len({number for *_, number in expected.values()}) > 3
    assert {
        episode: (stay["provider_code"], stay["admission_date"], stay["discharge_date"], stay["cips"])
        for episode, stay in published.items()
    } == expected


def _by_person(in_population: set[str]) -> Iterator[list[Row]]:
    """The episodes of everybody of whom at least one is in the run's evidence."""
    people: dict[str, list[Row]] = defaultdict(list)
    with HES.path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            people[row["PSEUDO_HESID"]].append(_episode(row))
    yield from (
        episodes
        for episodes in people.values()
        if any(episode["episode_id"] in in_population for episode in episodes)
    )


def _episode(row: dict[str, str]) -> Row:
    order = row["EPIORDER"]
    if order in NOT_APPLICABLE_OR_KNOWN and row["EPISTART"] == row["ADMIDATE"]:
        order = "1"
    return {
        "episode_id": row["EPIKEY"],
        "provider_code": row["PROCODE3"],
        "episode_number": int(order),
        "episode_start": _day(row["EPISTART"]),
        "admission_date": _day(row["ADMIDATE"]),
        "admission_method": row["ADMIMETH"],
        "source_of_admission": row["ADMISORC"],
        "patient_classification": row["CLASSPAT"],
        "discharge_date": _day(row["DISDATE"]),
        "discharge_destination": row["DISDEST"],
    }


def _day(text: str) -> date | None:
    return None if text in NO_DATE else date.fromisoformat(text)
