"""Hospital Frailty Risk Score and Charlson index of the same admissions: riskstrat beside packages that score codes.

Two sources, the same for everybody: episodes with their diagnoses side by side, from which riskstrat makes spells and
continuous spells first and the packages only codes one below the other; and such codes, tidied, from which all of
them only score. The admissions are the unplanned ones of 24 months. ``python -m benchmarks.features`` runs it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.cohorts.environments import UnavailableError, environment, pinned
from benchmarks.running import ROOT, Turn, measure_command, measure_work, ratio, say, versions
from benchmarks.staged import THREADS, TimedEngine, read_staged
from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.features import FEATURE_FOLDERS
from riskstrat.stages.link import LINK_FOLDER

AS_OF = date(2026, 4, 1)
OURS, PACKAGES = "riskstrat", ("pycomorb", "comorbidipy")
TASKS = {
    "hfrs_episodes": "HFRS from episodes",
    "hfrs_codes": "HFRS from codes",
    "charlson_codes": "Charlson from codes",
}
# The files of pipelines/ that make a score of codes, those that need others last.
FILES = {
    "hfrs": ("hfrs_components", "hfrs"),
    "charlson": ("diagnosis_concepts", "charlson_components", "charlson"),
}
POINTS = {"hfrs": "sum(point_tenths) / 10.0", "charlson": "sum(points)"}
# What the work of a package is not, and why it may score somebody otherwise.
WHY = {
    OURS: "from episodes it makes spells and continuous spells first, which packages leave to their users; from codes "
    "it reads the stays beside them and keeps the record behind every code that scores.",
    "comorbidipy": "from episodes it adds the points of a code twice where it is written in two ways, or with two "
    "fourth characters, because it drops repeated codes before it cuts them to three characters.",
}
# A table of fewer rows is knowledge, and stays where it is.
LEAST_ROWS = 1_000


def main() -> None:
    """Measure one of riskstrat's tasks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps(_ours(options.measure.rpartition("_")[0], options.folder)))


def prepare_admissions(folder: Path) -> Path:
    """The folder of the admissions: a site and staged files like those in ``folder``, but of unplanned stays only.

    Which stays those are, the polars baseline says, which equals riskstrat.
    """
    import polars as pl

    from benchmarks.baselines import polars_acute
    from benchmarks.baselines.knowledge import read_knowledge
    from benchmarks.baselines.polars_inputs import Inputs
    from benchmarks.baselines.polars_people import listed_events, population, registrations

    inputs = Inputs(folder / "staged", read_knowledge(folder / "site", AS_OF))
    registered = registrations(inputs)
    people = population(inputs, registered, listed_events(inputs, registered))
    stays = polars_acute.stays(inputs, people)
    wanted = stays.cips.filter("is_unplanned", pl.col("admission_date") >= inputs.knowledge.windows.start_24m)
    spells = stays.parts.join(wanted, on="cips", how="semi")
    episodes = stays.episodes.join(spells, on="spell", how="semi")["episode_id"]
    target = folder / "admissions"
    (target / "staged").mkdir(parents=True)
    (target / "site").symlink_to(folder / "site", target_is_directory=True)
    for path in (folder / "staged").glob("*.parquet"):
        if path.stem != "acute_episodes":
            (target / "staged" / path.name).symlink_to(path)
    kept = pl.scan_parquet(folder / "staged" / "acute_episodes.parquet").join(
        episodes.to_frame().lazy(), on="episode_id", how="semi", maintain_order="left"
    )
    kept.collect().write_parquet(target / "staged" / "acute_episodes.parquet", compression="zstd")
    codes = polars_acute.diagnoses(inputs, stays).join(spells, on="spell", how="semi")
    codes.select("person", code="icd10").write_parquet(target / "codes.parquet", compression="zstd")
    return target


def ready_packages(environments: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python of every package, and for those that have none why not."""
    found, not_run = {"pycomorb": Path(sys.executable)}, {}
    say("comorbidipy: making its environment")
    try:
        found["comorbidipy"] = environment("comorbidipy", environments)
    except UnavailableError as problem:
        not_run["comorbidipy"] = str(problem)
    return found, not_run


def score_versions() -> dict[str, str]:
    """The versions of the packages."""
    return {"pycomorb": versions("pycomorb")["pycomorb"], "comorbidipy": pinned("comorbidipy")}


def score_names(packages: dict[str, Path]) -> list[str]:
    """What takes turns."""
    return [f"{task}_{by}" for task in TASKS for by in (OURS, *packages)]


def measure_score(name: str, folder: Path, packages: dict[str, Path]) -> Turn:
    """One of ``score_names``, in a process of its own."""
    by = name.rpartition("_")[2]
    module = "benchmarks.scores" if by == OURS else "benchmarks.peers.comorbidity_scores"
    python = str(packages.get(by, sys.executable))
    ended = measure_command(
        [python, "-m", module, "--measure", name, "--folder", str(folder)],
        folder=ROOT,
        variables={"POLARS_MAX_THREADS": str(THREADS)},
    ).succeeded()
    found: Turn = json.loads(ended.printed.splitlines()[-1])
    return found


def _ours(task: str, folder: Path) -> Turn:
    """A score by the SQL of pipelines/; the population and the calendar of the feeds are no part of it."""
    score, _, source = task.partition("_")
    place = folder / f"turn_{task}"
    place.mkdir()
    staged = read_staged(folder, place, AS_OF)
    core, features = (staged.pipelines / name for name in FEATURE_FOLDERS[:2])
    run_sql_folder(staged.engine, staged.pipelines / LINK_FOLDER)
    run_sql_folder(staged.engine, core, only="extract_coverage")
    *files, last = FILES[score]

    def from_episodes() -> dict[str, object]:
        run_sql_folder(staged.engine, core, only=files[-1])
        run_sql_folder(staged.engine, features, only=last)
        return {}

    work: Callable[[], dict[str, object]] = from_episodes
    if source == "codes":
        from_episodes()
        work = _from_parquet(staged.engine, (core, features), FILES[score], place)
    turn = measure_work(work)
    answers = folder / "answers"
    answers.mkdir(exist_ok=True)
    staged.engine.export(
        f"SELECT person, {POINTS[score]} AS score FROM {score}_components GROUP BY person ORDER BY person",
        answers / f"{task}_{OURS}.parquet",
    )
    staged.engine.close()
    return turn


def _from_parquet(
    engine: TimedEngine, folders: tuple[Path, ...], files: tuple[str, ...], place: Path
) -> Callable[[], dict[str, object]]:
    """The work of ``files`` once more, when the rows that they read lie in Parquet files as the packages' rows do."""
    selects = {
        name: (folder / f"{name}.sql").read_text(encoding="utf-8")
        for name in files
        for folder in folders
        if (folder / f"{name}.sql").is_file()
    }
    read = set().union(*(engine.tables_of(select) for select in selects.values())) - selects.keys()
    for table in sorted(read):
        if engine.count(table) >= LEAST_ROWS:
            path = place / f"{table}.parquet"
            engine.export(f"SELECT * FROM {quoted(table)}", path)
            engine.execute(f"ALTER TABLE {quoted(table)} RENAME TO {quoted(f'made_{table}')}")
            engine.execute(f"CREATE VIEW {quoted(table)} AS SELECT * FROM read_parquet({literal(str(path))})")
    for name in selects:
        engine.execute(f"DROP TABLE {quoted(name)}")

    def work() -> dict[str, object]:
        for name, select in selects.items():
            engine.create(name, select)
        return {}

    return work


def scores_page(scores: dict[str, Any]) -> list[str]:
    """A table of the tasks by package, and where answers differ and why."""
    told = scores["versions"]
    names = [OURS, *(package for package in PACKAGES if package not in scores["not_run"])]
    lines = [
        "Scores of the unplanned admissions of 24 months; times: what a package takes of riskstrat's seconds "
        f"(pycomorb {told['pycomorb']}, comorbidipy {told['comorbidipy']}).",
        "",
        "| | by | seconds | CPU seconds | peak GB | times | CPU times | people scored otherwise |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for task, label in TASKS.items():
        ours = scores["median"][f"{task}_{OURS}"]
        for by in names:
            row, name = scores["median"][f"{task}_{by}"], f"{task}_{by}"
            times = ratio(row, ours)
            apart = scores["disagreements"].get(name)
            lines.append(
                f"| {label} | {by} | {row['seconds']:.2f} | {row['cpu_seconds']:.2f} | {row['peak_gb']:.2f} "
                f"| {times['seconds']:.2f} | {times['cpu_seconds']:.2f} | {'' if apart is None else f'{apart:,}'} |"
            )
    lines += [f"| {name} | not run: {reason} | | | | | | |" for name, reason in scores["not_run"].items()]
    return [*lines, "", *(f"- {by}: {reason}" for by, reason in WHY.items() if by in names)]


def disagreements(folder: Path, packages: dict[str, Path]) -> dict[str, int]:
    """How many people each package scores otherwise than riskstrat does; no row is a score of 0."""
    import duckdb

    found = {}
    with duckdb.connect() as connection:
        for task in TASKS:
            ours, *theirs = (
                literal(str(folder / "answers" / f"{task}_{by}.parquet")) for by in (OURS, *packages)
            )
            for by, path in zip(packages, theirs, strict=True):
                (row,) = connection.execute(
                    "SELECT count(*) FILTER (WHERE abs(COALESCE(ours.score, 0) - COALESCE(theirs.score, 0)) > 1e-9) "
                    f"FROM {ours} AS ours FULL JOIN {path} AS theirs USING (person)"
                ).fetchall()
                found[f"{task}_{by}"] = row[0]
    return found


if __name__ == "__main__":
    main()
