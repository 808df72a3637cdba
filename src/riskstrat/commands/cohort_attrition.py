"""riskstrat cohort attrition: a funnel from the population to the list, drawn in the terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.asking import (
    AreaOption,
    DraftOption,
    NameArgument,
    WhereOption,
    check_asked,
    criteria_of,
    opened,
)
from riskstrat.commands.choosing import AsOfOption, OutOption, RunOption, Sheet, say, site_of
from riskstrat.commands.disclosing import (
    ANALYST,
    AudienceOption,
    or_hidden,
    policy_for,
    refuse_funnel_of_area,
    refuse_identifying,
)
from riskstrat.reading.funnel import ADDED, EXCLUDE, Funnel

if TYPE_CHECKING:
    from riskstrat.definitions.disclosure import Policy

COLUMNS = ("step", "kind", "people", "removed", "unknown", "added")
BAR_WIDTH = 16
EIGHTHS = " ▏▎▍▌▋▊▉█"
GAP = "  "
UNDECIDED = "undecided"


def attrition(
    context: typer.Context,
    name: NameArgument = None,
    *,
    where: WhereOption = None,
    draft: DraftOption = False,
    area: AreaOption = None,
    form: Annotated[Sheet, typer.Option("--format", help="How to write the funnel.")] = Sheet.TABLE,
    out: OutOption = None,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show how many people each rule leaves, removes and cannot judge, from the population to the list.

    For a condition, its rules are the parts that AND joins.

    Example: riskstrat cohort attrition luton_core
    """
    from riskstrat.commands.writing import check_target, write_page, write_text
    from riskstrat.reading.failures import reading
    from riskstrat.reading.funnel import funnel
    from riskstrat.reading.selection import area_condition

    check_asked(name, where, draft=draft)
    policy = policy_for(context, audience)
    if area is not None:
        refuse_funnel_of_area(context, audience, policy)
    site = site_of(context)
    if out is not None:
        check_target(out, site)
    chosen, connection = opened(context, run, as_of, parses=where is not None)
    criteria = criteria_of(context, chosen, connection, name=name, where=where, draft=draft)
    refuse_identifying(
        context, (column for rule in criteria.rules for column in rule.columns), audience, policy
    )
    with reading(chosen, where):
        found = funnel(connection, chosen, criteria, area_condition(connection, area) if area else "TRUE")
    listed = chosen.manifest.get("cohorts", {}).get(name)
    if listed is not None and not draft and area is None and listed != found.people:
        say("warning: the rules do not give the people whom the run lists; see: riskstrat runs verify")
    rows, undecided = _shown(found, policy)
    if form is Sheet.CSV:
        ending = {**dict.fromkeys(COLUMNS), "step": UNDECIDED, "kind": UNDECIDED, "people": undecided}
        write_text(COLUMNS, [[row[key] for key in COLUMNS] for row in (*rows, ending)], "csv", out)
    elif form is Sheet.JSON:
        document: dict[str, Any] = {
            "run": chosen.id,
            "as_of": chosen.as_of.isoformat(),
            "cohort": name,
            "where": where,
        }
        document |= {"area": area, "steps": rows, UNDECIDED: undecided}
        write_page(json.dumps(document, indent=1, ensure_ascii=False) + "\n", out, site)
        return
    else:
        from riskstrat.commands.printing import terminal_width

        lines = funnel_lines(rows, undecided, terminal_width())
        write_page("\n".join(lines) + "\n", out, site)
        return
    if out is not None:
        say(f"written to {out}")


def _shown(found: Funnel, policy: Policy | None) -> tuple[list[dict[str, Any]], Any]:
    """The steps as the policy lets them leave, by column, and how many are undecided."""
    counts: Sequence[Any] = found.steps
    undecided: Any = found.undecided
    if policy is not None:
        from riskstrat.disclosure.counts import Flow, shown_funnel, shown_undecided

        flows = [
            Flow(step.left, step.removed, step.unknown, step.added, step.kind == EXCLUDE)
            for step in found.steps
        ]
        counts = shown_funnel(flows, policy)
        undecided = or_hidden(shown_undecided(flows, found.undecided, policy))
    rows = [
        {
            "step": step.text,
            "kind": step.kind,
            "people": or_hidden(shown.left),
            "removed": or_hidden(shown.removed),
            "unknown": or_hidden(shown.unknown),
            "added": or_hidden(shown.added),
        }
        for step, shown in zip(found.steps, counts, strict=True)
    ]
    return rows, undecided


def funnel_lines(rows: Sequence[Mapping[str, Any]], undecided: Any, width: int) -> Iterator[str]:
    """The funnel as lines of at most ``width`` characters: long rules run over several lines."""
    numbers = [[_number(row[key]) for key in ("people", "removed", "unknown")] for row in rows]
    for row, texts in zip(rows, numbers, strict=True):
        if row["kind"] == ADDED:
            texts[1:] = [f"+{_number(row['added'])}", ""]
    numbers[0][1:] = ["", ""]
    heads = ("people", "removed", "unknown")
    widths = [max(len(head), *(len(one[place]) for one in numbers)) for place, head in enumerate(heads)]
    room = max(20, width - sum(widths) - BAR_WIDTH - 4 * len(GAP))
    labels = [textwrap.wrap(_label(row), room, subsequent_indent="  ") or [""] for row in rows]
    room = max(len(line) for label in labels for line in label)
    yield _line("", room, list(heads), widths, "")
    whole = rows[0]["people"]
    for row, texts, label in zip(rows, numbers, labels, strict=True):
        yield _line(label[0], room, texts, widths, bar(row["people"], whole))
        yield from label[1:]
    yield ""
    yield from textwrap.wrap(
        f"{_number(undecided)} could not be decided: no rule says no, and one at least does not know."
        if undecided
        else "Nobody is undecided.",
        width,
    )
    if any(row["kind"] == EXCLUDE for row in rows):
        yield "Somebody whom an exclusion cannot judge stays."


def _label(row: Mapping[str, Any]) -> str:
    if row["kind"] == EXCLUDE:
        return f"excluded: {row['step']}"
    return f"added by hand: {row['step']}" if row["kind"] == ADDED else str(row["step"])


def _line(label: str, room: int, texts: Sequence[str], widths: Sequence[int], drawn: str) -> str:
    numbers = [text.rjust(width) for text, width in zip(texts, widths, strict=True)]
    return GAP.join([label.ljust(room), *numbers, drawn]).rstrip()


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def bar(count: Any, whole: Any) -> str:
    """A bar as wide as the share that is left, drawn from what is shown; somebody is always visible.

    >>> bar(50, 100), bar(1, 100_000), bar(0, 100), bar("*", 100)
    ('████████', '▏', '', '')
    """
    if not isinstance(count, int) or not isinstance(whole, int) or not count or not whole:
        return ""
    eighths = max(1, min(8 * BAR_WIDTH, round(8 * BAR_WIDTH * count / whole)))
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()
