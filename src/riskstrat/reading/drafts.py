"""A definition as it stands in ``config/cohorts/`` now, judged on a published run. Reads YAML, when it is called."""

from __future__ import annotations

from collections.abc import Collection

from riskstrat.reading.published import PublishedCohort, parse_cohort, unknown_cohort
from riskstrat.runs import Run
from riskstrat.site import Site


def read_draft(site: Site, run: Run, name: str, features: Collection[str]) -> PublishedCohort:
    """The definition ``name`` of the site over the features that the run has. Raises DefinitionError."""
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
    columns = [column for column in contract.columns if column.name in features]
    extracts = run.manifest.get("extracts", {})
    check_names(cohort, {column.name: column for column in columns}, extracts, path)
    rules = compile_cohort(cohort, columns, run.as_of, path)
    absent = [one for one in cohort.requires.extracts if not extracts[one]["present"]]
    undecidable = f"not delivered: {', '.join(absent)}" if absent else None
    return parse_cohort(cohort_document(cohort, rules, undecidable))
