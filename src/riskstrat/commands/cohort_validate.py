"""riskstrat cohort validate: the definitions as they stand, and everything a reviewer would find odd in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import Shape, say, site_of
from riskstrat.commands.completion import complete_definition
from riskstrat.errors import DefinitionError, NothingPublishedError

if TYPE_CHECKING:
    from riskstrat.definitions.cohort_checks import Finding
    from riskstrat.site import Site

INDENT = " " * 9


def validate(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Definitions; default: all.",
            show_default=False,
            autocompletion=complete_definition,
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take every warning for an error.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="The day to judge reviews and examples by; default: the latest run's.",
        ),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to write the findings.")] = Shape.TABLE,
) -> None:
    """Check the cohorts as they are defined now: their rules, their examples, their review. Ends with 3 on an error.

    Example: riskstrat cohort validate luton_core --strict
    """
    from riskstrat.definitions.cohort_checks import check_files
    from riskstrat.reading.published import unknown_cohort

    site = site_of(context)
    day = _day(site, as_of)
    defined = sorted(path.stem for path in (site.config / "cohorts").glob("*.yaml"))
    chosen = list(dict.fromkeys(names or defined))
    for name in chosen:
        if name not in defined:
            raise unknown_cohort(name, defined, "config/cohorts")
    checked = check_files(site.root, chosen, as_of=day, strict=strict)
    found = checked.findings
    errors = [one for one in found if strict or one.level == "error"]
    _write(found, len(chosen), checked.examples, day, shape, strict=strict)
    if errors:
        raise DefinitionError(
            f"{len(errors)} of the findings {'is an error' if len(errors) == 1 else 'are errors'}.",
            file=site.config / "cohorts",
            remedy="do what each finding says, then validate again.",
        )


def _day(site: Site, as_of: str | None) -> date:
    """The day that was named, else the date of the latest run: no clock decides. Raises NothingPublishedError."""
    if as_of is not None:
        from riskstrat.commands.run import parse_date

        return parse_date(as_of, "--as-of")
    from riskstrat.runs import latest

    try:
        return latest(site.output).as_of
    except NothingPublishedError as problem:
        raise NothingPublishedError(problem.what, remedy="name the day to judge by: --as-of DATE") from None


def _write(
    found: Sequence[Finding], cohorts: int, examples: int, day: date, shape: Shape, *, strict: bool
) -> None:
    rows = [_row(one, strict=strict) for one in found]
    if shape is Shape.JSON:
        document: dict[str, Any] = {"as_of": day.isoformat(), "cohorts": cohorts, "examples": examples}
        typer.echo(json.dumps(document | {"findings": rows}, indent=1, ensure_ascii=False))
        return
    from riskstrat.commands.printing import terminal_width

    for row in rows:
        typer.echo("\n".join(_lines(row, terminal_width())))
    counted = [(level, sum(row["level"] == level for row in rows)) for level in ("error", "warning")]
    told = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counted)
    say(f"{cohorts} cohorts and {examples} examples checked as of {day}: {told}.")


def _row(one: Finding, *, strict: bool) -> dict[str, Any]:
    return {
        "level": "error" if strict else one.level,
        "file": f"config/cohorts/{one.cohort}.yaml",
        "rule": one.rule,
        "what": one.what,
        "picture": list(one.picture),
        "remedy": one.remedy,
    }


def _lines(row: dict[str, Any], width: int) -> list[str]:
    head = f"{row['level']:<7}  {row['file']}"
    if not row["picture"]:
        return [head, *_wrapped(f"{row['rule']}: {row['what']} Remedy: {row['remedy']}", width)]
    drawn = [INDENT + line for line in row["picture"]]
    return [head, *_wrapped(row["what"], width), *drawn, *_wrapped(f"Remedy: {row['remedy']}", width)]


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT)
