"""``cohort attrition``: the funnel balances, ends with the members, and is readable."""

from __future__ import annotations

import csv
import io
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.reading_sites import manifest
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")

LONG = (
    "age >= 65 AND frailty_category IN ('moderate', 'severe') AND (has_copd OR has_dementia OR lives_alone OR "
    "is_housebound OR is_care_home_resident) AND medication_review_last_date < months_before(6)"
)


def funnel(site: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answered(site, "cohort", "attrition", *arguments, "--format", "json"))
    return found


def answers(site: Path, question: str) -> int:
    with duckdb.connect() as connection:
        path = site / "output" / "latest" / "features.parquet"
        return int(
            connection.execute(f"SELECT count(*) FROM read_parquet('{path}') WHERE {question}").fetchall()[0][
                0
            ]
        )


@pytest.mark.parametrize("name", ["luton_core", "care_home_frail", "first_of_area"])
def test_everybody_of_a_step_is_accounted_for_in_the_next(compared_site: Path, name: str) -> None:
    steps = funnel(compared_site, name)["steps"]
    for before, step in itertools.pairwise(steps):
        unknown = 0 if step["kind"] == "exclude" else step["unknown"]
        assert before["people"] == step["people"] + step["removed"] + unknown - step["added"]
    assert steps[0]["people"] == 3_000


@pytest.mark.parametrize("name", ["luton_core", "care_home_frail", "first_of_area"])
def test_funnel_ends_with_the_members_and_the_undecided_of_the_run(compared_site: Path, name: str) -> None:
    found = funnel(compared_site, name)
    assert found["steps"][-1]["people"] == manifest(compared_site)["cohorts"][name]
    assert found["undecided"] == manifest(compared_site)["cohorts_undecided"][name] > 0


def test_each_rule_removes_whom_it_says_no_to_and_sets_the_unknown_aside(compared_site: Path) -> None:
    _, by_age, by_frailty, by_admissions, by_end = funnel(compared_site, "luton_core")["steps"]
    old = "age >= 65"
    frail = "frailty_category IN ('moderate', 'severe')"
    assert by_age["people"] == answers(compared_site, old)
    assert by_frailty["removed"] == answers(compared_site, f"{old} AND NOT {frail}")
    assert by_frailty["unknown"] == answers(compared_site, f"{old} AND ({frail}) IS NULL") > 0
    left = f"{old} AND {frail} AND unplanned_admissions_12m >= 2"
    assert by_admissions["people"] == answers(compared_site, left)
    assert by_end["removed"] == answers(compared_site, f"{left} AND is_end_of_life") > 0


def test_first_of_each_area_and_additions_are_steps_of_their_own(compared_site: Path) -> None:
    *_, first, added = funnel(compared_site, "first_of_area")["steps"]
    assert first["kind"] == "top_n"
    assert first["people"] == 30
    assert added["kind"] == "added by hand"
    assert added["added"] == added["people"] - 30 > 0


def test_condition_is_taken_apart_at_its_ands(compared_site: Path) -> None:
    found = funnel(compared_site, "--where", LONG)
    assert [step["step"] for step in found["steps"][1:]] == [part.strip() for part in LONG.split(" AND ")]
    count = answered(compared_site, "cohort", "count", "--where", LONG)
    assert found["steps"][-1]["people"] == int(count)


def test_funnel_of_an_area_counts_its_people_alone(compared_site: Path) -> None:
    areas = ["NB01", "NB02", "NB03", "NB04", "NB05", "NB06"]
    parts = [funnel(compared_site, "luton_core", "--area", area)["steps"] for area in areas]
    whole = funnel(compared_site, "luton_core")["steps"]
    for place, step in enumerate(whole):
        assert sum(part[place]["people"] for part in parts) == step["people"]


@pytest.mark.parametrize("width", [80, 100])
def test_drawing_fits_the_terminal(compared_site: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for asked in (["first_of_area"], ["luton_core"], ["--where", LONG]):
        lines = answered(compared_site, "cohort", "attrition", *asked).splitlines()
        assert max(map(len, lines)) <= width
    assert "█" in "".join(lines)
    drawn = " ".join(" ".join(lines).split())
    assert "could not be decided" in drawn


def test_bars_are_as_wide_as_the_share_that_is_left(compared_site: Path) -> None:
    lines = answered(compared_site, "cohort", "attrition", "--where", "age >= 0 AND age < 50").splitlines()
    bars = [line.rpartition(" ")[2] for line in lines[1:4]]
    assert bars[0] == bars[1] == "█" * 16
    share = answers(compared_site, "age < 50") / 3_000
    assert abs(bars[2].count("█") - 16 * share) <= 1


def test_csv_holds_every_step_and_the_undecided(compared_site: Path, tmp_path: Path) -> None:
    out = tmp_path / "funnel.csv"
    text = answered(compared_site, "cohort", "attrition", "luton_core", "--format", "csv")
    assert (
        answered(compared_site, "cohort", "attrition", "luton_core", "--format", "csv", "--out", str(out))
        == ""
    )
    assert out.read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["kind"] for row in rows] == [
        *("population", "include", "include", "include", "exclude"),
        "undecided",
    ]
    assert int(rows[-2]["people"]) == manifest(compared_site)["cohorts"]["luton_core"]


def test_cohort_that_cannot_be_decided_leaves_everybody_unknown(reading_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(reading_site, tmp_path / "site", symlinks=True))
    path = site / "output" / "latest" / "cohorts" / "luton_core.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    reason = "the extract agency_contacts was not delivered"
    path.write_text(json.dumps(document | {"undecidable": reason}), encoding="utf-8")
    found = funnel(site, "luton_core")
    assert found["steps"][1] == {
        **{"step": reason, "kind": "include", "people": 0, "removed": 0, "unknown": 1_000, "added": 0}
    }
    assert found["undecided"] == 1_000
    assert (
        "do not give the people whom the run lists" in typed(site, "cohort", "attrition", "luton_core").stderr
    )


def test_run_without_definitions_says_so(reading_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(reading_site, tmp_path / "site", symlinks=True))
    (site / "output" / "latest" / "cohorts" / "luton_core.json").unlink()
    for command in (["attrition", "luton_core"], ["show", "luton_core"], ["sql", "luton_core"]):
        problem = refused(site, 6, "cohort", *command)
        assert "does not keep the rules of its cohorts" in str(problem)
        assert "riskstrat run --as-of 2026-04-01" in str(problem)
    assert typed(site, "cohort", "count", "luton_core").exit_code == 0


def test_damaged_definition_is_said_without_a_traceback(reading_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(reading_site, tmp_path / "site", symlinks=True))
    (site / "output" / "latest" / "cohorts" / "luton_core.json").write_text("{}", encoding="utf-8")
    assert "damaged" in str(refused(site, 1, "cohort", "attrition", "luton_core"))


@pytest.mark.parametrize(
    "arguments", [[], ["luton_core", "--where", "age > 1"], ["--draft", "--where", "age > 1"]]
)
def test_either_a_cohort_or_a_condition(compared_site: Path, arguments: list[str]) -> None:
    refused(compared_site, 2, "cohort", "attrition", *arguments)
    refused(compared_site, 2, "cohort", "sql", *arguments)


def test_unknown_area_proposes_a_near_one(compared_site: Path) -> None:
    assert (
        "NB0"
        in str(refused(compared_site, 2, "cohort", "attrition", "luton_core", "--area", "NB7")).partition(
            "use one of"
        )[2]
    )
