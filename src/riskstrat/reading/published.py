"""A cohort as a run published it: ``cohorts/NAME.json`` beside its members, so that reading needs no YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.errors import DefinitionError, NothingPublishedError, RiskstratError
from riskstrat.runs import Run

COHORTS = "cohorts"


@dataclass(frozen=True)
class Rule:
    """One rule: as it was written, as checked SQL over the feature table, and the features that it reads."""

    text: str
    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TopN:
    """The first ``people`` of each area by rank make the cohort; ``per`` is the column of the area."""

    people: int
    per: str


@dataclass(frozen=True)
class Criteria:
    """Whom to select: a cohort's rules, or the parts of a condition (``name`` is None).

    ``rank_sql`` stands after ORDER BY over features and scores. ``undecidable`` says why nobody can be decided.
    """

    name: str | None
    include: tuple[Rule, ...]
    exclude: tuple[Rule, ...] = ()
    gaps: tuple[tuple[str, Rule], ...] = ()
    top_n: TopN | None = None
    rank_sql: str = "person_id"
    undecidable: str | None = None
    sha256: str | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Include rules, then exclude rules."""
        return (*self.include, *self.exclude)


@dataclass(frozen=True)
class PublishedCohort:
    """One cohort of a run. ``about`` is the whole document: title, why, source, review, reasons and the rest."""

    criteria: Criteria
    columns: tuple[str, ...]
    about: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the cohort is called."""
        return str(self.about["title"])


def read_cohort(run: Run, name: str) -> PublishedCohort:
    """The cohort ``name`` of a run, one that the run selected.

    Raises DefinitionError for a name that the run does not have, NothingPublishedError where the run is older than
    this form, and RiskstratError where the file is damaged.
    """
    known = run.cohorts()
    if name not in known:
        raise unknown_cohort(name, known, f"the run {run.id}")
    path = definition_path(run, name)
    if not path.is_file():
        raise NothingPublishedError(
            f"run {run.id} does not keep the rules of its cohorts; it is older than this command.",
            remedy=f"publish that date again: riskstrat run --as-of {run.as_of}",
        )
    try:
        return parse_cohort(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        raise RiskstratError(
            "cannot be read; the published run is damaged.",
            file=path,
            remedy=f"see: riskstrat runs verify {run.id}",
        ) from None


def definition_path(run: Run, name: str) -> Path:
    """Where a run keeps the definition of one of its cohorts."""
    return run.folder / COHORTS / f"{name}.json"


def unknown_cohort(name: str, known: list[str], where: str) -> DefinitionError:
    """The error for a name that is no cohort, with those that it may have been meant to be."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return DefinitionError(
        f"{where} has no cohort '{name}'.",
        remedy=f"use one of: {', '.join(near or known) or 'none'}. "
        "A new definition takes part from the next run on; --draft tries it before.",
    )


def parse_cohort(document: Mapping[str, Any]) -> PublishedCohort:
    """A cohort from its JSON document. Raises KeyError, TypeError or ValueError where it is not one."""
    top = document["top_n"]
    criteria = Criteria(
        name=str(document["name"]),
        include=tuple(map(_rule, document["include"])),
        exclude=tuple(map(_rule, document["exclude"])),
        gaps=tuple((str(gap["name"]), _rule(gap)) for gap in document["gaps"]),
        top_n=TopN(int(top["people"]), str(top["per"])) if top else None,
        rank_sql=str(document["rank_sql"]),
        undecidable=document["undecidable"],
        sha256=document["sha256"],
    )
    return PublishedCohort(criteria, tuple(document["columns"]), document)


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(str(entry["text"]), str(entry["sql"]), tuple(entry["columns"]))
