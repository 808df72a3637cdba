"""riskstrat check: contracts and deliveries, without a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import RunOption, Shape, chosen_run, say, say_run
from riskstrat.commands.printing import aligned, as_text
from riskstrat.commands.run import parse_date
from riskstrat.commands.state import State
from riskstrat.errors import MisuseError

if TYPE_CHECKING:
    from riskstrat.checking import Checked
    from riskstrat.definitions.everything import Definitions
    from riskstrat.site import Site
    from riskstrat.stages.ingest.accounting import Books

COUNTS = ("read", "accepted", "quarantined", "duplicates", "superseded", "deleted")
MOST_ROWS = 50


def check(
    context: typer.Context,
    extract: Annotated[
        str | None, typer.Argument(metavar="[EXTRACT]", help="One extract; default: all of them.")
    ] = None,
    quarantine: Annotated[
        bool,
        typer.Option("--quarantine", help="List the quarantined rows of EXTRACT in a published run instead."),
    ] = False,
    trend: Annotated[
        bool, typer.Option("--trend", help="Show every check over the last 30 published runs instead.")
    ] = False,
    rejudge: Annotated[
        bool,
        typer.Option(
            "--rejudge", help="Judge a published run by today's limits instead, from what it stored."
        ),
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DATE", help="As a run of this date would; default: the newest delivery."
        ),
    ] = None,
    run: RunOption = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write the quality page of this check there."),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
) -> None:
    """Check the site's definitions and its deliveries without a run; nothing is published.

    Ends with 3 where a definition is wrong and with 4 where a run would stop.

    Example: riskstrat check gp_events

    Also: riskstrat check --quarantine gp_events; riskstrat check --trend; riskstrat check --rejudge
    """
    from riskstrat.definitions.everything import load_definitions

    if sum((quarantine, trend, rejudge)) > 1:
        raise MisuseError(
            "--quarantine, --trend and --rejudge exclude each other.", remedy="give one of them."
        )
    if shape is Shape.JSON and (trend or rejudge):
        raise MisuseError("--trend and --rejudge print tables only.", remedy="leave --format out.")
    state: State = context.obj
    site = state.site()
    definitions = load_definitions(site.root)
    if extract is not None:
        _refuse_unknown(extract, definitions)
    if quarantine:
        _show_quarantine(context, definitions, extract, run, shape)
    elif trend:
        _show_trend(site.output, extract)
    elif rejudge:
        _show_rejudged(context, definitions, extract, run)
    else:
        _check_deliveries(context, definitions, extract, as_of, page, shape)


def _refuse_unknown(extract: str, definitions: Definitions) -> None:
    if extract in definitions.extract_names:
        return
    import difflib

    near = difflib.get_close_matches(extract, definitions.extract_names, n=1)
    raise MisuseError(
        f"there is no extract '{extract}'.",
        remedy=f"did you mean '{near[0]}'?"
        if near
        else f"use one of {', '.join(definitions.extract_names)}.",
    )


def _check_deliveries(
    context: typer.Context,
    definitions: Definitions,
    extract: str | None,
    as_of: str | None,
    page: Path | None,
    shape: Shape,
) -> None:
    from riskstrat.checking import check as check_site
    from riskstrat.stages.ingest.deliveries import delivery_dates

    state: State = context.obj
    site = state.site()
    say(f"definitions of {site.root} are sound: {len(definitions.contracts)} contracts")
    _say_changed_contracts(site, definitions)
    if extract is None and not delivery_dates(site.landing):
        say(f"no delivery is in {site.landing}; riskstrat demo writes a synthetic one.")
        return
    day = parse_date(as_of, "--as-of") if as_of is not None else None
    checked = check_site(site, definitions, as_of=day, extract=extract, page=page)
    if shape is Shape.JSON:
        typer.echo(json.dumps(_document(checked), indent=1, sort_keys=True))
    else:
        typer.echo("\n".join(_lines(checked)))
    if page is not None:
        say(f"quality page: {page}")
    if checked.stopped_by is not None:
        raise checked.stopped_by


def _say_changed_contracts(site: Site, definitions: Definitions) -> None:
    """Name what changed in the contracts since the last published run under a version that is too low for it."""
    from riskstrat.definitions.contract_changes import check_versions
    from riskstrat.definitions.contract_snapshots import IN_A_RUN, read_snapshots
    from riskstrat.errors import NothingPublishedError
    from riskstrat.runs import latest

    try:
        before = read_snapshots(latest(site.output).folder / IN_A_RUN)
    except (NothingPublishedError, FileNotFoundError):
        return
    for problem in check_versions(before, definitions.contracts):
        say(f"warning: {problem}")


def _lines(checked: Checked) -> list[str]:
    lines = [f"as of {checked.as_of}", ""]
    headers = ["extract", *COUNTS, "corrected", "balanced", "verdict"]
    rows = [
        [
            books.contract.name,
            *(books.conservation[name] for name in COUNTS),
            books.corrected,
            books.read == sum(books.statuses.values()),
            _verdict(checked.verdicts[books.contract.name]["success"]),
        ]
        for books in checked.books
    ]
    lines += aligned(headers, rows)
    broken = [
        (books, rule, count) for books in checked.books for rule, count in books.failed.items() if count
    ]
    if broken:
        lines += ["", *aligned(["check", "severity", "rows", "first_at"], [_broken(*one) for one in broken])]
    elif checked.books:
        lines += ["", "no rule was broken."]
    return lines


def _verdict(success: bool) -> str:
    return "sound" if success else "STOPS A RUN"


def _broken(books: Books, rule: str, count: int) -> Sequence[Any]:
    severity = next(one.severity for one in books.contract.rules if one.id == rule)
    place = books.first[rule]
    return rule, severity, count, f"{place.file}, row {place.row}"


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "as_of": checked.as_of.isoformat(),
        "stops_a_run": checked.stopped_by is not None,
        "warnings": list(checked.warnings),
        "extracts": {
            books.contract.name: {
                **books.summary(),
                "success": checked.verdicts[books.contract.name]["success"],
            }
            for books in checked.books
        },
    }


def _show_quarantine(
    context: typer.Context, definitions: Definitions, extract: str | None, run: str | None, shape: Shape
) -> None:
    if extract is None:
        raise MisuseError(
            "--quarantine needs an extract.", remedy="for example: riskstrat check --quarantine gp_events"
        )
    import pyarrow.parquet as pq

    found = chosen_run(context, run, None)
    say_run(found)
    path = found.folder / "quality" / extract / "quarantine.parquet"
    if not path.is_file():
        say(f"the run read no {extract}.")
        return
    table = pq.read_table(path)
    if shape is Shape.JSON:
        for row in table.to_pylist():
            typer.echo(json.dumps(row, default=str))
        return
    rows = table.slice(0, MOST_ROWS).to_pylist()
    rules = {rule.id: rule for rule in definitions.contracts[extract].rules}
    for row in rows:
        kept = "; ".join(
            f"{name} {as_text(value)}"
            for name, value in row.items()
            if name not in ("file", "row", "reasons", "corrected_on") and value is not None
        )
        healed = f" (arrived sound on {row['corrected_on']})" if row["corrected_on"] else ""
        typer.echo(f"{row['file']}, row {row['row']}{healed}: {kept}")
        for reason in row["reasons"]:
            said = rules[reason].message if reason in rules else ""
            typer.echo(f"      {reason}: {said}")
    say(f"{min(len(rows), table.num_rows):,} of {table.num_rows:,} quarantined rows of {extract}")
    if table.num_rows > MOST_ROWS:
        say(f"all of them: riskstrat check --quarantine {extract} --format json, or {path}")


def _show_trend(output: Path, extract: str | None) -> None:
    from riskstrat.quality.sparkline import spark_text
    from riskstrat.quality.trend import trend_rows

    rows = [row for row in trend_rows(output, extract) if not row.is_quiet]
    if not rows:
        say("no published run has checks to show.")
        return
    listed = [
        [
            row.check,
            row.severity,
            spark_text(row.values),
            row.shown(row.values[-1]),
            "FAILS" if row.failed else "passes",
        ]
        for row in rows
    ]
    typer.echo("\n".join(aligned(["check", "severity", "runs", "newest", "verdict"], listed)))
    for row in rows:
        if row.says:
            say(row.says)


def _show_rejudged(
    context: typer.Context, definitions: Definitions, extract: str | None, run: str | None
) -> None:
    from riskstrat.errors import ContractBrokenError
    from riskstrat.quality.rejudging import rejudge

    found = chosen_run(context, run, None)
    say_run(found)
    judged = {
        name: one for name, one in rejudge(found.folder, definitions).items() if extract in (None, name)
    }
    rows = [
        [
            name,
            "sound" if one.was_success else "stops a run",
            "sound" if one.success else "STOPS A RUN",
            len(one.changes),
        ]
        for name, one in judged.items()
    ]
    typer.echo("\n".join(aligned(["extract", "was", "now", "changed_checks"], rows)))
    for one in judged.values():
        for change in one.changes:
            says = f": {change.says}" if change.says else ""
            typer.echo(f"{change.check} ({change.severity}): {change.was} -> {change.now}{says}")
        for rule in one.unobserved:
            say(f"{rule} was not applied by that run; only a new run can judge it.")
    failed = [name for name, one in judged.items() if not one.success]
    if failed:
        raise ContractBrokenError(
            f"by today's limits a run would stop at {', '.join(failed)}.",
            file=found.folder / "quality" / failed[0] / "expectations.json",
            remedy="ask the supplier for a better delivery, or change the limit in config/sources.yaml.",
        )
