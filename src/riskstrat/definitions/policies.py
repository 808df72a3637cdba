"""Local decisions that are neither a code list nor a cohort: how people are ranked and what a worklist shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

COMPONENT_KEYS = ("feature", "points_per_unit")


@dataclass(frozen=True)
class ScoreComponent:
    """One part of the score: ``points_per_unit`` points for each unit of a feature."""

    feature: str
    points_per_unit: int


@dataclass(frozen=True)
class Ranking:
    """``config/ranking.yaml``: the transparent score as a sum of named components."""

    title: str
    why: str
    components: Mapping[str, ScoreComponent]


@dataclass(frozen=True)
class WorklistLayout:
    """``config/worklists.yaml``: the columns of a worklist file, from the cohort and the feature table."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class ReportLayout:
    """``config/report.yaml``: the age from which the run report shows frailty."""

    older_from_age: int


def load_ranking(path: Path) -> Ranking:
    """Parse the score's components. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(
        document, allowed=("title", "why", "components"), required=("title", "why", "components"), file=path
    )
    components = {}
    for name, entry in mapping_at(document, "components", path).items():
        check_keys(entry, allowed=COMPONENT_KEYS, required=COMPONENT_KEYS, file=path, where=name)
        if name in ("person_id", "score"):
            raise DefinitionError(f"a component cannot be called {name}.", file=path, column=str(name))
        if type(entry["points_per_unit"]) is not int:
            raise DefinitionError(
                f"points_per_unit of {name} must be a whole number.", file=path, column=name
            )
        components[str(name)] = ScoreComponent(str(entry["feature"]), entry["points_per_unit"])
    return Ranking(str(document["title"]), str(document["why"]), components)


def load_worklist_layout(path: Path) -> WorklistLayout:
    """Parse the worklist's columns. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=("columns",), required=("columns",), file=path)
    if not isinstance(document["columns"], list) or not document["columns"]:
        raise DefinitionError("must be a list of columns.", file=path, column="columns")
    return WorklistLayout(tuple(str(column) for column in document["columns"]))


def load_report_layout(path: Path) -> ReportLayout:
    """Parse the report's choices. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=("older_from_age",), required=("older_from_age",), file=path)
    if not isinstance(document["older_from_age"], int):
        raise DefinitionError("must be a whole number of years.", file=path, column="older_from_age")
    return ReportLayout(document["older_from_age"])
