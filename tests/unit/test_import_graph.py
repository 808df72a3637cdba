"""Start-up: the commands that a person types most import Typer and DuckDB and nothing that is slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_people import fake_features
from tests.fake_run import EARLIER_RUN, write_earlier_run, write_fake_site

SLOW = (
    *(
        "altair",
        "great_expectations",
        "jinja2",
        "numpy",
        "open_data_contract_standard",
        "packaging",
        "pandas",
    ),
    *("pyarrow", "pydantic", "rich", "scipy", "sklearn", "sqlalchemy", "sqlglot", "vl_convert", "yaml"),
)
PROBE = """
import sys
from riskstrat.cli import main
sys.argv = ["riskstrat", *sys.argv[1:]]
try:
    main()
except SystemExit as ending:
    assert not ending.code, ending.code
print("modules", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


PERSON = "PERSON"  # stands for somebody of the run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_fake_site(folder, people=200)
    write_earlier_run(folder / "output" / "runs" / EARLIER_RUN, people=200)
    (folder / "config" / "disclosure.yaml").write_text("audiences:\n  analyst: none\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["cohort", "count", "luton_core"],
        ["cohort", "count", "--where", "age >= 65 AND frailty_category = 'severe'"],
        ["cohort", "query", "luton_core", "--limit", "3"],
        ["cohort", "query", "--where", "age >= 65", "--format", "csv"],
        ["cohort", "list"],
        ["cohort", "show", "luton_core"],
        ["cohort", "attrition", "luton_core"],
        ["cohort", "attrition", "--where", "age >= 65 AND has_copd", "--format", "json"],
        ["cohort", "diff", "luton_core"],
        ["cohort", "diff", "--where", "age >= 65 AND has_copd", "--format", "csv"],
        ["cohort", "sql", "luton_core", "--engine", "duckdb"],
        ["cohort", "sql", "--where", "age >= 65 AND has_copd"],
        ["cohort", "explain", PERSON, "--where", "age >= 65 AND has_copd"],
        ["cohort", "explain", "luton_core", PERSON],
        ["runs", "list"],
        ["runs", "show", "latest"],
    ],
    ids=" ".join,
)
def test_reading_commands_import_nothing_slow(site: Path, arguments: list[str]) -> None:
    modules = modules_of(site, arguments)
    assert not modules & set(SLOW)


def test_counting_imports_no_other_command(site: Path) -> None:
    loaded = modules_of(site, ["cohort", "count", "--where", "age >= 65"], whole=True)
    assert "riskstrat.commands.cohort_people" in loaded
    for other in ("run", "check", "doctor", "runs", "codelist", "cohort_attrition", "cohort_validate"):
        assert f"riskstrat.commands.{other}" not in loaded


def test_completion_of_a_cohort_imports_nothing_slow(site: Path) -> None:
    script = PROBE.replace("from riskstrat.cli import main", "from riskstrat.cli import app as main")
    words = f"riskstrat --site {site} cohort count "
    spoken = {"_RISKSTRAT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "5"}
    script = f"import os\nos.environ.update({spoken!r})\nimport sys\nsys.argv[0] = 'riskstrat'\n{script}"
    script = script.replace("main()", "main(prog_name='riskstrat')")
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "luton_core" in ended.stdout
    assert not set(ended.stdout.splitlines()[-1].split()[1:]) & {*SLOW, "duckdb"} - {"rich"}


def modules_of(site: Path, arguments: list[str], *, whole: bool = False) -> set[str]:
    """The modules that a command has imported when it ends well; by default their first names."""
    key = fake_features(200, 7)["person_id"][0].as_py()
    typed = [key if word == PERSON else word for word in arguments]
    script = PROBE.replace('name.partition(".")[0]', "name") if whole else PROBE
    ended = subprocess.run(
        [sys.executable, "-c", script, "--site", str(site), *typed],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words = ended.stdout.splitlines()[-1].split()
    assert words[0] == "modules"
    return set(words[1:])
