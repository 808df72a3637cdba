"""What a run publishes of each cohort: its members, and its definition as it was, for commands that read no YAML."""

from __future__ import annotations

import json

from riskstrat.definitions.cohort_documents import cohort_document
from riskstrat.definitions.cohort_rules import Rules
from riskstrat.definitions.cohorts import Cohort
from riskstrat.sqltext import literal
from riskstrat.stages.cohorts.judging import undecidable_gaps
from riskstrat.stages.context import Context

FOLDER = "cohorts"
PUBLISHED = "person_id, rank, score, reasons, gaps, is_manual_addition"


def publish_members(context: Context, name: str) -> int:
    """Write the members of a cohort in their order, and say how many there are."""
    chosen = f"FROM cohort_members WHERE cohort = {literal(name)}"
    context.engine.export(
        f"SELECT {PUBLISHED} {chosen} ORDER BY rank", context.building / FOLDER / f"{name}.parquet"
    )
    return int(context.engine.rows(f"SELECT count(*) {chosen}")[0][0])


def publish_definition(context: Context, cohort: Cohort, rules: Rules, undecidable: str | None) -> None:
    """Write a cohort's definition with the SQL that each of its conditions became in this run."""
    document = cohort_document(cohort, rules, undecidable, undecidable_gaps(context, rules))
    text = json.dumps(document, indent=1, ensure_ascii=False)
    path = context.building / FOLDER / f"{cohort.name}.json"
    path.write_text(text + "\n", encoding="utf-8")


def publish_outsiders(context: Context) -> None:
    """Write who is on the register, outside the population and not opted out, so that a comparison can say why."""
    context.engine.export(
        "SELECT person_keys.person_id, outside_population.status FROM outside_population "
        "JOIN person_keys ON person_keys.person = outside_population.person ORDER BY person_keys.person_id",
        context.building / "register.parquet",
    )
