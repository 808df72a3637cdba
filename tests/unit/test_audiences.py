"""Who may be given what: read strictly, and nothing for whoever is not named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.audiences import FILE, IDENTIFIERS, check_audiences, load_audiences
from riskstrat.errors import DefinitionError, NotPermittedError
from riskstrat.site import default_site

SHIPPED = default_site() / "config" / FILE


def entry(**settings: Any) -> dict[str, Any]:
    return {
        "title": "the practice",
        "identifiable": True,
        "scope": ["practice"],
        "purpose": "direct_care",
        "disclosure": "none",
        "formats": ["csv"],
        "expires_after_days": 30,
        "columns": ["rank", "nhs_number", "age"],
    } | settings


def written(folder: Path, **audiences: Any) -> Path:
    path = folder / FILE
    path.write_text(yaml.safe_dump({"audiences": audiences}, sort_keys=False), encoding="utf-8")
    return path


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"colums": []}, "did you mean 'columns'"),
    "identifiable that is no truth": ({"identifiable": "yes"}, "identifiable must be true or false"),
    "an unknown kind of area": ({"scope": ["county"]}, "scope names no kind of area"),
    "no scope": ({"scope": []}, "scope names no kind of area"),
    "an unknown format": ({"formats": ["pdf"]}, "formats names something"),
    "no format": ({"formats": []}, "formats names something"),
    "no end": ({"expires_after_days": None}, "expires_after_days is missing"),
    "an end before the beginning": ({"expires_after_days": 0}, "whole number of 1 or more"),
    "names for somebody not identifiable": ({"identifiable": False}, "may not be given nhs_number"),
    "names of everybody": ({"scope": "all"}, "everybody everywhere"),
    "a column twice": ({"columns": ["age", "age"]}, "twice"),
    "passing on to nobody": ({"passes_on": ["somebody"]}, "passes on to 'somebody'"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, kind: str) -> None:
    settings, expected = MISTAKES[kind]
    with pytest.raises(DefinitionError, match=expected) as wrong:
        load_audiences(written(tmp_path, gp_practice=entry(**settings)))
    assert wrong.value.remedy


def test_whoever_is_not_named_gets_nothing(tmp_path: Path) -> None:
    audiences = load_audiences(written(tmp_path, gp_practice=entry()))
    with pytest.raises(NotPermittedError, match="no audience 'insurer'"):
        audiences.named("insurer")


def test_format_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    audiences = load_audiences(written(tmp_path, gp_practice=entry()))
    with pytest.raises(NotPermittedError, match="xlsx"):
        audiences.named("gp_practice").check_format("xlsx", audiences.file)


@pytest.mark.parametrize(
    ("settings", "policies", "expected"),
    [
        ({"columns": ["rank", "shoe_size"]}, {}, "shoe_size"),
        ({"purpose": "marketing"}, {}, "marketing"),
        ({}, {"gp_practice": "hes"}, "hes in config/disclosure.yaml"),
    ],
)
def test_names_stand_for_something_and_files_agree(
    tmp_path: Path, settings: dict[str, Any], policies: dict[str, str], expected: str
) -> None:
    audiences = load_audiences(written(tmp_path, gp_practice=entry(**settings)))
    with pytest.raises(DefinitionError, match=expected):
        check_audiences(audiences, ["age"], ["direct_care"], policies)


def test_shipped_audiences_get_what_they_may_have() -> None:
    shipped = load_audiences(SHIPPED).by_name
    assert list(shipped) == ["gp_practice", "direct_care_team", "commissioner", "analyst"]
    assert shipped["gp_practice"].scope == ("practice",)
    assert set(shipped["direct_care_team"].columns) < set(shipped["gp_practice"].columns)
    assert shipped["commissioner"].columns == ()
    assert not set(shipped["analyst"].columns) & set(IDENTIFIERS)
    assert "person_id" not in {column for one in shipped.values() for column in one.columns}
