"""A score of the same admissions by a package that takes a row a person and code: pycomorb or comorbidipy.

    python -m benchmarks.peers.comorbidity_scores --measure hfrs_codes_comorbidipy --folder ADMISSIONS

Run by the Python of the package's own environment. Prints one Turn as JSON and leaves the answers in
``ADMISSIONS/answers/NAME.parquet``; imports and writing are not timed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.running import measure_work

POSITIONS = [f"diagnosis_{number:02d}" for number in range(1, 21)]

Score = Callable[[pl.DataFrame], pl.DataFrame]


def main() -> None:
    """Measure one score of one package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--measure", required=True, help="SCORE_SOURCE_PACKAGE")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    score, source, package = options.measure.split("_")
    scored = _pycomorb(score) if package == "pycomorb" else _comorbidipy(score)
    found: list[pl.DataFrame] = []

    def work() -> dict[str, dict[str, float]]:
        started = time.perf_counter()
        codes = _codes(options.folder, source)
        read = time.perf_counter()
        found.append(scored(codes))
        return {"parts": {"read": read - started, "score": time.perf_counter() - read}}

    turn = measure_work(work)
    answers = options.folder / "answers"
    answers.mkdir(exist_ok=True)
    found[0].write_parquet(answers / f"{options.measure}.parquet")
    print(json.dumps(turn))


def _codes(folder: Path, source: str) -> pl.DataFrame:
    """A row a person and code, from such rows or from episodes with their codes side by side."""
    if source == "codes":
        return pl.read_parquet(folder / "codes.parquet")
    return (
        pl.read_parquet(folder / "staged" / "acute_episodes.parquet", columns=["person", *POSITIONS])
        .unpivot(on=POSITIONS, index="person", value_name="code")
        .drop_nulls()
    )


def _pycomorb(score: str) -> Score:
    from pycomorb import comorbidity

    named = {"id_col": "person", "code_col": "code"}
    if score == "hfrs":
        return lambda codes: comorbidity("hfrs", codes, **named).select("person", score="HFRS Score")
    return lambda codes: comorbidity(
        "charlson",
        codes.with_columns(age=0),
        age_col="age",
        implementation="quan",
        weights="charlson",
        **named,
    ).select("person", score="Charlson Comorbidity Index")


def _comorbidipy(score: str) -> Score:
    from comorbidipy import WeightingVariant, comorbidity, hfrs

    if score == "hfrs":
        return lambda codes: hfrs(codes, id_col="person", code_col="code").select(
            "person", score="hfrs_score"
        )
    return lambda codes: comorbidity(
        codes, id_col="person", code_col="code", weighting=WeightingVariant.CHARLSON
    ).select("person", score="comorbidity_score")


if __name__ == "__main__":
    main()
