"""A run is refused where no law allows it, leaves nothing behind, and is on record either way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.keys import person_id
from riskstrat.site import load_site
from tests import factories, small_town
from tests.end_to_end.command import Answer, riskstrat


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = small_town.write_site(tmp_path / "town")
    small_town.write_landing(folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], site: Path) -> Answer:
    return riskstrat(capsys, site, "run", "--as-of", small_town.AS_OF.isoformat())


def expire(site: Path, basis: str, day: str) -> None:
    path = site / "config" / "legal_basis.yaml"
    before, found, after = path.read_text().partition(f"  {basis}:\n    extracts:")
    assert found
    path.write_text(before + found + after.replace("expires: 9999-12-31", f"expires: {day}", 1))


def last_entry(site: Path) -> dict[str, Any]:
    assert verify(load_site(site)) == []
    return dict(read_entries(load_site(site))[-1].facts)


def _published(site: Path) -> list[Path]:
    runs = site / "output" / "runs"
    return [path for path in runs.iterdir() if not path.name.startswith(".")] if runs.exists() else []


def _assert_refused(answer: Answer, site: Path, *words: str) -> None:
    assert (answer.code, answer.out) == (5, "")
    line = answer.err.splitlines()[-1]
    for word in (*words, "Remedy:"):
        assert word in line
    assert _published(site) == []
    assert not (site / "output" / "latest").exists()
    entry = last_entry(site)
    assert (entry["action"], entry["outcome"], entry["as_of"]) == (
        "run",
        "refused",
        small_town.AS_OF.isoformat(),
    )
    assert entry["purpose"] == "risk_stratification"


def test_run_is_on_record_with_its_people_and_its_bases(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A basis that expires the day after is live, and none is asked for of an extract that nobody delivered."""
    assert not list((site / "landing").rglob("social_care_services*"))
    expire(site, "social_care_and_agencies_risk_stratification", "2001-01-01")
    expire(site, "gp_and_acute_risk_stratification", small_town.AS_OF.replace(day=2).isoformat())
    answer = run(capsys, site)
    assert answer.code == 0, answer.err
    assert "holds examples; replace them" in answer.err
    (folder,) = _published(site)
    manifest = json.loads((folder / "manifest.json").read_text())
    bases = {one["name"]: one for one in manifest["legal_basis"]}
    assert bases["gp_and_acute_risk_stratification"]["example"] is True
    assert "direct_care" not in bases
    entry = last_entry(site)
    assert (entry["action"], entry["outcome"], entry["run"]) == ("run", "done", folder.name)
    assert entry["count"] == manifest["population"]["steps"][-1]["people"]
    log = (site / "state" / "audit" / "log.jsonl").read_text()
    assert not [place for place in range(20) if factories.nhs_number(place) in log]


def test_explanation_of_a_person_is_on_record_and_does_not_say_whose(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, site).code == 0
    person = person_id((site / "keys" / "site.key").read_bytes(), factories.nhs_number(1))
    assert riskstrat(capsys, site, "features", "explain", person).code == 0
    entry = last_entry(site)
    assert (entry["action"], entry["outcome"], entry["count"]) == ("explain", "done", 1)
    assert person not in (site / "state" / "audit" / "log.jsonl").read_text()


def test_run_without_a_live_basis_is_refused_before_it_reads_anything(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expire(site, "gp_and_acute_risk_stratification", small_town.AS_OF.isoformat())
    _assert_refused(
        run(capsys, site),
        site,
        "gp_events",
        "risk_stratification",
        f"expired on {small_town.AS_OF.isoformat()}",
    )


def test_basis_is_asked_for_once_an_extract_is_delivered(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expire(site, "social_care_and_agencies_risk_stratification", "2001-01-01")
    small_town.write_rows(
        site / "landing" / small_town.DELIVERY.isoformat() / "social_care_services.csv",
        [
            {"service_id": "S1", "nhs_number": factories.nhs_number(1), "service_type": "home care"}
            | {"start_date": "2025-01-01"}
        ],
    )
    _assert_refused(run(capsys, site), site, "social_care_services", "risk_stratification")


def test_purpose_that_a_cohort_names_is_asked_for(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expire(site, "multi_agency_sharing", "2001-01-01")
    _assert_refused(run(capsys, site), site, "the cohort ", "multi_agency_sharing")


@pytest.mark.parametrize("damage", ["missing", "open to others", "another size"])
def test_run_without_its_key_is_refused_and_on_record(
    site: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    key = site / "keys" / "site.key"
    if damage == "missing":
        key.unlink()
    elif damage == "another size":
        key.write_bytes(b"short")
    else:
        key.chmod(0o644)
    _assert_refused(run(capsys, site), site, "site key")
