"""The site's code lists, weights and geography as plain lists of rows, read with the csv module alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path


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
    _by_code: dict[str, dict[tuple[str, str], set[str]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Knowledge()"  # test reports print their arguments, and this one is long

    def concepts(self, name: str, code: tuple[str, str]) -> set[str]:
        """The concepts of one list under which (code system, code) stands."""
        if name not in self._by_code:
            self._by_code[name] = {}
            for row in self.lists[name]:
                under = self._by_code[name].setdefault((row["code_system"], row["code"]), set())
                under.add(row["concept"])
        return self._by_code[name].get(code, set())

    def codes(self, name: str, concept: str) -> set[tuple[str, str]]:
        """(code system, code) of one concept of one list."""
        return {(row["code_system"], row["code"]) for row in self.lists[name] if row["concept"] == concept}


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
    )
