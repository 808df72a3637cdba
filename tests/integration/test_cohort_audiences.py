"""``--audience``: counts pass the policy, and rows about people are refused where it hides anything."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.audit import read_entries
from riskstrat.definitions.disclosure import load_disclosure
from riskstrat.errors import NotPermittedError
from riskstrat.site import load_site
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


@pytest.mark.parametrize(
    ("asked", "audience"),
    [
        (["query", "luton_core"], "commissioner"),
        (["count", "--where", "person_id = 'a'"], "public"),
        (["count", "luton_core"], "nobody"),
    ],
)
def test_what_is_refused_is_on_record(compared_site: Path, asked: list[str], audience: str) -> None:
    refused(compared_site, 5, "cohort", *asked, "--audience", audience)
    entry = _last_entry(compared_site)
    assert (entry["action"], entry["outcome"], entry["audience"]) == ("query", "refused", audience)


def test_people_who_came_and_went_are_shown_on_record_and_written_for_their_owner_alone(
    compared_site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "changes.json"
    answered(compared_site, "cohort", "diff", "luton_core", "--format", "json", "--out", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    people = json.loads(out.read_text())["people"]
    assert people
    entry = _last_entry(compared_site)
    assert (entry["action"], entry["cohort"], entry["count"]) == ("query", "luton_core", len(people))
    before = len(read_entries(load_site(compared_site)))
    answered(compared_site, "cohort", "diff", "luton_core", "--audience", "commissioner")
    assert len(read_entries(load_site(compared_site))) == before, "counts are no rows"


def _last_entry(site: Path) -> dict[str, Any]:
    return dict(read_entries(load_site(site))[-1].facts)


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


@pytest.mark.parametrize("kind", ["neighbourhood", "practice", "pcn"])
@pytest.mark.parametrize("audience", ["public", "commissioner"])
def test_counts_of_all_areas_and_the_whole_give_no_small_one_away(
    compared_site: Path, tmp_path: Path, kind: str, audience: str
) -> None:
    """Whoever asks for every area of a kind, one after the other, has a table with one total."""
    site = Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True))
    highest = 5 if audience == "public" else 7
    column = f"{kind}_code"
    features = site / "output" / "latest" / "features.parquet"
    hidden = 0
    for name in ("luton_core", "care_home_frail"):
        members = site / "output" / "latest" / "cohorts" / f"{name}.parquet"
        true = dict(
            duckdb.sql(
                f"SELECT {column}, count(members.person_id) FROM '{features}' AS features "
                f"LEFT JOIN '{members}' AS members USING (person_id) GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )
        asked = ("cohort", "count", name, "--audience", audience)
        shown = {code: answered(site, *asked, "--area", code).strip() for code in true}
        assert all(shown[code] == "*" for code, people in true.items() if 0 < people <= highest)
        hidden += list(shown.values()).count("*")
        marks = [code for code in true if shown[code] == "*"]
        small = [code for code in marks if true[code] <= highest]
        if small and audience == "public":  # shown exactly: what is left over is the sum of the marks
            assert len(marks) > 1, (name, true, shown)
    assert hidden, "something is hidden in this town"


def test_area_that_an_export_hid_for_anothers_sake_stays_hidden_when_it_is_asked_for(
    compared_site: Path, tmp_path: Path
) -> None:
    from riskstrat.disclosure.places import Place, shown_by

    site = load_site(Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True)))
    policy = load_disclosure(site.config / "disclosure.yaml").audiences["public"]
    day = date(2026, 4, 1)
    places = [
        Place("P1", "N1", "C1", 3),
        Place("P2", "N1", "C2", 40),
        Place("P3", "N2", "C2", 30),
        Place("P4", "N3", "C1", 50),
    ]
    first = shown_by(site, "some", day, places, "practice", policy)
    assert first["P1"] is None
    assert list(first.values()).count(None) == 2
    by_home = shown_by(site, "some", day, places, "neighbourhood", policy)
    by_pcn = shown_by(site, "some", day, places, "pcn", policy)
    hidden = next(code for code in ("P2", "P3", "P4") if first[code] is None)
    for shown in (by_home, by_pcn):
        assert list(shown.values()).count(None) >= 2, f"{hidden} or P1 would follow from {shown} and {first}"


def test_funnel_of_an_area_is_for_those_who_see_everything(compared_site: Path) -> None:
    asked = ("cohort", "attrition", "luton_core", "--area", "NB01")
    problem = refused(compared_site, 5, *asked, "--audience", "commissioner")
    assert "cohort count --area" in str(problem)
    answered(compared_site, *asked)


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
    for audience in ("nobody", "gp_practice"):
        problem = str(refused(compared_site, 5, "cohort", "count", "luton_core", "--audience", audience))
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
