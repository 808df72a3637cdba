"""riskstrat purge: what is old or was asked for goes, and a signed certificate says so."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.state import State
from riskstrat.errors import MisuseError

if TYPE_CHECKING:
    from riskstrat.purging import Purged

STDIN = "-"


class Layer(StrEnum):
    """Where data lie."""

    LANDING = "landing"
    STAGING = "staging"
    RUNS = "runs"
    VAULT = "vault"
    RETURNS = "returns"
    EXPORTS = "exports"
    FRAMES = "frames"


def purge(
    context: typer.Context,
    layer: Annotated[Layer | None, typer.Option("--layer", help="What to delete from.")] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="DATE", help="Delete what is older, YYYY-MM-DD.")
    ] = None,
    person_erased: Annotated[
        str | None,
        typer.Option(
            "--person-erased",
            metavar="FILE",
            help="Take out the people of a list, one NHS number a line; - reads it from stdin.",
        ),
    ] = None,
    person_readmitted: Annotated[
        str | None,
        typer.Option(
            "--person-readmitted",
            metavar="FILE",
            help="Let later runs read people of such a list again who were erased by mistake.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --layer: say what would go, and delete nothing.")
    ] = False,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="CERTIFICATE", help="Only say whether a certificate holds."),
    ] = None,
) -> None:
    """Delete what is older than a date from a layer, or take people out of every layer.

    A signed certificate in state/certificates/ says what went and what stays. Later runs leave erased people out. An
    NHS number is never an argument.

    Example: riskstrat purge --layer landing --before 2025-04-01
    """
    from riskstrat import certificates, purging

    state: State = context.obj
    site = state.site()
    given = (check, person_erased, person_readmitted, layer)
    if sum(one is not None for one in given) != 1:
        raise MisuseError(
            "nothing is chosen, or too much.", remedy="give --layer and --before, or --person-erased."
        )
    if check is not None:
        typer.echo(f"{certificates.read_certificate(site, check)['at']}: this is what the site certified.")
    elif person_erased is not None:
        _show(purging.purge_people(site, _lines(person_erased, "--person-erased")))
    elif person_readmitted is not None:
        found = purging.readmit_people(site, _lines(person_readmitted, "--person-readmitted"))
        typer.echo(f"people found    {found}")
        typer.echo(
            "The next run has what suppliers send of them; what was erased does not come back.", err=True
        )
    elif before is None or layer is None:
        raise MisuseError("--layer needs --before DATE.", remedy="write YYYY-MM-DD, for example 2025-04-01.")
    else:
        from riskstrat.commands.run import parse_date

        _show(purging.purge_layer(site, layer.value, parse_date(before, "--before"), dry_run=dry_run))


def _lines(source: str, option: str) -> list[str]:
    """The lines of the list. What was given as its name is not repeated: it may be what should not be an argument."""
    try:
        text = sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise MisuseError(
            f"{option} takes a text file of NHS numbers, or - for stdin; there is no such file.",
            remedy="never write an NHS number as an argument: the shell keeps it.",
        ) from None
    return text.splitlines()


def _show(purged: Purged) -> None:
    content = purged.content
    if "people_given" in content:
        typer.echo(f"people given    {content['people_given']}")
        typer.echo(f"runs replaced   {len(content['runs_replaced'])}")
        typer.echo(
            f"rows removed    {content['rows_removed']} from runs, {content['vault_rows_removed']} from the vault, "
            f"{content['returned_rows_removed']} from returns, {content['delivered_rows_removed']} from deliveries"
        )
        typer.echo(
            f"files deleted   {content['exports_removed']} exports, {content['frames_removed']} of landmark frames"
        )
        for name, why in content["not_touched"]["landing"].items():
            typer.echo(f"not touched     {name}: {why}", err=True)
        if content["not_touched"]["landing"]:
            typer.echo(content["not_touched"]["why"], err=True)
    else:
        typer.echo(f"files           {content['files']} ({content['bytes']:,} bytes)")
    if purged.path:
        typer.echo(f"certificate     {purged.path}")
    else:
        typer.echo("Nothing was deleted.", err=True)
