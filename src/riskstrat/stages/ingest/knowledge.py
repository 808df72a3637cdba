"""The site's definitions as tables, so that SQL can join to them."""

from __future__ import annotations

from dataclasses import astuple, fields

from riskstrat.dates import Windows
from riskstrat.definitions.geography import AREA_COLUMNS, PRACTICE_COLUMNS
from riskstrat.definitions.library import Library
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


def load_knowledge(engine: Engine, library: Library, windows: Windows) -> None:
    """Make the tables run, practices, areas, codelist, efi_values, score_points, declared_gaps and the reference."""
    engine.load("run", [(field.name, "DATE") for field in fields(windows)], [astuple(windows)])
    _load_geography(engine, library)
    _load_codes(engine, library)
    for name, table in library.reference.items():
        engine.load(name, table.columns, table.rows)
    engine.load(
        "declared_gaps",
        (("extract", "VARCHAR"), ("provider", "VARCHAR"), ("month", "DATE")),
        [(gap.extract, gap.provider, month) for gap in library.sources.declared_gaps for month in gap.months],
    )


def _load_geography(engine: Engine, library: Library) -> None:
    kinds = [(name, "DATE" if name.startswith("valid_") else "VARCHAR") for name in PRACTICE_COLUMNS]
    engine.load("practices", kinds, [astuple(practice) for practice in library.geography.practices])
    engine.load(
        "areas", list(zip(AREA_COLUMNS, ("VARCHAR", "INTEGER"), strict=True)), library.geography.areas
    )


def _load_codes(engine: Engine, library: Library) -> None:
    engine.load(
        "codelist",
        (("list", "VARCHAR"), ("concept", "VARCHAR"), ("code_system", "VARCHAR"), ("code", "VARCHAR")),
        [
            (name, entry.concept, entry.code_system, entry.code)
            for name, codelist in library.codelists.items()
            for entry in codelist.entries
        ],
    )
    engine.load(
        "score_points",
        (("score", "VARCHAR"), ("concept", "VARCHAR"), ("points", "DOUBLE")),
        [
            (name, concept, points)
            for name, table in library.scores.items()
            if table.key == CONCEPT
            for concept, points in table.rows
        ],
    )
    for name, table in library.scores.items():
        if table.key != CONCEPT:
            engine.load(name, ((table.key, "VARCHAR"), ("points", "DOUBLE")), table.rows)
    engine.load(
        "efi_values",
        VALUE_RULE_COLUMNS,
        [tuple(getattr(rule, name) for name, _ in VALUE_RULE_COLUMNS) for rule in library.value_rules],
    )
