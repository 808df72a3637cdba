"""The files that a whole run writes about cohorts: one of each for every definition, and who left the population."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskstrat.definitions.contracts import load_contracts
from riskstrat.errors import DefinitionError
from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town

DISSENT = "827241000000103"
NOBODY = {
    "died": {"date_of_death": date(2026, 3, 1)},
    "died_and_closed": {"date_of_death": date(2025, 3, 1), "registered_to": date(2025, 3, 1)},
    "dies_today": {"date_of_death": small_town.AS_OF},
    "left": {"registered_to": date(2026, 1, 1)},
    "elsewhere": {"practice_code": factories.OUT_OF_SCOPE_PRACTICE},
    "unborn": {"date_of_birth": small_town.AS_OF},
    "opted_out": {},
    "opted_out_and_died": {"date_of_death": date(2026, 3, 1)},
    "opted_out_and_left": {"registered_to": date(2026, 1, 1)},
    "listed_and_left": {"registered_to": date(2026, 1, 1)},
}
NUMBERS = {name: factories.nhs_number(100 + place) for place, name in enumerate(NOBODY)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town in which some have died, left or opted out, and whose matron adds a person to a profile."""
    folder = small_town.write_site(tmp_path_factory.mktemp("published") / "site", has_every_cohort=True)
    extracts = small_town.town()
    extracts["gp_patients"] += [factories.patient(NUMBERS[name], **row) for name, row in NOBODY.items()]
    extracts["gp_events"] += [
        factories.event(NUMBERS[name], code=DISSENT) for name in NOBODY if name.startswith("opted_out")
    ]
    extracts["national_opt_out"] = [factories.national_opt_out(NUMBERS["listed_and_left"])]
    extracts["manual_additions"] = [
        {"nhs_number": factories.nhs_number(6), "cohort": "demonstrator_profile", "reason": "asked",
         "added_on": "2026-03-01", "added_by": "matron"}
    ]  # fmt: skip
    small_town.write_landing(folder, extracts)
    run(load_site(folder), small_town.AS_OF, progress=Progress(quiet=True))
    return folder


def published(site: Path) -> Path:
    return (site / "output" / "latest").resolve()


def manifest(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((published(site) / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_register_says_who_died_and_who_left_and_never_who_opted_out(site: Path) -> None:
    key = read_site_key(site / "keys")
    names = {person_id(key, number): name for name, number in NUMBERS.items()}
    rows = pq.read_table(published(site) / "register.parquet").to_pylist()
    assert {names[row["person_id"]]: row["status"] for row in rows} == {
        "died": "died",
        "died_and_closed": "died",
        "left": "moved away",
        "elsewhere": "moved away",
        "unborn": "not born yet",
    }
    assert [row["person_id"] for row in rows] == sorted(row["person_id"] for row in rows)


def test_nobody_of_the_register_file_is_in_the_population(site: Path) -> None:
    people = set(pq.read_table(published(site) / "features.parquet")["person_id"].to_pylist())
    outside = pq.read_table(published(site) / "register.parquet")["person_id"].to_pylist()
    assert outside
    assert not people & set(outside)


def test_every_definition_has_members_a_document_and_a_list_a_neighbourhood(site: Path) -> None:
    names = sorted(path.stem for path in (site / "config" / "cohorts").glob("*.yaml"))
    folder = published(site) / "cohorts"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{ending}" for name in names for ending in ("json", "parquet")
    )
    for home in (published(site) / "worklists").iterdir():
        assert sorted(path.stem for path in home.glob("*.csv")) == names
    assert sorted(manifest(site)["cohorts"]) == names


@pytest.mark.parametrize("table", ["cohorts", "register"])
def test_files_have_the_columns_of_their_contract(site: Path, table: str) -> None:
    contract = load_contracts(site / "data_contracts")[table]
    name = "register.parquet" if table == "register" else "cohorts/luton_core.parquet"
    assert pq.read_schema(published(site) / name).names == [column.name for column in contract.columns]


def test_cohorts_without_their_extracts_are_named_in_the_manifest_and_in_one_warning(site: Path) -> None:
    found = manifest(site)
    assert found["cohorts_undecidable"]["care_home_no_plan"] == "the extract care_plans was not delivered"
    assert found["cohorts_undecidable"]["needs_five_questions"] == (
        "the extracts community_caseload and assessments were not delivered"
    )
    assert "luton_core" not in found["cohorts_undecidable"]
    people = found["population"]["steps"][-1]["people"]
    for name in found["cohorts_undecidable"]:
        assert (found["cohorts"][name], found["cohorts_undecided"][name]) == (0, people)
    (warning,) = [text for text in found["warnings"] if "nobody could be decided" in text]
    assert all(name in warning for name in found["cohorts_undecidable"])


def test_additions_to_a_cohort_that_takes_none_are_warned_of(site: Path) -> None:
    assert (
        "1 manual additions are for the cohort demonstrator_profile, which takes none."
        in manifest(site)["warnings"]
    )


def header(site: Path, cohort: str) -> list[str]:
    path = next((published(site) / "worklists").glob(f"*/{cohort}.csv"))
    with path.open(encoding="utf-8", newline="") as stream:
        return next(csv.reader(stream))


def test_gaps_stand_in_the_lists_of_cohorts_that_have_some(site: Path) -> None:
    assert "gaps" in header(site, "copd_frailty_winter")
    assert "gaps" not in header(site, "luton_core")
    assert "is_manual_addition" in header(site, "luton_core")


def test_columns_of_a_cohort_follow_the_usual_ones_and_none_stands_twice(site: Path) -> None:
    columns = header(site, "copd_frailty_winter")
    assert columns[-3:] == ["flu_vaccine_this_season", "copd_rescue_medicine_12m", "community_contacts_12m"]
    for cohort in manifest(site)["cohorts"]:
        found = header(site, cohort)
        assert len(found) == len(set(found)), cohort


def test_cohort_that_nobody_can_pass_stops_the_run_before_anything_is_read(tmp_path: Path) -> None:
    site = small_town.write_site(tmp_path / "site")
    path = site / "config" / "cohorts" / "luton_core.yaml"
    path.write_text(path.read_text().replace("  - age >= 65\n", "  - age >= 65\n  - age < 60\n", 1))
    with pytest.raises(DefinitionError, match="nobody can be a member, by age >= 65 / age < 60") as caught:
        run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    assert caught.value.exit_code == 3
    assert str(caught.value.file).endswith("luton_core.yaml")
