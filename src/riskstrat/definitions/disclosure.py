"""``config/disclosure.yaml``: policies that hide small counts, and which audience is shown counts under which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

KEYS = ("policies", "audiences")
OPEN = "none"
POLICY_KEYS = ("title", "source", "smallest_shown", "rounded_to")


@dataclass(frozen=True)
class Policy:
    """Counts from 1 to ``smallest_shown`` - 1 are hidden; others are rounded to multiples of ``rounded_to``.

    ``smallest_shown`` 1 hides nothing, ``rounded_to`` 1 rounds nothing.
    """

    name: str
    title: str
    smallest_shown: int = 1
    rounded_to: int = 1

    @property
    def hides(self) -> bool:
        """Whether counts come out otherwise than they are."""
        return self.smallest_shown > 1 or self.rounded_to > 1


@dataclass(frozen=True)
class Disclosure:
    """Audience to the policy under which counts leave for it."""

    audiences: Mapping[str, Policy]


def load_disclosure(path: Path) -> Disclosure:
    """Parse the policies and audiences strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    policies = {
        str(name): _policy(str(name), entry, path)
        for name, entry in mapping_at(document, "policies", path).items()
    }
    audiences = {}
    for audience, name in mapping_at(document, "audiences", path).items():
        if name not in policies:
            raise DefinitionError(
                f"the audience {audience} has the policy '{name}', which is not there.",
                file=path,
                column="audiences",
                remedy=f"use one of {', '.join(policies)}.",
            )
        audiences[str(audience)] = policies[name]
    return Disclosure(audiences)


def _policy(name: str, entry: Any, path: Path) -> Policy:
    check_keys(entry, allowed=POLICY_KEYS, required=("title",), file=path, where=name)
    policy = Policy(
        name,
        text_at(entry, "title", path, name),
        count_at(entry, "smallest_shown", path, name) or 1,
        count_at(entry, "rounded_to", path, name) or 1,
    )
    if name == OPEN and policy.hides:
        raise DefinitionError(
            f"the policy {OPEN} hides nothing, and here it would.",
            file=path,
            column=name,
            remedy="give this policy another name.",
        )
    if policy.rounded_to > 1 and policy.smallest_shown <= policy.rounded_to // 2:
        raise DefinitionError(
            f"{name} would round counts of people to 0.",
            file=path,
            column=name,
            remedy="raise smallest_shown above half of rounded_to.",
        )
    return policy
