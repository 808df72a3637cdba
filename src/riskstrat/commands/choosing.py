"""Options that several commands share, and the published run that they name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.completion import complete_run
from riskstrat.commands.state import State
from riskstrat.runs import Run, find_run

if TYPE_CHECKING:
    from riskstrat.site import Site

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run", metavar="RUN", help="A published run; default: the latest.", autocompletion=complete_run
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="The newest published run of this date, YYYY-MM-DD."),
]


class Shape(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


class Sheet(StrEnum):
    """How results are written that are few rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Rows(StrEnum):
    """How results are written that may be many rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def _stdout_or(path: Path | None) -> Path | None:
    return None if path == Path("-") else path


OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="PATH",
        help="A file to write instead of stdout; - is stdout.",
        callback=_stdout_or,
    ),
]


def chosen_run(context: typer.Context, run: str | None, as_of: str | None) -> Run:
    """The run that the options name. Raises NothingPublishedError or MisuseError."""
    output = site_of(context).output
    if as_of is None:
        return find_run(output, run)
    from riskstrat.commands.run import parse_date

    return find_run(output, run, parse_date(as_of, "--as-of"))


def site_of(context: typer.Context) -> Site:
    """The site that the command line names. Raises MisuseError when there is none."""
    state: State = context.obj
    return state.site()


def say(text: str) -> None:
    """A message for the reader; results alone go to stdout."""
    typer.echo(text, err=True)


def say_run(run: Run) -> None:
    """Name the run that the results come from."""
    say(f"run {run.id}, as of {run.as_of}")
