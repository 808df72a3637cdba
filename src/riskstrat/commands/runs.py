"""riskstrat runs: what was published, from what, and whether it is still what was published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from riskstrat.commands.choosing import say
from riskstrat.commands.state import State
from riskstrat.errors import NothingPublishedError
from riskstrat.runs import MANIFEST, RUN_REMEDY, Run, damage, find_run, latest, list_runs, verify_run

app = typer.Typer(no_args_is_help=True, help="Published runs.")

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or 'latest'.")]


@app.command("list")
def list_published(context: typer.Context) -> None:
    """List every published run, the newest last; the latest one is marked.

    Example: riskstrat runs list
    """
    from riskstrat.commands.printing import aligned

    state: State = context.obj
    output = state.site().output
    found = list_runs(output)
    if not found:
        raise NothingPublishedError("nothing has been published yet.", remedy=RUN_REMEDY)
    newest = latest(output).id
    rows = [(run.id, run.as_of, _published(run), "latest" if run.id == newest else "") for run in found]
    typer.echo("\n".join(aligned(["run", "as_of", "published (UTC)", ""], rows)))


@app.command("show")
def show(
    context: typer.Context,
    run: RunArgument,
    as_json: Annotated[bool, typer.Option("--json", help="The whole manifest, as JSON.")] = False,
) -> None:
    """Show one run: who is in it, what came in, what was turned away, and what could not be known.

    Example: riskstrat runs show latest
    """
    chosen = _named(context, run)
    if as_json:
        typer.echo((chosen.folder / MANIFEST).read_text(encoding="utf-8"), nl=False)
        return
    typer.echo("\n".join(_description(chosen)))


@app.command("verify")
def verify(context: typer.Context, run: RunArgument) -> None:
    """Hash every file of a run again and compare it with the manifest. Ends with 1 when anything differs.

    Example: riskstrat runs verify latest
    """
    chosen = _named(context, run)
    problems = verify_run(chosen)
    if problems:
        raise damage(chosen, problems)
    typer.echo(f"{chosen.id}: all {len(chosen.manifest.get('files', {}))} files are what was published.")


def _named(context: typer.Context, name: str) -> Run:
    state: State = context.obj
    output = state.site().output
    chosen = find_run(output, None if name == "latest" else name)
    say(str(chosen.folder))
    return chosen


def _published(run: Run) -> str:
    written = (run.folder / MANIFEST).stat().st_mtime
    return datetime.fromtimestamp(written, tz=UTC).strftime("%Y-%m-%d %H:%M")


def _description(run: Run) -> list[str]:
    from riskstrat.commands.printing import aligned

    manifest = run.manifest
    lines = [
        f"run           {run.id}",
        f"as of         {manifest.get('as_of')}",
        f"published     {_published(run)} UTC",
        f"engine        {manifest.get('engine')}, riskstrat {manifest.get('code_version')}",
    ]
    steps = manifest.get("population", {}).get("steps", [])
    lines += [
        "",
        "Population",
        *aligned(["step", "people"], [(step["step"], step["people"]) for step in steps]),
    ]
    undecided = manifest.get("cohorts_undecided", {})
    sizes = [(name, people, undecided.get(name, 0)) for name, people in manifest.get("cohorts", {}).items()]
    lines += ["", "Cohorts", *aligned(["cohort", "people", "undecided"], sizes)]
    lines += ["", "Extracts", *_extracts(manifest)]
    unknown = manifest.get("unknown_features", {})
    if unknown:
        lines += ["", "Unknown features", *aligned(["feature", "reason"], sorted(unknown.items()))]
    for warning in manifest.get("warnings", []):
        lines += ["", f"warning: {warning}"]
    seconds = sum(manifest.get("timings", {}).values())
    return [*lines, "", f"{len(manifest.get('files', {}))} files; computed in {seconds:.1f} seconds"]


def _extracts(manifest: dict[str, Any]) -> list[str]:
    from riskstrat.commands.printing import aligned

    counted = ("read", "accepted", "quarantined", "duplicates", "superseded", "deleted")
    rows = []
    for name, status in sorted(manifest.get("extracts", {}).items()):
        rows_of = manifest.get("conservation", {}).get(name, {})
        delivered = status.get("newest_delivery") if status.get("present") else "absent"
        rows.append((name, delivered, *(rows_of.get(key) for key in counted)))
    return aligned(["extract", "delivered", *counted], rows)
