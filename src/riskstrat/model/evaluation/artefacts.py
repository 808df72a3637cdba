"""The files of a model that a card speaks of, read and parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model import ModelDefinition
from riskstrat.definitions.model_card import CardPlan
from riskstrat.model.evaluation.judging import CHALLENGER, MODEL
from riskstrat.scoring.effects import Effect

LEFT = False
"""A column of words in a card's table; numbers stand to the right."""


def in_order(horizon: Mapping[str, Any]) -> list[str]:
    """The scores of a horizon as the page has them: the model, its challenger, what a team would do without them."""
    compared = [row["less"] for row in horizon["differences"] if row["of"] == MODEL]
    return [name for name in (MODEL, CHALLENGER, *compared) if name in horizon["scores"]]


@dataclass(frozen=True)
class Artefacts:
    """Everything that a card may speak of: the files of the model and its definitions, read and parsed."""

    about: Mapping[str, Any]
    status: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    frame: Mapping[str, Any]
    definition: ModelDefinition
    effects: tuple[Effect, ...]
    words: CardPlan
    policy: Policy

    @property
    def main(self) -> Mapping[str, Any]:
        """The figures of the main horizon."""
        found: Mapping[str, Any] = self.evaluation["horizons"][0]
        return found

    @property
    def judged(self) -> list[Mapping[str, Any]]:
        """The figures of every horizon that could be judged."""
        return [horizon for horizon in self.evaluation["horizons"] if "left_out" not in horizon]
