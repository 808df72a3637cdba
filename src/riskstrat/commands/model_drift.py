"""riskstrat model drift and recalibrate: whether a model still fits, and moving its level where it does not."""

from __future__ import annotations

from typing import Annotated

import typer

from riskstrat.commands.choosing import AsOfOption, RunOption, Shape, chosen_run, say_run, site_of


def drift(
    context: typer.Context,
    run: RunOption = None,
    as_of: AsOfOption = None,
    shape: Annotated[Shape, typer.Option("--format", help="How it is written.")] = Shape.TABLE,
) -> None:
    """Show whether the model that scored a run still fits: outcomes of earlier scores, spread, unknowns by practice.

    Example: riskstrat model drift
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.errors import NothingPublishedError
    from riskstrat.report.drift import drift_rows, drift_tables

    found = chosen_run(context, run, as_of)
    rows = drift_rows(found.folder)
    if not rows:
        raise NothingPublishedError(
            f"no model scored the people of the run {found.id}.",
            remedy="approve a model, then: riskstrat run --as-of DATE",
        )
    say_run(found)
    if shape is Shape.JSON:
        import json

        typer.echo(json.dumps(rows, indent=1, default=str))
        return
    for table in drift_tables(found.folder, most=None):
        typer.echo(f"{table.title}\n")
        headings = [heading.lower().replace(" ", "_") for heading in table.headings]
        typer.echo("\n".join(aligned(headings, table.rows)) if table.rows else "none")
        typer.echo(f"{table.rest}\n" if table.rest else "")


def recalibrate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's id, or 'latest'.")],
    as_of: Annotated[
        list[str],
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="An index date after those it learnt from, whose main horizon is over. Several may be given.",
        ),
    ],
) -> None:
    """Move the intercept of a model, and nothing else, to what was observed; a candidate that has to be approved.

    Every log-odds moves alike: who stands before whom, every effect and every reason stay.

    Example: riskstrat model recalibrate 20260401-0123456789 --as-of 2025-07-01
    """
    from riskstrat.commands.run import parse_date
    from riskstrat.model.recalibration import recalibrate as recalibrate_model

    dates = [parse_date(text, "--as-of") for text in as_of]
    made = recalibrate_model(site_of(context), model, dates)
    typer.echo(made.id)
    for name, moved in made.about["recalibrated"]["horizons"].items():
        before, after = moved["before"], moved["after"]
        typer.echo(
            f"{name}: {moved['observed']:,} admitted of {moved['rows']:,}; observed over expected "
            f"{before[0]:.2f} ({before[1]:.2f} to {before[2]:.2f}) before, {after[0]:.2f} ({after[1]:.2f} to "
            f"{after[2]:.2f}) after; log-odds moved by {moved['shift']:+.3f}",
            err=True,
        )
    for warning in made.about["recalibrated"]["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"Next: riskstrat model evaluate {made.id}", err=True)
