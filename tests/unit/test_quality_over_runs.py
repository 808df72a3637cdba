"""What is said about data quality from stored numbers alone: the trend over runs, and today's limits on an old run."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.errors import RiskstratError
from riskstrat.quality.rejudging import Rejudged, rejudge
from riskstrat.quality.trend import MOST_RUNS, TrendRow, trend_rows, trend_runs, write_trend_page
from riskstrat.site import write_default_site
from tests.quality import AS_OF, LIMITS, delivered, seen, write_judged, write_run

RULE = "gp_events.code.required"


def nights(output: Path, *shares: float, extract: str = "gp_events") -> None:
    """One run a night up to AS_OF; ``shares`` of 1,000 rows are quarantined for want of a code."""
    for place, share in enumerate(shares):
        broken = round(1000 * share)
        observations = seen(
            extract, read=1000, accepted=1000 - broken, quarantined=broken, failed={RULE: broken}
        )
        write_run(output, AS_OF - timedelta(days=len(shares) - 1 - place), observations)


def row_of(rows: list[TrendRow], check: str) -> TrendRow:
    return next(row for row in rows if row.check == check)


# --- the trend -------------------------------------------------------------------------------------------------------


def test_trend_follows_every_check_over_the_runs(tmp_path: Path) -> None:
    nights(tmp_path, 0.01, 0.02, 0.04)
    rows = trend_rows(tmp_path, "gp_events")
    assert row_of(rows, "gp_events.rows.read").values == (1000.0, 1000.0, 1000.0)
    rule = row_of(rows, RULE)
    assert rule.values == (0.01, 0.02, 0.04), "a rule's value is the share of rows that broke it"
    assert (rule.severity, rule.failed, rule.is_quiet) == ("quarantine", True, False)
    assert (
        rule.said == "code is empty, in 3 of 3 runs: first 1.00%, newest 4.00%, lowest 1.00%, highest 4.00%."
    )
    assert row_of(rows, "gp_events.event_id.required").is_quiet
    assert row_of(rows, "gp_events.delivery.freshness").severity == "stop"


def test_trend_of_one_extract_holds_no_other(tmp_path: Path) -> None:
    write_run(tmp_path, AS_OF, seen(), seen("gp_contacts"))
    assert {row.extract for row in trend_rows(tmp_path, "gp_contacts")} == {"gp_contacts"}
    assert {row.extract for row in trend_rows(tmp_path)} == {"gp_contacts", "gp_events"}
    assert trend_rows(tmp_path, "gp_medications") == []


def test_extract_that_a_run_did_not_have_is_a_gap(tmp_path: Path) -> None:
    write_run(tmp_path, AS_OF - timedelta(days=2), seen(), seen("gp_contacts"))
    write_run(tmp_path, AS_OF - timedelta(days=1), seen())
    write_run(tmp_path, AS_OF, seen(), seen("gp_contacts"))
    row = row_of(trend_rows(tmp_path, "gp_contacts"), "gp_contacts.rows.read")
    assert row.values == (100.0, None, 100.0)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((0.01, 0.02, 0.01, 0.03), "3.00%"),
        ((0.01, 0.02, 0.01, 0.02), ""),
        ((0.01, 0.02, 0.01, 0.00), ""),  # better than ever is no news
        ((0.01, 0.02, 0.03), ""),  # too few earlier runs to call anything unusual
        ((0.0, 0.0, 0.0, 0.001), "always 0.00%"),
    ],
)
def test_what_is_worse_than_in_all_earlier_runs_is_said(
    tmp_path: Path, shares: tuple[float, ...], says: str
) -> None:
    nights(tmp_path, *shares)
    said = row_of(trend_rows(tmp_path, "gp_events"), "gp_events.rows.quarantined_share").says
    assert says in said
    assert bool(said) is bool(says)


@pytest.mark.parametrize(("newest", "word"), [(50, "lower"), (100, ""), (300, "higher")])
def test_delivery_of_unusual_size_is_said_both_ways(tmp_path: Path, newest: int, word: str) -> None:
    for place, rows in enumerate((100, 100, 100, newest)):
        observations = seen(deliveries=delivered(9000, 100, 100, 100, rows))
        write_run(tmp_path, AS_OF - timedelta(days=3 - place), observations)
    says = row_of(trend_rows(tmp_path), "gp_events.delivery.volume").says
    assert word in says
    assert bool(says) is bool(word)


@pytest.mark.parametrize(
    ("days", "severity", "failed"), [(1, "stop", False), (40, "warn", True), (99, "stop", True)]
)
def test_severity_is_that_of_the_breach_or_the_gravest_possible(
    tmp_path: Path, days: int, severity: str, failed: bool
) -> None:
    folder = tmp_path / "runs" / "20260401-aaaaaaaaaa"
    write_judged(folder, seen(newest_delivery=AS_OF - timedelta(days=days)))
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    row = row_of(trend_rows(tmp_path), "gp_events.delivery.freshness")
    assert (row.severity, row.failed) == (severity, failed)


def test_rows_that_only_grow_are_no_news(tmp_path: Path) -> None:
    for place in range(5):
        observations = seen(read=1000 + place, accepted=1000 + place)
        write_run(tmp_path, AS_OF - timedelta(days=4 - place), observations)
    rows = trend_rows(tmp_path)
    assert row_of(rows, "gp_events.rows.read").values == (1000.0, 1001.0, 1002.0, 1003.0, 1004.0)
    assert not [row for row in rows if row.says]


def test_trend_looks_at_the_last_thirty_dates_up_to_the_one_asked_for(tmp_path: Path) -> None:
    for back in range(MOST_RUNS + 5):
        write_run(tmp_path, AS_OF - timedelta(days=back))
    assert [run.as_of for run in trend_runs(tmp_path)] == [
        AS_OF - timedelta(days=back) for back in range(MOST_RUNS - 1, -1, -1)
    ]
    earlier = AS_OF - timedelta(days=3)
    assert trend_runs(tmp_path, earlier)[-1].as_of == earlier


def test_of_several_runs_of_one_date_the_newest_counts(tmp_path: Path) -> None:
    write_run(tmp_path, AS_OF, seen(read=7), letter="b")
    write_run(tmp_path, AS_OF, seen(read=8), letter="a")  # latest points here
    assert row_of(trend_rows(tmp_path), "gp_events.rows.read").values == (8.0,)


def test_run_that_cannot_be_read_is_a_gap_and_fails_nothing(tmp_path: Path) -> None:
    nights(tmp_path, 0.01, 0.01)
    damaged = trend_runs(tmp_path)[0].folder / "quality" / "gp_events" / "expectations.json"
    damaged.write_text("{", encoding="utf-8")
    assert row_of(trend_rows(tmp_path), "gp_events.rows.read").values == (None, 1000.0)


def test_trend_page_says_what_is_unlike_earlier_runs_and_draws_every_line(tmp_path: Path) -> None:
    nights(tmp_path, 0.01, 0.02, 0.01, 0.03)
    path = write_trend_page(tmp_path)
    assert path == tmp_path / "quality" / "index.html"
    page = path.read_text(encoding="utf-8")
    assert (
        "gp_events: share of rows quarantined and not corrected since is 3.00%, higher than in any of 3 earlier "
        "runs (1.00% to 2.00%)." in page
    )
    shown = [row for row in trend_rows(tmp_path) if not row.is_quiet]
    assert RULE in {row.check for row in shown}
    assert page.count("<svg") == len(shown)
    assert page.count("<title>") == len(shown) + 1
    quiet = sum(row.is_quiet for row in trend_rows(tmp_path))
    assert f"{quiet} further rules: no row broke them" in page
    runs = [run.id for run in trend_runs(tmp_path)]
    assert len(runs) == 4
    assert [run for run in runs if run not in page] == []
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bsrc=|http|//", page)
    assert [entry.name for entry in path.parent.iterdir()] == ["index.html"], "no draft is left"
    links = re.findall(r'href="([^"#]+)"', page)
    assert links == ["../latest/quality/index.html"]


def test_trend_page_of_a_first_run_says_that_it_is_one(tmp_path: Path) -> None:
    nights(tmp_path, 0.01)
    page = write_trend_page(tmp_path).read_text(encoding="utf-8")
    assert "One run so far" in page
    assert "Said from 3 earlier runs on" in page


def test_trend_page_of_a_quiet_night_says_that_nothing_is_unusual(tmp_path: Path) -> None:
    nights(tmp_path, 0.01, 0.01, 0.01, 0.01, 0.01)
    assert "Nothing: every value" in write_trend_page(tmp_path).read_text(encoding="utf-8")


# --- judging again ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    site = tmp_path_factory.mktemp("rejudge") / "site"
    write_default_site(site)
    return load_definitions(site)


def again(folder: Path, definitions: Definitions, **limits: Any) -> Rejudged:
    changed = replace(definitions.limits["gp_events"], **limits)
    return rejudge(folder, replace(definitions, limits={**definitions.limits, "gp_events": changed}))[
        "gp_events"
    ]


def test_same_limits_change_no_verdict(tmp_path: Path, definitions: Definitions) -> None:
    observations = seen(read=1000, accepted=960, quarantined=40, failed={RULE: 40})
    write_judged(tmp_path, observations, definitions.limits["gp_events"])
    result = again(tmp_path, definitions)
    assert (result.was_success, result.success, result.changes, result.unobserved) == (True, True, (), ())


@pytest.mark.parametrize(
    ("observed", "limits", "check"),
    [
        (
            {"read": 1000, "accepted": 960, "quarantined": 40, "failed": {RULE: 40}},
            {"max_quarantined_share": 0.03},
            "rows.quarantined_share",
        ),
        ({"newest_delivery": AS_OF - timedelta(days=40)}, {"stop_after_days": 39}, "delivery.freshness"),
        ({"deliveries": delivered(9, 100, 100, 100, 40)}, {"stop_small_share": 0.45}, "delivery.volume"),
        ({}, {"min_rows": 101}, "rows.accepted"),
    ],
)
def test_changed_limit_changes_the_verdict_of_an_old_run(
    tmp_path: Path, definitions: Definitions, observed: Any, limits: Any, check: str
) -> None:
    write_judged(tmp_path, seen(**observed), definitions.limits["gp_events"])
    result = again(tmp_path, definitions, **limits)
    assert (result.was_success, result.success) == (True, False)
    (change,) = [change for change in result.changes if change.severity == "stop"]
    assert (change.check, change.was, change.now) == (f"gp_events.{check}", "passes", "fails")
    assert change.says.startswith("gp_events ")


def test_usual_is_found_again_from_the_stored_deliveries(tmp_path: Path, definitions: Definitions) -> None:
    write_judged(tmp_path, seen(deliveries=delivered(9000, 100, 1)), definitions.limits["gp_events"])
    result = again(tmp_path, definitions, usual_after=1)
    assert result.success is False
    assert {(change.check, change.was) for change in result.changes} == {
        ("gp_events.delivery.volume", "not judged")
    }


def test_lenient_limit_lets_an_old_run_pass(tmp_path: Path, definitions: Definitions) -> None:
    observations = seen(read=1000, accepted=900, quarantined=100)
    write_judged(tmp_path, observations, definitions.limits["gp_events"])
    result = again(tmp_path, definitions, max_quarantined_share=0.1)
    assert (result.was_success, result.success) == (False, True)
    assert [change.says for change in result.changes] == [""]


def test_rule_may_become_graver_and_new_rules_are_named_as_unobserved(
    tmp_path: Path, definitions: Definitions
) -> None:
    observations = seen(read=1000, accepted=999, quarantined=1, failed={RULE: 1})
    kept = {rule: count for rule, count in observations.failed.items() if not rule.endswith(".structure")}
    write_judged(tmp_path, replace(observations, failed=kept), definitions.limits["gp_events"])
    contract = definitions.contracts["gp_events"]
    rules = tuple(replace(rule, severity="stop") if rule.id == RULE else rule for rule in contract.rules)
    contracts = {**definitions.contracts, "gp_events": replace(contract, rules=rules)}
    result = rejudge(tmp_path, replace(definitions, contracts=contracts))["gp_events"]
    assert result.success is False
    assert result.unobserved == ("gp_events.row.structure",)


def test_judging_again_writes_nothing(tmp_path: Path, definitions: Definitions) -> None:
    write_judged(tmp_path, seen())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again(tmp_path, definitions, min_rows=10_000)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_run_without_observations_is_refused_with_a_remedy(tmp_path: Path, definitions: Definitions) -> None:
    write_judged(tmp_path, seen())
    path = tmp_path / "quality" / "gp_events" / "expectations.json"
    path.write_text('{"success": true, "results": []}', encoding="utf-8")
    with pytest.raises(RiskstratError, match="cannot be judged again") as refused:
        rejudge(tmp_path, definitions)
    assert refused.value.remedy


def test_extract_that_has_no_contract_any_more_is_left_out(tmp_path: Path, definitions: Definitions) -> None:
    write_judged(tmp_path, seen())
    shutil.copytree(tmp_path / "quality" / "gp_events", tmp_path / "quality" / "gp_retired")
    assert set(rejudge(tmp_path, definitions)) == {"gp_events"}


def test_providers_are_judged_again_as_well(tmp_path: Path, definitions: Definitions) -> None:
    from riskstrat.quality.observations import ProviderMonth

    months = (ProviderMonth("RT9", date(2026, 3, 1), 60, 100.0),)
    write_judged(tmp_path, seen(calendar_providers=1, providers=months), LIMITS)
    result = again(tmp_path, definitions, month_small_share=0.7)
    assert [change.now for change in result.changes if change.check.endswith("provider.volume")] == ["fails"]
    assert result.success is True
