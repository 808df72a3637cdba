"""The peers: how each is made ready, how it is asked, and why its answer may be another."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.cohorts.environments import PINS, UnavailableError, environment, pinned
from benchmarks.cohorts.turns import Asked, people_in_document

NAMES = ("duckcdm", "es-aces", "phenex")
PREPARE_SECONDS = 600
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


def ask_peers(
    folder: Path, environments: Path, answers: dict[str, int], say: Callable[[str], None]
) -> tuple[list[Asked], dict[str, str]]:
    """The peers that can be asked, and for the others why not. Their inputs are loaded here, untimed."""
    asked, not_run = [], {}
    for name in NAMES:
        say(f"{name}: making its environment and loading its inputs")
        try:
            python = environment(name, environments)
            prepare, command = _commands(name, python, folder)
            if prepare:
                _prepare(prepare, folder)
        except UnavailableError as problem:
            not_run[name] = str(problem)
            continue
        age = AGES[name]
        asked.append(
            Asked(
                name=name,
                label=f"{LABELS[name]} ({name} {pinned(name)})",
                command=command,
                read=people_in_document,
                right=answers[age],
                folder=folder,
                peer=name,
                differs=WHY.get(age),
                variables={"POLARS_MAX_THREADS": "2"},
            )
        )
    return asked, not_run


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
