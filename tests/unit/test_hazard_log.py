"""The clinical-safety papers say what is true: every test they name exists, every risk is that of the matrix."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = ROOT / "docs" / "clinical-safety"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FIELDS = (
    *("Hazard", "Cause", "Effect", "Severity", "Likelihood", "Initial risk", "Control", "Shown by"),
    *("Residual likelihood", "Residual risk", "Owner"),
)
DEMANDED = (
    *("Wrong patient", "Missed patient", "Stale feed", "Dead person listed", "Score read as a decision"),
    *(
        "Mis-sent list",
        "Silent opt-out failure",
        "Person older than the data",
        "Wrong site's key",
        "Lost rows",
    ),
    *("Definition changed unnoticed", "Disclosure by small numbers", "Formula injection"),
    *(
        "Risk score that knew the future",
        "Risk model that is out of date",
        "Model that learns from its own lists",
    ),
    "People who are recorded less are ranked too low",
    "Reasons that are another person's, or not those of the score",
)


def log() -> dict[str, dict[str, str]]:
    """Each hazard's title to its fields."""
    text = (PAPERS / "hazard-log.md").read_text(encoding="utf-8")
    hazards = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        title = re.fullmatch(r"H\d\d (.+)", part.splitlines()[0].strip())
        assert title, part.splitlines()[0]
        rows = re.findall(r"^\| ([A-Z][a-z ]+) \|(.*)\|$", part, flags=re.MULTILINE)
        hazards[title[1]] = {field: value.strip() for field, value in rows if field != "Field"}
    return hazards


def matrix() -> dict[tuple[str, str], int]:
    """Likelihood and severity to the risk, as the log prints it."""
    text = (PAPERS / "hazard-log.md").read_text(encoding="utf-8")
    rows = [
        [field.strip() for field in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "Likelihood" and len(row) == 6)
    start = rows.index(head) + 2
    return {
        (row[0], severity): int(risk)
        for row in rows[start : start + 5]
        for severity, risk in zip(head[1:], row[1:], strict=True)
    }


@cache
def defined_in(path: Path) -> frozenset[str]:
    """The tests that pytest would find: functions and names that hold one."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(names)


@pytest.mark.parametrize("paper", sorted(PAPERS.glob("*.md")), ids=lambda paper: paper.stem)
def test_every_named_test_exists(paper: Path) -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(paper.read_text(encoding="utf-8"))
        if not (ROOT / file).is_file() or name not in defined_in(ROOT / file)
    ]
    assert missing == []


@pytest.mark.parametrize("paper", sorted(PAPERS.glob("*.md")), ids=lambda paper: paper.stem)
def test_every_named_file_of_the_project_exists(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    files = re.findall(r"`((?:config|docs|src|data_contracts|pipelines|tests)/[\w./-]+)`", text)
    links = re.findall(r"\]\(([^)#:]+\.md)\)", text)
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert [link for link in links if not (paper.parent / link).exists()] == []


def test_the_hazards_that_must_be_there_are() -> None:
    assert set(DEMANDED) <= set(log())


@pytest.mark.parametrize("title", sorted(log()))
def test_a_hazard_has_every_field_a_control_that_is_shown_and_the_risk_of_the_matrix(title: str) -> None:
    hazard = log()[title]
    assert tuple(hazard) == FIELDS
    assert all(hazard[field] for field in FIELDS if field != "Owner")
    assert hazard["Owner"] == ""  # for the organisation that deploys to fill in
    assert NAMED.search(hazard["Shown by"])
    assert int(hazard["Initial risk"]) == matrix()[hazard["Likelihood"], hazard["Severity"]]
    assert int(hazard["Residual risk"]) == matrix()[hazard["Residual likelihood"], hazard["Severity"]]
    assert int(hazard["Residual risk"]) <= int(hazard["Initial risk"])


def test_no_hazard_is_left_at_a_risk_that_is_not_acceptable() -> None:
    assert {title: hazard for title, hazard in log().items() if int(hazard["Residual risk"]) > 3} == {}


def test_what_the_controller_must_fill_in_is_marked() -> None:
    assert (PAPERS / "dpia.md").read_text(encoding="utf-8").count("**[controller:") >= 10
