"""riskstrat run: from landing to published worklists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
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
    SPARK = "spark"


def run(
    context: typer.Context,
    as_of: Annotated[
        str, typer.Option("--as-of", help="The date that everything is judged by, exclusive: YYYY-MM-DD.")
    ],
    engine: Annotated[
        EngineName, typer.Option("--engine", help="Where the SQL of pipelines/ runs.")
    ] = EngineName.DUCKDB,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Read every file and compute the run again though it is published; compare the bytes.",
        ),
    ] = False,
    first: Annotated[
        str | None,
        typer.Option("--from", help="Run every night from this date to --as-of, one after another."),
    ] = None,
) -> None:
    """Compute the features, cohorts and worklists of a date and publish them, whole or not at all.

    Example: riskstrat run --as-of 2026-04-01
    """
    from riskstrat.pipeline import run as run_pipeline

    state: State = context.obj
    site = state.site()
    nights = _nights(first, parse_date(as_of, "--as-of"))
    for place, night in enumerate(nights, start=1):
        with _named(night, place, len(nights)):
            outcome = run_pipeline(site, night, engine=engine.value, force=force)
        if night != nights[-1]:
            typer.echo(f"{night}  {outcome.manifest['run']}")
    typer.echo(summary(outcome.folder, site.output, outcome.manifest))


def _nights(first: str | None, last: date) -> list[date]:
    """Every night from one date to another. Raises MisuseError where they are the wrong way round."""
    start = last if first is None else parse_date(first, "--from")
    if start > last:
        raise MisuseError(
            f"--from {start} lies after --as-of {last}.", remedy="give the first night and then the last."
        )
    return [start + timedelta(days=day) for day in range((last - start).days + 1)]


@contextmanager
def _named(night: date, place: int, count: int) -> Iterator[None]:
    """Say which of several nights begins, and which one failed: the nights before it stay published."""
    if count > 1:
        typer.echo(f"night {night} ({place} of {count})", err=True)
    try:
        yield
    except Exception:
        if count > 1:
            typer.echo(
                f"stopped at the night of {night}, {place} of {count}; none after it was run.", err=True
            )
        raise


def parse_date(text: str, option: str) -> date:
    """A date written YYYY-MM-DD. Raises MisuseError."""
    try:
        return iso_date(text)
    except ValueError:
        raise MisuseError(
            f"{option} '{text}' is not a date.", remedy="write YYYY-MM-DD, for example 2026-04-01."
        ) from None


def summary(folder: Path, output: Path, manifest: Mapping[str, Any]) -> str:
    """What a run came to, in lines of at most 100 characters: people, rows, cohorts, where to look."""
    conservation = manifest["conservation"].values()
    read, quarantined = (sum(counts[name] for counts in conservation) for name in ("read", "quarantined"))
    people = manifest["population"]["steps"][-1]["people"]
    lines = [
        f"run          {manifest['run']} (as of {manifest['as_of']})",
        f"people       {people:,}",
        f"rows         {read:,} read, {quarantined:,} quarantined",
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
    """A line a cohort: its people, those it could not decide, and its people in each neighbourhood, where they fit."""
    from riskstrat.commands.printing import USUAL_WIDTH, aligned

    areas = manifest["neighbourhoods"]
    undecided = manifest["cohorts_undecided"]
    rows = [["everybody", manifest["population"]["steps"][-1]["people"], 0]]
    rows += [[name, size, undecided[name]] for name, size in manifest["cohorts"].items()]
    by_area = [
        [areas[code]["people"] for code in areas],
        *([areas[code]["cohorts"][name] for code in areas] for name in manifest["cohorts"]),
    ]
    headers = ["cohort", "people", "undecided"]
    lines = aligned([*headers, *areas], [[*row, *people] for row, people in zip(rows, by_area, strict=True)])
    if max(map(len, lines)) <= USUAL_WIDTH:
        return lines
    return [*aligned(headers, rows), "", f"{len(areas)} neighbourhoods: see the report."]
