"""The feature tables of the polars and the pandas baseline equal riskstrat's in every column, so that neither rots.

They read the same staged extracts and the site's definitions, and share no SQL with it.
"""

from __future__ import annotations

import importlib
import os
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from benchmarks.baselines.equality import differences, not_compared
from benchmarks.baselines.knowledge import read_knowledge
from benchmarks.staged import prepare, read_staged

from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.stages.features import features
from riskstrat.stages.link import LINK_FOLDER

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # read when polars is first imported

AS_OF, PEOPLE = date(2026, 4, 1), 1_500
BASELINES = ("polars", "pandas")
# Extracts that a place may do without, and hospitals that never sent anything.
ABSENT = (
    *("agency_contacts", "care_plans", "social_care_services", "community_caseload", "gp_contacts"),
    *("acute_episodes", "acute_attendances"),
)


@pytest.fixture(scope="module")
def whole_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baselines") / "whole"
    prepare(folder, AS_OF, people=PEOPLE, faults=True)
    _leave_features(folder)
    return folder


@pytest.fixture(scope="module")
def town_with_gaps(whole_town: Path) -> Path:
    """The same staged extracts where some never came, some fell silent for a month, and three people are erased."""
    folder = whole_town.with_name("gaps")
    shutil.copytree(whole_town, folder)
    staged = folder / "staged"
    with duckdb.connect() as database:

        def rewrite(table: str, select: str) -> None:
            path = staged / f"{table}.parquet"
            pq.write_table(database.sql(select.format(f"'{path}'")).to_arrow_table(), path)

        for extract in ABSENT:
            rewrite(extract, "SELECT * FROM {} LIMIT 0")
        names = ", ".join(f"'{name}'" for name in ABSENT)
        rewrite("extract_status", f"SELECT extract, extract NOT IN ({names}) AS is_present FROM {{}}")
        rewrite("erased_people", f"SELECT person FROM '{staged}/person_keys.parquet' ORDER BY person LIMIT 3")
        register = f"FROM '{staged}/gp_patients.parquet'"
        largest = f"(SELECT mode(practice_code) {register})"
        of_practice = f"person IN (SELECT person {register} WHERE practice_code = {largest})"
        for extract, day, rows in (
            # a date of long ago would stretch the span of the provider, and its average would mean nothing
            ("community_contacts", "contact_date", "TRUE"),
            ("gp_medications", "issue_date", of_practice),
            ("gp_events", "event_date", of_practice),
        ):
            gone = f"{day} BETWEEN DATE '2025-12-01' AND DATE '2025-12-31' OR {day} < DATE '2020-01-01'"
            rewrite(extract, f"SELECT * FROM {{}} WHERE NOT (({gone}) AND {rows})")
    _leave_features(folder)
    return folder


def _leave_features(folder: Path) -> None:
    """Let riskstrat compute ``ours.parquet``."""
    place = folder / "turn"
    place.mkdir()
    staged = read_staged(folder, place, AS_OF)
    try:
        run_sql_folder(staged.engine, staged.pipelines / LINK_FOLDER)
        features(staged.context)
    finally:
        staged.engine.close()
    shutil.copyfile(place / "features.parquet", folder / "ours.parquet")
    shutil.rmtree(place)


def _of_baseline(name: str, folder: Path) -> Path:
    """The feature file of a baseline."""
    module = importlib.import_module(f"benchmarks.baselines.{name}_features")
    target = folder / f"{name}.parquet"
    module.write_features(folder / "staged", read_knowledge(folder / "site", AS_OF), target)
    return target


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("town", ["whole_town", "town_with_gaps"])
def test_baseline_says_the_same_of_everybody_in_every_column(
    name: str, town: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(town)
    ours, theirs = folder / "ours.parquet", _of_baseline(name, folder)
    assert not_compared(ours, theirs) == []
    found = differences(ours, theirs)
    assert {column: people for column, people in found.items() if people} == {}
    assert pq.read_table(theirs)["person_id"].to_pylist() == pq.read_table(ours)["person_id"].to_pylist()


def test_towns_hold_what_the_rules_tell_apart(whole_town: Path, town_with_gaps: Path) -> None:
    """Columns that are the same for everybody, or known in spite of a silence, would compare nothing."""
    whole, with_gaps = (pq.read_table(town / "ours.parquet") for town in (whole_town, town_with_gaps))
    alike = [
        name
        for name in whole.column_names
        if max(len(whole[name].unique()), len(with_gaps[name].drop_null().unique())) < 2
    ]
    assert alike == []
    unknown = {name for name in with_gaps.column_names if with_gaps[name].null_count == len(with_gaps)}
    assert {"unplanned_admissions_12m", "hfrs", "community_contacts_12m", "gp_contacts_12m"} <= unknown
    for name in ("medicines_12m", "efi_deficits", "falls_12m", "cambridge_multimorbidity"):
        assert 0 < with_gaps[name].null_count < len(with_gaps), name


def test_comparison_notices_a_changed_value_a_missing_person_and_a_missing_column(
    whole_town: Path, tmp_path: Path
) -> None:
    ours, changed = whole_town / "ours.parquet", tmp_path / "changed.parquet"
    with duckdb.connect() as database:
        altered = database.sql(
            "SELECT * EXCLUDE (falls_12m) REPLACE (CASE WHEN place = 1 THEN NULL ELSE age END AS age, "
            "CASE WHEN place = 2 THEN efi + 1e-9 ELSE efi END AS efi) "
            f"FROM (SELECT *, row_number() OVER (ORDER BY efi DESC, person_id) AS place FROM '{ours}') WHERE place <> 3"
        ).to_arrow_table()
    pq.write_table(altered.drop_columns(["place"]), changed)
    found = differences(ours, changed)
    assert (found["person_id"], found["age"], found["efi"]) == (1, 2, 2)
    assert not_compared(ours, changed) == ["falls_12m"]
