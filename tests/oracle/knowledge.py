"""The site's code lists, weights and geography as plain lists of rows, read with the csv module alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from tests.oracle.icd10 import concepts_by_prefix

Code = tuple[str, str]  # code system, code


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


@dataclass(repr=False)
class Knowledge:
    """``lists``: list -> rows of (concept, code_system, code); ``points``: score -> concept -> points."""

    practices: list[dict[str, str]]
    areas: list[dict[str, str]]
    lists: dict[str, list[dict[str, str]]]
    efi_values: list[dict[str, str]]
    points: dict[str, dict[str, float]]
    hfrs_tenths: dict[str, int]
    homecare_services: list[dict[str, str]] = field(default_factory=list)
    unscheduled_contacts: list[dict[str, str]] = field(default_factory=list)
    _by_code: dict[str, dict[Code, set[str]]] = field(default_factory=dict)
    _by_prefix: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    _values: dict[Code, list[dict[str, str]]] = field(default_factory=dict)
    _by_practice: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Knowledge()"  # test reports print their arguments, and this one is long

    def concepts(self, name: str, code: Code) -> set[str]:
        """The concepts of one list under which (code system, code) stands."""
        if name not in self._by_code:
            self._by_code[name] = {}
            for row in self.lists[name]:
                under = self._by_code[name].setdefault((row["code_system"], row["code"]), set())
                under.add(row["concept"])
        return self._by_code[name].get(code, set())

    def prefixes(self, name: str) -> dict[str, set[str]]:
        """Normalised ICD-10 prefix -> concepts of one list."""
        if name not in self._by_prefix:
            self._by_prefix[name] = concepts_by_prefix(self.lists[name])
        return self._by_prefix[name]

    def value_rules(self, code: Code) -> list[dict[str, str]]:
        """The numeric rules of the eFI for (code system, code)."""
        if not self._values:
            for rule in self.efi_values:
                self._values.setdefault((rule["code_system"], rule["code"]), []).append(rule)
        return self._values.get(code, [])

    def memberships(self, practice: str) -> list[dict[str, str]]:
        """The dated rows of one practice: its PCN and neighbourhood over time."""
        if not self._by_practice:
            for row in self.practices:
                self._by_practice.setdefault(row["practice_code"], []).append(row)
        return self._by_practice.get(practice, [])


def load_knowledge(site_root: Path) -> Knowledge:
    config = site_root / "config"
    lists = {path.stem: read_csv(path) for path in sorted((config / "codelists").glob("*.csv"))}
    efi_values = lists.pop("efi_values")
    points = {}
    for path in sorted((config / "scores").glob("*.csv")):
        rows = read_csv(path)
        if rows and "concept" in rows[0]:
            points[path.stem] = {row["concept"]: float(row["points"]) for row in rows}
    weights = read_csv(config / "scores" / "hfrs_weights.csv")
    return Knowledge(
        practices=read_csv(config / "geography" / "practices.csv"),
        areas=read_csv(config / "geography" / "areas.csv"),
        lists=lists,
        efi_values=efi_values,
        points=points,
        hfrs_tenths={row["icd10_3char"]: round(float(row["points"]) * 10) for row in weights},
        homecare_services=read_csv(config / "reference" / "homecare_services.csv"),
        unscheduled_contacts=read_csv(config / "reference" / "unscheduled_contacts.csv"),
    )
