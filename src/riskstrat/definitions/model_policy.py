"""``config/model/policy.yaml``: how risk models are fitted, and how long they may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, text_at
from riskstrat.definitions.cohorts import review_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

POLICY_KEYS = ("title", "training", "boosting", "serving", "source", "review")


@dataclass(frozen=True)
class Training:
    """How models are fitted; ``ridge`` is the L2 penalty on standardised columns, in log-likelihood."""

    least_events: int
    events_per_coefficient: int
    least_people: int
    ridge: float


@dataclass(frozen=True)
class Boosting:
    """How the challenger is fitted, to ``most_rows`` rows; ``held_out_share`` of their people decide when it stops."""

    learning_rate: float
    most_trees: int
    most_rows: int
    leaves_a_tree: int
    least_rows_a_leaf: int
    ridge: float
    held_out_share: float
    patience: int


@dataclass(frozen=True)
class Serving:
    """How long a model may be used, when it says nothing, and how much it says of a person."""

    expires_after_months: int
    most_unknown_rise: float
    most_reasons: int
    least_contribution: float


def load_policy(path: Path) -> tuple[Training, Boosting, Serving]:
    """Parse the policy strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=POLICY_KEYS, required=POLICY_KEYS, file=path)
    text_at(document, "source", path)
    text_at(document, "title", path)
    review_at(document, path)
    return (
        Training(**_settings(document, "training", Training, path)),
        Boosting(**_settings(document, "boosting", Boosting, path)),
        Serving(**_settings(document, "serving", Serving, path)),
    )


def _settings(document: Mapping[str, Any], key: str, kind: type[Any], path: Path) -> dict[str, Any]:
    """The values of one part of the policy by name: whole numbers of 1 or more, or numbers above 0."""
    entry = mapping_at(document, key, path)
    types: Mapping[str, str] = kind.__annotations__
    check_keys(entry, allowed=types, required=types, file=path, where=key)
    return {name: _setting(entry, name, types[name], path) for name in types}


def _setting(entry: Mapping[str, Any], name: str, kind: str, path: Path) -> int | float:
    value = entry[name]
    if kind == "int" and (number := count_at(entry, name, path)) is not None:
        return number
    if kind == "int" or not is_number(value) or value <= 0 or ("share" in name and value >= 1):
        raise DefinitionError(
            f"{name} must be {'below 1 and ' if 'share' in name else ''}above 0.",
            file=path,
            column=name,
            remedy="write a number.",
        )
    return float(value)


def is_number(value: Any) -> bool:
    """Whether YAML read a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
