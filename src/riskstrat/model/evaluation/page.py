"""The evaluation as one self-contained page, from ``evaluation.json`` and the charts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from riskstrat.disclosure.counts import HIDDEN
from riskstrat.model.evaluation.gates import APPROVAL, OF_PPV, PROMOTION, failed_gates
from riskstrat.model.evaluation.judging import CHALLENGER, MODEL
from riskstrat.model.evaluation.wording import refuse_causal

Found = Sequence[float | None] | None


def render_page(content: Mapping[str, Any], charts: Mapping[str, str], causal_words: Sequence[str]) -> str:
    """The page. Raises DefinitionError where a text in it would claim an effect."""
    main = content["horizons"][0]
    page = (
        environment()
        .get_template("page.html.j2")
        .render(
            content=content,
            main=main,
            others=content["horizons"][1:],
            charts={name: Markup(chart) for name, chart in charts.items()},
            scores=main["scores"],
            rule=main["scores"][content["plan"]["rule"]],
            team={name: team_row(score) for name, score in main["scores"].items()},
            against=stands_against(content["horizons"]),
            against_promotion=failed_gates(main["gates"], PROMOTION)
            if CHALLENGER in main["scores"]
            else None,
            worst=furthest(main.get("groups", ())),
            notes=partial(notes_on, main["scores"]),
            MODEL=MODEL,
            CHALLENGER=CHALLENGER,
        )
    )
    return refuse_causal(page, causal_words, "the evaluation page")


def environment() -> Environment:
    """Templates of this room, with the ways in which figures are written."""
    made = Environment(
        loader=PackageLoader("riskstrat.model.evaluation", "."),
        autoescape=lambda name: bool(name) and ".html" in str(name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "count": count,
        "day": day,
        "percent": percent,
        "percents": percents,
        "share": share,
        "span": span,
        "number": number,
        "numbers": numbers,
        "days": days,
        "ends": ends,
        "found": found_by,
    }
    return made


def team_row(score: Mapping[str, Any]) -> Mapping[str, Any]:
    """The list of the team's capacity."""
    row: Mapping[str, Any] = next(row for row in score["capacities"] if row["is_team"])
    return row


def stands_against(horizons: Sequence[Mapping[str, Any]]) -> list[str]:
    """What stands against approving the model, at any horizon."""
    return [
        f"{span(horizon['horizon'])}: {problem}"
        for horizon in horizons
        for problem in failed_gates(horizon["gates"], APPROVAL)
    ]


def furthest(groups: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, Sequence[float]]]:
    """Parts of groups whose observed over expected has an interval without 1: group, part, figure; furthest first."""
    found = [
        (group["title"], level["name"], level["observed_to_expected"])
        for group in groups
        for level in group["levels"]
        if level["observed_to_expected"] and not is_one_inside(level["observed_to_expected"])
    ]
    return sorted(found, key=lambda one: -abs(one[2][0] - 1))


def is_one_inside(found: Sequence[float]) -> bool:
    """Whether the interval holds 1."""
    return found[1] <= 1 <= found[2]


def notes_on(scores: Mapping[str, Mapping[str, Any]], place: int) -> dict[str, list[str]]:
    """What is to be said against lists of one capacity, and against whose; hidden lists say it in their row."""
    notes: dict[str, list[str]] = {}
    for score in scores.values():
        row = score["capacities"][place]
        if row["note"] and "ppv" in row:
            notes.setdefault(row["note"], []).append(score["title"])
    return notes


def count(value: int | None) -> str:
    """A count of people, with a star where it is hidden."""
    return HIDDEN if value is None else f"{value:,}"


def day(text: str) -> str:
    """An ISO date as people write it, 1 April 2026."""
    found = date.fromisoformat(text)
    return f"{found.day} {found:%B %Y}"


def days(texts: Sequence[str]) -> str:
    """ISO dates as people list them.

    >>> days(["2024-04-01", "2025-04-01", "2026-04-01"])
    '1 April 2024, 1 April 2025 and 1 April 2026'
    """
    *first, last = (day(text) for text in texts)
    return f"{', '.join(first)} and {last}" if first else last


def percent(value: float | None, digits: int = 1) -> str:
    """A share."""
    return HIDDEN if value is None else f"{number(100 * value, digits)}%"


def percents(found: Found, digits: int = 1) -> str:
    """A share with its interval."""
    if not found or found[0] is None:
        return HIDDEN
    if found[1] is None or found[2] is None:
        return percent(found[0], digits)
    low, high = (number(100 * end, digits) for end in found[1:] if end is not None)
    return f"{percent(found[0], digits)} ({low} to {high})"


def share(value: float) -> str:
    """A share that somebody chose, as short as it was written: 0.5% or 2%."""
    return f"{100 * value:g}%"


def span(horizon: str) -> str:
    """A horizon in words.

    >>> span("12m"), span("90d")
    ('12 months', '90 days')
    """
    return horizon[:-1] + {"m": " months", "d": " days"}[horizon[-1]]


def number(value: float | None, digits: int = 2) -> str:
    """A figure; one that is hidden or unbounded is a star."""
    return HIDDEN if value is None else f"{round(value, digits) + 0.0:.{digits}f}"  # no minus before nothing


def numbers(found: Found, digits: int = 2, times: int = 1) -> str:
    """A figure with its interval, of so many people where it is for each one."""
    if not found or found[0] is None:
        return HIDDEN
    value = number(times * found[0], digits)
    between = ends(found, digits, times)
    return f"{value} ({between})" if between else value


def ends(found: Found, digits: int = 2, times: int = 1) -> str:
    """The ends of an interval; nothing where both are hidden or unbounded."""
    if not found or (found[1] is None and found[2] is None):
        return ""
    low, high = (None if end is None else times * end for end in found[1:])
    return f"{number(low, digits)} to {number(high, digits)}"


def found_by(gate: Mapping[str, Any]) -> str:
    """What a gate found: a PPV or a difference of two as a percentage, everything else as it is."""
    if not gate["found"]:
        return ""
    return percents(gate["found"]) if gate["name"] in OF_PPV else numbers(gate["found"], 3)
