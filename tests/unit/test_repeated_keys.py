"""Keys that more than one row has, found part by part."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.stages.ingest import settling


@pytest.mark.parametrize("at_once", [1_000, 40, 7], ids=["in one part", "in six", "in many"])
def test_repeated_keys_are_those_that_are_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    keys = [(number % 31, None if number % 7 == 0 else f"K{number % 4}") for number in range(240)]
    rows = [(*key, place % 11 != 0) for place, key in enumerate(keys)]
    counted = Counter((first, second) for first, second, is_valid in rows if is_valid)
    monkeypatch.setattr(settling, "MOST_SORTED_AT_ONCE", at_once)
    engine = DuckDBEngine(tmp_path / "keys.duckdb", threads=2, memory_limit="1GB")
    engine.load("t", (("a", "BIGINT"), ("b", "VARCHAR"), ("is_valid", "BOOLEAN")), rows)
    settling._find_repeated_keys(engine, SimpleNamespace(raw="t", version_key=["a", "b"]), "is_valid")
    found = engine.rows(
        "SELECT DISTINCT a, b FROM t WHERE hash(a, b) IN (SELECT key_hash FROM repeated_keys)"
    )
    assert len(engine.rows("SELECT key_hash FROM repeated_keys")) == len(found)
    assert set(found) == {key for key, count in counted.items() if count > 1}
    assert 0 < len(found) < len(counted)
    engine.close()
