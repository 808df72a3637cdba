"""Cohort files as short and as full as the schema allows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from riskstrat.definitions.cohorts import Cohort, load_cohort
from riskstrat.definitions.contracts import load_contracts

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = load_contracts(ROOT / "data_contracts")
FEATURES = {column.name: column for column in CONTRACTS["features"].columns}
EXTRACTS = [name for name, contract in CONTRACTS.items() if contract.direction == "in"]
AS_OF = date(2026, 4, 1)

SMALLEST = """\
title: Old people
why: They are old.
include: [age >= 65]
rank_by: [age DESC]
source: A paper, 2020
review: {author: A. Writer, signed_off_by: null, next_review: 2027-04-01}
"""
FULL = (
    SMALLEST
    + """\
exclude: [is_end_of_life]
reasons: ["aged {age}"]
gaps: {flu vaccine: NOT flu_vaccine_this_season}
capacity: 25
cadence: weekly
top_n: {people: 30, per: neighbourhood_code}
requires: {extracts: [gp_patients, gp_events], legal_basis: [risk_stratification]}
manual_additions: false
columns: [imd_decile]
examples:
  - {name: just 65, person: {age: 65}, expect: member}
  - {name: no vaccine, person: {age: 70, flu_vaccine_this_season: false}, expect: member, gaps: [flu vaccine]}
"""
)


def parsed(folder: Path, text: str, name: str = "old_people") -> Cohort:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_cohort(path)
