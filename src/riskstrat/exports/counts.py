"""What a commissioner is given: how many people of a cohort each neighbourhood has, through the disclosure gate."""

from __future__ import annotations

import duckdb

from riskstrat.definitions.audiences import Audience
from riskstrat.definitions.disclosure import Policy, load_disclosure
from riskstrat.disclosure.counts import HIDDEN
from riskstrat.disclosure.release import SEPARATOR, WHOLE, cross_table, flat
from riskstrat.disclosure.release import Release as CountRelease
from riskstrat.disclosure.store import publish_for_site
from riskstrat.errors import DefinitionError
from riskstrat.exports.people import Rows
from riskstrat.reading.decision import members_of
from riskstrat.reading.failures import reading
from riskstrat.runs import Run
from riskstrat.site import Site

COLUMNS = ("neighbourhood_code", "neighbourhood_name", "people")


def policy_of(site: Site, audience: Audience) -> Policy:
    """The policy under which counts leave for the audience. Raises DefinitionError."""
    path = site.config / "disclosure.yaml"
    policies = load_disclosure(path).audiences
    if audience.name not in policies:
        raise DefinitionError(
            f"the audience {audience.name} has no policy.",
            file=path,
            column="audiences",
            remedy=f"add '{audience.name}: {audience.disclosure}'.",
        )
    return policies[audience.name]


def shown_counts(
    site: Site, connection: duckdb.DuckDBPyConnection, run: Run, cohort: str, policy: Policy
) -> Rows:
    """People of the cohort by neighbourhood and in all, as they may be shown.

    Always of every neighbourhood, whatever part of the place an export is about, so that nobody can set one export
    against another. Raises NotPermittedError where nothing can be shown safely.
    """
    names = {code: str(about["name"]) for code, about in run.manifest.get("neighbourhoods", {}).items()}
    with reading(run, None):
        counted = connection.execute(
            f"SELECT features.neighbourhood_code, count(*) FROM {members_of(run, cohort)} AS members "
            "JOIN features USING (person_id) GROUP BY features.neighbourhood_code"
        ).fetchall()
    people = dict.fromkeys(names, 0) | {str(code): int(count) for code, count in counted}
    # The same name in every run, so that the gate protects one night's counts together with the nights before.
    name = f"people of {cohort} by neighbourhood"
    cells, relations = cross_table(name, {(code,): count for code, count in people.items()}, [flat(people)])
    published = publish_for_site(site, CountRelease(name, run.as_of, cells, relations), policy)
    rows = []
    for code in [*sorted(people), WHOLE]:
        count = published.counts[f"{name}{SEPARATOR}{code}"]
        rows.append([code, names.get(code, ""), HIDDEN if count is None else count])
    return Rows(COLUMNS, rows, 0)
