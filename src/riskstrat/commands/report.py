"""riskstrat report: what a run says in numbers, and the documents that neighbourhoods issue."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import AsOfOption, OutOption, RunOption, chosen_run, say, say_run, site_of
from riskstrat.commands.completion import complete_area
from riskstrat.commands.disclosing import AudienceOption

if TYPE_CHECKING:
    from riskstrat.definitions.disclosure import Policy
    from riskstrat.documents.page import Page
    from riskstrat.runs import Run

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    help="A run in numbers, and documents for others. Counts pass the reader's disclosure policy.",
)
READER = "commissioner"


class Form(StrEnum):
    """How documents are written."""

    MARKDOWN = "md"
    HTML = "html"


class Kind(StrEnum):
    """The areas that a profile can be made of."""

    NEIGHBOURHOOD = "neighbourhood"
    PCN = "pcn"


FormOption = Annotated[Form, typer.Option("--format", help="Markdown, or a page to print.")]


@app.callback()
def report(
    context: typer.Context,
    area: Annotated[
        str | None,
        typer.Option("--area", metavar="CODE", help="One neighbourhood alone.", autocompletion=complete_area),
    ] = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show the run's people and cohorts by neighbourhood, as operators see them, and where its pages are.

    Example: riskstrat report --area NB01
    """
    if context.invoked_subcommand is not None:
        return
    from riskstrat.commands.printing import aligned
    from riskstrat.errors import MisuseError

    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    homes = chosen.manifest["neighbourhoods"]
    if area is not None and area not in homes:
        raise MisuseError(
            f"'{area}' is no neighbourhood of the run.",
            column="--area",
            remedy=f"use one of {', '.join(homes)}.",
        )
    shown = {code: home for code, home in homes.items() if area in (None, code)}
    rows: list[list[object]] = [["people", *(home["people"] for home in shown.values())]]
    rows += [[name, *(home["cohorts"].get(name, 0) for home in shown.values())] for name in chosen.cohorts()]
    say("; ".join(f"{code} {home['name']}" for code, home in shown.items()))
    typer.echo("\n".join(aligned(["", *shown], rows)))
    typer.echo(f"report   {chosen.folder / 'report' / 'index.html'}")
    typer.echo(f"quality  {chosen.folder / 'quality' / 'index.html'}")


@app.command("profile")
def profile(
    context: typer.Context,
    kind: Annotated[Kind, typer.Option("--by", help="Which areas.")] = Kind.NEIGHBOURHOOD,
    form: FormOption = Form.MARKDOWN,
    audience: AudienceOption = READER,
    out: OutOption = None,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Write the profile of the place: practices, registered people, and how many are 65, 75, 85 and over.

    Example: riskstrat report profile --format html --out profile.html
    """
    from riskstrat.definitions.issued import load_profile_layout
    from riskstrat.documents.page import Page, Part
    from riskstrat.documents.profile import profile_of
    from riskstrat.runs import open_run

    chosen, policy, site = chosen_run(context, run, as_of), _policy(context, audience), site_of(context)
    say_run(chosen)
    layout = load_profile_layout(site.config)
    with open_run(chosen, site.threads) as connection:
        names = _names(context, chosen, kind.value)
        found = profile_of(
            *(site, chosen, connection, policy), kind=kind.value, ages_from=layout.ages_from, names=names
        )
    table = found.table(f"By {_worded(kind)}, {_day(chosen)}", _note(policy))
    page = Page(layout.title, f"As of {_day(chosen)}", (Part(tables=(table,)),), _footer(chosen, policy))
    _issue(context, chosen, page, form, audience, out)


@app.command("highlight")
def highlight(
    context: typer.Context,
    area: Annotated[
        str,
        typer.Option(
            "--area", metavar="CODE", help="The neighbourhood that issues it.", autocompletion=complete_area
        ),
    ],
    month: Annotated[
        str | None,
        typer.Option(
            "--month", metavar="YYYY-MM", help="The month; default: the one that the latest run ends."
        ),
    ] = None,
    form: FormOption = Form.MARKDOWN,
    audience: AudienceOption = READER,
    out: OutOption = None,
) -> None:
    """Write a neighbourhood's monthly highlight report: figures computed, and empty places for its own words.

    Example: riskstrat report highlight --area NB01 --month 2026-03 --format html --out highlight.html
    """
    from riskstrat.definitions.issued import load_highlight_layout, load_profile_layout
    from riskstrat.documents.highlight import Report, end_of_month, month_of
    from riskstrat.documents.highlight import highlight as page_of

    site, policy = site_of(context), _policy(context, audience)
    chosen = chosen_run(context, None, None) if month is None else end_of_month(site.output, month)
    say_run(chosen)
    layout = load_highlight_layout(site.config, chosen.cohorts())
    names = {code: str(home["name"]) for code, home in chosen.manifest["neighbourhoods"].items()}
    about = month_of(site.output, chosen)
    if about.before is None:
        say("nothing was published a month earlier, so there is nothing to compare with.")
    report = Report(*(site, about, layout, policy, names, area), load_profile_layout(site.config).ages_from)
    _issue(context, chosen, page_of(report), form, audience, out)


def _worded(kind: Kind) -> str:
    return "primary care network" if kind is Kind.PCN else "neighbourhood"


def _policy(context: typer.Context, audience: str) -> Policy:
    from riskstrat.definitions.disclosure import load_disclosure
    from riskstrat.errors import DefinitionError

    path = site_of(context).config / "disclosure.yaml"
    audiences = load_disclosure(path).audiences
    if audience not in audiences:
        raise DefinitionError(
            f"there is no audience '{audience}'.", file=path, remedy=f"use one of {', '.join(audiences)}."
        )
    return audiences[audience]


def _names(context: typer.Context, run: Run, kind: str) -> dict[str, str]:
    """The areas of a kind on the run's date, by code."""
    from riskstrat.definitions.geography import load_geography

    geography = load_geography(site_of(context).config / "geography")
    return {
        getattr(practice, f"{kind}_code"): getattr(practice, f"{kind}_name")
        for practice in geography.practices
        if practice.is_valid_on(run.as_of)
    }


def _day(run: Run) -> str:
    return f"{run.as_of.day} {run.as_of:%B %Y}"


def _note(policy: Policy) -> str:
    told = (
        "People count where they are registered, wherever they live; people who opted out are in no figure."
    )
    return f"{told} * is a number that is hidden ({policy.title})." if policy.hides else told


def _footer(run: Run, policy: Policy) -> tuple[str, ...]:
    return (
        f"Computed from run {run.id}; figures as the policy {policy.name} lets them leave: {policy.title}.",
        "Counts describe people and prompt professional review; they decide nothing about anybody.",
    )


def _issue(context: typer.Context, run: Run, page: Page, form: Form, audience: str, out: OutOption) -> None:
    from riskstrat.audit import append
    from riskstrat.commands.writing import write_page
    from riskstrat.documents.page import as_html, as_markdown

    site = site_of(context)
    append(site, "report", audience=audience, run=run.id)
    write_page(as_html(page) if form is Form.HTML else as_markdown(page), out, site)
