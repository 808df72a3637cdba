"""riskstrat cohort diff: who entered, left or moved between two runs, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.asking import NameArgument, WhereOption, check_asked, criteria_of
from riskstrat.commands.choosing import OutOption, Rows, chosen_run, say, site_of
from riskstrat.commands.completion import complete_run
from riskstrat.commands.disclosing import (
    ANALYST,
    AudienceOption,
    or_hidden,
    policy_for,
    refuse_identifying,
    refuse_rows,
)
from riskstrat.errors import MisuseError
from riskstrat.reading.changes import ENTERED, LEFT, MOVED, Changes, compare
from riskstrat.runs import Run, find_run, open_run, run_before

if TYPE_CHECKING:
    from riskstrat.definitions.disclosure import Policy

COLUMNS = ("change", "person_id", "rank_before", "rank_after", "because", "why")
PEOPLE_SHOWN = 20


def diff(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="The earlier run; default: the newest of an earlier date.",
            autocompletion=complete_run,
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="RUN", help="The later run; default: the latest.", autocompletion=complete_run
        ),
    ] = None,
    form: Annotated[Rows, typer.Option("--format", help="How to write the changes.")] = Rows.TABLE,
    out: OutOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, metavar="N", help="At most N people of each kind in a table.")
    ] = PEOPLE_SHOWN,
    audience: AudienceOption = ANALYST,
) -> None:
    """Show who entered and left a list between two runs and which rule, death or move is the reason; and who moved.

    Example: riskstrat cohort diff luton_core --from 20260301-0a1b2c3d
    """
    check_asked(name, where)
    policy = policy_for(context, audience)
    if form in (Rows.CSV, Rows.PARQUET):
        refuse_rows(context, audience)
    if form is Rows.PARQUET and out is None:
        raise MisuseError("parquet is not text.", remedy="name a file: --out PATH")
    site = site_of(context)
    if out is not None:
        from riskstrat.commands.writing import check_target

        check_target(out, site)
    later = chosen_run(context, end, None)
    earlier = find_run(site.output, start) if start is not None else run_before(site.output, later)
    if earlier.id == later.id or earlier.as_of > later.as_of:
        raise MisuseError(
            f"run {earlier.id}, as of {earlier.as_of}, does not come before run {later.id}, as of {later.as_of}.",
            remedy="name the earlier run after --from and the later one after --to.",
        )
    say(f"from run {earlier.id}, as of {earlier.as_of}, to run {later.id}, as of {later.as_of}")
    connection = open_run(later, site.threads, earlier=earlier)
    criteria = criteria_of(context, later, connection, name=name, where=where)
    refuse_identifying(
        context, (column for rule in criteria.rules for column in rule.columns), audience, policy
    )
    if name is not None and name not in earlier.cohorts():
        from riskstrat.reading.published import unknown_cohort

        raise unknown_cohort(name, earlier.cohorts(), f"the run {earlier.id}")
    from riskstrat.reading.failures import reading

    with reading(later, where):
        changes = compare(connection, earlier, later, criteria)
    _write(context, changes, (earlier, later), {"cohort": name, "where": where}, form, out, limit, policy)


def _write(
    context: typer.Context,
    changes: Changes,
    runs: tuple[Run, Run],
    asked: Mapping[str, str | None],
    form: Rows,
    out: Any,
    limit: int,
    policy: Policy | None,
) -> None:
    from riskstrat.commands.writing import write_page, write_parquet, write_text

    rows = [
        (one.kind, one.person_id, one.rank_before, one.rank_after, one.because, one.why)
        for one in changes.told
    ]
    counts = _counts(changes, policy)
    if policy is None:
        from riskstrat.audit import audit_rows

        audit_rows(site_of(context), asked["cohort"] or f"({asked['where']})", runs[1].id, len(rows))
    if form is Rows.PARQUET:
        write_parquet(COLUMNS, rows, out)
    elif form is Rows.CSV:
        write_text(COLUMNS, rows, form.value, out)
    elif form is Rows.JSON:
        document: dict[str, Any] = {"from": runs[0].id, "to": runs[1].id, **asked, "counts": counts}
        document["definition_changed"] = changes.definition_changed
        if policy is None:
            document["people"] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        write_page(json.dumps(document, indent=1, ensure_ascii=False) + "\n", out, site_of(context))
        return
    else:
        lines = _lines(changes, counts, limit, with_people=policy is None)
        write_page("\n".join(lines) + "\n", out, site_of(context))
        return
    if out is not None:
        say(f"written to {out}")


def _counts(changes: Changes, policy: Policy | None) -> dict[str, Any]:
    """The counts as the policy lets them leave."""
    causes = {kind: changes.causes(kind) for kind in (ENTERED, LEFT)}
    if policy is None:
        return {
            "before": changes.before,
            "after": changes.after,
            ENTERED: changes.count(ENTERED),
            LEFT: changes.count(LEFT),
            MOVED: changes.count(MOVED),
            "causes": causes,
        }
    from riskstrat.disclosure.counts import shown_changes

    shown = shown_changes((changes.before, changes.after), changes.count(MOVED), causes, policy)
    return {
        "before": or_hidden(shown.before),
        "after": or_hidden(shown.after),
        ENTERED: or_hidden(shown.entered),
        LEFT: or_hidden(shown.left),
        MOVED: or_hidden(shown.moved),
        "causes": {
            kind: {cause: or_hidden(count) for cause, count in shown.causes[kind].items()} for kind in causes
        },
    }


def _lines(changes: Changes, counts: Mapping[str, Any], limit: int, *, with_people: bool) -> Iterator[str]:
    from riskstrat.commands.printing import aligned

    rows: list[tuple[str, Any]] = [("members before", counts["before"]), (LEFT, counts[LEFT])]
    rows += [(f"  {cause}", count) for cause, count in counts["causes"][LEFT].items()]
    rows += [(ENTERED, counts[ENTERED])]
    rows += [(f"  {cause}", count) for cause, count in counts["causes"][ENTERED].items()]
    rows += [("members now", counts["after"])]
    rows += [("moved to another rank", counts[MOVED])] if changes.ranked else []
    yield from aligned(("", "people"), rows)
    if changes.definition_changed:
        yield ""
        yield "The definition itself changed between the runs."
    if with_people:
        yield from _people_lines(changes, limit)


def _people_lines(changes: Changes, limit: int) -> Iterator[str]:
    from riskstrat.commands.printing import people_table

    heads: Sequence[str]
    for kind in (ENTERED, LEFT, MOVED):
        people = [change for change in changes.told if change.kind == kind]
        if not people:
            continue
        if kind == MOVED:
            people.sort(key=lambda one: -abs((one.rank_before or 0) - (one.rank_after or 0)))
        heads = ("person_id", "rank_before", "rank_after") if changes.ranked else ("person_id",)
        heads = (*heads, "why") if kind != MOVED else heads
        yield ""
        yield kind.capitalize()
        yield from people_table(heads, [[getattr(one, head) for head in heads] for one in people[:limit]])
        if len(people) > limit:
            yield f"and {len(people) - limit:,} more (--limit N, or --format csv)"
