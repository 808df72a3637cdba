"""riskstrat audit: who did what, and whether the log of it is whole."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from riskstrat.commands.choosing import Sheet, site_of

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The audit log: who did what, when and for how many people.",
)
FIRST = ("n", "at", "who", "action", "outcome", "count")
BELOW = (
    *(
        "account",
        "cohort",
        "where_hash",
        "purpose",
        "audience",
        "area",
        "recipient",
        "public_key",
        "run",
        "as_of",
    ),
    *(
        "list",
        "counts",
        "layer",
        "file_sha256",
        "certificate_sha256",
        "manifest_sha256",
        "replaces",
        "model",
        "signed_off_by",
        "doubt",
        "reason",
    ),
)
COLUMNS = (*FIRST, *BELOW)
INDENT = " " * 6


@app.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[
        Path | None,
        typer.Option(
            "--head", metavar="FILE", help="A copy of head.json kept earlier: the log must lead to it."
        ),
    ] = None,
) -> None:
    """Check every entry of the log, its order and its end, and that it tells of all runs and certificates there are.

    Ends with 1 and names the first bad entry.

    Example: riskstrat audit verify
    """
    from riskstrat.audit import read_entries
    from riskstrat.audit import verify as verify_log
    from riskstrat.audit.accounting import unaccounted
    from riskstrat.audit.entries import LOG, audit_folder
    from riskstrat.errors import RiskstratError

    site = site_of(context)
    problems = [*verify_log(site, head), *unaccounted(site)]
    if problems:
        for problem in problems[1:]:
            typer.echo(problem, err=True)
        others = f" ({len(problems) - 1} more above)" if problems[1:] else ""
        raise RiskstratError(
            f"{problems[0]}{others}",
            file=audit_folder(site) / LOG,
            remedy="keep the folder as it is for whoever looks into it, and compare it with its backup.",
        )
    entries = read_entries(site)
    unsigned = sum("signature" not in entry.facts for entry in entries)
    typer.echo(f"{_counted(len(entries), 'entry', 'entries')}, none changed, removed or moved.")
    if unsigned:
        typer.echo(
            f"{_counted(unsigned, 'refusal is', 'refusals are')} unsigned: there was no signing key, or somebody else "
            "wrote that.",
            err=True,
        )


@app.command("list")
def list_entries(
    context: typer.Context,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="NAME", help="Only entries of this action, such as export."),
    ] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, metavar="N", help="Only the newest N.")] = None,
    form: Annotated[Sheet, typer.Option("--format", help="How to write the entries.")] = Sheet.TABLE,
) -> None:
    """List the entries, oldest first.

    Example: riskstrat audit list --action export
    """
    from riskstrat.audit import read_entries
    from riskstrat.commands.writing import write_text

    found = [entry.facts for entry in read_entries(site_of(context))]
    chosen = [facts for facts in found if action is None or facts.get("action") == action]
    chosen = chosen if last is None else chosen[-last:]
    if form is Sheet.TABLE:
        typer.echo("\n".join(_lines(chosen)))
    else:
        write_text(
            list(COLUMNS), ([facts.get(name) for name in COLUMNS] for facts in chosen), form.value, None
        )


def _counted(count: int, one: str, several: str) -> str:
    """How many, in words that fit.

    >>> _counted(1, "entry", "entries"), _counted(1200, "entry", "entries")
    ('1 entry', '1,200 entries')
    """
    return f"{count:,} {one if count == 1 else several}"


def _lines(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table; what else an entry says stands under it."""
    from riskstrat.commands.printing import aligned, as_text, terminal_width

    table = aligned(FIRST, [[facts.get(name) for name in FIRST] for facts in entries])
    heading = len(table) - len(entries)
    lines = table[:heading]
    for line, facts in zip(table[heading:], entries, strict=True):
        told = [f"{name} {_short(as_text(facts[name]))}" for name in BELOW if name in facts]
        wrapped = textwrap.wrap(
            ", ".join(told), terminal_width(), initial_indent=INDENT, subsequent_indent=INDENT
        )
        lines += [line, *wrapped]
    return lines


def _short(text: str) -> str:
    """A hash by its first digits; --format json has all of it."""
    return f"{text[:12]}..." if re.fullmatch(r"[0-9a-f]{64}", text) else text
