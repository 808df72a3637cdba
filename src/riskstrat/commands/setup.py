"""riskstrat init and keys: what a new site needs before its first run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskstrat.commands.recipients import recipient_app
from riskstrat.commands.state import State

keys_app = typer.Typer(
    no_args_is_help=True, help="The keys of a site: of its identifiers, its vault, its signatures."
)
keys_app.add_typer(recipient_app, name="recipient")


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
def make_keys(context: typer.Context) -> None:
    """Make the keys that are missing, readable by their owner only. A key that is there is never replaced.

    Example: riskstrat keys init
    """
    from riskstrat.keys import init_keys

    state: State = context.obj
    for path in init_keys(state.site().keys):
        typer.echo(str(path))
    typer.echo(
        "Keep a copy in a safe place: without site.key no run can be linked to the ones before, "
        "and without vault.key nobody can be named.",
        err=True,
    )


@keys_app.command("rotate")
def rotate_keys(context: typer.Context) -> None:
    """Replace the site key: everybody gets a new identifier, in every published run and in the vault.

    An interrupted rotation or erasure is finished instead, and nothing more is done.

    Example: riskstrat keys rotate
    """
    from riskstrat.purging import finish_interrupted
    from riskstrat.rotation import rotate

    state: State = context.obj
    rotated = rotate(state.site())
    if rotated.was_finished:
        finish_interrupted(state.site())  # an erasure's certificate is filed as well
    for old, new in rotated.runs.items():
        typer.echo(f"{old} -> {new}")
    if rotated.was_finished:
        typer.echo("An interrupted replacement was finished; run it again to rotate the key.", err=True)
        return
    typer.echo(
        f"{rotated.people} people have new identifiers, {rotated.strangers} whom the vault does not know random ones. "
        "Back up the new site.key, and destroy every copy of the old one and of the runs that it made.",
        err=True,
    )
