"""A published run that no pipeline made: every file and column of a run, random people, no real place.

Tests of whatever *reads* a run (report, notebooks, cohort commands) use it, so they need neither a landing
folder nor the engine. Same arguments, same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import yaml

from tests.factories import OPTIONAL_EXTRACTS, REQUIRED_EXTRACTS
from tests.fake_people import AS_OF, NEIGHBOURHOODS, fake_features, fake_scores

RUN = "20260401-0fa4e0f1"
COHORTS: dict[str, dict[str, Any]] = {
    "luton_core": {
        "title": "Frail people with repeated unplanned admissions",
        "why": "The Luton enhanced model of care; weekly MDT.",
        "include": [
            "age >= 65",
            "frailty_category IN ('moderate', 'severe')",
            "unplanned_admissions_12m >= 2",
        ],
        "exclude": ["is_end_of_life"],
        "reasons": [
            "{unplanned_admissions_12m} unplanned admissions in 12 months",
            "{frailty_category} frailty ({efi_deficits} of 36 deficits)",
            "aged {age}",
        ],
    },
    "care_home_frail": {
        "title": "Care home residents with severe frailty and no care plan",
        "why": "A second list, so that pages and commands are tried with more than one.",
        "include": ["is_care_home_resident", "frailty_category = 'severe'", "NOT has_care_plan"],
        "exclude": [],
        "reasons": ["{frailty_category} frailty in a care home, without a care plan"],
    },
}
ABSENT_EXTRACTS = ("agency_contacts", "gp_contacts", "social_care_services")
UNKNOWN_FEATURES = {
    "agencies_90d": "agency_contacts was not delivered",
    "gp_contacts_12m": "gp_contacts was not delivered",
}
CHECKS = (
    {
        "id": "nhs_number_valid",
        "column": "nhs_number",
        "kind": "checksum",
        "severity": "quarantine",
        "message": "the NHS number is missing or fails its checksum",
        "remedy": "Ask the supplier for the traced NHS number.",
    },
    {
        "id": "date_readable",
        "column": "event_date",
        "kind": "type",
        "severity": "quarantine",
        "message": "the date is not a calendar date",
        "remedy": "Send dates as YYYY-MM-DD; correct the row at its source.",
    },
    {
        "id": "code_known",
        "column": "code",
        "kind": "domain",
        "severity": "warn",
        "message": "the code is in no list that the site holds",
        "remedy": "Check the code system of the row, then the code lists.",
    },
    {
        "id": "key_present",
        "column": "event_id",
        "kind": "required",
        "severity": "quarantine",
        "message": "the key is empty",
        "remedy": "Send the record's own identifier.",
    },
)


def write_fake_site(site: Path, people: int = 2_000, seed: int = 7) -> Path:
    """Write a site whose newest published run is a fake; returns the run's folder (output/runs/RUN)."""
    for room in ("config/cohorts", "data_contracts", "pipelines", "output/runs"):
        (site / room).mkdir(parents=True, exist_ok=True)
    for name in COHORTS:
        (site / "config" / "cohorts" / f"{name}.yaml").write_text(_definition(name), encoding="utf-8")
    folder = site / "output" / "runs" / RUN
    write_fake_run(folder, people, seed)
    (site / "output" / "latest").symlink_to(Path("runs") / RUN)
    return folder


def _definition(cohort: str) -> str:
    settings = COHORTS[cohort] | {"rank_by": ["risk_score DESC", "person_id"], "capacity": 25}
    return yaml.safe_dump(settings, sort_keys=False)


def write_fake_run(folder: Path, people: int = 2_000, seed: int = 7) -> dict[str, Any]:
    """Write a published run into ``folder`` (report/ apart) and return its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    table = fake_features(people, seed)
    pq.write_table(table, folder / "features.parquet")
    features = table.to_pandas()
    scores = fake_scores(features)
    scores.to_parquet(folder / "scores.parquet", index=False)
    members = {
        name: _cohort_members(folder / "features.parquet", folder / "scores.parquet", cohort)
        for name, cohort in COHORTS.items()
    }
    for name, rows in members.items():
        (folder / "cohorts").mkdir(exist_ok=True)
        rows.to_parquet(folder / "cohorts" / f"{name}.parquet", index=False)
    worklists = _write_worklists(folder, features, members)
    summaries = _write_quality(folder)
    manifest = _manifest(features, members, worklists, summaries)
    manifest["files"] = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")
    return manifest


def _cohort_members(features: Path, scores: Path, cohort: Mapping[str, Any]) -> pd.DataFrame:
    """person_id, rank (1 is first), score, reasons ('a; b') of the members of a cohort."""
    rules = [f"COALESCE({rule}, FALSE)" for rule in cohort["include"]]
    rules += [f"NOT COALESCE({rule}, FALSE)" for rule in cohort["exclude"]]
    reasons = " || '; ' || ".join(_text_expression(template) for template in cohort["reasons"])
    query = f"""
        SELECT person_id, CAST(ROW_NUMBER() OVER (ORDER BY score DESC, person_id) AS INTEGER) AS rank, score
            , {reasons} AS reasons
        FROM read_parquet('{features}') AS features JOIN read_parquet('{scores}') AS scores USING (person_id)
        WHERE {" AND ".join(rules)}
        ORDER BY rank
    """
    with duckdb.connect(config={"threads": 1}) as database:
        return database.sql(query).df()


def _text_expression(template: str) -> str:
    """A template with {feature} parts as a SQL text expression."""
    parts = re.split(r"\{(\w+)\}", template)
    return " || ".join(
        f"COALESCE(CAST({part} AS VARCHAR), '?')" if place % 2 else f"'{part}'"
        for place, part in enumerate(parts)
    )


def _write_worklists(
    folder: Path, features: pd.DataFrame, members: Mapping[str, pd.DataFrame]
) -> dict[str, dict[str, str]]:
    """One CSV per neighbourhood and cohort; returns {neighbourhood: {cohort: path in the run's folder}}."""
    paths: dict[str, dict[str, str]] = {code: {} for code in NEIGHBOURHOODS}
    shown = features[
        ["person_id", "neighbourhood_code", "age", "frailty_category", "unplanned_admissions_12m"]
    ]
    for name, rows in members.items():
        listed = rows.merge(shown, on="person_id").sort_values("rank")
        for code in NEIGHBOURHOODS:
            path = folder / "worklists" / code / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            listed[listed["neighbourhood_code"] == code].to_csv(path, index=False)
            paths[code][name] = str(path.relative_to(folder))
    return paths


def _write_quality(folder: Path) -> dict[str, dict[str, Any]]:
    """quality/EXTRACT/summary.json for every delivered extract; returns them by extract."""
    summaries = {}
    for extract in REQUIRED_EXTRACTS + OPTIONAL_EXTRACTS:
        if extract not in ABSENT_EXTRACTS:
            summaries[extract] = fake_summary(extract)
            path = folder / "quality" / extract / "summary.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(summaries[extract], indent=2, sort_keys=True), encoding="utf-8")
    (folder / "quality" / "index.html").write_text("<!doctype html><title>Quality</title>", encoding="utf-8")
    return summaries


def fake_summary(extract: str) -> dict[str, Any]:
    """What ingest says about one extract: conservation, checks, and what it met on the way."""
    size = 1_000 + 37 * (sum(map(ord, extract)) % 400)
    failed = {"nhs_number_valid": size // 120, "date_readable": size // 400, "code_known": size // 90}
    quarantined = failed["nhs_number_valid"] + failed["date_readable"]
    conservation = {
        "read": size,
        "accepted": size - quarantined - size // 200 - size // 333 - size // 500,
        "quarantined": quarantined,
        "duplicates": size // 200,
        "superseded": size // 333,
        "deleted": size // 500,
    }
    checks = [
        check | {"failed": failed.get(check["id"], 0), "share": failed.get(check["id"], 0) / size}
        for check in CHECKS
    ]
    return {
        "extract": extract,
        "title": extract.replace("_", " ").capitalize().replace("Gp ", "GP "),
        "conservation": conservation,
        "checks": checks,
        "unlinked": size // 150,
        "before_birth": size // 900,
        "after_as_of": size // 700,
        "implausible": size // 900,
        "files": [f"2026-03-31/{extract}.csv"],
        "first_failures": [
            {
                "check": "nhs_number_valid",
                "file": f"2026-03-31/{extract}.csv",
                "row": 41,
                "column": "nhs_number",
            }
        ],
    }


def _manifest(
    features: pd.DataFrame,
    members: Mapping[str, pd.DataFrame],
    worklists: Mapping[str, dict[str, str]],
    summaries: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    people = len(features)
    home = features.set_index("person_id")["neighbourhood_code"]
    return {
        "run": RUN,
        "as_of": AS_OF.isoformat(),
        "engine": "duckdb 2.0.0",
        "code_version": "0.1.0",
        "inputs": {f"2026-03-31/{extract}.csv": _sha256(extract) for extract in summaries},
        "definitions": {f"config/cohorts/{name}.yaml": _sha256(_definition(name)) for name in COHORTS},
        "extracts": {extract: _status(extract) for extract in REQUIRED_EXTRACTS + OPTIONAL_EXTRACTS},
        "conservation": {extract: summary["conservation"] for extract, summary in summaries.items()},
        "population": {
            "steps": [
                {"step": "on the GP register", "people": people + 131},
                {"step": "no open registration in scope", "people": 74},
                {"step": "born on or after the date of the run", "people": 0},
                {"step": "died", "people": 21},
                {"step": "opted out (type 1)", "people": 14},
                {"step": "opted out (national)", "people": 22},
                {"step": "in the population", "people": people},
            ]
        },
        "unknown_features": dict(UNKNOWN_FEATURES),
        "cohorts": {name: len(rows) for name, rows in members.items()},
        "cohorts_undecided": {
            "luton_core": int((features["frailty_category"].isna() & (features["age"] >= 65)).sum()),
            "care_home_frail": 0,
        },
        "neighbourhoods": {
            code: {
                "name": name,
                "people": int((features["neighbourhood_code"] == code).sum()),
                "cohorts": {
                    cohort: int((home.loc[rows["person_id"]] == code).sum())
                    for cohort, rows in members.items()
                },
                "worklists": dict(worklists[code]),
            }
            for code, name in NEIGHBOURHOODS.items()
        },
        "warnings": ["community_contacts: the newest delivery is 9 days older than as_of; 7 are allowed."],
        "timings": {"ingest": 1.25, "link": 0.5, "features": 2.125},
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _status(extract: str) -> dict[str, Any]:
    present = extract not in ABSENT_EXTRACTS
    return {
        "present": present,
        "required": extract in REQUIRED_EXTRACTS,
        "files": [f"2026-03-31/{extract}.csv"] if present else [],
        "newest_delivery": "2026-03-31" if present else None,
        "mode": "full",
        "layout": "canonical",
    }
