"""Small, old, missing and damaged deliveries over several nights: what is named, what stops, what heals."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.everything import load_definitions
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.quality.rejudging import rejudge
from riskstrat.quality.trend import trend_rows
from riskstrat.site import load_site
from tests import factories, small_town
from tests.end_to_end.command import Answer, riskstrat

AS_OF = small_town.AS_OF
HISTORY, TONIGHT = AS_OF - timedelta(days=40), AS_OF - timedelta(days=1)
NIGHTS = tuple(AS_OF - timedelta(days=back) for back in (4, 3, 2))
PERSON = factories.nhs_number(1)
REGISTERED = 30

Rows = Mapping[str, list[dict[str, Any]]]


def events(count: int, name: str = "E", **columns: Any) -> list[dict[str, Any]]:
    return [
        factories.event(PERSON, event_id=f"{name}{place}", event_date=date(2026, 3, 2), **columns)
        for place in range(count)
    ]


def contacts(count: int) -> list[dict[str, Any]]:
    return [factories.gp_contact(PERSON) for _ in range(count)]


def register(count: int = REGISTERED) -> list[dict[str, Any]]:
    town = small_town.town()["gp_patients"]
    others = [factories.patient(factories.nhs_number(100 + place)) for place in range(count - len(town))]
    return [*town, *others]


def deliver(site: Path, day: date, extracts: Rows) -> None:
    folder = site / "landing" / day.isoformat()
    shutil.rmtree(folder, ignore_errors=True)
    for name, rows in extracts.items():
        small_town.write_rows(folder / f"{name}.csv", rows)


def night(**changed: Any) -> dict[str, list[dict[str, Any]]]:
    """What a usual night brings; None leaves an extract out."""
    usual: dict[str, Any] = {"gp_patients": register(), "gp_events": events(40), "gp_contacts": contacts(30)}
    return {name: rows for name, rows in (usual | changed).items() if rows is not None}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a history and three usual nights, the second of which is published."""
    site = small_town.write_site(tmp_path_factory.mktemp("nights") / "site")
    town = small_town.town()
    deliver(site, HISTORY, town | {"gp_events": [*town["gp_events"], *events(400, "H")], **night()})
    for place, day in enumerate(NIGHTS):
        deliver(site, day, night(gp_events=events(40, f"N{place}_")))
    run(load_site(site), NIGHTS[1] + timedelta(days=1), progress=Progress(quiet=True))
    return site


@pytest.fixture
def site(before: Path, tmp_path: Path) -> Path:
    shutil.copytree(before, tmp_path / "site", symlinks=True)
    return tmp_path / "site"


def tonight(capsys: pytest.CaptureFixture[str], site: Path, *extra: str) -> Answer:
    return riskstrat(capsys, site, "run", "--as-of", AS_OF.isoformat(), *extra)


def latest(site: Path) -> Path:
    return (site / "output" / "latest").resolve()


def stored(site: Path, extract: str) -> dict[str, Any]:
    path = latest(site) / "quality" / extract / "expectations.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def set_limits(site: Path, extract: str, **limits: Any) -> None:
    path = site / "config" / "sources.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["extracts"][extract] = {**(document["extracts"][extract] or {}), **limits}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def test_small_missing_and_old_deliveries_are_named_and_the_run_goes_on(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(site, TONIGHT, night(gp_events=events(15, "T"), gp_contacts=None))
    answer = tonight(capsys, site)
    assert answer.code == 0, answer.err
    for warning in (
        "gp_events of 2026-03-31 has 15 rows, against a usual 40 (median of 3 earlier deliveries): 38%; "
        "below 50% is suspicious.",
        "gp_contacts is missing from the delivery of 2026-03-31; each of the 4 deliveries before had it.",
        f"acute_episodes is stale: the newest is of {HISTORY}, 40 days before {AS_OF}; 35 days are allowed.",
    ):
        assert f"warning: {warning}" in answer.err
    page = (latest(site) / "quality" / "index.html").read_text(encoding="utf-8")
    assert page.index("gp_events of 2026-03-31 has 15 rows") < page.index("At a glance")
    manifest = json.loads((latest(site) / "manifest.json").read_text(encoding="utf-8"))
    assert sum("has 15 rows" in warning for warning in manifest["warnings"]) == 1


def test_deliveries_beyond_their_limits_stop_the_run_with_every_reason(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = latest(site).name
    set_limits(site, "acute_episodes", stop_after_days=39)
    deliver(site, TONIGHT, night(gp_patients=register(14), gp_events=events(3, "T")))
    answer = tonight(capsys, site)
    assert answer.code == 4
    message = answer.err.strip().splitlines()[-1]
    for part in (
        "error: 2026-03-31/gp_patients.csv: gp_patients of 2026-03-31 has 14 rows, against a usual 30 (median of 1 "
        "earlier delivery): 47%; a run stops below 50%.",
        f"Also: acute_episodes is too old: the newest is of {HISTORY}, 40 days before {AS_OF}; a run stops beyond "
        "39 days.",
        "Also: gp_events of 2026-03-31 has 3 rows, against a usual 40",
        "Remedy: ask the supplier for a complete new delivery, or set another stop_small_share in "
        "data_contracts/gp_patients.yaml or config/sources.yaml.",
    ):
        assert part in message
    assert latest(site).name == published
    stopped = site / "output" / "quality" / "stopped.html"
    assert "gp_events of 2026-03-31 has 3 rows" in stopped.read_text(encoding="utf-8")
    assert str(stopped) in answer.err

    set_limits(site, "acute_episodes", stop_after_days=40)
    deliver(site, TONIGHT, night(gp_events=events(20, "T")))
    answer = tonight(capsys, site)
    assert answer.code == 0, answer.err
    assert not stopped.exists(), "the next published run takes the page of the stopped one away"


def test_file_that_is_sent_again_heals_the_next_run(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_limits(site, "gp_events", max_quarantined_share=0.02)
    deliver(site, NIGHTS[2], night(gp_events=events(40, "N2_", code=None)))
    deliver(site, TONIGHT, night(gp_events=events(40, "T")))
    answer = tonight(capsys, site)
    assert answer.code == 4
    assert "gp_events broke its contract beyond its threshold: 40 of" in answer.err
    assert "Most often (40 rows): code is empty." in answer.err

    deliver(site, TONIGHT, night(gp_events=events(40, "N2_")))
    answer = tonight(capsys, site)
    assert answer.code == 0, answer.err
    seen = stored(site, "gp_events")["observations"]
    assert (seen["quarantined"], seen["corrected"]) == (40, 40)
    manifest = json.loads((latest(site) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["conservation"]["gp_events"]["quarantined"] == 40, "they stay in the equation"


def test_rule_of_severity_stop_names_the_first_row_that_broke_it(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site / "data_contracts" / "gp_events.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    (column,) = [one for one in document["schema"][0]["properties"] if one["name"] == "code_system"]
    column["quality"][0]["severity"] = "stop"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    deliver(site, TONIGHT, night(gp_events=[*events(39, "T"), *events(1, "U", code_system="icpc")]))
    answer = tonight(capsys, site)
    assert answer.code == 4
    message = answer.err.strip().splitlines()[-1]
    for part in (
        "2026-03-31/gp_events.csv, row 41, column code_system: gp_events: 1 row broke code_system.allowed.",
        "One is enough to stop a run.",
        "Remedy: Translate the supplier's name",
    ):
        assert part in message


def test_register_before_the_newest_is_counted_if_it_can_be_read(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(site, TONIGHT, night())
    assert tonight(capsys, site).code == 0
    compared = stored(site, "gp_patients")["observations"]["deliveries"]
    assert [(one["delivery"], one["read"]) for one in compared] == [
        (NIGHTS[2].isoformat(), REGISTERED),
        (TONIGHT.isoformat(), REGISTERED),
    ]
    manifest = json.loads((latest(site) / "manifest.json").read_text(encoding="utf-8"))
    assert f"{NIGHTS[2]}/gp_patients.csv" in manifest["inputs"], "what is counted is hashed"
    (site / "landing" / NIGHTS[2].isoformat() / "gp_patients.csv").write_text("no header\n", encoding="utf-8")
    assert tonight(capsys, site).code == 0
    compared = stored(site, "gp_patients")["observations"]["deliveries"]
    assert [one["delivery"] for one in compared] == [TONIGHT.isoformat()]


def test_verdict_of_a_run_can_change_when_the_landing_folder_is_gone(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(site, TONIGHT, night(gp_events=events(15, "T")))
    assert tonight(capsys, site).code == 0
    shutil.rmtree(site / "landing")
    same = rejudge(latest(site), load_definitions(site))
    assert same.keys() >= night().keys()
    assert {(result.success, result.changes) for result in same.values()} == {(True, ())}
    set_limits(site, "gp_events", stop_small_share=0.4, month_small_share=0.0)
    result = rejudge(latest(site), load_definitions(site))
    assert {name for name, one in result.items() if not one.success} == {"gp_events"}
    (change,) = result["gp_events"].changes
    assert (change.check, change.severity, change.was, change.now) == (
        *("gp_events.delivery.volume", "stop", "passes", "fails"),
    )
    assert "has 15 rows, against a usual 40" in change.says


def test_trend_lies_beside_the_runs_and_none_of_them_depends_on_it(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(site, TONIGHT, night(gp_events=events(36, "T")))
    alone = tmp_path / "alone"
    shutil.copytree(site, alone, ignore=shutil.ignore_patterns("output", "state"))
    assert tonight(capsys, site).code == 0
    assert tonight(capsys, alone).code == 0
    assert latest(site).name != latest(alone).name, (
        "lists are compared with the night before, and say with which"
    )
    kept, fresh = (
        {
            path.relative_to(latest(one)).as_posix(): path.read_bytes()
            for path in sorted((latest(one) / "quality").rglob("*"))
            if path.is_file()
        }
        for one in (site, alone)
    )
    assert {"quality/index.html", "quality/gp_events/expectations.json"} <= kept.keys()
    assert kept == fresh
    trend = [(one / "output" / "quality" / "index.html").read_text(encoding="utf-8") for one in (site, alone)]
    assert "Every check over 2 runs" in trend[0]
    assert "One run so far" in trend[1]
    row = next(row for row in trend_rows(site / "output", "gp_events") if row.check == "gp_events.rows.read")
    assert [value is None for value in row.values] == [False, False]
    assert row.values[1] == (row.values[0] or 0) + 76
    page = latest(site) / "quality" / "index.html"
    links = re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8"))
    opened = (site / "output" / "latest" / "quality", page.parent)
    assert [os.path.normpath(folder / link) for folder, link in zip(opened, links, strict=True)] == (
        [str(site / "output" / "quality" / "index.html")] * 2
    )


def test_great_expectations_judged_every_stored_number(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(site, TONIGHT, night())
    assert tonight(capsys, site).code == 0
    raw = json.loads((latest(site) / "quality" / "great_expectations.json").read_text(encoding="utf-8"))
    results = [
        result
        for path in (latest(site) / "quality").glob("*/expectations.json")
        for result in json.loads(path.read_text(encoding="utf-8"))["results"]
    ]
    counted = [passed[0]["element_count"] for passed in raw["passes"].values()]
    assert sum(counted) == len(results)
    assert set(raw["passes"]) == {"ingest", "features"}
    said = {
        (one["check"], one["severity"])
        for passed in raw["passes"].values()
        for result in passed
        for one in result["unexpected"]
    }
    assert ("acute_episodes.delivery.freshness", "warn") in said
    assert said == {(result["check"], result["severity"]) for result in results if not result["success"]}


def test_silent_and_small_months_of_a_provider_are_kept_named_and_drawn(tmp_path: Path) -> None:
    site = small_town.write_site(tmp_path / "site")
    months = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(3, 27)]
    admissions = [
        factories.episode(
            PERSON,
            provider_code="RT9",
            admission_date=month.replace(day=day + 1),
            discharge_date=month.replace(day=day + 1),
            admission_method="11",
        )
        for month in months
        for day in range({date(2025, 8, 1): 0, date(2026, 3, 1): 9}.get(month, 24))
    ]
    small_town.write_landing(site, small_town.town() | {"acute_episodes": admissions})
    outcome = run(load_site(site), AS_OF, progress=Progress(quiet=True))
    folder = outcome.folder / "quality" / "acute_episodes"
    coverage = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    (provider,) = coverage["providers"]
    assert (provider["provider"], provider["unknown"], provider["rows"][-1]) == ("RT9", ["2025-08"], 9)
    assert (coverage["months"][0], coverage["months"][-1]) == ("2024-04", "2026-03")
    for warning in (
        "acute_episodes: nothing came for August 2025 from RT9; what looks back over that is unknown, not zero.",
        "acute_episodes of March 2026 is suspiciously small: RT9 sent 9 rows against its mean of 22 "
        "(over the 12 months before).",
    ):
        assert warning in outcome.manifest["warnings"]
    page = (outcome.folder / "quality" / "index.html").read_text(encoding="utf-8")
    assert 'title="RT9, August 2025: unknown, no row came' in page
    assert "admissions" in json.dumps(outcome.manifest["unknown_features"])
