"""riskstrat init and keys: what a new site needs before its first run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskstrat.commands.state import State

keys_app = typer.Typer(no_args_is_help=True, help="The site key, from which every person identifier is made.")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one without definitions.")],
) -> None:
    """Write a fresh site: config/, data_contracts/ and pipelines/ as this version carries them.

    Example: riskstrat init luton
    """
    from riskstrat.site import write_default_site

    written = write_default_site(folder)
    typer.echo("\n".join(str(path) for path in written))
    typer.echo(
        f"Next: replace config/geography/ with your practices, then riskstrat --site {folder} keys init",
        err=True,
    )


@keys_app.command("init")
def init_key(context: typer.Context) -> None:
    """Make the site key (32 random bytes, readable by its owner only). A key that is there is never replaced.

    Example: riskstrat keys init
    """
    from riskstrat.keys import init_site_key

    state: State = context.obj
    path = init_site_key(state.site().keys)
    typer.echo(str(path))
    typer.echo("Keep a copy in a safe place: without it no run can be linked to the ones before.", err=True)
