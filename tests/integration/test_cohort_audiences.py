"""``--audience``: counts pass the policy, and rows about people are refused where it hides anything."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest

from riskstrat.errors import NotPermittedError
from tests.integration.reading_sites import DISCLOSURE, manifest
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.mark.parametrize("audience", ["commissioner", "public"])
@pytest.mark.parametrize(
    "asked",
    [
        ["query", "luton_core"],
        ["query", "--where", "age > 90"],
        ["explain", "luton_core", "0123456789abcdef"],
        ["diff", "luton_core", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_rows_about_people_are_refused(compared_site: Path, audience: str, asked: list[str]) -> None:
    problem = refused(compared_site, 5, "cohort", *asked, "--audience", audience)
    assert isinstance(problem, NotPermittedError)


def test_counts_pass_the_policy(compared_site: Path) -> None:
    for name, people in manifest(compared_site)["cohorts"].items():
        shown = answered(compared_site, "cohort", "count", name, "--audience", "commissioner")
        assert shown == ("*\n" if 0 < people < 8 else f"{5 * round(people / 5)}\n")
    assert answered(compared_site, "cohort", "count", "--where", "age > 900", "--audience", "public") == "0\n"


def test_small_count_is_hidden_from_the_public_alone(compared_site: Path) -> None:
    where = "age = 100 AND has_dementia AND lives_alone"
    number = int(answered(compared_site, "cohort", "count", "--where", where))
    assert 0 < number < 6
    assert answered(compared_site, "cohort", "count", "--where", where, "--audience", "public") == "*\n"
    assert (
        answered(compared_site, "cohort", "count", "--where", where, "--audience", "analyst") == f"{number}\n"
    )


@pytest.mark.parametrize("where", ["age < 100", "NOT (age < 100)", "age >= 100"])
def test_count_is_hidden_where_those_who_are_left_are_few(compared_site: Path, where: str) -> None:
    everybody = int(answered(compared_site, "cohort", "count", "--where", "TRUE"))
    few = int(answered(compared_site, "cohort", "count", "--where", "age >= 100 AND has_dementia"))
    assert 0 < few < 6
    rest = "NOT coalesce(age >= 100 AND has_dementia, FALSE)"
    assert int(answered(compared_site, "cohort", "count", "--where", rest)) == everybody - few
    asked = ("cohort", "count", "--audience", "public", "--where")
    assert answered(compared_site, *asked, rest) == "*\n"
    assert answered(compared_site, *asked, "TRUE") == f"{everybody}\n"
    number = int(answered(compared_site, "cohort", "count", "--where", where))
    assert answered(compared_site, *asked, where) == (
        "*\n" if 0 < min(number, everybody - number) < 6 else f"{number}\n"
    )


def test_count_of_an_area_is_hidden_where_few_live_elsewhere(compared_site: Path) -> None:
    few = "age >= 100 AND has_dementia AND neighbourhood_code <> 'NB01'"
    assert 0 < int(answered(compared_site, "cohort", "count", "--where", few)) < 6
    asked = ("cohort", "count", "--area", "NB01", "--audience", "public", "--where")
    assert answered(compared_site, *asked, f"neighbourhood_code = 'NB01' OR ({few})") == "*\n"
    inside = answered(compared_site, "cohort", "count", "--area", "NB01", "--where", "TRUE")
    assert answered(compared_site, *asked, "neighbourhood_code = 'NB01'") == inside


@pytest.mark.parametrize("asked", ["count", "attrition", "diff"])
@pytest.mark.parametrize("where", ["person_id = 'a'", "age > 3 OR PERSON_ID LIKE 'a%'"])
def test_no_audience_asks_about_one_person_through_counts(
    compared_site: Path, asked: str, where: str
) -> None:
    problem = refused(compared_site, 5, "cohort", asked, "--where", where, "--audience", "public")
    assert isinstance(problem, NotPermittedError)
    answered(compared_site, "cohort", asked, "--where", where)


def test_undecided_pass_the_policy_too(compared_site: Path) -> None:
    where = "age >= 97 AND efi > 0.1"
    plain = typed(compared_site, "cohort", "count", "--where", where).stderr
    assert "\n" in plain
    assert "more could not be decided" in plain
    hidden = typed(compared_site, "cohort", "count", "--where", where, "--audience", "commissioner").stderr
    assert "\n* more could not be decided" in hidden


def test_list_and_show_pass_the_policy(compared_site: Path) -> None:
    rows = json.loads(
        answered(compared_site, "cohort", "list", "--format", "json", "--audience", "commissioner")
    )
    for row in rows:
        people = manifest(compared_site)["cohorts"][row["cohort"]]
        assert row["people"] == ("*" if 0 < people < 8 else 5 * round(people / 5))
        shown = json.loads(
            answered(
                *(compared_site, "cohort", "show", row["cohort"]),
                *("--format", "json", "--audience", "commissioner"),
            )
        )
        assert shown["people"] == row["people"]
        assert shown["undecided"] == row["undecided"]


def test_funnel_shows_no_small_number_and_no_small_difference(compared_site: Path) -> None:
    where = "age >= 98 AND efi_deficits >= 0 AND NOT is_inpatient AND age <= 100 AND has_copd"
    exact = json.loads(answered(compared_site, "cohort", "attrition", "--where", where, "--format", "json"))
    assert any(0 < step["removed"] < 6 or 0 < step["unknown"] < 6 for step in exact["steps"])
    found = json.loads(
        answered(
            *(compared_site, "cohort", "attrition", "--where", where),
            *("--format", "json", "--audience", "public"),
        )
    )
    left = [step["people"] for step in found["steps"] if step["people"] != "*"]
    assert "*" in [step["people"] for step in found["steps"]] + [step["removed"] for step in found["steps"]]
    for before, after in itertools.pairwise(left):
        assert before == after or before - after >= 6
    for step in found["steps"]:
        assert all(
            step[key] == "*" or step[key] == 0 or step[key] >= 6 for key in ("people", "removed", "unknown")
        )
    drawn = answered(compared_site, "cohort", "attrition", "--where", where, "--audience", "public")
    assert "*" in drawn


def test_bar_of_a_hidden_count_is_not_drawn(compared_site: Path) -> None:
    where = "age >= 98 AND age >= 100 AND has_copd AND has_dementia"
    drawn = answered(compared_site, "cohort", "attrition", "--where", where, "--audience", "public")
    hidden = [line for line in drawn.splitlines() if " *" in line]
    assert hidden
    for line in hidden:
        if line.split()[-3:] == ["*", "*", "*"]:
            assert "▏" not in line


def test_differences_come_as_counts_alone(compared_site: Path) -> None:
    found = json.loads(
        answered(
            compared_site, "cohort", "diff", "luton_core", "--format", "json", "--audience", "commissioner"
        )
    )
    assert "people" not in found
    shown = answered(compared_site, "cohort", "diff", "luton_core", "--audience", "commissioner")
    assert "members before" in shown
    assert "Entered" not in shown
    exact = json.loads(answered(compared_site, "cohort", "diff", "luton_core", "--format", "json"))["counts"]
    if any(0 < count < 8 for count in exact["causes"]["left"].values()):
        assert set(found["counts"]["causes"]["left"].values()) == {"*"}


def test_unknown_audience_is_named(compared_site: Path) -> None:
    problem = str(refused(compared_site, 3, "cohort", "count", "luton_core", "--audience", "nobody"))
    assert "analyst, commissioner, public" in problem


def test_site_may_hide_counts_from_analysts_too(reading_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(reading_site, tmp_path / "site", symlinks=True))
    path = site / DISCLOSURE
    path.write_text(
        path.read_text(encoding="utf-8").replace("analyst: none", "analyst: hes"), encoding="utf-8"
    )
    people = int(answered(reading_site, "cohort", "count", "luton_core"))
    assert answered(site, "cohort", "count", "luton_core") == (
        "*\n" if people < 8 else f"{5 * round(people / 5)}\n"
    )
    refused(site, 5, "cohort", "query", "luton_core")
