"""Observed over expected of an earlier run, by hand; and when nothing of it is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.definitions.model_drift import FILE, load_drift_policy
from riskstrat.definitions.model_outcome import FILE as OUTCOME_FILE
from riskstrat.definitions.model_outcome import load_outcome
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.runs import Run
from riskstrat.scoring.watching import Mature, Watch
from riskstrat.stages.drift.outcomes import _held_against, _known_before, _known_only_before, _scored
from riskstrat.stages.drift.rows import Row
from tests.fake_models import ROOT

THEN = date(2025, 3, 1)
OUTCOME = replace(load_outcome(ROOT / "config" / OUTCOME_FILE), survivors_from=50)
POLICY = load_drift_policy(ROOT / "config" / FILE)
PEOPLE = 100


@pytest.fixture
def engine(tmp_path) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine(tmp_path / "run.duckdb", threads=1, memory_limit="1GB")
    yield made
    made.close()


def mature(folder: Path) -> Mature:
    return Mature(OUTCOME.main, Run("20250301-0123456789", folder), "20250101-0123456789")


def watch() -> Watch:
    return Watch(POLICY, OUTCOME, 0.3, {})


def held(engine, tmp_path, labels, died=1, silent=None) -> dict[str, Row]:
    """Risks fall from 0.5 by 0.004 a person; everybody but the last two is known tonight."""
    risks = [0.5 - 0.004 * person for person in range(PEOPLE)]
    ids = [f"{person:032x}" for person in range(PEOPLE)]
    pq.write_table(pa.table({"person_id": ids, "probability_12m": risks}), tmp_path / "scores.parquet")
    engine.load("person_keys", (("person", "BIGINT"), ("person_id", "VARCHAR")), list(enumerate(ids[:-2])))
    engine.load(
        "outcomes",
        (
            *(("person", "BIGINT"), ("index_date", "DATE"), ("horizon", "VARCHAR")),
            *(("label", "BOOLEAN"), ("died", "BOOLEAN")),
        ),
        [(person, THEN, "12m", label, person < died) for person, label in enumerate(labels)],
    )
    engine.load(
        "outcome_coverage",
        (("index_date", "DATE"), ("horizon", "VARCHAR"), ("first_silent_month", "DATE")),
        [(THEN, "12m", silent)],
    )
    engine.create("scored_then", _scored(engine, mature(tmp_path), 0.3))
    return {row.part: row for row in _held_against(engine, watch(), mature(tmp_path))}


def test_everybody_and_the_list_are_counted_by_hand(engine, tmp_path):
    """One in two of the first 60 was admitted, nobody after; of every tenth person nothing is known."""
    labels = [None if person % 10 == 9 else person < 60 and person % 2 == 0 for person in range(PEOPLE - 2)]
    found = held(engine, tmp_path, labels)
    known = [person for person, label in enumerate(labels) if label is not None]
    expected = sum(0.5 - 0.004 * person for person in known)
    assert (found["all"].people, found["all"].observed) == (len(known), 30)
    assert found["all"].expected == pytest.approx(expected, abs=1e-7)
    assert found["all"].value == pytest.approx(30 / expected)
    on_list = [person for person in known if person < 30]
    assert (found["list"].people, found["list"].observed) == (len(on_list), 15)
    assert found["list"].expected == pytest.approx(sum(0.5 - 0.004 * person for person in on_list), abs=1e-7)
    assert found["list"].band == "not_judged"
    assert found["list"].note == "fewer than 20 admitted"


@pytest.mark.parametrize(
    ("labels", "died", "silent", "note"),
    [
        ([True, False] * 49, 1, date(2025, 7, 1), "a provider sent nothing for July 2025"),
        ([True, False] * 49, 0, None, "nobody died since, so the register seems to hold the living alone"),
        ([None] * 98, 1, None, "nobody's outcome is known"),
    ],
)
def test_what_would_mislead_is_not_judged(engine, tmp_path, labels, died, silent, note):
    found = held(engine, tmp_path, labels, died, silent)
    assert {row.band for row in found.values()} == {"not_judged"}
    assert {row.note for row in found.values()} == {note}
    assert {row.value for row in found.values()} == {None}


def test_outcomes_are_known_up_to_the_least_lately_delivered_extract():
    def feeds(register: date, episodes: date | None):
        return {
            "gp_patients": [SimpleNamespace(delivery=date(2026, 1, 1)), SimpleNamespace(delivery=register)],
            **({"acute_episodes": [SimpleNamespace(delivery=episodes)]} if episodes else {}),
        }

    def known(register: date, episodes: date | None) -> date:
        deliveries = SimpleNamespace(feeds=feeds(register, episodes))
        return _known_before(SimpleNamespace(deliveries=deliveries, as_of=date(2026, 4, 1)), watch())

    assert known(date(2026, 3, 31), date(2026, 3, 31)) == date(2026, 4, 1)
    assert known(date(2026, 3, 31), date(2026, 2, 10)) == date(2026, 2, 11)
    assert known(date(2026, 3, 31), None) == date.min, "of an extract that never came nothing is known"
    assert _known_only_before(date.min) == "an extract of outcomes is absent"
