"""riskstrat cohort: who is on a list, or would be. One module a command, imported when it is called."""

from __future__ import annotations

import typer

from riskstrat.commands.lazy import lazy_group

COMMANDS = {
    "list": "riskstrat.commands.cohort_list:list_cohorts",
    "show": "riskstrat.commands.cohort_show:show",
    "validate": "riskstrat.commands.cohort_validate:validate",
    "count": "riskstrat.commands.cohort_people:count",
    "query": "riskstrat.commands.cohort_people:query",
    "attrition": "riskstrat.commands.cohort_attrition:attrition",
    "explain": "riskstrat.commands.cohort_explain:explain",
    "diff": "riskstrat.commands.cohort_diff:diff",
    "sql": "riskstrat.commands.cohort_sql:sql",
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    help="Cohorts: who is on a list, or would be.",
)


@app.callback()
def cohort() -> None:
    """Cohorts: who is on a list, or would be."""
