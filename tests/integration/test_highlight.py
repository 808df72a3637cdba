"""``report`` and ``report highlight``: figures held against the files of the runs, and what they refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from riskstrat.site import default_site
from tests.fake_run import EARLIER_RUN, RUN
from tests.integration.reading_sites import write_compared_site
from tests.integration.typed import answered, refused

pytestmark = pytest.mark.usefixtures("usual_terminal")
COHORT, AREA = "luton_core", "NB01"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs a month apart, with a measure and a list in the later one."""
    folder = tmp_path_factory.mktemp("highlight")
    write_compared_site(folder)
    shutil.copytree(default_site() / "config" / "documents", folder / "config" / "documents")
    shutil.copy(default_site() / "config" / "measures.yaml", folder / "config")
    path = folder / "config" / "documents" / "highlight.yaml"
    layout = yaml.safe_load(path.read_text(encoding="utf-8"))
    layout |= {"cohorts": [COHORT], "measures": ["has_care_plan"]}
    path.write_text(yaml.safe_dump(layout, sort_keys=False), encoding="utf-8")
    run = folder / "output" / "runs" / RUN
    _write_measures(run)
    _write_list(run)
    return folder


def _write_measures(run: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT '{COHORT}' AS cohort_or_list, 'cohort' AS kind, 'neighbourhood' AS area_kind, "
            "neighbourhood_code AS area_code, 'has_care_plan' AS measure, "
            "count(*) FILTER (has_care_plan) AS numerator, "
            "count(has_care_plan) AS denominator, CAST(NULL AS DATE) AS window_from, "
            "CAST(NULL AS DATE) AS window_to "
            f"FROM read_parquet('{run}/features.parquet') AS features "
            f"JOIN read_parquet('{run}/cohorts/{COHORT}.parquet') AS members "
            f"USING (person_id) GROUP BY neighbourhood_code) TO '{run}/measures.parquet' (FORMAT parquet)"
        )


def _write_list(run: Path) -> None:
    (run / "lists").mkdir()
    with duckdb.connect() as connection:
        members = (
            f"read_parquet('{run}/cohorts/{COHORT}.parquet') AS members "
            f"JOIN read_parquet('{run}/features.parquet') AS features"
        )
        connection.execute(
            f"COPY (SELECT 'huddle' AS list, neighbourhood_code AS area_code, person_id, rank FROM {members} "
            f"USING (person_id)) TO '{run}/lists/huddle.parquet' (FORMAT parquet)"
        )
        connection.execute(
            "COPY (SELECT 'huddle' AS list, neighbourhood_code AS area_code, person_id, "
            "CASE WHEN rank % 2 = 0 THEN DATE '2026-03-01' ELSE DATE '2026-03-02' END AS first_listed "
            f"FROM {members} USING (person_id)) TO '{run}/lists/memory.parquet' (FORMAT parquet)"
        )
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["lists"] = {"huddle": {"title": "Daily huddle"}}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def highlighted(site: Path, *more: str) -> str:
    return answered(site, "report", "highlight", "--area", AREA, *more)


def row(text: str, starts: str) -> list[str]:
    """The cells after the first of the table row that starts so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {starts}")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def one(site: Path, run: str, select: str) -> int:
    folder = site / "output" / "runs" / run
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW features AS FROM read_parquet('{folder}/features.parquet')")
        connection.execute(f"CREATE VIEW members AS FROM read_parquet('{folder}/cohorts/{COHORT}.parquet')")
        ((found,),) = connection.execute(select).fetchall()
    return int(found)


def test_figures_are_those_of_both_runs_and_their_difference(site: Path) -> None:
    text = highlighted(site, "--audience", "analyst")
    people = f"SELECT count(*) FROM features WHERE neighbourhood_code = '{AREA}'"
    members = (
        f"SELECT count(*) FROM members JOIN features USING (person_id) WHERE neighbourhood_code = '{AREA}'"
    )
    for label, select in (
        ("Registered people", people),
        ("aged 65 and over", f"{people} AND age >= 65"),
        ("aged 85 and over", f"{people} AND age >= 85"),
        ("Frail people with repeated", members),
    ):
        before, now = one(site, EARLIER_RUN, select), one(site, RUN, select)
        assert now > 0
        change = f"{now - before:+,}" if now != before else "0"
        assert row(text, label) == [f"{before:,}", f"{now:,}", change], label


def test_coverage_and_lists_have_numerator_denominator_and_date(site: Path) -> None:
    text = highlighted(site, "--audience", "analyst")
    mine = f"FROM members JOIN features USING (person_id) WHERE neighbourhood_code = '{AREA}'"
    done = one(site, RUN, f"SELECT count(*) FILTER (has_care_plan) {mine}")
    of = one(site, RUN, f"SELECT count(has_care_plan) {mine}")
    assert row(text, COHORT) == [
        "Has a care plan",
        f"{done}",
        f"{of}",
        f"{100 * done / of:.1f}%",
        "on 1 April 2026",
    ]
    listed = one(site, RUN, f"SELECT count(*) {mine}")
    first = one(site, RUN, f"SELECT count(*) {mine} AND rank % 2 = 1")
    assert 0 < first < listed
    assert row(text, "Daily huddle") == [f"{listed}", f"{first}"]
    assert "First listed after 1 March 2026" in text


def test_every_section_has_its_place_for_words(site: Path) -> None:
    text, page = highlighted(site, "--audience", "analyst"), highlighted(site, "--format", "html")
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "Priorities",
        "Outcomes",
        "Key activities completed in the previous month",
        "Key activities for completion next month",
        "Learning to share",
        "Requests for help or support",
        "Issues and risks",
    ]
    assert text.count("_(to be written)_") == page.count('contenteditable="true"') == len(headings)
    assert "<script" not in page
    assert "http" not in page


def test_for_a_commissioner_no_small_number_is_shown(site: Path) -> None:
    text = highlighted(site)
    for label in ("Registered people", "aged 65 and over", "Frail people with repeated"):
        for cell in row(text, label)[:2]:
            assert cell == "\\*" or int(cell.replace(",", "")) % 5 == 0, label


def test_a_month_is_named_by_its_last_run(site: Path) -> None:
    assert "as of 1 April 2026" in highlighted(site, "--month", "2026-03", "--audience", "analyst")
    assert "as of 1 March 2026" in highlighted(site, "--month", "2026-02", "--audience", "analyst")
    assert "is no month" in str(refused(site, 2, "report", "highlight", "--area", AREA, "--month", "March"))
    assert "no run was published for 2025-01" in str(
        refused(site, 6, "report", "highlight", "--area", AREA, "--month", "2025-01")
    )


def test_what_is_not_there_is_named(site: Path) -> None:
    assert "'NB99' is no neighbourhood" in str(refused(site, 2, "report", "highlight", "--area", "NB99"))
    assert "'NB99' is no neighbourhood" in str(refused(site, 2, "report", "--area", "NB99"))
    assert "no audience 'press'" in str(refused(site, 3, "report", "profile", "--audience", "press"))


def test_report_shows_people_and_cohorts_and_where_the_pages_are(site: Path) -> None:
    told = answered(site, "report", "--area", AREA)
    people = one(site, RUN, f"SELECT count(*) FROM features WHERE neighbourhood_code = '{AREA}'")
    assert ["people", str(people)] in [line.split() for line in told.splitlines()]
    assert f"{RUN}/report/index.html" in told


def test_a_layout_is_read_strictly(site: Path, tmp_path: Path) -> None:
    copied = tmp_path / "site"
    shutil.copytree(site, copied, symlinks=True)
    path = copied / "config" / "documents" / "highlight.yaml"
    good = path.read_text(encoding="utf-8")
    for wrong, told in (
        (good.replace("- luton_core", "- luton_cor"), "no cohort"),
        (good.replace("- has_care_plan", "- has_care_plans"), "no measure"),
        (good.replace("- people", "- peoples"), "no kind of figure"),
        (good.replace("title: Priorities", "titel: Priorities"), "did you mean 'title'"),
    ):
        assert wrong != good
        path.write_text(wrong, encoding="utf-8")
        assert told in str(refused(copied, 3, "report", "highlight", "--area", AREA))
