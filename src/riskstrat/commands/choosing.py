"""Options that several commands share, and the published run that they name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from riskstrat.commands.run import parse_date
from riskstrat.commands.state import State
from riskstrat.runs import Run, find_run

RunOption = Annotated[
    str | None, typer.Option("--run", metavar="RUN", help="A published run; default: the latest.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="The newest published run of this date, YYYY-MM-DD."),
]


class Shape(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


def chosen_run(context: typer.Context, run: str | None, as_of: str | None) -> Run:
    """The run that the options name. Raises NothingPublishedError or MisuseError."""
    state: State = context.obj
    return find_run(state.site().output, run, parse_date(as_of, "--as-of") if as_of is not None else None)


def say(text: str) -> None:
    """A message for the reader; results alone go to stdout."""
    typer.echo(text, err=True)


def say_run(run: Run) -> None:
    """Name the run that the results come from."""
    say(f"run {run.id}, as of {run.as_of}")
