"""Runs the engine and the oracle on the same town and says where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tests.engine import engine_features, person_id
from tests.oracle.features import features_for, rows_by_extract
from tests.oracle.histories import History
from tests.oracle.knowledge import Knowledge
from tests.oracle.strategies import settle

SHOWN = 3


def disagreements(histories: Sequence[History], site: Path, as_of: date, knowledge: Knowledge) -> list[str]:
    """One text per person whose features differ, those with the shortest histories first."""
    town = [settle(history, index) for index, history in enumerate(histories)]
    computed = engine_features(site, rows_by_extract(history for _, history in town), as_of)
    found = []
    for number, history in town:
        expected = features_for(history, as_of, knowledge)
        difference = compare(expected, computed.get(person_id(number)))
        if difference:
            found.append(f"{difference}\n{describe(history)}")
    return sorted(found, key=len)


def compare(expected: dict[str, Any] | None, computed: dict[str, Any] | None) -> str:
    if expected is None or computed is None:
        if expected is computed:
            return ""
        return (
            "the oracle leaves this person out" if expected is None else "the engine leaves this person out"
        )
    return "; ".join(
        f"{feature}: oracle {value!r}, engine {computed[feature]!r}"
        for feature, value in expected.items()
        if not same(value, computed[feature])
    )


def same(expected: object, computed: object) -> bool:
    if isinstance(expected, float) and isinstance(computed, int | float):
        return abs(expected - computed) < 1e-9
    return expected == computed and isinstance(expected, bool) == isinstance(computed, bool)


def describe(history: History) -> str:
    lines = []
    for extract, rows in history.items():
        for row in rows:
            shown = {
                column: value for column, value in row.items() if value is not None and column != "nhs_number"
            }
            columns = ", ".join(f"{column}={value}" for column, value in shown.items())
            lines.append(f"  {extract}: {columns}")
    return "\n".join(lines)


def assert_agreement(histories: Sequence[History], site: Path, as_of: date, knowledge: Knowledge) -> None:
    found = disagreements(histories, site, as_of, knowledge)
    shown = "\n\n".join(found[:SHOWN])
    assert not found, f"as of {as_of}, {len(found)} of {len(histories)} people differ:\n\n{shown}"
