"""What a stage publishes agrees with the contract of that output."""

from __future__ import annotations

from riskstrat.errors import DefinitionError
from riskstrat.stages.context import Context


def check_columns(context: Context, table: str, select: str) -> None:
    """Compare a SELECT with the contract of the output ``table``.

    Raises DefinitionError when the contract is missing, or the columns and their types are not those that it names.
    """
    contract = context.definitions.contracts.get(table)
    if contract is None:
        raise DefinitionError(
            "is missing.",
            file=context.definitions.root / "data_contracts" / f"{table}.yaml",
            remedy="restore it; riskstrat init writes the shipped one.",
        )
    expected = [(column.name, column.sql_type) for column in contract.columns]
    found = [(name, kind) for name, kind, *_ in context.engine.rows(f"DESCRIBE {select}")]
    if found != expected:
        wrong = next(
            (pair for pair in zip(expected, found, strict=False) if pair[0] != pair[1]),
            (expected[-1], found[-1]),
        )
        made_by = context.definitions.pipelines / "40_features" / f"{table}.sql"
        is_ours = made_by.is_file()  # others are made by the engine, and their contract is to say so
        raise DefinitionError(
            f"this table has {wrong[1][0]} {wrong[1][1]} where its contract says {wrong[0][0]} {wrong[0][1]}.",
            file=made_by if is_ours else context.definitions.root / "data_contracts" / f"{table}.yaml",
            column=wrong[1][0],
            remedy=f"correct the SQL, or change data_contracts/{table}.yaml with it."
            if is_ours
            else "restore the contract; riskstrat init writes the shipped one.",
        )
