"""The riskstrat command: one place where errors become a line and an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from riskstrat import __version__
from riskstrat.commands.lazy import lazy_group
from riskstrat.commands.state import State
from riskstrat.errors import RiskstratError

DEBUG_VARIABLE = "RISKSTRAT_DEBUG"

COMMANDS = {
    "init": "riskstrat.commands.setup:init",
    "keys": "riskstrat.commands.setup:keys_app",
    "demo": "riskstrat.commands.demo:demo",
    "check": "riskstrat.commands.check:check",
    "run": "riskstrat.commands.run:run",
    "runs": "riskstrat.commands.runs:app",
    "contracts": "riskstrat.commands.contracts:app",
    "codelist": "riskstrat.commands.codelist:app",
    "features": "riskstrat.commands.features:app",
    "cohort": "riskstrat.commands.cohort:app",
    "worklist": "riskstrat.commands.worklist:app",
    "report": "riskstrat.commands.report:app",
    "reidentify": "riskstrat.commands.reidentify:reidentify",
    "model": "riskstrat.commands.model:app",
    "purge": "riskstrat.commands.purge:purge",
    "audit": "riskstrat.commands.audit:app",
    "doctor": "riskstrat.commands.doctor:doctor",
}

app = typer.Typer(
    name="riskstrat",
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Dated extracts in; short, explained, governed worklists out. Every command works on the nearest site.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def choose_site(
    context: typer.Context,
    site: Annotated[
        Path | None,
        typer.Option("--site", metavar="DIR", help="The site to work on; default: the nearest one."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - Typer needs the parameter, its callback does the work
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Find people who need help before the ambulance does."""
    context.obj = State(site)


def main() -> None:
    """Run the command line; a user sees one line for an error, never a traceback."""
    try:
        app()
    except RiskstratError as problem:
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; what was published before is untouched.\n")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as problem:
        if os.environ.get(DEBUG_VARIABLE):
            import traceback

            # where it happened, and no message: a database's can quote a patient's value
            sys.stderr.write("".join(traceback.format_tb(problem.__traceback__)))
        sys.stderr.write(
            f"error: unexpected {type(problem).__name__}. Remedy: run again with {DEBUG_VARIABLE}=1 and report it.\n"
        )
        sys.exit(1)
