"""Measures: throughput and coverage of every cohort and list, published as ``measures.parquet``."""

from __future__ import annotations

from datetime import date

from riskstrat.definitions.everything import FEATURES, Definitions
from riskstrat.definitions.measures import Kind
from riskstrat.measures.columns import DELIVERED, Compiled, Vocabulary, compile_measures, vocabulary_of
from riskstrat.measures.counting import ALL, COLUMNS, EXTRACTS, LISTED, RETURNS, Counting
from riskstrat.returns.store import schema
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.outputs import check_columns

TABLE = "measures"
MEMORY_FILE = "lists/memory.parquet"
MEMORY = (
    *(("list", "VARCHAR"), ("area_code", "VARCHAR"), ("person_id", "VARCHAR")),
    *(("first_listed", "DATE"), ("last_listed", "DATE")),
)


def compiled_measures(definitions: Definitions, as_of: date) -> tuple[Vocabulary, dict[Kind, list[Compiled]]]:
    """What measures may read, and each with its checked conditions. Raises DefinitionError."""
    vocabulary = vocabulary_of(
        definitions.contracts[FEATURES], definitions.extract_names, definitions.return_rules
    )
    return vocabulary, compile_measures(definitions.measures, vocabulary, as_of)


def measures(context: Context) -> None:
    """Write ``measures.parquet``, in the order of cohorts and lists, areas and the file of measures."""
    definitions = context.definitions
    vocabulary, compiled = compiled_measures(definitions, context.as_of)
    _load_returns(context)
    _load_memory(context)
    _load_extracts(context, vocabulary)
    counting = Counting(
        context.engine,
        vocabulary,
        context.as_of,
        definitions.measures.confidence,
        definitions.measures.area_kinds,
        {name: one.area for name, one in definitions.lists.items()},
    )
    order = list(definitions.measures.by_name)
    rows = [row for kind, chosen in compiled.items() for row in counting.rows(kind, chosen)]
    names = [name for name, _ in COLUMNS]
    rows.sort(key=lambda row: _place(dict(zip(names, row, strict=True)), order))
    numbered = [(*row, number) for number, row in enumerate(rows)]
    context.engine.load(TABLE, (*COLUMNS, ("place", "INTEGER")), numbered)
    select = f"SELECT {', '.join(names)} FROM {TABLE} ORDER BY place"
    check_columns(context, TABLE, select)
    context.engine.export(select, context.building / f"{TABLE}.parquet")
    context.manifest[TABLE] = {
        "title": definitions.measures.title,
        "confidence": definitions.measures.confidence,
        "shown": [
            {"name": name, "heading": one.short, "title": one.title}
            for name, one in definitions.measures.by_name.items()
            if one.short
        ],
    }


def _place(row: dict[str, object], order: list[str]) -> tuple[object, ...]:
    return (
        *(row["kind"], row["cohort_or_list"], row["area_kind"] != ALL, row["area_kind"]),
        *(row["area_code"] or "", order.index(str(row["measure"]))),
    )


def _load_returns(context: Context) -> None:
    rows = schema().empty_table() if context.returns is None else context.returns
    connection = context.engine.connection
    connection.register("given_rows", rows)
    context.engine.create(RETURNS, "SELECT * FROM given_rows")
    connection.unregister("given_rows")


def _load_memory(context: Context) -> None:
    path = context.building / MEMORY_FILE
    columns = ", ".join(name for name, _ in MEMORY)
    if path.is_file():
        context.engine.create(LISTED, f"SELECT {columns} FROM read_parquet({literal(str(path))})")
    else:
        context.engine.load(LISTED, MEMORY, [])


def _load_extracts(context: Context, vocabulary: Vocabulary) -> None:
    """One row: whether each extract was delivered at all."""
    came = context.manifest["extracts"]
    flags = [
        f"{'TRUE' if came[name]['present'] else 'FALSE'} AS {quoted(f'{name}{DELIVERED}')}"
        for name in vocabulary.extracts
    ]
    context.engine.create(EXTRACTS, f"SELECT {', '.join(flags)}")
