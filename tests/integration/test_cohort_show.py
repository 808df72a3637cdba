"""``cohort list``, ``show`` and ``validate``, and definitions that no run has published yet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.integration.reading_sites import manifest
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture
def own_site(compared_site: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True))


@pytest.fixture
def library(made_up_site: Path, tmp_path: Path) -> Path:
    """A site with the shipped definitions, which a test may change."""
    return Path(shutil.copytree(made_up_site, tmp_path / "library", symlinks=True))


def edit(site: Path, name: str, **settings: object) -> None:
    path = site / "config" / "cohorts" / f"{name}.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8")) | settings
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def test_list_as_json_is_the_manifest_with_titles(compared_site: Path) -> None:
    rows = json.loads(answered(compared_site, "cohort", "list", "--format", "json"))
    assert {row["cohort"]: row["people"] for row in rows} == manifest(compared_site)["cohorts"]
    assert {row["cohort"]: row["undecided"] for row in rows} == manifest(compared_site)["cohorts_undecided"]
    assert all(row["title"] for row in rows)


def test_show_tells_rules_as_written_and_who_answers_for_them(compared_site: Path) -> None:
    shown = answered(compared_site, "cohort", "show", "first_of_area")
    for text in (
        "The frailest of each neighbourhood",
        "age >= 75",
        "is_inpatient",
        "the first 5 of each neighbourhood_code",
        "flu vaccine: NOT flu_vaccine_this_season",
        "{efi_deficits} of 36 deficits (when efi_deficits >= 5)",
        "signed off by nobody yet; next review due on 2027-04-01",
        "more could not be decided",
    ):
        assert text in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_show_as_json_is_what_the_run_keeps(compared_site: Path) -> None:
    shown = json.loads(answered(compared_site, "cohort", "show", "luton_core", "--format", "json"))
    kept = json.loads(
        (compared_site / "output" / "latest" / "cohorts" / "luton_core.json").read_text(encoding="utf-8")
    )
    assert kept.items() <= shown.items()
    assert shown["people"] == manifest(compared_site)["cohorts"]["luton_core"]


def test_review_that_has_passed_is_said(own_site: Path) -> None:
    path = own_site / "output" / "latest" / "cohorts" / "luton_core.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["review"] |= {"signed_off_by": "Dr A", "next_review": "2026-01-01"}
    path.write_text(json.dumps(document), encoding="utf-8")
    shown = answered(own_site, "cohort", "show", "luton_core")
    assert "signed off by Dr A; next review was due on 2026-01-01" in shown


def test_usual_columns_hold_the_gaps_and_the_cohorts_own(compared_site: Path) -> None:
    rows = json.loads(answered(compared_site, "cohort", "query", "first_of_area", "--format", "json"))
    assert {"gaps", "has_care_plan", "last_discharge_date", "reasons"} <= rows[0].keys()
    for row in rows:
        assert ("care plan" in (row["gaps"] or "").split("; ")) == (row["has_care_plan"] is False)
    assert "gaps: " in answered(compared_site, "cohort", "query", "first_of_area")


def test_draft_is_judged_on_the_published_features(own_site: Path) -> None:
    before = int(answered(own_site, "cohort", "count", "luton_core"))
    assert int(answered(own_site, "cohort", "count", "luton_core", "--draft")) == before
    edit(own_site, "luton_core", include=["age >= 65", "last_discharge_date >= months_before(3)"])
    assert int(answered(own_site, "cohort", "count", "luton_core")) == before
    drafted = answered(
        own_site,
        "cohort",
        "count",
        "--where",
        "age >= 65 AND last_discharge_date >= months_before(3) AND COALESCE(is_end_of_life, FALSE) = FALSE",
    )
    assert answered(own_site, "cohort", "count", "luton_core", "--draft") == drafted != f"{before}\n"
    result = typed(own_site, "cohort", "query", "luton_core", "--draft", "--format", "json")
    assert len(json.loads(result.stdout)) == int(drafted)
    assert "as it stands now" in result.stderr
    assert "months_before(3)" in answered(own_site, "cohort", "show", "luton_core", "--draft")
    steps = json.loads(
        answered(own_site, "cohort", "attrition", "luton_core", "--draft", "--format", "json")
    )["steps"]
    assert steps[-1]["people"] == int(drafted)


def test_draft_keeps_additions_and_the_first_of_each_area(own_site: Path) -> None:
    members = answered(
        own_site, "cohort", "query", "first_of_area", "--columns", "person_id", "--format", "csv"
    )
    drafted = answered(
        own_site, "cohort", "query", "first_of_area", "--draft", "--columns", "person_id", "--format", "csv"
    )
    assert drafted == members


def test_new_definition_is_tried_before_any_run_has_it(own_site: Path) -> None:
    path = own_site / "config" / "cohorts"
    (path / "brand_new.yaml").write_text(
        (path / "luton_core.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert "--draft" in str(refused(own_site, 3, "cohort", "count", "brand_new"))
    count = answered(own_site, "cohort", "count", "luton_core")
    assert answered(own_site, "cohort", "count", "brand_new", "--draft") == count
    assert "brand_new" in str(refused(own_site, 3, "cohort", "count", "brandnew", "--draft"))


def test_broken_draft_is_named_with_its_place(own_site: Path) -> None:
    edit(own_site, "luton_core", include=["frailty_category = 'sever'"])
    problem = str(refused(own_site, 3, "cohort", "attrition", "luton_core", "--draft"))
    assert "luton_core.yaml" in problem
    assert "did you mean 'severe'?" in problem


@pytest.mark.parametrize("command", ["count", "query", "attrition", "show"])
def test_draft_with_an_error_is_not_tried(own_site: Path, command: str) -> None:
    edit(own_site, "luton_core", include=["age >= 65", "age < 60"])
    result = typed(own_site, "cohort", command, "luton_core", "--draft")
    assert getattr(result.exception, "exit_code", None) == 3
    assert result.stdout == ""
    assert "error: age >= 65 / age < 60: nobody can pass these together." in result.stderr
    answered(own_site, "cohort", command, "luton_core")


def test_draft_whose_example_fails_is_not_tried(own_site: Path) -> None:
    person = {"age": 20}
    edit(own_site, "luton_core", examples=[{"name": "young", "person": person, "expect": "member"}])
    result = typed(own_site, "cohort", "count", "luton_core", "--draft")
    assert getattr(result.exception, "exit_code", None) == 3
    assert "error: example 'young'" in result.stderr


def test_warnings_about_a_draft_are_notes(own_site: Path) -> None:
    result = typed(own_site, "cohort", "count", "luton_core", "--draft")
    assert result.exit_code == 0
    assert "note: examples: there are none." in result.stderr


def test_broken_file_is_a_finding_and_the_others_are_judged(library: Path) -> None:
    asked = ["cohort", "validate", "--as-of", "2026-04-01"]
    broken = library / "config" / "cohorts" / "luton_core.yaml"
    broken.write_text("title: only a title\n", encoding="utf-8")
    edit(library, "luton_frailty", include=["frailty_category = 'sever'"])
    result = typed(library, *asked, "luton_core", "luton_frailty")
    assert getattr(result.exception, "exit_code", None) == 3
    assert "config/cohorts/luton_core.yaml" in result.stdout
    assert "           frailty_category = 'sever'\n                              ^^^^^^^" in result.stdout
    found = json.loads(typed(library, *asked, "--format", "json").stdout)
    wrong = {row["file"] for row in found["findings"] if row["level"] == "error"}
    assert wrong == {"config/cohorts/luton_core.yaml", "config/cohorts/luton_frailty.yaml"}
    assert answered(library, *asked, "housebound", "--format", "json")


def test_shipped_library_has_no_error(library: Path) -> None:
    result = typed(library, "cohort", "validate", "--as-of", "2026-04-01")
    assert result.exit_code == 0, result.output
    assert "error  " not in result.stdout
    assert "examples checked as of 2026-04-01: 0 errors" in result.stderr


def test_example_that_does_not_come_out_ends_with_three(library: Path) -> None:
    person = {"age": 90, "frailty_category": "severe", "unplanned_admissions_12m": 5}
    edit(library, "luton_core", examples=[{"name": "just inside", "person": person, "expect": "left_out"}])
    result = typed(library, "cohort", "validate", "luton_core", "--as-of", "2026-04-01")
    assert getattr(result.exception, "exit_code", None) == 3
    assert "config/cohorts/luton_core.yaml" in result.stdout
    assert "example 'just inside'" in result.stdout
    assert "1 cohorts and 1 examples checked" in result.stderr


def test_strict_takes_warnings_for_errors(library: Path) -> None:
    asked = ["cohort", "validate", "luton_core", "--as-of", "2026-04-01"]
    found = json.loads(answered(library, *asked, "--format", "json"))
    assert {row["level"] for row in found["findings"]} == {"warning"}
    assert found["examples"] > 0
    result = typed(library, *asked, "--strict", "--format", "json")
    assert getattr(result.exception, "exit_code", None) == 3
    assert {row["level"] for row in json.loads(result.stdout)["findings"]} == {"error"}


def test_validating_needs_a_day_and_a_name_that_is_defined(library: Path) -> None:
    assert "--as-of DATE" in str(refused(library, 6, "cohort", "validate"))
    problem = refused(library, 3, "cohort", "validate", "luton_cor", "--as-of", "2026-04-01")
    assert "luton_core" in str(problem)
