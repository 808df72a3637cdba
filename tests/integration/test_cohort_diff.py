"""``cohort diff``: everybody who entered, left or moved, with the reason, against a slow comparison of the files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.fake_cohorts import status_of
from tests.fake_run import EARLIER_RUN, RUN
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")

CORE = "age >= 65 AND frailty_category IN ('moderate', 'severe') AND unplanned_admissions_12m >= 2"
GONE = "opted out, or no longer in the register"


def diff(site: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answered(site, "cohort", "diff", *arguments, "--format", "json"))
    return found


def table(site: Path, run: str, file: str) -> dict[str, dict[str, Any]]:
    """The rows of a run's file by person_id."""
    with duckdb.connect() as connection:
        cursor = connection.execute(f"FROM read_parquet('{site / 'output' / 'runs' / run / file}')")
        names = [column[0] for column in cursor.description]
        return {
            row["person_id"]: row for row in (dict(zip(names, one, strict=True)) for one in cursor.fetchall())
        }


@pytest.mark.parametrize("name", ["luton_core", "care_home_frail", "first_of_area"])
def test_everybody_who_came_went_or_moved_is_named_once(compared_site: Path, name: str) -> None:
    before, after = (table(compared_site, run, f"cohorts/{name}.parquet") for run in (EARLIER_RUN, RUN))
    found = diff(compared_site, name)
    by_kind = {
        kind: {one["person_id"]: one for one in found["people"] if one["change"] == kind}
        for kind in ("entered", "left", "moved")
    }
    assert by_kind["entered"].keys() == after.keys() - before.keys()
    features = table(compared_site, RUN, "features.parquet")
    left = before.keys() - after.keys()
    unnamed = {key for key in left if key not in features and status_of(key) is None}
    assert by_kind["left"].keys() == left - unnamed
    assert found["counts"]["causes"]["left"].get(GONE, 0) == len(unnamed)
    moved = {key for key in before.keys() & after.keys() if before[key]["rank"] != after[key]["rank"]}
    assert by_kind["moved"].keys() == moved
    assert sum(map(len, by_kind.values())) == len(found["people"]) > 0
    for key, change in by_kind["moved"].items():
        assert (change["rank_before"], change["rank_after"]) == (before[key]["rank"], after[key]["rank"])
    counts = found["counts"]
    assert (counts["before"], counts["after"]) == (len(before), len(after))
    assert counts["before"] - counts["left"] + counts["entered"] == counts["after"]


def test_each_reason_is_that_of_the_files(compared_site: Path) -> None:
    then, now = (table(compared_site, run, "features.parquet") for run in (EARLIER_RUN, RUN))
    reasons = set()
    for change in diff(compared_site, "luton_core")["people"]:
        key, because = change["person_id"], change["because"]
        reasons.add(because)
        if change["change"] == "entered" and key not in then:
            assert because == "newly in the population"
        elif change["change"] == "left" and key not in now:
            assert because == status_of(key)
        elif change["change"] != "moved":
            wanted = [False, True] if change["change"] == "entered" else [True, False]
            held = [[_holds(rule, table_[key]) for rule in RULES] for table_ in (then, now)]
            flipped = [text for text, *answers in zip(RULES, *held, strict=True) if answers == wanted]
            assert because == flipped[0]
            assert all(text in change["why"] for text in flipped)
    assert {"newly in the population", "died", "moved away"} <= reasons
    assert "unplanned_admissions_12m >= 2" in reasons
    assert "frailty_category IN ('moderate', 'severe')" in reasons


RULES = {
    "age >= 65": lambda row: row["age"] >= 65,
    "frailty_category IN ('moderate', 'severe')": lambda row: (
        row["frailty_category"] in ("moderate", "severe")
    ),
    "unplanned_admissions_12m >= 2": lambda row: row["unplanned_admissions_12m"] >= 2,
}


def _holds(rule: str, row: dict[str, Any]) -> bool:
    return bool(RULES[rule](row))


def test_rule_that_changed_its_answer_shows_old_and_new_value(compared_site: Path) -> None:
    then, now = (table(compared_site, run, "features.parquet") for run in (EARLIER_RUN, RUN))
    rule = "unplanned_admissions_12m >= 2"
    found = [one for one in diff(compared_site, "luton_core")["people"] if one["because"] == rule]
    assert found
    for one in found:
        old, new = (side[one["person_id"]]["unplanned_admissions_12m"] for side in (then, now))
        assert f"unplanned_admissions_12m {old} -> {new}" in one["why"]


def test_place_in_the_area_is_a_reason_where_the_list_is_of_fixed_length(compared_site: Path) -> None:
    found = [
        one
        for one in diff(compared_site, "first_of_area")["people"]
        if one["because"] == "the first of the area by rank"
    ]
    assert found
    assert all("of which the first 5 are listed" in one["why"] for one in found)


def test_condition_is_compared_like_a_cohort_without_ranks(compared_site: Path) -> None:
    text = f"{CORE} AND COALESCE(is_end_of_life, FALSE) = FALSE"
    by_name, by_text = diff(compared_site, "luton_core"), diff(compared_site, "--where", text)
    for kind in ("before", "after", "entered", "left"):
        assert by_name["counts"][kind] == by_text["counts"][kind]
    assert by_text["counts"]["moved"] == 0
    assert by_text["definition_changed"] is None


def test_date_words_count_from_the_date_of_each_run(compared_site: Path) -> None:
    found = diff(compared_site, "--where", "last_discharge_date >= months_before(6)")
    with duckdb.connect() as connection:
        for run, day, kind in ((EARLIER_RUN, "2025-09-01", "before"), (RUN, "2025-10-01", "after")):
            path = compared_site / "output" / "runs" / run / "features.parquet"
            expected = connection.execute(
                f"SELECT count(*) FROM read_parquet('{path}') WHERE last_discharge_date >= DATE '{day}'"
            ).fetchall()[0][0]
            assert found["counts"][kind] == expected


def redefined(compared_site: Path, folder: Path, text: str, sql: str) -> Path:
    """A copy in which the earlier run had another second rule, and listed whom it found."""
    site = Path(shutil.copytree(compared_site, folder / "site", symlinks=True))
    earlier = site / "output" / "runs" / EARLIER_RUN
    path = earlier / "cohorts" / "luton_core.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["include"][1] = {"text": text, "sql": sql, "columns": ["frailty_category"]}
    path.write_text(json.dumps(document | {"sha256": "0" * 64}), encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT person_id, CAST(row_number() OVER (ORDER BY person_id) AS INTEGER) AS rank, 0 AS score, "
            "'' AS reasons, CAST(NULL AS VARCHAR) AS gaps, FALSE AS is_manual_addition "
            f"FROM read_parquet('{earlier / 'features.parquet'}') WHERE age >= 65 AND {sql} "
            "AND unplanned_admissions_12m >= 2 AND NOT COALESCE(is_end_of_life, FALSE)) "
            f"TO '{earlier / 'cohorts' / 'luton_core.parquet'}' (FORMAT parquet)"
        )
    return site


def test_changed_definition_is_a_reason_of_its_own(compared_site: Path, tmp_path: Path) -> None:
    site = redefined(compared_site, tmp_path, "frailty_category = 'mild'", "frailty_category = 'mild'")
    found = diff(site, "luton_core")
    assert found["definition_changed"]
    then, now = (table(site, run, "features.parquet") for run in (EARLIER_RUN, RUN))
    both = [one for one in found["people"] if one["person_id"] in then and one["person_id"] in now]
    because = {(one["change"], one["because"]) for one in both}
    assert ("entered", "the definition changed") in because
    assert ("left", "the definition changed") in because
    left = next(one for one in both if one["change"] == "left" and one["because"] == "the definition changed")
    assert then[left["person_id"]]["frailty_category"] == "mild"
    assert "frailty_category IN ('moderate', 'severe')" in left["why"]
    assert "The definition itself changed" in answered(site, "cohort", "diff", "luton_core")
    assert not diff(compared_site, "luton_core")["definition_changed"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_whoever_may_have_opted_out_is_counted_and_never_named(compared_site: Path, form: str) -> None:
    before = table(compared_site, EARLIER_RUN, "cohorts/luton_core.parquet")
    features = table(compared_site, RUN, "features.parquet")
    unnamed = [key for key in before if key not in features and status_of(key) is None]
    assert unnamed
    shown = answered(compared_site, "cohort", "diff", "luton_core", "--format", form, "--limit", "9999")
    assert not any(key[:12] in shown for key in unnamed)
    assert (GONE in shown) == (form != "csv")


def test_counts_stand_before_people(compared_site: Path) -> None:
    shown = answered(compared_site, "cohort", "diff", "luton_core", "--limit", "2")
    assert (
        shown.index("members before")
        < shown.index("died")
        < shown.index("members now")
        < shown.index("\nEntered")
    )
    assert "more (--limit N, or --format csv)" in shown


def test_parquet_and_csv_hold_every_change(compared_site: Path, tmp_path: Path) -> None:
    out = tmp_path / "changes.parquet"
    assert (
        answered(compared_site, "cohort", "diff", "luton_core", "--format", "parquet", "--out", str(out))
        == ""
    )
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT count(*) FROM read_parquet('{out}')").fetchall()[0][0]
    assert rows == len(diff(compared_site, "luton_core")["people"])
    text = answered(compared_site, "cohort", "diff", "luton_core", "--format", "csv")
    assert len(text.splitlines()) == rows + 1
    refused(compared_site, 2, "cohort", "diff", "luton_core", "--format", "parquet")


def test_runs_are_named_or_the_newest_of_an_earlier_date(compared_site: Path, reading_site: Path) -> None:
    result = typed(compared_site, "cohort", "diff", "luton_core")
    assert f"from run {EARLIER_RUN}, as of 2026-03-01, to run {RUN}" in result.stderr
    for turned in ((RUN, RUN), (RUN, EARLIER_RUN)):
        asked = ("cohort", "diff", "luton_core", "--from", turned[0], "--to", turned[1])
        assert "earlier run after --from" in str(refused(compared_site, 2, *asked))
    assert "--from RUN" in str(refused(reading_site, 6, "cohort", "diff", "luton_core"))
    refused(compared_site, 6, "cohort", "diff", "luton_core", "--from", "20200101-abcdef")
    assert "luton_core" in str(refused(compared_site, 3, "cohort", "diff", "luton_cor"))
