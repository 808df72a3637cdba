"""What a site's deliveries of suppliers' files come to once they have run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import Outcome, run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import small_town
from tests.end_to_end.books import balanced_books
from tests.factories import nhs_number
from tests.supplier_files.files import write_empty_extracts, write_people

FIRST, SECOND = "2026-03-30", "2026-03-31"
GP_EXTRACTS = ("gp_patients", "gp_events", "gp_medications")

Features = dict[str, dict[str, Any]]


def landing(site: Path, delivery: str) -> Path:
    return site / "landing" / delivery


def with_register(site: Path, delivery: str, *people: int, covered: tuple[str, ...]) -> Path:
    """The folder of a delivery with a canonical register and nothing else but what ``covered`` leaves to a supplier."""
    folder = landing(site, delivery)
    write_people(folder, *people)
    write_empty_extracts(folder, "gp_patients", *covered)
    return folder


def run_site(site: Path) -> tuple[Outcome, Features]:
    """Run the site; its books must balance. Returns the outcome and the features by person_id."""
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    balanced_books(outcome.manifest)
    rows = pq.read_table(outcome.folder / "features.parquet").to_pylist()
    return outcome, {row["person_id"]: row for row in rows}


def pseudonym(site: Path, person: int) -> str:
    return person_id(read_site_key(site / "keys"), nhs_number(person))


def of(site: Path, features: Features, person: int) -> dict[str, Any]:
    return features[pseudonym(site, person)]


def books(outcome: Outcome, extract: str) -> dict[str, int]:
    """The books of an extract, the ways that took no row left out."""
    return balanced_books(outcome.manifest)[extract]


def quarantined(outcome: Outcome, extract: str) -> list[dict[str, Any]]:
    path = outcome.folder / "quality" / extract / "quarantine.parquet"
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows
