"""A site with a fake run, its keys, a vault of made-up people and recipients: whatever exporting needs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskstrat.definitions.geography import PRACTICE_COLUMNS
from riskstrat.exports.identities import make_identity
from riskstrat.exports.recipients import add_recipient
from riskstrat.keys import init_keys
from riskstrat.site import Site, load_site, write_default_site
from riskstrat.vault import vault_of
from tests import factories
from tests.fake_cohorts import COHORTS, FIRST_OF_AREA
from tests.fake_people import AS_OF, NEIGHBOURHOODS
from tests.fake_run import RUN, write_fake_run

PRACTICE, OTHER_PRACTICE, PRACTICE_ELSEWHERE = "X9911", "X9912", "X9921"
AREA, PCN, OTHER_PCN = "NB01", "U9902", "U9903"
COHORT = "luton_core"
# What a spreadsheet would run, and what a careless reader would lose.
NAMES = ("=HYPERLINK(0)", "+44 Smith", "-Jones", "@Ada", "\tTab", "\rReturn", "O'Neil, José", 'Quo"te')


@dataclass(frozen=True)
class Town:
    """A site, the people of its run by person_id, and the private key of each recipient by name."""

    site: Site
    people: dict[str, dict[str, Any]]
    features: dict[str, dict[str, Any]]
    keys: dict[str, Path]

    @property
    def run_folder(self) -> Path:
        return self.site.output / "runs" / RUN

    def members(self, cohort: str = COHORT) -> list[dict[str, Any]]:
        """The members of a cohort with their features, in the cohort's order."""
        rows = pq.read_table(self.run_folder / "cohorts" / f"{cohort}.parquet").to_pylist()
        return [self.features[row["person_id"]] | row for row in sorted(rows, key=lambda row: row["rank"])]


def write_town(folder: Path, people: int = 5_000) -> Town:
    """Write it all: practices of every fake person, and a recipient for two practices and a team and a commissioner."""
    write_default_site(folder / "site")
    write_geography(folder / "site" / "config" / "geography")
    site = load_site(folder / "site")
    init_keys(site.keys)
    run = site.output / "runs" / RUN
    write_fake_run(run, people, cohorts={**COHORTS, **FIRST_OF_AREA})
    (site.output / "latest").symlink_to(Path("runs") / RUN)
    features = {row["person_id"]: row for row in pq.read_table(run / "features.parquet").to_pylist()}
    known = _write_vault(site, list(features.values()))
    keys = {}
    (folder / "private").mkdir()
    for name, audience, area in (
        (PRACTICE, "gp_practice", PRACTICE),
        (OTHER_PRACTICE, "gp_practice", OTHER_PRACTICE),
        (PRACTICE_ELSEWHERE, "gp_practice", PRACTICE_ELSEWHERE),
        ("team", "direct_care_team", AREA),
        ("icb", "commissioner", None),
        ("ann", "analyst", None),
        ("bob", "analyst", None),
    ):
        keys[name] = folder / "private" / f"{name}.key"
        add_recipient(site, name, make_identity(keys[name]), audience, area)
    return Town(site, known, features, keys)


def write_geography(folder: Path) -> None:
    with (folder / "practices.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(PRACTICE_COLUMNS)
        for place, (code, name) in enumerate(NEIGHBOURHOODS.items(), start=1):
            for door in range(1, 5):
                pcn = f"U990{1 + place % 5}"
                writer.writerow([f"X99{place}{door}", "Surgery", pcn, f"PCN {pcn}", code, name, "", ""])
    (folder / "areas.csv").write_text("lsoa_code,imd_decile\nE01000001,1\n", encoding="utf-8")


def _write_vault(site: Site, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    people = [
        {
            "person_id": row["person_id"],
            "nhs_number": factories.nhs_number(place),
            "given_name": f"Given{place}",
            "family_name": f"{NAMES[place % len(NAMES)]}{place}",
            "date_of_birth": date(AS_OF.year - row["age"] - 1, 12, 24),
            "postcode": f"ZZ99 {place % 10}AA",
            "practice_code": row["practice_code"],
        }
        for place, row in enumerate(rows)
    ]
    vault_of(site).write(pa.Table.from_pylist(people), AS_OF)
    return {str(person["person_id"]): person for person in people}
