"""A published run that no pipeline made: every file and column of a run, random people, no real place.

Tests of whatever *reads* a run (report, notebooks, cohort commands) use it, so they need neither a landing
folder nor the engine. Same arguments, same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.factories import OPTIONAL_EXTRACTS, REQUIRED_EXTRACTS
from tests.fake_cohorts import (
    COHORTS,
    Cohorts,
    definition_text,
    earlier_features,
    write_cohorts,
    write_register,
)
from tests.fake_people import AS_OF, NEIGHBOURHOODS, fake_features, fake_scores

RUN = "20260401-0fa4e0f1"
EARLIER_RUN = "20260301-0fa4e0f0"
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


def write_fake_site(site: Path, people: int = 2_000, seed: int = 7, cohorts: Cohorts = COHORTS) -> Path:
    """Write a site whose newest published run is a fake; returns the run's folder (output/runs/RUN)."""
    for room in ("config/cohorts", "data_contracts", "pipelines", "output/runs"):
        (site / room).mkdir(parents=True, exist_ok=True)
    for name, cohort in cohorts.items():
        (site / "config" / "cohorts" / f"{name}.yaml").write_text(definition_text(cohort), encoding="utf-8")
    folder = site / "output" / "runs" / RUN
    write_fake_run(folder, people, seed, cohorts)
    (site / "output" / "latest").symlink_to(Path("runs") / RUN)
    return folder


def write_fake_run(
    folder: Path, people: int = 2_000, seed: int = 7, cohorts: Cohorts = COHORTS
) -> dict[str, Any]:
    """Write a published run into ``folder`` (report/ apart) and return its manifest."""
    return _write_run(folder, fake_features(people, seed), cohorts, RUN)


def write_earlier_run(
    folder: Path, people: int = 2_000, seed: int = 7, cohorts: Cohorts = COHORTS
) -> dict[str, Any]:
    """Write the run a month before that of the same arguments, in which people and their features differ a little.

    Those whom the later run has not are dead, moved away, or in neither of its files, as its register.parquet says.
    """
    return _write_run(folder, earlier_features(people, seed), cohorts, EARLIER_RUN)


def _write_run(folder: Path, table: pa.Table, cohorts: Cohorts, run: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "features.parquet")
    features = table.to_pandas()
    fake_scores(features).to_parquet(folder / "scores.parquet", index=False)
    members, undecided = write_cohorts(folder, cohorts)
    write_register(folder, features)
    worklists = _write_worklists(folder, features, members)
    summaries = _write_quality(folder)
    manifest = _manifest(features, members, worklists, summaries, cohorts)
    manifest |= {"run": run, "as_of": f"{run[:4]}-{run[4:6]}-{run[6:8]}", "cohorts_undecided": undecided}
    manifest["files"] = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")
    return manifest


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
    cohorts: Cohorts,
) -> dict[str, Any]:
    people = len(features)
    home = features.set_index("person_id")["neighbourhood_code"]
    return {
        "run": RUN,
        "as_of": AS_OF.isoformat(),
        "engine": "duckdb 2.0.0",
        "code_version": "0.1.0",
        "inputs": {f"2026-03-31/{extract}.csv": _sha256(extract) for extract in summaries},
        "definitions": {
            f"config/cohorts/{name}.yaml": _sha256(definition_text(cohort))
            for name, cohort in cohorts.items()
        },
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
