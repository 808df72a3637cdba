"""Whom a cohort command is about: a cohort of a run, a definition that is being written, or a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import chosen_run, say, say_run, site_of
from riskstrat.commands.completion import complete_area, complete_cohort
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.runs import Run, feature_types, open_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from riskstrat.definitions.rules import Column
    from riskstrat.reading.published import Criteria, PublishedCohort
    from riskstrat.reading.selection import Selection

NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="A cohort that the run selected.",
        show_default=False,
        autocompletion=complete_cohort,
    ),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="EXPR", help="A SQL condition over the features, such as: age >= 65 AND has_copd"
    ),
]
DraftOption = Annotated[
    bool,
    typer.Option(
        "--draft", help="Judge config/cohorts/NAME.yaml as it stands now, not as the run published it."
    ),
]
AreaOption = Annotated[
    str | None,
    typer.Option(
        "--area",
        metavar="CODE",
        help="Only the people of this neighbourhood, PCN or practice.",
        autocompletion=complete_area,
    ),
]


def check_asked(name: str | None, where: str | None, *, draft: bool = False) -> None:
    """Raise MisuseError unless exactly one of a cohort and a condition is named; only a cohort has a draft."""
    if (name is None) == (where is None):
        raise MisuseError(
            "name either a cohort or a condition.",
            remedy="give NAME, or --where EXPR (riskstrat cohort list).",
        )
    if draft and name is None:
        raise MisuseError(
            "--draft needs the name of a definition.", remedy="give NAME, or leave out --draft."
        )


def opened(
    context: typer.Context, run: str | None, as_of: str | None, *, parses: bool = False
) -> tuple[Run, duckdb.DuckDBPyConnection]:
    """The run that the options name, said on stderr, and a locked connection to it.

    ``parses`` where a condition will be parsed: the parser's own database is opened at the same time.
    """
    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    threads = site_of(context).threads
    if not parses:
        return chosen, open_run(chosen, threads)
    from threading import Thread

    from riskstrat.language.parsing import parser_connection

    parser = Thread(target=parser_connection)
    parser.start()
    try:
        return chosen, open_run(chosen, threads)
    finally:
        parser.join()


def cohort_of(
    context: typer.Context, chosen: Run, connection: duckdb.DuckDBPyConnection, name: str, *, draft: bool
) -> PublishedCohort:
    """The cohort as the run published it, or with ``draft`` as it is defined now. Raises DefinitionError."""
    if not draft:
        from riskstrat.reading.published import read_cohort

        return read_cohort(chosen, name)
    from riskstrat.reading.drafts import read_draft

    say(f"draft: config/cohorts/{name}.yaml as it stands now; people added by hand are those of the run.")
    site = site_of(context)
    cohort, findings = read_draft(site, chosen, name, feature_types(connection))
    errors = 0
    for one in findings:
        is_error = one.level == "error"
        errors += is_error
        say(
            f"{'error' if is_error else 'note'}: {one.rule}: {one.what} {one.remedy if is_error else ''}".rstrip()
        )
    if errors:
        raise DefinitionError(
            f"the draft has {errors} error{'' if errors == 1 else 's'}.",
            file=site.config / "cohorts" / f"{name}.yaml",
            remedy=f"do what is said above, and see: riskstrat cohort validate {name}",
        )
    return cohort


def criteria_of(
    context: typer.Context,
    chosen: Run,
    connection: duckdb.DuckDBPyConnection,
    *,
    name: str | None,
    where: str | None,
    draft: bool = False,
) -> Criteria:
    """The rules of the cohort, or the parts of the condition. Raises DefinitionError."""
    if name is not None:
        return cohort_of(context, chosen, connection, name, draft=draft).criteria
    from riskstrat.reading import conditions

    selected_where(context, chosen, connection, str(where))
    return conditions.criteria_of(str(where), feature_types(connection), chosen.as_of)


def selected_where(
    context: typer.Context, chosen: Run, connection: duckdb.DuckDBPyConnection, where: str
) -> Selection:
    """Everybody for whom the condition is TRUE. Raises ExpressionError, also for values that a feature never has.

    The contract is asked about values that nobody has; it is read only then, because reading it takes time.
    """
    from riskstrat.language import ExpressionError, compile_expression
    from riskstrat.reading.selection import check_absent_values, select_where, uses_of_nobody

    try:
        selection = select_where(connection, chosen, where)
    except ExpressionError:
        columns = _feature_columns(context)
        allowed = {column.name: column.allowed for column in columns if column.allowed}
        # what the contract says can make the proposal better
        compile_expression(where, feature_types(connection), allowed, as_of=chosen.as_of)
        raise
    expression = selection.expression
    absent = uses_of_nobody(connection, expression) if expression is not None else []
    if expression is None or not (absent or expression.ordered):
        return selection
    known = _feature_columns(context)
    allowed = {column.name: column.allowed for column in known if column.allowed}
    limits = {column.name: column.limits for column in known if column.limits != (None, None)}
    for note in check_absent_values(expression, absent, allowed, limits):
        say(f"note: {note}")
    return selection


def _feature_columns(context: typer.Context) -> Sequence[Column]:
    from riskstrat.definitions.contracts import load_contract

    path = site_of(context).data_contracts / "features.yaml"
    return load_contract(path).columns if path.is_file() else ()
