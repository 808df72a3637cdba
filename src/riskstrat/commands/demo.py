"""riskstrat demo: a synthetic town in the landing folder."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from riskstrat.commands.run import parse_date
from riskstrat.commands.state import State


def demo(
    context: typer.Context,
    people: Annotated[
        int, typer.Option("--people", min=100, help="How many people are registered in the town.")
    ] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same town.")] = 1,
    years: Annotated[
        int, typer.Option("--years", min=3, max=10, help="Years of history before the date of the run.")
    ] = 3,
    nights: Annotated[
        int, typer.Option("--nights", min=1, help="How many nights; each one after the first is a delivery.")
    ] = 1,
    faults: Annotated[
        bool,
        typer.Option("--faults/--no-faults", help="Damage some rows as real suppliers do, and list them."),
    ] = False,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of", help="The date of the run that the town is made for; delivered the day before."
        ),
    ] = "2026-04-01",
) -> None:
    """Write a synthetic town as canonical extracts, with its truth and its list of faults beside them.

    Example: riskstrat demo --people 20000 --seed 1 --nights 10
    """
    from riskstrat.demo.town import write_town
    from riskstrat.progress import Progress

    state: State = context.obj
    site = state.site()
    day = parse_date(as_of, "--as-of")
    progress = Progress()
    with progress.stage("demo"):
        town = write_town(
            site.landing,
            site.config / "codelists",
            site.config / "geography",
            site.data_contracts,
            people=people,
            seed=seed,
            as_of=day,
            years=years,
            nights=nights,
            faults=faults,
            progress=progress,
        )
    typer.echo(f"extracts  {town.delivery}/")
    if nights > 1:
        typer.echo(f"nights    {nights - 1} more deliveries, to {day + timedelta(days=nights - 2)}/")
    typer.echo(f"truth     {town.truth}/")
    first = f"--from {day} " if nights > 1 else ""
    typer.echo(f"Next: riskstrat run {first}--as-of {day + timedelta(days=nights - 1)}", err=True)
