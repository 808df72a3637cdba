"""riskstrat cohort show: a definition as the run published it, for people who sign it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from riskstrat.commands.asking import DraftOption, cohort_of, opened
from riskstrat.commands.choosing import AsOfOption, RunOption, Shape
from riskstrat.commands.completion import complete_cohort
from riskstrat.commands.disclosing import (
    ANALYST,
    AudienceOption,
    policy_for,
    population_of_run,
    refuse_identifying,
    shown_answer,
)
from riskstrat.reading.published import PublishedCohort
from riskstrat.runs import Run


def show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A cohort of the run.", autocompletion=complete_cohort)
    ],
    draft: DraftOption = False,
    shape: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show what a cohort is for, its rules as they were written, who answers for it, and how many people it has.

    Example: riskstrat cohort show luton_core
    """
    policy = policy_for(context, audience)
    chosen, connection = opened(context, run, as_of)
    cohort = cohort_of(context, chosen, connection, name, draft=draft)
    counts = _draft_counts(connection, chosen, cohort) if draft else _counts(chosen, name)
    refuse_identifying(
        context,
        (column for rule in cohort.criteria.rules for column in rule.columns),
        audience,
        policy if draft else None,
    )
    population = population_of_run(chosen) if policy is not None else 0
    people, undecided = shown_answer(counts["people"], counts["undecided"], population, policy)
    shown = {"people": people, "undecided": undecided}
    if shape is Shape.JSON:
        document = {"run": chosen.id, **cohort.about, **shown}
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False, default=str))
        return
    from riskstrat.commands.printing import facts

    typer.echo("\n".join(facts(_facts(cohort, chosen.as_of, shown))))


def _counts(chosen: Run, name: str) -> dict[str, int]:
    return {
        "people": int(chosen.manifest.get("cohorts", {}).get(name, 0)),
        "undecided": int(chosen.manifest.get("cohorts_undecided", {}).get(name, 0)),
    }


def _draft_counts(connection: Any, chosen: Run, cohort: PublishedCohort) -> dict[str, int]:
    from riskstrat.reading.failures import reading
    from riskstrat.reading.funnel import funnel

    with reading(chosen):
        found = funnel(connection, chosen, cohort.criteria)
    return {"people": found.people, "undecided": found.undecided}


def _facts(cohort: PublishedCohort, as_of: date, shown: Mapping[str, Any]) -> dict[str, Any]:
    about = cohort.about
    top = cohort.criteria.top_n
    needs = [
        *about["requires"]["extracts"],
        *(f"legal basis {one}" for one in about["requires"]["legal_basis"]),
    ]
    return {
        "cohort": str(about["name"]),
        "title": str(about["title"]),
        "why": str(about["why"]),
        "include": [rule.text for rule in cohort.criteria.include],
        "exclude": [rule.text for rule in cohort.criteria.exclude],
        "top_n": f"the first {top.people} of each {top.per}" if top else "",
        "rank_by": ", ".join(about["rank_by"]),
        "gaps": [f"{name}: {rule.text}" for name, rule in cohort.criteria.gaps],
        "reasons": _sentences(about),
        "columns": ", ".join(cohort.columns),
        "by hand": "" if about["manual_additions"] else "nobody can be added by hand",
        "capacity": f"{about['capacity']} people a neighbourhood" if about["capacity"] else "",
        "cadence": str(about["cadence"] or ""),
        "requires": ", ".join(needs),
        "source": str(about["source"]),
        "review": _review(about["review"], as_of),
        "people": [_number(shown["people"]), _undecided(cohort, shown["undecided"])],
    }


def _sentences(about: Mapping[str, Any]) -> list[str]:
    """The reasons, each with the condition under which it is said; older runs published none."""
    conditions = about.get("reasons_when") or [None] * len(about["reasons"])
    return [
        f"{text} (when {when['text']})" if when else str(text)
        for text, when in zip(about["reasons"], conditions, strict=True)
    ]


def _review(review: Mapping[str, Any], as_of: date) -> str:
    signed = review["signed_off_by"]
    due = str(review["next_review"])
    state = f"signed off by {signed}" if signed else "signed off by nobody yet"
    when = "was due on" if due and due < as_of.isoformat() else "due on"
    return f"written by {review['author']}; {state}; next review {when} {due}"


def _undecided(cohort: PublishedCohort, undecided: Any) -> str:
    if cohort.criteria.undecidable:
        return f"nobody can be decided: {cohort.criteria.undecidable}"
    return f"{_number(undecided)} more could not be decided" if undecided else ""


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
