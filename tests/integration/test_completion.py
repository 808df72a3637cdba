"""What a shell proposes, through the protocol that it speaks."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_run import EARLIER_RUN, RUN
from tests.integration.typed import answered

COMMAND = [sys.executable, "-c", "from riskstrat.cli import app; app(prog_name='riskstrat')"]


def proposed(words: str) -> list[str]:
    """What bash is told when Tab is pressed after the words."""
    spoken = {
        "_RISKSTRAT_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    ended = subprocess.run(
        COMMAND, env={**os.environ, **spoken}, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stderr == ""
    return ended.stdout.split()


def test_commands_are_proposed() -> None:
    assert {"attrition", "explain", "diff", "sql"} <= set(proposed("riskstrat cohort "))


@pytest.mark.parametrize("command", ["count", "query", "attrition", "diff", "sql", "show"])
def test_cohorts_of_the_run_are_proposed(compared_site: Path, command: str) -> None:
    words = f"riskstrat --site {compared_site} cohort {command} "
    assert proposed(words) == ["care_home_frail", "first_of_area", "luton_core"]
    assert proposed(f"{words}lut") == ["luton_core"]


def test_definitions_are_proposed_to_be_validated(compared_site: Path) -> None:
    assert proposed(f"riskstrat --site {compared_site} cohort validate l") == ["luton_core"]


def test_features_are_proposed_one_after_another(compared_site: Path) -> None:
    words = f"riskstrat --site {compared_site} cohort query luton_core --columns "
    assert proposed(f"{words}has_c") == ["has_copd", "has_care_plan"]
    assert proposed(f"riskstrat --site {compared_site} features show has_c") == ["has_copd", "has_care_plan"]
    assert proposed(f"{words}has_copd,has_c") == ["has_copd,has_care_plan"]


def test_areas_runs_and_audiences_are_proposed(compared_site: Path) -> None:
    words = f"riskstrat --site {compared_site} cohort"
    assert proposed(f"{words} count luton_core --area NB") == ["NB01", "NB02", "NB03", "NB04", "NB05", "NB06"]
    assert proposed(f"{words} count luton_core --run ") == [RUN, EARLIER_RUN]
    assert proposed(f"{words} diff luton_core --from 202603") == [EARLIER_RUN]
    assert proposed(f"{words} count luton_core --audience ") == ["analyst", "commissioner", "public"]


def test_practices_and_pcns_of_the_site_are_proposed(
    made_up_site: Path, compared_site: Path, tmp_path: Path
) -> None:
    site = Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True))
    shutil.copytree(made_up_site / "config" / "geography", site / "config" / "geography")
    with (site / "config" / "geography" / "practices.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    found = proposed(f"riskstrat --site {site} cohort count luton_core --area ")
    assert {row["practice_code"], row["pcn_code"], "NB01"} <= set(found)


def test_nothing_is_proposed_and_nothing_said_where_there_is_no_site_or_run(tmp_path: Path) -> None:
    for command in ("count ", "validate ", "count x --area ", "query x --columns ", "diff x --from "):
        assert proposed(f"riskstrat --site {tmp_path} cohort {command}") == []


def test_completion_can_be_installed() -> None:
    shown = answered(Path(), "--help")
    assert "--install-completion" in shown
    ended = subprocess.run(
        [*COMMAND, "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "_RISKSTRAT_COMPLETE=complete_bash" in ended.stdout
