"""riskstrat cohort list: the cohorts of a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from riskstrat.commands.choosing import (
    AsOfOption,
    OutOption,
    RunOption,
    Sheet,
    chosen_run,
    say,
    say_run,
    site_of,
)
from riskstrat.commands.disclosing import ANALYST, AudienceOption, policy_for, population_of_run, shown_answer
from riskstrat.runs import Run

HEADS = ("cohort", "people", "undecided", "title")


def list_cohorts(
    context: typer.Context,
    form: Annotated[Sheet, typer.Option("--format", help="How to write the list.")] = Sheet.TABLE,
    out: OutOption = None,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """List the cohorts of a run: how many people, and how many could not be decided.

    Example: riskstrat cohort list
    """
    from riskstrat.commands.writing import check_target, write_text

    policy = policy_for(context, audience)
    if out is not None:
        check_target(out, site_of(context))
    chosen = chosen_run(context, run, as_of)
    say_run(chosen)
    undecided = chosen.manifest.get("cohorts_undecided", {})
    population = population_of_run(chosen) if policy is not None else 0
    rows: list[tuple[Any, ...]] = [
        (name, *shown_answer(people, undecided.get(name, 0), population, policy), _title(chosen, name))
        for name, people in chosen.manifest.get("cohorts", {}).items()
    ]
    write_text(HEADS, rows, form.value, out)
    for name, reason in chosen.manifest.get("cohorts_undecidable", {}).items():
        say(f"{name}: nobody can be decided, as {reason}; listed are people added by hand.")
    if out is not None:
        say(f"written to {out}")


def _title(run: Run, name: str) -> str | None:
    """The title as it was published; None where the run is older than that."""
    import json

    from riskstrat.reading.published import definition_path

    try:
        return str(json.loads(definition_path(run, name).read_text(encoding="utf-8"))["title"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
