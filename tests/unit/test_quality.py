"""Great Expectations judges counts against limits and really runs; the quality page says what came of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from riskstrat.definitions.contracts import Contract, load_contract
from riskstrat.errors import RiskstratError
from riskstrat.quality.expectations import Counts, Limits, judge_all
from riskstrat.quality.page import render_quality_page

FOLDER = Path(__file__).resolve().parents[2] / "data_contracts"
LIMITS = Limits(max_quarantined_share=0.05, max_quarantined_rows=20)
STATUSES = ("accepted", "quarantined", "duplicates", "superseded", "deleted")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(FOLDER / "gp_events.yaml")


def judged(contract: Contract, counts: Counts, limits: Limits = LIMITS) -> dict[str, Any]:
    return judge_all([(contract, counts, limits)])[contract.name]


def observed(verdict: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["check"]: result for result in verdict["results"]}


# --- Great Expectations ----------------------------------------------------------------------------------------------


def test_importing_great_expectations_does_not_end_the_process() -> None:
    """pyspark 4.3 beside Great Expectations 1.24 ends the process with exit code 0, and every test looks green."""
    code = "import great_expectations; print('still running', great_expectations.__version__)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["still", "running", version("great_expectations")]


def test_every_rule_of_the_contract_is_judged(contract: Contract) -> None:
    verdict = judged(contract, Counts(100, 100, 0, {}))
    judged_rules = {check for check in observed(verdict) if "." in check}
    assert judged_rules == {rule.id for rule in contract.rules}
    assert verdict["great_expectations"] == version("great_expectations")
    assert verdict["success"] is True
    assert all(result["success"] for result in verdict["results"])


def test_a_broken_rule_is_reported_as_failed(contract: Contract) -> None:
    """The sentinel: a suite that never ran, or ran over nothing, could not tell these apart."""
    rule = "gp_events.code.required"
    verdict = judged(contract, Counts(100, 97, 3, {rule: 3}))
    failed = {check for check, result in observed(verdict).items() if not result["success"]}
    assert failed == {rule}
    assert observed(verdict)[rule]["observed"] == 3
    assert verdict["success"] is True, "three rows are within the limit"


def test_checks_that_did_not_run_are_no_pass(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations as gx

    ignored = gx.ExpectationSuite.add_expectation

    def forgets_the_last(suite: Any, expectation: Any) -> Any:
        return expectation if "structure" in expectation.column else ignored(suite, expectation)

    monkeypatch.setattr(gx.ExpectationSuite, "add_expectation", forgets_the_last)
    with pytest.raises(RiskstratError, match="Great Expectations judged"):
        judged(contract, Counts(100, 100, 0, {}))


@pytest.mark.parametrize(
    ("read", "quarantined", "passes"),
    [
        (0, 0, True),
        (10, 9, True),  # few rows never stop a run
        (10, 10, False),  # unless nothing is left
        (1000, 20, True),
        (1000, 50, True),
        (1000, 51, False),
        (100, 21, False),
        (100, 20, True),
    ],
)
def test_run_stops_beyond_the_share_and_the_number_of_rows(
    contract: Contract, read: int, quarantined: int, passes: bool
) -> None:
    verdict = judged(contract, Counts(read, read - quarantined, quarantined, {}))
    assert verdict["success"] is passes


@pytest.mark.parametrize(("accepted", "passes"), [(0, False), (1, True)])
def test_run_stops_below_the_least_number_of_rows(contract: Contract, accepted: int, passes: bool) -> None:
    verdict = judged(contract, Counts(accepted, accepted, 0, {}), Limits(0.05, 20, min_rows=1))
    assert verdict["success"] is passes


def test_same_counts_give_the_same_bytes(contract: Contract) -> None:
    other = load_contract(FOLDER / "gp_contacts.yaml")
    asked = [
        (contract, Counts(100, 97, 3, {"gp_events.code.required": 3}), LIMITS),
        (other, Counts(5, 5, 0, {}), LIMITS),
    ]
    first, second = (json.dumps(judge_all(asked), sort_keys=True) for _ in range(2))
    assert first == second
    assert not re.search(r"\d{4}-\d{2}-\d{2}|/|run_id|uuid", first)


def test_judging_says_nothing_on_the_terminal(contract: Contract, capfd: pytest.CaptureFixture[str]) -> None:
    judged(contract, Counts(100, 97, 3, {"gp_events.code.required": 3}))
    assert capfd.readouterr() == ("", "")


# --- the page --------------------------------------------------------------------------------------------------------


def written(folder: Path, extract: str, counts: list[int], *, success: bool = True, **changed: Any) -> None:
    """One extract's summary and verdict, as ingest and Great Expectations leave them."""
    summary = {
        "extract": extract,
        "title": f"Title of {extract}",
        "files": ["2026-03-31/events.csv"],
        "conservation": {"read": sum(counts), **dict(zip(STATUSES, counts, strict=True))},
        "unlinked": 0,
        "before_birth": 0,
        "after_as_of": 0,
        "checks": [],
        "first_failures": [],
    }
    target = folder / "quality" / extract
    target.mkdir(parents=True)
    (target / "summary.json").write_text(json.dumps(summary | changed), encoding="utf-8")
    verdict = {"great_expectations": "1.24.1", "success": success, "results": []}
    (target / "expectations.json").write_text(json.dumps(verdict), encoding="utf-8")


def check(rule: str, severity: str, failed: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": rule,
        "column": rule.split(".")[1],
        "kind": "required",
        "severity": severity,
        "failed": failed,
        "share": failed / 2000,
        "message": f"{rule} is broken.",
        "remedy": f"Mend {rule}.",
    } | changed


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_page_writes_out_the_conservation_equation(tmp_path: Path) -> None:
    written(tmp_path, "gp_events", [1900, 60, 25, 10, 5])
    assert (
        "2,000 read = 1,900 accepted + 60 quarantined + 25 exact duplicates + 10 superseded + 5 deleted"
        in words(render_quality_page(tmp_path, "2026-04-01"))
    )


def test_page_lists_broken_rules_with_place_and_remedy_and_leaves_kept_ones_out(tmp_path: Path) -> None:
    checks = [check("gp_events.code.required", "quarantine", 60), check("gp_events.value.type", "warn", 0)]
    place = {
        "check": "gp_events.code.required",
        "file": "2026-03-31/events.csv",
        "row": 1234,
        "column": "code",
    }
    written(tmp_path, "gp_events", [1940, 60, 0, 0, 0], checks=checks, first_failures=[place])
    text = words(render_quality_page(tmp_path, "2026-04-01"))
    for expected in (
        "gp_events.code.required",
        "3.00%",
        "row 1,234, code",
        "Mend gp_events.code.required.",
        "row quarantined",
    ):
        assert expected in text
    assert "gp_events.value.type" not in text


def test_page_puts_quarantined_rows_before_warnings_and_many_before_few(tmp_path: Path) -> None:
    checks = [
        check("gp_events.a.allowed", "warn", 90),
        check("gp_events.b.required", "quarantine", 1),
        check("gp_events.c.required", "quarantine", 7),
    ]
    written(tmp_path, "gp_events", [1992, 8, 0, 0, 0], checks=checks)
    text = words(render_quality_page(tmp_path, "2026-04-01"))
    places = [text.index(f"Mend gp_events.{name}") for name in ("c.required", "b.required", "a.allowed")]
    assert places == sorted(places)


def test_page_says_which_extract_is_beyond_its_limits(tmp_path: Path) -> None:
    written(tmp_path, "gp_contacts", [5, 0, 0, 0, 0])
    written(tmp_path, "gp_events", [900, 1100, 0, 0, 0], success=False)
    text = words(render_quality_page(tmp_path, "2026-04-01"))
    assert re.search(
        r"Title of gp_contacts.*?within its limits.*?Title of gp_events.*?beyond its limits", text
    )


def test_page_of_an_absent_extract_has_no_share(tmp_path: Path) -> None:
    written(tmp_path, "gp_contacts", [0, 0, 0, 0, 0], files=[])
    assert "0 read = 0 accepted" in words(render_quality_page(tmp_path, "2026-04-01"))


def test_page_escapes_whatever_a_supplier_named(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    place = {"check": "gp_events.code.required", "file": hostile, "row": 2, "column": hostile}
    checks = [check("gp_events.code.required", "quarantine", 1, message=hostile, remedy=hostile)]
    written(tmp_path, "gp_events", [1, 1, 0, 0, 0], files=[hostile], checks=checks, first_failures=[place])
    page = render_quality_page(tmp_path, "2026-04-01")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5


def test_page_needs_no_network_and_is_the_same_every_time(tmp_path: Path) -> None:
    written(tmp_path, "gp_events", [1900, 60, 25, 10, 5])
    page = render_quality_page(tmp_path, "2026-04-01")
    assert page == render_quality_page(tmp_path, "2026-04-01")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bsrc=|http|//", page)
