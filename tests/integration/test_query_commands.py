"""``cohort list``, ``count`` and ``query``, as a person types them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
from pathlib import Path

import duckdb
import pytest

from riskstrat.errors import RiskstratError
from tests.fake_run import RUN
from tests.integration.reading_sites import manifest
from tests.integration.typed import answered, refused, typed

CORE = "age >= 65 AND frailty_category IN ('moderate', 'severe') AND unplanned_admissions_12m >= 2"

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture(scope="module")
def site(reading_site: Path) -> Path:
    return reading_site


@pytest.fixture
def own_site(site: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(site, tmp_path / "site", symlinks=True))


def test_cohort_count_is_the_number_of_members(site: Path) -> None:
    assert answered(site, "cohort", "count", "luton_core") == f"{manifest(site)['cohorts']['luton_core']}\n"


def test_cohort_count_where_agrees_with_the_cohort_of_the_same_rules(site: Path) -> None:
    text = f"{CORE} AND COALESCE(is_end_of_life, FALSE) = FALSE"
    assert answered(site, "cohort", "count", "--where", text) == answered(
        site, "cohort", "count", "luton_core"
    )


def test_messages_go_to_stderr_and_say_run_and_undecided(site: Path) -> None:
    result = typed(site, "cohort", "count", "luton_core")
    assert result.stderr.splitlines()[0] == f"run {RUN}, as of 2026-04-01"
    undecided = manifest(site)["cohorts_undecided"]["luton_core"]
    assert f"{undecided} more could not be decided" in result.stderr
    assert result.stdout.strip().isdigit()


def test_unknown_is_neither_counted_nor_counted_as_its_opposite(site: Path) -> None:
    known, opposite, unknown = (
        int(answered(site, "cohort", "count", "--where", text))
        for text in ("efi > 0.2", "NOT efi > 0.2", "efi IS NULL")
    )
    assert known + opposite + unknown == 1_000
    assert unknown > 0
    assert (
        f"{unknown} more could not be decided"
        in typed(site, "cohort", "count", "--where", "efi > 0.2").stderr
    )


def test_feature_of_an_absent_extract_is_unknown_for_everybody(site: Path) -> None:
    result = typed(site, "cohort", "count", "--where", "gp_contacts_12m > 0")
    assert result.stdout == "0\n"
    assert "1,000 more could not be decided" in result.stderr


def test_unknown_cohort_proposes_a_near_name(site: Path) -> None:
    assert "use one of: luton_core" in str(refused(site, 3, "cohort", "count", "luton_cor"))


@pytest.mark.parametrize("name", ["../features", "/etc/passwd", "*", ""])
def test_only_a_cohort_of_the_run_is_a_cohort(site: Path, name: str) -> None:
    assert "has no cohort" in str(refused(site, 3, "cohort", "count", name))


def test_value_that_its_column_never_holds_is_refused(site: Path) -> None:
    problem = refused(site, 3, "cohort", "count", "--where", "frailty_category = 'sever'")
    assert "did you mean 'severe'?" in str(problem)
    assert "^^^^^^^" in str(problem)


def test_value_that_nobody_has_is_noted(site: Path) -> None:
    result = typed(site, "cohort", "count", "--where", "practice_code IN ('ZZ999', 'O''Brien')")
    assert result.stdout == "0\n"
    assert "note: nobody has practice_code 'O'Brien'." in result.stderr
    assert "note: nobody has practice_code 'ZZ999'." in result.stderr


@pytest.mark.parametrize(
    "text",
    ["TRUE FROM read_text('/etc/passwd')", "age > (SELECT 1)", "age > 1; DROP VIEW features", "agee > 1"],
)
def test_refused_conditions_end_with_three(site: Path, text: str) -> None:
    refused(site, 3, "cohort", "count", "--where", text)
    refused(site, 3, "cohort", "query", "--where", text)


def test_condition_that_could_fail_on_the_data_shows_no_value_of_a_person(site: Path) -> None:
    for form in ("table", "csv", "json"):
        result = typed(
            site, "cohort", "query", "--where", "CAST(practice_code AS INTEGER) > 1", "--format", form
        )
        assert isinstance(result.exception, RiskstratError)
        assert result.exception.exit_code == 3
        assert "text may be anything but a number" in str(result.exception)
        assert "X99" not in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [["count"], ["query"], ["count", "luton_core", "--where", "TRUE"], ["query", "a", "--where", "TRUE"]],
)
def test_either_a_cohort_or_a_condition(site: Path, arguments: list[str]) -> None:
    assert "name either a cohort or a condition" in str(refused(site, 2, "cohort", *arguments))


def test_query_of_a_cohort_shows_its_people_by_rank(site: Path) -> None:
    columns = "rank,person_id,score,reasons"
    rows = list(
        csv.DictReader(
            io.StringIO(
                answered(site, "cohort", "query", "luton_core", "--columns", columns, "--format", "csv")
            )
        )
    )
    assert [row["rank"] for row in rows] == [str(place) for place in range(1, len(rows) + 1)]
    assert len(rows) == manifest(site)["cohorts"]["luton_core"]
    assert all(row["reasons"] for row in rows)


def test_query_where_shows_the_usual_columns_by_person(site: Path) -> None:
    rows = json.loads(answered(site, "cohort", "query", "--where", CORE, "--format", "json"))
    assert list(rows[0]) == [
        *("person_id", "age", "sex", "practice_code", "neighbourhood_code", "frailty_category"),
        "unplanned_admissions_12m",
    ]
    keys = [row["person_id"] for row in rows]
    assert keys == sorted(keys)
    assert all(row["age"] >= 65 for row in rows)


def test_unknown_is_empty_in_csv_and_null_in_json(site: Path) -> None:
    asked = ["cohort", "query", "--where", "efi IS NULL", "--columns", "age,efi,is_inpatient", "--limit", "1"]
    plain = answered(site, *asked, "--format", "csv").splitlines()
    assert plain[0] == "age,efi,is_inpatient"
    assert plain[1].split(",")[1] == ""
    assert plain[1].split(",")[2] in ("true", "false", "")
    assert json.loads(answered(site, *asked, "--format", "json"))[0]["efi"] is None


def test_nobody_found_is_an_empty_answer(site: Path) -> None:
    asked = ["cohort", "query", "--where", "age > 900", "--columns", "person_id,age"]
    assert answered(site, *asked, "--format", "csv") == "person_id,age\n"
    assert json.loads(answered(site, *asked, "--format", "json")) == []
    assert answered(site, *asked).splitlines()[0] == "person_id  age"


def test_table_fits_a_hundred_columns(site: Path) -> None:
    for asked in (["luton_core"], ["--where", CORE]):
        lines = answered(site, "cohort", "query", *asked).splitlines()
        assert max(map(len, lines)) <= 100
    assert "unplanned admissions in 12 months" in answered(site, "cohort", "query", "luton_core")


def test_limit_limits(site: Path) -> None:
    assert (
        len(json.loads(answered(site, "cohort", "query", "luton_core", "--limit", "2", "--format", "json")))
        == 2
    )


def test_parquet_holds_the_same_people_and_only_its_owner_can_read_it(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "core.parquet"
    result = typed(site, "cohort", "query", "luton_core", "--format", "parquet", "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT person_id, age FROM read_parquet('{out}') ORDER BY rank"
        ).fetchall()
    asked = ["cohort", "query", "luton_core", "--columns", "person_id,age", "--format", "json"]
    assert [{"person_id": key, "age": age} for key, age in found] == json.loads(answered(site, *asked))
    assert [path.name for path in tmp_path.iterdir()] == ["core.parquet"]


def test_file_holds_what_stdout_would(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "core.csv"
    asked = ["cohort", "query", "luton_core", "--format", "csv"]
    assert answered(site, *asked, "--out", str(out)) == ""
    assert out.read_text(encoding="utf-8") == answered(site, *asked)


def test_failed_query_leaves_an_earlier_file_alone(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.csv"
    out.write_text("mine", encoding="utf-8")
    text = "CAST(practice_code AS INTEGER) > 1"
    refused(site, 3, "cohort", "query", "--where", text, "--format", "csv", "--out", str(out))
    assert out.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_places_that_must_not_be_written_are_refused(site: Path, tmp_path: Path) -> None:
    for out in (
        site / "output" / "latest" / "features.parquet",
        site / "output" / "mine.csv",
        site / "landing" / ".." / "output" / "runs" / RUN / "mine.csv",
        tmp_path,
        tmp_path / "none" / "mine.csv",
    ):
        refused(site, 2, "cohort", "query", "luton_core", "--out", str(out))
    assert "parquet is not text" in str(
        refused(site, 2, "cohort", "query", "luton_core", "--format", "parquet")
    )


def test_unknown_column_proposes_a_near_one(site: Path) -> None:
    problem = refused(site, 2, "cohort", "query", "luton_core", "--columns", "person_id,hrfs")
    assert "did you mean hfrs" in str(problem)
    for columns in ("", "age,,sex", 'age" FROM features; --', "*"):
        refused(site, 2, "cohort", "query", "luton_core", "--columns", columns)


def test_rank_belongs_to_cohorts_only(site: Path) -> None:
    assert "no column 'rank'" in str(
        refused(site, 2, "cohort", "query", "--where", "TRUE", "--columns", "rank")
    )


def test_cohort_list_shows_counts_and_titles(site: Path) -> None:
    listing = answered(site, "cohort", "list")
    for name, people in manifest(site)["cohorts"].items():
        assert name in listing
        assert str(people) in listing
    assert "Frail people with repeated unplanned admissions" in listing


def test_broken_definition_does_not_hide_the_published_run(own_site: Path) -> None:
    (own_site / "config" / "cohorts" / "broken.yaml").write_text("title: [", encoding="utf-8")
    result = typed(own_site, "cohort", "list")
    assert result.exit_code == 0
    assert "luton_core" in result.stdout
    assert "Frail people with repeated unplanned admissions" in result.stdout


@pytest.mark.parametrize(
    "folder", ["config", "data_contracts", "pipelines", "keys", "landing", "state", "output"]
)
def test_no_folder_of_the_site_is_written_to(own_site: Path, folder: str) -> None:
    (own_site / folder / "deep").mkdir(parents=True, exist_ok=True)
    for out in (own_site / folder / "out.csv", own_site / folder / "deep" / ".." / "out.csv"):
        for asked in (["query", "luton_core", "--format", "csv"], ["attrition", "luton_core"], ["list"]):
            assert folder in str(refused(own_site, 2, "cohort", *asked, "--out", str(out)))
            assert not out.exists()


def test_dash_is_stdout(site: Path) -> None:
    asked = ("cohort", "query", "luton_core", "--format", "csv")
    assert answered(site, *asked, "--out", "-") == answered(site, *asked)
    assert answered(site, "cohort", "list", "--out", "-") == answered(site, "cohort", "list")
    refused(site, 2, "cohort", "query", "luton_core", "--format", "parquet", "--out", "-")


def test_column_is_shown_once(site: Path) -> None:
    assert "age" in str(refused(site, 2, "cohort", "query", "luton_core", "--columns", "age,sex,age"))


@pytest.mark.parametrize(
    ("where", "note"),
    [
        ("age BETWEEN 70 AND 60", "age BETWEEN 70 AND 60: can be true for nobody."),
        ("has_copd AND age > 70 AND age < 60", "age > 70 / age < 60: cannot be true together."),
    ],
)
def test_nobody_is_found_by_what_contradicts_itself_and_it_is_said(site: Path, where: str, note: str) -> None:
    result = typed(site, "cohort", "count", "--where", where)
    assert (result.exit_code, result.stdout) == (0, "0\n")
    assert f"note: {note}" in result.stderr
    assert f"note: {note}" in typed(site, "cohort", "query", "--where", where).stderr
    assert "note:" not in typed(site, "cohort", "count", "--where", "age = 3 AND age + 1 > 115").stderr


def test_proposal_for_a_condition_knows_the_values_of_the_contract(site: Path) -> None:
    problem = str(refused(site, 3, "cohort", "count", "--where", "frailty = severe"))
    assert "did you mean frailty_category = 'severe'?" in problem
    assert "did you mean 'severe'?" in str(
        refused(site, 3, "cohort", "count", "--where", "lower(frailty_category) = 'sever'")
    )
