"""riskstrat worklist returns: a list that a team has filled in comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import Shape, say, site_of
from riskstrat.commands.completion import complete_area

if TYPE_CHECKING:
    from riskstrat.returns.applying import TakenBack

BOOKS = ("read", "applied", "quarantined", "duplicates", "not_filled_in")


def take_back_list(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The list with what was done filled in, as CSV or XLSX."),
    ],
    area: Annotated[
        str | None,
        typer.Option(
            "--area",
            metavar="CODE",
            help="Whose list it is: rows of another area are set aside.",
            autocompletion=complete_area,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of the file; nothing is kept.")
    ] = False,
    form: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
) -> None:
    """Take back a list that a team has filled in: who was seen, declined or referred, and the five questions.

    Rows that cannot be taken are set aside with their reasons, the rest counts from the next run on. Sending the same
    file again changes nothing; of two answers about one person on one list the one sent later holds.

    Example: riskstrat worklist returns daily_huddle-NB01.xlsx
    """
    from riskstrat.errors import ContractBrokenError
    from riskstrat.returns.applying import take_back

    taken = take_back(site_of(context), file, area=area, dry_run=dry_run)
    if form is Shape.JSON:
        import json

        typer.echo(json.dumps(_document(taken, dry_run), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(taken)))
    if dry_run:
        say("a dry run: nothing was kept.")
    elif taken.is_known and not taken.applied:
        say("this file was taken back before; nothing has changed.")
    if taken.is_refused:
        raise ContractBrokenError(
            "no answer in the file could be taken.",
            file=file.name,
            remedy="correct the rows that are named above and send the list again.",
        )


def _document(taken: TakenBack, dry_run: bool) -> dict[str, object]:
    books = {name: getattr(taken, name) for name in (*BOOKS, "replaced")}
    return {
        "return_id": taken.return_id,
        **books,
        "outcomes": dict(taken.outcomes),
        "reasons": dict(taken.reasons),
        "lists": list(taken.lists),
        "is_known": taken.is_known,
        "is_dry_run": dry_run,
        "stored": str(taken.stored) if taken.stored else None,
        "quarantine": str(taken.quarantine) if taken.quarantine else None,
    }


def _lines(taken: TakenBack) -> list[str]:
    """The books, what was applied, why rows were set aside, and where to look."""
    from riskstrat.commands.printing import LABEL_WIDTH, facts

    counted = ", ".join(f"{name} {count:,}" for name, count in taken.outcomes.items())
    replaced = f"; {taken.replaced:,} take the place of an earlier answer" if taken.replaced else ""
    lines = facts(
        {
            "return": taken.return_id,
            "lists": list(taken.lists),
            "read": f"{taken.read:,} rows",
            "applied": f"{taken.applied:,}{f' ({counted})' if counted else ''}{replaced}",
            "set aside": f"{taken.quarantined:,}",
            "said before": f"{taken.duplicates:,}",
            "not filled in": f"{taken.not_filled_in:,}",
            "reasons": [f"{count:,} {reason}" for reason, count in taken.reasons.items()],
        }
    )
    return [*lines, f"{'see':<{LABEL_WIDTH}}{taken.quarantine}"] if taken.quarantine else lines
