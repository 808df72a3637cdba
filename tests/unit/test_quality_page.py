"""The quality page of a run: what it says, that it holds nobody's data, and that it needs nothing but its own run."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskstrat.quality.calendar import ALWAYS_SHOWN, MOST_SHOWN, calendar_view
from riskstrat.quality.codes import shown_code
from riskstrat.quality.coverage import Calendar, ProviderCalendar
from riskstrat.quality.page import render_quality_page
from riskstrat.quality.sparkline import spark_svg, spark_text
from tests.quality import delivered, seen, write_judged, write_summary

AS_OF = "2026-04-01"
MONTHS = tuple(date(2025, month, 1) for month in range(1, 13))


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


def written(folder: Path, extract: str, counts: list[int], *, success: bool = True, **changed: Any) -> None:
    """One extract's summary, and a verdict that says nothing more than ``success``."""
    write_summary(folder, extract, counts, **changed)
    verdict = {"great_expectations": "1.24.1", "success": success, "results": []}
    (folder / "quality" / extract / "expectations.json").write_text(json.dumps(verdict), encoding="utf-8")


def words(page: str) -> str:
    text = re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def page_of(folder: Path) -> str:
    return render_quality_page(folder, AS_OF)


def provider(
    code: str, *rows: int, silent: int | None = None, declared: int | None = None
) -> ProviderCalendar:
    places = range(len(rows))
    return ProviderCalendar(
        code,
        100.0,
        rows,
        tuple(place == silent for place in places),
        tuple(place == declared for place in places),
    )


def coverage(*providers: ProviderCalendar) -> dict[str, Any]:
    months = MONTHS[-len(providers[0].rows) :]
    stored: dict[str, Any] = json.loads(Calendar("gp_events", months, providers).as_json())
    return stored


# --- counts and rules ------------------------------------------------------------------------------------------------


def test_page_writes_out_the_conservation_equation(tmp_path: Path) -> None:
    written(tmp_path, "gp_events", [1900, 60, 25, 10, 5])
    assert (
        "2,000 read = 1,900 accepted + 60 quarantined + 25 exact duplicates + 10 superseded + 5 deleted"
        in words(page_of(tmp_path))
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
    text = words(page_of(tmp_path))
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
    text = words(page_of(tmp_path))
    places = [text.index(f"Mend gp_events.{name}") for name in ("c.required", "b.required", "a.allowed")]
    assert places == sorted(places)


def test_page_says_which_extract_is_beyond_its_limits(tmp_path: Path) -> None:
    written(tmp_path, "gp_contacts", [5, 0, 0, 0, 0])
    written(tmp_path, "gp_events", [900, 1100, 0, 0, 0], success=False)
    text = words(page_of(tmp_path))
    assert re.search(
        r"Title of gp_contacts.*?within its limits.*?Title of gp_events.*?beyond its limits", text
    )


def test_page_of_an_absent_extract_has_no_share(tmp_path: Path) -> None:
    written(tmp_path, "gp_contacts", [0, 0, 0, 0, 0], files=[])
    text = words(page_of(tmp_path))
    assert "0 read = 0 accepted" in text
    assert "%" not in text


def test_page_says_how_many_quarantined_rows_came_again_and_were_sound(tmp_path: Path) -> None:
    written(tmp_path, "gp_events", [1940, 60, 0, 0, 0], corrected=41)
    assert "41 of the quarantined rows came again and were sound" in words(page_of(tmp_path))


# --- limits, deliveries ----------------------------------------------------------------------------------------------


def test_what_to_look_at_stands_first_and_healthy_checks_are_folded(tmp_path: Path) -> None:
    write_judged(tmp_path, seen(deliveries=delivered(9000, 100, 100, 100, 20)))
    write_judged(tmp_path, seen("gp_contacts"))
    page = page_of(tmp_path)
    text = words(page)
    notice = "gp_events of 2026-03-31 has 20 rows, against a usual 100 (median of 3 earlier deliveries): 20%"
    assert text.index(notice) < text.index("At a glance")
    assert "1 warning" in text
    assert page.count("<details open>") == 1
    assert "All 5 are within" in text


def test_deliveries_have_a_line_that_says_in_words_what_it_shows(tmp_path: Path) -> None:
    write_judged(tmp_path, seen(deliveries=delivered(9000, 110, 100, 120, 100)))
    page = page_of(tmp_path)
    said = (
        "Rows in each of 4 deliveries, 2026-03-28 to 2026-03-31: first 110, newest 100, least 100, most 120. "
        "The very first (2026-03-27, 9,000 rows) brought the history."
    )
    assert f"<title>{said}</title>" in page
    assert said in words(page)
    assert re.search(r"2026-03-27 1 9,000 9,000 0 0", words(page)), "the first is in the table"


def test_one_delivery_is_no_trend(tmp_path: Path) -> None:
    write_judged(tmp_path, seen())
    assert "<svg" not in page_of(tmp_path)


def test_sparkline_starts_at_zero_and_breaks_where_nothing_is_known() -> None:
    line = str(spark_svg([0, 10, None, 10, 5], "five & more"))
    assert "<title>five &amp; more</title>" in line
    assert line.count("<polyline") == 2
    points = re.findall(r'points="([^"]+)"', line)
    bottom, top = (float(point.split(",")[1]) for point in points[0].split())
    assert (bottom, top) == (24, 4)
    assert 'class="now"' in line
    assert 'class="now"' not in str(spark_svg([1, None], "gone"))
    assert spark_text([0, 1, None, 4]) == "▁▃ █"


# --- the calendar ----------------------------------------------------------------------------------------------------


def test_calendar_tells_unknown_from_declared_from_nothing() -> None:
    full = (100,) * 11
    view = calendar_view(
        coverage(
            provider("RT1", *full, 0, silent=11),
            provider("RT2", 0, *full, declared=0),
            provider("RT3", *full, 40),
        ),
        0.5,
    )
    cells = {row["provider"]: row["cells"] for row in view["rows"]}
    assert cells["RT1"][11] == {
        "kind": "unknown",
        "text": "?",
        "says": "December 2025: unknown, no row came; 92 a month are usual",
    }
    assert cells["RT2"][0]["kind"] == "declared"
    assert cells["RT3"][11] == {"kind": "l2", "text": "40", "says": "December 2025: 40 rows, 42% of its mean"}
    assert cells["RT3"][0]["kind"] == "l4"
    assert view["years"] == [(2025, 12)]
    assert "What looks back over a month marked ? is unknown, not zero." in view["says"]


def test_calendar_shades_by_the_providers_own_mean() -> None:
    (row,) = calendar_view(coverage(provider("RT1", 0, 1, 30, 60, 100, 180)), 0.5)["rows"]
    assert [cell["kind"] for cell in row["cells"]] == ["l0", "l1", "l2", "l4", "l5", "l5"]


def test_long_calendar_is_folded_to_silence_and_drops_with_a_count_of_the_healthy() -> None:
    healthy = [provider(f"A{place:05d}", 100, 100, 100) for place in range(300)]
    odd = [provider("SILENT", 100, 0, 100, silent=1), provider("DROPS", 100, 100, 10)]
    view = calendar_view(coverage(*healthy, *odd), 0.5)
    assert [row["provider"] for row in view["rows"]] == ["DROPS", "SILENT"]
    assert "300 providers are not shown: no silent month, and in the newest at least 50%" in view["says"]


def test_short_calendar_shows_everybody() -> None:
    healthy = [provider(f"A{place:05d}", 100, 100) for place in range(ALWAYS_SHOWN)]
    assert len(calendar_view(coverage(*healthy), 0.5)["rows"]) == ALWAYS_SHOWN


def test_calendar_of_a_disaster_shows_the_worst_and_says_how_many_more() -> None:
    silent = [provider(f"A{place:05d}", 100, 0, 100, silent=1) for place in range(99)]
    worse = provider("WORST", 100, 0, 0, silent=1)
    view = calendar_view(coverage(*silent, worse), 0.5)
    assert len(view["rows"]) == MOST_SHOWN
    assert "WORST" in {row["provider"] for row in view["rows"]}
    assert f"{100 - MOST_SHOWN} more have gaps" in view["says"]


def test_unknown_is_written_in_words_for_whoever_cannot_see_the_cell(tmp_path: Path) -> None:
    write_judged(tmp_path, seen())
    stored = Calendar("gp_events", MONTHS[:2], (provider("RT1", 100, 0, silent=1),)).as_json()
    (tmp_path / "quality" / "gp_events" / "coverage.json").write_text(stored, encoding="utf-8")
    page = page_of(tmp_path)
    assert 'title="RT1, February 2025: unknown, no row came; 50 a month are usual"' in page
    assert '<span class="hush">unknown</span>' in page
    assert "unknown: it sent nothing" in words(page)


def test_newest_month_is_compared_with_months_since_the_provider_began() -> None:
    found = Calendar(
        "gp_events",
        MONTHS,
        (
            provider("BEGAN", 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 60, 10),
            provider("SMALL", *(19,) * 11, 1),
            provider("GAP", *(100,) * 11, 0, declared=11),
            provider("NEVER", *(0,) * 12),
        ),
    ).newest_months(enough=20)
    assert [(one.provider, one.month, one.rows, one.mean) for one in found] == [
        ("BEGAN", MONTHS[-1], 10, 50.0)
    ]


# --- codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["1064811000000103", "73211009", "XaZ8A", "9Nu0.", "I50", "1119302009"])
def test_code_is_shown(code: str) -> None:
    assert shown_code(code) == code


@pytest.mark.parametrize(
    "code", ["9990000018", "999-000-0018", "X9990000018", "rang daughter", "Smith John", "x" * 19, ""]
)
def test_what_could_name_a_person_is_not_shown(code: str) -> None:
    assert shown_code(code) == "(not shown: could name a person)"


@pytest.mark.parametrize("people", [None, "<6"])
def test_page_says_how_much_is_mapped_and_what_is_not(tmp_path: Path, people: str | None) -> None:
    write_judged(tmp_path, seen())
    codes = {
        "systems": [
            {
                "code_system": "snomed",
                "codes": 31,
                "rows": 2000,
                "mapped_rows": 500,
                "tidied_rows": 7,
                "malformed_rows": 3,
            }
        ],
        "unmapped": [{"code_system": "snomed", "code": "73211009", "rows": 1400, "people": people}],
    }
    (tmp_path / "quality" / "gp_events" / "codes.json").write_text(json.dumps(codes), encoding="utf-8")
    page = page_of(tmp_path)
    assert "snomed: 25% of 2,000 rows carry one of the codes" in words(page)
    assert "snomed 73211009 1,400" in words(page)
    assert ("&lt;6" in page) is (people is not None)


# --- the file --------------------------------------------------------------------------------------------------------


def test_page_escapes_whatever_a_supplier_named(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    place = {"check": "gp_events.code.required", "file": hostile, "row": 2, "column": hostile}
    checks = [check("gp_events.code.required", "quarantine", 1, message=hostile, remedy=hostile)]
    written(tmp_path, "gp_events", [1, 1, 0, 0, 0], files=[hostile], checks=checks, first_failures=[place])
    calendar = Calendar("gp_events", MONTHS[:1], (provider(hostile, 0, silent=0),)).as_json()
    (tmp_path / "quality" / "gp_events" / "coverage.json").write_text(calendar, encoding="utf-8")
    page = page_of(tmp_path)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 7


def test_page_needs_no_network_and_is_the_same_every_time(tmp_path: Path) -> None:
    write_judged(tmp_path, seen(deliveries=delivered(9000, 100, 100, 100, 20)))
    page = page_of(tmp_path)
    assert page == page_of(tmp_path)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bsrc=|http|//", page)


def test_page_leads_to_the_trend_from_both_places_where_it_can_be_opened(tmp_path: Path) -> None:
    write_judged(tmp_path, seen())
    links = re.findall(r'href="([^"#]+)"', page_of(tmp_path))
    assert links == ["../../quality/index.html", "../../../quality/index.html"]


def test_page_of_what_is_not_published_leads_nowhere(tmp_path: Path) -> None:
    write_judged(tmp_path, seen())
    page = render_quality_page(tmp_path, AS_OF, is_published=False)
    assert not re.findall(r'href="([^"#]+)"', page)


def test_page_of_a_stopped_run_says_so_first_and_leads_nowhere(tmp_path: Path) -> None:
    written(tmp_path, "gp_events", [900, 1100, 0, 0, 0], success=False)
    page = render_quality_page(tmp_path, AS_OF, stopped_by=["gp_events is too old."])
    text = words(page)
    assert "This run was stopped and nothing of it was published gp_events is too old." in text
    assert text.index("was stopped") < text.index("At a glance")
    assert not re.findall(r'href="([^"#]+)"', page)
