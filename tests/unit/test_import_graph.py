"""Start-up: the commands that a person types most import Typer and DuckDB and nothing that is slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_run import write_fake_site

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
    *("pyarrow", "pydantic", "rich", "scipy", "sklearn", "sqlalchemy", "vl_convert", "yaml"),
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_fake_site(folder, people=200)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["cohort", "count", "luton_core"],
        ["cohort", "count", "--where", "age >= 65 AND frailty_category = 'severe'"],
        ["cohort", "query", "luton_core", "--limit", "3"],
        ["cohort", "query", "--where", "age >= 65", "--format", "csv"],
        ["runs", "list"],
        ["runs", "show", "latest"],
    ],
    ids=" ".join,
)
def test_reading_commands_import_nothing_slow(site: Path, arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, "--site", str(site), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words = ended.stdout.splitlines()[-1].split()
    assert words[0] == "modules"
    assert not set(words[1:]) & set(SLOW)
