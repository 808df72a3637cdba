"""A small piece of `make fuzz` for every day: damaged deliveries are refused or counted, never crash, never leak."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.cases import Bench
from tests.fuzz.kinds import RARE, load_kinds
from tests.fuzz.town import write_fuzz_town

SEED = 3
DELIVERIES = 26  # about forty mutations


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("fuzz")
    return Bench(write_fuzz_town(folder / "town"), folder / "work")


def test_damaged_deliveries_are_refused_or_counted(bench: Bench):
    assert bench.town.numbers, "without a number to look for, none leaks"
    assert bench.town.words, "without a name to look for, none leaks"
    kinds = tuple(sorted(load_kinds().keys() - RARE))
    results = [bench.run_case(SEED, number, kinds) for number in range(DELIVERIES)]
    problems = [
        f"case {result.number} ({result.plan}): {problem}"
        for result in results
        for problem in result.problems
    ]
    assert not problems, "\n".join(problems)
    assert all(result.kinds for result in results), "a delivery without damage proves nothing"
    assert {result.outcome for result in results} == {"clean", "quarantined", "refused"}


def test_same_seed_and_number_damage_the_same_delivery(bench: Bench):
    def damaged(number: int) -> tuple[str, dict[str, bytes]]:
        result = bench.run_case(SEED, number)
        landing: Path = bench.site.landing
        files = {path.relative_to(landing).as_posix(): path for path in landing.rglob("*") if path.is_file()}
        return result.plan, {name: path.read_bytes() for name, path in files.items()}

    plan, files = damaged(7)
    assert damaged(7) == (plan, files)
    other_plan, other_files = damaged(8)
    assert other_plan != plan
    assert other_files != files
