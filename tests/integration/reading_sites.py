"""Sites with fake published runs, for tests of commands that read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import yaml

from riskstrat.site import default_site
from tests.fake_cohorts import COHORTS, FIRST_OF_AREA, Cohorts
from tests.fake_run import EARLIER_RUN, write_earlier_run, write_fake_site

FRAILTY = ("fit", "mild", "moderate", "severe")
ALL_COHORTS: Cohorts = {**COHORTS, **FIRST_OF_AREA}
DISCLOSURE = "config/disclosure.yaml"


def write_reading_site(folder: Path, people: int = 1_000, cohorts: Cohorts = COHORTS) -> Path:
    """A site with one fake run, and the contract of its feature table. Returns the run's folder."""
    run = write_fake_site(folder, people=people, cohorts=cohorts)
    with duckdb.connect() as connection:
        described = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet('{run / 'features.parquet'}')"
        ).fetchall()
    contract = feature_contract({row[0]: row[1] for row in described})
    path = folder / "data_contracts" / "features.yaml"
    path.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    (folder / DISCLOSURE).write_text(
        (default_site() / DISCLOSURE).read_text(encoding="utf-8"), encoding="utf-8"
    )
    return run


def write_compared_site(folder: Path, people: int = 3_000) -> None:
    """A site with a run and the one a month before, and one more cohort: the first of each neighbourhood."""
    write_reading_site(folder, people, ALL_COHORTS)
    write_earlier_run(folder / "output" / "runs" / EARLIER_RUN, people, cohorts=ALL_COHORTS)
    _write_evidence(folder / "output" / "latest")


def _write_evidence(run: Path) -> None:
    """Two kinds of evidence: a record of each deficit, and of each admission."""
    (run / "evidence").mkdir()
    counted = {
        "efi": ("efi_deficits", "deficit", "first_date"),
        "stays": ("unplanned_admissions_12m", "stay", "at_date"),
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        for kind, (feature, name, day) in counted.items():
            connection.execute(
                f"COPY (SELECT person_id, number AS {name}, DATE '2026-03-01' - CAST(number AS INTEGER) AS {day}, "
                f"CAST(NULL AS VARCHAR) AS code FROM read_parquet('{run / 'features.parquet'}'), "
                f"range(1, 41) AS numbers(number) WHERE number <= {feature} ORDER BY ALL) "
                f"TO '{run / 'evidence' / kind}.parquet' (FORMAT parquet)"
            )


def manifest(site: Path) -> dict[str, Any]:
    """The manifest of the latest run."""
    content: dict[str, Any] = json.loads(
        (site / "output" / "latest" / "manifest.json").read_text(encoding="utf-8")
    )
    return content


EVIDENCE = {"frailty_category": "efi", "efi_deficits": "efi", "unplanned_admissions_12m": "stays"}


def feature_contract(columns: dict[str, str]) -> dict[str, object]:
    """A contract of the feature table, as short as the standard and the loader allow."""
    kinds = {
        "VARCHAR": "string",
        "INTEGER": "integer",
        "DOUBLE": "number",
        "DATE": "date",
        "BOOLEAN": "boolean",
    }
    properties = []
    for name, sql_type in columns.items():
        column: dict[str, object] = {
            "name": name,
            "logicalType": kinds[sql_type],
            "physicalType": sql_type,
            "classification": "confidential",
            "description": f"The meaning of {name}.",
            "customProperties": [{"property": "window", "value": "12 months before as_of"}],
        }
        if name == "person_id":
            column |= {"required": True, "primaryKey": True, "primaryKeyPosition": 1}
        if name in EVIDENCE:
            properties_of = column["customProperties"]
            assert isinstance(properties_of, list)
            properties_of.append({"property": "evidence", "value": EVIDENCE[name]})
        if name == "frailty_category":
            check = {"metric": "invalidValues", "arguments": {"validValues": list(FRAILTY)}, "mustBe": 0}
            column["quality"] = [{**check, "severity": "quarantine"}]
        properties.append(column)
    table = {
        "name": "features",
        "logicalType": "object",
        "businessName": "Feature table",
        "description": "One row per person.",
        "dataGranularityDescription": "one row per person",
        "properties": properties,
    }
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "features",
        "name": "features",
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "For tests."},
        "customProperties": [
            {"property": "direction", "value": "out"},
            {"property": "presence", "value": "required"},
        ],
        "schema": [table],
    }
