"""riskstrat keys recipient: to whose public keys files are sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskstrat.commands.choosing import say, site_of

recipient_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Who is sent sealed files, and their public keys."
)


@recipient_app.command("add")
def add(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A short name; the code of an area says the rest.")
    ],
    public_key: Annotated[str, typer.Argument(metavar="PUBLIC_KEY", help="The recipient's age key, age1...")],
    audience: Annotated[
        str | None,
        typer.Option(
            "--audience", metavar="NAME", help="One of config/audiences.yaml; default: as NAME's area says."
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option("--area", metavar="CODE", help="The practice, neighbourhood or PCN that is its own."),
    ] = None,
) -> None:
    """Add a recipient: the public key, the audience it belongs to, and the area whose people it may be given.

    Example: riskstrat keys recipient add Z90001 age1... --audience gp_practice --area Z90001
    """
    from riskstrat.exports.recipients import add_recipient

    added = add_recipient(site_of(context), name, public_key, audience, area)
    typer.echo(f"{added.name}: {added.audience}{f' of {added.area}' if added.area else ''}")


@recipient_app.command("list")
def list_recipients(context: typer.Context) -> None:
    """List the recipients with their audiences, areas and public keys.

    Example: riskstrat keys recipient list
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.exports.recipients import load_recipients

    found = load_recipients(site_of(context)).values()
    rows = [(one.name, one.audience, one.area, one.public_key) for one in found]
    typer.echo("\n".join(aligned(["recipient", "audience", "area", "public_key"], rows)))


@recipient_app.command("remove")
def remove(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The recipient's name.")],
) -> None:
    """Remove a recipient: nothing more is sealed for it. Files that it was sent stay readable for it.

    Example: riskstrat keys recipient remove Z90001
    """
    from riskstrat.exports.recipients import remove_recipient

    remove_recipient(site_of(context), name)
    typer.echo(f"{name} is removed.")


@recipient_app.command("make")
def make(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the private key, mode 0600.")],
) -> None:
    """Make a pair of keys, for a recipient who has no age-keygen: the private key to FILE, the public one to stdout.

    Needs no site: whoever will open files makes the pair where they are opened, and sends on the public key alone.

    Example: riskstrat keys recipient make practice.key
    """
    from riskstrat.exports.identities import make_identity

    typer.echo(make_identity(out))
    say(f"the private key is in {out}; nobody else may have it, and without it no file can be opened.")
