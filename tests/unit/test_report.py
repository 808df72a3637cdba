"""The run report: what it must say, what it must never hold, and that it is the same page every time."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from riskstrat.report import render_report
from riskstrat.report.people import count_population
from tests.fake_people import NEIGHBOURHOODS
from tests.fake_run import write_fake_run

FRAILTY = ("fit", "mild", "moderate", "severe")
SHOWN = {"older_from_age": 65, "frailty_categories": FRAILTY}


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published") / "20260401-0fa4e0f1"


@pytest.fixture(scope="module")
def manifest(run_folder: Path) -> dict[str, Any]:
    return write_fake_run(run_folder)


@pytest.fixture(scope="module")
def page(run_folder: Path, manifest: dict[str, Any]) -> str:
    return render_report(run_folder, manifest, **SHOWN)


class Elements(HTMLParser):
    """Collects (tag, attributes) of every element of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def text_of(page: str) -> str:
    """The words of a page, charts and styles left out, each run of white space made one space."""
    words = re.sub(r"<(svg|style).*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words))


def test_page_needs_no_network(page: str) -> None:
    assert "http" not in page
    assert "//" not in page.replace("</", "")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\bsrc=", page)


def test_page_names_no_person(run_folder: Path, page: str) -> None:
    person_ids = pd.read_parquet(run_folder / "features.parquet", columns=["person_id"])["person_id"]
    assert not [person_id for person_id in person_ids if person_id in page]


def test_page_is_the_same_when_only_the_timings_differ(
    run_folder: Path, manifest: dict[str, Any], page: str
) -> None:
    slower = copy.deepcopy(manifest) | {"timings": {"ingest": 98765.4321}}
    assert render_report(run_folder, slower, **SHOWN) == page
    assert "98765" not in page


def test_page_says_which_run_it_reports_and_that_it_decides_nothing(
    page: str, manifest: dict[str, Any]
) -> None:
    text = text_of(page)
    for fact in (manifest["run"], "1 April 2026", manifest["code_version"], manifest["engine"]):
        assert fact in text
    assert "A prompt for professional review, not a decision." in text
    assert manifest["warnings"][0] in text


def test_every_delivered_extract_shows_its_whole_equation(page: str, manifest: dict[str, Any]) -> None:
    text = text_of(page)
    for extract, rows in manifest["conservation"].items():
        parts = [
            rows[part] for part in ("read", "accepted", "quarantined", "duplicates", "superseded", "deleted")
        ]
        numbers = " ".join(f"{part:,}" for part in parts)
        assert re.search(rf"{extract} 31 March 2026 full 1 {re.escape(numbers)} ", text), extract
    assert f"{sum(rows['read'] for rows in manifest['conservation'].values()):,}" in text


def test_absent_optional_extracts_are_named_with_what_they_leave_unknown(page: str) -> None:
    text = text_of(page)
    assert "Not delivered (all optional): agency_contacts , gp_contacts , social_care_services" in text
    assert "agency_contacts was not delivered agencies_90d" in text


def test_reasons_come_most_frequent_first_with_remedy_and_place(page: str) -> None:
    section = page.split('id="turned-away"')[1].split('id="population"', maxsplit=1)[0]
    rejected, warned = section.split("Accepted with a warning")
    rows = [
        int(number.replace(",", "")) for number in re.findall(r'</td><td class="n">([\d,]+)</td>\s', rejected)
    ]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 12
    assert "14 further reasons" in rejected
    assert "Ask the supplier for the traced NHS number." in rejected
    assert "row 41" in rejected
    assert "the code is in no list that the site holds" in warned
    assert "the code is in no list" not in rejected
    assert "the key is empty" not in section, "a check that no row failed is not a reason"


def test_funnel_is_printed_as_a_subtraction(page: str, manifest: dict[str, Any]) -> None:
    steps = manifest["population"]["steps"]
    text = text_of(page)
    assert f"On the GP register {steps[0]['people']:,} No open registration in scope &minus; 74" in text
    assert f"In the population {steps[-1]['people']:,}" in text


def test_opt_outs_are_counted_by_practice_and_kind(
    run_folder: Path, manifest: dict[str, Any], page: str
) -> None:
    assert 'id="opt-outs"' not in page, "a run in which nobody is left out says nothing of it"
    counts = {"Z90001": {"national": 17, "type_1": 3}, "Z90002": {"type_1": 1}}
    told = render_report(run_folder, manifest | {"opt_outs": counts}, **SHOWN)
    section = text_of(told.split('id="opt-outs"')[1].split("<figure>", maxsplit=1)[0])
    assert "Practice National Type 1 Z90001 17 3 Z90002 0 1 All practices 17 4" in section


def test_frailty_counts_older_people_and_keeps_unknown_apart_from_fit(run_folder: Path, page: str) -> None:
    features = pd.read_parquet(run_folder / "features.parquet")
    older = features[(features["neighbourhood_code"] == "NB01") & (features["age"] >= 65)]
    counts = older["frailty_category"].fillna("unknown").value_counts()
    cells = " ".join(f"{counts[name]:,} ({counts[name] / len(older):.1%})" for name in (*FRAILTY, "unknown"))
    assert f"Alder Vale {len(older)} {cells}" in text_of(page)


def test_cohort_sizes_link_to_their_worklists_and_say_their_rate(page: str, manifest: dict[str, Any]) -> None:
    undecided, people = manifest["cohorts_undecided"]["luton_core"], manifest["cohorts"]["luton_core"]
    homes = sorted(manifest["neighbourhoods"].values(), key=lambda home: home["name"])
    sizes = " ".join(f"{home['cohorts']['luton_core']:,}" for home in homes)
    assert f"luton_core {undecided:,} {people:,} {sizes}" in text_of(page)
    for home in homes:
        size = home["cohorts"]["luton_core"]
        rate = f'title="{1000 * size / home["people"]:.1f} per 1,000 registered"'
        link = f'<a href="../{home["worklists"]["luton_core"]}">{size:,}</a>'
        assert f"{rate}>{link}" in page


def test_cohort_that_nobody_could_be_decided_for_says_why(run_folder: Path, manifest: dict[str, Any]) -> None:
    assert "nobody could be decided" not in render_report(run_folder, manifest, **SHOWN)
    reason = "the extract assessments was not delivered"
    page = render_report(run_folder, manifest | {"cohorts_undecidable": {"luton_core": reason}}, **SHOWN)
    assert f"luton_core nobody could be decided: {reason}" in text_of(page)


def test_every_link_leads_to_a_published_file_or_a_place_on_the_page(run_folder: Path, page: str) -> None:
    elements = Elements(page).found
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    links = [str(attributes["href"]) for tag, attributes in elements if tag == "a"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    files = [run_folder / "report" / link for link in links if not link.startswith("#")]
    assert files
    assert [path for path in files if not path.resolve().is_file()] == []


def test_every_chart_says_in_words_what_it_shows(page: str) -> None:
    charts = re.findall(r"<svg[^>]*>.*?</svg>", page, flags=re.DOTALL)
    assert len(charts) == 3
    for chart in charts:
        opening = re.match(
            r'<svg role="img" aria-labelledby="([\w-]+)"[^>]*><title id="([\w-]+)">(.+?)</title>', chart
        )
        assert opening
        assert opening[1] == opening[2]
        assert "chart" in opening[3]


def test_names_from_configuration_cannot_inject_markup(run_folder: Path, manifest: dict[str, Any]) -> None:
    hostile = copy.deepcopy(manifest)
    hostile["neighbourhoods"]["NB02"]["name"] = "<script>alert(1)</script>"
    hostile["warnings"] = ["<img src=x>"]
    page = render_report(run_folder, hostile, **SHOWN)
    assert "<script" not in page
    assert "<img" not in page


def test_neighbourhoods_of_one_name_are_told_apart(run_folder: Path, manifest: dict[str, Any]) -> None:
    twins = copy.deepcopy(manifest)
    for code in ("NB01", "NB02"):
        twins["neighbourhoods"][code]["name"] = "Twin"
    page = render_report(run_folder, twins, **SHOWN)
    assert "Twin (NB01)" in page
    assert "Twin (NB02)" in page


def test_a_run_without_people_still_has_a_report(
    tmp_path: Path, manifest: dict[str, Any], run_folder: Path
) -> None:
    empty = copy.deepcopy(manifest)
    pq.write_table(pq.read_table(run_folder / "features.parquet").slice(0, 0), tmp_path / "features.parquet")
    for home in empty["neighbourhoods"].values():
        home |= {"people": 0, "cohorts": dict.fromkeys(home["cohorts"], 0)}
    page = render_report(
        tmp_path, empty | {"warnings": [], "conservation": {}, "unknown_features": {}}, **SHOWN
    )
    assert "No row was turned away." in page
    assert "Every feature is covered" in page


def test_people_without_place_age_band_or_decile_are_counted_as_unknown(tmp_path: Path) -> None:
    features = pd.DataFrame(
        {
            "neighbourhood_code": ["NB01", None, "NB01"],
            "age_band": ["85+", "0-17", "65-74"],
            "imd_decile": pd.array([10, None, 2], dtype="Int32"),
            "age": [90, 3, 70],
            "frailty_category": ["severe", None, None],
            "frailty_source": ["computed", None, None],
        }
    )
    features.to_parquet(tmp_path / "features.parquet")
    population = count_population(tmp_path / "features.parquet", NEIGHBOURHOODS, 65, FRAILTY)
    assert sum(home.people for home in population.neighbourhoods) == population.whole.people == 3
    assert {home.code: home.people for home in population.neighbourhoods}["unknown"] == 1
    assert population.deciles == [("2", 1), ("10", 1), ("unknown", 1)]
    assert population.age_bands == [("0-17", 1), ("65-74", 1), ("85+", 1)]
    assert population.whole.frailty == {"fit": 0, "mild": 0, "moderate": 0, "severe": 1, "unknown": 1}
    assert (population.whole.oldest, population.whole.median_decile) == (1, 2)
