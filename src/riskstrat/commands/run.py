"""riskstrat run: from landing to published worklists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from riskstrat.commands.state import State
from riskstrat.dates import iso_date
from riskstrat.errors import MisuseError


class EngineName(StrEnum):
    """The engines that a run can use."""

    DUCKDB = "duckdb"


def run(
    context: typer.Context,
    as_of: Annotated[
        str, typer.Option("--as-of", help="The date that everything is judged by, exclusive: YYYY-MM-DD.")
    ],
    engine: Annotated[  # noqa: ARG001 - one engine so far; the name is part of the interface
        EngineName, typer.Option("--engine", help="Where the SQL runs.")
    ] = EngineName.DUCKDB,
    force: Annotated[
        bool,
        typer.Option("--force", help="Compute the run again though it is published, and compare the bytes."),
    ] = False,
) -> None:
    """Compute the features, cohorts and worklists of a date and publish them, whole or not at all.

    Example: riskstrat run --as-of 2026-04-01
    """
    from riskstrat.pipeline import run as run_pipeline

    state: State = context.obj
    site = state.site()
    outcome = run_pipeline(site, parse_date(as_of, "--as-of"), force=force)
    typer.echo(summary(outcome.folder, site.output, outcome.manifest))


def parse_date(text: str, option: str) -> date:
    """A date written YYYY-MM-DD. Raises MisuseError."""
    try:
        return iso_date(text)
    except ValueError:
        raise MisuseError(
            f"{option} '{text}' is not a date.", remedy="write YYYY-MM-DD, for example 2026-04-01."
        ) from None


def summary(folder: Path, output: Path, manifest: Mapping[str, Any]) -> str:
    """What a run came to, in lines of at most 100 characters: people, rows, cohorts by neighbourhood, where to look."""
    conservation = manifest["conservation"].values()
    read, quarantined = (sum(counts[name] for counts in conservation) for name in ("read", "quarantined"))
    people = manifest["population"]["steps"][-1]["people"]
    lines = [
        f"run          {manifest['run']} (as of {manifest['as_of']})",
        f"people       {people:,}",
        f"rows         {read:,} read, {quarantined:,} quarantined",
        *(
            f"cohort       {name}: {size:,} people"
            + (
                f", {manifest['cohorts_undecided'][name]:,} could not be decided"
                if manifest["cohorts_undecided"][name]
                else ""
            )
            for name, size in manifest["cohorts"].items()
        ),
    ]
    if manifest["unknown_features"]:
        lines.append(f"unknown      {len(manifest['unknown_features'])} features, see manifest.json for why")
    lines += ["", *_table(manifest), ""]
    latest = output / "latest"
    shown = latest if latest.resolve() == folder.resolve() else folder
    lines += [
        f"worklists    {shown / 'worklists'}/",
        f"report       {shown / 'report' / 'index.html'}",
        f"quality      {shown / 'quality' / 'index.html'}",
        f"time         {sum(manifest.get('timings', {}).values()):.1f} s",
    ]
    return "\n".join(lines)


def _table(manifest: Mapping[str, Any]) -> list[str]:
    cohorts = list(manifest["cohorts"])
    lines = [f"{'neighbourhood':<34} {'people':>9} " + " ".join(f"{name:>14}" for name in cohorts)]
    for code, entry in manifest["neighbourhoods"].items():
        title = f"{code} {entry['name']}"[:34]
        sizes = " ".join(f"{entry['cohorts'][name]:>14,}" for name in cohorts)
        lines.append(f"{title:<34} {entry['people']:>9,} {sizes}")
    return lines
