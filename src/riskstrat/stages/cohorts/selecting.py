"""The stage: judge everybody by every rule once, then rank and publish the members of one cohort after another."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from riskstrat.definitions.cohort_logic import contradicting
from riskstrat.definitions.cohort_rules import Rules, compile_cohort
from riskstrat.definitions.everything import FEATURES, Definitions
from riskstrat.errors import DefinitionError
from riskstrat.stages.cohorts.additions import gather_additions
from riskstrat.stages.cohorts.judging import count_undecided, judge, undecidable_cohorts
from riskstrat.stages.cohorts.members import members
from riskstrat.stages.cohorts.publishing import publish_definition, publish_members, publish_outsiders
from riskstrat.stages.context import Context

MEMBERS_TABLE = (
    "CREATE TABLE cohort_members (cohort VARCHAR, person_id VARCHAR, rank INTEGER, score BIGINT, "
    "reasons VARCHAR, gaps VARCHAR, is_manual_addition BOOLEAN)"
)


def compile_cohorts(definitions: Definitions, as_of: date) -> dict[str, Rules]:
    """Check every condition of every cohort against the feature table, and that somebody could pass them together.

    Raises DefinitionError with the place.
    """
    columns = {column.name: column for column in definitions.contracts[FEATURES].columns}
    compiled = _compiled(definitions, as_of)
    for name, rules in compiled.items():
        if impossible := contradicting(rules, columns):
            raise DefinitionError(
                f"nobody can be a member, by {' / '.join(rule.text for rule in impossible)}.",
                file=_file(definitions, name),
                column="include",
                remedy=f"correct or drop a rule; riskstrat cohort validate {name} says more.",
            )
    return compiled


def _compiled(definitions: Definitions, as_of: date) -> dict[str, Rules]:
    columns = definitions.contracts[FEATURES].columns
    return {
        name: compile_cohort(cohort, columns, as_of, _file(definitions, name))
        for name, cohort in definitions.cohorts.items()
    }


def _file(definitions: Definitions, name: str) -> Path:
    return definitions.root / "config" / "cohorts" / f"{name}.yaml"


def cohorts(context: Context) -> None:
    """Leave ``cohort_members``; write cohorts/NAME.parquet, cohorts/NAME.json and register.parquet.

    People whom the rules could not decide are counted in the manifest, and a cohort that nobody can be decided for,
    as an extract was not delivered, is named there. People added by hand stay, whatever the rules say, and are marked.
    """
    rules = _compiled(context.definitions, context.as_of)  # checked before anything was read
    undecidable = undecidable_cohorts(context)
    gather_additions(context)
    judge(context, rules, undecidable)
    context.engine.execute(MEMBERS_TABLE)
    (context.building / "cohorts").mkdir()
    sizes = {}
    for place, (name, cohort) in enumerate(context.definitions.cohorts.items()):
        context.progress.step(name)
        context.engine.execute(f"INSERT INTO cohort_members {members(context, cohort, rules[name], place)}")
        sizes[name] = publish_members(context, name)
        publish_definition(context, cohort, rules[name], undecidable.get(name))
    publish_outsiders(context)
    context.manifest["cohorts"] = sizes
    context.manifest["cohorts_undecided"] = count_undecided(context, rules, undecidable)
    context.manifest["cohorts_undecidable"] = undecidable
