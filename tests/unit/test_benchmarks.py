"""What the benchmarks make of their measurements: exponents, targets, ratios, and a page that says what is missing."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from benchmarks import night
from benchmarks.growth import fitted
from benchmarks.page import write_page
from benchmarks.profile import part_of
from benchmarks.profile_page import PYTHON, bands, parts_of
from benchmarks.profile_page import page as profile_page
from benchmarks.running import measure_command, medians, ratio, take_turns
from benchmarks.targets import MET, MISSED, NOT_MEASURED, Results, judged, table

STAGES = ("hash", "ingest", "link", "features", "publish")


def used(seconds: float, peak: float = 1.0) -> dict[str, float]:
    return {"seconds": seconds, "cpu_seconds": 1.5 * seconds, "peak_gb": peak}


def night_result(people: int, seconds: float, *, file_format: str = "csv", **changed: Any) -> dict[str, Any]:
    """A night of so many seconds over a floor of 10, with a delta night of a third of it."""
    median = {
        "parse": used(10.0, 0.2),
        "scan": used(1.0, 0.2),
        "night": used(seconds, 3.5),
        "delta": used(seconds / 3, 2.5),
        "import": used(0.10),
        "bare": used(0.15),
        "count": used(0.25),
    } | changed  # fmt: skip
    stages = {name: used(seconds / len(STAGES)) for name in STAGES}
    return {
        "people": people,
        "format": file_format,
        "threads": 2,
        "memory_limit": "2500MB",
        "rows": {"gp_events": 30 * people},
        "late_rows": {"gp_events": people // 3},
        "bytes": {"first": 3000 * people, "second": 30 * people},
        "making": {"town": used(30.0), "deliveries": used(20.0)},
        "machine": {"cpus": 2, "processor": "a processor", "memory_gb": 24.0, "load": 0.1},
        "versions": {"riskstrat": "0.1.0", "duckdb": "2.0.0"},
        "same_bytes": {"night": True, "delta": None},
        "same_answer": True,
        "median": median,
        "stages": {"night": stages, "delta": stages},
        "turns": {"night": [{}, {}]},
    }


def verdicts(results: Results) -> dict[str, tuple[float | None, str]]:
    return {row.target.name: (row.figure, row.said) for row in judged(results)}


def test_exponent_of_known_growth_is_found():
    law = fitted({size: 0.002 * size**1.3 for size in (1_000, 50_000, 1_000_000)})
    assert law is not None
    assert law.exponent == pytest.approx(1.3)
    assert law.at(10_000) == pytest.approx(0.002 * 10_000**1.3)


def test_a_constant_has_exponent_zero_and_noise_is_averaged():
    flat = fitted({10: 7.0, 1_000: 7.0})
    noisy = fitted({10: 11.0, 100: 90.0, 1_000: 1_100.0})
    assert flat is not None
    assert noisy is not None
    assert flat.exponent == pytest.approx(0)
    assert noisy.exponent == pytest.approx(1.0, abs=0.01)


def test_one_size_gives_no_exponent():
    assert fitted({1_000: 5.0}) is None
    assert fitted({}) is None


def test_target_is_met_at_its_limit_and_missed_beyond_it():
    million = 1_000_000
    met = verdicts(Results({"csv": {million: night_result(million, 50.0)}}))
    missed = verdicts(Results({"csv": {million: night_result(million, 50.1)}}))
    name = "The whole night, of typed CSV decode"
    assert met[name] == (pytest.approx(5.0), MET)
    assert missed[name] == (pytest.approx(5.01), MISSED)
    assert met["A night with 1% new rows, of a whole night"] == (pytest.approx(100 / 3), MET)


def test_targets_of_what_is_to_be_faster_are_met_from_below():
    features = {"people": 1_000_000, "median": {"features": used(10), "pandas": used(70), "polars": used(9)}}
    features["median"]["scan"] = used(2)
    found = verdicts(Results(features={1_000_000: features}))
    assert found["Features in pandas, of these"] == (pytest.approx(7.0), MET)
    assert found["Features in polars, of these"] == (pytest.approx(0.9), MISSED)
    assert found["From staged tables to features, of Parquet decode"] == (pytest.approx(5.0), MET)


def test_another_number_of_people_decides_nothing_and_memory_grows_with_people():
    found = verdicts(Results({"csv": {100_000: night_result(100_000, 30.0)}}))
    figure, verdict = found["The whole night, of typed CSV decode"]
    assert figure == pytest.approx(3.0)
    assert verdict == f"{MET} at 100,000 people"
    assert found["Peak memory at a million people"] == (None, NOT_MEASURED)


def test_what_was_not_measured_says_so_and_has_no_figure():
    assert set(verdicts(Results()).values()) == {(None, NOT_MEASURED)}
    assert table(judged(Results())).count(NOT_MEASURED) == 2 * len(judged(Results()))


def test_peak_memory_is_that_of_the_greedier_night():
    heavy = night_result(1_000_000, 40.0, delta=used(10.0, 4.2))
    found = verdicts(Results({"csv": {1_000_000: heavy}}))
    assert found["Peak memory at a million people"] == (pytest.approx(4.2), MISSED)


def test_peak_memory_is_that_of_the_greedier_format():
    heavy = night_result(1_000_000, 40.0, delta=used(10.0, 4.2))
    found = verdicts(
        Results({"csv": {1_000_000: heavy}, "parquet": {1_000_000: night_result(1_000_000, 30.0)}})
    )
    assert found["Peak memory at a million people"] == (pytest.approx(4.2), MISSED)


def test_exponent_is_of_the_format_that_was_measured_up_to_the_largest_town():
    csv = {people: night_result(people, seconds) for people, seconds in ((100_000, 10.0), (1_000_000, 10.0))}
    parquet = {people: night_result(people, people / 1e4) for people in (100_000, 5_000_000)}
    found = verdicts(Results({"csv": csv, "parquet": parquet}))
    assert found["Exponent of time against people"] == (pytest.approx(1.0), MET)
    alone = verdicts(Results({"csv": csv, "parquet": {5_000_000: parquet[5_000_000]}}))
    assert alone["Exponent of time against people"] == (pytest.approx(0.0), MET)


def test_towns_in_which_the_start_is_most_of_the_night_are_left_out_of_the_exponent():
    nights = {people: night_result(people, seconds) for people, seconds in ((1_000, 19.0), (100_000, 20.0))}
    assert Results({"csv": nights}).growth("seconds") is None
    law = Results({"csv": nights | {1_000_000: night_result(1_000_000, 200.0)}}).growth("seconds")
    assert law is not None
    assert law.exponent == pytest.approx(1.0)


def test_medians_and_ratios_are_of_interleaved_turns():
    order: list[str] = []

    def measure(name: str) -> dict[str, float]:
        order.append(name)
        return used({"a": 2.0, "b": 8.0}[name] + len(order))

    middle = medians(take_turns(("a", "b"), 3, measure))
    assert order == ["a", "b"] * 3
    assert middle["a"]["seconds"] == 2.0 + 3
    assert ratio(middle["b"], middle["a"]) == {"seconds": 2.4, "cpu_seconds": 2.4}


def test_command_is_measured_without_the_memory_of_whoever_measures_it():
    held = bytearray(300_000_000)
    ended = measure_command([sys.executable, "-S", "-c", "print(1)"])
    del held
    assert (ended.printed, ended.exit_code) == ("1\n", 0)
    assert ended.measures["peak_gb"] < 0.1
    assert ended.measures["cpu_seconds"] > 0


def test_stages_of_a_command_are_told_apart():
    said = "import sys, time; x = bytearray(80_000_000); print('first  0.1 s', file=sys.stderr, flush=True); " \
        "time.sleep(.2); del x; print('second  0.1 s', file=sys.stderr, flush=True)"  # fmt: skip
    ended = measure_command([sys.executable, "-S", "-c", said], by_stage=True)
    assert list(ended.stages) == ["first", "second"]
    assert ended.stages["first"]["peak_gb"] > 0.08
    assert ended.measures["peak_gb"] >= ended.stages["first"]["peak_gb"]


def test_failed_command_says_what_it_said():
    with pytest.raises(RuntimeError, match="exit code 3: no such thing"):
        measure_command(
            [sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"]
        ).succeeded()


def test_page_shows_every_night_and_every_target_from_the_files_alone(tmp_path: Path):
    results = tmp_path / "results"
    results.mkdir()
    for people, seconds, file_format in (
        (100_000, 9.0, "csv"),
        (1_000_000, 70.0, "csv"),
        (1_000_000, 60.0, "parquet"),
    ):
        document = night_result(people, seconds, file_format=file_format)
        (results / f"night-{people}-{file_format}.json").write_text(json.dumps(document))
    read = Results.read(results)
    write_page(read, tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    for row in judged(read):
        assert row.target.name in page
    assert "| The whole night, of typed CSV decode | at most 5 times | 7.00 times | missed |" in page
    assert "| Peak memory at five million people | at most 8 GB | not measured | not measured |" in page
    assert page.count("### ") == 3
    assert "CSV, time: exponent 0.89" in page
    assert "published the same bytes in every turn" in page
    assert "code or definitions changed between turns" in page
    for chart in ("targets", "stages", "growth"):
        svg = (tmp_path / "benchmarks" / f"{chart}.svg").read_text()
        assert f"benchmarks/{chart}.svg" in page
        assert svg.startswith("<svg xmlns=")
        assert "</svg>" in svg


def test_page_says_that_other_work_was_going_on(tmp_path: Path):
    quiet, loaded = night_result(1_000, 5.0), night_result(2_000, 9.0)
    loaded["machine"] = quiet["machine"] | {"load": 2.6}
    write_page(Results({"csv": {1_000: quiet, 2_000: loaded}}), tmp_path)
    assert (tmp_path / "benchmarks.md").read_text().count("Other work was using the machine") == 2, (
        "once with the targets"
    )


def test_page_of_nothing_has_no_chart_and_no_figure(tmp_path: Path):
    write_page(Results(), tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "No night was measured." in page
    assert "An exponent needs nights of two sizes of at least 100,000 people." in page
    assert ".svg" not in page
    assert not list((tmp_path / "benchmarks").iterdir())


def test_page_is_drawn_the_same_from_the_same_files(tmp_path: Path):
    results = Results({"csv": {1_000: night_result(1_000, 5.0), 2_000: night_result(2_000, 9.0)}})
    for name in ("one", "two"):
        write_page(results, tmp_path / name)
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ('CREATE TABLE "spells" AS SELECT * FROM episodes', "spells"),
        ('CREATE OR REPLACE VIEW "seen" AS SELECT 1', "seen"),
        ('INSERT INTO memory."numbers" SELECT 1', "numbers"),
        ("COPY (SELECT 1) TO '/somewhere/features.parquet' (FORMAT parquet)", "features.parquet"),
        ("SELECT count(*) FROM spells", "asks spells"),
        ("SET threads = 2", "settings"),
    ],
)
def test_statement_belongs_to_what_it_makes(statement: str, part: str):
    assert part_of(statement) == part


def test_profile_accounts_for_every_second_of_a_run():
    result = {
        **night_result(1_000, 0.0),
        **used(10.0),
        "stages": {"ingest": 8.0, "publish": 2.0},
        "parts": {"ingest": {"incoming_gp_events": 5.0, "tiny": 0.01}},
    }
    assert parts_of(result, "ingest") == {
        "incoming_gp_events": 5.0,
        PYTHON: pytest.approx(2.99),
        "tiny": 0.01,
    }
    boxes = bands(result)
    for left in (0.0, min(box["left"] for box in boxes if box["left"])):
        column = [box for box in boxes if box["left"] == left]
        assert column[0]["start"] == 0
        assert column[-1]["end"] == pytest.approx(10.0)
        assert all(one["end"] == pytest.approx(two["start"]) for one, two in pairwise(column))
    assert "| ingest | incoming_gp_events | 5.00 | 50.0% |" in profile_page(result)


def test_a_night_of_a_small_town_is_measured_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The benchmark itself, so that it cannot rot: data, a floor, a run from the shell, and the same answer twice."""
    monkeypatch.setattr(night, "ASKED_A_TURN", 1)
    about = night.made(tmp_path, 1_000, "parquet")
    assert about["rows"]["gp_events"] == pytest.approx(30_000, rel=0.05)
    assert about["rows"]["acute_episodes"] == pytest.approx(3_000, rel=0.1)
    assert about["late_rows"]["gp_events"] == pytest.approx(300, rel=0.3)
    found = {name: [night.measured(tmp_path, name)] for name in ("scan", "night", "bare", "count")}
    assert found["bare"][0]["answer"] == found["count"][0]["answer"]
    assert found["scan"][0]["seconds"] < found["night"][0]["seconds"]
    assert found["night"][0]["rows"] == sum(about["rows"].values())
    stages = found["night"][0]["stages"]
    assert {"ingest", "features", "publish"} <= stages.keys()
    assert all(stage["peak_gb"] > 0.05 for stage in stages.values())
    night.forget_runs(tmp_path / "site")
    assert not (tmp_path / "site" / "output").exists()
