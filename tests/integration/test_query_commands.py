"""The commands that read a published run, as a person types them."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from riskstrat.errors import RiskstratError
from riskstrat.keys import init_site_key
from tests.fake_run import RUN, write_fake_site
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")

CORE = "age >= 65 AND frailty_category IN ('moderate', 'severe') AND unplanned_admissions_12m >= 2"
FRAILTY = ("fit", "mild", "moderate", "severe")


def feature_contract(columns: dict[str, str]) -> dict[str, object]:
    """A contract of the feature table, as short as the standard and the loader allow."""
    kinds = {
        "VARCHAR": "string",
        "INTEGER": "integer",
        "DOUBLE": "number",
        "DATE": "date",
        "BOOLEAN": "boolean",
    }
    properties = []
    for name, sql_type in columns.items():
        column: dict[str, object] = {
            "name": name,
            "logicalType": kinds[sql_type],
            "physicalType": sql_type,
            "classification": "confidential",
            "description": f"The meaning of {name}.",
            "customProperties": [{"property": "window", "value": "12 months before as_of"}],
        }
        if name == "person_id":
            column |= {"required": True, "primaryKey": True, "primaryKeyPosition": 1}
        if name == "frailty_category":
            check = {"metric": "invalidValues", "arguments": {"validValues": list(FRAILTY)}, "mustBe": 0}
            column["quality"] = [{**check, "severity": "quarantine"}]
        properties.append(column)
    table = {
        "name": "features",
        "logicalType": "object",
        "businessName": "Feature table",
        "description": "One row per person.",
        "dataGranularityDescription": "one row per person",
        "properties": properties,
    }
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "features",
        "name": "features",
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "For tests."},
        "customProperties": [
            {"property": "direction", "value": "out"},
            {"property": "presence", "value": "required"},
        ],
        "schema": [table],
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("query_site")
    run = write_fake_site(folder, people=1_000)
    with duckdb.connect() as connection:
        described = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet('{run / 'features.parquet'}')"
        ).fetchall()
    contract = feature_contract({row[0]: row[1] for row in described})
    for path in (folder / "config" / "cohorts").glob("*.yaml"):
        review = {"author": "a", "signed_off_by": None, "next_review": None}
        whole = yaml.safe_load(path.read_text(encoding="utf-8")) | {"source": "made up", "review": review}
        path.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    path = folder / "data_contracts" / "features.yaml"
    path.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    return folder


@pytest.fixture
def own_site(site: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(site, tmp_path / "site", symlinks=True))


def manifest(site: Path) -> dict[str, dict[str, int]]:
    content: dict[str, dict[str, int]] = json.loads(
        (site / "output" / "latest" / "manifest.json").read_text(encoding="utf-8")
    )
    return content


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


def test_failure_on_the_data_shows_no_value_of_a_person(site: Path) -> None:
    for form in ("table", "csv", "json"):
        result = typed(
            site, "cohort", "query", "--where", "CAST(practice_code AS INTEGER) > 1", "--format", form
        )
        assert isinstance(result.exception, RiskstratError)
        assert result.exception.exit_code == 3
        assert "cannot be computed for some people" in str(result.exception)
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
    assert "broken.yaml" in result.stderr


def test_older_run_is_read_by_its_id_and_by_its_date(own_site: Path) -> None:
    older = own_site / "output" / "runs" / "20260301-aaaaaaaa"
    shutil.copytree(own_site / "output" / "runs" / RUN, older)
    for option in (["--run", older.name], ["--as-of", "2026-03-01"]):
        result = typed(own_site, "cohort", "count", "luton_core", *option)
        assert result.exit_code == 0
        assert "run 20260301-aaaaaaaa, as of 2026-03-01" in result.stderr
    listing = answered(own_site, "runs", "list").splitlines()
    assert listing[-2].startswith("20260301-aaaaaaaa")
    assert listing[-1].startswith(RUN)
    assert listing[-1].endswith("latest")


def test_dates_and_runs_that_are_not_there(site: Path) -> None:
    refused(site, 6, "cohort", "count", "luton_core", "--run", "20200101-abcdef")
    refused(site, 6, "cohort", "count", "luton_core", "--as-of", "2020-01-01")
    refused(site, 2, "cohort", "count", "luton_core", "--as-of", "01/01/2020")
    refused(site, 2, "cohort", "count", "luton_core", "--as-of", "2026-04-01", "--run", RUN)


def test_nothing_published_ends_with_six(own_site: Path) -> None:
    shutil.rmtree(own_site / "output")
    for arguments in (
        ["cohort", "list"],
        ["cohort", "count", "luton_core"],
        ["cohort", "query", "--where", "TRUE"],
        ["runs", "list"],
        ["runs", "show", "latest"],
        ["runs", "verify", "latest"],
    ):
        assert "riskstrat run --as-of DATE" in str(refused(own_site, 6, *arguments))


def test_runs_show_tells_the_run(site: Path) -> None:
    shown = answered(site, "runs", "show", "latest")
    for text in (RUN, "in the population", "luton_core", "gp_events", "agency_contacts was not delivered"):
        assert text in shown
    assert json.loads(answered(site, "runs", "show", RUN, "--json")) == manifest(site)


def test_runs_verify_finds_a_changed_file(own_site: Path) -> None:
    assert "are what was published" in answered(own_site, "runs", "verify", "latest")
    (own_site / "output" / "runs" / RUN / "scores.parquet").write_bytes(b"changed")
    assert "scores.parquet: is not what was published." in str(
        refused(own_site, 1, "runs", "verify", "latest")
    )


def test_damaged_features_are_said_without_a_traceback(own_site: Path) -> None:
    (own_site / "output" / "runs" / RUN / "features.parquet").write_bytes(b"PAR1")
    assert "damaged" in str(refused(own_site, 1, "cohort", "count", "--where", "TRUE"))


def test_features_list_and_show_tell_the_contract(site: Path) -> None:
    assert "unplanned_admissions_12m" in answered(site, "features", "list")
    shown = answered(site, "features", "show", "frailty_category")
    assert "The meaning of frailty_category." in shown
    assert "12 months before as_of" in shown
    assert "fit, mild, moderate, severe" in shown
    assert f"of 1,000 people in run {RUN}" in shown
    assert "agency_contacts was not delivered" in answered(site, "features", "show", "agencies_90d")
    assert "did you mean efi" in str(refused(site, 3, "features", "show", "effi"))


def test_features_are_shown_before_the_first_run(own_site: Path) -> None:
    shutil.rmtree(own_site / "output")
    assert "The meaning of efi." in answered(own_site, "features", "show", "efi")


def test_doctor_names_what_is_wrong_and_ends_with_the_first_failure(own_site: Path) -> None:
    result = typed(own_site, "doctor")
    assert result.exit_code == 3
    assert "fail  definitions:" in result.stdout
    assert "fail  key:" in result.stdout
    assert "riskstrat keys init" in result.stdout
    assert f"ok    runs: {RUN} is the latest, and is what was published" in result.stdout


def test_doctor_without_a_site_ends_with_two(tmp_path: Path) -> None:
    result = typed(tmp_path, "doctor")
    assert result.exit_code == 2
    assert "fail  site:" in result.stdout


def test_doctor_sees_damage_leftovers_and_a_running_run(own_site: Path) -> None:
    (own_site / "output" / "runs" / RUN / "scores.parquet").write_bytes(b"changed")
    (own_site / "output" / "runs" / ".20260402-abcdef.partial").mkdir()
    shown = typed(own_site, "doctor").stdout
    assert "fail  runs: 1 files" in shown
    assert "warn  leftovers: an earlier run did not end: .20260402-abcdef.partial" in shown
    (own_site / "state").mkdir()
    with (own_site / "state" / "run.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert "warn  lock: a run is going on" in typed(own_site, "doctor").stdout


def test_doctor_sees_an_open_key(own_site: Path) -> None:
    key = init_site_key(own_site / "keys")
    assert "ok    key:" in typed(own_site, "doctor").stdout
    key.chmod(0o644)
    assert "chmod 600" in typed(own_site, "doctor").stdout


def test_doctor_is_content_with_a_whole_site(made_up_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(made_up_site, tmp_path / "site"))
    shutil.rmtree(site / "keys", ignore_errors=True)
    init_site_key(site / "keys")
    result = typed(site, "doctor")
    assert result.exit_code == 0, result.output
    assert "rules are conditions over the features" in result.stdout
    assert "warn  runs: nothing has been published yet" in result.stdout


def test_process_ends_with_one_line_and_the_exit_code(site: Path) -> None:
    def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "riskstrat", "--site", str(site), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env=os.environ
        )

    right = ended("cohort", "count", "luton_core")
    assert (right.returncode, right.stdout) == (0, f"{manifest(site)['cohorts']['luton_core']}\n")
    wrong = ended("cohort", "count", "--where", "agee > 65")
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "error: there is no feature 'agee'." in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert ended("cohort", "count", "--no-such-option").returncode == 2
    assert ended("cohort", "query", "luton_core", "--format", "xml").returncode == 2
