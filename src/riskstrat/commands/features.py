"""riskstrat features: the catalogue of the feature table, from its data contract."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import AsOfOption, RunOption, Shape, chosen_run, say, say_run
from riskstrat.commands.completion import complete_feature
from riskstrat.commands.state import State
from riskstrat.errors import DefinitionError, NothingPublishedError
from riskstrat.runs import feature_types, open_run

if TYPE_CHECKING:
    from riskstrat.definitions.contracts import Contract
    from riskstrat.definitions.rules import Column

app = typer.Typer(no_args_is_help=True, help="The feature table: one row per person.")

LABEL_WIDTH = 14


@app.command("list")
def list_features(context: typer.Context) -> None:
    """List every feature with its type and meaning.

    Example: riskstrat features list
    """
    from riskstrat.commands.printing import aligned, terminal_width

    columns = _contract(context).columns
    names = max(len(column.name) for column in columns)
    room = max(20, terminal_width() - names - 12)
    rows = [
        (column.name, column.type, textwrap.shorten(column.description, room, placeholder=" ..."))
        for column in columns
    ]
    typer.echo("\n".join(aligned(["feature", "type", "meaning"], rows)))


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A feature.", autocompletion=complete_feature)],
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show what one feature means, its unit and window, what missing means, and where it comes from.

    Example: riskstrat features show unplanned_admissions_12m
    """
    from riskstrat.commands.printing import terminal_width

    contract = _contract(context)
    column = _column(contract, name)
    facts = {
        "feature": column.name,
        "type": f"{column.type} ({column.sql_type})",
        "meaning": column.description,
        "values": ", ".join(column.allowed),
        **{key: _as_words(value) for key, value in column.about.items()},
        "known": _known(context, name, run, as_of),
    }
    for label, fact in facts.items():
        if fact:
            indent = " " * LABEL_WIDTH
            text = textwrap.fill(
                fact, terminal_width(), initial_indent=f"{label:<{LABEL_WIDTH}}", subsequent_indent=indent
            )
            typer.echo(text)


@app.command("page")
def page(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; default: stdout.")
    ] = None,
) -> None:
    """Write the page that describes every feature, as Markdown made of the contract of the feature table.

    Example: riskstrat features page --out docs/features.md
    """
    from riskstrat.commands.writing import write_page
    from riskstrat.definitions.feature_page import feature_page

    state: State = context.obj
    write_page(feature_page(_contract(context)), out, state.site())


@app.command("explain")
def explain(
    context: typer.Context,
    person_id: Annotated[
        str, typer.Argument(metavar="PERSON_ID", help="A person_id, or its first 8 digits or more.")
    ],
    run: RunOption = None,
    as_of: AsOfOption = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
) -> None:
    """Show the records behind one person's features: deficits, scored diagnoses, and every hospital stay.

    Each record has its date, its code and the identifier of its row in the extract. Stays that are not counted as
    unplanned admissions say why.

    Example: riskstrat features explain 3f9a0c1e
    """
    from riskstrat.reading.explaining import explain_person

    chosen = chosen_run(context, run, as_of)
    state: State = context.obj
    with open_run(chosen, state.site().threads) as connection:
        found = explain_person(connection, chosen, person_id)
    from riskstrat.audit import audit_person

    audit_person(state.site(), chosen.id)
    if shape is Shape.JSON:
        evidence = {name: records.as_dicts() for name, records in found.evidence.items()}
        document = {"run": chosen.id, "features": dict(found.features), "evidence": evidence}
        typer.echo(json.dumps(document, indent=1, default=str, ensure_ascii=False))
        return
    from riskstrat.commands.explanation import explanation_lines
    from riskstrat.definitions.codelists import load_codelists

    lists = load_codelists(state.site().config / "codelists")
    terms = {(entry.code_system, entry.code): entry.term for one in lists.values() for entry in one.entries}
    say_run(chosen)
    typer.echo("\n".join(explanation_lines(found, terms)))


def _contract(context: typer.Context) -> Contract:
    from riskstrat.definitions.contracts import load_contract

    state: State = context.obj
    return load_contract(state.site().data_contracts / "features.yaml")


def _column(contract: Contract, name: str) -> Column:
    from riskstrat.language.problems import close_matches, listed

    names = [column.name for column in contract.columns]
    if name not in names:
        near = close_matches(name, names)
        raise DefinitionError(
            f"there is no feature '{name}'.",
            remedy=f"did you mean {listed(near)}?" if near else "see: riskstrat features list",
        )
    return contract.column(name)


def _as_words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _known(context: typer.Context, name: str, run: str | None, as_of: str | None) -> str:
    """For how many people the run knows the feature; nothing before the first run."""
    try:
        chosen = chosen_run(context, run, as_of)
    except NothingPublishedError:
        if run is not None or as_of is not None:
            raise
        say("nothing has been published yet, so nobody's value is known.")
        return ""
    state: State = context.obj
    with open_run(chosen, state.site().threads) as connection:
        if name not in feature_types(connection):
            return f"not in run {chosen.id}"
        known, people = connection.execute(f'SELECT count("{name}"), count(*) FROM features').fetchall()[0]
    reason = chosen.manifest.get("unknown_features", {}).get(name)
    because = f"; {reason}" if reason else ""
    return f"for {known:,} of {people:,} people in run {chosen.id}{because}"
