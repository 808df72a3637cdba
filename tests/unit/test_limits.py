"""Limits stand in the contracts; a site may set its own; a mistake is named before anything is read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.contracts import load_contracts
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.limits import UNITS, resolve_limits, sla_limits
from riskstrat.definitions.sources import load_sources
from riskstrat.errors import DefinitionError
from riskstrat.site import write_default_site
from tests.factories import OPTIONAL_EXTRACTS, REQUIRED_EXTRACTS
from tests.quality import CONTRACTS, LIMITS

STATED: dict[str, Any] = asdict(LIMITS)
NOWHERE = Path("contract.yaml")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_default_site(tmp_path / "site")
    return tmp_path / "site"


def override(site: Path, extract: str, **limits: Any) -> None:
    path = site / "config" / "sources.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["extracts"][extract] = {**(document["extracts"][extract] or {}), **limits}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def test_every_shipped_extract_states_how_old_small_and_damaged_it_may_be() -> None:
    contracts = load_contracts(CONTRACTS)
    for name in (*REQUIRED_EXTRACTS, *OPTIONAL_EXTRACTS):
        may_be_left_out = {"stop_after_days", "stop_small_share", "month_small_share"}
        assert set(UNITS) - may_be_left_out <= set(contracts[name].limits), name
    assert not contracts["features"].limits


def test_only_required_extracts_and_the_list_of_opt_outs_stop_a_run_by_their_age(site: Path) -> None:
    limits = load_definitions(site).limits
    assert {name: limits[name].stop_after_days for name in REQUIRED_EXTRACTS} == dict.fromkeys(
        REQUIRED_EXTRACTS, 92
    )
    stopping = {
        name: days for name in OPTIONAL_EXTRACTS if (days := limits[name].stop_after_days) is not None
    }
    assert stopping == {"national_opt_out": 35}


def test_usual_of_a_full_source_needs_one_earlier_delivery_and_of_a_delta_three(site: Path) -> None:
    definitions = load_definitions(site)
    found = {
        (definitions.source(name).mode, limits.usual_after) for name, limits in definitions.limits.items()
    }
    assert found == {("full", 1), ("delta", 3)}


def test_shipped_sources_hold_modes_and_no_limit(site: Path) -> None:
    sources = load_sources(site / "config" / "sources.yaml").by_extract
    assert sources.keys() == {*REQUIRED_EXTRACTS, *OPTIONAL_EXTRACTS}
    assert {source.mode for source in sources.values()} == {"full", "delta"}
    assert not [name for name, source in sources.items() if source.overrides]


def test_limit_of_a_site_takes_the_place_of_the_contracts(site: Path) -> None:
    override(site, "gp_events", max_quarantined_share=0.2, stop_after_days=None, min_rows=7)
    limits = load_definitions(site).limits["gp_events"]
    assert (limits.max_quarantined_share, limits.stop_after_days, limits.min_rows) == (0.2, None, 7)
    assert limits.stale_after_days == 35


def test_defaults_of_a_site_hold_for_every_extract_that_says_nothing_else(site: Path) -> None:
    path = site / "config" / "sources.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "defaults: {mode: delta}", "defaults: {mode: delta, min_rows: 3}"
    )
    path.write_text(text.replace("gp_events: {}", "gp_events: {min_rows: 5}"), encoding="utf-8")
    limits = load_definitions(site).limits
    assert (limits["gp_events"].min_rows, limits["gp_contacts"].min_rows) == (5, 3)


def test_defaults_may_be_left_out_where_every_extract_has_a_mode(site: Path) -> None:
    path = site / "config" / "sources.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    del document["defaults"]
    document["extracts"] = {
        name: {"mode": "delta", **(own or {})} for name, own in document["extracts"].items()
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert load_sources(path).by_extract["gp_events"].mode == "delta"
    document["extracts"]["gp_events"] = {}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(DefinitionError, match="the mode of gp_events must be full or delta"):
        load_sources(path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"property": "stale_after_day", "value": 1}, "did you mean 'stale_after_days'"),
        ({"property": "stale_after_days", "value": 1, "unit": "weeks"}, "write unit: d"),
        ({"property": "stale_after_days", "value": 1, "owner": "me"}, "unknown key 'owner'"),
        ({"property": "stale_after_days"}, "'value' is missing"),
        ({"property": "stale_after_days", "value": -1}, "whole number, 0 or more"),
        ({"property": "stale_after_days", "value": 1.5}, "whole number, 0 or more"),
        ({"property": "stale_after_days", "value": True}, "whole number, 0 or more"),
        ({"property": "min_rows", "value": None}, "whole number, 0 or more"),
        ({"property": "small_share", "value": 50}, "must lie between 0 and 1"),
        ({"property": "max_quarantined_share", "value": None}, "must lie between 0 and 1"),
    ],
)
def test_wrong_limit_is_refused_by_name(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        sla_limits([entry], Path("gp_events.yaml"))
    assert said in str(refused.value)
    assert refused.value.file == "gp_events.yaml"


def test_limit_that_stands_twice_is_refused() -> None:
    with pytest.raises(DefinitionError, match="stands twice"):
        sla_limits([{"property": "min_rows", "value": 1}] * 2, Path("gp_events.yaml"))


def test_wrong_limit_of_a_site_is_refused_by_name(site: Path) -> None:
    override(site, "gp_events", small_share=3)
    with pytest.raises(DefinitionError, match="small_share of gp_events must lie between 0 and 1"):
        load_definitions(site)


def test_limit_that_is_stated_nowhere_is_named_with_what_to_add(site: Path) -> None:
    path = site / "data_contracts" / "gp_events.yaml"
    line = "  - {property: small_share, value: 0.5, unit: share}\n"
    text = path.read_text(encoding="utf-8")
    assert line in text
    path.write_text(text.replace(line, ""), encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        load_definitions(site)
    assert "small_share of gp_events is stated nowhere" in str(refused.value)
    assert "slaProperties" in str(refused.value)
    assert refused.value.file == str(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"stale_after_days": 93}, "stop_after_days of gp_events is below stale_after_days"),
        ({"small_share": 0.05}, "small_share of gp_events is below stop_small_share"),
    ],
)
def test_run_never_stops_before_it_warns(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        resolve_limits("gp_events", STATED, changed, NOWHERE)


@pytest.mark.parametrize("name", ["stop_after_days", "stop_small_share", "month_small_share"])
def test_limit_that_may_be_left_out_never_warns_or_stops(name: str) -> None:
    stated = {key: value for key, value in STATED.items() if key != name}
    assert getattr(resolve_limits("gp_events", stated, {}, NOWHERE), name) is None
