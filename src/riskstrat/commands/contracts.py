"""riskstrat contracts: what comes in and goes out, and what changed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import say
from riskstrat.commands.state import State
from riskstrat.errors import ContractBrokenError, DefinitionError, MisuseError, NothingPublishedError

if TYPE_CHECKING:
    from riskstrat.definitions.contracts import Column, Contract
    from riskstrat.site import Site

app = typer.Typer(no_args_is_help=True, help="Data contracts: what comes in and what goes out.")

LABEL_WIDTH = 16


class Format(StrEnum):
    """How ``contracts show`` writes a contract."""

    table = "table"
    json = "json"


@app.command("list")
def list_contracts(context: typer.Context) -> None:
    """List every contract: its version, whether it is for what comes in or goes out, its columns and rules.

    Example: riskstrat contracts list
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.definitions.contract_page import facts

    rows = [
        (
            contract.name,
            contract.version,
            contract.direction,
            facts(contract).get("presence"),
            len(contract.columns),
            len(contract.rules),
        )
        for contract in _contracts(_site(context).data_contracts).values()
    ]
    typer.echo("\n".join(aligned(["contract", "version", "direction", "presence", "columns", "rules"], rows)))


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A contract.")],
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.table,
) -> None:
    """Show one contract: its columns and what they mean, its rules with their remedies, its limits.

    Example: riskstrat contracts show gp_events
    """
    contract = _named(_site(context), name)
    if form is Format.json:
        import json

        typer.echo(json.dumps(_plain(contract), ensure_ascii=False, indent=2))
        return
    typer.echo("\n".join(_description(contract)))


@app.command("page")
def page(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PATH", help="A file to write instead of stdout.")
    ] = None,
) -> None:
    """Write the page that describes every extract and output, as Markdown made of the contracts.

    Example: riskstrat contracts page --out docs/extracts.md
    """
    from riskstrat.commands.writing import write_page
    from riskstrat.definitions.contract_page import contract_page

    site = _site(context)
    write_page(contract_page(_contracts(site.data_contracts)), out, site)


@app.command("diff")
def diff(
    context: typer.Context,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="DIR", help="A folder of earlier contracts, or a site with one."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="The contracts of a published run; default: the latest."),
    ] = None,
) -> None:
    """Name what changed in the contracts since the latest run, another run or another folder.

    Breaking changes are named as such. Ends with 4 when one of them came without a new major version.

    Example: riskstrat contracts diff --against ../before/data_contracts
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.definitions.contract_changes import changes_of_all, check_versions

    if against is not None and run is not None:
        raise MisuseError("a folder and a run cannot both be compared with.", remedy="give one of them.")
    site = _site(context)
    before, words = _earlier(site, against, run)
    after = _contracts(site.data_contracts)
    found = changes_of_all(before, after)
    if not found:
        typer.echo(f"No contract differs from {words}.")
    else:
        say(f"compared with {words}")
        rows = [
            (change.contract, _versions(change.contract, before, after), change.level, str(change))
            for change in found
        ]
        typer.echo("\n".join(aligned(["contract", "version", "reach", "change"], rows)))
    problems = check_versions(before, after)
    for problem in problems:
        if not problem.breaking:
            say(f"warning: {problem}.")
    breaking = [str(problem) for problem in problems if problem.breaking]
    if breaking:
        raise ContractBrokenError(
            f"{'. '.join(breaking)}.",
            file=site.data_contracts,
            remedy="write that version and tell the suppliers and readers, or take the change back.",
        )


def _earlier(site: Site, against: Path | None, run: str | None) -> tuple[Mapping[str, Contract], str]:
    """The contracts to compare with, and what to call them."""
    from riskstrat.definitions.contract_snapshots import IN_A_RUN, read_snapshots
    from riskstrat.runs import find_run

    if against is not None:
        folder = against / "data_contracts" if (against / "data_contracts").is_dir() else against
        if not folder.is_dir() or not any(folder.glob("*.yaml")):
            raise MisuseError("holds no contracts.", file=folder, remedy="name a folder of NAME.yaml files.")
        return _contracts(folder), f"those of {folder}"
    chosen = find_run(site.output, None if run == "latest" else run)
    if not (chosen.folder / IN_A_RUN).is_file():
        raise NothingPublishedError(
            f"run {chosen.id} does not keep its contracts.",
            remedy="compare with a folder instead: riskstrat contracts diff --against DIR",
        )
    return read_snapshots(chosen.folder / IN_A_RUN), f"those of run {chosen.id}"


def _versions(name: str, before: Mapping[str, Contract], after: Mapping[str, Contract]) -> str:
    was, now = (contracts[name].version if name in contracts else None for contracts in (before, after))
    return f"{was} -> {now}" if was and now and was != now else str(now or was)


def _contracts(folder: Path) -> dict[str, Contract]:
    from riskstrat.definitions.contracts import load_contracts

    return load_contracts(folder)


def _named(site: Site, name: str) -> Contract:
    from riskstrat.definitions.contracts import load_contract
    from riskstrat.language.problems import close_matches, listed

    known = {path.stem: path for path in site.data_contracts.glob("*.yaml")}
    if name not in known:
        near = close_matches(name, sorted(known))
        raise DefinitionError(
            f"there is no contract '{name}'.",
            remedy=f"did you mean {listed(near)}?" if near else "see: riskstrat contracts list",
        )
    return load_contract(known[name])


def _description(contract: Contract) -> list[str]:
    from riskstrat.commands.printing import terminal_width
    from riskstrat.definitions.contract_page import facts, limit_sentences, value_form

    told = {"contract": contract.name, "title": contract.title, **facts(contract)}
    told |= {name: getattr(contract, name) for name in ("purpose", "usage", "limitations")}
    lines = [
        line
        for label, fact in told.items()
        if fact
        for line in _filled(f"{label:<{LABEL_WIDTH}}{fact}", terminal_width(), " " * LABEL_WIDTH)
    ]
    columns = [(column.name, column.type, _need(column, contract)) for column in contract.columns]
    forms = [value_form(column, contract) for column in contract.columns]
    meanings = [
        f"{column.description}{f' Values: {form}' if form else ''}"
        for column, form in zip(contract.columns, forms, strict=True)
    ]
    lines += ["", *_noted(["column", "type", "need"], columns, meanings)]
    if contract.rules:
        rules = [(rule.id, rule.severity) for rule in contract.rules]
        says = [f"{rule.message} Remedy: {rule.remedy}" for rule in contract.rules]
        lines += ["", *_noted(["rule", "severity"], rules, says)]
    limits = limit_sentences(contract.limits)
    return [*lines, *([""] if limits else []), *limits]


def _need(column: Column, contract: Contract) -> str:
    if column.name in contract.key:
        return "key"
    return "required" if column.required else ""


def _noted(headers: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str]) -> list[str]:
    """Lines of a table with a note below every row."""
    from riskstrat.commands.printing import aligned, terminal_width

    lines = aligned(headers, rows)
    first = len(lines) - len(rows)
    noted = lines[:first]
    for line, note in zip(lines[first:], notes, strict=True):
        noted += [line, *_filled(f"      {note}", terminal_width(), " " * 6)]
    return noted


def _filled(text: str, width: int, indent: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(width, 40), subsequent_indent=indent, break_on_hyphens=False)


def _plain(contract: Contract) -> dict[str, Any]:
    """A contract for other programs: every field under its own name; rules say what is stated, not the SQL of it."""
    from dataclasses import asdict

    plain = asdict(contract)
    plain["rules"] = [
        {name: getattr(rule, name) for name in ("id", "column", "kind", "severity", "message", "remedy")}
        | {name: getattr(rule.check, name, None) for name in ("pattern", "minimum", "maximum", "condition")}
        for rule in contract.rules
    ]
    return plain


def _site(context: typer.Context) -> Site:
    state: State = context.obj
    return state.site()
