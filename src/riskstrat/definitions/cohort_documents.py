"""A cohort's definition with the SQL that its conditions became, as plain data that reads without a YAML parser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskstrat.definitions.cohort_rules import Rules, rank_sql
from riskstrat.definitions.cohorts import Cohort
from riskstrat.language import Expression


def cohort_document(
    cohort: Cohort, rules: Rules, undecidable: str | None, undecidable_gaps: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a run keeps of a definition.

    ``undecidable`` says why nobody can be decided, None where it can be; ``undecidable_gaps`` says of a gap (by
    name) why it is said of nobody.
    """
    unknown = undecidable_gaps or {}
    review, top_n = cohort.review, cohort.top_n
    return {
        "name": cohort.name,
        "title": cohort.title,
        "why": cohort.why,
        "source": cohort.source,
        "cadence": cohort.cadence,
        "capacity": cohort.capacity,
        "top_n": {"people": top_n.people, "per": top_n.per} if top_n else None,
        "include": [_condition(rule) for rule in rules.include],
        "exclude": [_condition(rule) for rule in rules.exclude],
        "gaps": [
            {"name": name, **_condition(gap), "undecidable": unknown.get(name)} for name, gap in rules.gaps
        ],
        "rank_by": [item.text for item in cohort.rank_by],
        "rank_sql": rank_sql(cohort.rank_by),
        "reasons": [reason.text for reason in cohort.reasons],
        "reasons_when": [
            _condition(when) if when else None for _, when in rules.reasons
        ],  # in the same order
        "columns": list(cohort.columns),
        "requires": {
            "extracts": list(cohort.requires.extracts),
            "legal_basis": list(cohort.requires.legal_basis),
        },
        "manual_additions": cohort.manual_additions,
        "review": {
            "author": review.author,
            "signed_off_by": review.signed_off_by,
            "next_review": review.next_review.isoformat(),
        },
        "undecidable": undecidable,
        "sha256": cohort.sha256,
    }


def _condition(rule: Expression) -> dict[str, Any]:
    return {"text": rule.text, "sql": rule.sql, "columns": list(rule.columns)}
