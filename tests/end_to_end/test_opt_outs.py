"""Opt-outs are applied before any feature, per purpose, from a list that is not stale; only counts are kept."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.definitions.everything import load_definitions
from riskstrat.errors import ContractBrokenError, DefinitionError
from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from riskstrat.vault import read_people
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

QUIET = Progress(quiet=True)
NEAR, FAR = factories.PRACTICES[0], factories.PRACTICES[1]
DISSENT = {"code": "827241000000103", "event_date": date(2025, 1, 1)}


def _site(folder: Path, opt_outs: list[dict], dissents: tuple[int, ...] = ()) -> Path:
    site = small_town.write_site(folder / "site")
    extracts = small_town.town()
    extracts["national_opt_out"] = opt_outs
    extracts["gp_events"] += [factories.event(factories.nhs_number(index), **DISSENT) for index in dissents]
    small_town.write_landing(site, extracts)
    return site


def _checked(index: int, days_before: int) -> dict:
    day = small_town.AS_OF - timedelta(days=days_before)
    return factories.national_opt_out(factories.nhs_number(index), checked_on=day)


def test_opt_outs_are_counted_by_practice_and_nobody_is_named(tmp_path: Path):
    site = _site(tmp_path, [_checked(2, 3), _checked(1, 3)], dissents=(1, 3, 6))
    outcome = run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert outcome.manifest["opt_outs"] == {
        NEAR: {"national": 1, "type_1": 2},
        FAR: {"national": 1, "type_1": 1},
    }
    key = read_site_key(site / "keys")
    gone = {person_id(key, factories.nhs_number(index)) for index in (1, 2, 3, 6)}
    assert pq.read_table(outcome.folder / "features.parquet").num_rows == 2
    assert not gone & set(read_people(load_site(site))["person_id"].to_pylist())
    for path in (path for path in outcome.folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        assert not any(one.encode() in content for one in gone), path


def test_opt_out_that_the_purpose_exempts_is_not_applied(tmp_path: Path):
    site = _site(tmp_path, [_checked(2, 3)], dissents=(1,))
    path = site / "config" / "reference" / "opt_outs_applied.csv"
    path.write_text(
        path.read_text().replace("national,risk_stratification,true", "national,risk_stratification,false")
    )
    outcome = run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert outcome.manifest["opt_outs"] == {NEAR: {"type_1": 1}}
    assert pq.read_table(outcome.folder / "features.parquet").num_rows == 5


@pytest.mark.parametrize(
    ("change", "row", "column"),
    [
        (("national,risk_stratification,true", "national,commissioning,true"), 3, "purpose"),
        (("national,risk_stratification,true", "national,risk_stratification,yes"), 2, "applied"),
        (("national,risk_stratification", "type_1,risk_stratification"), 3, "opt_out"),
        (("true,national_opt_out", "true,national_list"), 3, "extract"),
    ],
)
def test_decision_that_would_decide_nothing_is_refused(
    tmp_path: Path, change: tuple[str, str], row: int, column: str
):
    site = _site(tmp_path, [])
    path = site / "config" / "reference" / "opt_outs_applied.csv"
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(DefinitionError) as refused:
        load_definitions(site)
    assert (refused.value.row, refused.value.column) == (row, column)


def test_opt_out_of_which_nothing_is_decided_stops_the_run(tmp_path: Path):
    site = _site(tmp_path, [_checked(2, 3)])
    path = site / "config" / "reference" / "opt_outs_applied.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "national" not in line))
    with pytest.raises(DefinitionError, match="whether the national opt-out is applied"):
        run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert not (site / "output" / "latest").exists()


@pytest.mark.parametrize(("days", "stops"), [(35, False), (36, True)])
def test_list_that_was_checked_too_long_ago_stops_the_run(tmp_path: Path, days: int, stops: bool):
    site = _site(tmp_path, [_checked(2, days), _checked(1, 300)])
    if not stops:
        run(load_site(site), small_town.AS_OF, progress=QUIET)
        return
    with pytest.raises(ContractBrokenError, match="36 days old; 35 are allowed") as stopped:
        run(load_site(site), small_town.AS_OF, progress=QUIET)
    assert stopped.value.column == "checked_on"
    assert not (site / "output" / "latest").exists()


def test_list_of_which_no_check_is_known_yet_stops_the_run(tmp_path: Path):
    """Nobody would be left out, and nothing would say so; a number without a date is applied all the same."""
    with pytest.raises(ContractBrokenError, match="none of them could be applied") as stopped:
        run(load_site(_site(tmp_path, [_checked(2, 0), _checked(1, -3)])), small_town.AS_OF, progress=QUIET)
    assert stopped.value.column == "checked_on"
    site = _site(tmp_path / "undated", [_checked(2, 0), {**_checked(1, 0), "checked_on": None}])
    assert run(load_site(site), small_town.AS_OF, progress=QUIET).manifest["opt_outs"] == {
        NEAR: {"national": 1}
    }


def test_list_that_was_delivered_too_long_ago_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    site = _site(tmp_path, [_checked(2, 40)])
    old = site / "landing" / (small_town.AS_OF - timedelta(days=39)).isoformat()
    old.mkdir()
    delivered = site / "landing" / small_town.DELIVERY.isoformat()
    (delivered / "national_opt_out.csv").replace(old / "national_opt_out.csv")
    answer = riskstrat(capsys, site, "run", "--as-of", small_town.AS_OF.isoformat())
    assert answer.code == 4, answer.err
    assert "national_opt_out" in answer.err
    assert "is too old" in answer.err
