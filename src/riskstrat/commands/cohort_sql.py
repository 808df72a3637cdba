"""riskstrat cohort sql: the exact statement that selects the people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from riskstrat.commands.asking import (
    DraftOption,
    NameArgument,
    WhereOption,
    check_asked,
    cohort_of,
    criteria_of,
    opened,
)
from riskstrat.commands.choosing import AsOfOption, RunOption, say


class Engine(StrEnum):
    """The engines that a statement can be written for."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def sql(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    draft: DraftOption = False,
    engine: Annotated[
        Engine, typer.Option("--engine", help="The engine whose SQL is wanted.")
    ] = Engine.DUCKDB,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Write the statement that selects the people, over the files of the run's folder.

    Example: riskstrat cohort sql luton_core --engine duckdb
    """
    from riskstrat.reading.statements import duckdb_dialect, selecting_sql, spark_dialect

    check_asked(name, where, draft=draft)
    chosen, connection = opened(context, run, as_of, parses=where is not None)
    if name is None:
        criteria, takes_additions = criteria_of(context, chosen, connection, name=None, where=where), False
    else:
        cohort = cohort_of(context, chosen, connection, name, draft=draft)
        criteria = cohort.criteria
        takes_additions = bool(cohort.about["manual_additions"]) and name in chosen.cohorts()
    dialect = duckdb_dialect() if engine is Engine.DUCKDB else spark_dialect()
    statement = selecting_sql(criteria, dialect, takes_additions=takes_additions)
    say(f"run it in {chosen.folder}")
    typer.echo(statement.rstrip())
