"""Which extracts an export uses, and whether there is a live legal basis for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.audiences import IDENTIFIERS
from riskstrat.definitions.contracts import Contract, load_contract
from riskstrat.definitions.legal_basis import Basis, LegalBases
from riskstrat.definitions.policies import Ranking, load_ranking
from riskstrat.definitions.sources import load_sources
from riskstrat.reading.published import PublishedCohort
from riskstrat.reading.published_lists import PublishedList
from riskstrat.runs import Run
from riskstrat.site import Site

MANUAL_EXTRACT = "manual_additions"
SCORES = ("score", "risk_score")
WORD = re.compile(r"[a-z_0-9]+")


@dataclass(frozen=True)
class Knowledge:
    """What says which extracts a column comes from: the contracts, the score's parts, the register's name."""

    features: Contract
    lists: Contract
    ranking: Ranking
    register: str


def load_knowledge(site: Site) -> Knowledge:
    """Read what a site says of its features, score and register. Raises DefinitionError."""
    return Knowledge(
        load_contract(site.data_contracts / "features.yaml"),
        load_contract(site.data_contracts / "lists.yaml"),
        load_ranking(site.config / "ranking.yaml"),
        load_sources(site.config / "sources.yaml").register,
    )


def extracts_used(
    run: Run, cohort: PublishedCohort, columns: Iterable[str], knowledge: Knowledge
) -> set[str]:
    """The delivered extracts behind a cohort (rules, gaps, rank, reasons) and behind the columns that leave."""
    about = cohort.about
    rules = [*cohort.criteria.rules, *(rule for _, rule in cohort.criteria.gaps)]
    named = {column for rule in rules for column in rule.columns}
    named |= {column for when in about.get("reasons_when", ()) if when for column in when["columns"]}
    named |= {word for text in (*about["rank_by"], *about["reasons"]) for word in WORD.findall(text)}
    leaving = set(columns)
    named |= leaving
    if named & set(SCORES):
        named |= {component.feature for component in knowledge.ranking.components.values()}
    requires: Mapping[str, Iterable[str]] = {
        column.name: column.about.get("requires", ()) for column in knowledge.features.columns
    }
    used = {knowledge.register, *about["requires"]["extracts"]}
    used |= {extract for column in named for extract in requires.get(column, ())}
    if about["manual_additions"]:
        used.add(MANUAL_EXTRACT)
    return used & _delivered(run)


def extracts_of_list(
    published: PublishedList,
    cohorts: Iterable[PublishedCohort],
    columns: Iterable[str],
    knowledge: Knowledge,
    said: Iterable[str],
) -> set[str]:
    """The delivered extracts behind a list: its cohorts, whatever its definition names, and the columns that leave.

    ``said`` are the conditions and sentences of what is said about people; they leave with a list.
    """
    leaving = set(columns)
    used = {
        extract for cohort in cohorts for extract in extracts_used(published.run, cohort, leaving, knowledge)
    }
    texts = [*_texts(published.definition), *said]
    named = {word for text in texts for word in WORD.findall(text)} | leaving
    for contract in (knowledge.features, knowledge.lists):
        for column in contract.columns:
            if column.name in named:
                used |= set(column.about.get("requires", ()))
    return used & _delivered(published.run)


def _texts(value: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, Iterable):
        for entry in value:
            yield from _texts(entry)


def _delivered(run: Run) -> set[str]:
    return {name for name, status in run.manifest.get("extracts", {}).items() if status.get("present")}


def require_bases(
    bases: LegalBases,
    extracts: Iterable[str],
    purposes: Sequence[str],
    days: Iterable[date],
    cohorts: Sequence[PublishedCohort],
) -> list[Basis]:
    """The bases under which an export goes out, live on each of the days.

    Raises NotPermittedError where one is missing or not live.
    """
    wanted = set(extracts)
    used: list[Basis] = []
    for day in days:
        for purpose in dict.fromkeys(purposes):
            used += bases.require(wanted, purpose, day, used_by="the export")
        for cohort in cohorts:
            required = wanted.intersection(cohort.about["requires"]["extracts"])
            for purpose in cohort.about["requires"]["legal_basis"]:
                used += bases.require(required, purpose, day, used_by=f"the cohort {cohort.about['name']}")
    return list(dict.fromkeys(used))


def is_identifying(columns: Iterable[str]) -> bool:
    """Whether a column names people."""
    return bool(set(columns) & set(IDENTIFIERS))
