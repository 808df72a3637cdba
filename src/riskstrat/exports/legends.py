"""What a spreadsheet says about itself: the cohort, the run, what each column means, and what it is not."""

from __future__ import annotations

from typing import Any

from riskstrat.definitions.contracts import load_contract
from riskstrat.exports.counts import COLUMNS as COUNT_COLUMNS
from riskstrat.exports.formats import Legend
from riskstrat.exports.manifests import NOTE
from riskstrat.exports.people import Rows
from riskstrat.reading.published import PublishedCohort
from riskstrat.runs import Run
from riskstrat.site import Site

DESCRIBED_BY = ("features", "worklists", "cohorts", "gp_patients")
OWN = {
    "pseudonym": "A name for the person that stands in this recipient's files only.",
    "cohort_rank": "Place among all members of the cohort.",
    "neighbourhood_name": "The name of the neighbourhood.",
    "people": "Members of the cohort; * is a count that may not be shown, others are rounded as the policy says.",
}


def legend_of(
    site: Site, run: Run, cohort: PublishedCohort, rows: Rows, for_whom: str, expires: str
) -> Legend:
    """The legend of a table of this cohort."""
    about: dict[str, Any] = dict(cohort.about)
    facts = {
        str(about["title"]): "",
        "What this is": NOTE,
        "Why these people": str(about["why"]),
        "Included": "; ".join(rule["text"] for rule in about["include"]),
        "Left out": "; ".join(rule["text"] for rule in about["exclude"]) or "nobody",
        "Ordered by": ", ".join(map(str, about["rank_by"])),
        "Source": str(about["source"]),
        "Signed off by": str(about["review"]["signed_off_by"] or "nobody yet"),
        "Definition": f"{about['name']}, SHA-256 {about['sha256']}",
        "Run": run.id,
        "As of": f"{run.as_of} (nothing dated on or after this day is used)",
        "For": for_whom,
        "May be opened until": f"the day before {expires}",
    }
    if rows.columns != COUNT_COLUMNS:
        facts["Unknown"] = "An empty cell is unknown. It does not mean no or zero."
    meanings: dict[str, str] = {}
    for name in DESCRIBED_BY:
        path = site.data_contracts / f"{name}.yaml"
        if path.is_file():
            meanings = {column.name: column.description for column in load_contract(path).columns} | meanings
    meanings |= OWN
    return Legend(facts, {column: meanings.get(column, "") for column in rows.columns})
