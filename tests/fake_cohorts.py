"""Cohorts of a fake run: definitions, members and JSON written without the code that reads them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.fake_people import fake_features

Cohorts = Mapping[str, dict[str, Any]]

COHORTS: Cohorts = {
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
# The first of each neighbourhood, with gaps, columns of its own, and people whom professionals named.
FIRST_OF_AREA: Cohorts = {
    "first_of_area": {
        "title": "The frailest of each neighbourhood",
        "why": "A list of fixed length, for a team that has room for so many.",
        "include": ["age >= 75", "efi_deficits >= 5"],
        "exclude": ["is_end_of_life", "is_inpatient"],
        "reasons": ["{efi_deficits} of 36 deficits"],
        "reasons_when": ["efi_deficits >= 5"],  # as all its members have
        "top_n": {"people": 5, "per": "neighbourhood_code"},
        "gaps": {"flu vaccine": "NOT flu_vaccine_this_season", "care plan": "NOT has_care_plan"},
        "columns": ["has_care_plan", "last_discharge_date"],
    },
}
MANUAL_ADDITIONS = 4
RANK = "score DESC NULLS LAST, person_id ASC NULLS LAST"


def definition_text(cohort: Mapping[str, Any]) -> str:
    """The definition as a file under config/cohorts/."""
    review = {"author": "nobody", "signed_off_by": None, "next_review": pd.Timestamp("2027-04-01").date()}
    settings = {**cohort, "rank_by": ["risk_score DESC", "person_id"], "capacity": 25}
    if conditions := settings.pop("reasons_when", None):
        said = zip(cohort["reasons"], conditions, strict=True)
        settings["reasons"] = [{"text": text, "when": when} for text, when in said]
    return yaml.safe_dump(settings | {"source": "made up", "review": review}, sort_keys=False)


def write_cohorts(folder: Path, cohorts: Cohorts) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """Write cohorts/NAME.parquet and NAME.json; returns the members, and how many each could not decide."""
    (folder / "cohorts").mkdir(exist_ok=True)
    members, undecided = {}, {}
    for name, cohort in cohorts.items():
        with duckdb.connect(config={"threads": 1}) as database:
            database.execute(
                f"CREATE TABLE people AS FROM read_parquet('{folder}/features.parquet') AS features "
                f"JOIN read_parquet('{folder}/scores.parquet') AS scores USING (person_id)"
            )
            columns = [row[0] for row in database.execute("DESCRIBE people").fetchall()]
            members[name] = _members(database, cohort)
            undecided[name] = _undecided(database, cohort)
        members[name].to_parquet(folder / "cohorts" / f"{name}.parquet", index=False)
        text = json.dumps(_document(name, cohort, columns), indent=1, ensure_ascii=False)
        (folder / "cohorts" / f"{name}.json").write_text(text, encoding="utf-8")
    return members, undecided


def _members(database: duckdb.DuckDBPyConnection, cohort: Mapping[str, Any]) -> pd.DataFrame:
    """person_id, rank (1 is first), score, reasons ('a; b'), gaps and is_manual_addition of the members."""
    rules = [f"COALESCE({rule}, FALSE)" for rule in cohort["include"]]
    rules += [f"NOT COALESCE({rule}, FALSE)" for rule in cohort["exclude"]]
    reasons = " || '; ' || ".join(_text_expression(template) for template in cohort["reasons"])
    gaps = ", ".join(f"CASE WHEN {rule} THEN '{name}' END" for name, rule in cohort.get("gaps", {}).items())
    matched = f"SELECT * FROM people WHERE {' AND '.join(rules)}"
    if top := cohort.get("top_n"):
        matched += (
            f" QUALIFY row_number() OVER (PARTITION BY {top['per']} ORDER BY {RANK}) <= {top['people']}"
        )
    # named by professionals: some whom the rules may have found already, and some whom they have not
    additions = MANUAL_ADDITIONS if top else 0
    return database.sql(
        f"""
        WITH matched AS ({matched})
           , added AS (SELECT person_id FROM people WHERE age >= 75 ORDER BY person_id LIMIT {additions})
        SELECT person_id, CAST(ROW_NUMBER() OVER (ORDER BY {RANK}) AS INTEGER) AS rank, score, {reasons} AS reasons
            , {f"NULLIF(concat_ws('; ', {gaps}), '')" if gaps else "CAST(NULL AS VARCHAR)"} AS gaps
            , person_id IN (SELECT person_id FROM added) AS is_manual_addition
        FROM people
        WHERE person_id IN (SELECT person_id FROM matched) OR person_id IN (SELECT person_id FROM added)
        ORDER BY rank
        """
    ).df()


def _undecided(database: duckdb.DuckDBPyConnection, cohort: Mapping[str, Any]) -> int:
    """How many people nothing rules out, and something unknown keeps from being members."""
    included = " AND ".join(f"({rule})" for rule in cohort["include"])
    excluded = " OR ".join(f"COALESCE({rule}, FALSE)" for rule in cohort["exclude"]) or "FALSE"
    found = database.sql(
        f"SELECT count(*) FROM people WHERE ({included}) IS NULL AND NOT ({excluded})"
    ).fetchall()
    return int(found[0][0])


def _text_expression(template: str) -> str:
    """A template with {feature} parts as a SQL text expression."""
    parts = re.split(r"\{(\w+)\}", template)
    return " || ".join(
        f"COALESCE(CAST({part} AS VARCHAR), '?')" if place % 2 else f"'{part}'"
        for place, part in enumerate(parts)
    )


def _document(name: str, cohort: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    """cohorts/NAME.json. The rules of fake cohorts are plain SQL as they are written."""

    def condition(text: str) -> dict[str, Any]:
        words = dict.fromkeys(re.findall(r"\w+", text))
        return {"text": text, "sql": f"({text})", "columns": [word for word in words if word in columns]}

    return {
        "name": name,
        "title": cohort["title"],
        "why": cohort["why"],
        "source": "made up",
        "cadence": cohort.get("cadence"),
        "capacity": 25,
        "top_n": cohort.get("top_n"),
        "include": [condition(rule) for rule in cohort["include"]],
        "exclude": [condition(rule) for rule in cohort["exclude"]],
        "gaps": [{"name": gap, **condition(rule)} for gap, rule in cohort.get("gaps", {}).items()],
        "rank_by": ["risk_score DESC", "person_id ASC"],
        "rank_sql": '"risk_score" DESC NULLS LAST, "person_id" ASC NULLS LAST',
        "reasons": list(cohort["reasons"]),
        "reasons_when": [condition(when) for when in cohort.get("reasons_when", ())],
        "columns": list(cohort.get("columns", ())),
        "requires": {"extracts": [], "legal_basis": []},
        "manual_additions": True,
        "review": {"author": "nobody", "signed_off_by": None, "next_review": "2027-04-01"},
        "undecidable": None,
        "sha256": hashlib.sha256(definition_text(cohort).encode()).hexdigest(),
    }


def earlier_features(people: int, seed: int) -> pa.Table:
    """The people of ``fake_features`` a month before: some are not there yet, some others still are, some differ."""
    now = fake_features(people, seed)
    rng = np.random.default_rng(seed + 1)
    rows = now.to_pandas()
    rows = rows[rng.random(len(rows)) >= 0.03]
    gone = fake_features(max(6, people // 5), seed + GONE_SEED).to_pandas()
    rows = pd.concat([rows, gone]).sort_values("person_id", ignore_index=True)
    rows["unplanned_admissions_12m"] = (
        rows["unplanned_admissions_12m"] + rng.choice([-1, 0, 0, 0, 1], len(rows))
    ).clip(lower=0)
    forgotten = rng.random(len(rows)) < 0.25
    rows.loc[forgotten, ["frailty_category", "efi_category"]] = None
    return pa.Table.from_pandas(rows, schema=now.schema, preserve_index=False).replace_schema_metadata(None)


GONE_SEED = 1_000
STATUSES = ("died", "moved away", None)  # None: in no file, as somebody who opted out


def status_of(person_id: str) -> str | None:
    """What the register of the later run says of somebody who is no longer in the population."""
    return STATUSES[int(person_id[:4], 16) % len(STATUSES)]


def write_register(folder: Path, features: pd.DataFrame, seed: int = 7) -> None:
    """register.parquet: everybody of the register who is neither in the population nor opted out."""
    gone = fake_features(max(6, len(features) // 5), seed + GONE_SEED).to_pandas()["person_id"]
    here = set(features["person_id"])
    outside = [(key, status_of(key)) for key in gone if key not in here]
    known = [(key, status) for key, status in outside if status is not None]
    table = pa.table(
        {"person_id": [key for key, _ in known], "status": [status for _, status in known]},
        schema=pa.schema([("person_id", pa.string()), ("status", pa.string())]),
    )
    pq.write_table(table, folder / "register.parquet")
