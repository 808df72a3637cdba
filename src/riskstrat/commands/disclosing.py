"""For whom a result is: counts pass the disclosure policy of the audience.

Rows about people go only to audiences from whom nothing is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import site_of
from riskstrat.commands.completion import complete_audience
from riskstrat.errors import NotPermittedError

if TYPE_CHECKING:
    import duckdb

    from riskstrat.definitions.disclosure import Policy
    from riskstrat.runs import Run
    from riskstrat.site import Site

ANALYST = "analyst"
HIDDEN = "*"
KEY = "person_id"
# The usual answer is known without a YAML parser: analysts are shown counts as they are.
OPEN_TO_ANALYSTS = re.compile(rf"^ +{ANALYST}: *none *$", re.MULTILINE)

AudienceOption = Annotated[
    str,
    typer.Option(
        "--audience",
        metavar="NAME",
        help="For whom: counts pass the policy that config/disclosure.yaml names for it.",
        autocompletion=complete_audience,
    ),
]


def policy_for(context: typer.Context, audience: str) -> Policy | None:
    """The policy that hides counts from the audience; None where it is shown everything.

    Raises NotPermittedError for an audience without a policy: whoever is not named is shown nothing.
    """
    path = site_of(context).config / "disclosure.yaml"
    if audience == ANALYST and (
        not path.is_file() or OPEN_TO_ANALYSTS.search(path.read_text(encoding="utf-8"))
    ):
        return None
    from riskstrat.definitions.disclosure import load_disclosure

    audiences = load_disclosure(path).audiences
    if audience not in audiences:
        with _refusal(context, audience):
            raise NotPermittedError(
                f"the audience '{audience}' has no policy under which it is shown counts.",
                file=path,
                column="audiences",
                remedy=f"use one of {', '.join(audiences)}, or add it there with a policy.",
            )
    policy = audiences[audience]
    return policy if policy.hides else None


def refuse_rows(context: typer.Context, audience: str) -> None:
    """Raise NotPermittedError where the audience may not see rows about single people."""
    policy = policy_for(context, audience)
    if policy is not None:
        with _refusal(context, audience):
            raise NotPermittedError(
                f"the audience '{audience}' may not see rows about single people ({policy.name}: {policy.title}).",
                remedy="give it counts: riskstrat cohort count, attrition or diff --audience "
                f"{audience}; or name an audience whose policy hides nothing.",
            )


def refuse_identifying(
    context: typer.Context, columns: Iterable[str], audience: str, policy: Policy | None
) -> None:
    """Raise NotPermittedError where a condition asks who somebody is, and the audience may know counts alone."""
    if policy is not None and KEY in columns:
        with _refusal(context, audience):
            raise NotPermittedError(
                f"the audience '{audience}' may not ask about single people, and the condition reads {KEY} "
                f"({policy.name}: {policy.title}).",
                remedy=f"ask about features, without {KEY}.",
            )


def refuse_funnel_of_area(context: typer.Context, audience: str, policy: Policy | None) -> None:
    """Raise NotPermittedError where counts are hidden: the funnels of all areas together would give them away."""
    if policy is not None:
        with _refusal(context, audience):
            raise NotPermittedError(
                f"the audience '{audience}' may not see the funnel of one area ({policy.name}: {policy.title}).",
                remedy="give it the funnel of the whole place, and counts of areas: riskstrat cohort count "
                f"--area CODE --audience {audience}",
            )


def _refusal(context: typer.Context, audience: str) -> AbstractContextManager[None]:
    """What is refused inside is on record."""
    from riskstrat.audit import refusal

    return refusal(site_of(context), "query", audience=audience)


def shown_answer(
    people: int,
    undecided: int,
    population: int,
    policy: Policy | None,
    whole: tuple[int, int, int] | None = None,
    *,
    of_condition: bool = False,
) -> tuple[str | int, str | int]:
    """People and undecided of a population, as the policy lets them leave.

    ``whole`` are the same three numbers of everybody, where the others are those of one area.
    """
    if policy is None:
        return people, undecided
    from riskstrat.disclosure import counts

    found = counts.shown_answer(
        counts.Answer(people, undecided, population),
        policy,
        whole=counts.Answer(*whole) if whole else None,
        may_be_negated=of_condition,
    )
    return or_hidden(found[0]), or_hidden(found[1])


def shown_in_area(
    site: Site, run: Run, connection: duckdb.DuckDBPyConnection, cohort: str, area: str, policy: Policy
) -> str | int:
    """The people of a cohort in one area, as they may leave with all areas of its kind and all that left before."""
    from riskstrat.disclosure.places import Place, shown_by
    from riskstrat.reading.decision import members_of
    from riskstrat.reading.failures import reading
    from riskstrat.reading.selection import AREA_COLUMNS

    with reading(run, None):
        rows = connection.execute(
            "SELECT practice_code, neighbourhood_code, pcn_code, count(members.person_id) FROM features "
            f"LEFT JOIN {members_of(run, cohort)} AS members USING (person_id) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    places = [Place(str(practice), str(home), str(pcn), int(people)) for practice, home, pcn, people in rows]
    kinds = (column.removesuffix("_code") for column in AREA_COLUMNS)
    kind = next(kind for kind in kinds if area in {getattr(place, kind) for place in places})
    return or_hidden(shown_by(site, cohort, run.as_of, places, kind, policy)[area])


def population_of_run(run: Run) -> int:
    """How many people the run is about."""
    return int(run.manifest["population"]["steps"][-1]["people"])


def or_hidden(count: int | None) -> str | int:
    """A count, or the mark of a hidden one."""
    return HIDDEN if count is None else count
