"""riskstrat cohort count and query: how many people a list has, and who they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.asking import (
    AreaOption,
    DraftOption,
    NameArgument,
    WhereOption,
    check_asked,
    opened,
    selected_where,
)
from riskstrat.commands.choosing import AsOfOption, OutOption, Rows, RunOption, say, site_of
from riskstrat.commands.completion import complete_features
from riskstrat.commands.disclosing import (
    ANALYST,
    AudienceOption,
    policy_for,
    refuse_identifying,
    refuse_rows,
    shown_answer,
    shown_in_area,
)
from riskstrat.errors import MisuseError

if TYPE_CHECKING:
    import duckdb

    from riskstrat.reading.selection import Selection
    from riskstrat.runs import Run


def count(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    draft: DraftOption = False,
    area: AreaOption = None,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Count the people of a cohort, or those for whom a condition is true.

    People for whom it is unknown are not counted; stderr says how many they are.

    Example: riskstrat cohort count --where "age >= 65 AND frailty_category IN ('moderate', 'severe')"
    """
    from riskstrat.reading.selection import count_people, population_of, within_area

    check_asked(name, where, draft=draft)
    policy = policy_for(context, audience)
    chosen, connection = opened(context, run, as_of, parses=where is not None)
    everywhere = _selected(context, chosen, connection, name, where, draft=draft)
    refuse_identifying(context, everywhere.reads, audience, policy)
    kept = None if name is None or draft else chosen.manifest.get("cohorts_undecided", {}).get(name, 0)

    def counted(code: str | None) -> tuple[int, int, int]:
        selection = everywhere if code is None else within_area(connection, everywhere, code)
        found = count_people(connection, chosen, selection)
        undecided = found.undecided if kept is None or code is not None else kept
        return found.people, undecided, population_of(connection, code) if policy is not None else 0

    whole = counted(None) if policy is not None and area is not None else None
    people, undecided = shown_answer(*counted(area), policy, whole, of_condition=name is None)
    if policy is not None and name is not None and area is not None and not draft:
        people = shown_in_area(site_of(context), chosen, connection, name, area, policy)
    if undecided:
        number = f"{undecided:,}" if isinstance(undecided, int) else undecided
        say(f"{number} more could not be decided, because a feature is unknown.")
    if people == 0 and where is not None:
        _say_impossible(connection, chosen, where)
    typer.echo(str(people))


def query(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    draft: DraftOption = False,
    area: AreaOption = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="A,B",
            help="The features to show, with commas between.",
            autocompletion=complete_features,
        ),
    ] = None,
    form: Annotated[Rows, typer.Option("--format", help="How to write the people.")] = Rows.TABLE,
    out: OutOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, metavar="N", help="At most N people.")
    ] = None,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show the people of a cohort by rank, or those for whom a condition is true by person_id.

    Example: riskstrat cohort query luton_core --columns person_id,age,reasons --format csv --out core.csv
    """
    from riskstrat.reading.selection import count_people, people_query, read_rows

    check_asked(name, where, draft=draft)
    refuse_rows(context, audience)
    if form is Rows.PARQUET and out is None:
        raise MisuseError("parquet is not text.", remedy="name a file: --out PATH")
    chosen, connection = opened(context, run, as_of, parses=where is not None)
    selection = _selected(context, chosen, connection, name, where, draft=draft, area=area)
    wanted = [part.strip() for part in columns.split(",")] if columns is not None else list(selection.usual)
    statement = people_query(selection, wanted, limit)
    from riskstrat.audit import audit_rows
    from riskstrat.commands.writing import check_target, write_text

    if out is not None:
        check_target(out, site_of(context))
    # before the first row leaves: what was only begun was seen as well
    people = count_people(connection, chosen, selection).people
    shown = people if limit is None else min(people, limit)
    audit_rows(site_of(context), name or f"({where})", chosen.id, shown)
    if people == 0 and where is not None:
        _say_impossible(connection, chosen, where)
    if form is Rows.PARQUET and out is not None:
        _write_parquet(connection, chosen, selection, statement, out)
    else:
        write_text(wanted, read_rows(connection, chosen, selection, statement), form.value, out)
    if out is not None:
        say(f"written to {out}")


def _selected(
    context: typer.Context,
    chosen: Run,
    connection: duckdb.DuckDBPyConnection,
    name: str | None,
    where: str | None,
    *,
    draft: bool,
    area: str | None = None,
) -> Selection:
    """Whom the arguments select."""
    from riskstrat.reading.selection import select_cohort, select_draft, within_area

    if name is None:
        selection = selected_where(context, chosen, connection, str(where))
    elif draft:
        from riskstrat.commands.asking import cohort_of

        cohort = cohort_of(context, chosen, connection, name, draft=True)
        selection = select_draft(connection, chosen, cohort.criteria, cohort.columns)
    else:
        selection = select_cohort(connection, chosen, name)
    return selection if area is None else within_area(connection, selection, area)


def _say_impossible(connection: duckdb.DuckDBPyConnection, run: Run, where: str) -> None:
    """Say why nobody was found, where no person at all could be: asked only then, as it takes time."""
    from riskstrat.reading.impossible import contradicting_parts

    parts = contradicting_parts(connection, run, where)
    if parts:
        together = "can be true for nobody" if len(parts) == 1 else "cannot be true together"
        say(f"note: {' / '.join(parts)}: {together}.")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, run: Run, selection: Selection, statement: str, out: Path
) -> None:
    import pyarrow.parquet as pq

    from riskstrat.commands.writing import replaced
    from riskstrat.reading.failures import reading

    with reading(run, selection.expression.text if selection.expression else None):
        table = connection.sql(statement).to_arrow_table()
    with replaced(out) as partial:
        pq.write_table(table, partial)
