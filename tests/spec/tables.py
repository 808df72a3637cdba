"""Tables in, values out: rules written as small ASCII tables.

    town = Town()

    test_admission_on_as_of_is_not_counted = town.rule(
        acute_episodes='''
            person | admitted
            early  | 2026-03-31
            late   | 2026-04-01
        ''',
        features='''
            person | unplanned_admissions_12m
            early  | 1
            late   | 0
        ''',
    )

``person`` is a name inside one rule. A column that is not in a table takes the factory's default, and an
empty cell is no value; SHORT_NAMES lists the columns with a short name. Everybody named is registered with a
practice of their own unless ``gp_patients`` says otherwise. In ``features``, ``unknown`` is NULL, and the
column ``in_population`` says whether there is a row at all. All rules of a town share one run of the engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tests import factories
from tests.engine import engine_features, person_id

Cells = dict[str, str]

# Columns of acute_episodes that tables write short, to stay readable side by side.
SHORT_NAMES = {
    "provider": "provider_code",
    "admitted": "admission_date",
    "discharged": "discharge_date",
    "method": "admission_method",
    "source": "source_of_admission",
    "class": "patient_classification",
    "episode": "episode_number",
    "spell": "spell_id",
    "to": "discharge_destination",
}


def parse_table(text: str) -> list[Cells]:
    """A header and rows of cells between bars; a row that ends in a bar has an empty last cell.

    >>> parse_table("person | age\\nann | 70")
    [{'person': 'ann', 'age': '70'}]
    """
    header, *lines = [
        [cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()
    ]
    for line in lines:
        if len(line) != len(header):
            raise ValueError(f"a row of {len(line)} cells under a header of {len(header)}: {line}")
    return [dict(zip(header, line, strict=True)) for line in lines]


def as_text(value: object) -> str:
    """A feature value as a table shows it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat() if isinstance(value, date) else str(value)


class Rules:
    """Rules whose people live side by side in the same extracts, as of one day."""

    short_names: Mapping[str, str] = SHORT_NAMES
    makers: Mapping[str, Callable[..., dict[str, Any]]] = factories.MAKERS

    def __init__(self, as_of: date = factories.AS_OF) -> None:
        self.as_of = as_of
        self.extracts: dict[str, list[dict[str, Any]]] = {"gp_patients": []}
        self._indexes = itertools.count(1)

    def registered(self, number: str, index: int) -> dict[str, Any]:
        """The registration of somebody of whom a rule says nothing else."""
        return factories.patient(number)

    def settle(self, tables: dict[str, list[Cells]], expected: Iterable[Cells]) -> dict[str, str]:
        """Give everybody a number, and add the rows of a rule; returns the numbers by name."""
        everybody = [cells["person"] for rows in (*tables.values(), expected) for cells in rows]
        registered = {cells["person"] for cells in tables.get("gp_patients", ())}
        numbers: dict[str, str] = {}
        for name in dict.fromkeys(everybody):
            index = next(self._indexes)
            numbers[name] = factories.nhs_number(index)
            if name not in registered:
                self.extracts["gp_patients"].append(self.registered(numbers[name], index))
        for extract, rows in tables.items():
            settled = self.extracts.setdefault(extract, [])
            for cells in rows:
                columns = {
                    self.short_names.get(column, column): cell or None
                    for column, cell in cells.items()
                    if column != "person"
                }
                settled.append(self.makers[extract](numbers[cells["person"]], **columns))
        return numbers


class Town(Rules):
    """Rules that are computed in one run; everybody has a practice of their own."""

    def __init__(self, as_of: date = factories.AS_OF) -> None:
        super().__init__(as_of)
        self._computed: dict[str, dict[str, Any]] | None = None

    def registered(self, number: str, index: int) -> dict[str, Any]:
        return factories.patient(number, practice_code=factories.PRACTICES[index])

    def rule(self, *, features: str, **extracts: str) -> Callable[[Path], None]:
        """Add the rows of one rule; the test returned runs the town once and compares this rule's people."""
        expected = parse_table(features)
        tables = {extract: parse_table(text) for extract, text in extracts.items()}
        numbers = self.settle(tables, expected)

        def test(made_up_site: Path) -> None:
            computed = self.features(made_up_site)
            for cells in expected:
                assert shown(computed.get(person_id(numbers[cells["person"]])), cells) == cells

        return test

    def features(self, site: Path) -> dict[str, dict[str, Any]]:
        if self._computed is None:
            self._computed = engine_features(site, self.extracts, self.as_of)
        return self._computed


def shown(row: dict[str, Any] | None, expected: Cells) -> Cells:
    """The computed values of the columns that a rule speaks of, as text."""
    cells = {"person": expected["person"]}
    for column in expected:
        if column == "in_population":
            cells[column] = as_text(row is not None)
        elif column != "person":
            cells[column] = "not in the population" if row is None else as_text(row[column])
    return cells
