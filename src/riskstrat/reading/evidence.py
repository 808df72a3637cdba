"""Which records stand behind a feature: the kinds of evidence, and within one that has concepts, which of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from riskstrat.reading.explaining import Records
from riskstrat.site import Site

CONCEPT = "concept"


@dataclass(frozen=True)
class Evidence:
    """Where the records behind a feature are; no ``concepts`` means that all of the kind may be behind it."""

    kinds: tuple[str, ...]
    concepts: tuple[str, ...] = ()


def evidence_of_features(site: Site) -> dict[str, Evidence]:
    """Feature to its evidence, as the contract of the feature table says; the concepts of states as states.csv does."""
    from riskstrat.definitions.contracts import load_contract

    path = site.data_contracts / "features.yaml"
    if not path.is_file():
        return {}
    states = _states(site)
    found = {}
    for column in load_contract(path).columns:
        concepts = _listed(column.about.get("evidence_concepts")) or states.get(column.name, ())
        found[column.name] = Evidence(_listed(column.about.get("evidence")), concepts)
    return found


def records_behind(records: Records, features: Iterable[Evidence]) -> Records:
    """The records of the concepts behind the features; all of them where one of the features names no concept."""
    wanted = [feature.concepts for feature in features]
    if CONCEPT not in records.columns or not all(wanted):
        return records
    place = records.columns.index(CONCEPT)
    names = {name for concepts in wanted for name in concepts}
    return Records(records.columns, tuple(row for row in records.rows if row[place] in names))


def _states(site: Site) -> dict[str, tuple[str, ...]]:
    path = site.config / "reference" / "states.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return {
            row["state"]: tuple(filter(None, (row["started_by"], row["ended_by"])))
            for row in csv.DictReader(stream)
        }


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value))
    return (str(value),) if value else ()
