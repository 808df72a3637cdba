"""The peers: how each is made ready, how it is asked, and why its answer may be another."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.cohorts.environments import PINS, UnavailableError, environment, pinned
from benchmarks.cohorts.question import CUT_DOWN, EDITIONS, WHOLE
from benchmarks.cohorts.turns import Asked, people_in_document
from benchmarks.running import say

NAMES = ("duckcdm", "es-aces", "phenex")
PREPARE_SECONDS = 1_800
# A peer that takes longer over whole records, or more memory, is stopped, and that is its result.
LIMIT_SECONDS, LIMIT_GB = 600, 12
LABELS = {
    "duckcdm": "DuckCDM: Circe JSON on OMOP tables in DuckDB",
    "es-aces": "ACES: task file on MEDS events",
    "phenex": "PhenEx: phenotypes on OMOP tables in DuckDB",
}
# How each reckons age: the name of its answer in answers.json.
AGES = {"duckcdm": "calendar years", "es-aces": "completed years", "phenex": "years of 365 days"}
WHY = {
    "calendar years": "Circe's age is the year of the run less the year of birth: it lets in those whose 65th birthday "
    "comes later in the year of the run.",
    "years of 365 days": "PhenEx's age is days of life divided by 365: it lets in those whose 65th birthday comes "
    "within the 16 days after the run.",
}
# Both cost a millisecond. What a process maps for itself is counted, not the files that it reads.
LIMITS = (
    ("timeout", str(LIMIT_SECONDS), "prlimit", f"--data={LIMIT_GB * 1_000_000_000}")
    if shutil.which("timeout") and shutil.which("prlimit")
    else ()
)


def ask_peers(
    folder: Path, environments: Path, answers: dict[str, int]
) -> tuple[list[Asked], dict[str, str]]:
    """The peers that can be asked of the editions in ``folder``, and for the others why not.

    Their inputs are loaded here, untimed.
    """
    asked, not_run = [], {}
    for edition, title in EDITIONS.items():
        if not (folder / edition).is_dir():
            continue
        for name in NAMES:
            say(f"{name}, {title}: making its environment and loading its inputs")
            try:
                asked.append(_asked(name, edition, environment(name, environments), folder, answers))
            except UnavailableError as problem:
                not_run[f"{name}, {title}"] = str(problem)
    return asked, not_run


def _asked(name: str, edition: str, python: Path, folder: Path, answers: dict[str, int]) -> Asked:
    prepare, command = _commands(name, python, folder / edition)
    if prepare:
        _prepare(prepare, folder)
    age = AGES[name]
    return Asked(
        name=name if edition == CUT_DOWN else f"{name}, {EDITIONS[edition]}",
        label=f"{LABELS[name]}, {EDITIONS[edition]} ({name} {pinned(name)})",
        command=(*LIMITS, *command) if edition == WHOLE else command,
        read=people_in_document,
        right=answers[age],
        folder=folder,
        peer=name,
        edition=edition,
        differs=WHY.get(age),
        variables={"POLARS_MAX_THREADS": "2"},
    )


def _commands(name: str, python: Path, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What loads a peer's inputs (may be empty), and what asks the question."""
    database = str(folder / f"{name}.duckdb")
    if name == "duckcdm":
        load = (str(python.parent / "duckcdm"), "views", str(folder / "omop"), database, "--materialize")
        return load, (str(python), _file("duckcdm_count.py"), _file("duckcdm_cohort.json"), database)
    if name == "phenex":
        count = (str(python), _file("phenex_count.py"), database)
        return (*count, "--load", str(folder / "omop")), count
    events = str(folder / "meds" / "data" / "all" / "0.parquet")
    return (), (str(python), _file("es_aces_count.py"), _file("es_aces_task.yaml"), events)


def _file(name: str) -> str:
    return str(PINS / name)


def _prepare(command: tuple[str, ...], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=PREPARE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"loading its inputs took more than {PREPARE_SECONDS} seconds") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise UnavailableError(f"its inputs could not be loaded: {' '.join(last) or 'no message'}")
