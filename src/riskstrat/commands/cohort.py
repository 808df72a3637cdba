"""riskstrat cohort: who is on a list, or would be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import AsOfOption, RunOption, chosen_run, say, say_run
from riskstrat.commands.state import State
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.runs import Run, open_run

if TYPE_CHECKING:
    import duckdb

    from riskstrat.selection import Selection
    from riskstrat.site import Site

app = typer.Typer(no_args_is_help=True, help="Cohorts: who is on a list, or would be.")

NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="A cohort that the run selected.", show_default=False)
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="EXPR", help="A SQL condition over the features, such as: age >= 65 AND has_copd"
    ),
]


class Format(StrEnum):
    """How ``cohort query`` writes people."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@app.command("list")
def list_cohorts(context: typer.Context, run: RunOption = None, as_of: AsOfOption = None) -> None:
    """List the cohorts of a run: how many people, and how many could not be decided.

    Example: riskstrat cohort list
    """
    from riskstrat.commands.printing import aligned

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    titles = _titles(_site(context))
    undecided = chosen.manifest.get("cohorts_undecided", {})
    rows = [
        (name, people, undecided.get(name, 0), titles.get(name))
        for name, people in chosen.manifest.get("cohorts", {}).items()
    ]
    typer.echo("\n".join(aligned(["cohort", "people", "undecided", "title"], rows)))


@app.command("count")
def count(
    context: typer.Context,
    name: NameArgument = None,
    where: WhereOption = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Count the people of a cohort, or those for whom a condition is true.

    People for whom it is unknown are not counted; stderr says how many they are.

    Example: riskstrat cohort count --where "age >= 65 AND frailty_category IN ('moderate', 'severe')"
    """
    from riskstrat.selection import count_people

    chosen, connection, selection = _selected(context, name, where, run, as_of)
    counted = count_people(connection, chosen, selection)
    undecided = counted.undecided
    if name is not None:
        undecided = chosen.manifest.get("cohorts_undecided", {}).get(name, 0)
    if undecided:
        say(f"{undecided:,} more could not be decided, because a feature is unknown.")
    typer.echo(str(counted.people))


@app.command("query")
def query(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B", help="The features to show, with commas between."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the people.")] = Format.table,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PATH", help="A file to write instead of stdout.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, metavar="N", help="At most N people.")
    ] = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show the people of a cohort by rank, or those for whom a condition is true by person_id.

    Example: riskstrat cohort query luton_core --columns person_id,age,reasons --format csv --out core.csv
    """
    from riskstrat.selection import people_query, read_rows

    if form is Format.parquet and out is None:
        raise MisuseError("parquet is not text.", remedy="name a file: --out PATH")
    chosen, connection, selection = _selected(context, name, where, run, as_of)
    wanted = [part.strip() for part in columns.split(",")] if columns is not None else list(selection.usual)
    statement = people_query(selection, wanted, limit)
    site = _site(context)
    if out is not None:
        from riskstrat.commands.writing import check_target

        check_target(out, site)
    if form is Format.parquet and out is not None:
        _write_parquet(connection, chosen, selection, statement, out)
    else:
        from riskstrat.commands.writing import write_text

        write_text(wanted, read_rows(connection, chosen, selection, statement), form.value, out)
    if out is not None:
        say(f"written to {out}")


def _titles(site: Site) -> dict[str, str]:
    """The titles of the cohorts as defined now; a broken definition does not hide the published run."""
    from riskstrat.definitions.cohorts import load_cohorts

    try:
        return {name: cohort.title for name, cohort in load_cohorts(site.config / "cohorts").items()}
    except DefinitionError as problem:
        say(f"note: no titles, because {problem}")
        return {}


def _selected(
    context: typer.Context, name: str | None, where: str | None, run: str | None, as_of: str | None
) -> tuple[Run, duckdb.DuckDBPyConnection, Selection]:
    """The run, a locked connection to it, and whom the arguments select."""
    from riskstrat.selection import select_cohort, select_where

    if (name is None) == (where is None):
        raise MisuseError(
            "name either a cohort or a condition.",
            remedy="give NAME, or --where EXPR (riskstrat cohort list).",
        )
    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    connection = open_run(chosen, _site(context).threads)
    if name is not None:
        return chosen, connection, select_cohort(connection, chosen, name)
    selection = select_where(connection, str(where))
    _check_values(context, connection, selection)
    return chosen, connection, selection


def _check_values(
    context: typer.Context, connection: duckdb.DuckDBPyConnection, selection: Selection
) -> None:
    """Ask the contract about values that nobody has; it is read only then, because reading it takes time."""
    from riskstrat.selection import check_absent_values, values_nobody_has

    expression = selection.expression
    absent = values_nobody_has(connection, expression) if expression is not None else {}
    if expression is None or not absent:
        return
    from riskstrat.definitions.contracts import load_contract

    path = _site(context).data_contracts / "features.yaml"
    known = load_contract(path).columns if path.is_file() else ()
    allowed = {column.name: column.allowed for column in known if column.allowed}
    for note in check_absent_values(expression, absent, allowed):
        say(f"note: {note}")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection, statement: str, out: Path
) -> None:
    import duckdb
    import pyarrow.parquet as pq

    from riskstrat.commands.writing import replaced
    from riskstrat.selection import failure

    try:
        table = connection.sql(statement).to_arrow_table()
    except duckdb.Error as problem:
        raise failure(run, selection, problem) from None
    with replaced(out) as partial:
        pq.write_table(table, partial)


def _site(context: typer.Context) -> Site:
    state: State = context.obj
    return state.site()
