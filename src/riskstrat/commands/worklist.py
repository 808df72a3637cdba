"""riskstrat worklist: the lists by area, reading one, and sending them to those who may have them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import (
    AsOfOption,
    RunOption,
    Shape,
    Sheet,
    chosen_run,
    say,
    say_run,
    site_of,
)
from riskstrat.commands.completion import complete_area, complete_worklist
from riskstrat.commands.returns import take_back_list
from riskstrat.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping

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

app.command("returns")(take_back_list)

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A list of the run, or a cohort of it.", autocompletion=complete_worklist
    ),
]


class Form(StrEnum):
    """The formats of exported lists."""

    CSV = "csv"
    XLSX = "xlsx"
    S1_LIST = "s1-list"
    HTML = "html"


class Change(StrEnum):
    """What has become of somebody since the list before."""

    NEW = "NEW"
    UP = "UP"
    DOWN = "DOWN"
    SAME = "SAME"
    BACK = "BACK"


@app.command("list")
def list_worklists(
    context: typer.Context,
    form: Annotated[Shape, typer.Option("--format", help="How to write the areas.")] = Shape.TABLE,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """List the areas of a run: how many people each list has there, how many of them are new, and each cohort.

    Example: riskstrat worklist list
    """
    from riskstrat.commands.worklist_counts import areas_document, cohort_table, list_tables

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    if form is Shape.JSON:
        import json

        typer.echo(json.dumps(areas_document(chosen), indent=1, ensure_ascii=False))
        return
    lists = list_tables(chosen)
    if lists:
        typer.echo("\n".join([*lists, ""]))
    names = [f"{code} {about['name']}" for code, about in chosen.manifest.get("neighbourhoods", {}).items()]
    say("people of each cohort by neighbourhood: " + "; ".join(names))
    typer.echo("\n".join(cohort_table(chosen)))


@app.command("show")
def show(
    context: typer.Context,
    name: NameArgument,
    area: Annotated[
        str,
        typer.Option(
            "--area", metavar="CODE", help="A neighbourhood, PCN or practice.", autocompletion=complete_area
        ),
    ],
    section: Annotated[
        str | None, typer.Option("--section", metavar="NAME", help="Of a list, only this section.")
    ] = None,
    change: Annotated[
        Change | None, typer.Option("--change", help="Of a list, only people of whom this is said.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="At most N people.")
    ] = None,
    form: Annotated[Sheet, typer.Option("--format", help="How to write the people.")] = Sheet.TABLE,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show a list in one area, by section and rank, with reasons, gaps and what is suggested; or a cohort, by rank.

    People stand there by their pseudonyms; worklist export names them.

    Example: riskstrat worklist show daily_huddle --area NB01 --change NEW
    """
    from riskstrat.reading.published_lists import list_names

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    if name in list_names(chosen):
        kept = {"section": section, "change": change.value if change else None}
        _show_list(context, chosen, name, area, kept=kept, limit=limit, form=form)
        return
    if section is not None or change is not None:
        raise MisuseError(
            f"{name} is no list of the run, and only lists have sections and changes.",
            remedy=f"use one of {', '.join(list_names(chosen)) or 'none'}, or leave out --section and --change.",
        )
    _show_cohort(context, chosen, name, area, limit=limit, form=form)


def _show_list(
    context: typer.Context,
    chosen: Run,
    name: str,
    area: str,
    *,
    kept: Mapping[str, str | None],
    limit: int | None,
    form: Sheet,
) -> None:
    from riskstrat.audit import append
    from riskstrat.reading.published_lists import check_section, in_area, people_of, read_list, section_of
    from riskstrat.runs import open_run

    site, published = site_of(context), read_list(chosen, name)
    if kept["section"] is not None:
        check_section(published, kept["section"])
    with open_run(chosen, site.threads) as connection:
        people = people_of(connection, published, in_area(connection, published, area))
    order = list(published.sections)
    people.sort(key=lambda person: order.index(section_of(person)))
    shown = [
        person
        for person in people
        if kept["section"] in (None, section_of(person)) and kept["change"] in (None, person["change"])
    ][:limit]
    append(site, "query", list=name, run=chosen.id, count=len(shown))
    if form is Sheet.TABLE:
        from riskstrat.commands.worklist_lines import list_lines
        from riskstrat.definitions.list_layout import load_list_layout
        from riskstrat.exports.wording import wording_of

        wording = wording_of(published, load_list_layout(site.config))
        typer.echo("\n".join(list_lines(published, people, shown, wording, area)))
        return
    from riskstrat.commands.writing import write_text

    columns = list(shown[0]) if shown else ["person_id", *published.columns]
    write_text(columns, (list(person.values()) for person in shown), form.value, None)


def _show_cohort(
    context: typer.Context, chosen: Run, cohort: str, area: str, *, limit: int | None, form: Sheet
) -> None:
    from riskstrat.audit import audit_rows
    from riskstrat.commands.writing import write_text
    from riskstrat.exports.manifests import people

    columns, rows = _listed(context, chosen, cohort, area, limit)
    audit_rows(site_of(context), cohort, chosen.id, len(rows))
    write_text(columns, rows, form.value, None)
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
    name: NameArgument,
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
    """Write a list or a cohort as sealed files, one a recipient, each with a signed manifest; all of them or none.

    A commissioner's export is sealed to practices and teams, so that it can be passed on and not be opened, and gives
    the commissioner counts.

    Example: riskstrat worklist export daily_huddle --audience direct_care_team --area NB01 --format xlsx
    """
    from riskstrat.exports.exporting import Order
    from riskstrat.exports.exporting import export as write_export

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    order = Order(name, audience, area, recipient, form.value, out)
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
