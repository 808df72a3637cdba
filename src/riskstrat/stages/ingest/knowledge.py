"""The site's definitions as tables, so that SQL can join to them."""

from __future__ import annotations

from dataclasses import astuple, fields

from riskstrat.dates import Windows
from riskstrat.definitions.everything import Definitions
from riskstrat.definitions.geography import AREA_COLUMNS, PRACTICE_COLUMNS
from riskstrat.engines import Engine

CONCEPT = "concept"
VALUE_RULE_COLUMNS = (
    ("concept", "VARCHAR"),
    ("code_system", "VARCHAR"),
    ("code", "VARCHAR"),
    ("sex", "VARCHAR"),
    ("operator", "VARCHAR"),
    ("value", "DOUBLE"),
    ("max_operator", "VARCHAR"),
    ("max_value", "DOUBLE"),
    ("unit", "VARCHAR"),
)


def load_knowledge(engine: Engine, definitions: Definitions, windows: Windows) -> None:
    """Make the tables run, practices, areas, codelist, efi_values, score_points, declared_gaps and the reference."""
    load_run(engine, windows)
    _load_geography(engine, definitions)
    _load_codes(engine, definitions)
    for name, table in definitions.reference.items():
        engine.load(name, table.columns, table.rows)
    engine.load(
        "declared_gaps",
        (("extract", "VARCHAR"), ("provider", "VARCHAR"), ("month", "DATE")),
        [
            (gap.extract, gap.provider, month)
            for gap in definitions.sources.declared_gaps
            for month in gap.months
        ],
    )


def load_run(engine: Engine, windows: Windows) -> None:
    """Make the one-row table ``run``."""
    engine.load("run", [(field.name, "DATE") for field in fields(windows)], [astuple(windows)])


def _load_geography(engine: Engine, definitions: Definitions) -> None:
    kinds = [(name, "DATE" if name.startswith("valid_") else "VARCHAR") for name in PRACTICE_COLUMNS]
    engine.load("practices", kinds, [astuple(practice) for practice in definitions.geography.practices])
    engine.load(
        "areas", list(zip(AREA_COLUMNS, ("VARCHAR", "INTEGER"), strict=True)), definitions.geography.areas
    )


def _load_codes(engine: Engine, definitions: Definitions) -> None:
    engine.load(
        "codelist",
        (("list", "VARCHAR"), ("concept", "VARCHAR"), ("code_system", "VARCHAR"), ("code", "VARCHAR")),
        [
            (name, entry.concept, entry.code_system, entry.code)
            for name, codelist in definitions.codelists.items()
            for entry in codelist.entries
        ],
    )
    engine.load(
        "score_points",
        (("score", "VARCHAR"), ("concept", "VARCHAR"), ("points", "DOUBLE")),
        [
            (name, concept, points)
            for name, table in definitions.scores.items()
            if table.key == CONCEPT
            for concept, points in table.rows
        ],
    )
    for name, table in definitions.scores.items():
        if table.key != CONCEPT:
            engine.load(name, ((table.key, "VARCHAR"), ("points", "DOUBLE")), table.rows)
    engine.load(
        "efi_values",
        VALUE_RULE_COLUMNS,
        [tuple(getattr(rule, name) for name, _ in VALUE_RULE_COLUMNS) for rule in definitions.value_rules],
    )
