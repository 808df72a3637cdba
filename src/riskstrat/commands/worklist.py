"""riskstrat worklist: the lists by area, reading one, and sending them to those who may have them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import AsOfOption, RunOption, Shape, chosen_run, say, say_run, site_of
from riskstrat.commands.completion import complete_area, complete_cohort

if TYPE_CHECKING:
    from riskstrat.exports.exporting import Written
    from riskstrat.runs import Run

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Worklists: by area, to read, and to send."
)
# In the order in which a list of 100 columns has room for them; identifiers never stand here.
SHOWN = (
    *("rank", "person_id", "age", "sex", "practice_code", "frailty_category", "unplanned_admissions_12m"),
    *("is_inpatient", "has_care_plan", "gaps", "reasons"),
)

CohortArgument = Annotated[
    str,
    typer.Argument(metavar="COHORT", help="A cohort that the run selected.", autocompletion=complete_cohort),
]


class Form(StrEnum):
    """The formats of exported lists."""

    CSV = "csv"
    XLSX = "xlsx"
    S1_LIST = "s1-list"


@app.command("list")
def list_worklists(
    context: typer.Context,
    form: Annotated[Shape, typer.Option("--format", help="How to write the areas.")] = Shape.TABLE,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """List the areas of a run, and how many people each cohort has there.

    Example: riskstrat worklist list
    """
    import json

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    areas: dict[str, Any] = chosen.manifest.get("neighbourhoods", {})
    if form is Shape.JSON:
        typer.echo(json.dumps(areas, indent=1, ensure_ascii=False))
        return
    from riskstrat.commands.printing import aligned

    names = [f"{code} {about['name']}" for code, about in areas.items()]
    say("people of each cohort by neighbourhood: " + "; ".join(names))
    cohorts = chosen.cohorts()
    rows = [
        [
            name,
            *(about["cohorts"].get(name, 0) for about in areas.values()),
            chosen.manifest["cohorts"].get(name),
        ]
        for name in cohorts
    ]
    typer.echo("\n".join(aligned(["cohort", *areas, "all"], rows)))


@app.command("show")
def show(
    context: typer.Context,
    cohort: CohortArgument,
    area: Annotated[
        str,
        typer.Option(
            "--area", metavar="CODE", help="A neighbourhood, PCN or practice.", autocompletion=complete_area
        ),
    ],
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="At most N people.")
    ] = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show the list of a cohort in one area, by rank, with reasons; people by their pseudonyms.

    Example: riskstrat worklist show luton_core --area NB01
    """
    from riskstrat.commands.printing import people_table

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    columns, rows = _listed(context, chosen, cohort, area, limit)
    from riskstrat.audit import audit_rows
    from riskstrat.exports.manifests import people

    audit_rows(site_of(context), cohort, chosen.id, len(rows))
    typer.echo("\n".join(people_table(columns, rows)))
    say(f"{people(len(rows))}. A prompt for professional review, not a decision; worklist export names them.")


def _listed(
    context: typer.Context, chosen: Run, cohort: str, area: str, limit: int | None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    from riskstrat.reading.selection import people_query, read_rows, select_cohort, within_area
    from riskstrat.runs import open_run

    with open_run(chosen, site_of(context).threads) as connection:
        selection = within_area(connection, select_cohort(connection, chosen, cohort), area)
        has_gaps = "gaps" in selection.usual
        columns = [name for name in SHOWN if name in selection.columns and (name != "gaps" or has_gaps)]
        found = read_rows(connection, chosen, selection, people_query(selection, columns, limit))
        rows = [_placed(columns, row, place) for place, row in enumerate(found, start=1)]
    return columns, rows


def _placed(columns: list[str], row: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """The row with its place in the area's list for its rank in the whole cohort."""
    return tuple(place if name == "rank" else value for name, value in zip(columns, row, strict=True))


@app.command("export")
def export(
    context: typer.Context,
    cohort: CohortArgument,
    audience: Annotated[
        str,
        typer.Option("--audience", metavar="NAME", help="For whom: an audience of config/audiences.yaml."),
    ],
    area: Annotated[
        str | None,
        typer.Option(
            "--area",
            metavar="CODE",
            help="Only for the recipients of this practice, neighbourhood or PCN.",
            autocompletion=complete_area,
        ),
    ] = None,
    recipient: Annotated[
        str | None, typer.Option("--recipient", metavar="NAME", help="Only for this recipient.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How to write the people.")] = Form.CSV,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="PATH", help="A folder, or a file ending in .age; default: exports/ of the site."
        ),
    ] = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Write a list as sealed files, one a recipient, each with a signed manifest; all of them or none.

    A commissioner's export is sealed to practices and teams, so that it can be passed on and not be opened, and gives
    the commissioner counts.

    Example: riskstrat worklist export luton_core --audience gp_practice --area Z90001 --format xlsx
    """
    from riskstrat.exports.exporting import Order
    from riskstrat.exports.exporting import export as write_export

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    order = Order(cohort, audience, area, recipient, form.value, out)
    done = write_export(site_of(context), chosen, order)
    for written in done.files:
        typer.echo(str(written.path))
        say(_described(written))
    if done.unserved:
        say(f"no recipient yet, so nothing was written for: {', '.join(done.unserved)}")


def _described(written: Written) -> str:
    from riskstrat.exports.manifests import people

    if written.recipient is None:
        return f"  counts for {written.audience}"
    where = f" of {written.area}" if written.area else ""
    count = "sealed, as is how many people" if written.rows is None else f"{people(written.rows)}, sealed"
    gone = (
        f"; {written.unknown} left out who have opted out, left or moved since the run"
        if written.unknown and written.rows is not None
        else ""
    )
    return f"  for {written.recipient}, {written.audience}{where}: {count}{gone}"
