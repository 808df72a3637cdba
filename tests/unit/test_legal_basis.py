"""Which law lets which extract be used: read strictly, judged against the run's date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.contracts import load_contracts
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.legal_basis import FILE, RUN_PURPOSE, load_legal_basis
from riskstrat.errors import DefinitionError, NotPermittedError
from riskstrat.site import default_site

SHIPPED = default_site() / "config" / FILE


def entry(**settings: Any) -> dict[str, Any]:
    return {
        "extracts": ["gp_patients", "gp_events"],
        "purpose": "risk_stratification",
        "basis": "an approval",
        "controller": "the practices",
        "reference": "7/04",
        "evidence_sha256": "0a" * 32,
        "valid_from": date(2025, 4, 1),
        "expires": date(2026, 4, 1),
    } | settings


def document(**bases: Any) -> dict[str, Any]:
    return {"purposes": {"risk_stratification": "finding", "direct_care": "caring"}, "bases": bases}


def written(folder: Path, content: Any) -> Path:
    path = folder / FILE
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("day", "is_live"),
    [
        (date(2025, 3, 31), False),
        (date(2025, 4, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_basis_is_live_from_its_first_day_to_the_day_before_it_expires(
    tmp_path: Path, day: date, is_live: bool
) -> None:
    bases = load_legal_basis(written(tmp_path, document(gp=entry())))
    assert bases.bases[0].is_live_on(day) is is_live
    if is_live:
        assert [one.name for one in bases.require(["gp_events"], RUN_PURPOSE, day, used_by="the run")] == [
            "gp"
        ]
    else:
        with pytest.raises(
            NotPermittedError, match=r"no live legal basis for gp_events .* risk_stratification"
        ):
            bases.require(["gp_events"], RUN_PURPOSE, day, used_by="the run")


def test_refusal_names_extract_purpose_day_and_the_basis_that_lapsed(tmp_path: Path) -> None:
    bases = load_legal_basis(written(tmp_path, document(gp=entry())))
    with pytest.raises(NotPermittedError) as refused:
        bases.require(["gp_events", "acute_episodes"], RUN_PURPOSE, date(2026, 4, 1), used_by="the run")
    text = str(refused.value)
    assert refused.value.exit_code == 5
    assert "acute_episodes, gp_events" in text
    assert "on 2026-04-01" in text
    assert "Remedy" in text
    with pytest.raises(NotPermittedError, match="gp expired on 2026-04-01"):
        bases.require(["gp_events"], RUN_PURPOSE, date(2026, 4, 1), used_by="the run")
    with pytest.raises(NotPermittedError, match="gp begins on 2025-04-01"):
        bases.require(["gp_events"], RUN_PURPOSE, date(2020, 4, 1), used_by="the run")


def test_basis_of_another_purpose_does_not_count(tmp_path: Path) -> None:
    bases = load_legal_basis(written(tmp_path, document(gp=entry())))
    with pytest.raises(NotPermittedError, match="direct_care"):
        bases.require(["gp_events"], "direct_care", date(2026, 1, 1), used_by="the export")


def test_successor_of_an_expired_basis_takes_its_place(tmp_path: Path) -> None:
    renewed = entry(valid_from=date(2026, 4, 1), expires=date(2027, 4, 1))
    bases = load_legal_basis(written(tmp_path, document(old=entry(), new=renewed)))
    used = bases.require(["gp_events"], RUN_PURPOSE, date(2026, 4, 1), used_by="the run")
    assert [one.name for one in used] == ["new"]


def test_basis_that_expires_soon_is_warned_of_unless_another_takes_over(tmp_path: Path) -> None:
    content = document(gp=entry()) | {"warn_before_days": 30}
    bases = load_legal_basis(written(tmp_path, content))
    assert bases.expiring(["gp_events"], date(2026, 3, 1)) == []
    (warning,) = bases.expiring(["gp_events"], date(2026, 3, 2))
    assert "gp (risk_stratification) expires on 2026-04-01, 30 days after" in warning
    assert bases.expiring(["social_care_services"], date(2026, 3, 2)) == []
    assert bases.expiring(["gp_events"], date(2026, 4, 1)) == [], "it is over, and refused"
    renewed = entry(valid_from=date(2026, 4, 1), expires=date(2027, 4, 1))
    content = document(gp=entry(), new=renewed) | {"warn_before_days": 30}
    assert load_legal_basis(written(tmp_path, content)).expiring(["gp_events"], date(2026, 3, 31)) == []
    content = document(gp=entry(), new=renewed | {"purpose": "direct_care"}) | {"warn_before_days": 30}
    assert len(load_legal_basis(written(tmp_path, content)).expiring(["gp_events"], date(2026, 3, 31))) == 1
    silent = load_legal_basis(written(tmp_path, document(gp=entry())))
    assert silent.expiring(["gp_events"], date(2026, 3, 31)) == []


def _left_out(key: str) -> Callable[[], dict[str, Any]]:
    return lambda: {name: value for name, value in entry().items() if name != key}


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "an unknown key": (lambda: entry(expired=date(2026, 1, 1)), "unknown key 'expired'"),
    "no reference": (_left_out("reference"), "'reference' is missing"),
    "no expiry": (_left_out("expires"), "'expires' is missing"),
    "an empty controller": (lambda: entry(controller=" "), "controller must be text"),
    "no extract": (lambda: entry(extracts=[]), "extracts names none"),
    "an extract twice": (lambda: entry(extracts=["gp_events", "gp_events"]), "twice"),
    "an unknown purpose": (lambda: entry(purpose="marketing"), "'marketing' is no purpose"),
    "an expiry that is text": (lambda: entry(expires="soon"), "expires is no date"),
    "an expiry before the beginning": (lambda: entry(expires=date(2025, 4, 1)), "expires before it begins"),
    "a hash that is none": (lambda: entry(evidence_sha256="abc"), "no SHA-256"),
    "no evidence": (lambda: entry(evidence_sha256=None), "no evidence"),
    "example that is no truth": (lambda: entry(example="yes"), "example must be true or false"),
    "no mapping": (lambda: ["gp_events"], "must hold keys and values"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, kind: str) -> None:
    make, expected = MISTAKES[kind]
    with pytest.raises(DefinitionError, match=expected) as wrong:
        load_legal_basis(written(tmp_path, document(gp=make())))
    assert wrong.value.remedy


def test_example_needs_no_evidence(tmp_path: Path) -> None:
    path = written(tmp_path, document(gp=entry(evidence_sha256=None, example=True)))
    assert load_legal_basis(path).bases[0].example


def test_shipped_bases_are_examples_that_cover_every_extract_on_every_day() -> None:
    shipped = load_legal_basis(SHIPPED)
    assert all(one.example and "EXAMPLE" in one.reference for one in shipped.bases)
    contracts = load_contracts(default_site() / "data_contracts")
    extracts = [name for name, contract in contracts.items() if contract.direction == "in"]
    for day in (date(1999, 12, 31), date(2026, 4, 1), date(2150, 1, 1)):
        assert shipped.require(extracts, RUN_PURPOSE, day, used_by="the run")
    used = [name for name in extracts if name != "national_opt_out"]
    for purpose in shipped.purposes:
        assert shipped.require(used, purpose, date(2026, 4, 1), used_by="an export")


def test_risk_stratification_approval_covers_gp_and_acute_and_nothing_else() -> None:
    approval = next(one for one in load_legal_basis(SHIPPED).bases if "CAG 7-04(a)" in one.reference)
    assert {name.partition("_")[0] for name in approval.extracts} == {"gp", "acute"}


def test_cohort_and_basis_name_only_what_is_there(made_up_site: Path, tmp_path: Path) -> None:
    import shutil

    site = tmp_path / "site"
    shutil.copytree(made_up_site, site)
    path = site / "config" / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[national_opt_out,", "[national_optout,"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="national_optout"):
        load_definitions(site)
    path.write_text(text, encoding="utf-8")
    cohort = site / "config" / "cohorts" / "luton_core.yaml"
    given = cohort.read_text(encoding="utf-8")
    cohort.write_text(given.replace("legal_basis: [risk_stratification]", "legal_basis: [research]"), "utf-8")
    with pytest.raises(DefinitionError, match="'research' is no purpose"):
        load_definitions(site)
