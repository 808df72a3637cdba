"""A definition as it stands in ``config/cohorts/`` now, judged on a published run. Reads YAML, when it is called."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from riskstrat.reading.published import PublishedCohort, parse_cohort, unknown_cohort
from riskstrat.runs import Run
from riskstrat.site import Site

if TYPE_CHECKING:
    from riskstrat.definitions.cohort_findings import Finding


def read_draft(
    site: Site, run: Run, name: str, features: Collection[str]
) -> tuple[PublishedCohort, tuple[Finding, ...]]:
    """The definition ``name`` of the site over the features that the run has, and what a reviewer would find in it.

    Raises DefinitionError where it cannot be judged at all.
    """
    from riskstrat.definitions.cohort_checks import check_cohort
    from riskstrat.definitions.cohort_documents import cohort_document
    from riskstrat.definitions.cohort_rules import check_names, compile_cohort
    from riskstrat.definitions.cohorts import load_cohort
    from riskstrat.definitions.contracts import load_contract

    path = site.config / "cohorts" / f"{name}.yaml"
    known = sorted(one.stem for one in path.parent.glob("*.yaml"))
    if name not in known:
        raise unknown_cohort(name, known, "config/cohorts")
    cohort = load_cohort(path)
    contract = load_contract(site.data_contracts / "features.yaml")
    columns = {column.name: column for column in contract.columns if column.name in features}
    extracts = run.manifest.get("extracts", {})
    check_names(cohort, columns, extracts, path)
    rules = compile_cohort(cohort, columns.values(), run.as_of, path)
    found = check_cohort(cohort, columns, tuple(extracts), run.as_of, file=path)
    absent = [one for one in cohort.requires.extracts if not extracts[one]["present"]]
    undecidable = f"not delivered: {', '.join(absent)}" if absent else None
    return parse_cohort(cohort_document(cohort, rules, undecidable)), tuple(found)
