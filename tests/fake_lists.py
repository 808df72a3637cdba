"""Lists of a fake run: ``lists/`` and the manifest's ``lists`` as the contract has them, made without the stage.

Who is on a list, and every value that is no feature, is made up; the same arguments give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from riskstrat.definitions.contracts import Contract, load_contract
from riskstrat.definitions.lists import DROPPED_OFF, DROPPED_TITLE, ListDefinition, load_lists
from tests.fake_exports import Town, write_town
from tests.fake_people import AS_OF, NEIGHBOURHOODS
from tests.fake_run import EARLIER_RUN

PLACES = 8
OPTED_OUT = "opted out"  # whoever did has no row; the manifest counts them
DROPPED = ("below threshold", "no recent event", "over capacity", "resting", "died", "moved")
EVENTS = (("in_ae", 0), ("admitted", 1), ("in_hospital", 6), ("discharged", 1))
FIXED = (
    "Multicomplexity: severe frailty (18 of 36 deficits)",
    "Multicomplexity: 4 unplanned admissions in 12 months",
    "Mind: dementia, lives alone",
)
ACTIONABLE = (
    "Mobility: 2 falls in 12 months",
    "Medications: 14 different medicines and no medication review in 12 months",
    "Matters most: care plan review overdue by 212 days",
)
GAPS = (
    "no care plan",
    "no medication review in 12 months",
    "no flu vaccine this season",
    "contact with community services unknown",
)
ACTIONS = (
    "call, and ask what matters most to the person",
    "refer to the falls service",
    "ask social care or occupational therapy for an assessment",
)
KINDS = {"text": pa.string(), "integer": pa.int32(), "date": pa.date32(), "boolean": pa.bool_()}
SEXES = {"male": "1", "female": "2"}


def write_listed_town(folder: Path, people: int = 1_500, places: int = PLACES) -> Town:
    """A town whose run has the shipped lists."""
    town = write_town(folder, people)
    write_fake_lists(town.site.root, town.run_folder, places=places)
    return town


def rows_of_list(town: Town, name: str) -> list[dict[str, Any]]:
    """The rows of a list in the order in which they were published."""
    return list(pq.read_table(town.run_folder / "lists" / f"{name}.parquet").to_pylist())


def write_fake_lists(site: Path, run: Path, *, seed: int = 3, places: int = PLACES) -> None:
    """Add the site's lists to a fake run that is there, and name them in its manifest."""
    features = pq.read_table(run / "features.parquet").to_pandas()
    scores = pq.read_table(run / "scores.parquet").to_pandas()
    people = features.merge(scores[["person_id", "score"]], on="person_id").sort_values(
        ["score", "person_id"], ascending=[False, True]
    )
    (run / "lists").mkdir()
    contract = load_contract(site / "data_contracts" / "lists.yaml")
    schema = pa.schema(
        [
            (column.name, pa.int64() if column.name == "score" else KINDS[column.type])
            for column in contract.columns
        ]
    )
    manifest: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["lists"] = {}
    for name, definition in load_lists(site / "config" / "lists").items():
        rng = np.random.default_rng([seed, *name.encode()])
        rows, areas = _list(definition, people, rng, places)
        pq.write_table(pa.Table.from_pylist(rows, schema), run / "lists" / f"{name}.parquet")
        document = _document(definition, contract)
        (run / "lists" / f"{name}.json").write_text(json.dumps(document, default=str), encoding="utf-8")
        manifest["lists"][name] = {
            "title": definition.title,
            "area": definition.area,
            "cadence": definition.cadence,
            "capacity": definition.capacity,
            "allocation": definition.allocation,
            "compared_with": EARLIER_RUN,
            "sha256": definition.sha256,
            "areas": areas,
        }
    manifest["files"] |= {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((run / "lists").iterdir())
    }
    (run / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")


def _document(definition: ListDefinition, contract: Contract) -> dict[str, Any]:
    """lists/NAME.json; here every extract was delivered."""
    sections = [asdict(section) for section in definition.sections]
    return {
        **asdict(definition),
        "order_by": [item.text for item in definition.order_by],
        "sections": [*sections, {"name": DROPPED_OFF, "title": DROPPED_TITLE, "when": None}],
        "empty_cells": {
            column.name: "unknown" if column.about.get("missing") == "unknown" else "none"
            for column in contract.columns
            if not column.required
        },
    }


def _list(
    definition: ListDefinition, people: pd.DataFrame, rng: np.random.Generator, places: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    areas: dict[str, Any] = {}
    old = people[people["age"] >= 65]
    for code, group in old.groupby(definition.area_column, sort=True):
        everybody = group.astype(object).where(group.notna(), None).to_dict("records")
        listed, gone = everybody[:places], everybody[places : places + len(DROPPED)]
        about = [_row(definition, str(code), person, rng) for person in listed]
        sections = [section.name for section in definition.sections]
        for rank, row in enumerate(about, start=1):
            row |= {"rank": rank, "change": str(rng.choice(["NEW", "UP", "DOWN", "SAME", "BACK"]))}
            row["section"] = sections[rank * len(sections) // (places + 1)]
        left = [_left(definition, str(code), person, why) for person, why in zip(gone, DROPPED, strict=False)]
        rows += sorted(about, key=lambda row: (sections.index(row["section"]), row["rank"]))
        rows += sorted(left, key=lambda row: row["person_id"])
        changes = [row["change"] for row in about]
        areas[str(code)] = {
            "name": _name(str(code)),
            "quota": places if definition.capacity else None,
            "eligible": len(everybody),
            "listed": len(about),
            "new": changes.count("NEW"),
            "back": changes.count("BACK"),
            "dropped": {**{row["dropped_because"]: 1 for row in left}, OPTED_OUT: 1},
        }
    return rows, areas


def _name(code: str) -> str:
    return NEIGHBOURHOODS.get(code, "Surgery")


def _row(
    definition: ListDefinition, code: str, person: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    event, days = EVENTS[int(rng.integers(0, len(EVENTS)))]
    plan = None if rng.random() < 0.2 else bool(rng.random() < 0.6)
    reviewed = AS_OF - timedelta(days=int(rng.integers(20, 700))) if plan else None
    outcome = str(rng.choice(["seen", "not_reached"])) if rng.random() < 0.3 else None
    return {
        **_who(definition, code, person),
        "event": event,
        "event_date": AS_OF - timedelta(days=days + 1),
        "is_known_to_team": None if rng.random() < 0.1 else bool(person["is_known_to_team"]),
        "case_manager": None if rng.random() < 0.5 else "Priya Chandrasekaran",
        "has_care_plan": plan,
        "care_plan_last_reviewed_date": reviewed,
        "care_plan_days_overdue": max((AS_OF - reviewed).days - 365, 0) if reviewed else None,
        "five_questions_last_asked_date": _day(person["five_questions_last_asked_date"]),
        "frailty_category": person["frailty_category"],
        "frailty_source": person["frailty_source"],
        "frailty_category_12m_ago": None if rng.random() < 0.2 else person["frailty_category_12m_ago"],
        "unplanned_admissions_12m": int(person["unplanned_admissions_12m"]),
        "lives_alone": bool(person["lives_alone"]),
        "is_care_home_resident": None if rng.random() < 0.2 else bool(person["is_care_home_resident"]),
        "reasons_fixed": _some(rng, FIXED, 1),
        "reasons_actionable": _some(rng, ACTIONABLE, 2),
        "gaps": _some(rng, GAPS, 3),
        "suggested_action": str(rng.choice(ACTIONS)),
        "score": int(person["score"]),
        "data_complete_to": AS_OF - timedelta(days=1),
        "score_age_days": 1,
        "is_manual_addition": bool(rng.random() < 0.1),
        "rest_overridden": False,
        "last_outcome": outcome,
        "last_outcome_date": AS_OF - timedelta(days=9) if outcome else None,
        "next_review_date": AS_OF + timedelta(days=14) if outcome == "seen" else None,
    }


def _left(definition: ListDefinition, code: str, person: Mapping[str, Any], why: str) -> dict[str, Any]:
    return {
        **_who(definition, code, person),
        "section": "dropped_off",
        "dropped_because": why,
        "is_manual_addition": False,
        "rest_overridden": False,
    }


def _who(definition: ListDefinition, code: str, person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "list": definition.name,
        "area_code": code,
        "area_name": _name(code),
        "person_id": person["person_id"],
        "practice_code": person["practice_code"],
        "pcn_code": person["pcn_code"],
        "neighbourhood_code": person["neighbourhood_code"],
        "age": int(person["age"]),
        "sex": SEXES[person["sex"]],
    }


def _some(rng: np.random.Generator, texts: tuple[str, ...], most: int) -> str | None:
    chosen = sorted(rng.choice(len(texts), int(rng.integers(0, most + 1)), replace=False))
    return "; ".join(texts[place] for place in chosen) or None


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) and not pd.isna(value) else None
