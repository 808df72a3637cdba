"""For whom a result is: counts pass the disclosure policy of the audience.

Rows about people go only to audiences from whom nothing is hidden.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from riskstrat.commands.choosing import site_of
from riskstrat.commands.completion import complete_audience
from riskstrat.errors import DefinitionError, NotPermittedError

if TYPE_CHECKING:
    from riskstrat.definitions.disclosure import Policy

ANALYST = "analyst"
HIDDEN = "*"
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
    """The policy that hides counts from the audience; None where it is shown everything. Raises DefinitionError."""
    path = site_of(context).config / "disclosure.yaml"
    if audience == ANALYST and (
        not path.is_file() or OPEN_TO_ANALYSTS.search(path.read_text(encoding="utf-8"))
    ):
        return None
    from riskstrat.definitions.disclosure import load_disclosure

    audiences = load_disclosure(path).audiences
    if audience not in audiences:
        raise DefinitionError(
            f"there is no audience '{audience}'.",
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
        raise NotPermittedError(
            f"the audience '{audience}' may not see rows about single people ({policy.name}: {policy.title}).",
            remedy="give it counts: riskstrat cohort count, attrition or diff --audience "
            f"{audience}; or name an audience whose policy hides nothing.",
        )


def shown_count(count: int, policy: Policy | None) -> str | int:
    """A count that stands alone, as the policy lets it leave."""
    if policy is None:
        return count
    from riskstrat.disclosure.counts import shown

    found = shown(count, policy)
    return HIDDEN if found is None else found


def or_hidden(count: int | None) -> str | int:
    """A count, or the mark of a hidden one."""
    return HIDDEN if count is None else count
