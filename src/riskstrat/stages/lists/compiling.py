"""The conditions of every list and of the wording, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.everything import Definitions, list_columns
from riskstrat.definitions.list_rules import ListRules, WordingRules, compile_list, compile_wording


@dataclass(frozen=True)
class Compiled:
    """The rules of every list by name, and those of the wording."""

    lists: Mapping[str, ListRules]
    wording: WordingRules


def compile_lists(definitions: Definitions, as_of: date) -> Compiled:
    """Check every condition. Raises DefinitionError with the place."""
    config, columns = definitions.root / "config", list_columns(definitions)
    return Compiled(
        lists={
            name: compile_list(definition, columns, as_of, config / "lists" / f"{name}.yaml")
            for name, definition in definitions.lists.items()
        },
        wording=compile_wording(definitions.wording, columns, as_of, config / "reasons.yaml"),
    )
