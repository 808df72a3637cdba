"""Cohorts of people whose features are written in a table: the real stage, on a feature table made by hand.

    test_core = rule("luton_core", '''
        person | age | frailty_category | unplanned_admissions_12m | expect
        inside | 65  | moderate         | 2                        | member
        young  | 64  | moderate         | 2                        | left_out
    ''')

A cell holds a value, ``unknown``, or, for dates, a day that is counted from as_of such as ``months_before(12) - 1``.
A feature without a column is unknown, but for the areas. Besides ``expect`` (member, left_out, undecided) a table may
expect ``rank``, ``gaps`` and ``reasons``; ``added`` is the day on which somebody added the person by hand, ``-`` for
never. People have their names as person_id, so ties go by the alphabet.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_examples import MOVING_DAY, day_of
from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.definitions.rules import Column
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.progress import Progress
from riskstrat.site import default_site
from riskstrat.stages.cohorts import cohorts, compile_cohorts
from riskstrat.stages.cohorts.additions import MANUAL_ADDITIONS
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.deliveries import Deliveries
from riskstrat.stages.score import score
from tests.factories import AS_OF
from tests.spec.tables import Cells, as_text, parse_table

NO_DELIVERIES = Deliveries(feeds={}, supplied={}, layouts={}, dates=())
EXPECTED = ("expect", "rank", "gaps", "reasons")
USUAL = {"practice_code": "A00001", "pcn_code": "U00001", "neighbourhood_code": "NB01"}


@dataclass(frozen=True)
class Selected:
    """What the stage left of one cohort: its members by person, who is undecided, the JSON and the manifest."""

    members: Mapping[str, Mapping[str, Any]]
    undecided: Collection[str]
    document: Mapping[str, Any]
    manifest: Mapping[str, Any]

    def outcome(self, person: str) -> str:
        if person in self.members:
            return "member"
        return "undecided" if person in self.undecided else "left_out"


@cache
def shipped() -> Definitions:
    return load_definitions(default_site())


def rule(name: str, table: str, *, absent: Collection[str] = ()) -> Callable[[], None]:
    """A test that the people of a table come out of the shipped cohort as the table expects."""
    people = parse_table(table)

    def test() -> None:
        selected = select(shipped(), name, people, absent=absent)
        for cells in people:
            found = shown(selected, cells)
            assert found == cells, f"{found} is not {cells}"
        assert selected.manifest["cohorts_undecided"][name] == len(selected.undecided)

    return test


def select(
    definitions: Definitions,
    name: str,
    people: list[Cells],
    *,
    as_of: date = AS_OF,
    absent: Collection[str] = (),
) -> Selected:
    """Run the stages score and cohorts for one cohort; extracts in ``absent`` count as not delivered."""
    one = replace(definitions, cohorts={name: definitions.cohorts[name]})
    with tempfile.TemporaryDirectory(prefix="riskstrat-cohorts-") as folder:
        engine = DuckDBEngine(Path(folder) / "run.duckdb", threads=1, memory_limit="1GB")
        try:
            context = _context(one, engine, Path(folder), as_of, absent)
            _load(context, people)
            score(context)
            cohorts(context)
            rules = compile_cohorts(one, as_of)[name]
            undecided = {
                row[0] for row in engine.rows(f"SELECT person_id FROM features WHERE {rules.undecided}")
            }
            members = _published(engine, context.building / "cohorts" / f"{name}.parquet")
            document = json.loads((context.building / "cohorts" / f"{name}.json").read_text(encoding="utf-8"))
        finally:
            engine.close()
    return Selected(members, undecided, document, context.manifest)


def _context(
    definitions: Definitions, engine: DuckDBEngine, folder: Path, as_of: date, absent: Collection[str]
) -> Context:
    building = folder / "run"
    building.mkdir()
    context = Context(
        as_of, definitions, engine, NO_DELIVERIES, folder, building, b"", Progress(quiet=True), judged=False
    )
    context.manifest["extracts"] = {
        extract: {"present": extract not in absent} for extract in definitions.extract_names
    }
    return context


def _load(context: Context, people: list[Cells]) -> None:
    engine, as_of = context.engine, context.as_of
    columns = context.definitions.contracts["features"].columns
    rows = [
        [_value(column, cells | {"person_id": cells["person"]}, as_of) for column in columns]
        for cells in people
    ]
    engine.load("features", [(column.name, column.sql_type) for column in columns], rows)
    numbered = list(enumerate((cells["person"] for cells in people), start=1))
    engine.load("person_keys", [("person", "BIGINT"), ("person_id", "VARCHAR")], numbered)
    engine.load("outside_population", [("person", "BIGINT"), ("status", "VARCHAR")], [])
    cohort = next(iter(context.definitions.cohorts))
    engine.load(
        MANUAL_ADDITIONS,
        [("person", "BIGINT"), ("cohort", "VARCHAR"), ("added_on", "DATE")],
        [
            (place, cohort, _day(cells["added"], as_of))
            for place, cells in enumerate(people, start=1)
            if cells.get("added", "-") != "-"
        ],
    )


def _value(column: Column, cells: Cells, as_of: date) -> object:
    text = cells.get(column.name, USUAL.get(column.name, "unknown"))
    if text == "unknown":
        return None
    if column.type == "date":
        return _day(text, as_of)
    if column.type == "boolean":
        return {"true": True, "false": False}[text]
    if column.type == "integer":
        return int(text)
    return float(text) if column.type == "number" else text


def _day(text: str, as_of: date) -> date:
    return day_of(text, as_of) if MOVING_DAY.fullmatch(text) else date.fromisoformat(text)


def _published(engine: DuckDBEngine, path: Path) -> dict[str, dict[str, Any]]:
    rows = engine.connection.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table().to_pylist()
    return {row["person_id"]: row for row in rows}


def shown(selected: Selected, cells: Cells) -> Cells:
    """The row of a table with what came out in place of what it expects."""
    member = selected.members.get(cells["person"], {})
    found = {name: as_text(member.get(name)) if member.get(name) is not None else "-" for name in EXPECTED}
    found["expect"] = selected.outcome(cells["person"])
    return cells | {name: value for name, value in found.items() if name in cells}
