"""The part of a list that a team fills in and sends back: its columns, and what may be written in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskstrat.definitions.contracts import load_contract
from riskstrat.definitions.returns import FILE, ReturnRules, load_return_rules
from riskstrat.site import Site

CONTRACT = "worklist_returns"
OUTCOME, REFERRED_TO = "outcome", "referred_to"


@dataclass(frozen=True)
class ReturnForm:
    """``filled`` are the columns to fill in, ``kept`` those that say which row it is and are left alone.

    ``days`` and ``questions`` are the columns of ``filled`` that take a date, and yes or no. ``meanings`` describes
    every column.
    """

    kept: tuple[str, ...]
    filled: tuple[str, ...]
    days: tuple[str, ...]
    questions: tuple[str, ...]
    meanings: Mapping[str, str]
    rules: ReturnRules

    def choices(self) -> dict[str, dict[str, str]]:
        """Column to the words that may stand in it, with what each means."""
        return {
            OUTCOME: {name: outcome.title for name, outcome in self.rules.outcomes.items()},
            REFERRED_TO: dict(self.rules.referrals),
        }


def load_return_form(site: Site) -> ReturnForm:
    """The form as the contract of returns and ``config/returns.yaml`` give it. Raises DefinitionError."""
    contract = load_contract(site.data_contracts / f"{CONTRACT}.yaml")
    kept = tuple(column for column in contract.columns if column.required)
    filled = tuple(column for column in contract.columns if not column.required)
    return ReturnForm(
        kept=tuple(column.name for column in kept if not column.identifier),
        filled=tuple(column.name for column in filled),
        days=tuple(column.name for column in filled if column.type == "date"),
        questions=tuple(column.name for column in filled if column.type == "boolean"),
        meanings={column.name: column.description for column in contract.columns},
        rules=load_return_rules(site.config / FILE),
    )
